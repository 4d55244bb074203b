//! The digest of APOP (RFC 1939 section 7).

use core::fmt;

use wire::{REDACTED, Secret};

use super::{Invalid, InvalidKind, check};

/// MD5 of the server's [`Timestamp`](super::Timestamp) followed by the shared secret, as 32 hexadecimal digits.
///
/// This crate computes no digests. What knows the secret does so and gives the digits. A digest is treated as a
/// secret: MD5 lets whoever sees it try passwords at leisure.
#[derive(Clone, PartialEq, Eq)]
pub struct Digest(Secret);

impl Digest {
    /// Takes the digits; they are written in lower case.
    ///
    /// # Errors
    /// [`Invalid`] unless there are 32 hexadecimal digits.
    pub fn new(hex: &Secret) -> Result<Self, Invalid> {
        const LEN: usize = 32;
        check("APOP digest", hex.expose().as_bytes(), LEN, |o| o.is_ascii_hexdigit())?;
        if hex.len() < LEN {
            return Err(Invalid::new("APOP digest", InvalidKind::Octet { at: hex.len() }));
        }
        Ok(Self(Secret::new(hex.expose().to_ascii_lowercase())))
    }

    /// The digits. Do not format them, log them or put them in an error.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}
