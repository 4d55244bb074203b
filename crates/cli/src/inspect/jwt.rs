//! The readable parts of a JWT (RFC 7519 §3). The signature stays out of this type, so that nothing can print it.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde_json::{Map, Value};

/// What kind of text a token is.
#[derive(Debug)]
pub(crate) enum Form {
    /// A signed JWT, whose claims anybody can read.
    Jwt(Jwt),
    /// An encrypted JWT (RFC 7516): only whom it is for can read it.
    Encrypted,
    /// Anything else, with who makes such tokens if that can be told.
    Opaque(Option<&'static str>),
}

/// Header and claims of a signed JWT.
#[derive(Debug)]
pub(crate) struct Jwt {
    /// The header, as it was written.
    pub(crate) header: Map<String, Value>,
    /// The claims, as they were written.
    pub(crate) claims: Map<String, Value>,
}

/// How opaque tokens begin, and what they are.
const OPAQUE: &[(&str, &str)] = &[
    ("EwA", "an access token of a personal Microsoft account; only Microsoft's servers can read those"),
    ("EwB", "an access token of a personal Microsoft account; only Microsoft's servers can read those"),
    ("ya29.", "an access token of Google; only Google's servers can read those"),
    (
        "0.A",
        "a Microsoft refresh token, and not an access token: mail servers do not take it, and it is worth more; keep it safe",
    ),
    (
        "1.A",
        "a Microsoft refresh token, and not an access token: mail servers do not take it, and it is worth more; keep it safe",
    ),
    (
        "M.",
        "a refresh token of a personal Microsoft account, and not an access token: mail servers do not take it; keep it safe",
    ),
    (
        "1//",
        "a Google refresh token, and not an access token: mail servers do not take it, and it is worth more; keep it safe",
    ),
];

impl Form {
    /// Looks at a token. Whatever cannot be read is opaque, which is nothing unusual.
    pub(crate) fn of(token: &str) -> Self {
        let parts: Vec<&str> = token.split('.').take(6).collect();
        let object = |part: &str| -> Option<Map<String, Value>> {
            let octets = Base64UrlUnpadded::decode_vec(part.trim_end_matches('=')).ok()?;
            serde_json::from_slice(&octets).ok()
        };
        match parts.as_slice() {
            [header, claims, _signature] => {
                if let (Some(header), Some(claims)) = (object(header), object(claims)) {
                    return Self::Jwt(Jwt { header, claims });
                }
            }
            [header, _, _, _, _] if object(header).is_some_and(|header| header.contains_key("enc")) => {
                return Self::Encrypted;
            }
            _ => {}
        }
        Self::Opaque(OPAQUE.iter().find(|(begin, _)| token.starts_with(begin)).map(|(_, what)| *what))
    }
}

impl Jwt {
    /// A claim that is a text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// A claim that is a moment, in seconds since 1970; fractions are cut off (RFC 7519 §2, NumericDate).
    pub(crate) fn seconds(&self, name: &str) -> Option<u64> {
        seconds(self.claims.get(name)?)
    }

    /// A claim that is a list of texts, or one text of several words.
    pub(crate) fn words(&self, name: &str) -> Vec<&str> {
        match self.claims.get(name) {
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(list)) => list.split_ascii_whitespace().collect(),
            _ => Vec::new(),
        }
    }
}

/// A moment, however the number is written.
pub(super) fn seconds(value: &Value) -> Option<u64> {
    let fraction =
        || value.as_f64().filter(|seconds| (0.0..1e15).contains(seconds)).map(|seconds| seconds as u64);
    value.as_u64().or_else(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7519 §3.1.
    const RFC: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly\
        9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    #[test]
    fn the_example_of_the_rfc() {
        let Form::Jwt(jwt) = Form::of(RFC) else { panic!("a JWT") };
        assert_eq!((jwt.text("iss"), jwt.seconds("exp")), (Some("joe"), Some(1_300_819_380)));
        assert_eq!(jwt.header.get("alg"), Some(&Value::from("HS256")));
        assert!(!format!("{jwt:?}").contains("dBjftJeZ4CVP"), "the signature is kept nowhere");
    }

    #[test]
    fn what_cannot_be_read_is_opaque() {
        for token in ["", "...", "a.b.c", "e30.e30", "e30.W10.c2ln", "e30.e30.c2ln.x", "EwBAAl3BAAUF+/=="] {
            assert!(matches!(Form::of(token), Form::Opaque(_)), "{token}");
        }
        assert!(matches!(Form::of("e30.e30."), Form::Jwt(_)), "unsigned (RFC 7519 §6.1)");
        assert!(matches!(Form::of("eyJlbmMiOiJBMTI4R0NNIn0.a.b.c.d"), Form::Encrypted));
        assert!(matches!(Form::of("EwBAAl3BAAUF"), Form::Opaque(Some(_))));
    }

    #[test]
    fn moments_may_have_fractions() {
        assert_eq!(seconds(&serde_json::json!(1.9)), Some(1));
        for other in [serde_json::json!(-1), serde_json::json!("1"), serde_json::json!(1e300)] {
            assert_eq!(seconds(&other), None);
        }
    }
}
