//! What ends a connection from the server's point of view.

use core::fmt;

use wire::Limit;
pub use wire::server::{Wait, Whence};

use crate::grammar::ParseError;
use crate::session::State;

/// Why a connection ended. Reported once, as the last event. Holds nothing that the client sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The client closed its side.
    Closed(Whence),
    /// The client let this wait of [`Timeouts`](super::Timeouts) run out.
    TimedOut(Wait),
    /// Octets arrived between STARTTLS and the TLS handshake. They were not looked at.
    StarttlsInjection,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(Whence::Idle) => f.write_str("the client closed the connection without LOGOUT"),
            Self::Closed(Whence::Message) => f.write_str(
                "the client closed the connection inside the message of an APPEND; what came of it must be discarded",
            ),
            Self::Closed(whence) => whence.fmt(f),
            Self::TimedOut(wait) => wait.fmt(f),
            Self::StarttlsInjection => f.write_str(
                "the client sent data behind STARTTLS before TLS had begun; it was discarded and the connection closed, \
                 because it may come from somebody else",
            ),
        }
    }
}

impl core::error::Error for Error {}

/// What is wrong with a command. The application chooses the words of the `BAD` (or `NO`) it answers with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// There is no valid tag, so the answer is untagged.
    Tag,
    /// It does not follow the grammar.
    Syntax(ParseError),
    /// It is not allowed in this state (RFC 3501 section 3).
    State(State),
    /// Credentials without TLS.
    NoTls,
    /// It goes beyond a limit.
    Limit(Limit),
    /// A literal came unasked where that is not allowed (RFC 7888).
    Rush,
    /// Another message, or anything else, behind the message of an APPEND.
    BehindMessage,
    /// Something other than `DONE` during IDLE (RFC 2177). IDLE is over.
    NotDone,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag => f.write_str("the line has no valid tag"),
            Self::Syntax(e) => e.fmt(f),
            Self::State(_) => f.write_str("the command is not allowed in this state"),
            Self::NoTls => f.write_str("credentials are not accepted without TLS; use STARTTLS first"),
            Self::Limit(limit) => write!(f, "the command goes beyond a limit: {limit}"),
            Self::Rush => {
                f.write_str("the literal must not be sent without being asked for; use {n} instead of {n+}")
            }
            Self::BehindMessage => {
                f.write_str("the command goes on behind the message; send one message per APPEND")
            }
            Self::NotDone => f.write_str("only DONE ends IDLE"),
        }
    }
}

impl core::error::Error for Fault {}
