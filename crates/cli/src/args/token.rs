//! `postkey token`

use clap::{Args, Subcommand, ValueEnum};

use super::Which;

pub(super) const EXAMPLES: &str = "\
A token that is stored and still good is printed without asking anybody; else it is renewed once, however many programs
ask at the same time. Nobody is ever asked to sign in: that is a failure with exit code 24.

Examples:
  postkey token work
  postkey token work --for smtp                        passwordeval of msmtp, PassCmd of mbsync
  postkey token work --for smtp --sasl xoauth2         One line, ready for AUTH XOAUTH2
  postkey token inspect work                           What is in it, without the token itself";

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Token {
    #[command(subcommand)]
    pub(crate) command: Option<TokenCommand>,
    #[command(flatten)]
    pub(crate) which: Which,
    /// The protocol the token is for
    #[arg(long = "for", value_enum, default_value_t = Purpose::Imap, value_name = "PROTOCOL")]
    pub(crate) purpose: Purpose,
    /// Print the first response of this mechanism in base64, ready to be sent, instead of the token alone
    #[arg(long, value_enum, value_name = "MECHANISM")]
    pub(crate) sasl: Option<Sasl>,
}

/// The commands on tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Show what is in a token and what it means for mail; never the token itself
    #[command(after_help = INSPECT)]
    Inspect(Inspect),
}

const INSPECT: &str = "\
The signature is neither shown nor checked: only whom a token is for can do that. A token is never given as an argument,
because every process of this machine can read those.

Examples:
  postkey token inspect                      The stored token of the only account, or the default one
  postkey token inspect work
  postkey token inspect ~/token.txt          A file that holds a token, or the answer it came in (JSON)
  other-program | postkey token inspect -    From standard input";

#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// An account, a file, or - for standard input; not needed if there is one account only, or a default_account
    #[arg(value_name = "ACCOUNT|FILE|-")]
    pub(crate) what: Option<std::ffi::OsString>,
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

/// A mechanism that carries a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sasl {
    /// User and token: Microsoft, Google and most others
    #[value(name = "xoauth2")]
    XOAuth2,
    /// User, host, port and token (RFC 7628): Google, Yahoo, Fastmail, not Microsoft
    #[value(name = "oauthbearer")]
    OAuthBearer,
}
