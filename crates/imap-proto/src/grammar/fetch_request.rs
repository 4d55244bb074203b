//! The items of a FETCH command (RFC 3501 sections 6.4.5 and 9, RFC 3516, RFC 7162).

use alloc::vec::Vec;

use super::chars;
use super::cursor::{Cursor, Parsed};
use super::encoder::Encoder;
use super::section::{
    parse_partial, parse_section, parse_section_binary, write_partial, write_section, write_section_binary,
};
use crate::types::{Atom, FetchItem, FetchItems, Invalid, InvalidKind};

/// ```abnf
/// fetch = "FETCH" SP sequence-set SP ("ALL" / "FULL" / "FAST" / fetch-att / "(" fetch-att *(SP fetch-att) ")")
/// ```
pub(crate) fn parse_fetch_items<'a>(c: &mut Cursor<'a>) -> Parsed<FetchItems<'a>> {
    let mut items = Vec::new();
    if !c.eat(b'(') {
        let item = parse_fetch_att(c)?;
        return Ok(match &item {
            FetchItem::Other(word) if word.is("ALL") => FetchItems::All,
            FetchItem::Other(word) if word.is("FULL") => FetchItems::Full,
            FetchItem::Other(word) if word.is("FAST") => FetchItems::Fast,
            _ => {
                items.push(item);
                FetchItems::List(items)
            }
        });
    }
    loop {
        c.item("fetch-att")?;
        items.push(parse_fetch_att(c)?);
        if c.eat(b')') {
            return Ok(FetchItems::List(items));
        }
        c.space("fetch")?;
    }
}

/// ```abnf
/// fetch-att = "ENVELOPE" / "FLAGS" / "INTERNALDATE" / "RFC822" [".HEADER" / ".SIZE" / ".TEXT"] /
///             "BODY" ["STRUCTURE"] / "UID" / "BODY" section ["<" number "." nz-number ">"] /
///             "BODY.PEEK" section ["<" number "." nz-number ">"]
/// fetch-att =/ "MODSEQ" / "BINARY" [".PEEK"] section-binary [partial] / "BINARY.SIZE" section-binary
/// ```
fn parse_fetch_att<'a>(c: &mut Cursor<'a>) -> Parsed<FetchItem<'a>> {
    let name = c.take_while1("fetch-att", |o| chars::is_atom_char(o) && o != b'[')?;
    let is = |word: &[u8]| name.eq_ignore_ascii_case(word);
    if c.peek() == Some(b'[') {
        return if is(b"BODY") || is(b"BODY.PEEK") {
            let (section, partial) = (parse_section(c)?, parse_partial(c)?);
            Ok(FetchItem::BodySection { section, peek: is(b"BODY.PEEK"), partial })
        } else if is(b"BINARY") || is(b"BINARY.PEEK") {
            let (path, partial) = (parse_section_binary(c)?, parse_partial(c)?);
            Ok(FetchItem::Binary { path, peek: is(b"BINARY.PEEK"), partial })
        } else if is(b"BINARY.SIZE") {
            parse_section_binary(c).map(FetchItem::BinarySize)
        } else {
            Err(c.unexpected("fetch-att"))
        };
    }
    if let Some((_, item)) = WORDS.iter().find(|(word, _)| is(word.as_bytes())) {
        return Ok(item.clone());
    }
    Atom::from_checked(name).map(FetchItem::Other).ok_or_else(|| c.unexpected("fetch-att"))
}

const WORDS: [(&str, FetchItem<'static>); 11] = [
    ("UID", FetchItem::Uid),
    ("FLAGS", FetchItem::Flags),
    ("INTERNALDATE", FetchItem::InternalDate),
    ("RFC822.SIZE", FetchItem::Rfc822Size),
    ("ENVELOPE", FetchItem::Envelope),
    ("BODYSTRUCTURE", FetchItem::BodyStructure),
    ("BODY", FetchItem::Body),
    ("RFC822", FetchItem::Rfc822),
    ("RFC822.HEADER", FetchItem::Rfc822Header),
    ("RFC822.TEXT", FetchItem::Rfc822Text),
    ("MODSEQ", FetchItem::ModSeq),
];

/// Writes the items.
pub(crate) fn write_fetch_items(items: &FetchItems<'_>, e: &mut Encoder) -> Result<(), Invalid> {
    let list = match items {
        FetchItems::All => return write_word(b"ALL", e),
        FetchItems::Full => return write_word(b"FULL", e),
        FetchItems::Fast => return write_word(b"FAST", e),
        FetchItems::List(list) => list,
    };
    if list.is_empty() {
        // Exchange answers an empty list with `BAD Command Argument Error. 11`.
        return Err(Invalid::new("fetch", InvalidKind::Empty));
    }
    for (i, item) in list.iter().enumerate() {
        e.octet(if i == 0 { b'(' } else { b' ' });
        write_fetch_att(item, e)?;
    }
    e.octet(b')');
    Ok(())
}

fn write_word(word: &[u8], e: &mut Encoder) -> Result<(), Invalid> {
    e.raw(word);
    Ok(())
}

fn write_fetch_att(item: &FetchItem<'_>, e: &mut Encoder) -> Result<(), Invalid> {
    if let Some((word, _)) = WORDS.iter().find(|(_, known)| known == item) {
        return write_word(word.as_bytes(), e);
    }
    match item {
        FetchItem::BodySection { section, peek, partial } => {
            e.raw(if *peek { b"BODY.PEEK" } else { b"BODY" });
            write_section(section, e)?;
            write_partial(*partial, e);
        }
        FetchItem::Binary { path, peek, partial } => {
            e.raw(if *peek { b"BINARY.PEEK" } else { b"BINARY" });
            write_section_binary(path, e);
            write_partial(*partial, e);
        }
        FetchItem::BinarySize(path) => {
            e.raw(b"BINARY.SIZE");
            write_section_binary(path, e);
        }
        FetchItem::Other(word) if !word.as_bytes().contains(&b'[') => e.raw(word.as_bytes()),
        // An atom may hold `[`, but then it is not one word of fetch-att.
        _ => return Err(Invalid::new("fetch-att", InvalidKind::Unsayable)),
    }
    Ok(())
}
