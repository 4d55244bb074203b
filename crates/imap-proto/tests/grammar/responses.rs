//! Known answers: the examples of responses in RFC 3501 and the extensions' RFCs, read into the values they mean.

use postkey_imap_proto::grammar::{
    Encoder, ParseLimits, SearchPart, greeting, response, search_prefix, write_response,
};
use postkey_imap_proto::types::*;

use crate::{a, flags, mailbox, n, nz, nz64, set, tag};

type R<'a> = Response<'a>;

fn read(line: &str) -> Response<'_> {
    response(line.as_bytes(), ParseLimits::DEFAULT).unwrap_or_else(|e| panic!("{e}: {line}"))
}

fn text(s: &str) -> Text<'_> {
    Text::new(s.as_bytes()).unwrap()
}

fn untagged<'a>(kind: StatusKind, code: Option<Code<'a>>, words: &'a str) -> Response<'a> {
    R::Status(StatusResponse { tag: None, kind, code, text: text(words) })
}

fn tagged<'a>(t: &'a str, kind: StatusKind, code: Option<Code<'a>>, words: &'a str) -> Response<'a> {
    R::Status(StatusResponse { tag: Some(tag(t)), kind, code, text: text(words) })
}

/// RFC 3501 section 7.1.
#[test]
fn status_responses() {
    use StatusKind::*;
    for (line, value) in [
        ("* OK IMAP4rev1 server ready\r\n", untagged(Ok, None, "IMAP4rev1 server ready")),
        ("A001 OK LOGIN Completed\r\n", tagged("A001", Ok, None, "LOGIN Completed")),
        (
            "* OK [ALERT] System shutdown in 10 minutes\r\n",
            untagged(Ok, Some(Code::Alert), "System shutdown in 10 minutes"),
        ),
        (
            "* NO Disk is 98% full, please delete unnecessary data\r\n",
            untagged(No, None, "Disk is 98% full, please delete unnecessary data"),
        ),
        ("A223 NO COPY failed: disk is full\r\n", tagged("A223", No, None, "COPY failed: disk is full")),
        ("* BAD Empty command line\r\n", untagged(Bad, None, "Empty command line")),
        (
            "* PREAUTH IMAP4rev1 server logged in as Smith\r\n",
            untagged(PreAuth, None, "IMAP4rev1 server logged in as Smith"),
        ),
        ("* BYE Autologout; idle for too long\r\n", untagged(Bye, None, "Autologout; idle for too long")),
        (
            "A142 OK [READ-WRITE] SELECT completed\r\n",
            tagged("A142", Ok, Some(Code::ReadWrite), "SELECT completed"),
        ),
    ] {
        assert_eq!(read(line), value);
        let mut e = Encoder::new();
        write_response(&value, &mut e).unwrap();
        assert_eq!(e.into_wire(), line.as_bytes());
    }
    assert!(greeting(b"* PREAUTH IMAP4rev1 server logged in as Smith\r\n").is_ok());
}

/// RFC 3501 sections 6.3.1 and 7.1, RFC 4315 section 3, RFC 5530, RFC 7162 section 3.1.2.
#[test]
fn response_codes() {
    let uids = |list: &[u32]| UidSet::from_sorted(list.iter().copied()).unwrap();
    let mut permanent = flags(&["\\Deleted", "\\Seen"]);
    permanent.set_wildcard(true);
    for (line, code) in [
        ("* OK [UNSEEN 12] Message 12 is first unseen\r\n", Code::Unseen(nz(12))),
        ("* OK [UIDVALIDITY 3857529045] UIDs valid\r\n", Code::UidValidity(nz(3_857_529_045))),
        ("* OK [UIDNEXT 4392] Predicted next UID\r\n", Code::UidNext(nz(4392))),
        ("* OK [PERMANENTFLAGS (\\Deleted \\Seen \\*)] Limited\r\n", Code::PermanentFlags(permanent)),
        ("* OK [PERMANENTFLAGS ()] No permanent flags permitted\r\n", Code::PermanentFlags(FlagSet::new())),
        ("A003 NO [TRYCREATE] no such mailbox\r\n", Code::TryCreate),
        ("A NO [BADCHARSET (UTF-8 \"US-ASCII\")] no\r\n", Code::BadCharset(vec![a("UTF-8"), a("US-ASCII")])),
        (
            "A003 OK [APPENDUID 38505 3955] APPEND completed\r\n",
            Code::AppendUid { uid_validity: nz(38505), uids: uids(&[3955]) },
        ),
        (
            "A004 OK [COPYUID 38505 304,319:320 3956:3958] Done\r\n",
            Code::CopyUid {
                uid_validity: nz(38505),
                source: uids(&[304, 319, 320]),
                destination: uids(&[3956, 3957, 3958]),
            },
        ),
        ("* OK [HIGHESTMODSEQ 715194045007]\r\n", Code::HighestModSeq(nz64(715_194_045_007))),
        ("* OK [NOMODSEQ] Sorry\r\n", Code::NoModSeq),
        ("d105 OK [MODIFIED 7,9] Conditional STORE failed\r\n", Code::Modified(set("7,9"))),
        ("* OK [CLOSED]\r\n", Code::Closed),
        ("A NO [AUTHENTICATIONFAILED] Authentication failed.\r\n", Code::AuthenticationFailed),
        ("A NO [EXPIRED] That password isn't valid any more\r\n", Code::Expired),
        ("A OK [capability imap4rev1 auth=PLAIN] x\r\n", {
            let list = [Capability::Imap4Rev1, Capability::new("AUTH=PLAIN").unwrap()];
            Code::Capability(list.into_iter().collect())
        }),
    ] {
        let R::Status(status) = read(line) else { panic!("{line}") };
        assert_eq!(status.code, Some(code), "{line}");
    }
    let R::Status(status) = read("A NO [REFERRAL imap://user@host/x;AUTH=*/] gone\r\n") else { panic!() };
    let code = status.code.unwrap();
    assert_eq!(code.other_name(), Some(&b"REFERRAL"[..]));
    assert_eq!(code, Code::new(b"REFERRAL imap://user@host/x;AUTH=*/").unwrap());
}

/// RFC 3501 sections 7.2 to 7.5.
#[test]
fn mailbox_data() {
    assert_eq!(read("* 23 EXISTS\r\n"), R::Exists(23));
    assert_eq!(read("* 5 RECENT\r\n"), R::Recent(5));
    assert_eq!(read("* 44 EXPUNGE\r\n"), R::Expunge(nz(44)));
    assert_eq!(
        read("* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\r\n"),
        R::Flags(flags(&["\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft"]))
    );
    assert_eq!(
        read("* CAPABILITY IMAP4rev1 STARTTLS AUTH=GSSAPI XPIG-LATIN\r\n"),
        R::Capability(
            [
                Capability::Imap4Rev1,
                Capability::StartTls,
                Capability::Auth(Atom::new("GSSAPI").unwrap()),
                Capability::Other(Atom::new("XPIG-LATIN").unwrap()),
            ]
            .into_iter()
            .collect()
        )
    );
    let entry = |kind, attributes, delimiter, name| {
        R::List(ListEntry {
            kind,
            attributes,
            delimiter: Delimiter::new(delimiter).ok(),
            mailbox: mailbox(name),
        })
    };
    assert_eq!(
        read("* LIST (\\Noselect) \"/\" ~/Mail/foo\r\n"),
        entry(ListKind::List, vec![Attribute::NoSelect], b'/', "~/Mail/foo")
    );
    assert_eq!(
        read("* LSUB () \".\" #news.comp.mail.misc\r\n"),
        entry(ListKind::Lsub, vec![], b'.', "#news.comp.mail.misc")
    );
    assert_eq!(
        read("* STATUS blurdybloop (MESSAGES 231 UIDNEXT 44292)\r\n"),
        R::MailboxStatus {
            mailbox: mailbox("blurdybloop"),
            data: StatusData { messages: Some(231), uid_next: Some(nz(44292)), ..StatusData::default() }
        }
    );
    assert_eq!(
        read("+ Ready for additional command text\r\n"),
        R::Continue(text("Ready for additional command text"))
    );
}

/// RFC 3501 section 7.2.5 and RFC 7162 section 3.1.5.
#[test]
fn search() {
    let R::Search(data) = read("* SEARCH 2 3 6\r\n") else { panic!() };
    assert_eq!(data.iter().map(u32::from).collect::<Vec<_>>(), [2, 3, 6]);
    let R::Search(data) = read("* SEARCH\r\n") else { panic!() };
    assert_eq!(data.iter().count(), 0);
    let line = b"* SEARCH 2 5 6 7 11 12 18 19 20 23 (MODSEQ 917162500)\r\n";
    let R::Search(data) = response(line, ParseLimits::DEFAULT).unwrap() else { panic!() };
    assert_eq!((data.iter().count(), data.mod_seq()), (10, Some(nz64(917_162_500))));
    let parts: Vec<_> = postkey_imap_proto::grammar::SearchNumbers::new(search_prefix(line).unwrap())
        .map(Result::unwrap)
        .collect();
    assert_eq!(parts.len(), 11);
    assert_eq!(parts[10], SearchPart::ModSeq(nz64(917_162_500)));
}

/// RFC 3501 section 8: the sample connection.
#[test]
fn sample_fetch() {
    let line = "* 12 FETCH (FLAGS (\\Seen) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" RFC822.SIZE 4286 ENVELOPE \
        (\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" \"IMAP4rev1 WG mtg summary and minutes\" \
        ((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) ((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) \
        ((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) ((NIL NIL \"imap\" \"cac.washington.edu\")) \
        ((NIL NIL \"minutes\" \"CNRI.Reston.VA.US\") (\"John Klensin\" NIL \"KLENSIN\" \"MIT.EDU\")) NIL NIL \
        \"<B27397-0100000@cac.washington.edu>\") \
        BODY (\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 3028 92))\r\n";
    let R::Fetch(fetch) = read(line) else { panic!() };
    assert_eq!(fetch.seq, nz(12));
    let [flags_item, date, size, envelope, body] = &fetch.items[..] else { panic!("{:?}", fetch.items) };
    assert_eq!(*flags_item, FetchData::Flags(flags(&["\\Seen"])));
    let FetchData::InternalDate(Some(date)) = date else { panic!() };
    assert_eq!(date.to_unix(), 837_596_665);
    assert_eq!(*size, FetchData::Size(Some(4286)));
    let FetchData::Envelope(envelope) = envelope else { panic!() };
    let gray = Address {
        name: n("Terry Gray"),
        adl: NString::NIL,
        mailbox: n("gray"),
        host: n("cac.washington.edu"),
    };
    assert_eq!(envelope.subject, n("IMAP4rev1 WG mtg summary and minutes"));
    assert_eq!((&envelope.from[..], &envelope.reply_to[..]), (&[gray][..], &envelope.from[..]));
    assert_eq!(envelope.cc.len(), 2);
    assert_eq!(envelope.cc[1].mailbox, n("KLENSIN"));
    assert!(envelope.bcc.is_empty() && envelope.in_reply_to.is_nil());
    assert_eq!(envelope.message_id, n("<B27397-0100000@cac.washington.edu>"));
    let FetchData::BodyStructure { body: BodyStructure::Part(part), extensible: false } = body else {
        panic!()
    };
    assert!(part.media_type.is("text") && part.subtype.is("plain"));
    assert_eq!(part.params, [Param { name: a("CHARSET"), value: a("US-ASCII") }]);
    assert_eq!((part.size, &part.kind, &part.extension), (3028, &PartKind::Text { lines: 92 }, &None));
}

/// RFC 3501 section 7.4.2: the example of BODYSTRUCTURE.
#[test]
fn body_structure_of_two_parts() {
    let line = "* 1 FETCH (BODYSTRUCTURE ((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 1152 23)\
        (\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\" \"NAME\" \"cc.diff\") \"<960723163407.20117h@cac.washington.edu>\" \
        \"Compiler diff\" \"BASE64\" 4554 73) \"MIXED\"))\r\n";
    let R::Fetch(fetch) = read(line) else { panic!() };
    let [FetchData::BodyStructure { body: BodyStructure::Multipart(mixed), extensible: true }] =
        &fetch.items[..]
    else {
        panic!()
    };
    assert!(mixed.subtype.is("mixed") && mixed.extension.is_none());
    let [_, BodyStructure::Part(diff)] = &mixed.parts[..] else { panic!() };
    assert_eq!(diff.id, n("<960723163407.20117h@cac.washington.edu>"));
    assert_eq!(diff.description, n("Compiler diff"));
    assert_eq!(diff.encoding, n("BASE64"));
    assert_eq!(diff.params[1], Param { name: a("NAME"), value: a("cc.diff") });
    assert_eq!(diff.size, 4554);
}

/// A message inside a message, extension data everywhere, and extensions of the future.
#[test]
fn body_structure_with_everything() {
    let line = "* 1 FETCH (BODYSTRUCTURE ((\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 900 \
        (NIL \"inner\" NIL NIL NIL NIL NIL NIL NIL NIL) \
        (\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 5 1 NIL NIL NIL NIL) 30 \"md5\" \
        (\"ATTACHMENT\" (\"FILENAME\" \"a.eml\")) (\"en\" \"de\") \"http://x/\" 7 (\"future\" (1 NIL)))\
        (\"IMAGE\" \"PNG\" NIL NIL NIL \"BASE64\" 10 NIL NIL \"fr\") \"MIXED\" (\"BOUNDARY\" \"x\") NIL NIL NIL) UID 4)\r\n";
    let R::Fetch(fetch) = read(line) else { panic!() };
    let [FetchData::BodyStructure { body: BodyStructure::Multipart(mixed), .. }, FetchData::Uid(uid)] =
        &fetch.items[..]
    else {
        panic!()
    };
    assert_eq!(*uid, nz(4));
    let [BodyStructure::Part(message), BodyStructure::Part(image)] = &mixed.parts[..] else { panic!() };
    let PartKind::Message { envelope, body: BodyStructure::Part(inner), lines: 30 } = &message.kind else {
        panic!()
    };
    assert_eq!(envelope.subject, n("inner"));
    assert_eq!(inner.kind, PartKind::Text { lines: 1 });
    let extension = message.extension.as_ref().unwrap();
    assert_eq!(extension.md5, n("md5"));
    let disposition = extension.common.disposition.as_ref().unwrap();
    assert!(disposition.kind.is("attachment"));
    assert_eq!(disposition.params, [Param { name: a("FILENAME"), value: a("a.eml") }]);
    assert_eq!(extension.common.language, [a("en"), a("de")]);
    assert_eq!(extension.common.location, n("http://x/"));
    assert_eq!(image.extension.as_ref().unwrap().common.language, [a("fr")]);
    assert_eq!(mixed.extension.as_ref().unwrap().params, [Param { name: a("BOUNDARY"), value: a("x") }]);
}

/// RFC 3501 section 6.4.5 and 7.4.2: sections, partials and NIL in answers.
#[test]
fn body_sections() {
    let section =
        |path: &[u32], text| Section::new(path.iter().map(|&p| nz(p)).collect::<Vec<_>>(), text).unwrap();
    let names = || vec![a("DATE"), a("FROM")];
    for (name, expected) in [
        ("BODY[]", section(&[], SectionText::Full)),
        ("BODY[HEADER]", section(&[], SectionText::Header)),
        ("BODY[TEXT]", section(&[], SectionText::Text)),
        ("BODY[3.HEADER]", section(&[3], SectionText::Header)),
        ("BODY[4.2.2.1]", section(&[4, 2, 2, 1], SectionText::Full)),
        ("BODY[4.1.MIME]", section(&[4, 1], SectionText::Mime)),
        ("BODY[HEADER.FIELDS (DATE FROM)]", section(&[], SectionText::HeaderFields(names()))),
        ("BODY[2.HEADER.FIELDS.NOT (\"DATE\" FROM)]", section(&[2], SectionText::HeaderFieldsNot(names()))),
    ] {
        for (value, data) in [("NIL", None), ("\"\"", Some(&b""[..])), ("{3}\r\n)\r\n", Some(&b")\r\n"[..]))]
        {
            let line = format!("* 2 FETCH ({name} {value})\r\n");
            let R::Fetch(fetch) = read(&line) else { panic!() };
            let name = BodyName::Section(expected.clone());
            assert_eq!(fetch.items, [FetchData::Body { name, origin: None, data: data.map(Into::into) }]);
        }
    }
    let R::Fetch(fetch) = read("* 2 FETCH (BODY[]<0> {4}\r\nabcd RFC822.HEADER \"x\")\r\n") else { panic!() };
    let [FetchData::Body { origin: Some(0), .. }, FetchData::Body { name: BodyName::Rfc822Header, .. }] =
        &fetch.items[..]
    else {
        panic!()
    };
    for bad in
        ["BODY[MIME]", "BODY[0]", "BODY[1.]", "BODY[HEADER.FIELDS ()]", "BODY[X]", "BODY[1", "BODY[]<-1>"]
    {
        assert!(
            response(format!("* 2 FETCH ({bad} NIL)\r\n").as_bytes(), ParseLimits::DEFAULT).is_err(),
            "{bad}"
        );
    }
}

/// RFC 2342 section 5, RFC 2971 section 3, RFC 5161 section 3.1, RFC 7162 section 3.2.10.
#[test]
fn extensions() {
    let space = |prefix, delimiter: u8| Namespace {
        prefix: mailbox(prefix),
        delimiter: Delimiter::new(delimiter).ok(),
    };
    assert_eq!(
        read("* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n"),
        R::Namespace(Namespaces { personal: vec![space("", b'/')], ..Namespaces::default() })
    );
    assert_eq!(
        read(
            "* NAMESPACE ((\"\" \"/\")) ((\"~\" \"/\")) ((\"#shared/\" \"/\")(\"#public/\" \"/\" \"X-PARAM\" (\"FLAG1\" \"FLAG2\")))\r\n"
        ),
        R::Namespace(Namespaces {
            personal: vec![space("", b'/')],
            other_users: vec![space("~", b'/')],
            shared: vec![space("#shared/", b'/'), space("#public/", b'/')],
        })
    );
    let R::Id(id) =
        read("* ID (\"name\" \"Cyrus\" \"version\" \"1.5\" \"os\" \"sunos\" \"support-url\" NIL)\r\n")
    else {
        panic!()
    };
    assert_eq!(id.get("NAME"), Some(&n("Cyrus")));
    assert_eq!(id.get("support-url"), Some(&NString::NIL));
    assert_eq!(read("* ID NIL\r\n"), R::Id(IdParams::new()));
    assert_eq!(read("* ENABLED CONDSTORE\r\n"), R::Enabled(vec![Capability::CondStore]));
    assert_eq!(
        read("* VANISHED (EARLIER) 41,43:44\r\n"),
        R::Vanished { earlier: true, uids: UidSet::from_sorted([41, 43, 44]).unwrap() }
    );
    assert_eq!(
        read("* 50 FETCH (MODSEQ (12111230047))\r\n"),
        R::Fetch(FetchResponse { seq: nz(50), items: vec![FetchData::ModSeq(Some(nz64(12_111_230_047)))] })
    );
}
