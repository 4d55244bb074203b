//! Answers of an authorisation server, read leniently where servers differ and strictly where it matters.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::{Map, Value};
use wire::Secret;

use crate::error::{Refusal, text};
use crate::http::{BODY_LIMIT, HttpResponse};
use crate::scope::{missing, split};
use crate::{Error, Step, Tokens};

/// Life assumed when the server names none (RFC 6749 §5.1 leaves it to the client), in seconds.
const ASSUMED_LIFE: u64 = 3600;
/// Longest life believed, in seconds: a year.
const LONGEST_LIFE: u64 = 366 * 24 * 3600;

/// A JSON object whose names are all different: with a name twice, two readers would see two different
/// answers.
struct Object(Map<String, Value>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Object, A::Error> {
                let mut members = Map::new();
                while let Some((name, value)) = access.next_entry::<String, Value>()? {
                    if members.insert(name, value).is_some() {
                        return Err(A::Error::custom("a name occurs twice"));
                    }
                }
                Ok(Object(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

/// The members of a JSON object, with or without a byte order mark before it.
pub(crate) fn object(body: &[u8]) -> Option<Map<String, Value>> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    serde_json::from_slice::<Object>(body).ok().map(|object| object.0)
}

/// Sorts an HTTP answer to the request of `step` into members of a success or an error. `secrets` are what the request held.
pub(crate) fn members(
    step: Step,
    response: &HttpResponse,
    secrets: &[Secret],
    now: u64,
) -> Result<Map<String, Value>, Error> {
    let status = response.status;
    let retry_after = response.retry_after.as_deref().and_then(|value| seconds_until(value, now));
    if response.body.len() > BODY_LIMIT {
        return Err(Error::response(format!("it is longer than {BODY_LIMIT} octets")));
    }
    if (300..400).contains(&status) {
        return Err(Error::Redirected { status });
    }
    let success = (200..300).contains(&status);
    let body = response.body.expose();
    let empty = body.iter().all(u8::is_ascii_whitespace);
    match object(body) {
        // Some servers send errors with status 200: `error` decides, not the status.
        Some(members) if members.get("error").is_some_and(|error| !error.is_null()) => {
            Err(Error::Refused(Box::new(Refusal::from_members(&members, status, retry_after, secrets))))
        }
        Some(members) if success => Ok(members),
        None if success && empty => {
            Err(Error::response(format!("{step}, HTTP {status} came with an empty body")))
        }
        None if success => {
            Err(Error::response(format!("{step}, HTTP {status} came with a body that is not a JSON object")))
        }
        _ => Err(Error::Status { step, status, empty, retry_after }),
    }
}

/// `Retry-After` (RFC 9110 §10.2.3) as seconds from `now`: a number or an HTTP date.
fn seconds_until(value: &str, now: u64) -> Option<u64> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(seconds);
    }
    if value.bytes().all(|byte| byte.is_ascii_digit()) && !value.is_empty() {
        return Some(u64::MAX);
    }
    let date = httpdate::parse_http_date(value).ok()?;
    let at = date.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs();
    Some(at.saturating_sub(now))
}

/// A number of seconds in any of the shapes met: 3600, 3600.0, "3600", "3.6e3". Negative is zero. `None` for
/// what is no number at all.
pub(crate) fn seconds(value: Option<&Value>) -> Option<u64> {
    let number = match value? {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse::<f64>().ok().filter(|number| number.is_finite())?,
        _ => return None,
    };
    // `as` saturates, and a lifetime of more than 2^53 s is clamped by every caller.
    Some(number.max(0.0) as u64)
}

/// Moves a text member out as a secret; empty and absent are the same.
pub(crate) fn take_secret(members: &mut Map<String, Value>, name: &str) -> Option<Secret> {
    match members.remove(name) {
        Some(Value::String(value)) if !value.is_empty() => Some(Secret::from(value)),
        _ => None,
    }
}

/// Why an answer that grants something is of no use, and what is to be kept of it all the same.
#[derive(Debug)]
pub(crate) struct Unusable {
    /// What is wrong with it.
    pub(crate) error: Error,
    /// Its refresh token, if it has one that can be sent.
    pub(crate) refresh_token: Option<Secret>,
    /// Its ID token, which tells whose they are.
    pub(crate) id_token: Option<Secret>,
}

impl From<Unusable> for Error {
    /// For grants that spend no refresh token.
    fn from(unusable: Unusable) -> Self {
        unusable.error
    }
}

impl From<Error> for Unusable {
    /// For what fails before there is an answer that grants something.
    fn from(error: Error) -> Self {
        Self { error, refresh_token: None, id_token: None }
    }
}

/// Reads a token response (RFC 6749 §5.1). `requested` are the scopes asked for.
pub(crate) fn tokens(
    mut members: Map<String, Value>,
    requested: &[String],
    now: u64,
) -> Result<Tokens, Unusable> {
    let refresh_token = take_secret(&mut members, "refresh_token");
    let sendable = |token: &Secret| token.expose().bytes().all(|byte| (0x20..=0x7e).contains(&byte));
    if refresh_token.as_ref().is_some_and(|token| !sendable(token)) {
        return Err(Error::response("the refresh_token holds characters that no token may hold").into());
    }
    let id_token = take_secret(&mut members, "id_token");
    match granted(members, requested, now) {
        Ok(tokens) => Ok(Tokens { refresh_token, id_token, ..tokens }),
        Err(error) => Err(Unusable { error, refresh_token, id_token }),
    }
}

/// The members but for the refresh token and the ID token.
fn granted(mut members: Map<String, Value>, requested: &[String], now: u64) -> Result<Tokens, Error> {
    let token_type = match members.get("token_type") {
        None | Some(Value::Null) => "Bearer".to_owned(),
        Some(Value::String(kind)) if kind.eq_ignore_ascii_case("bearer") => kind.clone(),
        Some(Value::String(kind)) => return Err(Error::TokenType { found: text::plain(kind) }),
        Some(_) => return Err(Error::TokenType { found: "not a text".into() }),
    };
    let access_token = take_secret(&mut members, "access_token")
        .ok_or_else(|| Error::response("it holds no access_token"))?;
    // The token is put into SASL messages and header lines: nothing that could end or split them (RFC 6750
    // §2.1).
    if !access_token.expose().bytes().all(|byte| (0x21..=0x7e).contains(&byte)) {
        return Err(Error::response("the access_token holds characters that no token may hold"));
    }
    let life = seconds(members.get("expires_in")).unwrap_or(ASSUMED_LIFE).min(LONGEST_LIFE);
    let scope = match members.get("scope") {
        None | Some(Value::Null) => requested.to_vec(),
        Some(Value::String(list)) => split(list),
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(_) => return Err(Error::response("scope is not a text")),
    };
    let missing = missing(requested, &scope);
    if !missing.is_empty() {
        let granted = scope.iter().take(32).map(|scope| text::plain(scope)).collect();
        return Err(Error::ScopeMismatch { missing, granted });
    }
    Ok(Tokens {
        access_token,
        refresh_token: None,
        id_token: None,
        obtained_at: now,
        expires_at: now.saturating_add(life),
        scope,
        token_type,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Class;
    use wire::SecretBytes;

    const NOW: u64 = 1_790_000_000;

    fn answer(status: u16, body: &[u8]) -> HttpResponse {
        HttpResponse { status, body: SecretBytes::new(body.to_vec()), ..HttpResponse::default() }
    }

    fn read(status: u16, body: impl AsRef<[u8]>) -> Result<Tokens, Error> {
        Ok(tokens(members(Step::Refresh, &answer(status, body.as_ref()), &[], NOW)?, &[], NOW)?)
    }

    fn life(expires_in: &str) -> u64 {
        let body = format!(r#"{{"token_type":"Bearer","access_token":"AT"{expires_in}}}"#);
        read(200, body).unwrap().expires_at - NOW
    }

    #[test]
    fn the_sample_bodies_of_entra_are_read() {
        let scopes = [
            "openid".to_owned(),
            "offline_access".to_owned(),
            "https://outlook.office.com/imap.accessasuser.all".to_owned(),
        ];
        let delegated = br#"{"token_type":"Bearer","scope":"https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send","expires_in":4123,"ext_expires_in":4123,"access_token":"AT","refresh_token":"RT","id_token":"H.P.S","client_info":"eyJ1aWQiOiJPSUQiLCJ1dGlkIjoiVElEIn0"}"#;
        let tokens =
            tokens(members(Step::Refresh, &answer(200, delegated), &[], NOW).unwrap(), &scopes, NOW).unwrap();
        assert_eq!(tokens.access_token.expose(), "AT");
        assert_eq!(tokens.refresh_token.as_ref().map(Secret::expose), Some("RT"));
        assert_eq!(tokens.expires_at, NOW + 4123);
        assert_eq!(tokens.scope.len(), 2);
        let app = read(
            200,
            r#"{"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,"access_token":"AT"}"#,
        )
        .unwrap();
        assert!(app.refresh_token.is_none() && app.id_token.is_none());
    }

    #[test]
    fn the_sample_error_of_entra_is_read() {
        let body = br#"{"error":"invalid_grant","error_description":"AADSTS700082: simulated inactivity expiry. Trace ID: 11111111-1111-1111-1111-111111111100 Correlation ID: 22222222-2222-2222-2222-222222222222 Timestamp: 2026-11-20 10:00:00Z","error_codes":[700082],"timestamp":"2026-11-20 10:00:00Z","trace_id":"11111111-1111-1111-1111-111111111100","correlation_id":"22222222-2222-2222-2222-222222222222","error_uri":"https://login.microsoftonline.com/error?code=700082","suberror":"bad_token"}"#;
        let error = members(Step::Refresh, &answer(400, body), &[], NOW).unwrap_err();
        assert_eq!(error.class(), Class::SignInAgain);
        let refusal = error.refusal().unwrap();
        assert_eq!(refusal.codes, [700082]);
        assert_eq!(refusal.description, "AADSTS700082: simulated inactivity expiry.");
        assert_eq!(refusal.trace_id.as_deref(), Some("11111111-1111-1111-1111-111111111100"));
        assert_eq!(refusal.correlation_id.as_deref(), Some("22222222-2222-2222-2222-222222222222"));
        assert_eq!(refusal.suberror.as_deref(), Some("bad_token"));
        let shown = error.to_string();
        assert!(
            shown.contains("90 days") && shown.contains("Sign in again") && shown.contains("22222222-"),
            "{shown}"
        );
    }

    #[test]
    fn identifiers_are_found_in_the_description_alone() {
        for separator in ["\r\n", " "] {
            let body = serde_json::json!({
                "error": "unauthorized_client",
                "error_description": format!("AADSTS700016: Application not found.{separator}Trace ID: t-1{separator}Correlation ID: c-1{separator}Timestamp: 2026"),
            });
            let error =
                members(Step::Refresh, &answer(400, body.to_string().as_bytes()), &[], NOW).unwrap_err();
            let refusal = error.refusal().unwrap();
            assert_eq!(refusal.codes, [700016]);
            assert_eq!(
                (refusal.trace_id.as_deref(), refusal.correlation_id.as_deref()),
                (Some("t-1"), Some("c-1"))
            );
            assert_eq!(error.class(), Class::ConfigError);
        }
    }

    #[test]
    fn unknown_codes_keep_code_text_and_identifiers() {
        let body = br#"{"error":"invalid_request","error_description":"AADSTS123456: Something new. Trace ID: t","error_codes":[123456],"correlation_id":"c"}"#;
        let error = members(Step::Refresh, &answer(400, body), &[], NOW).unwrap_err();
        assert_eq!(error.class(), Class::ConfigError);
        let shown = error.to_string();
        assert!(
            shown.contains("AADSTS123456: Something new.") && shown.contains("Correlation ID: c"),
            "{shown}"
        );
    }

    #[test]
    fn au_27_bodies_that_are_no_answer_are_typed_errors() {
        let deep = format!("{}{}", "{\"a\":".repeat(100_000), "1");
        let bodies: [&[u8]; 9] = [
            b"",
            b"  \r\n",
            b"<html>sign in</html>",
            b"[1]",
            b"\"x\"",
            b"{\"access_token\":\"AT\"} trailing",
            b"{\"access_token\":\"AT\",\"expires_in\":NaN}",
            b"{\"access_token\":\"A\",\"access_token\":\"B\"}",
            deep.as_bytes(),
        ];
        for body in bodies {
            assert!(
                matches!(read(200, body), Err(Error::Response { .. })),
                "{:?}",
                &body[..body.len().min(40)]
            );
        }
        assert!(matches!(read(204, b""), Err(Error::Response { .. })));
        assert!(matches!(read(200, vec![b' '; BODY_LIMIT + 1]), Err(Error::Response { .. })));
        let bom = b"\xef\xbb\xbf{\"token_type\":\"bearer\",\"access_token\":\"AT\"}";
        assert_eq!(read(200, bom).unwrap().access_token.expose(), "AT");
        let html = read(503, b"<html>busy</html>").unwrap_err();
        assert!(matches!(html, Error::Status { status: 503, .. }));
        assert_eq!(html.class(), Class::RetryLater);
    }

    #[test]
    fn au_25_a_redirect_is_an_error() {
        for status in [301, 302, 303, 307, 308] {
            assert!(matches!(read(status, b""), Err(Error::Redirected { .. })));
        }
    }

    #[test]
    fn au_28_lifetimes_are_normalised() {
        assert_eq!(life(r#","expires_in":3599"#), 3599);
        assert_eq!(life(r#","expires_in":"3600""#), 3600);
        assert_eq!(life(r#","expires_in":3.6e3"#), 3600);
        assert_eq!(life(r#","expires_in":"3.6e3""#), 3600);
        assert_eq!(life(r#","expires_in":-1"#), 0);
        assert_eq!(life(r#","expires_in":0"#), 0);
        assert_eq!(life(r#","expires_in":1e30"#), LONGEST_LIFE);
        assert_eq!(life(r#","expires_in":18446744073709551615"#), LONGEST_LIFE);
        assert_eq!(life(""), ASSUMED_LIFE);
        assert_eq!(life(r#","expires_in":null"#), ASSUMED_LIFE);
        assert_eq!(life(r#","expires_in":"soon""#), ASSUMED_LIFE);
        assert_eq!(life(r#","expires_in":"NaN""#), ASSUMED_LIFE);
    }

    #[test]
    fn au_22_other_token_types_are_refused() {
        for kind in [r#""DPoP""#, r#""mac""#, "7"] {
            let body = format!(r#"{{"token_type":{kind},"access_token":"AT"}}"#);
            assert!(matches!(read(200, body), Err(Error::TokenType { .. })), "{kind}");
        }
    }

    #[test]
    fn tokens_that_could_break_a_protocol_line_are_refused() {
        for token in ["a\\r\\nb", "a\\u0001b", "a b", "é", ""] {
            let body = format!(r#"{{"token_type":"Bearer","access_token":"{token}"}}"#);
            assert!(matches!(read(200, body), Err(Error::Response { .. })), "{token}");
        }
    }

    #[test]
    fn an_error_with_status_200_is_an_error() {
        let error =
            read(200, r#"{"error":"invalid_client","error_description":"AADSTS7000218: x"}"#).unwrap_err();
        assert_eq!(error.refusal().unwrap().codes, [7000218]);
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_date() {
        assert_eq!(seconds_until("120", NOW), Some(120));
        assert_eq!(seconds_until(" 0 ", NOW), Some(0));
        assert_eq!(seconds_until("99999999999999999999999", NOW), Some(u64::MAX));
        // 1790000000 is Mon, 21 Sep 2026 14:13:20 GMT
        assert_eq!(seconds_until("Mon, 21 Sep 2026 14:14:20 GMT", NOW), Some(60));
        assert_eq!(seconds_until("Mon, 21 Sep 2026 14:12:20 GMT", NOW), Some(0));
        assert_eq!(seconds_until("soon", NOW), None);
        assert_eq!(seconds_until("-5", NOW), None);
    }
}
