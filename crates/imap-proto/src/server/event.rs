//! What a server's machine reports.

use alloc::boxed::Box;

use sasl::Credentials;

use super::error::Fault;
use crate::types::{Atom, Command, DateTime, FlagSet, Mailbox, Tag};

/// Something the client said. Borrowed parts live in the input buffer until the next `advance`.
///
/// After every event with a tag the machine waits until the application has answered with
/// [`complete`](super::Server::complete); the next command is not looked at before.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'b> {
    /// A command, allowed in the state the session is in. Commands that are conversations have events of their own
    /// (AUTHENTICATE, STARTTLS, IDLE, APPEND); an unknown name comes as [`Command::Unknown`] in every state.
    ///
    /// After `LOGOUT` is completed with `OK` the connection is closed.
    Command {
        /// Its tag.
        tag: Tag<'b>,
        /// The command.
        command: Box<Command<'b>>,
    },
    /// Not a command that can be executed. Answer with `BAD` or `NO`.
    BadCommand {
        /// Its tag; without one the answer goes out untagged.
        tag: Option<Tag<'static>>,
        /// What is wrong with it.
        fault: Fault,
        /// Whether the connection is closed after the answer: there is no telling where the next command begins.
        closes: bool,
    },
    /// `STARTTLS`. Complete it with `OK` and the machine asks for TLS.
    StartTls {
        /// Its tag.
        tag: Tag<'b>,
    },
    /// `AUTHENTICATE`. Call [`begin_auth`](super::Server::begin_auth), or refuse with
    /// [`complete`](super::Server::complete).
    Authenticate {
        /// Its tag.
        tag: Tag<'b>,
        /// The SASL mechanism asked for.
        mechanism: Atom<'b>,
        /// Whether an initial response came along (RFC 4959).
        initial: bool,
    },
    /// Check these and call [`verdict`](super::Server::verdict).
    Credentials(Credentials),
    /// The SASL exchange is over. Complete the command: with `OK` (only possible here, and only after a success), or with `NO`
    /// ([`sasl::Error::Refused`]) or `BAD` (all other errors).
    AuthEnd(Result<(), sasl::Error>),
    /// `APPEND` up to its message. Call [`accept_body`](super::Server::accept_body), or refuse with
    /// [`complete`](super::Server::complete).
    Append {
        /// Its tag.
        tag: Tag<'b>,
        /// Where to.
        mailbox: Mailbox<'b>,
        /// The flags the message shall have.
        flags: FlagSet<'b>,
        /// Its internal date; now if `None`.
        date: Option<DateTime>,
        /// Length of the message in octets, at most [`Limits::body`](wire::Limits::body).
        len: u64,
        /// It may hold NUL (RFC 3516).
        binary: bool,
    },
    /// Octets of the message; how they are cut means nothing.
    BodyChunk(&'b [u8]),
    /// The message has come as announced, and so has the end of its command: complete it.
    BodyEnd,
    /// `IDLE`. Call [`accept_idle`](super::Server::accept_idle), or refuse with
    /// [`complete`](super::Server::complete).
    Idle {
        /// Its tag.
        tag: Tag<'b>,
    },
    /// `DONE`: complete the IDLE.
    IdleDone,
}
