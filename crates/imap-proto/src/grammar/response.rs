//! `response` (RFC 3501 sections 7 and 9).

use alloc::borrow::Cow;
use core::num::NonZeroU32;

use super::ParseError;
use super::capability::{parse_capabilities, write_capabilities};
use super::chars;
use super::cursor::{Cursor, Parsed};
use super::encoder::Encoder;
use super::error::ParseErrorKind;
use super::fetch::{parse_fetch_response, write_fetch_response};
use super::flag::{FlagContext, parse_flag_list, write_flag_list};
use super::id::{parse_id_params, write_id_params};
use super::limits::ParseLimits;
use super::list::{parse_mailbox_list, write_mailbox_list};
use super::mailbox_status::{parse_status_data, write_status_data};
use super::namespace::{parse_namespaces, write_namespaces};
use super::number::parse_number;
use super::search::{SearchNumbers, SearchPart};
use super::sequence::{parse_uid_set, write_uid_set};
use super::status::{parse_bracketed, parse_kind, parse_resp_text, parse_text, write_status_response};
use super::string::parse_tag;
use super::word::Word;
use crate::types::{Code, Invalid, InvalidKind, ListKind, Response, SearchData, StatusKind, StatusResponse};

/// ```abnf
/// response          = *(continue-req / response-data) response-done
/// response-data     = "*" SP (resp-cond-state / resp-cond-bye / mailbox-data / message-data / capability-data) CRLF
/// response-tagged   = tag SP resp-cond-state CRLF
/// continue-req      = "+" SP (resp-text / base64) CRLF
/// ```
///
/// One response, whole. A line that is no response at all is [`Response::Unrecognised`]; one that begins like a
/// response and is not is an error.
///
/// # Errors
/// [`ParseError`], with the rule that could not be satisfied.
pub fn response(frame: &[u8], limits: ParseLimits) -> Result<Response<'_>, ParseError> {
    let mut c = Cursor::new(frame, limits);
    match c.peek() {
        Some(b'*') => {
            c.bump();
            parse_untagged(frame, &mut c)
        }
        Some(b'+') => {
            c.bump();
            // Quirk 14: the blank may be missing.
            c.eat(b' ');
            parse_text(&mut c).map(Response::Continue)
        }
        _ => parse_tagged(frame, &mut c),
    }
}

/// The numbers of `* SEARCH`, which may come in pieces: what follows the word, for [`SearchNumbers`].
///
/// # Errors
/// [`ParseError`] when it is no SEARCH response.
pub fn search_prefix(line: &[u8]) -> Result<&[u8], ParseError> {
    let mut c = Cursor::new(line, ParseLimits::DEFAULT);
    c.expect(b'*', "mailbox-data")?;
    c.spaces1("mailbox-data")?;
    if c.eat_ignore_case(b"SEARCH") && (c.rest().is_empty() || c.peek() == Some(b' ') || c.at_line_end()) {
        Ok(c.rest())
    } else {
        Err(c.unexpected("mailbox-data"))
    }
}

fn parse_tagged<'a>(frame: &'a [u8], c: &mut Cursor<'a>) -> Parsed<Response<'a>> {
    if let Ok(tag) = parse_tag(c)
        && c.eat(b' ')
    {
        c.spaces();
        if let Some(kind @ (StatusKind::Ok | StatusKind::No | StatusKind::Bad)) = parse_kind(c) {
            return parse_resp_text(c, Some(tag), kind).map(Response::Status);
        }
    }
    // Quirk 1, in the form without even the `*`; a code nobody knows could be a tag that begins with a bracket.
    if frame.starts_with(b"[") {
        let mut ahead = Cursor::new(frame, ParseLimits::DEFAULT);
        if let Some(code) = parse_bracketed(&mut ahead).filter(|code| !matches!(code, Code::Other(_))) {
            return parse_code_alone(&mut ahead, code);
        }
    }
    // Quirk 15: `Server Unavailable. 15` without any tag.
    unrecognised(frame, c)
}

/// What follows a response code that stands without a condition: it is information, as `* OK` would be.
fn parse_code_alone<'a>(c: &mut Cursor<'a>, code: Code<'a>) -> Parsed<Response<'a>> {
    c.eat(b' ');
    let text = parse_text(c)?;
    Ok(Response::Status(StatusResponse { tag: None, kind: StatusKind::Ok, code: Some(code), text }))
}

/// The whole frame without its line's end.
fn unrecognised<'a>(frame: &'a [u8], c: &Cursor<'a>) -> Parsed<Response<'a>> {
    match frame.strip_suffix(b"\n") {
        Some(line) => Ok(Response::Unrecognised(Cow::Borrowed(line.strip_suffix(b"\r").unwrap_or(line)))),
        None => Err(c.error("response", ParseErrorKind::End)),
    }
}

fn parse_untagged<'a>(frame: &'a [u8], c: &mut Cursor<'a>) -> Parsed<Response<'a>> {
    if !c.eat(b' ') {
        return unrecognised(frame, c);
    }
    c.spaces();
    if let Some(kind) = parse_kind(c) {
        return parse_resp_text(c, None, kind).map(Response::Status);
    }
    match c.peek() {
        Some(b'0'..=b'9') => return parse_numbered(frame, c),
        // Quirk 1: `* [COPYUID 55 31 6]` without a condition.
        Some(b'[') => {
            if let Some(code) = parse_bracketed(c) {
                c.eat(b' ');
                let text = parse_text(c)?;
                return Ok(Response::Status(StatusResponse {
                    tag: None,
                    kind: StatusKind::Ok,
                    code: Some(code),
                    text,
                }));
            }
        }
        _ => {}
    }
    let word = Word::new(c.take_while(chars::is_atom_char));
    match word.upper() {
        b"CAPABILITY" => {
            let list = parse_capabilities(c)?;
            c.finish("capability-data")?;
            Ok(Response::Capability(list))
        }
        b"FLAGS" => {
            c.spaces1("mailbox-data")?;
            let flags = parse_flag_list(c)?;
            c.finish("mailbox-data")?;
            Ok(Response::Flags(flags))
        }
        b"LIST" => parse_mailbox_list(c, ListKind::List).map(Response::List),
        b"LSUB" => parse_mailbox_list(c, ListKind::Lsub).map(Response::List),
        b"SEARCH" => parse_search_data(c).map(Response::Search),
        b"STATUS" => parse_status_data(c).map(|(mailbox, data)| Response::MailboxStatus { mailbox, data }),
        b"NAMESPACE" => parse_namespaces(c).map(Response::Namespace),
        b"ID" => {
            c.spaces1("id_response")?;
            let params = parse_id_params(c)?;
            c.finish("id_response")?;
            Ok(Response::Id(params))
        }
        b"ENABLED" => {
            let list = parse_capabilities(c)?;
            c.finish("enable-data")?;
            Ok(Response::Enabled(list))
        }
        b"VANISHED" => parse_vanished(c),
        _ => unrecognised(frame, c),
    }
}

/// ```abnf
/// message-data =  nz-number SP ("EXPUNGE" / ("FETCH" SP msg-att))
/// mailbox-data =/ number SP "EXISTS" / number SP "RECENT"
/// ```
fn parse_numbered<'a>(frame: &'a [u8], c: &mut Cursor<'a>) -> Parsed<Response<'a>> {
    let start = c.clone();
    let number = parse_number(c)?;
    c.spaces1("message-data")?;
    let nz = || {
        let number = NonZeroU32::new(number);
        number.ok_or_else(|| start.error("nz-number", ParseErrorKind::NumberOutOfRange))
    };
    let word = Word::new(c.take_while(chars::is_atom_char));
    let response = match word.upper() {
        b"EXISTS" => Response::Exists(number),
        b"RECENT" => Response::Recent(number),
        b"EXPUNGE" => Response::Expunge(nz()?),
        b"FETCH" => return parse_fetch_response(c, nz()?).map(Response::Fetch),
        _ => return unrecognised(frame, c),
    };
    c.finish("message-data")?;
    Ok(response)
}

fn parse_search_data<'a>(c: &mut Cursor<'a>) -> Parsed<SearchData<'a>> {
    if !matches!(c.peek(), Some(b' ')) && !c.at_line_end() {
        return Err(c.unexpected("mailbox-data"));
    }
    let rest = c.rest();
    let mut mod_seq = None;
    let mut numbers = SearchNumbers::from_cursor(c.clone());
    for part in numbers.by_ref() {
        if let SearchPart::ModSeq(value) = part? {
            mod_seq = Some(value);
        }
    }
    *c = numbers.into_cursor();
    let len = rest.len().saturating_sub(c.rest().len());
    c.finish("mailbox-data")?;
    Ok(SearchData::from_checked(rest.get(..len).unwrap_or_default(), mod_seq))
}

/// ```abnf
/// expunged-resp = "VANISHED" [SP "(EARLIER)"] SP known-uids   ; RFC 7162
/// ```
fn parse_vanished<'a>(c: &mut Cursor<'a>) -> Parsed<Response<'a>> {
    c.spaces1("expunged-resp")?;
    let earlier = c.eat_ignore_case(b"(EARLIER)");
    if earlier {
        c.spaces1("expunged-resp")?;
    }
    let uids = parse_uid_set(c)?;
    if uids.is_empty() {
        return Err(c.unexpected("known-uids"));
    }
    c.finish("expunged-resp")?;
    Ok(Response::Vanished { earlier, uids })
}

/// Writes a response with its line's end.
///
/// # Errors
/// [`Invalid`] when it holds what cannot be said. Then nothing is written.
pub fn write_response(response: &Response<'_>, e: &mut Encoder) -> Result<(), Invalid> {
    e.atomically(|e| write_untagged(response, e))
}

fn write_untagged(response: &Response<'_>, e: &mut Encoder) -> Result<(), Invalid> {
    match response {
        Response::Status(status) => return write_status_response(status, e),
        Response::Fetch(fetch) => return write_fetch_response(fetch, e),
        Response::Continue(text) => {
            e.raw(b"+ ");
            e.raw(text.as_bytes());
        }
        Response::Capability(list) => {
            e.raw(b"* CAPABILITY");
            write_capabilities(list.iter(), e);
        }
        Response::Flags(flags) => {
            e.raw(b"* FLAGS ");
            write_flag_list(flags, FlagContext::Told, e)?;
        }
        Response::List(entry) => {
            e.raw(if entry.kind == ListKind::List { b"* LIST" } else { b"* LSUB" });
            write_mailbox_list(entry, e)?;
        }
        Response::Search(data) => write_search_data(data, e)?,
        Response::MailboxStatus { mailbox, data } => {
            e.raw(b"* STATUS");
            write_status_data(mailbox, data, e)?;
        }
        Response::Exists(n) => write_numbered(*n, " EXISTS", e),
        Response::Recent(n) => write_numbered(*n, " RECENT", e),
        Response::Expunge(n) => write_numbered(n.get(), " EXPUNGE", e),
        Response::Vanished { earlier, uids } => {
            if uids.is_empty() {
                return Err(Invalid::new("known-uids", InvalidKind::Empty));
            }
            e.raw(if *earlier { b"* VANISHED (EARLIER) " } else { b"* VANISHED " });
            write_uid_set(uids, e);
        }
        Response::Namespace(namespaces) => {
            e.raw(b"* NAMESPACE");
            write_namespaces(namespaces, e)?;
        }
        Response::Id(params) => {
            e.raw(b"* ID ");
            write_id_params(params, e)?;
        }
        Response::Enabled(list) => {
            e.raw(b"* ENABLED");
            write_capabilities(list.iter(), e);
        }
        Response::Unrecognised(octets) => {
            if let Some(at) = octets.iter().position(|o| matches!(o, b'\r' | b'\n' | 0)) {
                return Err(Invalid::octet("response", at));
            }
            e.raw(octets);
        }
    }
    e.raw(b"\r\n");
    Ok(())
}

fn write_numbered(number: u32, word: &str, e: &mut Encoder) {
    e.raw(b"* ");
    e.number(number.into());
    e.raw(word.as_bytes());
}

fn write_search_data(data: &SearchData<'_>, e: &mut Encoder) -> Result<(), Invalid> {
    e.raw(b"* SEARCH");
    for number in data.iter() {
        e.octet(b' ');
        e.number(number.get().into());
    }
    if let Some(mod_seq) = data.mod_seq() {
        e.raw(b" (MODSEQ ");
        e.number(mod_seq.get());
        e.octet(b')');
    }
    Ok(())
}
