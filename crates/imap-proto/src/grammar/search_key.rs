//! `search-key` (RFC 3501 sections 6.4.4 and 9, RFC 7162).

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::ParseLimits;
use super::chars;
use super::cursor::{Cursor, Parsed};
use super::date::{parse_date, write_date};
use super::encoder::Encoder;
use super::error::ParseErrorKind;
use super::number::{parse_mod_sequence_valzer, parse_number, write_mod_sequence_valzer};
use super::sequence::{parse_sequence_set, write_sequence_set};
use super::string::{parse_astring, parse_quoted, write_astring};
use super::word::Word;
use crate::types::{AString, Date, Invalid, InvalidKind, Keyword, SearchKey};

/// ```abnf
/// search = "SEARCH" [SP "CHARSET" SP astring] 1*(SP search-key)
/// ```
///
/// What follows the command's name. Several keys are one [`SearchKey::And`].
pub(crate) fn parse_search<'a>(c: &mut Cursor<'a>) -> Parsed<(Option<AString<'a>>, SearchKey<'a>)> {
    c.space("search")?;
    let mut charset = None;
    if c.eat_ignore_case(b"CHARSET ") {
        charset = Some(parse_astring(c)?);
        c.space("search")?;
    }
    let first = parse_search_key(c)?;
    if !c.eat(b' ') {
        return Ok((charset, first));
    }
    let mut keys = Vec::from([first]);
    loop {
        keys.push(parse_search_key(c)?);
        if !c.eat(b' ') {
            return Ok((charset, SearchKey::And(keys)));
        }
    }
}

/// ```abnf
/// search-key = "ALL" / "ANSWERED" / "BCC" SP astring / "BEFORE" SP date / "BODY" SP astring / "CC" SP astring /
///              "DELETED" / "FLAGGED" / "FROM" SP astring / "KEYWORD" SP flag-keyword / "NEW" / "OLD" /
///              "ON" SP date / "RECENT" / "SEEN" / "SINCE" SP date / "SUBJECT" SP astring / "TEXT" SP astring /
///              "TO" SP astring / "UNANSWERED" / "UNDELETED" / "UNFLAGGED" / "UNKEYWORD" SP flag-keyword /
///              "UNSEEN" / "DRAFT" / "HEADER" SP header-fld-name SP astring / "LARGER" SP number /
///              "NOT" SP search-key / "OR" SP search-key SP search-key / "SENTBEFORE" SP date / "SENTON" SP date /
///              "SENTSINCE" SP date / "SMALLER" SP number / "UID" SP sequence-set / "UNDRAFT" / sequence-set /
///              "(" search-key *(SP search-key) ")"
/// search-key =/ "MODSEQ" [search-modseq-ext] SP mod-sequence-valzer
/// ```
fn parse_search_key<'a>(c: &mut Cursor<'a>) -> Parsed<SearchKey<'a>> {
    use SearchKey as K;
    c.item("search-key")?;
    match c.peek() {
        Some(b'0'..=b'9' | b'*') => return parse_sequence_set(c).map(K::Sequence),
        Some(b'(') => return parse_key_list(c),
        _ => {}
    }
    let start = c.clone();
    let word = Word::new(c.take_while1("search-key", |o| o.is_ascii_alphabetic())?);
    Ok(match word.upper() {
        b"ALL" => K::All,
        b"ANSWERED" => K::Answered,
        b"BCC" => K::Bcc(parse_argument(c)?),
        b"BEFORE" => K::Before(parse_day(c)?),
        b"BODY" => K::Body(parse_argument(c)?),
        b"CC" => K::Cc(parse_argument(c)?),
        b"DELETED" => K::Deleted,
        b"DRAFT" => K::Draft,
        b"FLAGGED" => K::Flagged,
        b"FROM" => K::From(parse_argument(c)?),
        b"HEADER" => K::Header(parse_argument(c)?, parse_argument(c)?),
        b"KEYWORD" => K::Keyword(parse_keyword(c)?),
        b"LARGER" => K::Larger(parse_size(c)?),
        b"MODSEQ" => K::ModSeq(parse_mod_seq(c)?),
        b"NEW" => K::New,
        b"NOT" => {
            c.enter("search-key")?;
            let key = parse_operand(c)?;
            c.leave();
            K::Not(key)
        }
        b"OLD" => K::Old,
        b"ON" => K::On(parse_day(c)?),
        b"OR" => {
            c.enter("search-key")?;
            let (left, right) = (parse_operand(c)?, parse_operand(c)?);
            c.leave();
            K::Or(left, right)
        }
        b"RECENT" => K::Recent,
        b"SEEN" => K::Seen,
        b"SENTBEFORE" => K::SentBefore(parse_day(c)?),
        b"SENTON" => K::SentOn(parse_day(c)?),
        b"SENTSINCE" => K::SentSince(parse_day(c)?),
        b"SINCE" => K::Since(parse_day(c)?),
        b"SMALLER" => K::Smaller(parse_size(c)?),
        b"SUBJECT" => K::Subject(parse_argument(c)?),
        b"TEXT" => K::Text(parse_argument(c)?),
        b"TO" => K::To(parse_argument(c)?),
        b"UID" => {
            c.space("search-key")?;
            K::Uid(parse_sequence_set(c)?)
        }
        b"UNANSWERED" => K::Unanswered,
        b"UNDELETED" => K::Undeleted,
        b"UNDRAFT" => K::Undraft,
        b"UNFLAGGED" => K::Unflagged,
        b"UNKEYWORD" => K::Unkeyword(parse_keyword(c)?),
        b"UNSEEN" => K::Unseen,
        _ => return Err(start.error("search-key", ParseErrorKind::Syntax)),
    })
}

fn parse_key_list<'a>(c: &mut Cursor<'a>) -> Parsed<SearchKey<'a>> {
    c.enter("search-key")?;
    c.expect(b'(', "search-key")?;
    let mut keys = Vec::new();
    loop {
        keys.push(parse_search_key(c)?);
        if c.eat(b')') {
            c.leave();
            return Ok(SearchKey::And(keys));
        }
        c.space("search-key")?;
    }
}

fn parse_operand<'a>(c: &mut Cursor<'a>) -> Parsed<Box<SearchKey<'a>>> {
    c.space("search-key")?;
    parse_search_key(c).map(Box::new)
}

fn parse_argument<'a>(c: &mut Cursor<'a>) -> Parsed<AString<'a>> {
    c.space("search-key")?;
    parse_astring(c)
}

fn parse_day(c: &mut Cursor<'_>) -> Parsed<Date> {
    c.space("search-key")?;
    parse_date(c)
}

fn parse_size(c: &mut Cursor<'_>) -> Parsed<u32> {
    c.space("search-key")?;
    parse_number(c)
}

fn parse_keyword<'a>(c: &mut Cursor<'a>) -> Parsed<Keyword<'a>> {
    c.space("search-key")?;
    let octets = c.take_while1("flag-keyword", chars::is_astring_char)?;
    Keyword::from_checked(octets).ok_or_else(|| c.unexpected("flag-keyword"))
}

/// ```abnf
/// search-modseq-ext = SP entry-name SP entry-type-req
/// entry-type-req    = "priv" / "shared" / "all"
/// ```
///
/// The entry only narrows what a server with mod-sequences per flag compares, which RFC 7162 lets it ignore.
fn parse_mod_seq(c: &mut Cursor<'_>) -> Parsed<u64> {
    c.space("search-key")?;
    if c.peek() == Some(b'"') {
        parse_quoted(c)?;
        c.space("entry-type-req")?;
        if ![&b"priv"[..], b"shared", b"all"].into_iter().any(|kind| c.eat_ignore_case(kind)) {
            return Err(c.unexpected("entry-type-req"));
        }
        c.space("search-key")?;
    }
    parse_mod_sequence_valzer(c)
}

/// Writes what follows the command's name.
pub(crate) fn write_search(
    charset: Option<&AString<'_>>,
    key: &SearchKey<'_>,
    e: &mut Encoder,
) -> Result<(), Invalid> {
    if let Some(charset) = charset {
        e.raw(b" CHARSET ");
        write_astring(charset.as_bytes(), e)?;
    }
    match key {
        // One key in a list would be read as the key alone, so only several go without parentheses.
        SearchKey::And(keys) if keys.len() > 1 => {
            for key in keys {
                e.octet(b' ');
                write_search_key(key, ParseLimits::MAX_DEPTH, e)?;
            }
            Ok(())
        }
        key => {
            e.octet(b' ');
            write_search_key(key, ParseLimits::MAX_DEPTH, e)
        }
    }
}

/// Writes a `search-key`.
fn write_search_key(key: &SearchKey<'_>, depth: usize, e: &mut Encoder) -> Result<(), Invalid> {
    use SearchKey as K;
    let inside = || {
        let max = ParseLimits::MAX_DEPTH;
        depth.checked_sub(1).ok_or(Invalid::new("search-key", InvalidKind::TooDeep { max }))
    };
    let word = match key {
        K::All => "ALL",
        K::Answered => "ANSWERED",
        K::Deleted => "DELETED",
        K::Draft => "DRAFT",
        K::Flagged => "FLAGGED",
        K::New => "NEW",
        K::Old => "OLD",
        K::Recent => "RECENT",
        K::Seen => "SEEN",
        K::Unanswered => "UNANSWERED",
        K::Undeleted => "UNDELETED",
        K::Undraft => "UNDRAFT",
        K::Unflagged => "UNFLAGGED",
        K::Unseen => "UNSEEN",
        K::Bcc(s) => return write_with_string("BCC ", s, e),
        K::Body(s) => return write_with_string("BODY ", s, e),
        K::Cc(s) => return write_with_string("CC ", s, e),
        K::From(s) => return write_with_string("FROM ", s, e),
        K::Subject(s) => return write_with_string("SUBJECT ", s, e),
        K::Text(s) => return write_with_string("TEXT ", s, e),
        K::To(s) => return write_with_string("TO ", s, e),
        K::Header(name, s) => {
            write_with_string("HEADER ", name, e)?;
            return write_with_string(" ", s, e);
        }
        K::Before(d) => return write_with_date("BEFORE ", *d, e),
        K::On(d) => return write_with_date("ON ", *d, e),
        K::SentBefore(d) => return write_with_date("SENTBEFORE ", *d, e),
        K::SentOn(d) => return write_with_date("SENTON ", *d, e),
        K::SentSince(d) => return write_with_date("SENTSINCE ", *d, e),
        K::Since(d) => return write_with_date("SINCE ", *d, e),
        K::Keyword(k) => return write_with_octets("KEYWORD ", k.as_bytes(), e),
        K::Unkeyword(k) => return write_with_octets("UNKEYWORD ", k.as_bytes(), e),
        K::Larger(n) => return write_with_number("LARGER ", *n, e),
        K::Smaller(n) => return write_with_number("SMALLER ", *n, e),
        K::ModSeq(n) => {
            e.raw(b"MODSEQ ");
            return write_mod_sequence_valzer(*n, e);
        }
        K::Uid(set) => {
            e.raw(b"UID ");
            write_sequence_set(set, e);
            return Ok(());
        }
        K::Sequence(set) => {
            write_sequence_set(set, e);
            return Ok(());
        }
        K::Not(key) => {
            e.raw(b"NOT ");
            return write_search_key(key, inside()?, e);
        }
        K::Or(left, right) => {
            e.raw(b"OR ");
            write_search_key(left, inside()?, e)?;
            e.octet(b' ');
            return write_search_key(right, inside()?, e);
        }
        K::And(keys) => {
            if keys.is_empty() {
                return Err(Invalid::new("search-key", InvalidKind::Empty));
            }
            for (i, key) in keys.iter().enumerate() {
                e.octet(if i == 0 { b'(' } else { b' ' });
                write_search_key(key, inside()?, e)?;
            }
            e.octet(b')');
            return Ok(());
        }
    };
    e.raw(word.as_bytes());
    Ok(())
}

fn write_with_string(word: &str, argument: &AString<'_>, e: &mut Encoder) -> Result<(), Invalid> {
    e.raw(word.as_bytes());
    write_astring(argument.as_bytes(), e)
}

fn write_with_date(word: &str, date: Date, e: &mut Encoder) -> Result<(), Invalid> {
    e.raw(word.as_bytes());
    write_date(date, e);
    Ok(())
}

fn write_with_octets(word: &str, octets: &[u8], e: &mut Encoder) -> Result<(), Invalid> {
    e.raw(word.as_bytes());
    e.raw(octets);
    Ok(())
}

fn write_with_number(word: &str, number: u32, e: &mut Encoder) -> Result<(), Invalid> {
    e.raw(word.as_bytes());
    e.number(number.into());
    Ok(())
}
