//! What the command line asks to be sent, and to whom.

use std::ffi::OsStr;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use smtp_proto::types::{Mailbox, ReversePath};

use super::address::{self, Address};
use super::message::{Draft, Message, Missing};
use crate::args::Send;
use crate::config::Sending;
use crate::exit::{Exit, Failure, Result};
use crate::output::text::safe;

/// Longest text that is read for a message written here, in octets.
const TEXT: u64 = 64 * 1024 * 1024;

/// One message to be sent: where it is, or itself.
#[derive(Debug)]
pub(crate) enum Origin {
    /// In a file.
    File(PathBuf),
    /// On standard input.
    Stdin,
    /// To be written from the options.
    Composed,
}

impl Origin {
    /// Whether it can be read without waiting for anybody: a pipe cannot.
    pub(crate) fn is_at_hand(&self) -> bool {
        match self {
            // What is not there can be reported at once, too.
            Self::File(path) => std::fs::metadata(path).map_or(true, |file| file.is_file()),
            Self::Stdin => false,
            Self::Composed => true,
        }
    }
}

/// What is to be sent.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The messages.
    pub(crate) messages: Vec<Origin>,
    /// The envelope sender.
    pub(crate) sender: ReversePath,
    recipients: Vec<Address>,
    author: Address,
}

impl Plan {
    /// Reads the command line. Nothing is opened or read yet.
    pub(crate) fn new(args: &Send, sending: &Sending) -> Result<Self> {
        let compose = args.compose.is_wanted();
        let (mut messages, mut recipients) = (Vec::new(), Vec::new());
        for argument in &args.what {
            match origin(argument, args.as_sendmail)? {
                Sorted::Message(_) if compose => {
                    return Err(usage(
                        "a message is either in a file or written with --to, --subject, --body and --attach",
                    ));
                }
                Sorted::Message(origin) => messages.push(origin),
                Sorted::Recipient(text) => recipients.extend(recipient(&text)?),
            }
        }
        for text in &args.recipients {
            recipients.extend(recipient(text)?);
        }
        if messages.iter().filter(|origin| matches!(origin, Origin::Stdin)).count() > 1 {
            return Err(usage("standard input can be read once only"));
        }
        if args.raw && compose {
            return Err(usage("--raw is for messages that are there already"));
        }
        if compose {
            recipients.splice(0..0, args.compose.recipients()?);
        } else if args.compose.from.is_some() {
            return Err(usage(
                "--from is for a message that is written here; use -f for the envelope sender",
            ));
        }
        if messages.is_empty() {
            messages.push(if compose { Origin::Composed } else { Origin::Stdin });
        }
        if recipients.is_empty() && (!args.from_headers || compose) {
            return Err(Failure::new(
                Exit::Usage,
                "nobody is named to send to",
                "name the recipients, or give -t to send to those in the header",
            ));
        }
        let mut author = args.compose.author()?.unwrap_or_else(|| sending.from.clone());
        if let Some(name) = &args.full_name {
            if name.chars().any(char::is_control) {
                return Err(usage("-F: the name holds a control character"));
            }
            author.name.clone_from(name);
        }
        Ok(Self { messages, sender: sender(args, sending)?, recipients, author })
    }

    /// One message, ready, with everybody it is for.
    pub(crate) fn prepare(&self, origin: &Origin, args: &Send) -> Result<(Message, Vec<Mailbox>)> {
        let missing = self.missing()?;
        let draft = match origin {
            Origin::File(path) => Draft::open(path)?,
            Origin::Stdin => Draft::stdin()?,
            Origin::Composed => {
                let text = match &args.compose.body {
                    Some(text) => text.clone(),
                    None => text()?,
                };
                let octets = args.compose.write(&self.author, text, &missing.date, &missing.message_id)?;
                Draft::octets("the message", octets)?
            }
        };
        let mut all = self.recipients.clone();
        if args.from_headers && !matches!(origin, Origin::Composed) {
            all.extend(draft.recipients()?);
        }
        let mut recipients: Vec<Mailbox> = Vec::new();
        for Address { mailbox, .. } in all {
            let same = |known: &Mailbox| {
                known.local_part() == mailbox.local_part()
                    && known.domain().eq_ignore_ascii_case(mailbox.domain())
            };
            if !recipients.iter().any(same) {
                recipients.push(mailbox);
            }
        }
        if recipients.is_empty() {
            return Err(Failure::new(
                Exit::Usage,
                format!("{} names nobody to send to", draft.label),
                "give it a To, or name the recipients",
            ));
        }
        let message = if args.raw { draft.raw()? } else { draft.complete(&missing)? };
        Ok((message, recipients))
    }

    fn missing(&self) -> Result<Missing<'_>> {
        let now = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
        let unforeseen = |what: String| Failure::new(Exit::Unexpected, what, "");
        let date = jiff::fmt::rfc2822::to_string(&now)
            .map_err(|error| unforeseen(format!("this machine's clock shows no date for mail: {error}")))?;
        let mut random = [0_u8; 16];
        getrandom::fill(&mut random)
            .map_err(|error| unforeseen(format!("there is no randomness: {error}")))?;
        let random: String = random.iter().map(|octet| format!("{octet:02x}")).collect();
        let message_id = format!("<{random}@{}>", self.author.mailbox.domain());
        Ok(Missing { from: &self.author, date, message_id })
    }
}

enum Sorted {
    Message(Origin),
    Recipient(String),
}

/// A recipient has an @ and is no path; called as sendmail, everything is one.
fn origin(argument: &OsStr, as_sendmail: bool) -> Result<Sorted> {
    let text = argument.to_str();
    Ok(match text {
        Some(text) if as_sendmail => Sorted::Recipient(text.to_owned()),
        Some("-") => Sorted::Message(Origin::Stdin),
        Some(text) if text.contains('@') && !text.contains(['/', '\\']) => Sorted::Recipient(text.to_owned()),
        _ if as_sendmail => return Err(usage("a recipient is not text")),
        _ => Sorted::Message(Origin::File(Path::new(argument).to_owned())),
    })
}

fn recipient(text: &str) -> Result<Vec<Address>> {
    let found = address::list(text).map_err(|error| usage(&format!("recipient {text:?}: {error}")))?;
    if found.is_empty() { Err(usage(&format!("recipient {text:?}: there is no address"))) } else { Ok(found) }
}

fn sender(args: &Send, sending: &Sending) -> Result<ReversePath> {
    match args.sender.as_deref().map(|text| text.trim_matches(' ')) {
        None => Ok(sending.sender.clone().into()),
        Some("" | "<>") => Ok(ReversePath::Null),
        Some(text) => match address::one(text) {
            Ok(address) => Ok(address.mailbox.into()),
            Err(error) => Err(usage(&format!("-f: {error}"))),
        },
    }
}

fn text() -> Result<String> {
    let mut text = String::new();
    let read = std::io::stdin().lock().take(TEXT + 1).read_to_string(&mut text);
    read.map_err(|error| usage(&format!("standard input cannot be read as text: {error}")))?;
    if text.len() as u64 > TEXT {
        return Err(usage(&format!(
            "standard input has more than {TEXT} octets; send it as a file with --attach"
        )));
    }
    Ok(text)
}

fn usage(what: &str) -> Failure {
    Failure::new(Exit::Usage, safe(what), "see: postkey send --help")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use clap::Parser as _;

    fn plan(args: &[&str]) -> Result<(Plan, Box<Send>)> {
        let cli = Cli::try_parse_from([&["postkey", "send"], args].concat()).unwrap();
        let Command::Send(args) = cli.command else { panic!("another command") };
        let from = address::one("Ana <ana@x.example>").unwrap();
        let sending = Sending {
            user: "ana@x.example".into(),
            sender: "bounces@x.example".parse().unwrap(),
            from,
            ehlo_name: None,
            chunking: true,
        };
        Plan::new(&args, &sending).map(|plan| (plan, args))
    }

    fn to(plan: &Plan) -> Vec<String> {
        plan.recipients.iter().map(|address| address.mailbox.to_string()).collect()
    }

    #[test]
    fn files_and_recipients_are_told_apart() {
        let (plan, _) = plan(&["a.eml", "b@x", "-", "./c@d", "--", "-e@x"]).unwrap();
        assert_eq!(to(&plan), ["b@x", "-e@x"]);
        assert!(matches!(&plan.messages[..], [Origin::File(a), Origin::Stdin, Origin::File(c)]
                if a == Path::new("a.eml") && c == Path::new("./c@d")));
    }

    #[test]
    fn the_flags_of_sendmail_are_taken() {
        let (plan, args) = plan(&[
            "-t",
            "-i",
            "-oi",
            "-oem",
            "-bm",
            "-B8BITMIME",
            "-f",
            "f@x",
            "-F",
            "Full Name",
            "--",
            "r@x",
        ])
        .unwrap();
        assert!(args.from_headers && args.ignore_dots && args.options == ["i", "em"]);
        assert_eq!((plan.sender.to_string().as_str(), plan.author.name.as_str()), ("<f@x>", "Full Name"));
        assert!(matches!(plan.messages[..], [Origin::Stdin]));
        assert_eq!(to(&plan), ["r@x"]);
        let sender = |args: &[&str]| super::tests::plan(args).unwrap().0.sender.to_string();
        assert_eq!(sender(&["-ff@x", "r@x"]), "<f@x>");
        assert_eq!((sender(&["-f", "<>", "r@x"]), sender(&["-f", "", "r@x"])), ("<>".into(), "<>".into()));
        assert_eq!(sender(&["r@x"]), "<bounces@x.example>");
    }

    #[test]
    fn inj_11_and_inj_14_nothing_that_ends_a_line_gets_in() {
        for args in [
            &["a@b\r\nRCPT TO:<x@y>"][..],
            &["-f", "a@b>\r\nRCPT TO:<x@y", "r@x"],
            &["-F", "x\r\nBcc: y@z", "r@x"],
            &["--to", "a@b\nBcc: x@y"],
            &["--from", "a@b\r\n\r\nbody", "--to", "r@x"],
        ] {
            assert_eq!(plan(args).map(|_| ()).unwrap_err().exit, Exit::Usage, "{args:?}");
        }
        for (option, value) in
            [("--subject", "x\r\nBcc: a@b"), ("--subject", "x\0"), ("--cc", "a@b\r\n\r\nx")]
        {
            let ready = plan(&["--to", "r@x", option, value, "--body", "b"])
                .and_then(|(plan, args)| plan.prepare(&Origin::Composed, &args));
            assert_eq!(ready.map(|_| ()).unwrap_err().exit, Exit::Usage, "{value:?}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for args in [
            &["a.eml"][..],
            &["-", "-", "r@x"],
            &["a.eml", "--subject", "s", "r@x"],
            &["--raw", "--to", "r@x"],
        ] {
            assert_eq!(plan(args).map(|_| ()).unwrap_err().exit, Exit::Usage, "{args:?}");
        }
    }

    #[test]
    fn a_composed_message_has_everything_but_bcc() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("däta.bin");
        std::fs::write(&file, b"a;b\r\n\x00\xff.\n.\n").unwrap();
        let (plan, args) = plan(&[
            "--to",
            "Bo <bo@x>, c@x",
            "--cc",
            "c@X",
            "--bcc",
            "hidden@x",
            "--subject",
            "Grüße",
            "--body",
            "Hallo Bö\n.\n",
            "--attach",
            file.to_str().unwrap(),
        ])
        .unwrap();
        let (mut message, recipients) = plan.prepare(&Origin::Composed, &args).unwrap();
        let recipients: Vec<String> = recipients.iter().map(ToString::to_string).collect();
        assert_eq!(recipients, ["bo@x", "c@x", "hidden@x"]);
        let mut octets = Vec::new();
        message.rewind().unwrap().read_to_end(&mut octets).unwrap();
        assert!(octets.is_ascii() && !message.eight_bit, "everything is encoded");
        assert!(!String::from_utf8_lossy(&octets).contains("hidden"));
        let parsed = mail_parser::MessageParser::new().parse(&octets).unwrap();
        assert_eq!(parsed.subject(), Some("Grüße"));
        assert_eq!(parsed.body_text(0).unwrap().replace("\r\n", "\n").trim_end(), "Hallo Bö\n.");
        assert_eq!(parsed.from().unwrap().first().unwrap().address(), Some("ana@x.example"));
        assert_eq!(parsed.to().unwrap().iter().count(), 2);
        let part = parsed.attachment(0).unwrap();
        assert_eq!(part.contents(), b"a;b\r\n\x00\xff.\n.\n");
        assert_eq!(mail_parser::MimeHeaders::attachment_name(part), Some("däta.bin"));
        assert!(parsed.date().is_some() && parsed.message_id().unwrap().ends_with("@x.example"));
        assert_eq!(message.message_id.unwrap().trim_matches(['<', '>']), parsed.message_id().unwrap());
    }
}
