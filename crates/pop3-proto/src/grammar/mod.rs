//! For every rule a parser and a writer, side by side, so that `parse(write(x)) == x` ties client and server together.
//!
//! Parsers take one line without its CRLF (of a multi-line reply: without the dot that was stuffed in). Writers append one
//! line with its CRLF, and leave nothing behind when the value cannot be said.

mod capability;
mod command;
mod entry;
mod error;
mod language;
mod listing;
mod number;
mod reply;

pub use capability::{capability, write_capability};
pub use command::{Fragment, command, write_command};
pub use entry::write_entry;
pub use error::{ParseError, ParseErrorKind};
pub use language::{language, write_language};
pub use listing::{
    drop_listing, scan_listing, unique_id_listing, write_drop_listing, write_scan_listing,
    write_unique_id_listing,
};
pub use reply::{reply, write_reply};

/// Longest command line with its CRLF, in octets (RFC 2449 section 4).
pub const COMMAND_LINE: usize = 255;

/// Longest line of a reply with its CRLF, in octets (RFC 1939 section 3).
pub const REPLY_LINE: usize = 512;
