//! Status responses and the greeting (RFC 3501 sections 7.1 and 9).

use super::code::{parse_code, write_code};
use super::cursor::{Cursor, Parsed};
use super::encoder::Encoder;
use super::error::ParseErrorKind;
use super::{ParseError, ParseLimits};
use crate::types::{Code, Invalid, InvalidKind, StatusKind, StatusResponse, Tag, Text};

/// ```abnf
/// greeting          = "*" SP (resp-cond-auth / resp-cond-bye) CRLF
/// resp-cond-auth    = ("OK" / "PREAUTH") SP resp-text
/// resp-cond-bye     = "BYE" SP resp-text
/// ```
///
/// # Errors
/// [`ParseError`] with the rule `greeting` when this is no IMAP server (IS-05).
pub fn greeting(frame: &[u8]) -> Result<StatusResponse<'_>, ParseError> {
    let mut c = Cursor::new(frame, ParseLimits::DEFAULT);
    c.expect(b'*', "greeting")?;
    c.spaces1("greeting")?;
    let start = c.clone();
    match parse_kind(&mut c) {
        Some(kind @ (StatusKind::Ok | StatusKind::PreAuth | StatusKind::Bye)) => {
            parse_resp_text(&mut c, None, kind)
        }
        _ => Err(start.unexpected("greeting")),
    }
}

/// ```abnf
/// resp-cond-state = ("OK" / "NO" / "BAD") SP resp-text
/// ```
///
/// The condition, when the whole word is one; otherwise nothing is read.
pub(crate) fn parse_kind(c: &mut Cursor<'_>) -> Option<StatusKind> {
    let mut ahead = c.clone();
    let word = ahead.take_while(|o| o.is_ascii_alphabetic());
    if ahead.peek() != Some(b' ') && !ahead.at_line_end() {
        return None;
    }
    let kind = [StatusKind::Ok, StatusKind::No, StatusKind::Bad, StatusKind::Bye, StatusKind::PreAuth]
        .into_iter()
        .find(|k| word.eq_ignore_ascii_case(k.as_str().as_bytes()))?;
    *c = ahead;
    Some(kind)
}

/// ```abnf
/// resp-text = ["[" resp-text-code "]" SP] text
/// text      = 1*TEXT-CHAR
/// ```
///
/// Everything behind the condition up to the end of the frame. Text may be missing (FR-23), and a `[` that begins no
/// code is text.
pub(crate) fn parse_resp_text<'a>(
    c: &mut Cursor<'a>,
    tag: Option<Tag<'a>>,
    kind: StatusKind,
) -> Parsed<StatusResponse<'a>> {
    let mut code = None;
    if c.eat(b' ') && c.peek() == Some(b'[') {
        code = parse_bracketed(c);
        if code.is_some() {
            c.eat(b' ');
        }
    }
    let text = parse_text(c)?;
    Ok(StatusResponse { tag, kind, code, text })
}

/// A code with its brackets; nothing is read when there is none.
pub(crate) fn parse_bracketed<'a>(c: &mut Cursor<'a>) -> Option<Code<'a>> {
    let mut inside = c.clone();
    inside.eat(b'[');
    let code = parse_code(&mut inside)?;
    *c = inside;
    Some(code)
}

/// The text up to the end of the line, which must be the end of the frame.
pub(crate) fn parse_text<'a>(c: &mut Cursor<'a>) -> Parsed<Text<'a>> {
    let rest = c.rest();
    let Some(lf) = memchr::memchr(b'\n', rest) else {
        c.take(rest.len());
        return Err(c.unexpected("text"));
    };
    let line = c.take(lf).unwrap_or_default();
    c.bump();
    if !c.rest().is_empty() {
        return Err(c.error("text", ParseErrorKind::Trailing));
    }
    Ok(Text::from_peer(line.strip_suffix(b"\r").unwrap_or(line)))
}

/// Writes a status response with its line's end.
///
/// # Errors
/// [`Invalid`] for a tagged BYE or PREAUTH, or text that would be read as a response code.
pub fn write_status_response(status: &StatusResponse<'_>, e: &mut Encoder) -> Result<(), Invalid> {
    e.atomically(|e| {
        let unsayable = |what| Err(Invalid::new(what, InvalidKind::Unsayable));
        match &status.tag {
            Some(_) if matches!(status.kind, StatusKind::Bye | StatusKind::PreAuth) => {
                return unsayable("tagged response");
            }
            Some(tag) => e.raw(tag.as_bytes()),
            None => e.octet(b'*'),
        }
        e.octet(b' ');
        e.raw(status.kind.as_str().as_bytes());
        let text = status.text.as_bytes();
        if let Some(code) = &status.code {
            e.octet(b' ');
            write_code(code, e)?;
        } else if text.starts_with(b"[")
            && parse_bracketed(&mut Cursor::new(text, ParseLimits::DEFAULT)).is_some()
        {
            return unsayable("text");
        }
        if !text.is_empty() {
            e.octet(b' ');
            e.raw(text);
        }
        e.raw(b"\r\n");
        Ok(())
    })
}
