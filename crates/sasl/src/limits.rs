//! Bounds on what a peer may make an exchange do.

use crate::base64;

/// Bounds of one exchange, the same for both sides. Start from `Limits::default()` and change fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Largest message accepted from the peer, in octets after base64 decoding. Default 65 536.
    pub message: usize,
    /// Most challenges a client answers and most responses a server reads in one exchange, the first
    /// included. Default 8.
    pub rounds: u32,
}

impl Limits {
    /// Longest line of base64 that can hold a message, CRLF included, in octets.
    pub fn line(&self) -> usize {
        base64::encoded_len(self.message).saturating_add(2)
    }
}

/// The part of a connection's limits that an exchange keeps.
impl From<&wire::Limits> for Limits {
    fn from(limits: &wire::Limits) -> Self {
        Self { message: limits.sasl_challenge, rounds: limits.sasl_rounds }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { message: 64 * 1024, rounds: 8 }
    }
}
