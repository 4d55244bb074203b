//! The grammar: for every rule a parser and a writer side by side, the rule above them.
//!
//! Parsers get whole lines (a whole reply: all its lines) with their ends. A client reads with [`reply`] and writes with
//! [`write_command`]; a server reads with [`command`] and writes with [`write_reply`].

mod command;
mod error;
mod params;
mod path;
mod reply;
mod xtext;

pub(crate) use command::write_rcpt;
pub use command::{command, write_command};
pub use error::{ParseError, ParseErrorKind};
pub(crate) use path::{mailbox, write_mailbox};
pub(crate) use reply::{enhanced_code, extension, reply_line, write_extension};
pub use reply::{reply, write_reply};
pub(crate) use xtext::is_xchar;

#[cfg(test)]
mod roundtrip;
