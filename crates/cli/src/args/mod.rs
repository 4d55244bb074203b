//! The command line: what every command has here, the rest in one file per group of commands.

mod account;
mod fetch;
mod login;
mod provider;
pub(crate) mod quick;
mod sandbox;
mod send;
mod status;
mod store;
mod token;

pub(crate) use self::account::{AccountAdd, AccountCommand};
pub(crate) use self::fetch::{Fetch, Reading};
pub(crate) use self::login::Login;
pub(crate) use self::provider::{Discover, ProviderCommand};
pub(crate) use self::sandbox::{Imitate, Sandbox, Try};
pub(crate) use self::send::{Compose, Send, as_called};
pub(crate) use self::status::Status;
pub(crate) use self::store::{Rekey, StoreCommand};
pub(crate) use self::token::{Export, Import, Inspect, Purpose, Sasl, Token, TokenCommand};

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

/// Mail from mailboxes that no longer take passwords
///
/// Signs in with OAuth 2.0 at Microsoft 365, Outlook.com and others, downloads mailboxes over IMAP or POP3, and sends over SMTP.
#[derive(Debug, Parser)]
#[command(name = "postkey", bin_name = "postkey", version, arg_required_else_help = true, max_term_width = 100, after_help = AFTER)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const AFTER: &str = "\
Examples:
  postkey try                                  Look around, offline; all of it is in ./postkey-try
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
Starts a pretend Microsoft 365 tenant on this machine, signs in with a device code (the tour plays the person), \
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
    /// List providers, show what is known of one, or ask one what it offers
    Provider {
        #[command(subcommand)]
        command: ProviderCommand,
    },
    /// Sign in
    #[command(after_help = "\
Examples:
  postkey login                      The only account, or the default one, as it is configured
  postkey login work --flow device   With a code, typed in on any other device
  postkey login work --flow browser  In this machine's browser
  postkey login work --flow paste    In a browser anywhere; paste the address it ends on
  postkey login work --check         Try what is there, without a person: token, IMAP, POP3, SMTP

POSTKEY_BROWSER, then BROWSER, name the program that opens the browser.")]
    Login(Login),
    /// Sign out: forget the account's tokens on this machine
    Logout(Which),
    /// Print one valid access token and a line end, for other programs
    #[command(after_help = token::EXAMPLES)]
    Token(Token),
    /// Tell when tokens, secrets and the like end, and what will break then
    #[command(after_help = status::EXAMPLES)]
    Status(Status),
    /// Show the token store, or move its key
    Store {
        #[command(subcommand)]
        command: StoreCommand,
    },
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
    #[command(after_help = send::EXAMPLES)]
    Send(Box<Send>),
    /// Run a pretend Microsoft 365 tenant on this machine, for tests of any mail program
    #[command(after_help = "\
Runs until Ctrl-C. Nothing leaves this machine; users, passwords and secrets are invented and shown.

Examples:
  postkey sandbox
  postkey sandbox --env-file sandbox.env   In another shell: . ./sandbox.env && env | grep SANDBOX_
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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// clap wraps lines, not paragraphs: text that is wrapped by hand comes out ragged.
    #[test]
    fn paragraphs_of_the_help_are_one_line_and_examples_fit() {
        fn look(command: &clap::Command) {
            let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let prose = |line: &str| !line.is_empty() && !line.starts_with(' ');
            for (line, next) in text.lines().zip(text.lines().skip(1).chain([""])) {
                assert!(!(prose(line) && prose(next) && line.len() > 80), "{}: {line}", command.get_name());
                assert!(prose(line) || line.chars().count() <= 100, "{}: {line}", command.get_name());
            }
            command.get_subcommands().for_each(look);
        }
        look(&Cli::command());
    }
}
