//! The FETCH response (RFC 3501 sections 7.4.2 and 9, RFC 3516, RFC 7162), read and written item by item.

use alloc::vec::Vec;
use core::num::{NonZeroU32, NonZeroU64};

use super::body::{parse_body, write_body};
use super::chars;
use super::cursor::{Cursor, Parsed};
use super::date::{parse_tolerant_date_time, write_date_time};
use super::encoder::Encoder;
use super::envelope::{parse_envelope, write_envelope};
use super::error::{ParseError, ParseErrorKind};
use super::fetch_body::{parse_body_name, parse_body_value, write_body_head, write_body_name};
use super::fetch_step::FetchStep;
use super::flag::{FlagContext, parse_flag_list, write_flag_list};
use super::limits::ParseLimits;
use super::number::{parse_number64, parse_nz_number, parse_tolerant_number};
use super::section::{parse_section_binary, write_section_binary};
use super::value::parse_value;
use crate::types::{Atom, BodyName, FetchData, FetchResponse, Invalid, InvalidKind, RawValue};

/// ```abnf
/// message-data = nz-number SP ("EXPUNGE" / ("FETCH" SP msg-att))
/// msg-att      = "(" (msg-att-dynamic / msg-att-static) *(SP (msg-att-dynamic / msg-att-static)) ")"
/// ```
///
/// The message sequence number, and what follows the opening parenthesis, for [`fetch_item`]. Extra blanks are
/// accepted (FR-19).
///
/// # Errors
/// [`ParseError`] when it is no FETCH response; the number 0 is none (IS-19).
pub fn fetch_prefix(line: &[u8]) -> Result<(NonZeroU32, &[u8]), ParseError> {
    let mut c = Cursor::new(line, ParseLimits::DEFAULT);
    c.expect(b'*', "message-data")?;
    c.spaces1("message-data")?;
    let seq = parse_nz_number(&mut c)?;
    c.spaces1("message-data")?;
    if !c.eat_ignore_case(b"FETCH") {
        return Err(c.unexpected("message-data"));
    }
    c.spaces();
    c.expect(b'(', "msg-att")?;
    Ok((seq, c.rest()))
}

/// Reads the next item of a FETCH response: `rest` is what [`fetch_prefix`] or the last call left, or what follows the
/// octets of a [`FetchStep::Body`]. Returns the item and what it leaves.
///
/// Extra blanks and parentheses between items are accepted (FR-19), but the response is over only behind a `)`: a
/// literal announced too long swallows it, and that must not pass unseen (FR-02).
///
/// # Errors
/// [`ParseError`]; offsets count from the start of `rest`.
pub fn fetch_item(rest: &[u8], limits: ParseLimits) -> Result<(FetchStep<'_>, &[u8]), ParseError> {
    let mut c = Cursor::new(rest, limits);
    let step = parse_step(&mut c)?;
    Ok((step, c.rest()))
}

/// A FETCH response that is whole inside the frame; `c` stands behind `FETCH`.
pub(crate) fn parse_fetch_response<'a>(c: &mut Cursor<'a>, seq: NonZeroU32) -> Parsed<FetchResponse<'a>> {
    c.spaces();
    c.expect(b'(', "msg-att")?;
    let mut items = Vec::new();
    loop {
        c.item("msg-att")?;
        match parse_step(c)? {
            FetchStep::Item(item) => items.push(item),
            FetchStep::Body { .. } => return Err(c.unexpected("literal")),
            FetchStep::End => break,
        }
    }
    if c.rest().is_empty() {
        Ok(FetchResponse { seq, items })
    } else {
        Err(c.error("msg-att", ParseErrorKind::Trailing))
    }
}

fn parse_step<'a>(c: &mut Cursor<'a>) -> Parsed<FetchStep<'a>> {
    let mut closed = false;
    loop {
        match c.peek() {
            Some(b' ' | b'(') => {}
            Some(b')') => closed = true,
            Some(b'\r' | b'\n') if closed => {
                c.line_end("msg-att")?;
                return Ok(FetchStep::End);
            }
            _ => break,
        }
        c.bump();
    }
    let name = c.take_while1("msg-att", |o| chars::is_atom_char(o) && o != b'[')?;
    let is = |word: &[u8]| name.eq_ignore_ascii_case(word);
    let data = if is(b"UID") {
        c.spaces1("uniqueid")?;
        FetchData::Uid(parse_nz_number(c)?)
    } else if is(b"FLAGS") {
        c.spaces1("flag-list")?;
        FetchData::Flags(parse_flag_list(c)?)
    } else if is(b"INTERNALDATE") {
        c.spaces1("date-time")?;
        FetchData::InternalDate(parse_tolerant_date_time(c)?)
    } else if is(b"RFC822.SIZE") {
        c.spaces1("number")?;
        FetchData::Size(parse_tolerant_number(c)?)
    } else if is(b"MODSEQ") {
        c.spaces1("mod-sequence")?;
        FetchData::ModSeq(parse_mod_seq(c)?)
    } else if is(b"BODY") && c.peek() != Some(b'[') || is(b"BODYSTRUCTURE") {
        c.spaces1("body")?;
        if c.peek() != Some(b'(') {
            return parse_other(name, c);
        }
        FetchData::BodyStructure { body: parse_body(c)?, extensible: is(b"BODYSTRUCTURE") }
    } else if is(b"ENVELOPE") {
        c.spaces1("envelope")?;
        if c.peek() != Some(b'(') {
            return parse_other(name, c);
        }
        FetchData::Envelope(parse_envelope(c)?)
    } else if is(b"BINARY.SIZE") {
        let path = parse_section_binary(c)?;
        c.spaces1("number")?;
        FetchData::BinarySize { path, size: parse_number64(c)? }
    } else if let Some(body) = parse_body_name(name, c)? {
        return parse_body_value(c, body);
    } else {
        c.spaces1("msg-att")?;
        return parse_other(name, c);
    };
    Ok(FetchStep::Item(data))
}

/// Any value: of an item nobody knows, or `NIL` where a server has no envelope or structure to give.
fn parse_other<'a>(name: &'a [u8], c: &mut Cursor<'a>) -> Parsed<FetchStep<'a>> {
    let name = Atom::from_checked(name).ok_or_else(|| c.unexpected("msg-att"))?;
    Ok(FetchStep::Item(FetchData::Other { name, value: RawValue::from_checked(parse_value(c)?) }))
}

/// ```abnf
/// fetch-mod-resp = "MODSEQ" SP "(" permsg-modsequence ")"
/// ```
fn parse_mod_seq(c: &mut Cursor<'_>) -> Parsed<Option<NonZeroU64>> {
    c.expect(b'(', "fetch-mod-resp")?;
    let value = parse_tolerant_number(c)?;
    c.expect(b')', "fetch-mod-resp")?;
    Ok(value.and_then(NonZeroU64::new))
}

/// Writes one FETCH response, item by item, so that a body can be sent between two of them.
#[derive(Debug)]
#[must_use = "a response needs its end"]
pub struct FetchWriter {
    first: bool,
}

impl FetchWriter {
    /// Writes `* n FETCH (`.
    pub fn start(seq: NonZeroU32, e: &mut Encoder) -> Self {
        e.raw(b"* ");
        e.number(seq.get().into());
        e.raw(b" FETCH (");
        Self { first: true }
    }

    fn space(&mut self, e: &mut Encoder) {
        if !core::mem::take(&mut self.first) {
            e.octet(b' ');
        }
    }

    /// Writes a whole item. Octets of messages become a literal in place.
    ///
    /// # Errors
    /// [`Invalid`] for what only a broken peer says (a size or date that is unknown) or cannot be said at all.
    /// Then nothing is written.
    pub fn item(&mut self, data: &FetchData<'_>, e: &mut Encoder) -> Result<(), Invalid> {
        let first = self.first;
        let result = e.atomically(|e| {
            self.space(e);
            write_item(data, e)
        });
        if result.is_err() {
            self.first = first;
        }
        result
    }

    /// Writes the name of a body and the announcement of its literal; `len` octets must follow before anything else.
    ///
    /// # Errors
    /// [`Invalid`] when the section cannot be said. Then nothing is written.
    pub fn body_head(
        &mut self,
        name: &BodyName<'_>,
        origin: Option<u32>,
        len: u64,
        e: &mut Encoder,
    ) -> Result<(), Invalid> {
        let first = self.first;
        let result = e.atomically(|e| {
            self.space(e);
            write_body_head(name, origin, len, e)
        });
        if result.is_err() {
            self.first = first;
        }
        result
    }

    /// Writes the closing parenthesis and the line's end.
    pub fn end(self, e: &mut Encoder) {
        e.raw(b")\r\n");
    }
}

/// Writes a whole FETCH response.
pub(crate) fn write_fetch_response(response: &FetchResponse<'_>, e: &mut Encoder) -> Result<(), Invalid> {
    let mut writer = FetchWriter::start(response.seq, e);
    for item in &response.items {
        writer.item(item, e)?;
    }
    writer.end(e);
    Ok(())
}

fn write_item(data: &FetchData<'_>, e: &mut Encoder) -> Result<(), Invalid> {
    let unsayable = |what| Invalid::new(what, InvalidKind::Unsayable);
    match data {
        FetchData::Uid(uid) => {
            e.raw(b"UID ");
            e.number(uid.get().into());
        }
        FetchData::Flags(flags) => {
            e.raw(b"FLAGS ");
            write_flag_list(flags, FlagContext::Told, e)?;
        }
        FetchData::InternalDate(date) => {
            e.raw(b"INTERNALDATE ");
            write_date_time(date.ok_or(unsayable("date-time"))?, e);
        }
        FetchData::Size(size) => {
            e.raw(b"RFC822.SIZE ");
            e.number(size.ok_or(unsayable("RFC822.SIZE"))?);
        }
        FetchData::ModSeq(mod_seq) => {
            e.raw(b"MODSEQ (");
            e.number(mod_seq.ok_or(unsayable("mod-sequence-value"))?.get());
            e.octet(b')');
        }
        FetchData::Envelope(envelope) => {
            e.raw(b"ENVELOPE ");
            write_envelope(envelope, e)?;
        }
        FetchData::BodyStructure { body, extensible } => {
            e.raw(if *extensible { b"BODYSTRUCTURE " } else { b"BODY " });
            write_body(body, e)?;
        }
        FetchData::BinarySize { path, size } => {
            e.raw(b"BINARY.SIZE");
            write_section_binary(path, e);
            e.octet(b' ');
            e.number(*size);
        }
        FetchData::Body { name, origin, data: None } => {
            write_body_name(name, *origin, e)?;
            e.raw(b" NIL");
        }
        FetchData::Body { name, origin, data: Some(octets) } => {
            write_body_head(name, *origin, octets.len() as u64, e)?;
            e.raw(octets);
        }
        FetchData::Other { name, value } => {
            if is_known(name.as_bytes()) {
                return Err(unsayable("msg-att"));
            }
            e.raw(name.as_bytes());
            e.octet(b' ');
            e.raw(value.as_bytes());
        }
    }
    Ok(())
}

/// Whether an item of this name would be read as something else than [`FetchData::Other`].
fn is_known(name: &[u8]) -> bool {
    const KNOWN: [&str; 13] = [
        "UID",
        "FLAGS",
        "INTERNALDATE",
        "RFC822.SIZE",
        "MODSEQ",
        "BODY",
        "BODY.PEEK",
        "BODYSTRUCTURE",
        "ENVELOPE",
        "RFC822",
        "RFC822.HEADER",
        "RFC822.TEXT",
        "BINARY",
    ];
    name.contains(&b'[')
        || name.eq_ignore_ascii_case(b"BINARY.SIZE")
        || KNOWN.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
}
