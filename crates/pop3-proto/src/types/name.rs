//! The name of a mailbox (RFC 1939 section 7, RFC 6856 section 2.2).

use alloc::string::String;
use core::fmt;

use super::{Invalid, InvalidKind, check};

/// Whose mailbox it is, for USER and APOP: no control characters, and no space at either end.
///
/// RFC 1939 knows only printable ASCII; servers take more, and RFC 6856 allows UTF-8. For APOP the name must not hold a
/// space, which [`Command::Apop`](super::Command::Apop) checks when it is written.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Name(String);

impl Name {
    /// Longest name that fits USER: what the command line has (RFC 2449 section 4) less the command and CRLF, in octets.
    pub const MAX: usize = 248;

    /// Takes a name.
    ///
    /// # Errors
    /// [`Invalid`] when it is empty, too long, holds a control character or begins or ends with a space.
    pub fn new(name: impl Into<String>) -> Result<Self, Invalid> {
        const WHAT: &str = "user name";
        let name = name.into();
        check(WHAT, name.as_bytes(), Self::MAX, |o| !o.is_ascii_control())?;
        if name.starts_with(' ') {
            return Err(Invalid::new(WHAT, InvalidKind::Octet { at: 0 }));
        }
        if name.ends_with(' ') {
            return Err(Invalid::new(WHAT, InvalidKind::Octet { at: name.len().saturating_sub(1) }));
        }
        Ok(Self(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for Name {
    type Error = Invalid;

    fn try_from(name: &str) -> Result<Self, Invalid> {
        Self::new(name)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
