//! `flag-list`, `flag-perm` and the flags of STORE (RFC 3501 section 9).

use super::chars;
use super::cursor::{Cursor, Parsed};
use super::encoder::Encoder;
use super::string::parse_atom;
use crate::types::{Flag, FlagSet, Invalid, InvalidKind, Keyword};

/// ```abnf
/// flag         = "\Answered" / "\Flagged" / "\Deleted" / "\Seen" / "\Draft" / flag-keyword / flag-extension
/// flag-fetch   = flag / "\Recent"
/// flag-keyword = atom
/// ```
///
/// `]` is accepted in keywords because servers send it.
pub(crate) fn parse_flag<'a>(c: &mut Cursor<'a>) -> Parsed<Flag<'a>> {
    if c.eat(b'\\') {
        return parse_atom(c).map(Flag::system_or_extension);
    }
    let octets = c.take_while1("flag", chars::is_astring_char)?;
    Keyword::from_checked(octets).map(Flag::Keyword).ok_or_else(|| c.unexpected("flag"))
}

/// ```abnf
/// flag-list = "(" [flag *(SP flag)] ")"
/// flag-perm = flag / "\*"
/// ```
///
/// Extra blanks are accepted.
pub(crate) fn parse_flag_list<'a>(c: &mut Cursor<'a>) -> Parsed<FlagSet<'a>> {
    c.expect(b'(', "flag-list")?;
    let mut flags = FlagSet::new();
    loop {
        c.spaces();
        if c.eat(b')') {
            return Ok(flags);
        }
        if c.rest().starts_with(b"\\*") {
            c.take(2);
            flags.set_wildcard(true);
        } else {
            c.item("flag-list")?;
            flags.push(parse_flag(c)?);
        }
        if !matches!(c.peek(), Some(b' ' | b')')) {
            return Err(c.unexpected("flag-list"));
        }
    }
}

/// `store-att-flags`: a list, or flags without parentheses up to the end of the line.
pub(crate) fn parse_store_flags<'a>(c: &mut Cursor<'a>) -> Parsed<FlagSet<'a>> {
    if c.peek() == Some(b'(') {
        return parse_flag_list(c);
    }
    let mut flags = FlagSet::new();
    loop {
        c.item("flag-list")?;
        flags.push(parse_flag(c)?);
        if !c.eat(b' ') {
            return Ok(flags);
        }
    }
}

/// Which flags may be in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FlagContext {
    /// FLAGS of a mailbox or a message: `\Recent` yes, `\*` no.
    Told,
    /// PERMANENTFLAGS: both.
    Permanent,
    /// STORE and APPEND: neither.
    Given,
}

/// Writes a `flag-list`.
pub(crate) fn write_flag_list(
    flags: &FlagSet<'_>,
    context: FlagContext,
    e: &mut Encoder,
) -> Result<(), Invalid> {
    let recent = context == FlagContext::Given && flags.contains(&Flag::Recent);
    if recent || (context != FlagContext::Permanent && flags.has_wildcard()) {
        return Err(Invalid::new("flag-list", InvalidKind::Unsayable));
    }
    let bracket = |flag: &Flag<'_>| matches!(flag, Flag::Keyword(k) if k.as_bytes().contains(&b']'));
    if context == FlagContext::Permanent && flags.iter().any(|f| bracket(&f)) {
        return Err(Invalid::new("flag-perm", InvalidKind::Unsayable));
    }
    e.octet(b'(');
    let mut first = true;
    let mut space = |e: &mut Encoder| {
        if !core::mem::take(&mut first) {
            e.octet(b' ');
        }
    };
    for flag in flags.iter() {
        space(e);
        e.display(&flag);
    }
    if flags.has_wildcard() {
        space(e);
        e.raw(b"\\*");
    }
    e.octet(b')');
    Ok(())
}
