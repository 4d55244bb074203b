//! What ends a connection, and what a caller did at the wrong time.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use wire::Limit;

use crate::types::Reply;

/// Why a connection ended. Reported once, as the last event; the machine asks for nothing but
/// [`Close`](wire::Need::Close) afterwards.
///
/// Texts that came from the peer are free of secrets and of control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The peer broke the protocol in a way that leaves no place to go on from.
    Peer {
        /// The rule that was broken.
        rule: &'static str,
        /// What was there instead.
        found: String,
    },
    /// The first line is no POP3 greeting: another protocol, a proxy's error page, a wrong port.
    NotPop3 {
        /// The first octets, printable.
        found: String,
    },
    /// The server greeted with `-ERR`: it does not want to be talked to now.
    Unwelcome(Box<Reply<'static>>),
    /// The peer went beyond a limit.
    Limit(Limit),
    /// The SASL exchange broke down (not: was refused).
    Sasl(sasl::Error),
    /// Time ran out.
    TimedOut(Wait),
    /// The stream ended.
    Closed(Whence),
    /// The server said something while no command was in flight. Usually it says why it is about to hang up.
    Unasked {
        /// Its words.
        text: String,
    },
    /// Octets arrived between the reply to STLS and the TLS handshake: somebody put them there.
    StlsInjection,
}

/// What was being waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Wait {
    /// The greeting.
    Greeting,
    /// The end of a sign-in.
    Auth,
    /// A sign of life from a command in flight.
    Command,
    /// The reply to a QUIT with deletions: whether they were carried out is unknown.
    Quit,
}

/// Where in the conversation the stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Whence {
    /// Before the greeting.
    Greeting,
    /// Inside a status line or a listing.
    Reply,
    /// Inside a message, which is not complete.
    Message,
    /// Between replies, with commands waiting for theirs.
    Command,
    /// Before the reply to a QUIT with deletions: whether they were carried out is unknown.
    Quit,
    /// Between replies, nothing waiting.
    Idle,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Peer { rule, found } => write!(f, "the server broke the protocol: no valid {rule} in \"{found}\""),
            Self::NotPop3 { found } => {
                write!(f, "this is not a POP3 server; it began with \"{found}\". Check host and port")
            }
            Self::Unwelcome(reply) => {
                write!(f, "the server refuses the connection: {}. Try again later", reply.text)
            }
            Self::Limit(limit) => write!(f, "the server went beyond a limit: {limit}"),
            Self::Sasl(e) => write!(f, "the sign-in exchange broke down: {e}"),
            Self::TimedOut(Wait::Greeting) => f.write_str("the server sent no greeting in time"),
            Self::TimedOut(Wait::Auth) => f.write_str("the server did not finish the sign-in in time"),
            Self::TimedOut(Wait::Command) => f.write_str("the server stopped answering"),
            Self::TimedOut(Wait::Quit) => f.write_str(
                "the server did not answer QUIT in time; the messages marked as deleted may be there still",
            ),
            Self::Closed(Whence::Greeting) => f.write_str("the server closed the connection before greeting"),
            Self::Closed(Whence::Message) => {
                f.write_str("the connection ended inside a message; what came of it must be discarded")
            }
            Self::Closed(Whence::Reply) => f.write_str("the connection ended inside a reply"),
            Self::Closed(Whence::Command) => f.write_str("the connection ended before the server had answered"),
            Self::Closed(Whence::Quit) => f.write_str(
                "the connection ended before the server had answered QUIT; the messages marked as deleted may be there \
                 still",
            ),
            Self::Closed(Whence::Idle) => f.write_str("the server closed the connection"),
            Self::Unasked { text } => write!(
                f,
                "the server spoke without being asked and can no longer be followed; it said \"{text}\". Connect anew"
            ),
            Self::StlsInjection => f.write_str(
                "data arrived between the server's consent to STLS and the handshake; somebody is tampering with the \
                 connection, nothing was sent",
            ),
        }
    }
}

impl core::error::Error for Error {}

/// A call at the wrong time or with values that cannot be sent. Nothing has been sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misuse {
    /// The call is not allowed in the state the session is in (RFC 1939 section 3).
    State,
    /// A credential would go out without TLS.
    NoTls,
    /// The server's greeting has no timestamp for APOP, or it was said before TLS.
    NoTimestamp,
    /// Too many commands are waiting.
    TooManyCommands,
    /// No message is being written.
    NoBody,
    /// The message holds a CR or LF that stands alone, and the configuration refuses that.
    BareNewline {
        /// Where, in octets from the start of the message.
        offset: u64,
    },
    /// The connection is over.
    Over,
    /// A value cannot be written in POP3's grammar.
    Invalid(crate::types::Invalid),
    /// The mechanism refuses the credentials.
    Sasl(sasl::Error),
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State => f.write_str("the command is not allowed in this state"),
            Self::NoTls => f.write_str("credentials are not sent without TLS"),
            Self::NoTimestamp => {
                f.write_str("the server offers no APOP on this connection; sign in by AUTH or a password")
            }
            Self::TooManyCommands => f.write_str("too many commands are waiting"),
            Self::NoBody => f.write_str("there is no message to write"),
            Self::BareNewline { offset } => write!(
                f,
                "a line end at octet {offset} of the message is not CRLF; mend the message, or allow it to be normalised"
            ),
            Self::Over => f.write_str("the connection is over"),
            Self::Invalid(e) => e.fmt(f),
            Self::Sasl(e) => e.fmt(f),
        }
    }
}

impl core::error::Error for Misuse {}
