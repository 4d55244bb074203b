//! Replies (RFC 5321 section 4.2) and what stands in the one to EHLO.
//!
//! ```text
//! Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF
//! Reply-code = %x32-35 %x30-39 %x30-39
//! ehlo-line  = ehlo-keyword *( SP ehlo-param )
//! ```

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt::{self, Write};

use wire::line;

use super::error::{ParseError, ParseErrorKind};
use crate::types::{EnhancedCode, Extension, Reply, ReplyCode};

/// One line of a reply, taken apart: its code, whether it is the last one, its text.
pub(crate) fn reply_line(octets: &[u8]) -> Option<(ReplyCode, bool, &[u8])> {
    let mut octets = line::content(octets);
    // CR CR LF: a line end translated twice.
    while let Some(rest) = octets.strip_suffix(b"\r") {
        octets = rest;
    }
    let (digits, rest) = octets.split_at_checked(3)?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let code =
        digits.iter().fold(0u16, |n, d| n.saturating_mul(10).saturating_add(u16::from(d.wrapping_sub(b'0'))));
    let code = ReplyCode::new(code).ok()?;
    match rest.split_first() {
        None => Some((code, true, rest)),
        Some((b' ', text)) => Some((code, true, text)),
        Some((b'-', text)) => Some((code, false, text)),
        Some(_) => None,
    }
}

/// Reads one whole reply. Bare LF and CR CR LF count as line ends, and text that is not UTF-8 is replaced: servers do such things.
///
/// # Errors
/// [`ParseError`] when a line has no code from 200 to 599, the codes differ, or the last line is not where the reply ends.
pub fn reply(frame: &[u8]) -> Result<Reply, ParseError> {
    const ERROR: ParseError = ParseError::new("Reply-line", ParseErrorKind::Syntax);
    let mut code = None;
    let mut lines: Vec<String> = Vec::new();
    let mut pieces = frame.split_inclusive(|c| *c == b'\n').peekable();
    while let Some(piece) = pieces.next() {
        let (this, last, text) = reply_line(piece).ok_or(ERROR)?;
        if !piece.ends_with(b"\n")
            || *code.get_or_insert(this) != this
            || last != pieces.peek().is_none()
            || lines.len() >= Reply::LINES
        {
            return Err(ERROR);
        }
        lines.push(text_of(text));
    }
    Ok(Reply::canonical(code.ok_or(ERROR)?, None, lines))
}

/// A text that a [`Reply`] can hold.
fn text_of(octets: &[u8]) -> String {
    let text = String::from_utf8_lossy(octets);
    if text.contains(['\r', '\0']) { text.replace(['\r', '\0'], "\u{fffd}") } else { text.into_owned() }
}

/// Writes one reply; the enhanced code stands on every line (RFC 2034 section 4).
///
/// # Errors
/// What `out` says.
pub fn write_reply(reply: &Reply, out: &mut dyn Write) -> fmt::Result {
    let mut lines = reply.lines().peekable();
    while let Some(text) = lines.next() {
        write!(out, "{}{}", reply.code(), if lines.peek().is_some() { '-' } else { ' ' })?;
        match reply.enhanced() {
            Some(e) if text.is_empty() => write!(out, "{e}\r\n")?,
            Some(e) => write!(out, "{e} {text}\r\n")?,
            None => write!(out, "{text}\r\n")?,
        }
    }
    Ok(())
}

/// `status-code = class "." subject "." detail` (RFC 3463) at the start of a text, of the class that the code has, and what follows it.
pub(crate) fn enhanced_code(code: ReplyCode, text: &str) -> Option<(EnhancedCode, &str)> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let mut numbers = word.split('.');
    let mut number = || {
        let digits = numbers.next()?;
        let fine = (1..=3).contains(&digits.len()) && digits.bytes().all(|c| c.is_ascii_digit());
        if fine { digits.parse::<u16>().ok() } else { None }
    };
    let (class, subject, detail) = (number()?, number()?, number()?);
    if numbers.next().is_some() || class != code.class() {
        return None;
    }
    let class = u8::try_from(class).ok()?;
    Some((EnhancedCode::new(class, subject, detail).ok()?, rest))
}

/// `ehlo-line`; `None` when it is none.
pub(crate) fn extension(line: &str) -> Option<Extension> {
    let mut words = line.split([' ', '\t']).filter(|w| !w.is_empty());
    let keyword = words.next()?;
    if let Some((keyword, first)) = keyword.split_once('=') {
        // Before RFC 2554, and still from imitators of what was there before.
        if !keyword.eq_ignore_ascii_case("AUTH") {
            return None;
        }
        return Extension::new(keyword, Some(first).filter(|f| !f.is_empty()).into_iter().chain(words)).ok();
    }
    Extension::new(keyword, words).ok()
}

pub(crate) fn write_extension(extension: &Extension) -> String {
    let mut out = extension.keyword().to_string();
    for param in extension.params() {
        out.push(' ');
        out.push_str(param);
    }
    out
}
