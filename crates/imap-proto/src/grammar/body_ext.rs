//! `body-fld-param` and the extension data of BODYSTRUCTURE (RFC 3501 section 9).
//!
//! Servers get these wrong more than anything else: fields are shifted, strings stand where lists belong. Every field
//! is a slot: what has the right shape is read, any other value is read over, so that the structure before it is kept.

use alloc::vec::Vec;

use super::cursor::{Cursor, Parsed};
use super::encoder::Encoder;
use super::string::{eat_nil, parse_nstring, write_nstring, write_string};
use super::value::parse_value;
use crate::types::{
    AString, CommonExtension, Disposition, Invalid, MultipartExtension, NString, Param, PartExtension,
};

/// Passes blanks; whether the list goes on.
pub(crate) fn more(c: &mut Cursor<'_>) -> bool {
    c.spaces();
    !matches!(c.peek(), None | Some(b')'))
}

/// An `nstring`, or any other value as `NIL`.
pub(crate) fn parse_nstring_slot<'a>(c: &mut Cursor<'a>) -> Parsed<NString<'a>> {
    match c.peek() {
        Some(b'"' | b'{' | b'N' | b'n') => parse_nstring(c),
        _ => parse_value(c).map(|_| NString::NIL),
    }
}

/// ```abnf
/// body-fld-param = "(" string SP string *(SP string SP string) ")" / nil
/// ```
///
/// A parameter without a name is left out.
pub(crate) fn parse_params_slot<'a>(c: &mut Cursor<'a>) -> Parsed<Vec<Param<'a>>> {
    let mut params = Vec::new();
    if c.peek() != Some(b'(') {
        parse_value(c)?;
        return Ok(params);
    }
    c.bump();
    while more(c) {
        c.item("body-fld-param")?;
        let name = parse_nstring_slot(c)?;
        let value = if more(c) { parse_nstring_slot(c)? } else { NString::NIL };
        if let Some(name) = name.into_bytes() {
            let value = AString::from_checked(value.into_bytes().unwrap_or_default());
            params.push(Param { name: AString::from_checked(name), value });
        }
    }
    c.expect(b')', "body-fld-param")?;
    Ok(params)
}

/// Writes `body-fld-param`.
pub(crate) fn write_params(params: &[Param<'_>], e: &mut Encoder) -> Result<(), Invalid> {
    if params.is_empty() {
        return write_nstring(&NString::NIL, e);
    }
    for (i, param) in params.iter().enumerate() {
        e.octet(if i == 0 { b'(' } else { b' ' });
        write_string(param.name.as_bytes(), e)?;
        e.octet(b' ');
        write_string(param.value.as_bytes(), e)?;
    }
    e.octet(b')');
    Ok(())
}

/// ```abnf
/// body-ext-1part = body-fld-md5 [SP body-fld-dsp [SP body-fld-lang [SP body-fld-loc *(SP body-extension)]]]
/// ```
pub(crate) fn parse_part_extension<'a>(c: &mut Cursor<'a>) -> Parsed<PartExtension<'a>> {
    let md5 = parse_nstring_slot(c)?;
    Ok(PartExtension { md5, common: parse_common(c)? })
}

/// Writes `body-ext-1part` with a blank in front.
pub(crate) fn write_part_extension(extension: &PartExtension<'_>, e: &mut Encoder) -> Result<(), Invalid> {
    e.octet(b' ');
    write_nstring(&extension.md5, e)?;
    write_common(&extension.common, e)
}

/// ```abnf
/// body-ext-mpart = body-fld-param [SP body-fld-dsp [SP body-fld-lang [SP body-fld-loc *(SP body-extension)]]]
/// ```
pub(crate) fn parse_multipart_extension<'a>(c: &mut Cursor<'a>) -> Parsed<MultipartExtension<'a>> {
    let params = parse_params_slot(c)?;
    Ok(MultipartExtension { params, common: parse_common(c)? })
}

/// Writes `body-ext-mpart` with a blank in front.
pub(crate) fn write_multipart_extension(
    extension: &MultipartExtension<'_>,
    e: &mut Encoder,
) -> Result<(), Invalid> {
    e.octet(b' ');
    write_params(&extension.params, e)?;
    write_common(&extension.common, e)
}

/// ```abnf
/// body-fld-loc   = nstring
/// body-extension = nstring / number / "(" body-extension *(SP body-extension) ")"
/// ```
fn parse_common<'a>(c: &mut Cursor<'a>) -> Parsed<CommonExtension<'a>> {
    let mut common = CommonExtension::default();
    if more(c) {
        common.disposition = parse_disposition_slot(c)?;
    }
    if more(c) {
        common.language = parse_language_slot(c)?;
    }
    if more(c) {
        common.location = parse_nstring_slot(c)?;
    }
    while more(c) {
        parse_value(c)?;
    }
    Ok(common)
}

fn write_common(common: &CommonExtension<'_>, e: &mut Encoder) -> Result<(), Invalid> {
    e.octet(b' ');
    match &common.disposition {
        None => e.raw(b"NIL"),
        Some(disposition) => {
            e.octet(b'(');
            write_string(disposition.kind.as_bytes(), e)?;
            e.octet(b' ');
            write_params(&disposition.params, e)?;
            e.octet(b')');
        }
    }
    e.octet(b' ');
    if common.language.is_empty() {
        e.raw(b"NIL");
    } else {
        for (i, tag) in common.language.iter().enumerate() {
            e.octet(if i == 0 { b'(' } else { b' ' });
            write_string(tag.as_bytes(), e)?;
        }
        e.octet(b')');
    }
    e.octet(b' ');
    write_nstring(&common.location, e)
}

/// ```abnf
/// body-fld-dsp = "(" string SP body-fld-param ")" / nil
/// ```
///
/// Exchange sends a bare `"inline"`, and `(NIL NIL)` for nothing (quirk 4). Any other bare string is a
/// description that slipped here (quirk 5).
fn parse_disposition_slot<'a>(c: &mut Cursor<'a>) -> Parsed<Option<Disposition<'a>>> {
    if c.peek() != Some(b'(') {
        let kind = parse_nstring_slot(c)?;
        let known = kind.is("inline") || kind.is("attachment");
        let kind = kind.into_bytes().filter(|_| known).map(AString::from_checked);
        return Ok(kind.map(|kind| Disposition { kind, params: Vec::new() }));
    }
    c.bump();
    let kind = if more(c) { parse_nstring_slot(c)? } else { NString::NIL };
    let params = if more(c) { parse_params_slot(c)? } else { Vec::new() };
    while more(c) {
        parse_value(c)?;
    }
    c.expect(b')', "body-fld-dsp")?;
    Ok(kind.into_bytes().map(|kind| Disposition { kind: AString::from_checked(kind), params }))
}

/// ```abnf
/// body-fld-lang = nstring / "(" string *(SP string) ")"
/// ```
fn parse_language_slot<'a>(c: &mut Cursor<'a>) -> Parsed<Vec<AString<'a>>> {
    let mut tags = Vec::new();
    let mut push = |tag: NString<'a>| tags.extend(tag.into_bytes().map(AString::from_checked));
    if c.peek() != Some(b'(') {
        if !eat_nil(c) {
            push(parse_nstring_slot(c)?);
        }
        return Ok(tags);
    }
    c.bump();
    while more(c) {
        c.item("body-fld-lang")?;
        push(parse_nstring_slot(c)?);
    }
    c.expect(b')', "body-fld-lang")?;
    Ok(tags)
}
