//! `/google/token`: one endpoint for codes, refresh tokens and the assertions of service accounts.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::json;
use wire::Secret;

use super::code::Grant;
use crate::count::RequestKind;
use crate::fault::Who;
use crate::http::Base;
use crate::idp::Idp;
use crate::idp::assertion::Assertion;
use crate::idp::params::{Params, basic};
use crate::idp::refusal::json_response;
use crate::net::Resetter;

/// Answers by grant.
pub(crate) async fn token(
    State(idp): State<Arc<Idp>>,
    Extension(Base(base)): Extension<Base>,
    Extension(resetter): Extension<Resetter>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let params = Params::new(None, &body);
    let kind = match params.get("grant_type") {
        Some("authorization_code") => RequestKind::AuthorizationCode,
        Some("refresh_token") => RequestKind::Refresh,
        _ => RequestKind::ServiceAccount,
    };
    idp.count(kind);
    let header = basic(&headers);
    let assertion = Assertion::parse(params.get("assertion").unwrap_or_default());
    let who = if kind == RequestKind::ServiceAccount {
        let named = |name: &str| assertion.as_ref().map_or("", |a| a.text(name)).to_owned();
        Who { client: named("iss"), user: Some(named("sub")).filter(|sub| !sub.is_empty()) }
    } else {
        let client = header.as_ref().map(|(id, ..)| id.as_str()).or_else(|| params.get("client_id"));
        Who { client: client.unwrap_or_default().to_owned(), user: idp.google_user_of(&params) }
    };
    let trace = idp.trace(&headers, &who);
    if let Some(response) = idp.outage(&who, &resetter, &trace, &base).await {
        return response;
    }
    let answer = if kind == RequestKind::ServiceAccount {
        idp.by_service_account(&params, assertion.as_ref(), &who, &base)
    } else {
        // Making the key takes a moment, which must not hold up the others.
        let key = idp.mint.key_async().await;
        let in_header = header.iter().flat_map(|(_, decoded, plain)| [decoded.as_str(), plain.as_str()]);
        let secrets: Vec<Secret> = in_header.chain(params.get("client_secret")).map(Secret::from).collect();
        idp.google_authenticate(&who.client, &secrets).and_then(|client| {
            let grant = Grant { client, who: &who, params: &params, key: &key };
            if kind == RequestKind::Refresh { idp.google_refresh(&grant) } else { idp.google_code(&grant) }
        })
    };
    match answer {
        Ok(body) => json_response(200, &body, &trace),
        Err((error, description)) => {
            let status = if matches!(error, "unauthorized_client" | "invalid_client") { 401 } else { 400 };
            json_response(status, &json!({"error": error, "error_description": description}), &trace)
        }
    }
}
