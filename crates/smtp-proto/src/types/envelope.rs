//! What a client hands over with a message.

use alloc::vec::Vec;

use wire::dot::BareNewline;

use super::mailbox::{ForwardPath, Mailbox, ReversePath};
use super::params::{MailParams, RcptParams};

/// One recipient and its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// Who.
    pub to: ForwardPath,
    /// Its parameters.
    pub params: RcptParams,
}

impl From<Mailbox> for Recipient {
    fn from(mailbox: Mailbox) -> Self {
        Self { to: mailbox.into(), params: RcptParams::default() }
    }
}

/// What happens when some recipients are refused and others are not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Partial {
    /// The message is sent to nobody.
    #[default]
    Refuse,
    /// It is sent to those who were accepted.
    Accept,
}

/// Sender, recipients, and what is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Who is told when the message cannot be delivered.
    pub from: ReversePath,
    /// At least one.
    pub recipients: Vec<Recipient>,
    /// Parameters of MAIL.
    pub params: MailParams,
    /// What happens when some recipients are refused.
    pub partial: Partial,
}

impl Envelope {
    /// From one address to others, without parameters.
    pub fn new(from: impl Into<ReversePath>, to: impl IntoIterator<Item = Mailbox>) -> Self {
        Self {
            from: from.into(),
            recipients: to.into_iter().map(Recipient::from).collect(),
            params: MailParams::default(),
            partial: Partial::default(),
        }
    }

    /// Whether every address can be said without SMTPUTF8.
    pub fn is_ascii(&self) -> bool {
        let ascii = |m: Option<&Mailbox>| m.is_none_or(Mailbox::is_ascii);
        ascii(self.from.mailbox()) && self.recipients.iter().all(|r| ascii(r.to.mailbox()))
    }
}

/// How the octets of a message travel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Transfer {
    /// `DATA`: lines, stuffed, up to a dot.
    #[default]
    Data,
    /// `BDAT`: counted chunks (RFC 3030).
    Bdat,
}

/// What is known of a message before it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Body {
    /// How it travels.
    pub transfer: Transfer,
    /// Its length in octets, if it is known; compared with what the server takes before anything is sent.
    pub size: Option<u64>,
    /// What happens to a CR or LF that stands alone. Not looked at when the message is `BINARYMIME`.
    pub bare_newline: BareNewline,
}
