//! Known answers: the examples of commands in RFC 3501 and the extensions' RFCs, in both directions.

use postkey_imap_proto::grammar::{Encoder, ParseLimits, command, is_idle_done, write_command};
use postkey_imap_proto::types::*;

use crate::{a, flags, mailbox, n, nz, nz64, set, tag};

/// The examples of RFC 3501 section 6 and of the extensions, in both directions.
#[test]
fn commands() {
    use Command as C;
    let pattern = |s: &'static str| ListPattern::new(s.as_bytes()).unwrap();
    let select = |m| C::Select { mailbox: m, params: SelectParams::default() };
    let date = Date::new(1994, 2, 1).unwrap();
    let moment = DateTime::new(Date::new(1994, 2, 7).unwrap(), 21, 52, 25, -480).unwrap();
    let literal = AppendLiteral { len: 310, sync: true, binary: false };
    let mut id = IdParams::new();
    for (field, value) in [("name", "sodr"), ("vendor", "Pink Floyd Music Limited")] {
        id.push(a(field), n(value)).unwrap();
    }
    let header = SectionText::HeaderFields(vec![a("DATE"), a("FROM")]);
    let item =
        FetchItem::BodySection { section: Section::new([], header).unwrap(), peek: false, partial: None };
    let window = Partial { offset: 0, length: nz(2048) };
    for (line, expected) in [
        ("abcd CAPABILITY", C::Capability),
        ("a047 NOOP", C::Noop),
        ("A023 LOGOUT", C::Logout),
        ("a002 STARTTLS", C::StartTls),
        ("A001 AUTHENTICATE GSSAPI", C::authenticate("GSSAPI", None).unwrap()),
        ("a001 LOGIN SMITH \"SESAME\"", C::Login { user: a("SMITH"), password: b"SESAME".to_vec().into() }),
        ("A142 SELECT INBOX", select(Mailbox::INBOX)),
        (
            "a SELECT INBOX (CONDSTORE)",
            C::Select { mailbox: Mailbox::INBOX, params: SelectParams { condstore: true } },
        ),
        (
            "A932 EXAMINE blurdybloop",
            C::Examine { mailbox: mailbox("blurdybloop"), params: SelectParams::default() },
        ),
        ("A003 CREATE owatagusiam/", C::Create(mailbox("owatagusiam/"))),
        ("A683 DELETE blurdybloop", C::Delete(mailbox("blurdybloop"))),
        ("Z433 RENAME INBOX old-mail", C::Rename { from: Mailbox::INBOX, to: mailbox("old-mail") }),
        ("A002 SUBSCRIBE #news.comp.mail.mime", C::Subscribe(mailbox("#news.comp.mail.mime"))),
        ("A002 UNSUBSCRIBE #news.comp.mail.mime", C::Unsubscribe(mailbox("#news.comp.mail.mime"))),
        ("A101 LIST \"\" \"\"", C::List { reference: mailbox(""), pattern: pattern("") }),
        ("A202 LIST ~/Mail/ %", C::List { reference: mailbox("~/Mail/"), pattern: pattern("%") }),
        (
            "A002 LSUB #news. comp.mail.*",
            C::Lsub { reference: mailbox("#news."), pattern: pattern("comp.mail.*") },
        ),
        (
            "A042 STATUS blurdybloop (UIDNEXT MESSAGES)",
            C::Status {
                mailbox: mailbox("blurdybloop"),
                items: vec![StatusItem::UidNext, StatusItem::Messages],
            },
        ),
        (
            "A003 APPEND saved-messages (\\Seen) {310}",
            C::Append { mailbox: mailbox("saved-messages"), flags: flags(&["\\Seen"]), date: None, literal },
        ),
        (
            "A003 APPEND saved-messages \" 7-Feb-1994 21:52:25 -0800\" ~{310+}",
            C::Append {
                mailbox: mailbox("saved-messages"),
                flags: FlagSet::new(),
                date: Some(moment),
                literal: AppendLiteral { sync: false, binary: true, ..literal },
            },
        ),
        ("FXXZ CHECK", C::Check),
        ("A341 CLOSE", C::Close),
        ("A UNSELECT", C::Unselect),
        ("A202 EXPUNGE", C::Expunge),
        ("A003 UID EXPUNGE 3000:3002", C::UidExpunge(set("3000:3002"))),
        (
            "A282 SEARCH FLAGGED SINCE 1-Feb-1994 NOT FROM Smith",
            C::Search {
                uid: false,
                charset: None,
                key: SearchKey::And(vec![
                    SearchKey::Flagged,
                    SearchKey::Since(date),
                    SearchKey::Not(Box::new(SearchKey::From(a("Smith")))),
                ]),
            },
        ),
        (
            "A UID SEARCH CHARSET UTF-8 OR (SEEN 2:*) MODSEQ 620162338",
            C::Search {
                uid: true,
                charset: Some(a("UTF-8")),
                key: SearchKey::Or(
                    Box::new(SearchKey::And(vec![SearchKey::Seen, SearchKey::Sequence(set("2:*"))])),
                    Box::new(SearchKey::ModSeq(620_162_338)),
                ),
            },
        ),
        (
            "A654 FETCH 2:4 (FLAGS BODY[HEADER.FIELDS (DATE FROM)])",
            C::Fetch {
                uid: false,
                set: set("2:4"),
                items: FetchItems::List(vec![FetchItem::Flags, item]),
                changed_since: None,
            },
        ),
        (
            "A UID FETCH 1:* (UID BODY.PEEK[1.MIME]<0.2048>) (CHANGEDSINCE 12345)",
            C::Fetch {
                uid: true,
                set: set("1:*"),
                items: FetchItems::List(vec![
                    FetchItem::Uid,
                    FetchItem::BodySection {
                        section: Section::new([nz(1)], SectionText::Mime).unwrap(),
                        peek: true,
                        partial: Some(window),
                    },
                ]),
                changed_since: Some(nz64(12345)),
            },
        ),
        (
            "A FETCH 1 FAST",
            C::Fetch { uid: false, set: set("1"), items: FetchItems::Fast, changed_since: None },
        ),
        (
            "A003 STORE 2:4 +FLAGS (\\Deleted)",
            C::Store {
                uid: false,
                set: set("2:4"),
                unchanged_since: None,
                action: StoreAction::Add,
                silent: false,
                flags: flags(&["\\Deleted"]),
            },
        ),
        (
            "d105 UID STORE 7,5,9 (UNCHANGEDSINCE 320162338) -FLAGS.SILENT (\\Deleted $Junk)",
            C::Store {
                uid: true,
                set: set("7,5,9"),
                unchanged_since: Some(320_162_338),
                action: StoreAction::Remove,
                silent: true,
                flags: flags(&["\\Deleted", "$Junk"]),
            },
        ),
        ("A003 COPY 2:4 MEETING", C::Copy { uid: false, set: set("2:4"), mailbox: mailbox("MEETING") }),
        ("a UID MOVE 42:69 foo", C::Move { uid: true, set: set("42:69"), mailbox: mailbox("foo") }),
        ("A002 IDLE", C::Idle),
        ("a1 NAMESPACE", C::Namespace),
        (
            "a ENABLE CONDSTORE X-GOOD-IDEA",
            C::Enable(vec![Capability::CondStore, Capability::new("X-GOOD-IDEA").unwrap()]),
        ),
        ("a023 ID (\"name\" \"sodr\" \"vendor\" \"Pink Floyd Music Limited\")", C::Id(id)),
        ("a042 ID NIL", C::Id(IdParams::new())),
        (
            "a443 BLURDYBLOOP x (y)",
            C::Unknown {
                name: Atom::new("BLURDYBLOOP").unwrap(),
                arguments: RawArguments::new(&b"x (y)"[..]).unwrap(),
            },
        ),
    ] {
        let line = format!("{line}\r\n");
        let (tag, value) =
            command(line.as_bytes(), ParseLimits::DEFAULT).unwrap_or_else(|e| panic!("{e}: {line}"));
        assert_eq!(value, expected, "{line}");
        let mut e = Encoder::new();
        write_command(&tag, &expected, &mut e).unwrap();
        assert_eq!(String::from_utf8(e.into_wire()).unwrap(), line);
        // Names are words in any case, and an LF alone ends a line too (FR-14).
        let unix = line.replace("\r\n", "\n");
        assert_eq!(command(unix.as_bytes(), ParseLimits::DEFAULT).unwrap().1, expected);
    }
    let lower = command(b"a uid fetch 1 fast\r\n", ParseLimits::DEFAULT).unwrap().1;
    assert_eq!((lower.name(), lower.is_uid()), ("FETCH", true));
    assert!(is_idle_done(b"DONE\r\n") && is_idle_done(b"done\n") && !is_idle_done(b"DONEX\r\n"));
}

/// Forms that are read but written otherwise.
#[test]
fn other_spellings_of_commands() {
    for (one, other) in [
        ("A FETCH 1 FLAGS\r\n", "A FETCH 1 (FLAGS)\r\n"),
        ("A FETCH 1 bodystructure\r\n", "A FETCH 1 (BODYSTRUCTURE)\r\n"),
        ("A STORE 1 FLAGS \\Seen \\Draft\r\n", "A STORE 1 FLAGS (\\Seen \\Draft)\r\n"),
        ("A LOGIN {5}\r\nSMITH {6+}\r\nSESAME\r\n", "A LOGIN SMITH \"SESAME\"\r\n"),
        ("A LOGIN SMITH SESAME\r\n", "A LOGIN SMITH \"SESAME\"\r\n"),
        ("A SELECT \"inbox\"\r\n", "A SELECT INBOX\r\n"),
        ("A SEARCH SINCE \"1-Feb-1994\"\r\n", "A SEARCH SINCE 1-Feb-1994\r\n"),
        ("A SEARCH MODSEQ \"/flags/\\\\draft\" all 620162338\r\n", "A SEARCH MODSEQ 620162338\r\n"),
        ("A APPEND INBOX () {3}\r\n", "A APPEND INBOX {3}\r\n"),
        (
            "A APPEND INBOX \"1-Feb-1994 00:00:00 +0000\" {3}\r\n",
            "A APPEND INBOX \" 1-Feb-1994 00:00:00 +0000\" {3}\r\n",
        ),
    ] {
        let read = |s: &'static str| {
            command(s.as_bytes(), ParseLimits::DEFAULT).unwrap_or_else(|e| panic!("{e}: {s}"))
        };
        assert_eq!(read(one), read(other));
        let (tag, value) = read(one);
        let mut e = Encoder::new();
        write_command(&tag, &value, &mut e).unwrap();
        assert_eq!(String::from_utf8(e.into_wire()).unwrap(), other);
    }
    // Without a mechanism's answer there is none; `=` is an empty one (RFC 4959).
    let Command::Authenticate { initial, .. } =
        command(b"A AUTHENTICATE X =\r\n", ParseLimits::DEFAULT).unwrap().1
    else {
        panic!()
    };
    assert_eq!(initial.unwrap().expose(), b"=");
}

/// A server answers these with BAD, under their tag.
#[test]
fn wrong_arguments_keep_the_tag() {
    for line in [
        "A FETCH\r\n",
        "A FETCH 0 FLAGS\r\n",
        "A FETCH 1 ()\r\n",
        "A FETCH 1 (FLAGS)x\r\n",
        "A LOGIN a\r\n",
        "A SELECT \r\n",
        "A SELECT a b\r\n",
        "A STATUS a ()\r\n",
        "A STATUS a (X)\r\n",
        "A SEARCH\r\n",
        "A SEARCH NOT\r\n",
        "A SEARCH SINCE 31-Feb-2024\r\n",
        "A UID NOOP\r\n",
        "A UID\r\n",
        "A STORE 1 FLAGZ (\\Seen)\r\n",
        "A APPEND INBOX {3}\r\nabc\r\n",
        "A APPEND INBOX abc\r\n",
        "A ENABLE\r\n",
        "A NOOP x\r\n",
        "A NOOP",
        "A AUTHENTICATE PLAIN a!b\r\n",
        "A LOGIN \"a\r\n\" b\r\n",
        "A SELECT {3}\r\na\r\n\r\n",
        "A \r\n",
    ] {
        let error = command(line.as_bytes(), ParseLimits::DEFAULT).expect_err(line);
        assert_eq!(error.tag, Some(tag("A").into_owned()), "{line}");
    }
    for line in ["\r\n", "", "+ NOOP\r\n", "* OK\r\n", " A NOOP\r\n", "A\r\n", "\"\r\n"] {
        assert_eq!(command(line.as_bytes(), ParseLimits::DEFAULT).expect_err(line).tag, None);
    }
}
