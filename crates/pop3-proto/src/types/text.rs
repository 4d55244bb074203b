//! Free text on one line (RFC 2449 section 8).

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::{Invalid, InvalidKind};

/// Text for a person, on one line: any octets but CR, LF and NUL, possibly none. Usually ASCII; UTF-8 after the UTF8 command
/// (RFC 6856), and other octets come too.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Text<'a>(Cow<'a, [u8]>);

impl<'a> Text<'a> {
    /// Takes octets.
    ///
    /// # Errors
    /// [`InvalidKind::Octet`] for CR, LF or NUL.
    pub fn new(octets: impl Into<Cow<'a, [u8]>>) -> Result<Self, Invalid> {
        let octets = octets.into();
        match octets.iter().position(|o| matches!(o, b'\r' | b'\n' | 0)) {
            Some(at) => Err(Invalid::new("text", InvalidKind::Octet { at })),
            None => Ok(Self(octets)),
        }
    }

    /// The octets.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text with what is not UTF-8 replaced. It may hold control characters; see [`wire::printable`].
    pub fn to_string_lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }

    /// The same, borrowing nothing.
    pub fn into_owned(self) -> Text<'static> {
        Text(Cow::Owned(self.0.into_owned()))
    }
}

impl<'a> TryFrom<&'a str> for Text<'a> {
    type Error = Invalid;

    fn try_from(text: &'a str) -> Result<Self, Invalid> {
        Self::new(text.as_bytes())
    }
}

impl TryFrom<String> for Text<'_> {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::new(Vec::from(text))
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

/// Control characters and invalid UTF-8 are escaped.
impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&wire::printable(&self.0))
    }
}
