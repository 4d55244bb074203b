//! `section` and partials (RFC 3501 sections 6.4.5 and 9).

use alloc::vec::Vec;

use super::cursor::{Cursor, Parsed};
use super::encoder::Encoder;
use super::number::{parse_number, parse_nz_number};
use super::string::{parse_astring, write_astring};
use crate::types::{AString, Invalid, PartPath, Partial, Section, SectionText};

/// ```abnf
/// section         = "[" [section-spec] "]"
/// section-spec    = section-msgtext / (section-part ["." section-text])
/// section-msgtext = "HEADER" / "HEADER.FIELDS" [".NOT"] SP header-list / "TEXT"
/// section-part    = nz-number *("." nz-number)
/// section-text    = section-msgtext / "MIME"
/// ```
pub(crate) fn parse_section<'a>(c: &mut Cursor<'a>) -> Parsed<Section<'a>> {
    c.expect(b'[', "section")?;
    if c.eat(b']') {
        return Ok(Section::FULL);
    }
    let mut path = Vec::new();
    let text = loop {
        if !c.peek().is_some_and(|o| o.is_ascii_digit()) {
            break parse_section_text(c)?;
        }
        path.push(parse_nz_number(c)?);
        if !c.eat(b'.') {
            break SectionText::Full;
        }
    };
    let section = Section::new(path, text).map_err(|_| c.unexpected("section-spec"))?;
    c.expect(b']', "section")?;
    Ok(section)
}

fn parse_section_text<'a>(c: &mut Cursor<'a>) -> Parsed<SectionText<'a>> {
    if c.eat_ignore_case(b"HEADER.FIELDS.NOT") {
        parse_header_list(c).map(SectionText::HeaderFieldsNot)
    } else if c.eat_ignore_case(b"HEADER.FIELDS") {
        parse_header_list(c).map(SectionText::HeaderFields)
    } else if c.eat_ignore_case(b"HEADER") {
        Ok(SectionText::Header)
    } else if c.eat_ignore_case(b"TEXT") {
        Ok(SectionText::Text)
    } else if c.eat_ignore_case(b"MIME") {
        Ok(SectionText::Mime)
    } else {
        Err(c.unexpected("section-text"))
    }
}

/// ```abnf
/// header-list     = "(" header-fld-name *(SP header-fld-name) ")"
/// header-fld-name = astring
/// ```
fn parse_header_list<'a>(c: &mut Cursor<'a>) -> Parsed<Vec<AString<'a>>> {
    c.spaces1("header-list")?;
    c.expect(b'(', "header-list")?;
    let mut names = Vec::new();
    loop {
        c.spaces();
        if c.eat(b')') {
            return Ok(names);
        }
        c.item("header-list")?;
        names.push(parse_astring(c)?);
        if !matches!(c.peek(), Some(b' ' | b')')) {
            return Err(c.unexpected("header-list"));
        }
    }
}

/// Writes a `section`.
pub(crate) fn write_section(section: &Section<'_>, e: &mut Encoder) -> Result<(), Invalid> {
    e.octet(b'[');
    write_path(section.path(), e);
    if !section.path().is_empty() && *section.text() != SectionText::Full {
        e.octet(b'.');
    }
    match section.text() {
        SectionText::Full => {}
        SectionText::Header => e.raw(b"HEADER"),
        SectionText::Text => e.raw(b"TEXT"),
        SectionText::Mime => e.raw(b"MIME"),
        SectionText::HeaderFields(names) => write_header_list(b"HEADER.FIELDS (", names, e)?,
        SectionText::HeaderFieldsNot(names) => write_header_list(b"HEADER.FIELDS.NOT (", names, e)?,
    }
    e.octet(b']');
    Ok(())
}

fn write_header_list(before: &[u8], names: &[AString<'_>], e: &mut Encoder) -> Result<(), Invalid> {
    e.raw(before);
    for (i, name) in names.iter().enumerate() {
        if i > 0 {
            e.octet(b' ');
        }
        write_astring(name.as_bytes(), e)?;
    }
    e.octet(b')');
    Ok(())
}

/// ```abnf
/// section-binary = "[" [section-part] "]"   ; RFC 3516
/// ```
pub(crate) fn parse_section_binary(c: &mut Cursor<'_>) -> Parsed<PartPath> {
    c.expect(b'[', "section-binary")?;
    let mut path = Vec::new();
    if c.eat(b']') {
        return Ok(path);
    }
    loop {
        path.push(parse_nz_number(c)?);
        if !c.eat(b'.') {
            break;
        }
    }
    c.expect(b']', "section-binary")?;
    Ok(path)
}

/// Writes a `section-binary`.
pub(crate) fn write_section_binary(path: &PartPath, e: &mut Encoder) {
    e.octet(b'[');
    write_path(path, e);
    e.octet(b']');
}

fn write_path(path: &[core::num::NonZeroU32], e: &mut Encoder) {
    for (i, number) in path.iter().enumerate() {
        if i > 0 {
            e.octet(b'.');
        }
        e.number(number.get().into());
    }
}

/// ```abnf
/// partial = "<" number "." nz-number ">"
/// ```
pub(crate) fn parse_partial(c: &mut Cursor<'_>) -> Parsed<Option<Partial>> {
    if !c.eat(b'<') {
        return Ok(None);
    }
    let offset = parse_number(c)?;
    c.expect(b'.', "partial")?;
    let length = parse_nz_number(c)?;
    c.expect(b'>', "partial")?;
    Ok(Some(Partial { offset, length }))
}

/// Writes a partial, if any.
pub(crate) fn write_partial(partial: Option<Partial>, e: &mut Encoder) {
    if let Some(Partial { offset, length }) = partial {
        e.octet(b'<');
        e.number(offset.into());
        e.octet(b'.');
        e.number(length.get().into());
        e.octet(b'>');
    }
}
