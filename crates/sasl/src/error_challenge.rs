//! The reason a server gives when it refuses a bearer token.

use alloc::string::String;
use core::fmt::{self, Write as _};

use wire::{REDACTED, Redactor};

use crate::{Error, json};

/// Largest JSON text accepted, in octets.
const SIZE: usize = 64 * 1024;

/// The error result of OAUTHBEARER (RFC 7628 section 3.2.2), which XOAUTH2 servers send in the same form.
///
/// Exchange Online sends none. The texts are the server's own: unverified, possibly long, possibly with
/// control characters. `Display` escapes and shortens them; the fields are as they came, except that the
/// token and the message that carried it are replaced by `[redacted]` if the server echoed them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorChallenge {
    /// The error: `invalid_token`, or `400` or `401` from Gmail and Dovecot's XOAUTH2. Empty when the server
    /// left it out.
    pub status: String,
    /// Authorization schemes the server takes, separated by spaces: `Bearer` (XOAUTH2).
    pub schemes: Option<String>,
    /// The scope a token needs for this service.
    pub scope: Option<String>,
    /// URL of the provider's OpenID configuration. Do not fetch it unasked: it comes from a peer.
    pub openid_configuration: Option<String>,
}

impl ErrorChallenge {
    /// A challenge with a status and nothing else; set the other fields as needed.
    pub fn new(status: impl Into<String>) -> Self {
        Self { status: status.into(), ..Self::default() }
    }

    /// Reads the JSON of a decoded challenge. Unknown members are skipped, of repeated ones the last
    /// counts, and a status given as a number is taken as text.
    ///
    /// # Errors
    ///
    /// [`Error::MessageTooLarge`] over 64 KiB; [`Error::MalformedErrorChallenge`] when it is not one JSON
    /// object in UTF-8 nested at most 32 deep.
    pub fn from_json(text: &[u8]) -> Result<Self, Error> {
        if text.len() > SIZE {
            return Err(Error::MessageTooLarge { limit: SIZE });
        }
        let mut parsed = Self::default();
        json::object(text, |name, value| match name {
            "status" => parsed.status = value.unwrap_or_default(),
            "schemes" => parsed.schemes = value,
            "scope" => parsed.scope = value,
            "openid-configuration" => parsed.openid_configuration = value,
            _ => {}
        })
        .map_err(|json::Stopped(offset)| Error::MalformedErrorChallenge { offset })?;
        Ok(parsed)
    }

    /// The JSON a server sends, before base64. The order of the members is Dovecot's.
    pub fn to_json(&self) -> String {
        let mut out = String::from("{\"status\":");
        json::write_string(&mut out, &self.status);
        for (name, value) in [
            (",\"schemes\":", &self.schemes),
            (",\"scope\":", &self.scope),
            (",\"openid-configuration\":", &self.openid_configuration),
        ] {
            if let Some(value) = value {
                out.push_str(name);
                json::write_string(&mut out, value);
            }
        }
        out.push('}');
        out
    }

    /// Takes out what `redactor` knows: also pieces of the token, which a server may have cut.
    pub(crate) fn scrub(&mut self, redactor: &Redactor) {
        let texts = [
            Some(&mut self.status),
            self.schemes.as_mut(),
            self.scope.as_mut(),
            self.openid_configuration.as_mut(),
        ];
        for text in texts.into_iter().flatten() {
            if let Some(clean) = redactor.scrub(text.as_bytes()) {
                *text = String::from_utf8_lossy(&clean).into_owned();
            }
        }
    }

    /// Replaces every occurrence of a secret.
    pub(crate) fn redact(&mut self, secret: &str) {
        if secret.is_empty() {
            return;
        }
        let texts = [
            Some(&mut self.status),
            self.schemes.as_mut(),
            self.scope.as_mut(),
            self.openid_configuration.as_mut(),
        ];
        for text in texts.into_iter().flatten() {
            if text.contains(secret) {
                *text = text.replace(secret, REDACTED);
            }
        }
    }
}

/// One line for a person: `status 400, scope "https://mail.google.com/"`.
impl fmt::Display for ErrorChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.status.is_empty() {
            f.write_str("no status")?;
        } else {
            f.write_str("status ")?;
            printable(f, &self.status)?;
        }
        for (name, value) in [
            ("schemes", &self.schemes),
            ("scope", &self.scope),
            ("OpenID configuration", &self.openid_configuration),
        ] {
            if let Some(value) = value {
                write!(f, ", {name} \"")?;
                printable(f, value)?;
                f.write_char('"')?;
            }
        }
        Ok(())
    }
}

/// Writes text of a peer so that it can neither steer a terminal nor flood a log: everything but printable
/// ASCII is escaped, and what goes beyond 200 characters is left out.
fn printable(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    const LONGEST: usize = 200;
    for c in text.chars().take(LONGEST) {
        write!(f, "{}", c.escape_default())?;
    }
    if text.chars().nth(LONGEST).is_some() {
        f.write_str("...")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::ToString};

    use proptest::prelude::*;

    use super::*;

    fn some(text: &str) -> Option<String> {
        Some(text.into())
    }

    /// Gmail's refusal, as in SA-02.
    #[test]
    fn gmail() {
        let text = br#"{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}"#;
        let challenge = ErrorChallenge::from_json(text).unwrap();
        assert_eq!(
            challenge,
            ErrorChallenge {
                status: "400".into(),
                schemes: some("Bearer"),
                scope: some("https://mail.google.com/"),
                openid_configuration: None,
            }
        );
        assert_eq!(challenge.to_json().as_bytes(), text);
    }

    #[test]
    fn dovecot() {
        let text = br#"{"status":"401","schemes":"bearer","scope":"mail","openid-configuration":"https:\/\/idp.example\/x"}"#;
        let challenge = ErrorChallenge::from_json(text).unwrap();
        assert_eq!(challenge.openid_configuration.as_deref(), Some("https://idp.example/x"));
        assert_eq!(
            challenge.to_string(),
            r#"status 401, schemes "bearer", scope "mail", OpenID configuration "https://idp.example/x""#
        );
    }

    #[test]
    fn unusual_but_read() {
        let read = |text: &str| ErrorChallenge::from_json(text.as_bytes()).unwrap();
        assert_eq!(read("{}"), ErrorChallenge::default());
        assert_eq!(read("{}").to_string(), "no status");
        assert_eq!(read(r#"{"status":401,"scope":null,"x":{"status":"no"}}"#), ErrorChallenge::new("401"));
        assert_eq!(read(r#"{"status":"a","status":"b"}"#), ErrorChallenge::new("b"));
    }

    #[test]
    fn refused() {
        for text in ["", "x", "\"400\"", "[]", "{\"status\":\"400\"", "{\"status\":\"400\"}{}"] {
            assert!(
                matches!(
                    ErrorChallenge::from_json(text.as_bytes()),
                    Err(Error::MalformedErrorChallenge { .. })
                ),
                "{text:?}"
            );
        }
        let large = format!("{{\"status\":\"{}\"}}", "x".repeat(SIZE));
        assert_eq!(ErrorChallenge::from_json(large.as_bytes()), Err(Error::MessageTooLarge { limit: SIZE }));
    }

    /// INJ-20: what a server writes cannot steer a terminal.
    #[test]
    fn display_is_one_short_line_of_ascii() {
        let mut challenge = ErrorChallenge::new("\u{1b}]0;x\u{7}\r\n\u{202e}");
        challenge.scope = Some("s".repeat(100_000));
        let text = challenge.to_string();
        assert!(text.bytes().all(|o| (0x20..0x7f).contains(&o)), "{text}");
        assert!(text.len() < 400);
    }

    proptest! {
        #[test]
        fn from_json_reverses_to_json(status: String, schemes: Option<String>, scope: Option<String>, openid_configuration: Option<String>) {
            let challenge = ErrorChallenge { status, schemes, scope, openid_configuration };
            prop_assert_eq!(ErrorChallenge::from_json(challenge.to_json().as_bytes()), Ok(challenge));
        }
    }
}
