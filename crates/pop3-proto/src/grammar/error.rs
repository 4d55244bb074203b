//! Why a line could not be read.

use core::fmt;

/// What went wrong at the place a [`ParseError`] names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// An octet that the rule does not allow there.
    Syntax,
    /// The line ended where the rule needs more.
    End,
    /// A number is greater than its rule allows, or zero where it may not be.
    NumberOutOfRange,
    /// The value, or the line, is longer than this many octets.
    TooLong {
        /// The greatest length allowed.
        max: usize,
    },
}

/// A line that is not what the grammar allows. Never contains octets of the line, so it may be logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// The rule that could not be satisfied.
    pub rule: &'static str,
    /// Where, in octets from the start of the line.
    pub offset: usize,
    /// What was wrong there.
    pub kind: ParseErrorKind,
}

impl ParseError {
    pub(crate) const fn new(rule: &'static str, offset: usize, kind: ParseErrorKind) -> Self {
        Self { rule, offset, kind }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, offset, kind } = self;
        write!(f, "not a valid POP3 {rule}: ")?;
        match kind {
            ParseErrorKind::Syntax => write!(f, "an octet that may not stand at offset {offset}"),
            ParseErrorKind::End => write!(f, "the line ends too early, at offset {offset}"),
            ParseErrorKind::NumberOutOfRange => write!(f, "the number at offset {offset} is out of range"),
            ParseErrorKind::TooLong { max } => write!(f, "more than {max} octets at offset {offset}"),
        }
    }
}

impl core::error::Error for ParseError {}
