//! Commands.

use alloc::string::{String, ToString as _};
use core::fmt;

use wire::SecretBytes;

use super::domain::EhloName;
use super::invalid::{Invalid, InvalidKind, check};
use super::mailbox::{ForwardPath, ReversePath};
use super::params::{MailParams, RcptParams};

/// `sasl-mech` (RFC 4422 section 3.1), in capitals: 1 to 20 letters, digits, hyphens and underscores.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mechanism(String);

impl Mechanism {
    /// A mechanism name.
    ///
    /// # Errors
    /// [`Invalid`] for anything else.
    pub fn new(name: &str) -> Result<Self, Invalid> {
        check("mechanism name", name, 20, |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))?;
        Ok(Self(name.to_ascii_uppercase()))
    }

    /// In capitals.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `String` behind VRFY, EXPN, NOOP and HELP: 1 to 400 octets of text on one line, without leading or trailing space.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Argument(String);

impl Argument {
    /// An argument.
    ///
    /// # Errors
    /// [`Invalid`] when it is empty or longer than 400 octets, or holds a control character.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        check("argument", text, 400, |c| !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}'))?;
        if text.starts_with(' ') || text.ends_with(' ') {
            return Err(Invalid::new("argument", InvalidKind::Syntax));
        }
        Ok(Self(text.to_string()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A command (RFC 5321 section 4.1.1 and extensions).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command {
    /// `EHLO`
    Ehlo(EhloName),
    /// `HELO`
    Helo(EhloName),
    /// `LHLO` (RFC 2033)
    Lhlo(EhloName),
    /// `STARTTLS` (RFC 3207)
    StartTls,
    /// `AUTH` (RFC 4954)
    Auth {
        /// The SASL mechanism.
        mechanism: Mechanism,
        /// The initial response, base64 or `=`.
        initial: Option<SecretBytes>,
    },
    /// `MAIL`
    Mail {
        /// The sender.
        from: ReversePath,
        /// Its parameters.
        params: MailParams,
    },
    /// `RCPT`
    Rcpt {
        /// The recipient.
        to: ForwardPath,
        /// Its parameters.
        params: RcptParams,
    },
    /// `DATA`
    Data,
    /// `BDAT` (RFC 3030)
    Bdat {
        /// Octets that follow the line.
        len: u64,
        /// Whether the message ends with them.
        last: bool,
    },
    /// `RSET`
    Rset,
    /// `NOOP`
    Noop(Option<Argument>),
    /// `VRFY`
    Vrfy(Argument),
    /// `EXPN`
    Expn(Argument),
    /// `HELP`
    Help(Option<Argument>),
    /// `QUIT`
    Quit,
}

impl Command {
    /// Its verb.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Ehlo(_) => "EHLO",
            Self::Helo(_) => "HELO",
            Self::Lhlo(_) => "LHLO",
            Self::StartTls => "STARTTLS",
            Self::Auth { .. } => "AUTH",
            Self::Mail { .. } => "MAIL",
            Self::Rcpt { .. } => "RCPT",
            Self::Data => "DATA",
            Self::Bdat { .. } => "BDAT",
            Self::Rset => "RSET",
            Self::Noop(_) => "NOOP",
            Self::Vrfy(_) => "VRFY",
            Self::Expn(_) => "EXPN",
            Self::Help(_) => "HELP",
            Self::Quit => "QUIT",
        }
    }
}
