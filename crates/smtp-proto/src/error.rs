//! What ends a client's connection, and what a caller did at the wrong time.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use wire::Limit;

use crate::client::CommandId;
use crate::types::{Invalid, Reply};

/// Why a connection ended. Reported once, as the last event; the machine asks for nothing but
/// [`Close`](wire::Need::Close) afterwards.
///
/// Texts that came from the peer are free of secrets and of control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// A message had been handed over completely, and then the connection ended without the server's reply. Whether it will be
    /// delivered is **not known**: sending it again may make a duplicate, not sending it may lose it (RFC 5321 section 4.5.3.2.6).
    ///
    /// In LMTP the recipients that have been [reported](crate::Event::PerRecipient) are known.
    Unknown {
        /// Which message.
        id: CommandId,
        /// Why the connection ended.
        cause: Box<Error>,
    },
    /// The server did not greet with 220. 554: it gives no service; 421: not now.
    Greeting {
        /// What it said.
        reply: Reply,
    },
    /// The first line is no SMTP greeting: another protocol, a proxy's error page, a wrong port.
    NotSmtp {
        /// The first octets, printable.
        found: String,
    },
    /// The server ends the session (421). Trying again later may succeed. A command that this was the reply to has been reported.
    ServiceClosing {
        /// What it said.
        reply: Reply,
    },
    /// The peer broke the protocol in a way that leaves no place to go on from.
    Peer {
        /// The rule (ABNF name) that was broken.
        rule: &'static str,
        /// What was there instead.
        found: String,
    },
    /// A reply that nothing had asked for, or one that cannot be the reply to what had been asked: it is no longer known which reply
    /// belongs to which command.
    Desync {
        /// The verb of the command that was waiting, if one was.
        command: Option<&'static str>,
        /// What came.
        reply: Reply,
    },
    /// The server replied before the end of a message sent by DATA. The message was not completed; it has been reported as rejected if
    /// the reply was a refusal.
    EarlyReply {
        /// What it said.
        reply: Reply,
    },
    /// The caller gave a message up in the middle of DATA; only closing the connection keeps it from being delivered in part.
    Aborted,
    /// A reply of more than [`Reply::LINES`] lines or, all lines together, more octets than the limit for a line.
    ReplyTooLong,
    /// The peer went beyond a limit.
    Limit(Limit),
    /// The SASL exchange broke down (not: was refused).
    Sasl(sasl::Error),
    /// Time ran out.
    TimedOut(Wait),
    /// The stream ended.
    Closed(Whence),
    /// Octets arrived between the reply to STARTTLS and the TLS handshake: somebody put them there.
    StarttlsInjection,
}

/// What was being waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Wait {
    /// The greeting.
    Greeting,
    /// The end of AUTH.
    Auth,
    /// The reply to a command.
    Command,
    /// Octets of a message to be taken.
    Body,
    /// The reply to a complete message.
    Outcome,
}

/// Where in the conversation the stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Whence {
    /// Before the greeting.
    Greeting,
    /// Inside a reply.
    Reply,
    /// Inside a message, which the server therefore has not got.
    Body,
    /// With commands waiting for their reply.
    Command,
    /// With nothing waiting.
    Idle,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { cause, .. } => write!(
                f,
                "the whole message was handed over, but its outcome is unknown: {cause}. Look for it at its destination before \
                 sending it again"
            ),
            Self::Greeting { reply } => write!(f, "the server gives no service: {reply}"),
            Self::NotSmtp { found } => {
                write!(f, "this is not an SMTP server; it began with \"{found}\". Check host and port")
            }
            Self::ServiceClosing { reply } => write!(f, "the server ended the session: {reply}. Try again later"),
            Self::Peer { rule, found } => write!(f, "the server broke the protocol: no valid {rule} in \"{found}\""),
            Self::Desync { command: Some(command), reply } => {
                write!(f, "the server's replies are out of step: \"{reply}\" is no reply to {command}; the connection was given up")
            }
            Self::Desync { command: None, reply } => {
                write!(f, "the server's replies are out of step: nothing had asked for \"{reply}\"; the connection was given up")
            }
            Self::EarlyReply { reply } => {
                write!(f, "the server replied before the message was complete: {reply}. The message was not sent")
            }
            Self::Aborted => f.write_str("the message was given up before it was complete; the server has not got it"),
            Self::ReplyTooLong => f.write_str("the server's reply does not end; the connection was given up"),
            Self::Limit(limit) => write!(f, "the server went beyond a limit: {limit}"),
            Self::Sasl(e) => write!(f, "the sign-in exchange broke down: {e}"),
            Self::TimedOut(Wait::Greeting) => f.write_str("the server sent no greeting in time"),
            Self::TimedOut(Wait::Auth) => f.write_str("the server did not finish the sign-in in time"),
            Self::TimedOut(Wait::Command) => f.write_str("the server stopped answering"),
            Self::TimedOut(Wait::Body) => f.write_str("the server stopped taking the message"),
            Self::TimedOut(Wait::Outcome) => f.write_str("the server did not say in time what becomes of the message"),
            Self::Closed(Whence::Greeting) => f.write_str("the server closed the connection before greeting"),
            Self::Closed(Whence::Reply) => f.write_str("the connection ended inside a reply"),
            Self::Closed(Whence::Body) => {
                f.write_str("the connection ended inside a message, which the server therefore has not got")
            }
            Self::Closed(Whence::Command) => f.write_str("the connection ended before the server had answered"),
            Self::Closed(Whence::Idle) => f.write_str("the server closed the connection"),
            Self::StarttlsInjection => f.write_str(
                "data arrived between the server's consent to STARTTLS and the handshake; somebody is tampering with the \
                 connection, nothing was sent",
            ),
        }
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Unknown { cause, .. } => Some(cause.as_ref()),
            Self::Sasl(e) => Some(e),
            _ => None,
        }
    }
}

/// A call at the wrong time or with values that cannot be sent. Nothing of it has been sent, but for the two that say so.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misuse {
    /// The command is not allowed in the state the session is in.
    State,
    /// Credentials would go out without TLS, or a message on a connection that is to be upgraded first.
    NoTls,
    /// Too many commands are waiting.
    TooManyCommands,
    /// There is no message to write, or it is complete.
    NoBody,
    /// The connection is over.
    Over,
    /// A value cannot be written.
    Invalid(Invalid),
    /// The mechanism refuses the credentials.
    Sasl(sasl::Error),
    /// What is asked for needs an extension that the server does not offer, or not to this extent.
    Unsupported {
        /// Its keyword in the reply to EHLO.
        extension: &'static str,
    },
    /// An address holds characters outside ASCII and the server does not offer SMTPUTF8 (RFC 6531). There is no way to write the address
    /// differently that is known to mean the same.
    NeedsSmtpUtf8,
    /// The message is larger than the server takes (RFC 1870).
    TooLarge {
        /// Its length in octets.
        size: u64,
        /// The server's limit.
        limit: u64,
    },
    /// The envelope has no recipient.
    NoRecipients,
    /// The server said that it takes no more (RFC 9422).
    ServerLimit {
        /// The name of the limit: `MAILMAX`, `RCPTMAX`, `RCPTDOMAINMAX`.
        name: &'static str,
        /// The limit.
        limit: u32,
    },
    /// The message holds a CR or LF that stands alone, and the caller wanted that refused. The connection ends without the message having
    /// been completed.
    BareNewline {
        /// Where, in octets from the start of the message.
        offset: u64,
    },
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State => f.write_str("the command is not allowed in this state"),
            Self::NoTls => f.write_str("nothing is sent on this connection without TLS; negotiate TLS first"),
            Self::TooManyCommands => f.write_str("too many commands are waiting"),
            Self::NoBody => f.write_str("there is no message to write"),
            Self::Over => f.write_str("the connection is over"),
            Self::Invalid(e) => e.fmt(f),
            Self::Sasl(e) => e.fmt(f),
            Self::Unsupported { extension } => {
                write!(f, "the server does not offer {extension}, or not to this extent; leave out what needs it")
            }
            Self::NeedsSmtpUtf8 => f.write_str(
                "an address holds characters outside ASCII, which this server does not take (no SMTPUTF8); nothing was sent",
            ),
            Self::TooLarge { size, limit } => {
                write!(f, "the message has {size} octets and the server takes {limit}; nothing was sent")
            }
            Self::NoRecipients => f.write_str("the message has no recipient"),
            Self::ServerLimit { name, limit } => write!(
                f,
                "the server takes no more than {limit} ({name}); divide the recipients or go on with another connection"
            ),
            Self::BareNewline { offset } => write!(
                f,
                "the message holds a line end that is not CRLF at octet {offset}; it was not sent. Convert its line ends"
            ),
        }
    }
}

impl core::error::Error for Misuse {}
