//! What a message is known by from session to session (RFC 1939 section 7, UIDL).

use alloc::borrow::Cow;
use core::fmt;

use super::{Invalid, check};

/// A unique-id: one to 70 octets of printable ASCII without space. It means nothing but itself, case counts.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UniqueId<'a>(Cow<'a, str>);

impl<'a> UniqueId<'a> {
    /// Longest unique-id, in octets.
    pub const MAX: usize = 70;

    /// Takes a unique-id.
    ///
    /// # Errors
    /// [`Invalid`] when it is none.
    pub fn new(id: impl Into<Cow<'a, str>>) -> Result<Self, Invalid> {
        let id = id.into();
        check("unique-id", id.as_bytes(), Self::MAX, |o| o.is_ascii_graphic())?;
        Ok(Self(id))
    }

    /// The octets as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same, borrowing nothing.
    pub fn into_owned(self) -> UniqueId<'static> {
        UniqueId(Cow::Owned(self.0.into_owned()))
    }
}

impl fmt::Debug for UniqueId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for UniqueId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
