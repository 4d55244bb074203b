//! LIST and LSUB responses (RFC 3501 sections 7.2.2, 7.2.3 and 9).

use alloc::vec::Vec;

use super::cursor::{Cursor, Parsed};
use super::encoder::Encoder;
use super::mailbox::{parse_told_mailbox, write_mailbox};
use super::string::{eat_nil, parse_atom, parse_quoted, write_quoted};
use super::value::parse_value;
use crate::types::{Attribute, Delimiter, Invalid, ListEntry, ListKind};

/// ```abnf
/// mailbox-list   = "(" [mbx-list-flags] ")" SP (DQUOTE QUOTED-CHAR DQUOTE / nil) SP mailbox
/// mbx-list-flags = *(mbx-list-oflag SP) mbx-list-sflag *(SP mbx-list-oflag) / mbx-list-oflag *(SP mbx-list-oflag)
/// ```
///
/// The extended items of RFC 5258 behind the name are read over.
pub(crate) fn parse_mailbox_list<'a>(c: &mut Cursor<'a>, kind: ListKind) -> Parsed<ListEntry<'a>> {
    c.spaces1("mailbox-list")?;
    c.expect(b'(', "mailbox-list")?;
    let mut attributes = Vec::new();
    loop {
        c.spaces();
        if c.eat(b')') {
            break;
        }
        c.item("mbx-list-flags")?;
        c.expect(b'\\', "mbx-list-flags")?;
        attributes.push(Attribute::from_atom(parse_atom(c)?));
    }
    c.spaces1("mailbox-list")?;
    let delimiter = parse_delimiter(c)?;
    c.spaces1("mailbox-list")?;
    let mailbox = parse_told_mailbox(c)?;
    c.spaces();
    if c.peek() == Some(b'(') {
        parse_value(c)?;
    }
    c.finish("mailbox-list")?;
    Ok(ListEntry { kind, attributes, delimiter, mailbox })
}

/// Writes a `mailbox-list` with a blank in front.
pub(crate) fn write_mailbox_list(entry: &ListEntry<'_>, e: &mut Encoder) -> Result<(), Invalid> {
    e.raw(b" (");
    for (i, attribute) in entry.attributes.iter().enumerate() {
        if i > 0 {
            e.octet(b' ');
        }
        e.display(attribute);
    }
    e.raw(b") ");
    write_delimiter(entry.delimiter, e);
    e.octet(b' ');
    write_mailbox(&entry.mailbox, e)
}

/// ```abnf
/// (DQUOTE QUOTED-CHAR DQUOTE / nil)
/// ```
///
/// An empty string means none.
pub(crate) fn parse_delimiter(c: &mut Cursor<'_>) -> Parsed<Option<Delimiter>> {
    if eat_nil(c) {
        return Ok(None);
    }
    let start = c.clone();
    match &*parse_quoted(c)? {
        [] => Ok(None),
        [octet] => Delimiter::new(*octet).map(Some).map_err(|_| start.unexpected("delimiter")),
        _ => Err(start.unexpected("delimiter")),
    }
}

/// Writes a delimiter.
pub(crate) fn write_delimiter(delimiter: Option<Delimiter>, e: &mut Encoder) {
    match delimiter {
        None => e.raw(b"NIL"),
        Some(delimiter) => write_quoted(&[delimiter.get()], e),
    }
}
