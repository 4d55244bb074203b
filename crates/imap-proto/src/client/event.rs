//! What a client's machine reports.

use alloc::boxed::Box;

use crate::grammar::{ParseError, SearchNumbers};
use crate::types::{BodyName, FetchData, Response, StatusResponse};

/// Names one command on one connection; later commands compare greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(pub(super) u64);

/// Something the server said, or something the machine needs from its caller.
///
/// Borrowed parts live in the input buffer until the next `advance`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event<'b> {
    /// The greeting (`OK` or `PREAUTH`).
    Greeting(StatusResponse<'static>),
    /// An untagged `OK`, `NO` or `BAD`, secrets taken out.
    Status(StatusResponse<'static>),
    /// Untagged data other than the kinds below.
    Data(Box<Response<'b>>),
    /// A stretch of a SEARCH result. Results are streamed: a line can hold millions of numbers.
    Numbers {
        /// The numbers in order.
        numbers: SearchNumbers<'b>,
        /// Whether the line ends here.
        last: bool,
    },
    /// FETCH data, item by item.
    Fetch(Fetch<'b>),
    /// An untagged response that cannot be parsed. Its end is known, so nothing else is lost.
    Malformed {
        /// What is wrong with it.
        error: ParseError,
        /// Its octets (of FETCH data: what was left of them), up to the first that may be of this connection's credentials.
        raw: &'b [u8],
    },
    /// The server invites the message octets of an APPEND: call [`write_body`](super::Client::write_body).
    WantsBody(CommandId),
    /// The server has accepted IDLE.
    Idling(CommandId),
    /// The reply to a command.
    Completed(Box<Completed>),
}

/// FETCH data of one message: `Start`, any number of items and bodies, `End`.
#[derive(Clone, Debug, PartialEq)]
pub enum Fetch<'b> {
    /// Data for the message with this sequence number begins.
    Start(u32),
    /// An item whose value is complete.
    Item(FetchData<'b>),
    /// A body begins: its octets follow as chunks.
    Body {
        /// Which octets of the message.
        name: BodyName<'b>,
        /// Where a partial begins.
        origin: Option<u32>,
        /// Length in octets.
        len: u64,
    },
    /// Octets of the body; how they are cut means nothing.
    Chunk(&'b [u8]),
    /// The body is complete: as many octets have come as were announced.
    BodyEnd,
    /// The data is complete.
    End,
    /// The data of this message broke off: a [`Malformed`](Event::Malformed) event came before. What was received of it must not be
    /// trusted.
    Abandoned,
}

/// The end of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completed {
    /// Which command.
    pub id: CommandId,
    /// The tagged reply, secrets taken out.
    pub status: StatusResponse<'static>,
    /// Why a sign-in was refused, as far as the SASL exchange knows.
    pub sign_in: Option<sasl::Failure>,
}
