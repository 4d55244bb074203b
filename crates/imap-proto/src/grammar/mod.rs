//! The grammar: for every rule a parser and a writer side by side, the rule above them.
//!
//! Parsers get complete frames: one response or command with its literals in place, up to and including the line's
//! end. They read each octet once or twice, borrow what they return, allocate only for lists, and never recurse
//! more deeply than [`ParseLimits`] allows.
//!
//! They are written by hand over one cursor, not with a parser library: where a rule fails, how deep lists are and how
//! many elements they have must be known exactly, and the tolerances for real servers are decisions made at one octet.
//!
//! A client reads with [`greeting`], [`response`], [`fetch_prefix`] and [`fetch_item`], [`search_prefix`] and
//! [`SearchNumbers`], and writes with [`write_command`]. A server reads with [`command`] and [`is_idle_done`], and writes
//! with [`write_response`], [`write_status_response`] and [`FetchWriter`].

mod body;
mod body_ext;
mod capability;
pub(crate) mod chars;
pub(crate) mod code;
mod command;
mod command_write;
mod cursor;
mod date;
mod encoder;
mod envelope;
mod error;
mod fetch;
mod fetch_body;
mod fetch_request;
mod fetch_step;
mod flag;
mod id;
mod limits;
mod list;
mod mailbox;
mod mailbox_status;
mod namespace;
pub(crate) mod number;
mod response;
mod search;
mod search_key;
mod section;
pub(crate) mod sequence;
mod status;
mod string;
pub(crate) mod utf7;
pub(crate) mod value;
mod word;

pub use command::{command, is_idle_done};
pub(crate) use command_write::check_arguments;
pub use command_write::write_command;
pub use encoder::{Encoder, Fragment};
pub use error::{CommandError, ParseError, ParseErrorKind};
pub use fetch::{FetchWriter, fetch_item, fetch_prefix};
pub use fetch_step::FetchStep;
pub use limits::ParseLimits;
pub use response::{response, search_prefix, write_response};
pub use search::{SearchNumbers, SearchPart};
pub use status::{greeting, write_status_response};

use cursor::{Cursor, Parsed};

/// Runs a rule over octets that must be exactly what it describes.
pub(crate) fn whole<'a, T>(octets: &'a [u8], rule: impl FnOnce(&mut Cursor<'a>) -> Parsed<T>) -> Parsed<T> {
    let mut c = Cursor::new(octets, ParseLimits::DEFAULT);
    let value = rule(&mut c)?;
    if c.rest().is_empty() { Ok(value) } else { Err(c.error("end", ParseErrorKind::Trailing)) }
}

#[cfg(test)]
mod roundtrip;
