//! The token endpoint: who asks, with what, and how it may fail.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Extension, Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use wire::Secret;

use crate::count::RequestKind;
use crate::directory::{App, AppKind};
use crate::fault::Fault;
use crate::http::Base;
use crate::idp::Idp;
use crate::idp::params::{Params, basic};
use crate::idp::refusal::{Refusal, Trace, json_response};
use crate::idp::tenant::Tenant;
use crate::net::Resetter;

const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The token endpoint.
pub(crate) async fn token(
    State(idp): State<Arc<Idp>>,
    Extension(Base(base)): Extension<Base>,
    Extension(resetter): Extension<Resetter>,
    Path(tenant): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let params = Params::new(query.as_deref(), &body);
    idp.count(match params.get("grant_type") {
        Some("authorization_code") => RequestKind::AuthorizationCode,
        Some("refresh_token") => RequestKind::Refresh,
        Some("client_credentials") => RequestKind::ClientCredentials,
        Some("password") => RequestKind::Password,
        Some(DEVICE_GRANT | "device_code") => RequestKind::DevicePoll,
        _ => RequestKind::OtherGrant,
    });
    let basic = basic(&headers);
    let named = basic.as_ref().map(|(id, ..)| id.as_str()).or_else(|| params.get("client_id"));
    let client = named.unwrap_or_default().to_owned();
    let trace = idp.trace(&headers, &client);
    if let Some(response) = idp.outage(&client, &resetter, &trace, &base).await {
        return response;
    }
    let secrets: Vec<Secret> = match basic {
        Some((_, decoded, raw)) => vec![decoded.into(), raw.into()],
        None => params.get("client_secret").map(Secret::from).into_iter().collect(),
    };
    let key = idp.mint.key_async().await;
    match idp.grant(&tenant, &client, &secrets, &params, &base, &key) {
        Ok(body) => json_response(200, &body, &trace),
        Err(refusal) => idp.refuse(&refusal, &client, &trace, &base),
    }
}

impl Idp {
    fn grant(
        &self,
        tenant: &str,
        client: &str,
        secrets: &[Secret],
        params: &Params,
        base: &str,
        key: &crate::jwt::SigningKey,
    ) -> Result<serde_json::Value, Refusal> {
        let tenant = Tenant::parse(&self.directory, tenant)?;
        if params.repeated {
            return Err(Refusal::malformed());
        }
        let grant = params.get("grant_type").ok_or_else(|| Refusal::missing("grant_type"))?;
        if params.get("resource").is_some() {
            return Err(Refusal::resource_parameter());
        }
        if client.is_empty() {
            return Err(Refusal::missing("client_id"));
        }
        match (grant, tenant) {
            ("client_credentials", Tenant::Common | Tenant::Organizations | Tenant::Consumers) => {
                return Err(Refusal::no_tenant());
            }
            ("password", Tenant::Common | Tenant::Consumers) => return Err(Refusal::password_not_here()),
            _ => {}
        }
        let app =
            self.directory.app(client).ok_or_else(|| Refusal::unknown_app(client, &self.directory.domain))?;
        tenant.admits(app)?;
        let injected = self.faults.take(client, |f| match f {
            Fault::Refuse { error, code, status, suberror } => Some((*error, *code, *status, *suberror)),
            _ => None,
        });
        if let Some((error, code, status, suberror)) = injected {
            let mut refusal = Refusal::new(status, error, code, "A fault was injected.");
            refusal.suberror = suberror;
            return Err(refusal);
        }
        let without_redirect = matches!(grant, "password" | "device_code" | DEVICE_GRANT);
        authenticate(app, secrets, params.get("client_assertion").is_some(), grant, without_redirect)?;
        match grant {
            "authorization_code" => self.by_code(tenant, app, params, base, key),
            "refresh_token" => self.by_refresh(tenant, app, params, base, key),
            "client_credentials" => self.by_client(app, params, key),
            "password" => self.by_password(tenant, app, params, base, key),
            DEVICE_GRANT | "device_code" => self.by_device(tenant, app, params, base, key),
            other => Err(Refusal::unsupported_grant(other)),
        }
    }

    /// An outage, if one is switched on: the answer, or a reset connection.
    pub(crate) async fn outage(
        &self,
        client: &str,
        resetter: &Resetter,
        trace: &Trace,
        base: &str,
    ) -> Option<Response> {
        if self.faults.hits(client, &Fault::Reset) {
            resetter.reset();
            // The connection's task drops this one; the answer is never written.
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        if self.faults.hits(client, &Fault::Unavailable) {
            let html = "<!DOCTYPE html><html><head><title>Service unavailable</title></head>\
                        <body><h2>Our services aren't available right now</h2></body></html>";
            let kind = [(header::CONTENT_TYPE, "text/html")];
            return Some((StatusCode::SERVICE_UNAVAILABLE, kind, html).into_response());
        }
        let throttled = self.faults.take(client, |f| match f {
            Fault::TooManyRequests(after) => Some(*after),
            _ => None,
        })?;
        let text = "The request was throttled according to policy. Try again later.";
        let mut response =
            Refusal::new(429, "temporarily_unavailable", 90055, text).response(trace, base, 429);
        if let Some(after) = throttled {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(after));
        }
        Some(response)
    }
}

/// Client authentication (exchange-online facts A.4, A.5): who must, who must not.
fn authenticate(
    app: &App,
    secrets: &[Secret],
    assertion: bool,
    grant: &str,
    without_redirect: bool,
) -> Result<(), Refusal> {
    if app.kind == AppKind::Public {
        if !secrets.is_empty() || assertion {
            return Err(Refusal::secret_from_public());
        }
        // Nothing but the switch says that this client is public when no redirect URI is part of the grant.
        if grant == "client_credentials" || (without_redirect && !app.public_flows) {
            return Err(Refusal::no_secret());
        }
        return Ok(());
    }
    if assertion {
        return Err(Refusal::no_certificate());
    }
    if secrets.is_empty() {
        return if without_redirect && app.public_flows { Ok(()) } else { Err(Refusal::no_secret()) };
    }
    match &app.secret {
        Some(secret) if secrets.contains(secret) => Ok(()),
        _ => Err(Refusal::wrong_secret(app)),
    }
}
