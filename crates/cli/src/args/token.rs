//! `postkey token`

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::Which;

pub(super) const EXAMPLES: &str = "\
A token that is stored and still good is printed without asking anybody; else it is renewed once, however many programs \
ask at the same time. Nobody is ever asked to sign in: that is a failure with exit code 24.

Examples:
  postkey token work
  postkey token work --for smtp                        passwordeval of msmtp, PassCmd of mbsync
  postkey token work --for smtp --sasl xoauth2         One line, ready for AUTH XOAUTH2
  postkey token work --scope https://graph.microsoft.com/.default   For Microsoft Graph
  postkey token inspect work                           What is in it, without the token itself
  postkey token export work --to age1…  > work.age     Sealed for another machine";

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
    /// A token for another resource than mail, by the same sign-in; may be given several times, all of one resource
    #[arg(long = "scope", value_name = "SCOPE", conflicts_with_all = ["purpose", "sasl"])]
    pub(crate) scopes: Vec<String>,
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
    /// Print an account's tokens, sealed for another machine
    #[command(after_help = EXPORT)]
    Export(Export),
    /// Take over tokens that were sealed on another machine
    #[command(after_help = IMPORT)]
    Import(Import),
}

const EXPORT: &str = "\
For a server without a browser: sign in on a machine that has one and hand the tokens over. What is printed is a file of \
age (age-encryption.org): only the recipient can open it. Both machines have the same refresh token then; with a provider \
that lets one be used once only (neither Microsoft nor Google), give --move, so that this machine forgets it.

Examples:
  postkey token export work --to age1… > work.age
  postkey token export work --to \"$(ssh server cat /etc/ssh/ssh_host_ed25519_key.pub)\" | \\
      ssh server postkey token import - --identity /etc/ssh/ssh_host_ed25519_key";

#[derive(Debug, Args)]
pub(crate) struct Export {
    #[command(flatten)]
    pub(crate) which: Which,
    /// Who can open it: an age recipient (age1…) or an SSH public key (ssh-ed25519, ssh-rsa); may be given several times
    #[arg(long = "to", value_name = "RECIPIENT", required_unless_present = "passphrase_file")]
    pub(crate) recipients: Vec<String>,
    /// The file (mode 600) with a passphrase that opens it, instead of recipients
    #[arg(long, value_name = "FILE", conflicts_with = "recipients")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Forget the tokens on this machine
    #[arg(long = "move")]
    pub(crate) forget: bool,
}

const IMPORT: &str = "\
The account must be in the configuration of this machine, with the same provider, tenant, client id and protocols. \
Tokens that are newer than those that are brought stay, unless --overwrite is given.

Examples:
  postkey token import work.age --identity ~/.config/age/key.txt
  postkey token import - --identity ~/.ssh/id_ed25519 --account archive < work.age";

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The sealed tokens; - for standard input
    #[arg(value_name = "FILE|-")]
    pub(crate) file: PathBuf,
    /// The file (mode 600) with the identity that opens it: age's own, or an SSH private key
    #[arg(long, value_name = "FILE", required_unless_present = "passphrase_file")]
    pub(crate) identity: Option<PathBuf>,
    /// The file (mode 600) with the passphrase: of the SSH key, or of what was sealed by a passphrase
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// The account they are for, if it has another name here
    #[arg(long, value_name = "NAME")]
    pub(crate) account: Option<String>,
    /// Replace newer tokens, too
    #[arg(long)]
    pub(crate) overwrite: bool,
}

const INSPECT: &str = "\
The signature is neither shown nor checked: only whom a token is for can do that. A token is never given as an argument, \
because every process of this machine can read those.

Examples:
  postkey token inspect                      That of the only account, or the default one
  postkey token inspect work
  postkey token inspect ~/token.txt          A file with a token, or with the answer it came in
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
