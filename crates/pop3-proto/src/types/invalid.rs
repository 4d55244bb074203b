//! The error of every constructor: the value would not be sayable in POP3.

use core::fmt;

/// Why a value was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidKind {
    /// There must be at least one octet.
    Empty,
    /// The octet at this position (from 0) may not appear.
    Octet {
        /// Position of the first octet that may not appear, counted from 0.
        at: usize,
    },
    /// Longer than the protocol allows.
    TooLong {
        /// The greatest length allowed, in octets.
        max: usize,
    },
    /// The value would be read as something else.
    Ambiguous,
}

/// A value that cannot be said in POP3 was refused; nothing was built and nothing was sent.
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

    /// The kind of value that was refused: `user name`, `password`, `unique-id` …
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
            InvalidKind::Empty => write!(f, "the {what} is empty, so nothing was sent; give one"),
            InvalidKind::Octet { at } => write!(
                f,
                "the {what} holds an octet at position {at} that POP3 does not allow there (a line end or a space \
                 for example), so nothing was sent; remove it"
            ),
            InvalidKind::TooLong { max } => {
                write!(
                    f,
                    "the {what} is longer than the {max} octets that POP3 allows, so nothing was sent; shorten it"
                )
            }
            InvalidKind::Ambiguous => {
                write!(f, "the {what} would be read as something else, so nothing was sent; reword it")
            }
        }
    }
}

impl core::error::Error for Invalid {}

/// Refuses the empty value, more than `max` octets, and the first octet for which `allowed` is false.
pub(crate) fn check(
    what: &'static str,
    octets: &[u8],
    max: usize,
    allowed: impl Fn(u8) -> bool,
) -> Result<(), Invalid> {
    if octets.is_empty() {
        return Err(Invalid::new(what, InvalidKind::Empty));
    }
    if octets.len() > max {
        return Err(Invalid::new(what, InvalidKind::TooLong { max }));
    }
    match octets.iter().position(|&o| !allowed(o)) {
        Some(at) => Err(Invalid::new(what, InvalidKind::Octet { at })),
        None => Ok(()),
    }
}
