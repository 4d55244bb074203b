//! The device endpoint: no scope that opens mail is among those it takes, and none of the clients here is of its kind.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::json;

use crate::count::RequestKind;
use crate::fault::Who;
use crate::idp::Idp;
use crate::idp::params::Params;
use crate::idp::refusal::json_response;

/// The scopes that limited-input devices may ask for.
const ALLOWED: [&str; 7] = [
    "email",
    "openid",
    "profile",
    "https://www.googleapis.com/auth/drive.appdata",
    "https://www.googleapis.com/auth/drive.file",
    "https://www.googleapis.com/auth/youtube",
    "https://www.googleapis.com/auth/youtube.readonly",
];

/// `/google/device/code`.
pub(crate) async fn code(State(idp): State<Arc<Idp>>, headers: HeaderMap, body: Bytes) -> Response {
    idp.count(RequestKind::DeviceCode);
    let params = Params::new(None, &body);
    let id = params.get("client_id").unwrap_or_default();
    let trace = idp.trace(&headers, &Who::client(id));
    let refused = |status, error: &str, text: &str| {
        json_response(status, &json!({"error": error, "error_description": text}), &trace)
    };
    let scope = params.get("scope").unwrap_or_default();
    if let Some(other) = scope.split_whitespace().find(|scope| !ALLOWED.contains(scope)) {
        return refused(400, "invalid_scope", &format!("Invalid device flow scope: {other}"));
    }
    match idp.google_client(id) {
        None => refused(401, "invalid_client", "The OAuth client was not found."),
        Some(_) => refused(
            401,
            "invalid_client",
            "Only clients of type 'TVs and Limited Input devices' can use the OAuth 2.0 flow for TV and Limited-Input \
             Device Applications. Please create and use an appropriate client.",
        ),
    }
}
