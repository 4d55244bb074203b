//! What a client's machine reports.

use alloc::borrow::Cow;
use alloc::boxed::Box;

use crate::grammar::ParseError;
use crate::types::{Entry, Reply};

/// Names one command on one connection; later commands compare greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(pub(super) u64);

/// Something the server said.
///
/// Every command ends in exactly one [`Completed`](Self::Completed) or, where its success brings lines, one
/// [`End`](Self::End); they come in the order of the commands. Borrowed parts live in the input buffer until the next
/// `advance`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event<'b> {
    /// The greeting.
    Greeting(Reply<'static>),
    /// The command has succeeded and its lines follow.
    MultiStart {
        /// Which command.
        id: CommandId,
        /// The status line, secrets taken out.
        reply: Reply<'static>,
    },
    /// Octets of a message (RETR, TOP), stuffing taken out; how they are cut means nothing.
    Chunk(&'b [u8]),
    /// A line of a listing (LIST, UIDL, CAPA, LANG).
    Entry(Entry<'b>),
    /// A line of a listing that cannot be parsed. Its end is known, so nothing else is lost.
    Malformed {
        /// What is wrong with it.
        error: ParseError,
        /// Its octets without the line end, secrets taken out; of a line beyond [`Limits::line`](wire::Limits::line), as many as
        /// that allows.
        raw: Cow<'b, [u8]>,
    },
    /// The lines are complete, and so is the command.
    End(CommandId),
    /// The reply to a command that brings no lines, or refuses to.
    Completed(Box<Completed>),
}

/// The end of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completed {
    /// Which command.
    pub id: CommandId,
    /// The status line, secrets taken out. For what STAT, LIST, UIDL and LANG say in it see [`Reply::drop_listing`] and its
    /// siblings.
    pub reply: Reply<'static>,
    /// Why a sign-in by AUTH was refused, as far as the SASL exchange knows.
    pub sign_in: Option<sasl::Failure>,
    /// STAT, LIST or UIDL about one message has succeeded, and its status line does not say what it must. Its end is known, so nothing
    /// else is lost.
    pub unreadable: Option<ParseError>,
}
