//! What a client's machine reports.

use alloc::boxed::Box;
use core::fmt;

use crate::types::Reply;

/// Names one command or one message on one connection; later ones compare greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(pub(super) u64);

/// Something the server said, or something the machine needs from its caller. The credentials of this connection are taken out of all
/// texts.
///
/// A message given to [`Client::send`](super::Client::send) ends in exactly one of [`Accepted`](Self::Accepted), [`Rejected`](Self::Rejected), the last
/// [`PerRecipient`](Self::PerRecipient) (LMTP), or, unless it ended before, the connection's [`Error`](crate::Error).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The server is ready (220).
    Greeting(Reply),
    /// The reply to a command that is no part of a message.
    Completed(Box<Completed>),
    /// The reply to RCPT for one recipient.
    Recipient {
        /// Which message.
        id: CommandId,
        /// Which recipient, by its place in the envelope, from 0.
        index: usize,
        /// What the server said of it.
        reply: Reply,
    },
    /// The server wants the message: call [`write_body`](super::Client::write_body) and [`end_body`](super::Client::end_body).
    WantsBody(CommandId),
    /// The server has taken responsibility for the message, for all recipients that it had accepted.
    Accepted {
        /// Which message.
        id: CommandId,
        /// What it said; often under which name it queued it.
        reply: Reply,
    },
    /// The message goes to nobody.
    Rejected {
        /// Which message.
        id: CommandId,
        /// How far it got.
        stage: Stage,
        /// The refusal.
        reply: Reply,
    },
    /// LMTP: what became of the message for one of the accepted recipients (RFC 2033 section 4.2).
    PerRecipient {
        /// Which message.
        id: CommandId,
        /// Which recipient, by its place in the envelope, from 0.
        index: usize,
        /// What the server said.
        reply: Reply,
        /// Whether this was the last one.
        last: bool,
    },
}

/// How far a message got before it was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// MAIL was refused: the sender or a parameter.
    Sender,
    /// Recipients were refused: all of them, or one where all were wanted.
    Recipients,
    /// DATA was refused.
    Data,
    /// The message itself was refused.
    Message,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sender => "the sender",
            Self::Recipients => "a recipient",
            Self::Data => "DATA",
            Self::Message => "the message",
        })
    }
}

/// The end of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completed {
    /// Which command.
    pub id: CommandId,
    /// Its verb.
    pub verb: &'static str,
    /// The reply.
    pub reply: Reply,
    /// Why a sign-in was refused, as far as the SASL exchange knows.
    pub sign_in: Option<sasl::Failure>,
}
