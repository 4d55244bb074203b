//! The grammar: for every rule a parser and a writer side by side, the rule above them.
//!
//! Parsers get complete frames: one response or command with its literals in place, up to and including the line's
//! end. They read each octet once or twice, borrow what they return, allocate only for lists, and never recurse
//! more deeply than [`ParseLimits`] allows.

mod capability;
pub(crate) mod chars;
pub(crate) mod code;
mod cursor;
mod encoder;
mod error;
mod flag;
mod limits;
pub(crate) mod number;
mod search;
pub(crate) mod sequence;
mod string;
pub(crate) mod utf7;
pub(crate) mod value;

pub use encoder::{Encoder, Fragment};
pub use error::{CommandError, ParseError, ParseErrorKind};
pub use limits::ParseLimits;
pub use search::{SearchNumbers, SearchPart};

use cursor::{Cursor, Parsed};

/// Runs a rule over octets that must be exactly what it describes.
pub(crate) fn whole<'a, T>(octets: &'a [u8], rule: impl FnOnce(&mut Cursor<'a>) -> Parsed<T>) -> Parsed<T> {
    let mut c = Cursor::new(octets, ParseLimits::DEFAULT);
    let value = rule(&mut c)?;
    if c.rest().is_empty() { Ok(value) } else { Err(c.error("end", ParseErrorKind::Trailing)) }
}
