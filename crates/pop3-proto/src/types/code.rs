//! Response codes (RFC 2449 section 8, RFC 3206, RFC 6856).

use alloc::string::String;

use super::{Invalid, InvalidKind, check};

/// Why a command was refused, in a word for programs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// `IN-USE`: another session holds the mailbox (RFC 2449 section 8.1.2).
    InUse,
    /// `LOGIN-DELAY`: signed in again too soon (RFC 2449 section 8.1.1).
    LoginDelay,
    /// `SYS/TEMP`: the server's fault, and it will pass (RFC 3206).
    SysTemp,
    /// `SYS/PERM`: the server's fault, and somebody must mend it (RFC 3206).
    SysPerm,
    /// `AUTH`: it is the credentials (RFC 3206).
    Auth,
    /// `UTF8`: the message cannot be had without the UTF8 command (RFC 6856 section 2.1).
    Utf8,
    /// Any other.
    Other(OtherCode),
}

/// A response code that has no variant of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OtherCode(String);

impl OtherCode {
    /// The code without its brackets, levels separated by `/`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Code {
    /// Takes a code without its brackets. Case means nothing; codes without a variant of their own keep theirs.
    ///
    /// # Errors
    /// [`Invalid`] when it is empty, holds a space, a bracket that closes or a level without octets.
    pub fn new(code: &str) -> Result<Self, Invalid> {
        let known = [Self::InUse, Self::LoginDelay, Self::SysTemp, Self::SysPerm, Self::Auth, Self::Utf8];
        if let Some(known) = known.into_iter().find(|k| k.as_str().eq_ignore_ascii_case(code)) {
            return Ok(known);
        }
        const WHAT: &str = "response code";
        check(WHAT, code.as_bytes(), 64, |o| o.is_ascii_graphic() && o != b']')?;
        if code.split('/').any(str::is_empty) {
            return Err(Invalid::new(WHAT, InvalidKind::Empty));
        }
        Ok(Self::Other(OtherCode(code.into())))
    }

    /// The code without its brackets.
    pub fn as_str(&self) -> &str {
        match self {
            Self::InUse => "IN-USE",
            Self::LoginDelay => "LOGIN-DELAY",
            Self::SysTemp => "SYS/TEMP",
            Self::SysPerm => "SYS/PERM",
            Self::Auth => "AUTH",
            Self::Utf8 => "UTF8",
            Self::Other(code) => code.as_str(),
        }
    }

    /// Whether trying again later can help.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::InUse | Self::LoginDelay | Self::SysTemp)
    }
}
