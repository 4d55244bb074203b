//! The error of every constructor: the value would not be sayable in SMTP.

use core::fmt;

/// Why a value was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidKind {
    /// There must be at least one octet or element.
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
    /// A number outside its range.
    Range,
    /// The text has no valid form of this kind.
    Syntax,
}

/// A value that cannot be said in SMTP was refused; nothing was built and nothing was sent.
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

    pub(crate) const fn syntax(what: &'static str) -> Self {
        Self::new(what, InvalidKind::Syntax)
    }

    /// The kind of value that was refused: `local part`, `EHLO name`, `ENVID` …
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
            InvalidKind::Empty => write!(f, "the {what} is empty; give one"),
            InvalidKind::Octet { at } => {
                write!(
                    f,
                    "the {what} holds an octet at position {at} that SMTP does not allow there; remove it"
                )
            }
            InvalidKind::TooLong { max } => write!(f, "the {what} is longer than {max}; shorten it"),
            InvalidKind::Range => write!(f, "the {what} is out of range; correct the value"),
            InvalidKind::Syntax => write!(f, "the {what} cannot be read; correct its spelling"),
        }
    }
}

impl core::error::Error for Invalid {}

/// Refuses an empty or overlong text, and the first character for which `allowed` is false.
pub(crate) fn check(
    what: &'static str,
    text: &str,
    max: usize,
    allowed: impl Fn(char) -> bool,
) -> Result<(), Invalid> {
    if text.is_empty() {
        return Err(Invalid::new(what, InvalidKind::Empty));
    }
    if text.len() > max {
        return Err(Invalid::new(what, InvalidKind::TooLong { max }));
    }
    match text.char_indices().find(|(_, c)| !allowed(*c)) {
        Some((at, _)) => Err(Invalid::new(what, InvalidKind::Octet { at })),
        None => Ok(()),
    }
}
