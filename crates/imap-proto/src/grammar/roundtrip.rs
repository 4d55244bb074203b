//! What is written reads as what it was, for every type; and nothing that is read makes a parser fall over.

use std::vec::Vec;

use proptest::prelude::*;
use wire::SecretBytes;

use super::cursor::{Cursor, Parsed};
use super::{code, list, *};
use crate::testkit::generators as any_of;
use crate::testkit::{fuzz_command, fuzz_response};
use crate::types::*;

/// Writes, reads the whole of it back and compares.
fn there_and_back<T: PartialEq + core::fmt::Debug>(
    value: &T,
    write: impl FnOnce(&T, &mut Encoder) -> Result<(), Invalid>,
    read: impl for<'a> FnOnce(&mut Cursor<'a>) -> Parsed<()>,
) -> Result<(), TestCaseError> {
    let mut e = Encoder::new();
    write(value, &mut e).map_err(|e| TestCaseError::fail(std::format!("{e}")))?;
    let wire = e.into_wire();
    let result = whole(&wire, read);
    prop_assert!(result.is_ok(), "{:?} in {}", result, wire.escape_ascii());
    Ok(())
}

macro_rules! round_trips {
    ($($name:ident: $strategy:expr, $write:expr, $parse:expr;)*) => {
        proptest! {
            $(
                #[test]
                fn $name(value in $strategy) {
                    there_and_back(
                        &value,
                        |v, e| $write(v, e),
                        |c| {
                            let read = $parse(c)?;
                            assert_eq!(read, value);
                            assert_eq!(read.clone().into_owned(), value);
                            Ok(())
                        },
                    )?;
                }
            )*
        }
    };
}

round_trips! {
    astring: any_of::astring(), |v: &AString<'_>, e: &mut Encoder| string::write_astring(v.as_bytes(), e),
        string::parse_astring;
    nstring: any_of::nstring(), string::write_nstring, string::parse_nstring;
    mailbox: any_of::mailbox(), mailbox::write_mailbox, mailbox::parse_mailbox;
    told_mailbox: any_of::mailbox(), mailbox::write_mailbox, mailbox::parse_told_mailbox;
    list_pattern: any_of::list_pattern(), mailbox::write_list_mailbox, mailbox::parse_list_mailbox;
    flags: any_of::flag_set(), |v: &FlagSet<'_>, e: &mut Encoder| flag::write_flag_list(v, flag::FlagContext::Told, e),
        flag::parse_flag_list;
    envelope: any_of::envelope(), envelope::write_envelope, envelope::parse_envelope;
    body_structure: any_of::body_structure(), body::write_body, body::parse_body;
    section: any_of::section(), section::write_section, section::parse_section;
    fetch_items: any_of::fetch_items(), fetch_request::write_fetch_items, fetch_request::parse_fetch_items;
    id_params: any_of::id_params(), id::write_id_params, id::parse_id_params;
    code: any_of::code(), code::write_code, |c: &mut Cursor<'_>| {
        status::parse_bracketed(c).map(Code::into_owned).ok_or_else(|| c.unexpected("resp-text-code"))
    };
}

proptest! {
    #[test]
    fn sets_and_dates(
        set in any_of::sequence_set(),
        uids in any_of::uid_set(),
        date in any_of::date(),
        time in any_of::date_time(),
        text in any_of::text(),
        tag in any_of::tag(),
        atom in any_of::atom(),
        flag in any_of::flag(),
        capability in any_of::capability(),
        delimiter in any_of::delimiter(),
    ) {
        use std::string::ToString;
        prop_assert_eq!(set.to_string().parse::<SequenceSet>(), Ok(set));
        prop_assert_eq!(whole(uids.to_string().as_bytes(), sequence::parse_uid_set), Ok(uids));
        prop_assert_eq!(whole(date.to_string().as_bytes(), date::parse_date), Ok(date));
        prop_assert_eq!(whole(std::format!("\"{date}\"").as_bytes(), date::parse_date), Ok(date));
        prop_assert_eq!(whole(std::format!("\"{time}\"").as_bytes(), date::parse_date_time), Ok(time));
        prop_assert_eq!(Text::new(text.as_bytes()), Ok(text.clone()));
        prop_assert_eq!(whole(tag.as_bytes(), string::parse_tag), Ok(tag.borrowed()));
        prop_assert_eq!(whole(atom.as_bytes(), string::parse_atom), Ok(atom.borrowed()));
        let (spelled_flag, spelled_capability) = (flag.to_string(), capability.to_string());
        prop_assert_eq!(Flag::new(&spelled_flag), Ok(flag));
        prop_assert_eq!(Capability::new(&spelled_capability), Ok(capability));
        let mut e = Encoder::new();
        list::write_delimiter(delimiter, &mut e);
        prop_assert_eq!(whole(&e.into_wire(), list::parse_delimiter), Ok(delimiter));
    }

    #[test]
    fn responses(value in any_of::response()) {
        let mut e = Encoder::new();
        prop_assert_eq!(write_response(&value, &mut e), Ok(()));
        let wire = e.into_wire();
        prop_assert_eq!(response(&wire, ParseLimits::DEFAULT).map(Response::into_owned), Ok(value.clone()), "{}", wire.escape_ascii());

        // A server's encoder says the same in one run.
        let mut e = Encoder::inline(Vec::new());
        prop_assert_eq!(write_response(&value, &mut e), Ok(()));
        prop_assert_eq!(e.into_bytes().ok(), Some(wire));
    }

    #[test]
    fn greetings(value in any_of::status_response()) {
        let mut e = Encoder::new();
        prop_assert_eq!(write_status_response(&value, &mut e), Ok(()));
        let wire = e.into_wire();
        let read = greeting(&wire);
        if value.tag.is_none() && !matches!(value.kind, StatusKind::No | StatusKind::Bad) {
            prop_assert_eq!(read, Ok(value));
        } else {
            prop_assert!(read.is_err());
        }
    }

    #[test]
    fn commands(tag in any_of::tag(), value in any_of::command()) {
        let mut e = Encoder::new();
        prop_assert_eq!(write_command(&tag, &value, &mut e), Ok(()));
        let wire = e.into_wire();
        let read = command(&wire, ParseLimits::DEFAULT);
        prop_assert_eq!(read, Ok((tag.borrowed(), value)), "{}", wire.escape_ascii());
    }

    /// A command is one line, whatever its values are: only literals hold line ends, and only APPEND's announcement
    /// is part of the line itself (INJ-01 to INJ-06).
    #[test]
    fn no_value_breaks_a_line(tag in any_of::tag(), value in any_of::command()) {
        let mut e = Encoder::new();
        prop_assert_eq!(write_command(&tag, &value, &mut e), Ok(()));
        let mut line = Vec::new();
        for fragment in e.into_fragments() {
            match fragment {
                Fragment::Bytes(octets) => line.extend(octets),
                Fragment::Secret(octets) => line.extend(octets.expose()),
                Fragment::Literal(_) | Fragment::SecretLiteral(_) => {
                    prop_assert!(!line.contains(&b'\n'));
                }
            }
        }
        prop_assert_eq!(line.iter().position(|&o| o == b'\r'), Some(line.len() - 2));
        prop_assert!(line.is_ascii() && !line.contains(&0));
        let announces = check_arguments(&line[..line.len() - 2]).is_err();
        prop_assert_eq!(announces, matches!(value, Command::Append { .. }));
    }

    /// Item by item, with the octets of every body taken out of the slices.
    #[test]
    fn fetch_as_a_stream(value in any_of::fetch_response()) {
        let mut e = Encoder::inline(Vec::new());
        let mut writer = FetchWriter::start(value.seq, &mut e);
        for item in &value.items {
            match item {
                FetchData::Body { name, origin, data: Some(octets) } => {
                    writer.body_head(name, *origin, octets.len() as u64, &mut e).unwrap();
                    e.raw(octets);
                }
                item => writer.item(item, &mut e).unwrap(),
            }
        }
        writer.end(&mut e);
        let wire = e.into_wire();
        let (seq, mut rest) = fetch_prefix(&wire).unwrap();
        prop_assert_eq!(seq, value.seq);
        for item in &value.items {
            let len = match item {
                FetchData::Body { data: Some(octets), .. } => octets.len(),
                _ => {
                    let (step, left) = fetch_item(rest, ParseLimits::DEFAULT).unwrap();
                    prop_assert_eq!(&step, &FetchStep::Item(item.clone()));
                    rest = left;
                    continue;
                }
            };
            // The framing cuts behind the announcement.
            let head = rest.windows(3).position(|w| w == b"}\r\n").unwrap() + 3;
            let (step, left) = fetch_item(&rest[..head], ParseLimits::DEFAULT).unwrap();
            let FetchData::Body { name, origin, .. } = item else { unreachable!() };
            let binary = matches!(name, BodyName::Binary(_));
            prop_assert_eq!(step, FetchStep::Body { name: name.clone(), origin: *origin, len: len as u64, binary });
            prop_assert!(left.is_empty());
            rest = &rest[head + len..];
        }
        prop_assert_eq!(fetch_item(rest, ParseLimits::DEFAULT), Ok((FetchStep::End, &b""[..])));
    }

    /// Cut at any blank, the numbers are the same.
    #[test]
    fn search_in_pieces(value in any_of::search_data(), cuts in proptest::collection::vec(any::<bool>(), 60)) {
        let mut e = Encoder::new();
        prop_assert_eq!(write_response(&Response::Search(value.clone()), &mut e), Ok(()));
        let wire = e.into_wire();
        let rest = search_prefix(&wire).unwrap();
        let mut pieces = std::vec![Vec::new()];
        let mut cuts = cuts.into_iter().cycle();
        for &octet in rest {
            if octet == b' ' && cuts.next() == Some(true) {
                pieces.push(Vec::new());
            }
            pieces.last_mut().unwrap().push(octet);
        }
        let (mut numbers, mut mod_seq) = (Vec::new(), None);
        for part in pieces.iter().flat_map(|p| SearchNumbers::new(p)) {
            match part.unwrap() {
                SearchPart::Number(n) => numbers.push(n),
                SearchPart::ModSeq(m) => mod_seq = Some(m),
            }
        }
        prop_assert_eq!(SearchData::new(numbers, mod_seq), value);
    }

    #[test]
    fn arbitrary_octets_do_no_harm(data in proptest::collection::vec(any::<u8>(), 0..200)) {
        fuzz_response(&data);
        fuzz_command(&data);
    }

    #[test]
    fn arbitrary_words_do_no_harm(words in proptest::collection::vec(proptest::sample::select(WORDS.to_vec()), 0..14)) {
        let mut line = words.concat().into_bytes();
        line.extend(b"\r\n");
        fuzz_response(&line);
        fuzz_command(&line);
    }

    #[test]
    fn mutated_responses_do_no_harm(value in any_of::response(), changes in mutations()) {
        let mut e = Encoder::new();
        prop_assert_eq!(write_response(&value, &mut e), Ok(()));
        fuzz_response(&mutate(e.into_wire(), &changes));
    }

    #[test]
    fn mutated_commands_do_no_harm(tag in any_of::tag(), value in any_of::command(), changes in mutations()) {
        let mut e = Encoder::new();
        prop_assert_eq!(write_command(&tag, &value, &mut e), Ok(()));
        fuzz_command(&mutate(e.into_wire(), &changes));
    }

    /// No password, token or argument of a command that nobody knows is in its Debug output.
    #[test]
    fn debug_shows_no_secret(user in any_of::astring()) {
        let secret = || SecretBytes::new(b"hunter2hunter2".to_vec());
        for command in [
            Command::Login { user, password: secret() },
            Command::authenticate("XOAUTH2", Some(secret())).unwrap(),
            Command::Unknown {
                name: Atom::new("XLOGIN").unwrap(),
                arguments: RawArguments::new(&b"hunter2hunter2"[..]).unwrap(),
            },
        ] {
            let mut e = Encoder::new();
            write_command(&Tag::new("A1").unwrap(), &command, &mut e).unwrap();
            let shown = std::format!("{command:?} {e:?}");
            prop_assert!(!shown.contains("hunter2"));
            if !matches!(command, Command::Unknown { .. }) {
                let shown = std::format!("{:?}", e.into_fragments());
                prop_assert!(!shown.contains("hunter2"));
            }
        }
    }
}

const WORDS: &[&str] = &[
    "* ",
    "+ ",
    "A1 ",
    "OK ",
    "NO ",
    "BYE ",
    "[",
    "] ",
    "UIDNEXT ",
    "COPYUID ",
    "PERMANENTFLAGS ",
    "BADCHARSET ",
    "1 ",
    "0 ",
    "4294967295",
    "FETCH ",
    "(",
    ")",
    " ",
    "\"",
    "\\",
    "NIL ",
    "{3}\r\n",
    "{0}\r\n",
    "~{1}\r\n",
    "abc",
    "UID ",
    "FLAGS ",
    "\\Seen",
    "\\*",
    "BODY[",
    "BODY ",
    "BODYSTRUCTURE ",
    "ENVELOPE ",
    "\"a\" ",
    "<0>",
    "MODSEQ ",
    "-1",
    ",",
    ":",
    "LIST ",
    "STATUS ",
    "SEARCH ",
    "NAMESPACE ",
    "ID ",
    "LOGIN ",
    "APPEND ",
    "STORE ",
    "NOT ",
    "OR ",
    "ALL ",
    "SUBJECT ",
    "INTERNALDATE ",
    "\" 1-Jan-2024 00:00:00 +0000\" ",
    "\r\n",
    "\n",
    "\0",
    "\u{e9}",
];

fn mutations() -> impl Strategy<Value = Vec<(u8, prop::sample::Index, u8)>> {
    proptest::collection::vec((0..5u8, any::<prop::sample::Index>(), any::<u8>()), 1..5)
}

fn mutate(mut wire: Vec<u8>, changes: &[(u8, prop::sample::Index, u8)]) -> Vec<u8> {
    const SPECIAL: &[u8] = b" ()[]{}\"\\*%\r\n\0+~<>:,;NIL019";
    for (what, at, octet) in changes {
        if wire.is_empty() {
            break;
        }
        let at = at.index(wire.len());
        let special = SPECIAL[usize::from(*octet) % SPECIAL.len()];
        match what {
            0 => drop(wire.remove(at)),
            1 => wire.insert(at, special),
            2 => wire[at] = *octet,
            3 => wire[at] = special,
            _ => wire.truncate(at),
        }
    }
    wire
}
