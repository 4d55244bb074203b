//! Discovery documents, right and wrong.

use postkey_auth::discovery::{IssuerRule, Metadata, discover};
use postkey_auth::http::{HttpError, HttpResponse, Method, ReqwestHttp, ReqwestOptions};
use postkey_auth::{Client, Error, Provider, Registration};
use sandbox::Sandbox;

use crate::support::*;

const ISSUER: &str = "https://id.example.org";

fn document(issuer: &str) -> serde_json::Value {
    serde_json::json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{ISSUER}/authorize"),
        "token_endpoint": format!("{ISSUER}/token"),
        "device_authorization_endpoint": format!("{ISSUER}/device"),
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "private_key_jwt"],
        "scopes_supported": ["openid", "offline_access", "mail"],
        "authorization_response_iss_parameter_supported": true,
    })
}

async fn found(
    asked: &str,
    rule: IssuerRule,
    answers: impl IntoIterator<Item = Result<HttpResponse, HttpError>>,
) -> (Result<Metadata, Error>, Vec<Seen>) {
    let http = FakeHttp::answering(answers);
    (discover(&http, asked, rule).await, http.seen())
}

#[tokio::test]
async fn a_document_becomes_endpoints() {
    let (metadata, seen) =
        found(ISSUER, IssuerRule::Exact, [answer(200, document(ISSUER).to_string())]).await;
    assert_eq!(
        (seen[0].method, seen[0].url.as_str()),
        (Method::Get, "https://id.example.org/.well-known/openid-configuration")
    );
    let metadata = metadata.unwrap();
    assert_eq!(metadata.scopes, ["openid", "offline_access", "mail"]);
    let endpoints = metadata.endpoints();
    assert_eq!(endpoints.token.as_str(), "https://id.example.org/token");
    assert_eq!(endpoints.device.unwrap().as_str(), "https://id.example.org/device");
    assert_eq!(endpoints.issuer.as_deref(), Some(ISSUER));
    assert!(endpoints.quirks.names_issuer);
    assert!(endpoints.quirks.basic_auth, "a secret in the form is not among what it takes");

    let provider = metadata.applied_to(&Provider::builtin("fastmail").unwrap());
    let endpoints = provider.endpoints(&Registration::public("id", "")).unwrap();
    assert_eq!(endpoints.authorize.unwrap().as_str(), "https://id.example.org/authorize");
    assert_eq!(endpoints.issuer.as_deref(), Some(ISSUER));
}

#[tokio::test]
async fn where_openid_is_not_found_oauth_metadata_is_asked_for() {
    let asked = "https://id.example.org/realms/mail";
    let reply = document(asked).to_string();
    let (metadata, seen) = found(asked, IssuerRule::Exact, [answer(404, "<html>"), answer(200, reply)]).await;
    metadata.unwrap();
    assert_eq!(seen[0].url, "https://id.example.org/realms/mail/.well-known/openid-configuration");
    assert_eq!(seen[1].url, "https://id.example.org/.well-known/oauth-authorization-server/realms/mail");
    let (nothing, _) = found(asked, IssuerRule::Exact, [answer(404, ""), answer(404, "")]).await;
    assert!(matches!(nothing, Err(Error::Status { status: 404, .. })));
}

#[tokio::test]
async fn the_document_of_another_issuer_is_refused() {
    for issuer in [
        "https://evil.example",
        "https://id.example.org/",
        "https://ID.example.org",
        "http://id.example.org",
        "https://id.example.org.evil.example",
        "",
    ] {
        let (result, _) = found(ISSUER, IssuerRule::Exact, [answer(200, document(issuer).to_string())]).await;
        assert!(matches!(result, Err(Error::Setting { setting: "issuer", .. })), "{issuer}: {result:?}");
    }
}

#[tokio::test]
async fn a_templated_issuer_stands_for_tenants_and_for_nothing_else() {
    let asked = "https://login.microsoftonline.com/contoso.example/v2.0";
    let guid = "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0";
    let template = "https://login.microsoftonline.com/{tenantid}/v2.0";
    for (issuer, rule, good) in [
        (template, IssuerRule::Tenant, true),
        (guid, IssuerRule::Tenant, true),
        (template, IssuerRule::Exact, false),
        (guid, IssuerRule::Exact, false),
        ("https://evil.example/{tenantid}/v2.0", IssuerRule::Tenant, false),
        ("https://login.microsoftonline.com/{tenantid}/v1.0", IssuerRule::Tenant, false),
        ("https://login.microsoftonline.com/{tenantid}/x/v2.0", IssuerRule::Tenant, false),
        ("https://login.microsoftonline.com/other.example/v2.0", IssuerRule::Tenant, false),
        ("https://login.microsoftonline.com/{tenantid}", IssuerRule::Tenant, false),
        ("http://login.microsoftonline.com/{tenantid}/v2.0", IssuerRule::Tenant, false),
    ] {
        let (result, _) = found(asked, rule, [answer(200, document(issuer).to_string())]).await;
        assert_eq!(result.is_ok(), good, "{issuer} {rule:?}: {result:?}");
    }
}

#[tokio::test]
async fn addresses_are_held_to_the_rules_of_configured_ones() {
    for asked in [
        "http://id.example.org",
        "id.example.org",
        "https://u:p@id.example.org",
        "https://id.example.org?x=1",
    ] {
        let (result, seen) = found(asked, IssuerRule::Exact, []).await;
        assert!(
            matches!(result, Err(Error::InsecureUrl { .. } | Error::Setting { .. })),
            "{asked}: {result:?}"
        );
        assert!(seen.is_empty());
    }
    for name in ["authorization_endpoint", "token_endpoint", "device_authorization_endpoint"] {
        for address in ["http://id.example.org/x", "javascript:alert(1)", "", "/token"] {
            let mut document = document(ISSUER);
            document[name] = address.into();
            let (result, _) = found(ISSUER, IssuerRule::Exact, [answer(200, document.to_string())]).await;
            let refused = matches!(result, Err(Error::InsecureUrl { .. } | Error::Setting { .. }));
            assert!(refused, "{name} {address}: {result:?}");
        }
    }
}

#[tokio::test]
async fn au_27_what_is_no_document_is_a_typed_error() {
    let mut without = document(ISSUER);
    without.as_object_mut().unwrap().remove("token_endpoint");
    let twice = format!(r#"{{"issuer":"{ISSUER}","issuer":"{ISSUER}"}}"#);
    for body in [
        b"".to_vec(),
        b"<html>".to_vec(),
        b"{}".to_vec(),
        vec![b' '; 1024 * 1024 + 1],
        without.to_string().into_bytes(),
        twice.into_bytes(),
    ] {
        let (result, _) = found(ISSUER, IssuerRule::Exact, [answer(200, body)]).await;
        assert!(matches!(result, Err(Error::Response { .. })), "{result:?}");
    }
    let (result, seen) = found(ISSUER, IssuerRule::Exact, [answer(302, "")]).await;
    assert!(matches!(result, Err(Error::Redirected { status: 302 })) && seen.len() == 1);
    let (result, seen) = found(ISSUER, IssuerRule::Exact, [throttled(503, None)]).await;
    assert!(matches!(result, Err(Error::Status { status: 503, .. })) && seen.len() == 1);
}

/// The sandbox's documents, over TLS: the template of `common`, the id behind a domain.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sandbox_is_discovered_by_every_tenant_form() {
    let sandbox = Sandbox::start().await.unwrap();
    let mut options = ReqwestOptions::default();
    options.extra_ca_pem = Some(sandbox.ca_pem().as_bytes().to_vec());
    let http = ReqwestHttp::new(&options).unwrap();
    let at = |tenant: &str| format!("{}/{tenant}/v2.0", sandbox.base_url());
    for tenant in ["common", sandbox.domain(), sandbox.tenant_id()] {
        let metadata = discover(&http, &at(tenant), IssuerRule::Tenant).await.unwrap();
        assert_eq!(metadata.issuer.contains("{tenantid}"), tenant == "common", "{}", metadata.issuer);
    }
    let exact = discover(&http, &at(sandbox.domain()), IssuerRule::Exact).await;
    assert!(matches!(exact, Err(Error::Setting { setting: "issuer", .. })), "{exact:?}");
    let metadata = discover(&http, &at(sandbox.tenant_id()), IssuerRule::Exact).await.unwrap();
    let daemon = sandbox.app(sandbox::DAEMON_APP).unwrap();
    let registration = Registration::with_secret(daemon.id(), daemon.secret().unwrap().clone(), "");
    let client = Client::new(metadata.endpoints(), registration, &http);
    client.client_credentials(&app_scopes()).await.unwrap();
}
