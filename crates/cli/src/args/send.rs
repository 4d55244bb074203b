//! `postkey send`

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::Args;

pub(super) const EXAMPLES: &str = "\
An argument with an @ and without a / is a recipient, any other is a file; behind -- all are recipients. A message \
that has no Date, Message-ID or From gets one; Bcc is taken out. Called by the name sendmail, all arguments are \
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
    /// A recipient: an address, or "Name <address>"; several with commas or by repeating it
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

/// The arguments; those of `postkey send` if the program was called by the name of the program it stands in for.
pub(crate) fn as_called(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut all: Vec<OsString> = arguments.into_iter().collect();
    let name = all.first().map(|name| Path::new(name).file_stem().unwrap_or_default());
    if name.is_some_and(|name| name == "sendmail") {
        all.splice(..1, ["postkey", "send", "--as-sendmail"].map(OsString::from));
    }
    all
}
