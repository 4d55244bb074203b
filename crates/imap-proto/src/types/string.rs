//! `astring`, `string` and `nstring` (RFC 3501 section 4.3): the octets that are meant, not their spelling.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::types::invalid::{Invalid, check};

/// Prints octets as text with escapes, so that Debug output is readable and carries no control characters.
pub(crate) struct Escaped<'a>(pub(crate) &'a [u8]);

impl fmt::Debug for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

/// The octets of an `astring` or `string`: any octet but NUL, in any charset.
///
/// Whether they travel as an atom, quoted or as a literal is decided when they are written.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct AString<'a>(Cow<'a, [u8]>);

impl<'a> AString<'a> {
    /// Builds the value from its octets.
    ///
    /// # Errors
    /// [`Invalid`] when there is a NUL: `CHAR8 = %x01-ff`.
    pub fn new(octets: impl Into<Cow<'a, [u8]>>) -> Result<Self, Invalid> {
        let octets = octets.into();
        check("string", &octets, |o| o != 0)?;
        Ok(Self(octets))
    }

    pub(crate) fn from_checked(octets: Cow<'a, [u8]>) -> Self {
        Self(octets)
    }

    /// The octets.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The octets as text when they are UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        core::str::from_utf8(&self.0).ok()
    }

    /// The octets as text; what is not UTF-8 becomes U+FFFD.
    pub fn to_str_lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }

    /// Whether there are no octets.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Compares without regard to ASCII case, as MIME types and parameter names are compared.
    pub fn is(&self, other: &str) -> bool {
        self.0.eq_ignore_ascii_case(other.as_bytes())
    }

    /// The octets, borrowed from where this value borrowed them if it did.
    pub fn into_bytes(self) -> Cow<'a, [u8]> {
        self.0
    }

    /// A copy that borrows nothing.
    pub fn into_owned(self) -> AString<'static> {
        AString(Cow::Owned(self.0.into_owned()))
    }
}

impl fmt::Debug for AString<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Escaped(&self.0).fmt(f)
    }
}

impl<'a> TryFrom<&'a str> for AString<'a> {
    type Error = Invalid;
    fn try_from(value: &'a str) -> Result<Self, Invalid> {
        Self::new(value.as_bytes())
    }
}

impl TryFrom<String> for AString<'static> {
    type Error = Invalid;
    fn try_from(value: String) -> Result<Self, Invalid> {
        Self::new(value.into_bytes())
    }
}

/// `nstring = string / nil`: octets, or explicitly nothing. `NIL` and `""` are different values.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct NString<'a>(Option<Cow<'a, [u8]>>);

impl<'a> NString<'a> {
    /// `NIL`.
    pub const NIL: NString<'static> = NString(None);

    /// A string of these octets.
    ///
    /// # Errors
    /// [`Invalid`] when there is a NUL.
    pub fn new(octets: impl Into<Cow<'a, [u8]>>) -> Result<Self, Invalid> {
        AString::new(octets).map(Self::from)
    }

    pub(crate) fn from_checked(octets: Option<Cow<'a, [u8]>>) -> Self {
        Self(octets)
    }

    /// Whether it is `NIL`.
    pub fn is_nil(&self) -> bool {
        self.0.is_none()
    }

    /// The octets; `None` for `NIL`.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        self.0.as_deref()
    }

    /// The octets as text when there are any and they are UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        self.as_bytes().and_then(|o| core::str::from_utf8(o).ok())
    }

    /// The octets as text; what is not UTF-8 becomes U+FFFD. `None` for `NIL`.
    pub fn to_str_lossy(&self) -> Option<Cow<'_, str>> {
        self.as_bytes().map(String::from_utf8_lossy)
    }

    /// Whether it is this text, without regard to ASCII case.
    pub fn is(&self, other: &str) -> bool {
        self.as_bytes().is_some_and(|o| o.eq_ignore_ascii_case(other.as_bytes()))
    }

    /// The octets, borrowed from where this value borrowed them if it did.
    pub fn into_bytes(self) -> Option<Cow<'a, [u8]>> {
        self.0
    }

    /// A copy that borrows nothing.
    pub fn into_owned(self) -> NString<'static> {
        NString(self.0.map(|o| Cow::Owned(o.into_owned())))
    }
}

impl fmt::Debug for NString<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => f.write_str("NIL"),
            Some(octets) => Escaped(octets).fmt(f),
        }
    }
}

impl<'a> From<AString<'a>> for NString<'a> {
    fn from(value: AString<'a>) -> Self {
        Self(Some(value.0))
    }
}

/// `text = 1*TEXT-CHAR`: the human-readable end of a line; may be empty because servers leave it out.
///
/// Never holds CR, LF or NUL. Any other octet is possible.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Text<'a>(Cow<'a, [u8]>);

impl<'a> Text<'a> {
    /// Builds the value.
    ///
    /// # Errors
    /// [`Invalid`] when there is a CR, LF or NUL.
    pub fn new(octets: impl Into<Cow<'a, [u8]>>) -> Result<Self, Invalid> {
        let octets = octets.into();
        check("text", &octets, |o| !matches!(o, 0 | b'\r' | b'\n'))?;
        Ok(Self(octets))
    }

    /// What came from the peer: a bare CR or NUL is shown as `?` so that nothing acts on it (FR-15, FR-16).
    pub(crate) fn from_peer(octets: &'a [u8]) -> Self {
        if octets.iter().any(|o| matches!(o, 0 | b'\r' | b'\n')) {
            let clean = |&o: &u8| if matches!(o, 0 | b'\r' | b'\n') { b'?' } else { o };
            return Self(Cow::Owned(octets.iter().map(clean).collect::<Vec<u8>>()));
        }
        Self(Cow::Borrowed(octets))
    }

    /// The octets.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text; what is not UTF-8 becomes U+FFFD.
    pub fn to_str_lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }

    /// Whether the server sent no text.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A copy that borrows nothing.
    pub fn into_owned(self) -> Text<'static> {
        Text(Cow::Owned(self.0.into_owned()))
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Escaped(&self.0).fmt(f)
    }
}

impl<'a> TryFrom<&'a str> for Text<'a> {
    type Error = Invalid;
    fn try_from(value: &'a str) -> Result<Self, Invalid> {
        Self::new(value.as_bytes())
    }
}
