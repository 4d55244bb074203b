//! What real servers send against the RFCs and a client must survive, with the octets of the reports.

use postkey_imap_proto::grammar::{ParseErrorKind, ParseLimits, greeting, response};
use postkey_imap_proto::types::*;

fn read(line: &[u8]) -> Response<'_> {
    response(line, ParseLimits::DEFAULT).unwrap_or_else(|e| panic!("{e}: {}", line.escape_ascii()))
}

fn status(line: &[u8]) -> StatusResponse<'_> {
    match read(line) {
        Response::Status(status) => status,
        other => panic!("{other:?}"),
    }
}

fn fetch(line: &[u8]) -> Vec<FetchData<'_>> {
    match read(line) {
        Response::Fetch(fetch) => fetch.items,
        other => panic!("{other:?}"),
    }
}

/// The structure in a FETCH response that has no other item.
fn body(line: &str) -> BodyStructure<'_> {
    let mut items = fetch(line.as_bytes());
    match items.pop() {
        Some(FetchData::BodyStructure { body, .. }) if items.is_empty() => body,
        other => panic!("{other:?}"),
    }
}

fn multipart(line: &str) -> (Vec<Part<'_>>, Multipart<'_>) {
    let BodyStructure::Multipart(mut multipart) = body(line) else { panic!() };
    let parts = std::mem::take(&mut multipart.parts);
    let part = |p| match p {
        BodyStructure::Part(p) => *p,
        BodyStructure::Multipart(_) => panic!("nested"),
    };
    (parts.into_iter().map(part).collect(), multipart)
}

fn nz(n: u32) -> std::num::NonZeroU32 {
    n.try_into().unwrap()
}

/// Quirk 1, MailKit #115: a response code without any condition.
#[test]
fn code_without_condition() {
    let uids = |uid| UidSet::single(nz(uid));
    let code = Code::CopyUid { uid_validity: nz(55), source: uids(31), destination: uids(6) };
    for line in [&b"* [COPYUID 55 31 6]\r\n"[..], b"* [COPYUID 55 31 6] \r\n", b"[COPYUID 55 31 6]\r\n"] {
        let status = status(line);
        assert_eq!((status.tag, status.kind, status.code), (None, StatusKind::Ok, Some(code.clone())));
    }
    // A tag may begin with a bracket.
    assert!(status(b"[A1] OK done\r\n").tag.is_some());
}

/// Quirk 2, MailKit #555: a COPYUID of nothing, with two blanks.
#[test]
fn copyuid_of_nothing() {
    let code =
        Code::CopyUid { uid_validity: nz(14), source: UidSet::default(), destination: UidSet::default() };
    for line in [&b"* OK [COPYUID 14  ]\r\n"[..], b"* OK [COPYUID 14 ]\r\n", b"A OK [COPYUID 14] x\r\n"] {
        assert_eq!(status(line).code, Some(code.clone()));
    }
}

/// Quirk 3, MailKit #945: names with TAB and other controls, unquoted.
#[test]
fn unquoted_names_with_controls() {
    let line = b"* LIST (\\HasNoChildren) \"/\" INBOX/Da\tOggetto\tRicevuto\tDimensione\tCategorie\t\r\n";
    let Response::List(entry) = read(line) else { panic!() };
    assert_eq!(entry.mailbox.as_bytes(), b"INBOX/Da\tOggetto\tRicevuto\tDimensione\tCategorie\t");
    // closeio/sync-engine #964: quoted, with a blank at the end.
    let Response::List(entry) = read(b"* LIST (\\HasNoChildren) \"/\" \"INBOX/ \tExample \"\r\n") else {
        panic!()
    };
    assert_eq!(entry.mailbox.as_bytes(), b"INBOX/ \tExample ");
    assert_eq!(entry.mailbox.decoded(), None);
    // A name with a quote comes as a literal (smiley22/S22.Imap #12).
    let Response::List(entry) = read(b"* LIST (\\HasNoChildren) \"/\" {7}\r\nHell\"oh\r\n") else { panic!() };
    assert_eq!(entry.mailbox.as_bytes(), b"Hell\"oh");
    // A folder may be called NIL (MailKit #482).
    let Response::List(entry) = read(b"* LIST (\\HasNoChildren) \"/\" NIL\r\n") else { panic!() };
    assert_eq!(entry.mailbox.as_bytes(), b"NIL");
}

/// Quirk 4, MailKit #919, jakartaee/mail-api #31: a disposition as a bare string, or `(NIL NIL)`.
#[test]
fn bare_disposition() {
    let line = "* 37 FETCH (BODYSTRUCTURE ((\"text\" \"plain\" (\"charset\" \"ISO-8859-1\") NIL NIL \"QUOTED-PRINTABLE\" \
        850 31 NIL \"inline\" NIL NIL)(\"text\" \"html\" (\"charset\" \"ISO-8859-1\") NIL NIL \"QUOTED-PRINTABLE\" 14692 \
        502 NIL (NIL NIL) NIL NIL) \"alternative\" (\"boundary\" \"----=_Part_45\") NIL NIL))\r\n";
    let (parts, alternative) = multipart(line);
    let disposition =
        |p: &Part<'_>| p.extension.as_ref().unwrap().common.disposition.clone().map(Disposition::into_owned);
    assert!(disposition(&parts[0]).is_some_and(|d| d.kind.is("inline") && d.params.is_empty()));
    assert_eq!(disposition(&parts[1]), None);
    assert_eq!((parts[1].size, &parts[1].kind), (14692, &PartKind::Text { lines: 502 }));
    assert_eq!(alternative.extension.unwrap().params.len(), 1);
}

/// Quirk 5, javaee/javamail #278, kisli/vmime #113: a description where the disposition belongs; and one where the
/// parameters belong.
#[test]
fn shifted_extension_data() {
    let (parts, mixed) = multipart(
        "* 1 FETCH (BODYSTRUCTURE ((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 21 0 NIL \
         (\"inline\" NIL) NIL NIL)(\"application\" \"octet-stream\" (\"name\" \"private.txt\") NIL NIL \"base64\" 690 NIL \
         (\"attachment\" (\"filename\" \"private.txt\")) NIL NIL) \"mixed\" \
         (\"boundary\" \"----=_Part_0_-1731707885.1504253815584\") \"S/MIME Encrypted Message\" NIL))\r\n",
    );
    assert_eq!(parts.len(), 2);
    assert!(mixed.subtype.is("mixed"));
    let extension = mixed.extension.unwrap();
    assert_eq!(extension.params[0].value.as_str(), Some("----=_Part_0_-1731707885.1504253815584"));
    assert_eq!(extension.common.disposition, None);

    let (parts, mixed) = multipart(
        "* 11 FETCH (BODYSTRUCTURE ((\"text\" \"plain\" NIL NIL NIL \"7bit\" 3315 111 NIL NIL NIL NIL) \
         \"alternative\" \"4d6c345b9ftuexperiencia%40better.com!83a!\" NIL NIL NIL NIL))\r\n",
    );
    assert_eq!((parts.len(), mixed.extension.unwrap().params.len()), (1, 0));
}

/// Quirk 6, MailKit #1415 and #1446: a part that is NIL all over.
#[test]
fn part_that_is_nil() {
    let BodyStructure::Part(part) =
        body("* 1 FETCH (BODYSTRUCTURE (NIL NIL NIL NIL NIL \"7BIT\" 0 NIL NIL NIL NIL))\r\n")
    else {
        panic!()
    };
    assert!(part.media_type.is_nil() && part.subtype.is_nil());
    assert!(part.encoding.is("7bit"));
    assert_eq!((part.size, part.kind), (0, PartKind::Basic));
    assert!(part.extension.is_some());
}

/// jakartaee/mail-api #282 (size −1), MailKit #878 (parameters where the MD5 belongs), MailKit #371 (Gmail, fields
/// missing at the end), emailjs-imap-handler #8 (a blank before the parenthesis).
#[test]
fn other_bent_structures() {
    let BodyStructure::Part(part) = body(
        "* 1 FETCH (BODYSTRUCTURE (\"multipart\" \"signed\" (\"boundary\" \"_9bc3_\") NIL NIL \"7BIT\" -1 NIL NIL NIL NIL))\r\n",
    ) else {
        panic!()
    };
    assert_eq!(part.size, 0);
    let (parts, _) = multipart(
        "* 1 FETCH (BODYSTRUCTURE ((\"multipart\" \"related\" (\"boundary\" \"a\") NIL NIL \"7BIT\" 400 \
         (\"boundary\" \"a\") NIL NIL NIL)(\"TEXT\" \"html\" (\"charset\" \"UTF8\") NIL NIL \"7BIT\" 1115 70 NIL NIL NIL NIL) \
         \"mixed\" (\"boundary\" \"b\") NIL NIL NIL))\r\n",
    );
    assert_eq!((parts.len(), parts[0].size, &parts[1].kind), (2, 400, &PartKind::Text { lines: 70 }));
    let (parts, mixed) = multipart(
        "* 1 FETCH (BODYSTRUCTURE ((\"TEXT\" \"PLAIN\" NIL NIL NIL \"BASE64\" 10418 133 NIL NIL NIL)\
         (\"RELATED\" NIL (\"ATTACHMENT\" NIL) NIL)(\"RELATED\" NIL (\"ATTACHMENT\" NIL) NIL) \
         \"MIXED\" (\"BOUNDARY\" \"94eb\") NIL ))\r\n",
    );
    assert_eq!(parts.len(), 3);
    assert!(mixed.subtype.is("mixed"));
}

/// Quirks 7 and 9: the placeholder's host, and RFC822.SIZE before UID.
#[test]
fn placeholder_and_order() {
    let items = fetch(
        b"* 3 FETCH (RFC822.SIZE 512 UID 9 ENVELOPE (NIL \"Retrieval using the IMAP4 protocol failed\" \
          ((\"Microsoft Exchange Server\" NIL NIL \".MISSING-HOST-NAME.\")) NIL NIL NIL NIL NIL NIL NIL))\r\n",
    );
    let [FetchData::Size(Some(512)), FetchData::Uid(uid), FetchData::Envelope(envelope)] = &items[..] else {
        panic!()
    };
    assert_eq!(uid.get(), 9);
    assert_eq!(envelope.from[0].host.as_str(), Some(".MISSING-HOST-NAME."));
    assert!(!envelope.from[0].is_group_end());
}

/// Quirk 12, go-imap #540: a blank at the end of STATUS; imap.exmail.qq.com does it in CAPABILITY (go-imap #571).
#[test]
fn blanks_at_the_end() {
    let Response::MailboxStatus { mailbox, data } = read(b"* STATUS Inbox (MESSAGES 1) \r\n") else {
        panic!()
    };
    assert!(mailbox.is_inbox());
    assert_eq!(data.messages, Some(1));
    let Response::Capability(list) = read(b"* CAPABILITY IMAP4 IMAP4rev1 UIDPLUS \r\n") else { panic!() };
    assert_eq!(list.iter().count(), 3);
    assert_eq!(read(b"* 3 EXISTS \r\n"), Response::Exists(3));
}

/// Quirk 13: raw 8-bit octets in quoted strings; FR-24 in names.
#[test]
fn raw_octets_in_strings() {
    let items =
        fetch(b"* 1 FETCH (ENVELOPE (NIL \"caf\xe9 \\\"\xfc\\\"\" NIL NIL NIL NIL NIL NIL NIL NIL))\r\n");
    let [FetchData::Envelope(envelope)] = &items[..] else { panic!() };
    assert_eq!(envelope.subject.as_bytes(), Some(&b"caf\xe9 \"\xfc\""[..]));
    assert_eq!(envelope.subject.to_str_lossy().unwrap(), "caf\u{fffd} \"\u{fffd}\"");
    for line in ["* LIST () \"/\" \"café\"\r\n", "* LIST () \"/\" café\r\n"] {
        let Response::List(entry) = read(line.as_bytes()) else { panic!() };
        assert_eq!(entry.mailbox.as_bytes(), "café".as_bytes());
        assert_eq!(entry.mailbox.decoded(), None);
    }
}

/// Quirk 14 (neomutt): a continuation without a blank.
#[test]
fn bare_plus() {
    for (line, text) in [(&b"+\r\n"[..], &b""[..]), (b"+ \r\n", b""), (b"+ ok\r\n", b"ok"), (b"+ok\n", b"ok")]
    {
        let Response::Continue(read) = read(line) else { panic!() };
        assert_eq!(read.as_bytes(), text);
    }
}

/// Quirk 15 (imapflow): a line that has neither `*` nor a tag.
#[test]
fn line_without_tag() {
    assert_eq!(
        read(b"Server Unavailable. 15\r\n"),
        Response::Unrecognised(b"Server Unavailable. 15"[..].into())
    );
    assert_eq!(read(b"* XLIST (\\Inbox) x\r\n"), Response::Unrecognised(b"* XLIST (\\Inbox) x"[..].into()));
    assert_eq!(read(b"*\r\n"), Response::Unrecognised(b"*"[..].into()));
}

/// FR-22, ruby/net-imap #597: Exchange puts its own words between the brackets.
#[test]
fn words_in_brackets() {
    let line = b"A1 OK [Error=\"x: y\" Auth=0 Proxy=a.b:1993:SSL] done\r\n";
    let status = status(line);
    let Some(Code::Other(raw)) = &status.code else { panic!("{status:?}") };
    assert_eq!(raw.as_bytes(), b"Error=\"x: y\" Auth=0 Proxy=a.b:1993:SSL");
    assert_eq!(status.text.as_bytes(), b"done");
    // A known name with nonsense behind it, a bracket that never closes, and brackets at the end of the text.
    for (line, code, text) in [
        ("* OK [UIDVALIDITY 0] x\r\n", true, "x"),
        ("* OK [UIDVALIDITY 4294967296] x\r\n", true, "x"),
        ("* OK [UIDNEXT] x\r\n", true, "x"),
        ("* OK [CAPABILITY {100000000}\r\n", false, "[CAPABILITY {100000000}"),
        ("* OK [] x\r\n", false, "[] x"),
        (
            "* OK Microsoft Exchange IMAP4 service ready. [UABS]\r\n",
            false,
            "Microsoft Exchange IMAP4 service ready. [UABS]",
        ),
    ] {
        let status = self::status(line.as_bytes());
        assert_eq!(matches!(status.code, Some(Code::Other(_))), code, "{line}");
        assert_eq!(status.text.as_bytes(), text.as_bytes());
    }
}

/// FR-23 and iCloud: no text; the greeting's text ends in Base64.
#[test]
fn missing_text() {
    for (line, kind, code) in [
        ("* BYE\r\n", StatusKind::Bye, None),
        ("* BYE \r\n", StatusKind::Bye, None),
        ("A1 OK\r\n", StatusKind::Ok, None),
        ("A1 OK [READ-WRITE]\r\n", StatusKind::Ok, Some(Code::ReadWrite)),
        ("* OK [ALERT] \n", StatusKind::Ok, Some(Code::Alert)),
    ] {
        let status = status(line.as_bytes());
        assert_eq!((status.kind, status.code, status.text.is_empty()), (kind, code, true), "{line}");
    }
    let ready = greeting(b"* OK The Microsoft Exchange IMAP4 service is ready. [UABSADMA]\r\n").unwrap();
    assert_eq!(ready.code, None);
    assert!(ready.text.as_bytes().ends_with(b"[UABSADMA]"));
}

/// FR-19, Domino: blanks and parentheses where none belong.
#[test]
fn blanks_and_parentheses_in_fetch() {
    for line in [
        &b"* 1 FETCH  (UID 1 FLAGS () )\r\n"[..],
        b"* 2 FETCH (UID 1 (FLAGS ()))\r\n",
        b"* 3 FETCH (UID 1 FLAGS ())  \r\n",
        b"*  4  FETCH(UID  1  FLAGS  ( ))\n",
    ] {
        assert_eq!(fetch(line), [FetchData::Uid(nz(1)), FetchData::Flags(FlagSet::new())]);
    }
    let items = fetch(
        b"* 2 FETCH (UID 14935 (ENVELOPE (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)) BODYSTRUCTURE (\"TEXT\" \"PLAIN\" \
          NIL NIL NIL \"7BIT\" 0 0 NIL))\r\n",
    );
    assert_eq!(items.len(), 3);
}

/// FR-20, Zoho: −1 where there is no number; NIL and nonsense for a date.
#[test]
fn numbers_and_dates_that_are_none() {
    let items = fetch(b"* 1 FETCH (UID 1 FLAGS () MODSEQ (-1) RFC822.SIZE -1 INTERNALDATE NIL)\r\n");
    assert_eq!(items[2..], [FetchData::ModSeq(None), FetchData::Size(None), FetchData::InternalDate(None)]);
    let items =
        fetch(b"* 1 FETCH (INTERNALDATE \"00-Xxx-2024 99:99\" ENVELOPE NIL BODYSTRUCTURE NIL UID 5)\r\n");
    assert_eq!(items[0], FetchData::InternalDate(None));
    assert_eq!(items[3], FetchData::Uid(nz(5)));
    let items = fetch(b"* 1 FETCH (INTERNALDATE \"7-Feb-1994 21:52:25 -0800\")\r\n");
    let [FetchData::InternalDate(Some(moment))] = items[..] else { panic!() };
    assert_eq!(moment.to_unix(), 760_686_745);
    let Response::MailboxStatus { data, .. } =
        read(b"* STATUS a (MESSAGES -1 UIDNEXT 0 UIDVALIDITY 0 X-GUID {3}\r\nabc UNSEEN 2)\r\n")
    else {
        panic!()
    };
    assert_eq!(data, StatusData { unseen: Some(2), ..StatusData::default() });
}

/// FR-14 and FR-15: LF alone ends a line, CR alone does not.
#[test]
fn line_ends() {
    assert_eq!(status(b"A1 OK\n").kind, StatusKind::Ok);
    assert!(greeting(b"* OK hi\n").is_ok());
    let status = status(b"* OK foo\rA BAD\r\n");
    assert_eq!(status.text.as_bytes(), b"foo?A BAD");
    let error = response(b"* OK foo", ParseLimits::DEFAULT).unwrap_err();
    assert_eq!((error.kind, error.offset), (ParseErrorKind::End, 8));
}

/// Gmail: items nobody knows keep their values; capabilities with values.
#[test]
fn gmail() {
    let line = b"* 1 FETCH (X-GM-THRID 1563190496481790748 X-GM-LABELS (\"\\\\Sent\" \\Inbox {2}\r\n)( \"a b\") UID 227195)\r\n";
    let items = fetch(line);
    let [FetchData::Other { name, .. }, FetchData::Other { value, .. }, FetchData::Uid(_)] = &items[..]
    else {
        panic!()
    };
    assert_eq!(name.as_str(), "X-GM-THRID");
    assert_eq!(value.as_bytes(), b"(\"\\\\Sent\" \\Inbox {2}\r\n)( \"a b\")");
    let Response::Capability(list) =
        read(b"* CAPABILITY IMAP4rev1 XLIST AUTH=OAUTHBEARER COMPRESS=DEFLATE APPENDLIMIT=35651584 LITERAL- {bad}\r\n")
    else {
        panic!()
    };
    assert!(list.has_auth("oauthbearer") && list.has(&Capability::CompressDeflate));
    assert!(list.has(&Capability::AppendLimit(Some(35_651_584))));
    assert!(list.has(&Capability::Other(Atom::new("xlist").unwrap())));
    assert!(!list.has(&Capability::LiteralPlus) && list.has(&Capability::LiteralMinus));
}
