//! The timestamp in the greeting that APOP begins with (RFC 1939 section 7).

use alloc::string::String;

use super::{Invalid, InvalidKind, Text, check};

/// A `msg-id` of RFC 822, angle brackets included: `<1896.697170952@dbc.mtview.ca.us>`.
///
/// Only printable ASCII with an `@` inside the brackets is one: attacks on APOP choose timestamps whose octets steer
/// MD5, and those look like nothing of the kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Timestamp(String);

impl Timestamp {
    /// Takes a timestamp with its angle brackets.
    ///
    /// # Errors
    /// [`Invalid`] when it is none.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        const WHAT: &str = "timestamp";
        let broken = |at| Err(Invalid::new(WHAT, InvalidKind::Octet { at }));
        check(WHAT, text.as_bytes(), 256, |o| o.is_ascii_graphic())?;
        let Some(inner) = text.strip_prefix('<') else { return broken(0) };
        let Some(inner) = inner.strip_suffix('>') else { return broken(text.len()) };
        match inner.split_once('@') {
            Some((left, right)) if !left.is_empty() && !right.is_empty() && !inner.contains(['<', '>']) => {
                Ok(Self(text.into()))
            }
            _ => broken(1),
        }
    }

    /// Finds the timestamp in the text of a greeting.
    pub fn find(greeting: &Text<'_>) -> Option<Self> {
        let text = greeting.as_bytes();
        let mut from = 0usize;
        while let Some(open) = memchr::memchr(b'<', text.get(from..)?) {
            let start = from.saturating_add(open);
            let end = start.saturating_add(memchr::memchr(b'>', text.get(start..)?)?);
            if let Ok(found) = core::str::from_utf8(text.get(start..=end)?)
                && let Ok(found) = Self::new(found)
            {
                return Some(found);
            }
            from = start.saturating_add(1);
        }
        None
    }

    /// The timestamp with its angle brackets, as it goes into the digest.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
