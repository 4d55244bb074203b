//! What ends a connection, and what a caller did at the wrong time.

use alloc::string::String;
use core::fmt;

use wire::Limit;

/// Why a connection ended. Reported once, as the last event; the machine asks for nothing but
/// [`Close`](wire::Need::Close) afterwards.
///
/// Texts that came from the peer are free of secrets and of control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The peer broke the protocol in a way that leaves no place to go on from.
    Peer {
        /// The rule (ABNF name) that was broken.
        rule: &'static str,
        /// What was there instead.
        found: String,
    },
    /// The first line is no IMAP greeting: another protocol, a proxy's error page, a wrong port.
    NotImap {
        /// The first octets, printable.
        found: String,
    },
    /// The peer went beyond a limit.
    Limit(Limit),
    /// The SASL exchange broke down (not: was refused).
    Sasl(sasl::Error),
    /// Time ran out.
    TimedOut(Wait),
    /// The stream ended.
    Closed(Whence),
    /// The server said BYE without being asked to.
    Bye {
        /// Its words.
        text: String,
    },
    /// Octets arrived between the reply to STARTTLS and the TLS handshake: somebody put them there.
    StarttlsInjection,
    /// The server greeted with PREAUTH where TLS was to be negotiated first: STARTTLS is impossible then.
    PreauthWithoutTls,
    /// A tagged reply to a command that was never sent.
    UnexpectedTag {
        /// The tag, printable.
        tag: String,
    },
}

/// What was being waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Wait {
    /// The greeting.
    Greeting,
    /// The end of LOGIN or AUTHENTICATE.
    Auth,
    /// A sign of life from a command in flight.
    Command,
}

/// Where in the conversation the stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Whence {
    /// Before the greeting.
    Greeting,
    /// Inside a response.
    Response,
    /// Inside a message body.
    Body,
    /// Between responses, with commands waiting for their reply.
    Command,
    /// Between responses, nothing waiting.
    Idle,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Peer { rule, found } => write!(f, "the server broke the protocol: no valid {rule} in \"{found}\""),
            Self::NotImap { found } => {
                write!(f, "this is not an IMAP server; it began with \"{found}\". Check host and port")
            }
            Self::Limit(limit) => write!(f, "the server went beyond a limit: {limit}"),
            Self::Sasl(e) => write!(f, "the sign-in exchange broke down: {e}"),
            Self::TimedOut(Wait::Greeting) => f.write_str("the server sent no greeting in time"),
            Self::TimedOut(Wait::Auth) => f.write_str("the server did not finish the sign-in in time"),
            Self::TimedOut(Wait::Command) => f.write_str("the server stopped answering"),
            Self::Closed(Whence::Greeting) => f.write_str("the server closed the connection before greeting"),
            Self::Closed(Whence::Body) => f.write_str("the connection ended inside a message"),
            Self::Closed(Whence::Response) => f.write_str("the connection ended inside a response"),
            Self::Closed(Whence::Command) => f.write_str("the connection ended before the server had answered"),
            Self::Closed(Whence::Idle) => f.write_str("the server closed the connection"),
            Self::Bye { text } => write!(f, "the server ended the session: {text}"),
            Self::StarttlsInjection => f.write_str(
                "data arrived between the server's consent to STARTTLS and the handshake; somebody is tampering with the \
                 connection, nothing was sent",
            ),
            Self::PreauthWithoutTls => f.write_str(
                "the server claims to be signed in already (PREAUTH), which makes STARTTLS impossible; nothing was sent",
            ),
            Self::UnexpectedTag { tag } => write!(f, "the server answered a command that was never sent (tag \"{tag}\")"),
        }
    }
}

impl core::error::Error for Error {}

/// A call at the wrong time or with values that cannot be sent. Nothing has been sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misuse {
    /// The command is not allowed in the state the session is in (RFC 3501 section 3).
    State,
    /// A credential would go out without TLS.
    NoTls,
    /// The server forbids LOGIN (`LOGINDISABLED`).
    LoginDisabled,
    /// Too many commands are waiting.
    TooManyCommands,
    /// There is no body to write, or it is complete.
    NoBody,
    /// The connection is over.
    Over,
    /// A value cannot be written in IMAP's grammar.
    Invalid(crate::types::Invalid),
    /// The mechanism refuses the credentials.
    Sasl(sasl::Error),
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State => f.write_str("the command is not allowed in this state"),
            Self::NoTls => f.write_str("credentials are not sent without TLS"),
            Self::LoginDisabled => f.write_str("the server forbids LOGIN; use a SASL mechanism"),
            Self::TooManyCommands => f.write_str("too many commands are waiting"),
            Self::NoBody => f.write_str("there is no message body to write"),
            Self::Over => f.write_str("the connection is over"),
            Self::Invalid(e) => e.fmt(f),
            Self::Sasl(e) => e.fmt(f),
        }
    }
}

impl core::error::Error for Misuse {}
