//! `mailbox` and `list-mailbox` (RFC 3501 section 9).

use alloc::borrow::Cow;

use super::chars;
use super::cursor::{Cursor, Parsed};
use super::encoder::Encoder;
use super::error::ParseErrorKind;
use super::string::{parse_astring, parse_string, write_astring, write_string};
use crate::types::{Invalid, ListPattern, Mailbox};

/// ```abnf
/// mailbox = "INBOX" / astring
/// ```
pub(crate) fn parse_mailbox<'a>(c: &mut Cursor<'a>) -> Parsed<Mailbox<'a>> {
    let start = c.clone();
    let octets = parse_astring(c)?.into_bytes();
    Mailbox::new(octets).map_err(|_| start.error("mailbox", ParseErrorKind::Syntax))
}

/// The name in a response. Unquoted names may hold anything but a blank: Exchange sends names with TAB and other
/// controls that way (quirk 3), others send 8-bit octets (FR-24).
pub(crate) fn parse_told_mailbox<'a>(c: &mut Cursor<'a>) -> Parsed<Mailbox<'a>> {
    let start = c.clone();
    let octets = match c.peek() {
        Some(b'"' | b'{') => parse_string(c)?,
        _ => Cow::Borrowed(c.take_while1("mailbox", |o| !matches!(o, b' ' | b'\r' | b'\n' | 0))?),
    };
    Mailbox::new(octets).map_err(|_| start.error("mailbox", ParseErrorKind::Syntax))
}

/// Writes a `mailbox`.
pub(crate) fn write_mailbox(mailbox: &Mailbox<'_>, e: &mut Encoder) -> Result<(), Invalid> {
    write_astring(mailbox.as_bytes(), e)
}

/// ```abnf
/// list-mailbox = 1*list-char / string
/// ```
pub(crate) fn parse_list_mailbox<'a>(c: &mut Cursor<'a>) -> Parsed<ListPattern<'a>> {
    let start = c.clone();
    let octets = match c.peek() {
        Some(b'"' | b'{') => parse_string(c)?,
        _ => Cow::Borrowed(c.take_while1("list-mailbox", chars::is_list_char)?),
    };
    ListPattern::new(octets).map_err(|_| start.error("list-mailbox", ParseErrorKind::Syntax))
}

/// Writes a `list-mailbox`.
pub(crate) fn write_list_mailbox(pattern: &ListPattern<'_>, e: &mut Encoder) -> Result<(), Invalid> {
    let octets = pattern.as_bytes();
    let bare = !octets.is_empty() && octets.len() <= 100 && octets.iter().all(|&o| chars::is_list_char(o));
    if bare && !octets.eq_ignore_ascii_case(b"NIL") {
        e.raw(octets);
        return Ok(());
    }
    write_string(octets, e)
}
