//! The control endpoint: what a test in another language does by HTTP instead of by the library.
//!
//! `/sandbox/faults` takes GET (the names of all faults and those in force), POST with
//! `{"fault": "expires-in", "value": 1, "times": 1, "client": "…", "user": "…"}` (all but `fault` optional) and DELETE, which
//! switches them all off. The content type has to be JSON, so that no page in a browser can send it without asking first.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::count::RequestKind;
use crate::fault::{Fault, Rule};
use crate::idp::Idp;

/// What there is, and what is on.
pub(crate) async fn faults(State(idp): State<Arc<Idp>>) -> Response {
    idp.count(RequestKind::Control);
    answer(StatusCode::OK, &json!({"faults": Fault::NAMES, "in_force": idp.faults.in_force()}))
}

/// Switches one on.
pub(crate) async fn inject(State(idp): State<Arc<Idp>>, headers: HeaderMap, body: Bytes) -> Response {
    idp.count(RequestKind::Control);
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if kind.split(';').next().is_none_or(|kind| !kind.trim().eq_ignore_ascii_case("application/json")) {
        let text = "the content type has to be application/json";
        return answer(StatusCode::UNSUPPORTED_MEDIA_TYPE, &json!({"error": text}));
    }
    match rule(&body) {
        Ok(rule) => {
            idp.faults.inject(rule);
            answer(StatusCode::OK, &json!({"in_force": idp.faults.in_force()}))
        }
        Err(why) => answer(StatusCode::BAD_REQUEST, &json!({"error": why})),
    }
}

/// Switches all off. A browser asks before it sends this to another origin, and gets no permission.
pub(crate) async fn clear(State(idp): State<Arc<Idp>>) -> Response {
    idp.count(RequestKind::Control);
    idp.faults.clear();
    answer(StatusCode::OK, &json!({"in_force": []}))
}

fn rule(body: &[u8]) -> Result<Rule, String> {
    let body: Value = serde_json::from_slice(body).map_err(|e| format!("not JSON: {e}"))?;
    let text = |name: &str| match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(format!("{name:?} has to be text")),
    };
    let name = text("fault")?.ok_or("\"fault\" is missing; GET lists the names")?;
    if !Fault::NAMES.contains(&name) {
        return Err(format!("there is no fault {name:?}; GET lists the names"));
    }
    let value = body.get("value").unwrap_or(&Value::Null);
    let fault =
        Fault::from_json(name, value).ok_or_else(|| format!("{name:?} does not take the value {value}"))?;
    let mut rule = Rule::new(fault);
    if let Some(times) = body.get("times").filter(|v| !v.is_null()) {
        let times = times.as_u64().and_then(|n| u32::try_from(n).ok());
        rule = rule.times(times.ok_or("\"times\" has to be a number below 2^32")?);
    }
    if let Some(client) = text("client")? {
        rule = rule.client(client);
    }
    if let Some(user) = text("user")? {
        rule = rule.user(user);
    }
    Ok(rule)
}

fn answer(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_that_are_none() {
        for body in [
            "",
            "[]",
            r#"{"fault": 1}"#,
            r#"{"fault": "smoke"}"#,
            r#"{"fault": "expires-in"}"#,
            r#"{"fault": "pending", "times": -1}"#,
            r#"{"fault": "pending", "client": 5}"#,
        ] {
            assert!(rule(body.as_bytes()).is_err(), "{body}");
        }
        assert!(
            rule(br#"{"fault": "expires-in", "value": 1, "times": 2, "client": "a", "user": "b"}"#).is_ok()
        );
    }
}
