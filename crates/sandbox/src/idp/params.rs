//! Request parameters: query string and form body.

use axum::http::{HeaderMap, header};
use base64ct::{Base64, Encoding};
use url::form_urlencoded;

/// Parameters by name; the body's stand before the query string's.
#[derive(Clone, Default)]
pub(crate) struct Params {
    pairs: Vec<(String, String)>,
    /// Whether a name stands twice in one place (RFC 6749 section 3.2 forbids it).
    pub(crate) repeated: bool,
}

impl Params {
    /// Reads a query string and a form body.
    pub(crate) fn new(query: Option<&str>, body: &[u8]) -> Self {
        let mut params = Self::default();
        for source in [body, query.unwrap_or_default().as_bytes()] {
            let start = params.pairs.len();
            for (name, value) in form_urlencoded::parse(source) {
                let here = params.pairs.get(start..).unwrap_or_default();
                params.repeated |= here.iter().any(|(n, _)| *n == name);
                params.pairs.push((name.into_owned(), value.into_owned()));
            }
        }
        params
    }

    /// The value of `name`, if there is one that is not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(n, v)| n == name && !v.is_empty()).map(|(_, v)| v.as_str())
    }
}

/// User name and password of HTTP Basic authentication, percent-decoded as RFC 6749 section 2.3.1 wants.
///
/// The second password is the one without decoding: not every client encodes.
pub(crate) fn basic(headers: &HeaderMap) -> Option<(String, String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(Base64::decode_vec(credentials.trim()).ok()?).ok()?;
    let (name, password) = text.split_once(':')?;
    Some((decode(name), decode(password), password.to_owned()))
}

fn decode(text: &str) -> String {
    let pair = format!("x={}", text.replace('&', "%26"));
    form_urlencoded::parse(pair.as_bytes()).next().map(|(_, v)| v.into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_before_query_and_repetition() {
        let p = Params::new(Some("a=query&b=2"), b"a=body&c=x%2By+z&d=");
        assert_eq!(
            (p.get("a"), p.get("b"), p.get("c"), p.get("d")),
            (Some("body"), Some("2"), Some("x+y z"), None)
        );
        assert!(!p.repeated);
        assert!(Params::new(None, b"a=1&a=2").repeated);
    }

    #[test]
    fn basic_credentials_are_form_encoded() {
        let mut headers = HeaderMap::new();
        let value = format!("Basic {}", Base64::encode_string(b"id:a%2Bb%3A~c"));
        headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        assert_eq!(basic(&headers), Some(("id".into(), "a+b:~c".into(), "a%2Bb%3A~c".into())));
        headers.insert(header::AUTHORIZATION, "Basic !!!".parse().unwrap());
        assert_eq!(basic(&headers), None);
    }
}
