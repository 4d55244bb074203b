//! What a server's machine reports.

use sasl::Credentials;

use super::error::{Fault, MessageFault};
use crate::types::{Argument, EhloName, ForwardPath, MailParams, Mechanism, RcptParams, ReversePath};

/// Something the client said. A [`BodyChunk`](Self::BodyChunk) lives in the input buffer until the next `advance`.
///
/// After every event but [`BodyChunk`](Self::BodyChunk) the machine waits until the application has answered, with
/// [`reply`](super::Server::reply) or the call that the event names; the next command is not looked at before.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'b> {
    /// `EHLO`, `HELO` or `LHLO`. A positive reply begins the session; to EHLO and LHLO its lines say what is offered
    /// ([`Capabilities::to_reply`](crate::types::Capabilities::to_reply)), and the machine holds the client to it.
    Hello {
        /// Which of the three.
        kind: HelloKind,
        /// What the client calls itself.
        name: EhloName,
    },
    /// `STARTTLS`. Reply 220 and the machine asks for TLS.
    StartTls,
    /// `AUTH`. Call [`begin_auth`](super::Server::begin_auth), or refuse with a reply.
    Auth {
        /// The SASL mechanism asked for.
        mechanism: Mechanism,
        /// Whether an initial response came along.
        initial: bool,
    },
    /// Check these and call [`verdict`](super::Server::verdict).
    Credentials(Credentials),
    /// The SASL exchange is over. Reply 235 (only possible here, and only after a success), or refuse: 535 for
    /// [`sasl::Error::Refused`], 501 for all other errors.
    AuthEnd(Result<(), sasl::Error>),
    /// `MAIL`
    Mail {
        /// The sender.
        from: ReversePath,
        /// What it asks for; only what has been offered.
        params: MailParams,
    },
    /// `RCPT`
    Rcpt {
        /// The recipient.
        to: ForwardPath,
        /// Its parameters; only what has been offered.
        params: RcptParams,
    },
    /// `DATA`. Call [`accept_data`](super::Server::accept_data), or refuse with a reply.
    Data,
    /// Octets of the message, without stuffing; how they are cut means nothing.
    BodyChunk(&'b [u8]),
    /// A chunk of BDAT is complete and the message is not. A refusal makes the message fail.
    ChunkEnd {
        /// Octets of the chunk.
        octets: u64,
        /// What is wrong with the message; if anything is, it cannot be accepted.
        fault: Option<MessageFault>,
    },
    /// The message is complete. In LMTP [`replies`](super::Server::replies_due) are due for each accepted recipient in order, otherwise one.
    BodyEnd {
        /// Octets of the message, those that were not handed over included.
        octets: u64,
        /// What is wrong with the message; if anything is, it cannot be accepted.
        fault: Option<MessageFault>,
    },
    /// `RSET`
    Rset,
    /// `NOOP`
    Noop,
    /// `VRFY`
    Vrfy(Argument),
    /// `EXPN`
    Expn(Argument),
    /// `HELP`
    Help(Option<Argument>),
    /// `QUIT`. The connection is closed after the reply.
    Quit,
    /// Not a command that can be executed. Refuse it: [`Fault::reply`].
    BadCommand {
        /// What is wrong with it.
        fault: Fault,
        /// Whether the connection is closed after the reply: there is no telling where the next command begins.
        closes: bool,
    },
}

/// How a client greets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HelloKind {
    /// `EHLO`
    Ehlo,
    /// `HELO`
    Helo,
    /// `LHLO`
    Lhlo,
}
