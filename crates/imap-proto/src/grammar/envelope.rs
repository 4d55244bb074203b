//! `envelope` (RFC 3501 section 9).

use alloc::vec::Vec;

use super::cursor::{Cursor, Parsed};
use super::encoder::Encoder;
use super::string::{eat_nil, parse_nstring, write_nstring};
use crate::types::{Address, Envelope, Invalid, NString};

/// ```abnf
/// envelope = "(" env-date SP env-subject SP env-from SP env-sender SP env-reply-to SP env-to SP env-cc SP env-bcc SP
///            env-in-reply-to SP env-message-id ")"
/// ```
pub(crate) fn parse_envelope<'a>(c: &mut Cursor<'a>) -> Parsed<Envelope<'a>> {
    c.expect(b'(', "envelope")?;
    let envelope = Envelope {
        date: field(c, parse_nstring)?,
        subject: field(c, parse_nstring)?,
        from: field(c, parse_addresses)?,
        sender: field(c, parse_addresses)?,
        reply_to: field(c, parse_addresses)?,
        to: field(c, parse_addresses)?,
        cc: field(c, parse_addresses)?,
        bcc: field(c, parse_addresses)?,
        in_reply_to: field(c, parse_nstring)?,
        message_id: field(c, parse_nstring)?,
    };
    c.spaces();
    c.expect(b')', "envelope")?;
    Ok(envelope)
}

/// A field and the blanks in front of it, of which some servers leave out or double some.
#[inline]
fn field<'a, T>(c: &mut Cursor<'a>, rule: impl FnOnce(&mut Cursor<'a>) -> Parsed<T>) -> Parsed<T> {
    c.spaces();
    rule(c)
}

/// ```abnf
/// env-from = "(" 1*address ")" / nil
/// ```
fn parse_addresses<'a>(c: &mut Cursor<'a>) -> Parsed<Vec<Address<'a>>> {
    let mut list = Vec::new();
    if eat_nil(c) {
        return Ok(list);
    }
    c.expect(b'(', "env-address")?;
    loop {
        c.spaces();
        if c.eat(b')') {
            return Ok(list);
        }
        c.item("address")?;
        list.push(parse_address(c)?);
    }
}

/// ```abnf
/// address = "(" addr-name SP addr-adl SP addr-mailbox SP addr-host ")"
/// ```
fn parse_address<'a>(c: &mut Cursor<'a>) -> Parsed<Address<'a>> {
    c.expect(b'(', "address")?;
    let address = Address {
        name: field(c, parse_nstring)?,
        adl: field(c, parse_nstring)?,
        mailbox: field(c, parse_nstring)?,
        host: field(c, parse_nstring)?,
    };
    c.spaces();
    c.expect(b')', "address")?;
    Ok(address)
}

/// Writes an `envelope`.
pub(crate) fn write_envelope(envelope: &Envelope<'_>, e: &mut Encoder) -> Result<(), Invalid> {
    e.octet(b'(');
    write_nstring(&envelope.date, e)?;
    e.octet(b' ');
    write_nstring(&envelope.subject, e)?;
    for list in
        [&envelope.from, &envelope.sender, &envelope.reply_to, &envelope.to, &envelope.cc, &envelope.bcc]
    {
        e.octet(b' ');
        write_addresses(list, e)?;
    }
    e.octet(b' ');
    write_nstring(&envelope.in_reply_to, e)?;
    e.octet(b' ');
    write_nstring(&envelope.message_id, e)?;
    e.octet(b')');
    Ok(())
}

fn write_addresses(list: &[Address<'_>], e: &mut Encoder) -> Result<(), Invalid> {
    if list.is_empty() {
        return write_nstring(&NString::NIL, e);
    }
    e.octet(b'(');
    for address in list {
        e.octet(b'(');
        write_nstring(&address.name, e)?;
        for part in [&address.adl, &address.mailbox, &address.host] {
            e.octet(b' ');
            write_nstring(part, e)?;
        }
        e.octet(b')');
    }
    e.octet(b')');
    Ok(())
}
