//! STATUS (RFC 3501 sections 6.3.10, 7.2.4 and 9, RFC 7162, RFC 8438).

use alloc::vec::Vec;
use core::num::{NonZeroU32, NonZeroU64};

use super::chars;
use super::cursor::{Cursor, Parsed};
use super::encoder::Encoder;
use super::error::ParseErrorKind;
use super::mailbox::{parse_told_mailbox, write_mailbox};
use super::number::parse_tolerant_number;
use super::string::parse_atom;
use super::value::parse_value;
use crate::types::{Invalid, InvalidKind, Mailbox, StatusData, StatusItem};

/// ```abnf
/// status     = "STATUS" SP mailbox SP "(" status-att *(SP status-att) ")"
/// status-att = "MESSAGES" / "RECENT" / "UIDNEXT" / "UIDVALIDITY" / "UNSEEN"
/// status-att =/ "HIGHESTMODSEQ" / "SIZE"
/// ```
///
/// The list of the command.
pub(crate) fn parse_status_items(c: &mut Cursor<'_>) -> Parsed<Vec<StatusItem>> {
    c.expect(b'(', "status")?;
    let mut items = Vec::new();
    loop {
        c.item("status-att")?;
        let start = c.clone();
        let word = parse_atom(c)?;
        let item = item_of(word.as_bytes());
        items.push(item.ok_or_else(|| start.error("status-att", ParseErrorKind::Syntax))?);
        if c.eat(b')') {
            return Ok(items);
        }
        c.space("status")?;
    }
}

fn item_of(word: &[u8]) -> Option<StatusItem> {
    let found = StatusItem::ALL.iter().find(|(_, name)| word.eq_ignore_ascii_case(name.as_bytes()));
    found.map(|(item, _)| *item)
}

/// Writes the list of the command.
pub(crate) fn write_status_items(items: &[StatusItem], e: &mut Encoder) -> Result<(), Invalid> {
    if items.is_empty() {
        return Err(Invalid::new("status", InvalidKind::Empty));
    }
    for (i, item) in items.iter().enumerate() {
        e.octet(if i == 0 { b'(' } else { b' ' });
        e.raw(item.as_str().as_bytes());
    }
    e.octet(b')');
    Ok(())
}

/// ```abnf
/// mailbox-data    =/ "STATUS" SP mailbox SP "(" [status-att-list] ")"
/// status-att-list = status-att SP number *(SP status-att SP number)
/// ```
///
/// Items nobody knows are read over; a blank at the end is accepted (quirk 12).
pub(crate) fn parse_status_data<'a>(c: &mut Cursor<'a>) -> Parsed<(Mailbox<'a>, StatusData)> {
    c.spaces1("mailbox-data")?;
    let mailbox = parse_told_mailbox(c)?;
    c.spaces1("mailbox-data")?;
    c.expect(b'(', "status-att-list")?;
    let mut data = StatusData::default();
    loop {
        c.spaces();
        if c.eat(b')') {
            break;
        }
        let name = c.take_while1("status-att", chars::is_atom_char)?;
        c.spaces1("status-att-list")?;
        match item_of(name) {
            Some(item) => parse_status_value(c, item, &mut data)?,
            None => drop(parse_value(c)?),
        }
    }
    c.finish("mailbox-data")?;
    Ok((mailbox, data))
}

fn parse_status_value(c: &mut Cursor<'_>, item: StatusItem, data: &mut StatusData) -> Parsed<()> {
    let start = c.clone();
    let value = parse_tolerant_number(c)?;
    let small = match item {
        StatusItem::Size => {
            data.size = value;
            return Ok(());
        }
        StatusItem::HighestModSeq => {
            data.highest_mod_seq = value.and_then(NonZeroU64::new);
            return Ok(());
        }
        _ => value.map(u32::try_from).transpose(),
    };
    let small = small.map_err(|_| start.error("status-att", ParseErrorKind::NumberOutOfRange))?;
    match item {
        StatusItem::Messages => data.messages = small,
        StatusItem::Recent => data.recent = small,
        StatusItem::Unseen => data.unseen = small,
        StatusItem::UidNext => data.uid_next = small.and_then(NonZeroU32::new),
        StatusItem::UidValidity => data.uid_validity = small.and_then(NonZeroU32::new),
        StatusItem::Size | StatusItem::HighestModSeq => {}
    }
    Ok(())
}

/// Writes mailbox and data with a blank in front; what is unknown is left out.
pub(crate) fn write_status_data(
    mailbox: &Mailbox<'_>,
    data: &StatusData,
    e: &mut Encoder,
) -> Result<(), Invalid> {
    e.octet(b' ');
    write_mailbox(mailbox, e)?;
    e.raw(b" (");
    let values = [
        (StatusItem::Messages, data.messages.map(u64::from)),
        (StatusItem::Recent, data.recent.map(u64::from)),
        (StatusItem::UidNext, data.uid_next.map(|n| n.get().into())),
        (StatusItem::UidValidity, data.uid_validity.map(|n| n.get().into())),
        (StatusItem::Unseen, data.unseen.map(u64::from)),
        (StatusItem::HighestModSeq, data.highest_mod_seq.map(NonZeroU64::get)),
        (StatusItem::Size, data.size),
    ];
    let known = values.into_iter().filter_map(|(item, value)| value.map(|v| (item, v)));
    for (i, (item, value)) in known.enumerate() {
        if i > 0 {
            e.octet(b' ');
        }
        e.raw(item.as_str().as_bytes());
        e.octet(b' ');
        e.number(value);
    }
    e.octet(b')');
    Ok(())
}
