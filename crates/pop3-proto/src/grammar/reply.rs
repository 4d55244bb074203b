//! ```text
//! single-line = ("+OK" / "-ERR") [SP text] CRLF       ; RFC 2449 section 8
//! text        = *schar / resp-code *CHAR
//! resp-code   = "[" resp-level *("/" resp-level) "]"
//! ```

use alloc::vec::Vec;

use super::REPLY_LINE;
use super::error::{ParseError, ParseErrorKind};
use crate::types::{Code, Invalid, InvalidKind, Reply, Status, Text};

/// Reads a status line.
///
/// A bracket at the start of the text begins a response code only if one stands in it; whether the server has announced
/// RESP-CODES does not matter, because codes also stand in greetings.
///
/// # Errors
/// [`ParseError`] when the line does not begin with `+OK` or `-ERR`, alone or with a space behind it, or holds CR, LF or NUL.
pub fn reply(line: &[u8]) -> Result<Reply<'_>, ParseError> {
    let (status, rest) = match (line.strip_prefix(b"+OK"), line.strip_prefix(b"-ERR")) {
        (Some(rest), _) => (Status::Ok, rest),
        (_, Some(rest)) => (Status::Err, rest),
        (None, None) => return Err(ParseError::new("status", 0, ParseErrorKind::Syntax)),
    };
    let start = line.len().saturating_sub(rest.len());
    let text = match rest.split_first() {
        None => rest,
        Some((b' ', text)) => text,
        Some(_) => return Err(ParseError::new("status", start, ParseErrorKind::Syntax)),
    };
    let (code, text) = match code(text) {
        Some((code, text)) => (Some(code), text),
        None => (None, text),
    };
    match Text::new(text) {
        Ok(text) => Ok(Reply { status, code, text }),
        Err(_) => Err(ParseError::new("text", start, ParseErrorKind::Syntax)),
    }
}

/// The response code at the start of a text, and the text behind it.
fn code(text: &[u8]) -> Option<(Code, &[u8])> {
    let inner = text.strip_prefix(b"[")?;
    let end = memchr::memchr(b']', inner)?;
    let code = Code::new(core::str::from_utf8(inner.get(..end)?).ok()?).ok()?;
    let rest = inner.get(end.saturating_add(1)..)?;
    Some((code, rest.strip_prefix(b" ").unwrap_or(rest)))
}

/// Appends a status line with its CRLF.
///
/// # Errors
/// [`InvalidKind::TooLong`] over [`REPLY_LINE`]; [`InvalidKind::Ambiguous`] for a text that would be read as a response code.
pub fn write_reply(reply: &Reply<'_>, out: &mut Vec<u8>) -> Result<(), Invalid> {
    let text = reply.text.as_bytes();
    if reply.code.is_none() && code(text).is_some() {
        return Err(Invalid::new("reply text", InvalidKind::Ambiguous));
    }
    let start = out.len();
    out.extend_from_slice(match reply.status {
        Status::Ok => b"+OK",
        Status::Err => b"-ERR",
    });
    if let Some(code) = &reply.code {
        out.extend_from_slice(b" [");
        out.extend_from_slice(code.as_str().as_bytes());
        out.push(b']');
    }
    if !text.is_empty() {
        out.push(b' ');
        out.extend_from_slice(text);
    }
    out.extend_from_slice(b"\r\n");
    if out.len().saturating_sub(start) > REPLY_LINE {
        out.truncate(start);
        return Err(Invalid::new("reply", InvalidKind::TooLong { max: REPLY_LINE }));
    }
    Ok(())
}
