//! What the server machine is told before it starts.

use core::time::Duration;

use wire::{Limits, Security};

use crate::session::Dialect;

/// What happens to a message that holds a CR or LF standing alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Newlines {
    /// It is refused when it is complete ([`MessageFault::BareNewline`](super::MessageFault::BareNewline), 550 5.6.11): passed on, it could
    /// be two messages to somebody else (SV-18).
    #[default]
    Refuse,
    /// It is handed over as it is. Only for an application that passes nothing on.
    Keep,
}

/// How long the client may take for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// From the start (and again from the start of TLS) to a successful sign-in, where one is required. 60 s.
    pub sign_in: Duration,
    /// For a command or a message that has begun to move on, at one octet per second or more. 5 min (RFC 5321 section 4.5.3.2.7).
    pub stall: Duration,
    /// For the next command. 5 min.
    pub idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            sign_in: Duration::from_secs(60),
            stall: Duration::from_secs(5 * 60),
            idle: Duration::from_secs(5 * 60),
        }
    }
}

/// Settings of a [`Server`](super::Server).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// What protects the connection. Credentials are refused without TLS unless this is
    /// [`Security::DangerousPlaintext`].
    pub security: Security,
    /// SMTP or LMTP.
    pub dialect: Dialect,
    /// Refuse messages without TLS. On for [`Security::StartTls`].
    pub require_tls: bool,
    /// Refuse messages before a sign-in, as submission servers do (RFC 6409 section 4.3). Off.
    pub require_auth: bool,
    /// Most recipients of one message. 1,000.
    pub recipients: usize,
    /// What happens to a message with line ends that are not CRLF. Not looked at when it is `BINARYMIME`.
    pub newlines: Newlines,
    /// Bounds on what the client may send. [`Limits::body`] is for the message, together with the `SIZE` that the reply to EHLO
    /// named.
    pub limits: Limits,
    /// Bounds on how long it may take.
    pub timeouts: Timeouts,
}

impl Config {
    /// Defaults for a connection that is protected as said.
    pub fn new(security: Security) -> Self {
        Self {
            security,
            dialect: Dialect::default(),
            require_tls: security == Security::StartTls,
            require_auth: false,
            recipients: 1_000,
            newlines: Newlines::default(),
            limits: Limits::default(),
            timeouts: Timeouts::default(),
        }
    }
}
