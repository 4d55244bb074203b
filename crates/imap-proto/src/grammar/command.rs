//! `command` (RFC 3501 sections 6 and 9 and extensions): reading, as a server does.

use wire::SecretBytes;

use super::capability::parse_enable;
use super::chars;
use super::cursor::{Cursor, Parsed};
use super::date::parse_date_time;
use super::error::{CommandError, ParseErrorKind};
use super::fetch_request::parse_fetch_items;
use super::flag::{parse_flag_list, parse_store_flags};
use super::id::parse_id_params;
use super::limits::ParseLimits;
use super::mailbox::{parse_list_mailbox, parse_mailbox};
use super::mailbox_status::parse_status_items;
use super::number::{parse_mod_sequence_value, parse_mod_sequence_valzer};
use super::search_key::parse_search;
use super::sequence::parse_sequence_set;
use super::string::{parse_astring, parse_atom, parse_literal_head, parse_tag};
use super::word::Word;
use crate::types::{AppendLiteral, Command, FlagSet, RawArguments, SelectParams, StoreAction, Tag};

/// ```abnf
/// command = tag SP (command-any / command-auth / command-nonauth / command-select) CRLF
/// ```
///
/// One command, whole; for APPEND the frame ends behind the announcement of the message. A name this crate does not
/// know is [`Command::Unknown`]; a known name with wrong arguments is an error, which a server answers with `BAD`.
///
/// # Errors
/// [`CommandError`] with the tag, when at least that could be read.
pub fn command(frame: &[u8], limits: ParseLimits) -> Result<(Tag<'_>, Command<'_>), CommandError> {
    let mut c = Cursor::new(frame, limits);
    let tag = parse_tag(&mut c).and_then(|tag| c.space("command").map(|()| tag));
    let tag = tag.map_err(|error| CommandError { tag: None, error })?;
    match parse_command(&mut c) {
        Ok(command) => Ok((tag, command)),
        Err(error) => Err(CommandError { tag: Some(tag.into_owned()), error }),
    }
}

/// ```abnf
/// idle = "IDLE" CRLF "DONE"   ; RFC 2177
/// ```
///
/// Whether the line ends an IDLE.
pub fn is_idle_done(frame: &[u8]) -> bool {
    let mut c = Cursor::new(frame, ParseLimits::DEFAULT);
    c.eat_ignore_case(b"DONE") && c.finish("idle").is_ok()
}

/// Whether a command of this name is read as something else than [`Command::Unknown`].
pub(crate) fn is_known(name: &[u8]) -> bool {
    const KNOWN: [&str; 32] = [
        "CAPABILITY",
        "NOOP",
        "LOGOUT",
        "STARTTLS",
        "AUTHENTICATE",
        "LOGIN",
        "ENABLE",
        "ID",
        "NAMESPACE",
        "SELECT",
        "EXAMINE",
        "CREATE",
        "DELETE",
        "RENAME",
        "SUBSCRIBE",
        "UNSUBSCRIBE",
        "LIST",
        "LSUB",
        "STATUS",
        "APPEND",
        "CHECK",
        "CLOSE",
        "UNSELECT",
        "EXPUNGE",
        "IDLE",
        "UID",
        "SEARCH",
        "FETCH",
        "STORE",
        "COPY",
        "MOVE",
        "DONE",
    ];
    KNOWN.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
}

fn parse_command<'a>(c: &mut Cursor<'a>) -> Parsed<Command<'a>> {
    use Command as C;
    let start = c.clone();
    let name = parse_atom(c)?;
    let command = match Word::new(name.as_bytes()).upper() {
        b"CAPABILITY" => C::Capability,
        b"NOOP" => C::Noop,
        b"LOGOUT" => C::Logout,
        b"STARTTLS" => C::StartTls,
        b"AUTHENTICATE" => parse_authenticate(c)?,
        b"LOGIN" => {
            c.space("login")?;
            let user = parse_astring(c)?;
            c.space("login")?;
            let password = SecretBytes::new(parse_astring(c)?.into_bytes().into_owned());
            C::Login { user, password }
        }
        b"ENABLE" => C::Enable(parse_enable(c)?),
        b"ID" => {
            c.space("id")?;
            C::Id(parse_id_params(c)?)
        }
        b"NAMESPACE" => C::Namespace,
        b"SELECT" => {
            C::Select { mailbox: parse_argument(c, parse_mailbox)?, params: parse_select_params(c)? }
        }
        b"EXAMINE" => {
            C::Examine { mailbox: parse_argument(c, parse_mailbox)?, params: parse_select_params(c)? }
        }
        b"CREATE" => C::Create(parse_argument(c, parse_mailbox)?),
        b"DELETE" => C::Delete(parse_argument(c, parse_mailbox)?),
        b"RENAME" => {
            C::Rename { from: parse_argument(c, parse_mailbox)?, to: parse_argument(c, parse_mailbox)? }
        }
        b"SUBSCRIBE" => C::Subscribe(parse_argument(c, parse_mailbox)?),
        b"UNSUBSCRIBE" => C::Unsubscribe(parse_argument(c, parse_mailbox)?),
        b"LIST" => C::List {
            reference: parse_argument(c, parse_mailbox)?,
            pattern: parse_argument(c, parse_list_mailbox)?,
        },
        b"LSUB" => C::Lsub {
            reference: parse_argument(c, parse_mailbox)?,
            pattern: parse_argument(c, parse_list_mailbox)?,
        },
        b"STATUS" => C::Status {
            mailbox: parse_argument(c, parse_mailbox)?,
            items: parse_argument(c, parse_status_items)?,
        },
        b"APPEND" => return parse_append(c),
        b"CHECK" => C::Check,
        b"CLOSE" => C::Close,
        b"UNSELECT" => C::Unselect,
        b"EXPUNGE" => C::Expunge,
        b"IDLE" => C::Idle,
        b"UID" => {
            c.space("uid")?;
            let name = parse_atom(c)?;
            match Word::new(name.as_bytes()).upper() {
                b"EXPUNGE" => C::UidExpunge(parse_argument(c, parse_sequence_set)?),
                upper => match parse_message_command(upper, true, c)? {
                    Some(command) => command,
                    None => return Err(start.error("uid", ParseErrorKind::Syntax)),
                },
            }
        }
        upper => match parse_message_command(upper, false, c)? {
            Some(command) => command,
            None => {
                let arguments = parse_raw_arguments(c)?;
                return Ok(C::Unknown { name, arguments });
            }
        },
    };
    c.finish("command")?;
    Ok(command)
}

/// One argument with the blank in front of it.
fn parse_argument<'a, T>(c: &mut Cursor<'a>, rule: impl FnOnce(&mut Cursor<'a>) -> Parsed<T>) -> Parsed<T> {
    c.space("command")?;
    rule(c)
}

/// The commands that have a UID form; `None`, with nothing read, for any other name.
fn parse_message_command<'a>(name: &[u8], uid: bool, c: &mut Cursor<'a>) -> Parsed<Option<Command<'a>>> {
    use Command as C;
    Ok(Some(match name {
        b"SEARCH" => {
            let (charset, key) = parse_search(c)?;
            C::Search { uid, charset, key }
        }
        b"FETCH" => C::Fetch {
            uid,
            set: parse_argument(c, parse_sequence_set)?,
            items: parse_argument(c, parse_fetch_items)?,
            changed_since: parse_changed_since(c)?,
        },
        b"STORE" => parse_store(uid, c)?,
        b"COPY" => C::Copy {
            uid,
            set: parse_argument(c, parse_sequence_set)?,
            mailbox: parse_argument(c, parse_mailbox)?,
        },
        b"MOVE" => C::Move {
            uid,
            set: parse_argument(c, parse_sequence_set)?,
            mailbox: parse_argument(c, parse_mailbox)?,
        },
        _ => return Ok(None),
    }))
}

/// ```abnf
/// authenticate = "AUTHENTICATE" SP auth-type [SP (base64 / "=")] *(CRLF base64)   ; RFC 4959
/// ```
fn parse_authenticate<'a>(c: &mut Cursor<'a>) -> Parsed<Command<'a>> {
    c.space("authenticate")?;
    let mechanism = parse_atom(c)?;
    let mut initial = None;
    if c.eat(b' ') {
        let base64 = c.take_while1("base64", chars::is_base64_char)?;
        initial = Some(SecretBytes::new(base64.to_vec()));
    }
    Ok(Command::Authenticate { mechanism, initial })
}

/// ```abnf
/// select-params = SP "(" select-param *(SP select-param) ")"   ; RFC 4466
/// select-param  = "CONDSTORE"                                  ; RFC 7162
/// ```
fn parse_select_params(c: &mut Cursor<'_>) -> Parsed<SelectParams> {
    let mut params = SelectParams::default();
    if !c.eat(b' ') {
        return Ok(params);
    }
    c.expect(b'(', "select-params")?;
    loop {
        if !c.eat_ignore_case(b"CONDSTORE") {
            return Err(c.unexpected("select-param"));
        }
        params.condstore = true;
        if c.eat(b')') {
            return Ok(params);
        }
        c.space("select-params")?;
    }
}

/// ```abnf
/// append         = "APPEND" SP mailbox [SP flag-list] [SP date-time] SP literal
/// append-data    =/ literal8   ; RFC 3516
/// ```
fn parse_append<'a>(c: &mut Cursor<'a>) -> Parsed<Command<'a>> {
    let mailbox = parse_argument(c, parse_mailbox)?;
    c.space("append")?;
    let mut flags = FlagSet::new();
    if c.peek() == Some(b'(') {
        flags = parse_flag_list(c)?;
        c.space("append")?;
    }
    let mut date = None;
    if c.peek() == Some(b'"') {
        date = Some(parse_date_time(c)?);
        c.space("append")?;
    }
    let binary = c.eat(b'~');
    let head = parse_literal_head(c)?;
    if !c.rest().is_empty() {
        return Err(c.error("append", ParseErrorKind::Trailing));
    }
    let literal = AppendLiteral { len: head.len, sync: head.sync, binary };
    Ok(Command::Append { mailbox, flags, date, literal })
}

/// ```abnf
/// fetch-modifiers = SP "(" "CHANGEDSINCE" SP mod-sequence-value ")"   ; RFC 4466, RFC 7162
/// ```
fn parse_changed_since(c: &mut Cursor<'_>) -> Parsed<Option<core::num::NonZeroU64>> {
    if !c.eat(b' ') {
        return Ok(None);
    }
    c.expect(b'(', "fetch-modifiers")?;
    if !c.eat_ignore_case(b"CHANGEDSINCE ") {
        return Err(c.unexpected("fetch-modifier"));
    }
    let value = parse_mod_sequence_value(c)?;
    c.expect(b')', "fetch-modifiers")?;
    Ok(Some(value))
}

/// ```abnf
/// store           = "STORE" SP sequence-set [store-modifiers] SP store-att-flags
/// store-att-flags = (["+" / "-"] "FLAGS" [".SILENT"]) SP (flag-list / (flag *(SP flag)))
/// store-modifiers = SP "(" "UNCHANGEDSINCE" SP mod-sequence-valzer ")"   ; RFC 7162
/// ```
fn parse_store<'a>(uid: bool, c: &mut Cursor<'a>) -> Parsed<Command<'a>> {
    let set = parse_argument(c, parse_sequence_set)?;
    c.space("store")?;
    let mut unchanged_since = None;
    if c.eat(b'(') {
        if !c.eat_ignore_case(b"UNCHANGEDSINCE ") {
            return Err(c.unexpected("store-modifier"));
        }
        unchanged_since = Some(parse_mod_sequence_valzer(c)?);
        c.expect(b')', "store-modifiers")?;
        c.space("store")?;
    }
    let action = if c.eat(b'+') {
        StoreAction::Add
    } else if c.eat(b'-') {
        StoreAction::Remove
    } else {
        StoreAction::Replace
    };
    if !c.eat_ignore_case(b"FLAGS") {
        return Err(c.unexpected("store-att-flags"));
    }
    let silent = c.eat_ignore_case(b".SILENT");
    c.space("store-att-flags")?;
    let flags = parse_store_flags(c)?;
    Ok(Command::Store { uid, set, unchanged_since, action, silent, flags })
}

/// Everything up to the end of the frame.
fn parse_raw_arguments<'a>(c: &mut Cursor<'a>) -> Parsed<RawArguments<'a>> {
    let spaced = c.eat(b' ');
    if !spaced && !c.at_line_end() {
        return Err(c.unexpected("command"));
    }
    let rest = c.rest();
    let Some(line) = rest.strip_suffix(b"\n") else {
        c.take(rest.len());
        return Err(c.unexpected("command"));
    };
    Ok(RawArguments::from_checked(line.strip_suffix(b"\r").unwrap_or(line)))
}
