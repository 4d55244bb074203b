//! What a client is told before it starts.

use core::time::Duration;

use wire::{Limits, Security};

use crate::session::Dialect;

/// When `AUTH` carries the initial response on its own line (RFC 4954 section 4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InitialResponse {
    /// When the whole line stays within 512 octets; longer ones wait for 334. Servers differ in how much more they read: Gmail
    /// refuses at about 700 octets, Dovecot at about 1,050.
    #[default]
    Fitting,
    /// Never.
    Never,
}

/// How long the client waits for what. Those marked * are renewed by each reply and by octets that move at
/// [`min_rate`](Self::min_rate). The time in which the application holds an event is its own and not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For the greeting, from the start. 60 s.
    pub greeting: Duration,
    /// For one AUTH, first octet to last reply. 60 s.
    pub auth: Duration,
    /// * For the reply to any other command. 5 min (RFC 5321 section 4.5.3.2).
    pub command: Duration,
    /// * For octets of a message to move. 3 min (section 4.5.3.2.5).
    pub body: Duration,
    /// * For the reply to a complete message. 10 min (section 4.5.3.2.6): giving up sooner makes duplicates.
    pub outcome: Duration,
    /// For the reply to QUIT. 2 s; its absence is no error.
    pub quit: Duration,
    /// Slowest acceptable transfer, in octets per second. 64.
    pub min_rate: u32,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            greeting: Duration::from_secs(60),
            auth: Duration::from_secs(60),
            command: Duration::from_secs(5 * 60),
            body: Duration::from_secs(3 * 60),
            outcome: Duration::from_secs(10 * 60),
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
    /// SMTP or LMTP.
    pub dialect: Dialect,
    /// When an initial response rides on AUTH.
    pub initial_response: InitialResponse,
    /// Use PIPELINING where it is offered (RFC 2920). On.
    pub pipelining: bool,
    /// Octets of a BDAT chunk, 1 KiB to 1 MiB. 32 KiB.
    pub chunk: usize,
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
            dialect: Dialect::default(),
            initial_response: InitialResponse::default(),
            pipelining: true,
            chunk: 32 << 10,
            limits: Limits::default(),
            timeouts: Timeouts::default(),
        }
    }
}
