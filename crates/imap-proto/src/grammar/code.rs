//! `resp-text-code` (RFC 3501 section 7.1, RFC 4315, RFC 5530, RFC 7162).

use alloc::vec::Vec;

use super::capability::{parse_capabilities, write_capabilities};
use super::chars;
use super::cursor::{Cursor, Parsed};
use super::encoder::Encoder;
use super::flag::{FlagContext, parse_flag_list, write_flag_list};
use super::number::{parse_mod_sequence_value, parse_nz_number};
use super::sequence::{parse_sequence_set, parse_uid_set, write_sequence_set, write_uid_set};
use super::string::{is_quotable, parse_quoted, write_quoted};
use super::whole;
use crate::types::{AString, Code, Invalid, InvalidKind, RawCode, UidSet};

/// ```abnf
/// resp-text-code = "ALERT" / "BADCHARSET" [SP "(" astring *(SP astring) ")" ] / capability-data / "PARSE" /
///                  "PERMANENTFLAGS" SP "(" [flag-perm *(SP flag-perm)] ")" / "READ-ONLY" / "READ-WRITE" /
///                  "TRYCREATE" / "UIDNEXT" SP nz-number / "UIDVALIDITY" SP nz-number / "UNSEEN" SP nz-number /
///                  atom [SP 1*<any TEXT-CHAR except "]">]
/// resp-code-apnd = "APPENDUID" SP nz-number SP append-uid
/// resp-code-copy = "COPYUID" SP nz-number SP uid-set SP uid-set
/// resp-text-code =/ "HIGHESTMODSEQ" SP mod-sequence-value / "NOMODSEQ" / "MODIFIED" SP sequence-set / "CLOSED"
/// ```
///
/// What stands between the brackets and the closing one, which is the first there is: nothing inside a code may hold
/// it. `None`, with nothing read, when the line has none: then it is text. Whatever cannot be read as what its name
/// says is [`Code::Other`] (FR-22).
pub(crate) fn parse_code<'a>(c: &mut Cursor<'a>) -> Option<Code<'a>> {
    let mut ahead = c.clone();
    let octets = ahead.take_while(|o| !matches!(o, b']' | b'\r' | b'\n' | 0));
    if !ahead.eat(b']') {
        return None;
    }
    let code = from_octets(octets).ok()?;
    *c = ahead;
    Some(code)
}

/// A code this crate knows; `Ok(None)` for any other name.
fn parse_known<'a>(c: &mut Cursor<'a>) -> Parsed<Option<Code<'a>>> {
    let name = c.take_while1("resp-text-code", chars::is_atom_char)?;
    let is = |word: &[u8]| name.eq_ignore_ascii_case(word);
    let sp = |c: &mut Cursor<'a>| c.spaces1("resp-text-code");
    if let Some(plain) = Code::plain(name) {
        return Ok(Some(plain));
    }
    let code = if is(b"UIDVALIDITY") {
        sp(c)?;
        Code::UidValidity(parse_nz_number(c)?)
    } else if is(b"UIDNEXT") {
        sp(c)?;
        Code::UidNext(parse_nz_number(c)?)
    } else if is(b"UNSEEN") {
        sp(c)?;
        Code::Unseen(parse_nz_number(c)?)
    } else if is(b"PERMANENTFLAGS") {
        sp(c)?;
        Code::PermanentFlags(parse_flag_list(c)?)
    } else if is(b"CAPABILITY") {
        Code::Capability(parse_capabilities(c)?)
    } else if is(b"COPYUID") {
        sp(c)?;
        let uid_validity = parse_nz_number(c)?;
        let source = if c.eat(b' ') { parse_uid_set(c)? } else { UidSet::default() };
        let destination = if c.eat(b' ') { parse_uid_set(c)? } else { UidSet::default() };
        Code::CopyUid { uid_validity, source, destination }
    } else if is(b"APPENDUID") {
        sp(c)?;
        let uid_validity = parse_nz_number(c)?;
        sp(c)?;
        Code::AppendUid { uid_validity, uids: parse_uid_set(c)? }
    } else if is(b"HIGHESTMODSEQ") {
        sp(c)?;
        Code::HighestModSeq(parse_mod_sequence_value(c)?)
    } else if is(b"MODIFIED") {
        sp(c)?;
        Code::Modified(parse_sequence_set(c)?)
    } else if is(b"BADCHARSET") {
        Code::BadCharset(parse_charsets(c)?)
    } else {
        return Ok(None);
    };
    Ok(Some(code))
}

fn parse_charsets<'a>(c: &mut Cursor<'a>) -> Parsed<Vec<AString<'a>>> {
    let mut list = Vec::new();
    c.spaces();
    if !c.eat(b'(') {
        return Ok(list);
    }
    loop {
        c.spaces();
        if c.eat(b')') {
            return Ok(list);
        }
        c.item("astring")?;
        let octets = match c.peek() {
            Some(b'"') => parse_quoted(c)?,
            _ => c.take_while1("astring", chars::is_atom_char)?.into(),
        };
        list.push(AString::from_checked(octets));
    }
}

/// The octets as one code.
pub(crate) fn from_octets(octets: &[u8]) -> Result<Code<'_>, Invalid> {
    if octets.is_empty() {
        return Err(Invalid::new("resp-text-code", InvalidKind::Empty));
    }
    if let Some(at) = octets.iter().position(|o| matches!(o, b']' | b'\r' | b'\n' | 0)) {
        return Err(Invalid::octet("resp-text-code", at));
    }
    let known = whole(octets, |c| {
        let code = parse_known(c)?;
        c.spaces();
        Ok(code)
    });
    match known {
        Ok(Some(code)) => Ok(code),
        _ => Ok(Code::Other(RawCode::from_checked(octets))),
    }
}

/// Writes a code with its brackets.
pub(crate) fn write_code(code: &Code<'_>, e: &mut Encoder) -> Result<(), Invalid> {
    e.octet(b'[');
    match code {
        Code::UidValidity(n) => named_number("UIDVALIDITY ", n.get().into(), e),
        Code::UidNext(n) => named_number("UIDNEXT ", n.get().into(), e),
        Code::Unseen(n) => named_number("UNSEEN ", n.get().into(), e),
        Code::HighestModSeq(n) => named_number("HIGHESTMODSEQ ", n.get(), e),
        Code::PermanentFlags(flags) => {
            e.raw(b"PERMANENTFLAGS ");
            write_flag_list(flags, FlagContext::Permanent, e)?;
        }
        Code::Capability(list) => {
            e.raw(b"CAPABILITY");
            write_capabilities(list.iter(), e);
        }
        Code::CopyUid { uid_validity, source, destination } => {
            named_number("COPYUID ", uid_validity.get().into(), e);
            e.octet(b' ');
            write_uid_set(source, e);
            e.octet(b' ');
            write_uid_set(destination, e);
        }
        Code::AppendUid { uid_validity, uids } => {
            named_number("APPENDUID ", uid_validity.get().into(), e);
            e.octet(b' ');
            write_uid_set(uids, e);
        }
        Code::Modified(set) => {
            e.raw(b"MODIFIED ");
            write_sequence_set(set, e);
        }
        Code::BadCharset(list) => write_charsets(list, e)?,
        Code::Other(raw) => e.raw(raw.as_bytes()),
        // The macro that defines the names knows which are left.
        plain => e.raw(plain.plain_name().unwrap_or_default().as_bytes()),
    }
    e.octet(b']');
    Ok(())
}

fn named_number(name: &str, number: u64, e: &mut Encoder) {
    e.raw(name.as_bytes());
    e.number(number);
}

fn write_charsets(list: &[AString<'_>], e: &mut Encoder) -> Result<(), Invalid> {
    e.raw(b"BADCHARSET");
    for (i, charset) in list.iter().enumerate() {
        e.raw(if i == 0 { b" (" } else { b" " });
        let octets = charset.as_bytes();
        if !octets.is_empty() && octets.iter().all(|&o| chars::is_atom_char(o)) {
            e.raw(octets);
        } else if is_quotable(octets) && !octets.contains(&b']') {
            write_quoted(octets, e);
        } else {
            return Err(Invalid::new("charset", InvalidKind::Unsayable));
        }
    }
    if !list.is_empty() {
        e.octet(b')');
    }
    Ok(())
}
