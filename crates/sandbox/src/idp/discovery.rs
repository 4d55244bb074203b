//! Documents that say where everything is, and plain pages.

use std::sync::Arc;

use axum::extract::{Extension, Path, RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::count::RequestKind;
use crate::fault::{Fault, Who};
use crate::http::Base;
use crate::idp::Idp;
use crate::idp::page;
use crate::idp::params::Params;
use crate::idp::refusal::json_response;
use crate::idp::tenant::Tenant;

/// The OpenID Connect discovery document of a tenant form.
pub(crate) async fn document(
    State(idp): State<Arc<Idp>>,
    Extension(Base(base)): Extension<Base>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
) -> Response {
    idp.count(RequestKind::Discovery);
    let trace = idp.trace(&headers, &Who::default());
    let tenant = match Tenant::parse(&idp.directory, &tenant) {
        Ok(tenant) => tenant,
        Err(refusal) => return refusal.response(&trace, &base, 400),
    };
    let who = Who::default();
    let host = if idp.faults.hits(&who, &Fault::PlainEndpoints) { "http://login.example" } else { &*base };
    let at = format!("{host}/{}", tenant.segment(&idp.directory));
    let issuer = idp
        .faults
        .take(&who, |f| if let Fault::DiscoveryIssuer(issuer) = f { Some(issuer.clone()) } else { None });
    let document = json!({
        "issuer": issuer.unwrap_or_else(|| format!("{base}/{}/v2.0", tenant.issuer_part(&idp.directory))),
        "authorization_endpoint": format!("{at}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{at}/oauth2/v2.0/token"),
        "device_authorization_endpoint": format!("{at}/oauth2/v2.0/devicecode"),
        "end_session_endpoint": format!("{at}/oauth2/v2.0/logout"),
        "jwks_uri": format!("{at}/discovery/v2.0/keys"),
        "response_modes_supported": ["query", "fragment", "form_post"],
        "response_types_supported": ["code"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported":
            ["client_secret_post", "private_key_jwt", "client_secret_basic", "none"],
        "token_endpoint_auth_signing_alg_values_supported": ["PS256", "RS256"],
        "code_challenge_methods_supported": ["plain", "S256"],
        "claims_supported":
            ["sub", "iss", "aud", "exp", "iat", "nonce", "preferred_username", "name", "tid", "ver", "email"],
        "request_uri_parameter_supported": false,
        "http_logout_supported": true,
        "frontchannel_logout_supported": false,
        "tenant_region_scope": "EU",
        "cloud_instance_name": "sandbox.invalid",
        "cloud_graph_host_name": "graph.sandbox.invalid",
        "msgraph_host": "graph.sandbox.invalid",
    });
    json_response(200, &document, &trace)
}

/// The signing keys.
pub(crate) async fn keys(
    State(idp): State<Arc<Idp>>,
    Extension(Base(base)): Extension<Base>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
) -> Response {
    idp.count(RequestKind::Keys);
    let trace = idp.trace(&headers, &Who::default());
    match Tenant::parse(&idp.directory, &tenant) {
        Ok(tenant) => {
            let issuer = format!("{base}/{}/v2.0", tenant.issuer_part(&idp.directory));
            json_response(200, &idp.mint.key_async().await.jwks(&issuer), &trace)
        }
        Err(refusal) => refusal.response(&trace, &base, 400),
    }
}

/// Instance discovery, which some client libraries do first.
pub(crate) async fn instance(
    State(idp): State<Arc<Idp>>,
    Extension(Base(base)): Extension<Base>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
) -> Response {
    idp.count(RequestKind::Discovery);
    let trace = idp.trace(&headers, &Who::default());
    let segment = match Tenant::parse(&idp.directory, &tenant) {
        Ok(tenant) => tenant.segment(&idp.directory),
        Err(refusal) => return refusal.response(&trace, &base, 400),
    };
    let host = base.split("://").nth(1).unwrap_or(&base);
    let document = json!({
        "tenant_discovery_endpoint": format!("{base}/{segment}/v2.0/.well-known/openid-configuration"),
        "api-version": "1.1",
        "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
    });
    json_response(200, &document, &trace)
}

/// Home realm discovery, which clients do before the password grant.
pub(crate) async fn realm(
    State(idp): State<Arc<Idp>>,
    Path((_, user)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    idp.count(RequestKind::Discovery);
    let trace = idp.trace(&headers, &Who::default());
    let domain = user.rsplit('@').next().unwrap_or_default();
    let known = idp.directory.user(&user);
    let kind = match known {
        Some(user) if user.federated => "Federated",
        Some(_) => "Managed",
        None => "Unknown",
    };
    let mut document = json!({
        "ver": "1.0", "account_type": kind, "domain_name": domain,
        "cloud_instance_name": "sandbox.invalid", "cloud_audience_urn": "urn:federation:sandbox",
    });
    if let (true, Some(document)) = (kind == "Federated", document.as_object_mut()) {
        // Where a client would take the password to; nothing answers there.
        let sts = format!("https://sts.{domain}/adfs/services/trust");
        document.insert("federation_protocol".to_owned(), "WSTrust".into());
        document.insert("federation_metadata_url".to_owned(), format!("{sts}/mex").into());
        document.insert("federation_active_auth_url".to_owned(), format!("{sts}/2005/usernamemixed").into());
    }
    json_response(200, &document, &trace)
}

/// What this server is.
pub(crate) async fn welcome(State(idp): State<Arc<Idp>>, Extension(Base(base)): Extension<Base>) -> Response {
    idp.count(RequestKind::OtherPath);
    let users: String =
        idp.directory.users.iter().map(|u| format!("<li>{}</li>", page::escape(&u.upn))).collect();
    let apps: String = idp
        .directory
        .apps
        .iter()
        .map(|a| format!("<li>{}: <code>{}</code></li>", page::escape(&a.name), page::escape(&a.client_id)))
        .collect();
    let body = format!(
        "<p>Authority: <code>{base}/{}</code></p>\n<p><a href=\"/devicelogin\">Enter a device's code</a></p>\n\
         <p><a href=\"/ca.pem\">The certificate to trust</a></p>\n\
         <h2>Accounts</h2>\n<ul>{users}</ul>\n<h2>Applications</h2>\n<ul>{apps}</ul>",
        page::escape(&idp.directory.tenant_id)
    );
    page::page(200, "postkey sandbox", &body)
}

/// The CA certificate.
pub(crate) async fn ca(State(idp): State<Arc<Idp>>) -> Response {
    idp.count(RequestKind::OtherPath);
    ([(header::CONTENT_TYPE, "application/x-pem-file")], idp.ca_pem.clone()).into_response()
}

/// The blank page whose address holds the code, for programs without a listener.
pub(crate) async fn native_client(State(idp): State<Arc<Idp>>) -> Response {
    idp.count(RequestKind::OtherPath);
    page::message(200, "Signed in", "Copy the address of this page back to the program.")
}

/// `error_uri` of every refusal.
pub(crate) async fn error(State(idp): State<Arc<Idp>>, RawQuery(query): RawQuery) -> Response {
    idp.count(RequestKind::OtherPath);
    let params = Params::new(query.as_deref(), b"");
    match params.get("code").and_then(|c| c.parse::<u32>().ok()) {
        Some(code) => page::message(
            200,
            &format!("AADSTS{code}"),
            "The text that came with this number says what the sandbox refused, and why.",
        ),
        None => page::message(404, "No such error", "The address has to end in ?code= and a number."),
    }
}

/// Everything else.
pub(crate) async fn not_found(State(idp): State<Arc<Idp>>) -> Response {
    idp.count(RequestKind::OtherPath);
    page::message(404, "Not found", "The sandbox has nothing at this address.")
}
