//! What ends a connection from the server's point of view, and what is wrong with a command.

use core::fmt;

use wire::Limit;
pub use wire::server::{Wait, Whence};

use crate::grammar::ParseError;
use crate::session::State;

/// Why a connection ended. Reported once, as the last event. Holds nothing that the client sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The client closed its side. Without QUIT, what is marked as deleted stays (RFC 1939 section 6).
    Closed(Whence),
    /// The client let this wait of [`Timeouts`](super::Timeouts) run out. What is marked as deleted stays (RFC 1939 section 3).
    TimedOut(Wait),
    /// Octets arrived between STLS and the TLS handshake. They were not looked at.
    StlsInjection,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(Whence::Idle) => f.write_str(
                "the client closed the connection without QUIT; nothing that it marked may be deleted",
            ),
            Self::Closed(whence) => whence.fmt(f),
            Self::TimedOut(Wait::Idle) => f.write_str(
                "the client was idle for too long; the connection was closed and nothing that it marked may be deleted",
            ),
            Self::TimedOut(wait) => wait.fmt(f),
            Self::StlsInjection => f.write_str(
                "the client sent data behind STLS before TLS had begun; it was discarded and the connection closed, \
                 because it may come from somebody else",
            ),
        }
    }
}

impl core::error::Error for Error {}

/// What is wrong with a command. The application chooses the words of the `-ERR` it answers with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It does not follow the grammar.
    Syntax(ParseError),
    /// It is not allowed in this state (RFC 1939 section 3), or it is PASS without an accepted USER before it.
    State(State),
    /// Credentials without TLS.
    NoTls,
    /// It goes beyond a limit.
    Limit(Limit),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(e) => e.fmt(f),
            Self::State(_) => f.write_str("the command is not allowed in this state"),
            Self::NoTls => f.write_str("credentials are not accepted without TLS; use STLS first"),
            Self::Limit(limit) => write!(f, "the command goes beyond a limit: {limit}"),
        }
    }
}

impl core::error::Error for Fault {}
