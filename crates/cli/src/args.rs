//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::config::model::{Flow, Tls};

/// Mail from mailboxes that no longer take passwords
///
/// Signs in with OAuth 2.0 at Microsoft 365, Outlook.com and others, downloads mailboxes over IMAP or POP3, and sends over SMTP.
#[derive(Debug, Parser)]
#[command(name = "postkey", version, arg_required_else_help = true, max_term_width = 100, after_help = AFTER)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const AFTER: &str = "\
Examples:
  postkey try                                  Look around: no account, no network, nothing outside ./postkey-try
  postkey account add work --user ana@contoso.com --client-id ID
  postkey login work
  postkey fetch work --to maildir:Mail/work

Environment: POSTKEY_CONFIG, POSTKEY_LOG, POSTKEY_BROWSER, BROWSER, NO_COLOR
Exit codes: postkey exit-codes";

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Global {
    /// The configuration file, instead of the platform's place for it
    #[arg(long, global = true, value_name = "FILE", env = "POSTKEY_CONFIG", hide_env_values = true)]
    pub(crate) config: Option<PathBuf>,
    /// Write one JSON document to standard output, and errors as JSON to standard error
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// No progress, no remarks; errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Log to standard error; more for -vv, -vvv, -vvvv (secrets are never logged)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub(crate) color: Color,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Even into a file
    Always,
    /// Not at all
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Take the tour: sign in and download, offline, against a pretend tenant
    #[command(after_help = "\
Starts a pretend Microsoft 365 tenant on this machine, signs in with a device code (the tour plays the person),
lists the folders and downloads them all. Everything it makes is in the folder given by --dir, nothing elsewhere.

Examples:
  postkey try
  postkey try --messages 5000 --dir /tmp/tour")]
    Try(Try),
    /// Add, list, show or remove accounts
    Account {
        #[command(subcommand)]
        command: AccountCommand,
    },
    /// Sign in
    #[command(after_help = "\
Examples:
  postkey login                      The only account, or the default one, the way the configuration says
  postkey login work --flow device   With a code, typed in on any other device
  postkey login work --flow browser  In this machine's browser

POSTKEY_BROWSER, then BROWSER, name the program that opens the browser.")]
    Login(Login),
    /// Sign out: forget the account's tokens on this machine
    Logout(Which),
    /// Print one valid access token and a line end, for other programs
    #[command(after_help = "\
Examples:
  postkey token work
  curl --oauth2-bearer \"$(postkey token work)\" …    Note: this shows the token in the list of processes")]
    Token(Token),
    /// List the mailbox's folders
    Folders(Which),
    /// Download messages that are not there yet
    #[command(after_help = "\
Running it again adds what is new and nothing twice; stopping it at any moment loses nothing.

Examples:
  postkey fetch work --to maildir:Mail/work
  postkey fetch work --folder INBOX --folder 'Sent Items' --since 2026-01-01 --to maildir:Mail/work
  postkey fetch work --protocol pop3 --delete-after 30 --to maildir:Mail/work")]
    Fetch(Fetch),
    /// Send messages
    #[command(after_help = SEND)]
    Send(Box<Send>),
    /// Run a pretend Microsoft 365 tenant on this machine, for tests of any mail program
    #[command(after_help = "\
Runs until Ctrl-C. Nothing leaves this machine; users, passwords and secrets are invented and shown.

Examples:
  postkey sandbox
  postkey sandbox --messages 5000 --port 8443 --imap-port 1993")]
    Sandbox(Sandbox),
    /// Print a completion script for a shell
    #[command(after_help = "\
Examples:
  postkey completions bash > ~/.local/share/bash-completion/completions/postkey
  postkey completions zsh > \"${fpath[1]}/_postkey\"")]
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Write the man pages
    Man {
        /// The folder to write them into; without it, the page of postkey itself goes to standard output
        dir: Option<PathBuf>,
    },
    /// List the exit codes and what they mean
    ExitCodes,
}

/// Which account.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The account's name in the configuration; not needed if there is one only, or a default_account
    pub(crate) account: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Try {
    /// Messages in the pretend mailbox
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=200_000))]
    pub(crate) messages: u32,
    /// The folder for everything the tour makes
    #[arg(long, value_name = "FOLDER", default_value = "postkey-try")]
    pub(crate) dir: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Login {
    #[command(flatten)]
    pub(crate) which: Which,
    /// How to sign in, instead of what the configuration says
    #[arg(long, value_enum)]
    pub(crate) flow: Option<Flow>,
    /// Show the device sign-in's QR code even if the output is not a terminal
    #[arg(long)]
    pub(crate) qr: bool,
    /// Do not open a browser; print the address only
    #[arg(long)]
    pub(crate) no_open: bool,
    /// Longest wait for the browser to come back, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = auth::loopback::PATIENCE, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) timeout: u64,
}

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

#[derive(Debug, Args)]
pub(crate) struct Fetch {
    #[command(flatten)]
    pub(crate) which: Which,
    /// A folder, as `postkey folders` names it; may be given several times. All folders without it
    #[arg(long = "folder", value_name = "NAME")]
    pub(crate) folders: Vec<String>,
    /// Only messages that arrived on this day (YYYY-MM-DD) or later
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub(crate) since: Option<jiff::civil::Date>,
    /// Where to: maildir:PATH. The Maildir is made if it is not there
    #[arg(long, value_name = "KIND:PATH", value_parser = target)]
    pub(crate) to: PathBuf,
    /// What to download by. POP3 knows one folder and neither days nor flags
    #[arg(long, value_enum, default_value_t = Reading::Imap, value_name = "PROTOCOL")]
    pub(crate) protocol: Reading,
    /// POP3: leave the messages on the server, which is also what happens without it
    #[arg(long)]
    pub(crate) keep: bool,
    /// POP3: delete a message on the server once it has been on disk here for so many days; 0 for at once
    #[arg(long, value_name = "DAYS", conflicts_with_all = ["keep", "no_fsync"], value_parser = clap::value_parser!(u32).range(0..=36_500))]
    pub(crate) delete_after: Option<u32>,
    /// Do not wait for the disk: faster, safe if postkey ends, not if the machine does
    #[arg(long)]
    pub(crate) no_fsync: bool,
}

/// What `fetch` reads by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Reading {
    /// IMAP
    Imap,
    /// POP3
    Pop3,
}

const SEND: &str = "\
An argument with an @ and without a / is a recipient, any other is a file; behind -- all are recipients. A message
that has no Date, Message-ID or From gets one; Bcc is taken out. Called by the name sendmail, all arguments are
recipients and the message comes from standard input. A line with a dot alone never ends the message.

Examples:
  postkey send --to bo@contoso.com --subject Report --body 'Here it is.' --attach report.pdf
  postkey send -t < message.eml
  postkey send first.eml second.eml bo@contoso.com
  ln -s \"$(command -v postkey)\" /usr/local/sbin/sendmail";

#[derive(Debug, Args)]
pub(crate) struct Send {
    /// Messages (RFC 5322; - for standard input) and recipients
    #[arg(value_name = "FILE|RECIPIENT")]
    pub(crate) what: Vec<OsString>,
    /// Recipients, whatever they look like
    #[arg(last = true, value_name = "RECIPIENT")]
    pub(crate) recipients: Vec<String>,
    /// The account to send by; not needed if there is one only, or a default_account
    #[arg(short, long, value_name = "NAME")]
    pub(crate) account: Option<String>,
    /// Also send to the addresses in To, Cc and Bcc of the message
    #[arg(short = 't')]
    pub(crate) from_headers: bool,
    /// The envelope sender, to whom failures are reported; '' for nobody
    #[arg(short = 'f', visible_short_alias = 'r', value_name = "ADDRESS")]
    pub(crate) sender: Option<String>,
    /// The name in a From that has to be added
    #[arg(short = 'F', value_name = "NAME")]
    pub(crate) full_name: Option<String>,
    /// Nothing: no line ends a message (for programs that call sendmail)
    #[arg(short = 'i')]
    pub(crate) ignore_dots: bool,
    /// Options of sendmail; they are accepted and do nothing
    #[arg(short = 'o', value_name = "OPTION")]
    pub(crate) options: Vec<String>,
    /// A mode of sendmail; m, to send, is the only one there is
    #[arg(short = 'b', value_name = "MODE", value_parser = ["m"])]
    pub(crate) mode: Option<String>,
    /// The body's type for sendmail (7BIT, 8BITMIME); it is found out here
    #[arg(short = 'B', value_name = "TYPE", hide = true)]
    pub(crate) body_type: Option<String>,
    #[command(flatten)]
    pub(crate) compose: Compose,
    /// Send the octets as they are: nothing is added, and a message with a Bcc or with a CR or LF that stands alone is
    /// refused
    #[arg(long)]
    pub(crate) raw: bool,
    /// Send to those who are accepted if others are refused; without it, it is all or nobody
    #[arg(long)]
    pub(crate) partial: bool,
    /// How often to try what may pass
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) tries: u32,
    /// The wait before the second try, in seconds; it doubles each time. A server's wish to be left alone longer is obeyed
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(0..=3600))]
    pub(crate) wait: u64,
    /// The program was called as sendmail
    #[arg(long, hide = true)]
    pub(crate) as_sendmail: bool,
}

/// A message to be written here.
#[derive(Debug, Args)]
#[command(next_help_heading = "Writing a message")]
pub(crate) struct Compose {
    /// A recipient: an address, or \"Name <address>\"; several with commas or by repeating it
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) to: Vec<String>,
    /// One who gets a copy
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) cc: Vec<String>,
    /// One who gets a copy without the others knowing
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) bcc: Vec<String>,
    /// The author, instead of the account's
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) from: Option<String>,
    /// The subject
    #[arg(long)]
    pub(crate) subject: Option<String>,
    /// The text; without it, it comes from standard input
    #[arg(long, value_name = "TEXT")]
    pub(crate) body: Option<String>,
    /// A file to go with it; may be given several times
    #[arg(long, value_name = "FILE")]
    pub(crate) attach: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Sandbox {
    /// Messages per mailbox
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(0..=200_000))]
    pub(crate) messages: u32,
    /// Port of the identity provider (HTTPS); a free one if absent
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) port: u16,
    /// Port of IMAP with implicit TLS; a free one if absent
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) imap_port: u16,
    /// Port of IMAP with STARTTLS; a free one if absent
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) starttls_port: u16,
    /// Port of POP3 with implicit TLS; a free one if absent
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) pop3_port: u16,
    /// Port of submission by SMTP with STARTTLS; a free one if absent
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) submission_port: u16,
    /// Which server to imitate
    #[arg(long, value_enum, default_value_t = Imitate::Exo2026)]
    pub(crate) imitate: Imitate,
    /// Also serve the identity provider without TLS on this port, for programs that cannot be given a CA
    #[arg(long, value_name = "PORT")]
    pub(crate) http_port: Option<u16>,
    /// Where to write the CA certificate; without it, into a temporary file
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
}

/// Which IMAP server the sandbox imitates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Imitate {
    /// Exchange Online as it is in 2026: XOAUTH2 and nothing else
    #[value(name = "exo-2026")]
    Exo2026,
    /// Exchange Online as it was until 2025
    ExoClassic,
    /// A server without peculiarities that also takes passwords
    Plain,
}

/// The commands on accounts.
#[derive(Debug, Subcommand)]
pub(crate) enum AccountCommand {
    /// Add an account to the configuration
    #[command(after_help = "\
Secrets are named, not given: a command line is seen by every process of this machine.

Examples:
  postkey account add work --user ana@contoso.com --tenant contoso.com --client-id ID
  postkey account add shared --user ana@contoso.com --mailbox info@contoso.com --client-id ID
  postkey account add archive --flow app --user info@contoso.com --tenant contoso.com --client-id ID \\
      --client-secret-file ~/.secrets/archive")]
    Add(Box<AccountAdd>),
    /// List the accounts
    List,
    /// Show what is configured for an account
    Show(Which),
    /// Remove an account from the configuration, and its tokens
    Remove {
        /// The account's name
        name: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct AccountAdd {
    /// A name of your choice for the account
    pub(crate) name: String,
    /// The provider: microsoft, outlook-com, google, …, or one of [providers] in the configuration
    #[arg(long, default_value = "microsoft")]
    pub(crate) provider: String,
    /// Who signs in; for --flow app, whose mailbox is opened
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) user: String,
    /// Whose mailbox is opened, if not the user's own
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) mailbox: Option<String>,
    /// The tenant's id or one of its domains
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    /// The client id (application id) of your registration at the provider
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: Option<String>,
    /// The environment variable that will hold the client secret
    #[arg(long, value_name = "VARIABLE", group = "secret")]
    pub(crate) client_secret_env: Option<String>,
    /// The file (mode 600) that holds the client secret
    #[arg(long, value_name = "FILE", group = "secret")]
    pub(crate) client_secret_file: Option<PathBuf>,
    /// The command that prints the client secret
    #[arg(long, value_name = "COMMAND", group = "secret")]
    pub(crate) client_secret_command: Option<String>,
    /// How to sign in; chosen at login if absent
    #[arg(long, value_enum)]
    pub(crate) flow: Option<Flow>,
    /// The mail server, instead of the provider's
    #[arg(long, value_name = "HOST")]
    pub(crate) imap_host: Option<String>,
    /// Its port
    #[arg(long, value_name = "PORT")]
    pub(crate) imap_port: Option<u16>,
    /// When TLS begins
    #[arg(long, value_enum)]
    pub(crate) imap_tls: Option<Tls>,
    /// What the sign-in is for; may be given several times. imap without it
    #[arg(long = "protocol", value_enum, value_name = "PROTOCOL")]
    pub(crate) protocols: Vec<Purpose>,
    /// The server that mail is sent by, instead of the provider's
    #[arg(long, value_name = "HOST")]
    pub(crate) smtp_host: Option<String>,
    /// Its port
    #[arg(long, value_name = "PORT")]
    pub(crate) smtp_port: Option<u16>,
    /// When TLS begins there
    #[arg(long, value_enum)]
    pub(crate) smtp_tls: Option<Tls>,
    /// The POP3 server, instead of the provider's
    #[arg(long, value_name = "HOST")]
    pub(crate) pop3_host: Option<String>,
    /// Its port
    #[arg(long, value_name = "PORT")]
    pub(crate) pop3_port: Option<u16>,
    /// When TLS begins there
    #[arg(long, value_enum)]
    pub(crate) pop3_tls: Option<Tls>,
    /// A PEM file with certificates to trust besides the public ones, for sign-in and mail
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Scheme, host and port of the sign-in service, instead of the provider's
    #[arg(long, value_name = "URL")]
    pub(crate) authority: Option<String>,
}

/// The arguments; those of `postkey send` if the program was called by the name of the program it stands in for.
pub(crate) fn as_called(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut all: Vec<OsString> = arguments.into_iter().collect();
    let name = all.first().map(|name| std::path::Path::new(name).file_stem().unwrap_or_default());
    if name.is_some_and(|name| name == "sendmail") {
        all.splice(..1, ["postkey", "send", "--as-sendmail"].map(OsString::from));
    }
    all
}

fn date(text: &str) -> Result<jiff::civil::Date, String> {
    text.parse().map_err(|_| "not a day; write it as 2026-01-31".to_owned())
}

fn target(text: &str) -> Result<PathBuf, String> {
    match text.split_once(':') {
        Some(("maildir", "")) => Err("there is no path behind maildir:".to_owned()),
        Some(("maildir", path)) => Ok(PathBuf::from(path)),
        _ => Err("not a target; write maildir:PATH".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn targets_and_days() {
        assert_eq!(target("maildir:a:b").unwrap(), PathBuf::from("a:b"));
        assert!(target("Mail").is_err() && target("maildir:").is_err() && target("mbox:x").is_err());
        assert!(date("2026-02-30").is_err() && date("yesterday").is_err() && date("2026-02-28").is_ok());
    }
}
