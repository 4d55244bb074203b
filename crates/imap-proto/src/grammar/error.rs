//! Why a frame could not be read.

use core::fmt;

use crate::types::Tag;

/// What went wrong at the place a [`ParseError`] names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// An octet that the rule does not allow there.
    Syntax,
    /// The frame ended where the rule needs more.
    End,
    /// A number is greater than its rule allows, or zero where it may not be.
    NumberOutOfRange,
    /// Lists or keys are nested more deeply than the limit.
    NestingTooDeep {
        /// The limit.
        limit: usize,
    },
    /// Lists have more elements than [`ParseLimits::MAX_ITEMS`](crate::grammar::ParseLimits::MAX_ITEMS).
    TooManyItems {
        /// The limit.
        limit: usize,
    },
    /// The rule was satisfied but octets are left over.
    Trailing,
}

/// A frame that is not what the grammar allows. Never contains octets of the frame, so it may be logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// The ABNF rule that could not be satisfied.
    pub rule: &'static str,
    /// Where, in octets from the start of the slice that was given to the parser.
    pub offset: usize,
    /// What was wrong there.
    pub kind: ParseErrorKind,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, offset, kind } = self;
        write!(f, "not a valid IMAP {rule}: ")?;
        match kind {
            ParseErrorKind::Syntax => write!(f, "an octet that may not stand at offset {offset}"),
            ParseErrorKind::End => write!(f, "the line ends too early, at offset {offset}"),
            ParseErrorKind::NumberOutOfRange => write!(f, "the number at offset {offset} is out of range"),
            ParseErrorKind::NestingTooDeep { limit } => {
                write!(f, "nested more than {limit} deep at offset {offset}; the limit can be raised")
            }
            ParseErrorKind::TooManyItems { limit } => {
                write!(
                    f,
                    "more than {limit} elements in its lists, at offset {offset}; nothing real has as many"
                )
            }
            ParseErrorKind::Trailing => write!(f, "the line goes on after its end, at offset {offset}"),
        }
    }
}

impl core::error::Error for ParseError {}

/// A command that could not be read. A server answers it with a tagged `BAD` when there is a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandError {
    /// The tag, when at least that could be read.
    pub tag: Option<Tag<'static>>,
    /// What was wrong.
    pub error: ParseError,
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl core::error::Error for CommandError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(&self.error)
    }
}
