//! `postkey token`

use clap::{Args, ValueEnum};

use super::Which;

#[derive(Debug, Args)]
pub(crate) struct Token {
    #[command(flatten)]
    pub(crate) which: Which,
    /// The protocol the token is for
    #[arg(long = "for", value_enum, default_value_t = Purpose::Imap, value_name = "PROTOCOL")]
    pub(crate) purpose: Purpose,
}

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Purpose {
    /// Reading by IMAP
    Imap,
    /// Reading by POP3
    Pop3,
    /// Sending by SMTP
    Smtp,
}

impl Purpose {
    /// The protocol.
    pub(crate) fn protocol(self) -> auth::Protocol {
        match self {
            Self::Imap => auth::Protocol::Imap,
            Self::Pop3 => auth::Protocol::Pop3,
            Self::Smtp => auth::Protocol::Smtp,
        }
    }
}
