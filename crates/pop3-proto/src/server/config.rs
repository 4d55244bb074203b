//! What the server machine is told before it starts.

use core::time::Duration;

use wire::dot::BareNewline;
use wire::{Limits, Security};

/// How long the client may take for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// From the start (and again from the start of TLS) to a successful sign-in, however busy the client is. The
    /// application's own time is not cut short. 60 s.
    pub sign_in: Duration,
    /// Inside a command or a reply, when octets do not flow at [`min_rate`](Self::min_rate) over the whole of this time.
    /// 5 min.
    pub stall: Duration,
    /// Without a command. RFC 1939 section 3 demands at least 10 min, the default.
    pub idle: Duration,
    /// Slowest acceptable transfer inside a command or a reply, in octets per second. 16.
    pub min_rate: u32,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            sign_in: Duration::from_secs(60),
            stall: Duration::from_secs(5 * 60),
            idle: Duration::from_secs(10 * 60),
            min_rate: 16,
        }
    }
}

/// Settings of a [`Server`](super::Server).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// What protects the connection. Credentials are refused without TLS unless this is
    /// [`Security::DangerousPlaintext`].
    pub security: Security,
    /// Bounds on what the client may send.
    pub limits: Limits,
    /// Bounds on how long it may take.
    pub timeouts: Timeouts,
    /// Longest command line that is taken, in octets with its CRLF. RFC 2449 section 4 wants 255; the default is 8 KiB, because
    /// clients exist that put a token on the AUTH line or use one as a password. SASL responses have a limit of their own
    /// ([`Limits::sasl_challenge`]).
    pub longest_command: usize,
    /// What becomes of a CR or LF that stands alone in a message that goes out.
    pub bare_newline: BareNewline,
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
            longest_command: 8 << 10,
            bare_newline: BareNewline::default(),
            bare_plus: false,
        }
    }
}
