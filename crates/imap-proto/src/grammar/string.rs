//! `atom`, `quoted`, `literal`, `string`, `astring`, `nstring` (RFC 3501 sections 4.3 and 9, RFC 7888).

use alloc::borrow::Cow;
use alloc::vec::Vec;

use wire::SecretBytes;

use super::chars;
use super::cursor::{Cursor, Parsed};
use super::encoder::Encoder;
use super::error::ParseErrorKind;
use super::number::parse_number64;
use crate::types::{AString, Atom, Invalid, InvalidKind, NString, Tag};

/// Longer strings are written as literals: some servers limit the length of a line.
const MAX_QUOTED: usize = 1000;

/// ```abnf
/// atom = 1*ATOM-CHAR
/// ```
pub(crate) fn parse_atom<'a>(c: &mut Cursor<'a>) -> Parsed<Atom<'a>> {
    let octets = c.take_while1("atom", chars::is_atom_char)?;
    Atom::from_checked(octets).ok_or_else(|| c.unexpected("atom"))
}

/// ```abnf
/// tag = 1*<any ASTRING-CHAR except "+">
/// ```
pub(crate) fn parse_tag<'a>(c: &mut Cursor<'a>) -> Parsed<Tag<'a>> {
    let octets = c.take_while1("tag", chars::is_tag_char)?;
    Tag::from_checked(octets).ok_or_else(|| c.unexpected("tag"))
}

/// ```abnf
/// quoted      = DQUOTE *QUOTED-CHAR DQUOTE
/// QUOTED-CHAR = <any TEXT-CHAR except quoted-specials> / "\" quoted-specials
/// ```
///
/// Octets with the high bit are accepted (quirk 13), and so is `\` in front of any character.
pub(crate) fn parse_quoted<'a>(c: &mut Cursor<'a>) -> Parsed<Cow<'a, [u8]>> {
    c.expect(b'"', "quoted")?;
    let plain = quoted_run(c)?;
    if c.eat(b'"') {
        return Ok(Cow::Borrowed(plain));
    }
    let mut out: Vec<u8> = plain.to_vec();
    loop {
        if c.eat(b'"') {
            return Ok(Cow::Owned(out));
        }
        c.expect(b'\\', "quoted")?;
        match c.peek() {
            Some(o) if !matches!(o, 0 | b'\r' | b'\n') => out.push(o),
            _ => return Err(c.unexpected("quoted")),
        }
        c.bump();
        out.extend_from_slice(quoted_run(c)?);
    }
}

/// Everything up to the next `"` or `\`, which must come before the line ends.
fn quoted_run<'a>(c: &mut Cursor<'a>) -> Parsed<&'a [u8]> {
    // Each octet is looked at twice at most, so the cost stays linear.
    let rest = c.rest();
    let Some(len) = memchr::memchr3(b'"', b'\\', b'\n', rest) else {
        c.take(rest.len());
        return Err(c.unexpected("quoted"));
    };
    let run = rest.get(..len).unwrap_or_default();
    if let Some(bad) = memchr::memchr2(0, b'\r', run) {
        c.take(bad);
        return Err(c.unexpected("quoted"));
    }
    c.take(len);
    Ok(run)
}

/// The announcement of a literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LiteralHead {
    pub(crate) len: u64,
    /// `{n}`; `{n+}` is `false`.
    pub(crate) sync: bool,
}

/// ```abnf
/// literal     = "{" number ["+"] "}" CRLF *CHAR8
/// ```
pub(crate) fn parse_literal_head(c: &mut Cursor<'_>) -> Parsed<LiteralHead> {
    c.expect(b'{', "literal")?;
    let len = parse_number64(c)?;
    let sync = !c.eat(b'+');
    c.expect(b'}', "literal")?;
    c.line_end("literal")?;
    Ok(LiteralHead { len, sync })
}

/// A literal whose octets are in the frame. They may be anything.
pub(crate) fn parse_literal_octets<'a>(c: &mut Cursor<'a>) -> Parsed<&'a [u8]> {
    let head = parse_literal_head(c)?;
    let len = usize::try_from(head.len).ok();
    len.and_then(|n| c.take(n)).ok_or_else(|| c.error("literal", ParseErrorKind::End))
}

/// ```abnf
/// string = quoted / literal
/// ```
pub(crate) fn parse_string<'a>(c: &mut Cursor<'a>) -> Parsed<Cow<'a, [u8]>> {
    match c.peek() {
        Some(b'"') => parse_quoted(c),
        Some(b'{') => {
            let octets = parse_literal_octets(c)?;
            if memchr::memchr(0, octets).is_some() {
                return Err(c.error("literal", ParseErrorKind::Syntax));
            }
            Ok(Cow::Borrowed(octets))
        }
        _ => Err(c.unexpected("string")),
    }
}

/// ```abnf
/// astring = 1*ASTRING-CHAR / string
/// ```
pub(crate) fn parse_astring<'a>(c: &mut Cursor<'a>) -> Parsed<AString<'a>> {
    match c.peek() {
        Some(b'"' | b'{') => parse_string(c).map(AString::from_checked),
        _ => {
            let octets = c.take_while1("astring", chars::is_astring_char)?;
            Ok(AString::from_checked(Cow::Borrowed(octets)))
        }
    }
}

/// ```abnf
/// nstring = string / nil
/// ```
pub(crate) fn parse_nstring<'a>(c: &mut Cursor<'a>) -> Parsed<NString<'a>> {
    if eat_nil(c) {
        return Ok(NString::NIL);
    }
    parse_string(c).map(|octets| NString::from_checked(Some(octets))).map_err(|e| {
        // The octet that is wrong is wrong for the whole rule, not only for the alternative tried last.
        if e.rule == "string" { c.unexpected("nstring") } else { e }
    })
}

/// ```abnf
/// nil = "NIL"
/// ```
#[inline]
pub(crate) fn eat_nil(c: &mut Cursor<'_>) -> bool {
    c.eat_ignore_case(b"NIL")
}

/// Whether the octets can be `quoted`.
pub(crate) fn is_quotable(octets: &[u8]) -> bool {
    octets.len() <= MAX_QUOTED
        && octets.iter().all(|&o| chars::is_quoted_char(o) || matches!(o, b'"' | b'\\'))
}

fn push_quoted(octets: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for &o in octets {
        if matches!(o, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(o);
    }
    out.push(b'"');
}

/// Writes `quoted`; the caller knows that it can be.
pub(crate) fn write_quoted(octets: &[u8], e: &mut Encoder) {
    push_quoted(octets, e.buffer());
}

/// Writes a `string`: quoted if it can be, else a literal.
pub(crate) fn write_string(octets: &[u8], e: &mut Encoder) -> Result<(), Invalid> {
    if is_quotable(octets) {
        write_quoted(octets, e);
    } else {
        no_nul("string", octets)?;
        e.literal(octets);
    }
    Ok(())
}

/// Writes an `astring`: an atom if it can be, else a string. `NIL` is quoted so that nobody takes it for nothing.
pub(crate) fn write_astring(octets: &[u8], e: &mut Encoder) -> Result<(), Invalid> {
    let atom =
        !octets.is_empty() && octets.len() <= MAX_QUOTED && octets.iter().all(|&o| chars::is_astring_char(o));
    if atom && !octets.eq_ignore_ascii_case(b"NIL") {
        e.raw(octets);
        return Ok(());
    }
    write_string(octets, e)
}

/// Writes an `nstring`.
pub(crate) fn write_nstring(value: &NString<'_>, e: &mut Encoder) -> Result<(), Invalid> {
    match value.as_bytes() {
        None => {
            e.raw(b"NIL");
            Ok(())
        }
        Some(octets) => write_string(octets, e),
    }
}

/// Writes a `string` that must not be logged. Its only copy outside the wiped value is wiped too.
pub(crate) fn write_secret_string(secret: &SecretBytes, e: &mut Encoder) -> Result<(), Invalid> {
    let octets = secret.expose();
    if is_quotable(octets) {
        // Enough for the worst case: growing would leave a copy behind.
        let mut out = Vec::with_capacity(octets.len().saturating_mul(2).saturating_add(2));
        push_quoted(octets, &mut out);
        e.secret(SecretBytes::new(out));
    } else {
        no_nul("password", octets)?;
        e.secret_literal(secret.clone());
    }
    Ok(())
}

fn no_nul(what: &'static str, octets: &[u8]) -> Result<(), Invalid> {
    match memchr::memchr(0, octets) {
        Some(at) => Err(Invalid::new(what, InvalidKind::Octet { at })),
        None => Ok(()),
    }
}
