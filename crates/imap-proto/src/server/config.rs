//! What the server machine is told before it starts.

use core::time::Duration;

use wire::{Limits, Security};

/// Which literals a client may send without being asked (RFC 7888). What is advertised is the application's business
/// and should agree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rush {
    /// None: neither `LITERAL+` nor `LITERAL-`.
    Never,
    /// Up to 4,096 octets: `LITERAL-`.
    Small,
    /// Any that the limits allow: `LITERAL+`.
    #[default]
    Always,
}

/// How long the client may take for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// From the start (and again from the start of TLS) to a successful sign-in, however busy the client is. The
    /// application's own time is not cut short. 60 s.
    pub sign_in: Duration,
    /// For a command, a message or a reply that has begun to move on, at one octet per second or more. 5 min.
    pub stall: Duration,
    /// Without any octet between commands. RFC 3501 section 5.4 demands at least 30 min, the default.
    pub idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            sign_in: Duration::from_secs(60),
            stall: Duration::from_secs(5 * 60),
            idle: Duration::from_secs(30 * 60),
        }
    }
}

/// Settings of a [`Server`](super::Server).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// What protects the connection. Credentials are refused without TLS unless this is
    /// [`Security::DangerousPlaintext`].
    pub security: Security,
    /// Bounds on what the client may send. [`Limits::body`] is for the message of APPEND.
    pub limits: Limits,
    /// Bounds on how long it may take.
    pub timeouts: Timeouts,
    /// Which literals may come unasked.
    pub rush: Rush,
    /// Text behind the `+` that asks for a literal. Without CR and LF.
    pub go_ahead: &'static str,
    /// Ask for a SASL response by `+` alone instead of `+ ` when there is nothing to say, as Exchange Online does.
    pub bare_plus: bool,
}

impl Config {
    /// Defaults for a connection that is protected as said.
    pub fn new(security: Security) -> Self {
        Self {
            security,
            limits: Limits::default(),
            timeouts: Timeouts::default(),
            rush: Rush::default(),
            go_ahead: "Ready for literal data",
            bare_plus: false,
        }
    }
}
