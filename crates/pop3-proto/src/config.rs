//! What a client is told before it starts.

use core::time::Duration;

use wire::{Limits, Security};

/// When `AUTH` carries the initial response on its own line (RFC 5034 section 4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InitialResponse {
    /// Never: the server asks first. Exchange Online wants it so, and no server minds.
    #[default]
    Never,
    /// When the whole line stays within 255 octets, CRLF included.
    WhenShort,
}

/// How long the client waits for what. Absolute unless the text says otherwise; the time in which the application holds an event is
/// its own and not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For the greeting, from the start. 30 s.
    pub greeting: Duration,
    /// For one sign-in, first octet to last reply. 60 s: Exchange delays refusals on purpose.
    pub auth: Duration,
    /// For a sign of life while a command is in flight: a complete line, or octets at [`min_rate`](Self::min_rate) over the
    /// whole of this time. 60 s. Also for the reply to a QUIT that deletes messages.
    pub command: Duration,
    /// For the reply to a QUIT that deletes nothing. 2 s; its absence is no error.
    pub quit: Duration,
    /// Slowest acceptable transfer inside a reply, in octets per second. 64.
    pub min_rate: u32,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            greeting: Duration::from_secs(30),
            auth: Duration::from_secs(60),
            command: Duration::from_secs(60),
            quit: Duration::from_secs(2),
            min_rate: 64,
        }
    }
}

/// Settings of a [`Client`](crate::Client).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// What protects the connection.
    pub security: Security,
    /// When an initial response rides on AUTH.
    pub initial_response: InitialResponse,
    /// Bounds on what the server may send. Status lines and lines of listings: [`Limits::line`], here 4 KiB, eight times what
    /// RFC 1939 allows; [`Limits::pre_auth_line`] before sign-in. A listing, like a message: [`Limits::body`]. A CAPA reply:
    /// [`Limits::pre_auth_total`] at any time.
    pub limits: Limits,
    /// Bounds on how long it may take.
    pub timeouts: Timeouts,
}

impl Config {
    /// Defaults for a connection that is protected as said.
    pub fn new(security: Security) -> Self {
        let mut limits = Limits::default();
        limits.line = 4 << 10;
        limits.pre_auth_line = 4 << 10;
        Self { security, initial_response: InitialResponse::default(), limits, timeouts: Timeouts::default() }
    }
}
