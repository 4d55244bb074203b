//! The error of every constructor: the value would not be sayable in IMAP.

use core::fmt;

/// Why a value was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidKind {
    /// There must be at least one element or octet.
    Empty,
    /// The octet at this position (from 0) may not appear.
    Octet {
        /// Position of the first octet that may not appear, counted from 0.
        at: usize,
    },
    /// Longer than the protocol allows.
    TooLong {
        /// The greatest length allowed, in octets or elements.
        max: usize,
    },
    /// A number, date or time outside its range.
    Range,
    /// The text has no valid form of this kind.
    Syntax,
    /// Nested more deeply than this.
    TooDeep {
        /// The greatest depth allowed.
        max: usize,
    },
    /// There is no way to say this value where it stands.
    Unsayable,
}

/// A value that cannot be said in IMAP was refused; nothing was built and nothing was sent.
///
/// It never contains the refused octets, so it may be logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    what: &'static str,
    kind: InvalidKind,
}

impl Invalid {
    pub(crate) const fn new(what: &'static str, kind: InvalidKind) -> Self {
        Self { what, kind }
    }

    pub(crate) const fn octet(what: &'static str, at: usize) -> Self {
        Self::new(what, InvalidKind::Octet { at })
    }

    /// The kind of value that was refused: `tag`, `mailbox`, `flag-keyword` …
    pub const fn what(&self) -> &'static str {
        self.what
    }

    /// Why it was refused.
    pub const fn kind(&self) -> InvalidKind {
        self.kind
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = self.what;
        match self.kind {
            InvalidKind::Empty => write!(f, "{what} is empty; IMAP needs at least one element here"),
            InvalidKind::Octet { at } => {
                write!(f, "{what} holds an octet at position {at} that IMAP does not allow there; remove it")
            }
            InvalidKind::TooLong { max } => write!(f, "{what} is longer than {max}; shorten it"),
            InvalidKind::Range => write!(f, "{what} is out of range; correct the value"),
            InvalidKind::TooDeep { max } => write!(f, "{what} is nested more than {max} deep; flatten it"),
            InvalidKind::Unsayable => {
                write!(f, "{what} cannot be said in IMAP here; leave it out or change it")
            }
            InvalidKind::Syntax => write!(f, "{what} cannot be read; correct its spelling"),
        }
    }
}

impl core::error::Error for Invalid {}

/// Refuses the first octet for which `allowed` is false.
pub(crate) fn check(what: &'static str, octets: &[u8], allowed: impl Fn(u8) -> bool) -> Result<(), Invalid> {
    match octets.iter().position(|&o| !allowed(o)) {
        Some(at) => Err(Invalid::octet(what, at)),
        None => Ok(()),
    }
}
