//! The password of PASS (RFC 1939 section 7).

use core::fmt;

use wire::{REDACTED, Secret, SecretBytes};

use super::{Invalid, check};

/// A password: any octets but CR, LF and NUL, at least one. Spaces are part of it, as RFC 1939 allows.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(SecretBytes);

impl Password {
    /// Takes octets.
    ///
    /// # Errors
    /// [`Invalid`] when there are none, or for CR, LF or NUL.
    pub fn new(octets: SecretBytes) -> Result<Self, Invalid> {
        check("password", octets.expose(), usize::MAX, |o| !matches!(o, b'\r' | b'\n' | 0))?;
        Ok(Self(octets))
    }

    /// The octets themselves. Do not format them, log them or put them in an error.
    pub fn expose(&self) -> &[u8] {
        self.0.expose()
    }
}

impl TryFrom<&Secret> for Password {
    type Error = Invalid;

    fn try_from(secret: &Secret) -> Result<Self, Invalid> {
        Self::new(SecretBytes::new(secret.expose().as_bytes().to_vec()))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}
