//! The items of a FETCH response whose value is octets of a message: `BODY[…]`, `BINARY[…]`, `RFC822` and its parts (RFC 3501 section 7.4.2,
//! RFC 3516 section 4.3).

use alloc::borrow::Cow;

use super::cursor::{Cursor, Parsed};
use super::encoder::Encoder;
use super::error::ParseErrorKind;
use super::fetch_step::FetchStep;
use super::number::parse_number;
use super::section::{parse_section, parse_section_binary, write_section, write_section_binary};
use super::string::{eat_nil, parse_literal_head, parse_quoted};
use crate::types::{BodyName, FetchData, Invalid, InvalidKind};

/// The items whose value is (a part of) a message; `None`, with nothing read, for others.
pub(super) fn parse_body_name<'a>(name: &[u8], c: &mut Cursor<'a>) -> Parsed<Option<BodyName<'a>>> {
    let is = |word: &[u8]| name.eq_ignore_ascii_case(word);
    Ok(Some(if is(b"BODY") || is(b"BODY.PEEK") {
        BodyName::Section(parse_section(c)?)
    } else if is(b"RFC822") {
        BodyName::Rfc822
    } else if is(b"RFC822.HEADER") {
        BodyName::Rfc822Header
    } else if is(b"RFC822.TEXT") {
        BodyName::Rfc822Text
    } else if is(b"BINARY") {
        BodyName::Binary(parse_section_binary(c)?)
    } else {
        return Ok(None);
    }))
}

/// ```abnf
/// msg-att-static = … "BODY" section ["<" number ">"] SP nstring / "BINARY" section-binary SP (nstring / literal8)
/// literal8       = "~{" number "}" CRLF *OCTET
/// ```
pub(super) fn parse_body_value<'a>(c: &mut Cursor<'a>, name: BodyName<'a>) -> Parsed<FetchStep<'a>> {
    let mut origin = None;
    if matches!(name, BodyName::Section(_) | BodyName::Binary(_)) && c.eat(b'<') {
        origin = Some(parse_number(c)?);
        c.expect(b'>', "section")?;
    }
    c.spaces1("nstring")?;
    let binary = c.peek() == Some(b'~');
    if binary {
        // MEM-20: a literal8 only where RFC 3516 has one.
        if !matches!(name, BodyName::Binary(_)) {
            return Err(c.unexpected("nstring"));
        }
        c.bump();
    }
    let data = match c.peek() {
        Some(b'{') => {
            let head = parse_literal_head(c)?;
            if c.rest().is_empty() {
                return Ok(FetchStep::Body { name, origin, len: head.len, binary });
            }
            let octets = usize::try_from(head.len).ok().and_then(|n| c.take(n));
            Some(Cow::Borrowed(octets.ok_or_else(|| c.error("literal", ParseErrorKind::End))?))
        }
        Some(b'"') if !binary => Some(parse_quoted(c)?),
        _ if !binary && eat_nil(c) => None,
        _ => return Err(c.unexpected("nstring")),
    };
    Ok(FetchStep::Item(FetchData::Body { name, origin, data }))
}

pub(super) fn write_body_name(
    name: &BodyName<'_>,
    origin: Option<u32>,
    e: &mut Encoder,
) -> Result<(), Invalid> {
    match name {
        BodyName::Section(section) => {
            e.raw(b"BODY");
            write_section(section, e)?;
        }
        BodyName::Rfc822 => e.raw(b"RFC822"),
        BodyName::Rfc822Header => e.raw(b"RFC822.HEADER"),
        BodyName::Rfc822Text => e.raw(b"RFC822.TEXT"),
        BodyName::Binary(path) => {
            e.raw(b"BINARY");
            write_section_binary(path, e);
        }
    }
    if let Some(origin) = origin {
        // Only what is asked for with a partial can be answered with one.
        if !matches!(name, BodyName::Section(_) | BodyName::Binary(_)) {
            return Err(Invalid::new("msg-att", InvalidKind::Unsayable));
        }
        e.octet(b'<');
        e.number(origin.into());
        e.octet(b'>');
    }
    Ok(())
}

pub(super) fn write_body_head(
    name: &BodyName<'_>,
    origin: Option<u32>,
    len: u64,
    e: &mut Encoder,
) -> Result<(), Invalid> {
    write_body_name(name, origin, e)?;
    e.raw(if matches!(name, BodyName::Binary(_)) { b" ~{" } else { b" {" });
    e.number(len);
    e.raw(b"}\r\n");
    Ok(())
}
