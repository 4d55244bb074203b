//! Bounds on what a peer may make an exchange do.

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

impl Default for Limits {
    fn default() -> Self {
        Self { message: 64 * 1024, rounds: 8 }
    }
}
