//! What every server says of a client that is gone.

use core::fmt;

/// Where in the conversation the client closed its side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Whence {
    /// Between commands.
    Idle,
    /// Inside a command.
    Command,
    /// Inside a message, where the protocol brings messages to the server.
    Message,
    /// Inside a SASL exchange.
    SignIn,
    /// Between the consent to STARTTLS or STLS and the TLS handshake.
    StartTls,
}

impl fmt::Display for Whence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Idle => "the client closed the connection without taking leave",
            Self::Command => "the client closed the connection inside a command, which was not executed",
            Self::Message => {
                "the client closed the connection inside a message; what came of it must be discarded"
            }
            Self::SignIn => "the client closed the connection inside a SASL exchange",
            Self::StartTls => "the client closed the connection instead of starting TLS",
        })
    }
}

/// What the server was waiting for when the client ran out of time. How long it waits is in the protocol's `Timeouts`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Wait {
    /// A successful sign-in.
    SignIn,
    /// Any sign of life inside a command, a reply or a message.
    Stall,
    /// The next command.
    Idle,
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SignIn => "the client did not sign in in time; the connection was closed",
            Self::Stall => "the client stopped sending or reading; the connection was closed",
            Self::Idle => "the client was idle for too long; the connection was closed",
        })
    }
}
