//! What ends a connection from the server's point of view, and what is wrong with commands and messages.

use core::fmt;

use wire::Limit;
pub use wire::server::{Wait, Whence};

use crate::grammar::{ParseError, ParseErrorKind};
use crate::types::Reply;

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
            Self::Closed(Whence::Idle) => f.write_str("the client closed the connection without QUIT"),
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

/// What is wrong with a command. [`reply`](Self::reply) is the answer that the standards name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It does not follow the grammar.
    Syntax(ParseError),
    /// Not now: something else has to come first, or the message has failed already.
    Sequence,
    /// It is not offered to this client.
    NotOffered,
    /// A parameter is not offered to this client.
    Parameter,
    /// Without TLS there are no credentials and, where TLS is required, no messages.
    NoTls,
    /// Without a sign-in there are no messages.
    AuthRequired,
    /// The server greeted by refusing service: only QUIT is left.
    NoService,
    /// An address outside ASCII in a message that was not begun with SMTPUTF8 (RFC 6531 section 3.5).
    NeedsSmtpUtf8,
    /// The message is, or is said to be, larger than this server takes.
    TooLarge,
    /// There are too many recipients; the message may be sent to those accepted and then to the rest.
    TooManyRecipients,
    /// Something came behind DATA without waiting for the reply (RFC 2920 section 3.1). It may be a message that would be read as commands.
    Pipelining,
    /// It goes beyond a limit.
    Limit(Limit),
}

impl Fault {
    /// The usual reply.
    pub fn reply(&self) -> Reply {
        let (code, enhanced, text) = match self {
            Self::Syntax(e) => match (e.kind, e.rule) {
                (ParseErrorKind::UnknownCommand, _) => (500, (5, 2), "Command not recognized"),
                (ParseErrorKind::LineEnd, _) => (500, (5, 2), "Line must end in CRLF"),
                (ParseErrorKind::UnknownParameter, _) => (555, (5, 4), "Unsupported parameter"),
                (_, "reverse-path") => (501, (1, 7), "Bad sender address syntax"),
                (_, "forward-path") => (501, (1, 3), "Bad recipient address syntax"),
                _ => (501, (5, 4), "Syntax error in parameters"),
            },
            Self::Sequence => (503, (5, 1), "Bad sequence of commands"),
            Self::NotOffered => (502, (5, 1), "Command not implemented"),
            Self::Parameter => (555, (5, 4), "Unsupported parameter"),
            Self::NoTls => (530, (7, 0), "Must issue a STARTTLS command first"),
            Self::AuthRequired => (530, (7, 0), "Authentication required"),
            Self::NoService => (503, (3, 2), "No service here"),
            Self::NeedsSmtpUtf8 => (553, (6, 7), "SMTPUTF8 is needed for this address"),
            Self::TooLarge => (552, (3, 4), "Message too large"),
            Self::TooManyRecipients => (452, (5, 3), "Too many recipients"),
            Self::Pipelining => (503, (5, 0), "Improper use of command pipelining"),
            Self::Limit(_) => (500, (5, 2), "Line too long"),
        };
        Reply::ours(code, Some(enhanced), text)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(e) => e.fmt(f),
            Self::Sequence => f.write_str("the command is not allowed now"),
            Self::NotOffered => f.write_str("the command is not offered here"),
            Self::Parameter => f.write_str("a parameter is not offered here"),
            Self::NoTls => f.write_str("this needs TLS; use STARTTLS first"),
            Self::AuthRequired => f.write_str("this needs a sign-in; use AUTH first"),
            Self::NoService => f.write_str("the server has refused service; only QUIT is left"),
            Self::NeedsSmtpUtf8 => f.write_str("the address needs SMTPUTF8"),
            Self::TooLarge => f.write_str("the message is larger than this server takes"),
            Self::TooManyRecipients => f.write_str("there are too many recipients"),
            Self::Pipelining => f.write_str("data came behind DATA before it was asked for"),
            Self::Limit(limit) => write!(f, "the command goes beyond a limit: {limit}"),
        }
    }
}

impl core::error::Error for Fault {}

/// What is wrong with a message, or with a part of it. It was not handed over from there on, and it cannot be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MessageFault {
    /// A CR or LF stands alone.
    BareNewline,
    /// It is larger than this server takes.
    TooLarge,
}

impl MessageFault {
    /// The usual reply.
    pub fn reply(&self) -> Reply {
        match self {
            Self::BareNewline => Reply::ours(550, Some((6, 11)), "Line ends must be CRLF"),
            Self::TooLarge => Fault::TooLarge.reply(),
        }
    }
}

impl fmt::Display for MessageFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BareNewline => "the message holds a CR or LF that stands alone",
            Self::TooLarge => "the message is larger than this server takes",
        })
    }
}

impl core::error::Error for MessageFault {}
