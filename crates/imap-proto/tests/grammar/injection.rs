//! What a careless or hostile caller can put into a command, by the ids of the hostile cases.

use postkey_imap_proto::grammar::{Encoder, Fragment, ParseLimits, write_command, write_response};
use postkey_imap_proto::types::*;

fn fragments(command: &Command<'_>) -> Result<Vec<Fragment>, Invalid> {
    let mut e = Encoder::new();
    let result = write_command(&Tag::new("A1").unwrap(), command, &mut e);
    if result.is_err() {
        assert!(e.is_empty(), "refused before a byte was written");
    }
    result.map(|()| e.into_fragments())
}

fn bytes(text: &str) -> Fragment {
    Fragment::Bytes(text.as_bytes().to_vec())
}

fn create(name: &'static [u8]) -> Command<'static> {
    Command::Create(Mailbox::new(name).unwrap())
}

/// INJ-01, INJ-02: names that would end the command.
#[test]
fn mailbox_names_that_end_a_command() {
    for name in ["INBOX\r\nA9 DELETE x", "a\rb", "a\nb", "a\0b"] {
        assert!(Mailbox::new(name.as_bytes()).is_err());
        assert!(name.parse::<Mailbox<'_>>().is_err());
        assert!(ListPattern::new(name.as_bytes()).is_err());
    }
}

/// INJ-03: names with quotes, 8-bit octets and what looks like an announcement.
#[test]
fn mailbox_names_that_look_like_syntax() {
    for (name, wire) in [
        (&b"a\"b\\c"[..], "A1 CREATE \"a\\\"b\\\\c\"\r\n"),
        (b"{5}", "A1 CREATE \"{5}\"\r\n"),
        (b"{5+}", "A1 CREATE \"{5+}\"\r\n"),
        (b"x{3}", "A1 CREATE \"x{3}\"\r\n"),
        (b"", "A1 CREATE \"\"\r\n"),
        (b"nil", "A1 CREATE \"nil\"\r\n"),
        (b"a b", "A1 CREATE \"a b\"\r\n"),
        (b"a%*", "A1 CREATE \"a%*\"\r\n"),
        (b"[Gmail]/x", "A1 CREATE [Gmail]/x\r\n"),
    ] {
        assert_eq!(fragments(&create(name)), Ok(vec![bytes(wire)]));
    }
    assert_eq!(
        fragments(&create(b"caf\xe9")),
        Ok(vec![bytes("A1 CREATE "), Fragment::Literal(b"caf\xe9".to_vec()), bytes("\r\n")])
    );
    let long: &'static [u8] = vec![b'a'; 1001].leak();
    assert_eq!(
        fragments(&create(long)),
        Ok(vec![bytes("A1 CREATE "), Fragment::Literal(long.to_vec()), bytes("\r\n")])
    );
}

/// INJ-04: a search term that tries to be a literal and a command.
#[test]
fn search_terms() {
    let term = AString::new(&b"x {10+}\r\nX LOGOUT"[..]).unwrap();
    let key = SearchKey::Subject(term.clone());
    assert_eq!(
        fragments(&Command::Search { uid: true, charset: None, key }),
        Ok(
            vec![bytes("A1 UID SEARCH SUBJECT "), Fragment::Literal(term.as_bytes().to_vec()), bytes("\r\n"),]
        )
    );
    assert!(AString::new(&b"a\0"[..]).is_err());
    for arguments in [&b"x {3}"[..], b"{3+}", b"a\r\nb", b"a\0", b"\xe9"] {
        assert!(RawArguments::new(arguments).is_err());
    }
    assert!(RawArguments::new(&b"{x}}"[..]).is_ok());
}

/// INJ-05, INJ-06: flags, capabilities, ID fields, header names.
#[test]
fn words_that_are_not_words() {
    for bad in ["\\Seen) NOOP", "", "\\", "a b", "a\r\n", "(x", "\\*", "a\"", "%", "é"] {
        assert!(Flag::new(bad).is_err(), "{bad:?}");
    }
    for bad in ["", "A B", "A\r\nB", "A]", "AUTH=é"] {
        assert!(Capability::new(bad).is_err(), "{bad:?}");
    }
    let string = |s: &'static str| AString::try_from(s).unwrap();
    let mut id = IdParams::new();
    assert!(id.push(string("name\r\n"), NString::NIL).is_err());
    assert!(id.push(string("name"), string("a\r\nA2 LOGOUT").into()).is_err());
    assert!(id.push(string(""), NString::NIL).is_err());
    assert!(id.push(AString::new(vec![b'a'; 31]).unwrap(), NString::NIL).is_err());
    assert!(id.push(string("v"), NString::new(vec![b'a'; 1025]).unwrap()).is_err());
    for _ in 0..30 {
        id.push(string("a"), NString::NIL).unwrap();
    }
    assert!(id.push(string("a"), NString::NIL).is_err());
    for bad in ["", "a\r\nb", "a:b"] {
        assert!(Section::new([], SectionText::HeaderFields(vec![string(bad)])).is_err(), "{bad:?}");
    }
    assert!(Section::new([], SectionText::HeaderFields(vec![])).is_err());
    assert!(Section::new([], SectionText::Mime).is_err());
    for bad in ["", "A+", "A B", "A\r\n"] {
        assert!(Tag::new(bad).is_err());
    }
}

/// What is valid alone and not where it stands: nothing is written.
#[test]
fn values_out_of_place() {
    let mut wildcard = FlagSet::new();
    wildcard.set_wildcard(true);
    let recent: FlagSet<'_> = [Flag::Recent].into_iter().collect();
    let store = |flags| Command::Store {
        uid: true,
        set: SequenceSet::all(),
        unchanged_since: None,
        action: StoreAction::Add,
        silent: true,
        flags,
    };
    assert!(fragments(&store(wildcard.clone())).is_err());
    assert!(fragments(&store(recent)).is_err());
    let fetch = |items| Command::Fetch { uid: true, set: SequenceSet::all(), items, changed_since: None };
    assert!(fragments(&fetch(FetchItems::List(vec![]))).is_err());
    assert!(fragments(&Command::Enable(vec![])).is_err());
    assert!(fragments(&Command::Status { mailbox: Mailbox::INBOX, items: vec![] }).is_err());
    assert!(fragments(&Command::Search { uid: false, charset: None, key: SearchKey::And(vec![]) }).is_err());
    let unknown = Command::Unknown { name: Atom::new("logout").unwrap(), arguments: RawArguments::default() };
    assert!(fragments(&unknown).is_err());
    assert!(Command::authenticate("X", Some(b"not base64".to_vec().into())).is_err());
    assert!(Command::authenticate("X", Some(Vec::new().into())).is_err());
    let login = Command::Login { user: AString::default(), password: b"a\0b".to_vec().into() };
    assert!(fragments(&login).is_err());

    let refused = |value: Response<'_>| {
        let mut e = Encoder::new();
        assert!(write_response(&value, &mut e).is_err(), "{value:?}");
        assert!(e.is_empty());
    };
    refused(Response::Flags(wildcard));
    refused(Response::Unrecognised(b"x\r\nA1 OK"[..].into()));
    let text = Text::new(&b"[ALERT] x"[..]).unwrap();
    refused(Response::Status(StatusResponse::untagged(StatusKind::Ok, text)));
    let tag = Tag::new("A1").unwrap();
    refused(Response::Status(StatusResponse::tagged(tag, StatusKind::Bye, Text::default())));
    refused(Response::Vanished { earlier: false, uids: UidSet::default() });
    let items = vec![FetchData::Uid(1.try_into().unwrap()), FetchData::Size(None)];
    refused(Response::Fetch(FetchResponse { seq: 1.try_into().unwrap(), items }));
}

/// INJ-07: a password is quoted or a literal, never shown, and never part of the other octets.
#[test]
fn passwords() {
    for (password, expected) in [
        (&b"a\"b\\ c"[..], Fragment::Secret(b"\"a\\\"b\\\\ c\"".to_vec().into())),
        (b"a\r\nb", Fragment::SecretLiteral(b"a\r\nb".to_vec().into())),
        ("pässword".as_bytes(), Fragment::SecretLiteral("pässword".as_bytes().to_vec().into())),
    ] {
        let login =
            Command::Login { user: AString::try_from("u").unwrap(), password: password.to_vec().into() };
        assert_eq!(fragments(&login), Ok(vec![bytes("A1 LOGIN u "), expected, bytes("\r\n")]));
    }
    let command = Command::authenticate("XOAUTH2", Some(b"dXNlcj0=".to_vec().into())).unwrap();
    let expected =
        vec![bytes("A1 AUTHENTICATE XOAUTH2 "), Fragment::Secret(b"dXNlcj0=".to_vec().into()), bytes("\r\n")];
    assert_eq!(fragments(&command), Ok(expected));
}

/// A value that the application built deeper than anything may be is refused, not followed.
#[test]
fn nesting_of_our_own() {
    let key = (0..200).fold(SearchKey::All, |key, _| SearchKey::Not(Box::new(key)));
    let error = fragments(&Command::Search { uid: false, charset: None, key }).unwrap_err();
    assert_eq!(error.kind(), InvalidKind::TooDeep { max: ParseLimits::MAX_DEPTH });
}
