//! Addresses and the paths they stand in.

use alloc::string::String;
use core::fmt::{self, Write as _};
use core::str::FromStr;

use super::domain::{check_domain, is_word};
use super::invalid::{Invalid, InvalidKind, check};
use crate::grammar;

/// Longest address, in octets: a path of 256 with its brackets (RFC 5321 section 4.5.3.1.3).
const ADDRESS: usize = 254;

/// `Mailbox` (RFC 5321 section 4.1.2, RFC 6531 section 3.3): local part, `@`, domain or address literal.
///
/// It holds no control character and neither `<` nor `>`, not even quoted, where the standard would allow them: a server that looks
/// for the next bracket would see another command (INJ-11). The local part is kept without its quotes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mailbox {
    local: String,
    domain: String,
}

impl Mailbox {
    /// An address of these parts; the local part is quoted when it is written, if it has to be.
    ///
    /// # Errors
    /// [`Invalid`] when a part holds what cannot be said, or both together are longer than 254 octets.
    pub fn new(local: impl Into<String>, domain: impl Into<String>) -> Result<Self, Invalid> {
        let (local, domain) = (local.into(), domain.into());
        check("local part", &local, ADDRESS, |c| {
            matches!(c, ' '..='~' if !matches!(c, '<' | '>')) || is_word(c)
        })?;
        check_domain("domain", &domain, true)?;
        let mailbox = Self { local, domain };
        let mut len = Length(0);
        let _ = write!(len, "{mailbox}");
        if len.0 > ADDRESS {
            return Err(Invalid::new("address", InvalidKind::TooLong { max: ADDRESS }));
        }
        Ok(mailbox)
    }

    /// The local part, without quotes.
    pub fn local_part(&self) -> &str {
        &self.local
    }

    /// The domain or address literal.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Whether it can be said without SMTPUTF8 (RFC 6531).
    pub fn is_ascii(&self) -> bool {
        self.local.is_ascii() && self.domain.is_ascii()
    }
}

/// Reads `ana@contoso.example` or `"ana b"@contoso.example`, without angle brackets.
impl FromStr for Mailbox {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        grammar::mailbox(text)
    }
}

/// As it goes on the wire.
impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        grammar::write_mailbox(self, f)
    }
}

struct Length(usize);

impl fmt::Write for Length {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        self.0 = self.0.saturating_add(s.len());
        Ok(())
    }
}

/// `Reverse-path`: who is told when a message cannot be delivered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ReversePath {
    /// `<>`: nobody (notifications themselves, RFC 5321 section 4.5.5).
    Null,
    /// This address.
    Mailbox(Mailbox),
}

impl ReversePath {
    /// The address, if there is one.
    pub fn mailbox(&self) -> Option<&Mailbox> {
        match self {
            Self::Null => None,
            Self::Mailbox(m) => Some(m),
        }
    }
}

impl From<Mailbox> for ReversePath {
    fn from(mailbox: Mailbox) -> Self {
        Self::Mailbox(mailbox)
    }
}

/// With its angle brackets.
impl fmt::Display for ReversePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("<>"),
            Self::Mailbox(m) => write!(f, "<{m}>"),
        }
    }
}

/// `Forward-path`: one recipient.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ForwardPath {
    /// `<Postmaster>` without a domain (RFC 5321 section 4.5.1).
    Postmaster,
    /// This address.
    Mailbox(Mailbox),
}

impl ForwardPath {
    /// The address; `None` for the postmaster of the host itself.
    pub fn mailbox(&self) -> Option<&Mailbox> {
        match self {
            Self::Postmaster => None,
            Self::Mailbox(m) => Some(m),
        }
    }
}

impl From<Mailbox> for ForwardPath {
    fn from(mailbox: Mailbox) -> Self {
        Self::Mailbox(mailbox)
    }
}

/// With its angle brackets.
impl fmt::Display for ForwardPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postmaster => f.write_str("<Postmaster>"),
            Self::Mailbox(m) => write!(f, "<{m}>"),
        }
    }
}
