//! What a machine is told before it starts.

use core::time::Duration;

use wire::{Limits, Security};

/// When `AUTHENTICATE` carries the initial response on its own line (RFC 4959).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InitialResponse {
    /// When the server advertises `SASL-IR`.
    #[default]
    Advertised,
    /// Always: for servers that take it without saying so (Yandex).
    Always,
    /// Never.
    Never,
}

/// How long the client waits for what. Absolute unless the text says otherwise; the time in which the application holds an event is
/// its own and not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For the greeting, from the start. 30 s.
    pub greeting: Duration,
    /// For one LOGIN or AUTHENTICATE, first octet to tagged reply. 60 s: Exchange delays refusals on purpose.
    pub auth: Duration,
    /// For a sign of life while a command is in flight: a complete response, or octets of a body at
    /// [`min_rate`](Self::min_rate) over the whole of this time. 60 s.
    pub command: Duration,
    /// For the reply to LOGOUT. 2 s; its absence is no error.
    pub logout: Duration,
    /// Slowest acceptable transfer inside a response, in octets per second. 64.
    pub min_rate: u32,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            greeting: Duration::from_secs(30),
            auth: Duration::from_secs(60),
            command: Duration::from_secs(60),
            logout: Duration::from_secs(2),
            min_rate: 64,
        }
    }
}

/// Settings of a [`Client`](crate::Client).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// What protects the connection.
    pub security: Security,
    /// When an initial response rides on AUTHENTICATE.
    pub initial_response: InitialResponse,
    /// Bounds on what the server may send.
    pub limits: Limits,
    /// Bounds on how long it may take.
    pub timeouts: Timeouts,
}

impl Config {
    /// Defaults for a connection that is protected as said.
    pub fn new(security: Security) -> Self {
        Self {
            security,
            initial_response: InitialResponse::default(),
            limits: Limits::default(),
            timeouts: Timeouts::default(),
        }
    }
}
