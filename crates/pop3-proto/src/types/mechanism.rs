//! Names of SASL mechanisms (RFC 4422 section 3.1).

use alloc::string::String;
use core::fmt;

use super::{Invalid, check};

/// The name of a mechanism: one to twenty of `A`–`Z`, `0`–`9`, `-` and `_`. Lower case is taken and written as upper case.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Mechanism(String);

impl Mechanism {
    /// Takes a name.
    ///
    /// # Errors
    /// [`Invalid`] when it is none.
    pub fn new(name: &str) -> Result<Self, Invalid> {
        check("mechanism name", name.as_bytes(), 20, |o| {
            o.is_ascii_alphanumeric() || matches!(o, b'-' | b'_')
        })?;
        Ok(Self(name.to_ascii_uppercase()))
    }

    /// The name in capitals.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
