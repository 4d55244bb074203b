//! An OAuth error answer (RFC 6749 §5.2, §4.1.2.1; RFC 8628 §3.5), with what Entra adds to it.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wire::Secret;

use super::{Class, Code, text};

/// A server's refusal, cleaned of secrets and control characters.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Refusal {
    /// The OAuth code: `invalid_grant`, `authorization_pending`, …
    pub error: String,
    /// First sentence of `error_description`; empty if there was none.
    pub description: String,
    /// AADSTS numbers, the main one first; empty for other providers and most personal accounts.
    pub codes: Vec<u32>,
    /// HTTP status; 0 if the refusal came by the browser.
    pub status: u16,
    /// The server's name for this request, to be given to its support.
    pub trace_id: Option<String>,
    /// The server's name for the whole exchange, to be given to an administrator.
    pub correlation_id: Option<String>,
    /// Finer cause (`bad_token`, `basic_action`, …).
    pub suberror: Option<String>,
    /// A claims challenge: JSON to be repeated as parameter `claims` of a new interactive sign-in.
    pub claims: Option<String>,
    /// How long the server asks to wait, in seconds, before any cap.
    pub retry_after: Option<u64>,
}

impl Refusal {
    /// Reads the members of an error object or the parameters of an error redirect.
    pub(crate) fn from_members(
        members: &Map<String, Value>,
        status: u16,
        retry_after: Option<u64>,
        secrets: &[Secret],
    ) -> Self {
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        let shown = |value: &str| text::plain(&text::redact(value, secrets));
        let description = text("error_description").unwrap_or_default();
        let mut codes: Vec<u32> = match members.get("error_codes") {
            Some(Value::Array(list)) => list.iter().filter_map(number).take(8).collect(),
            _ => Vec::new(),
        };
        if codes.is_empty() {
            codes.extend(number_in(description));
        }
        Self {
            error: text("error")
                .map(shown)
                .filter(|code| !code.is_empty())
                .unwrap_or_else(|| "unknown_error".into()),
            description: text::first_sentence(description, secrets),
            codes,
            status,
            trace_id: text("trace_id").or_else(|| text::labelled(description, "Trace ID:")).map(shown),
            correlation_id: text("correlation_id")
                .or_else(|| text::labelled(description, "Correlation ID:"))
                .map(shown),
            suberror: text("suberror").or_else(|| text("error_subcode")).map(shown),
            // Cutting would break the JSON, and a challenge is to be sent back as it came: leave out what is
            // too long.
            claims: text("claims")
                .filter(|claims| claims.len() <= 4096 && text::redact(claims, secrets) == **claims)
                .map(str::to_owned),
            retry_after,
        }
    }

    /// The first code of the answer that is in the table of known codes.
    pub fn known(&self) -> Option<Code> {
        self.codes.iter().find_map(|number| Code::find(*number))
    }

    /// The reaction it calls for: by AADSTS code, then by `suberror`, by OAuth code and by HTTP status.
    pub fn class(&self) -> Class {
        if let Some(code) = self.known() {
            return code.class;
        }
        match self.suberror.as_deref() {
            Some(
                "basic_action"
                | "additional_action"
                | "consent_required"
                | "user_password_expired"
                | "bad_token"
                | "token_expired",
            ) => return Class::SignInAgain,
            Some("message_only" | "protection_policy_required" | "device_authentication_failed") => {
                return Class::AdminAction;
            }
            Some("client_mismatch") => return Class::ConfigError,
            _ => {}
        }
        match self.error.as_str() {
            "authorization_pending" | "slow_down" => Class::Pending,
            "temporarily_unavailable" | "server_error" => Class::RetryLater,
            "invalid_grant"
            | "interaction_required"
            | "login_required"
            | "consent_required"
            | "access_denied"
            | "authorization_declined"
            | "expired_token"
            | "bad_verification_code" => Class::SignInAgain,
            _ if self.status == 429 || self.status >= 500 => Class::RetryLater,
            _ => Class::ConfigError,
        }
    }

    /// Whether the person, and not a policy, said no (either spelling).
    pub fn is_declined(&self) -> bool {
        matches!(self.error.as_str(), "access_denied" | "authorization_declined")
            || self.codes.contains(&65004)
    }

    /// What to do about it.
    pub fn advice(&self) -> &'static str {
        self.known().map_or_else(|| self.class().advice(), |code| code.advice)
    }

    /// The server's wish to wait, at most `cap`.
    pub fn wait(&self, cap: Duration) -> Option<Duration> {
        self.retry_after.map(|seconds| Duration::from_secs(seconds).min(cap))
    }
}

/// `AADSTS50011` or a number, as one number.
fn number(value: &Value) -> Option<u32> {
    match value {
        Value::Number(number) => u32::try_from(number.as_u64()?).ok(),
        Value::String(digits) => digits.parse().ok(),
        _ => None,
    }
}

/// The digits behind the first "AADSTS" of a description.
fn number_in(description: &str) -> Option<u32> {
    let rest = description.split_once("AADSTS")?.1;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest.get(..end)?.parse().ok()
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the sign-in service refused with {}", self.error)?;
        if let Some(code) = self.known() {
            write!(f, " (AADSTS{}): {}.", code.number, code.meaning)?;
        } else if self.description.is_empty() {
            f.write_str(".")?;
        } else {
            write!(f, ": {}", self.description)?;
        }
        write!(f, " {}", self.advice())?;
        if let Some(seconds) = self.retry_after {
            write!(f, " The service asks to wait {seconds} s.")?;
        }
        if let Some(id) = &self.trace_id {
            write!(f, " Trace ID: {id}.")?;
        }
        if let Some(id) = &self.correlation_id {
            write!(f, " Correlation ID: {id}.")?;
        }
        Ok(())
    }
}
