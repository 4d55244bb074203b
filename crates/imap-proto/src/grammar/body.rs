//! `body` (RFC 3501 section 9): BODY and BODYSTRUCTURE.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::ParseLimits;
use super::body_ext::{
    more, parse_multipart_extension, parse_nstring_slot, parse_params_slot, parse_part_extension,
    write_multipart_extension, write_params, write_part_extension,
};
use super::cursor::{Cursor, Parsed};
use super::encoder::Encoder;
use super::envelope::{parse_envelope, write_envelope};
use super::number::{parse_number64, parse_tolerant_number};
use super::string::write_nstring;
use crate::types::{BodyStructure, Invalid, InvalidKind, Multipart, NString, Part, PartKind};

/// ```abnf
/// body = "(" (body-type-1part / body-type-mpart) ")"
/// ```
pub(crate) fn parse_body<'a>(c: &mut Cursor<'a>) -> Parsed<BodyStructure<'a>> {
    c.enter("body")?;
    c.item("body")?;
    c.expect(b'(', "body")?;
    c.spaces();
    let body = if c.peek() == Some(b'(') {
        BodyStructure::Multipart(parse_multipart(c)?)
    } else {
        BodyStructure::Part(parse_part(c)?)
    };
    c.spaces();
    c.expect(b')', "body")?;
    c.leave();
    Ok(body)
}

/// ```abnf
/// body-type-mpart = 1*body SP media-subtype [SP body-ext-mpart]
/// ```
fn parse_multipart<'a>(c: &mut Cursor<'a>) -> Parsed<Multipart<'a>> {
    let mut parts = Vec::new();
    while c.peek() == Some(b'(') {
        parts.push(parse_body(c)?);
        c.spaces();
    }
    let subtype = if more(c) { parse_nstring_slot(c)? } else { NString::NIL };
    let extension = if more(c) { Some(Box::new(parse_multipart_extension(c)?)) } else { None };
    Ok(Multipart { parts, subtype, extension })
}

/// ```abnf
/// body-type-1part = (body-type-basic / body-type-msg / body-type-text) [SP body-ext-1part]
/// body-type-basic = media-basic SP body-fields
/// body-type-msg   = media-message SP body-fields SP envelope SP body SP body-fld-lines
/// body-type-text  = media-text SP body-fields SP body-fld-lines
/// body-fields     = body-fld-param SP body-fld-id SP body-fld-desc SP body-fld-enc SP body-fld-octets
/// ```
///
/// Fields that are missing at the end are `NIL` (Gmail sends such parts), and so may be every string (quirk 6).
fn parse_part<'a>(c: &mut Cursor<'a>) -> Parsed<Box<Part<'a>>> {
    if !more(c) {
        return Err(c.unexpected("body-type-1part"));
    }
    let string = |c: &mut Cursor<'a>| if more(c) { parse_nstring_slot(c) } else { Ok(NString::NIL) };
    let media_type = string(c)?;
    let subtype = string(c)?;
    let params = if more(c) { parse_params_slot(c)? } else { Vec::new() };
    let id = string(c)?;
    let description = string(c)?;
    let encoding = string(c)?;
    let size = if more(c) { parse_tolerant_number(c)?.unwrap_or(0) } else { 0 };
    let kind = if !more(c) {
        PartKind::Basic
    } else {
        match c.peek() {
            Some(b'(') if media_type.is("MESSAGE") => parse_message(c)?,
            Some(b'0'..=b'9') => PartKind::Text { lines: parse_number64(c)? },
            _ => PartKind::Basic,
        }
    };
    let extension = if more(c) { Some(Box::new(parse_part_extension(c)?)) } else { None };
    Ok(Box::new(Part { media_type, subtype, params, id, description, encoding, size, kind, extension }))
}

fn parse_message<'a>(c: &mut Cursor<'a>) -> Parsed<PartKind<'a>> {
    let envelope = Box::new(parse_envelope(c)?);
    c.spaces();
    let body = parse_body(c)?;
    c.spaces();
    let lines = parse_tolerant_number(c)?.unwrap_or(0);
    Ok(PartKind::Message { envelope, body, lines })
}

/// Writes a `body`, with extension data where there is some.
pub(crate) fn write_body(body: &BodyStructure<'_>, e: &mut Encoder) -> Result<(), Invalid> {
    write_body_within(body, ParseLimits::MAX_DEPTH, e)
}

fn write_body_within(body: &BodyStructure<'_>, depth: usize, e: &mut Encoder) -> Result<(), Invalid> {
    let too_deep = Invalid::new("body", InvalidKind::TooDeep { max: ParseLimits::MAX_DEPTH });
    let depth = depth.checked_sub(1).ok_or(too_deep)?;
    e.octet(b'(');
    match body {
        BodyStructure::Multipart(m) => write_multipart(m, depth, e)?,
        BodyStructure::Part(p) => write_part(p, depth, e)?,
    }
    e.octet(b')');
    Ok(())
}

fn write_multipart(multipart: &Multipart<'_>, depth: usize, e: &mut Encoder) -> Result<(), Invalid> {
    if multipart.parts.is_empty() {
        return Err(Invalid::new("body-type-mpart", InvalidKind::Empty));
    }
    for part in &multipart.parts {
        write_body_within(part, depth, e)?;
    }
    e.octet(b' ');
    write_nstring(&multipart.subtype, e)?;
    match &multipart.extension {
        Some(extension) => write_multipart_extension(extension, e),
        None => Ok(()),
    }
}

fn write_part(part: &Part<'_>, depth: usize, e: &mut Encoder) -> Result<(), Invalid> {
    write_nstring(&part.media_type, e)?;
    e.octet(b' ');
    write_nstring(&part.subtype, e)?;
    e.octet(b' ');
    write_params(&part.params, e)?;
    for field in [&part.id, &part.description, &part.encoding] {
        e.octet(b' ');
        write_nstring(field, e)?;
    }
    e.octet(b' ');
    e.number(part.size);
    match &part.kind {
        PartKind::Basic => {}
        PartKind::Text { lines } => {
            e.octet(b' ');
            e.number(*lines);
        }
        PartKind::Message { envelope, body, lines } => {
            if !part.media_type.is("MESSAGE") {
                return Err(Invalid::new("body-type-msg", InvalidKind::Unsayable));
            }
            e.octet(b' ');
            write_envelope(envelope, e)?;
            e.octet(b' ');
            write_body_within(body, depth, e)?;
            e.octet(b' ');
            e.number(*lines);
        }
    }
    match &part.extension {
        Some(extension) => write_part_extension(extension, e),
        None => Ok(()),
    }
}
