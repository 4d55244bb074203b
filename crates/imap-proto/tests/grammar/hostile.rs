//! What a hostile peer can do to the grammar, by the ids of the hostile cases.

use postkey_imap_proto::grammar::{
    Encoder, FetchStep, ParseErrorKind, ParseLimits, SearchNumbers, command, fetch_item, fetch_prefix,
    greeting, response, write_response,
};
use postkey_imap_proto::types::*;

fn error_of(line: &[u8]) -> ParseErrorKind {
    match response(line, ParseLimits::DEFAULT) {
        Ok(value) => panic!("{value:?}"),
        Err(error) => {
            assert!(error.offset <= line.len());
            error.kind
        }
    }
}

/// MEM-02, MEM-03, MEM-04: lengths that cannot be.
#[test]
fn literal_lengths() {
    assert_eq!(
        error_of(b"* 1 FETCH (BODY[] {99999999999999999999999}\r\nzz"),
        ParseErrorKind::NumberOutOfRange
    );
    assert_eq!(error_of(b"* 1 FETCH (BODY[] {-1}\r\n)\r\n"), ParseErrorKind::Syntax);
    assert_eq!(error_of(b"* 1 FETCH (BODY[] {18446744073709551615}\r\nxx)\r\n"), ParseErrorKind::End);
    let (_, rest) = fetch_prefix(b"* 1 FETCH (BODY[] {18446744073709551615}\r\n").unwrap();
    let (step, _) = fetch_item(rest, ParseLimits::DEFAULT).unwrap();
    assert!(matches!(step, FetchStep::Body { len: u64::MAX, .. }), "the length is the framing's to refuse");
}

/// MEM-10: a literal where no string may stand.
#[test]
fn literals_in_flags() {
    let line = [&b"* 1 FETCH (UID 1 FLAGS ("[..], &b"{1}\r\nx ".repeat(1000), b"))\r\n"].concat();
    assert_eq!(error_of(&line), ParseErrorKind::Syntax);
}

/// MEM-11, MEM-12: nesting ends in a typed error, whatever the limit is set to, on a small stack.
#[test]
fn nesting() {
    let parens = [&b"* 1 FETCH (BODYSTRUCTURE "[..], &b"(".repeat(100_000), b"\r\n"].concat();
    assert_eq!(error_of(&parens), ParseErrorKind::NestingTooDeep { limit: 64 });
    let unknown = [&b"* 1 FETCH (X-Y "[..], &b"(".repeat(100_000), b"\r\n"].concat();
    assert_eq!(error_of(&unknown), ParseErrorKind::NestingTooDeep { limit: 64 });

    let leaf = "(\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 1 1)";
    let multiparts = move |n: usize| {
        format!("* 1 FETCH (UID 1 BODYSTRUCTURE {}{leaf}{})\r\n", "(".repeat(n), " \"MIXED\")".repeat(n))
            .into_bytes()
    };
    let messages = move |n: usize| {
        let open =
            "(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 1 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) ";
        format!("* 1 FETCH (BODYSTRUCTURE {}{leaf}{})\r\n", open.repeat(n), " 1)".repeat(n)).into_bytes()
    };
    let nots = |n: usize| format!("A SEARCH {}ALL\r\n", "NOT ".repeat(n)).into_bytes();
    let ors = |n: usize| format!("A SEARCH {}ALL{}\r\n", "OR (".repeat(n), ") ALL".repeat(n)).into_bytes();
    let deep = move |n: usize| {
        let limits = ParseLimits { depth: n };
        let too_deep = |e: postkey_imap_proto::grammar::ParseError| {
            matches!(e.kind, ParseErrorKind::NestingTooDeep { .. })
        };
        assert!(response(&multiparts(5000), limits).is_err_and(too_deep));
        assert!(response(&messages(5000), limits).is_err_and(too_deep));
        assert!(command(&nots(5000), limits).is_err_and(|e| too_deep(e.error)));
        assert!(command(&ors(5000), limits).is_err_and(|e| too_deep(e.error)));
    };
    deep(64);
    deep(0);
    // Whatever the setting says: what may be as deep as it goes is read, written and dropped on half of the stack
    // that threads usually get.
    let small = std::thread::Builder::new().stack_size(1024 * 1024).spawn(move || {
        deep(usize::MAX);
        let limits = ParseLimits { depth: usize::MAX };
        for line in [multiparts(ParseLimits::MAX_DEPTH - 1), messages(ParseLimits::MAX_DEPTH - 1)] {
            let value = response(&line, limits).unwrap();
            let mut e = Encoder::new();
            write_response(&value, &mut e).unwrap();
            assert_eq!(response(&e.into_wire(), limits).unwrap(), value.clone().into_owned());
        }
        assert!(command(&nots(ParseLimits::MAX_DEPTH), limits).is_ok());
        assert!(command(&ors(ParseLimits::MAX_DEPTH / 2), limits).is_ok());
    });
    small.unwrap().join().unwrap();
}

/// What is a few octets on the wire and hundreds in memory is counted: 16 MiB of a FETCH line may not become gigabytes.
#[test]
fn elements() {
    let many = |before: &str, element: &str, after: &str| {
        let n = ParseLimits::MAX_ITEMS + 1;
        [before.as_bytes(), element.repeat(n).as_bytes(), after.as_bytes(), b"\r\n"].concat()
    };
    for line in [
        many("* 1 FETCH (BODYSTRUCTURE (", "(\"\")", " \"MIXED\"))"),
        many("* 1 FETCH (BODYSTRUCTURE (\"a\" \"b\" (", "\"\"\"\"", ")))"),
        many("* 1 FETCH (ENVELOPE (NIL NIL (", "(NIL NIL NIL NIL)", ") NIL NIL NIL NIL NIL NIL NIL))"),
        many("* 1 FETCH (FLAGS (", "a ", "))"),
        many("* 1 FETCH (", "UID 1 ", ")"),
        many("* 1 FETCH (BODY[HEADER.FIELDS (", "a ", ")] NIL)"),
        many("* CAPABILITY", " X", ""),
        many("* LIST (", "\\X ", ") NIL a"),
        many("* ID (", "\"\" NIL ", ")"),
        many("* NAMESPACE (", "(\"\" NIL)", ") NIL NIL"),
    ] {
        let limit = ParseLimits::MAX_ITEMS;
        assert_eq!(error_of(&line), ParseErrorKind::TooManyItems { limit }, "{}", line[..40].escape_ascii());
    }
    for line in [
        many("A SEARCH ALL", " ALL", ""),
        many("A FETCH 1 (UID", " UID", ")"),
        many("A STORE 1 FLAGS (", "a ", ")"),
    ] {
        let error = command(&line, ParseLimits::DEFAULT).unwrap_err().error;
        assert!(matches!(error.kind, ParseErrorKind::TooManyItems { .. }), "{error}");
    }
    // In a response code it is only a code nobody knows.
    let line = many("A OK [CAPABILITY", " X", "] done");
    let Ok(Response::Status(status)) = response(&line, ParseLimits::DEFAULT) else { panic!() };
    assert!(matches!(status.code, Some(Code::Other(_))));
}

/// MEM-14: a SEARCH of two million numbers needs no memory to walk; MEM-15: EXISTS is only a number.
#[test]
fn many_numbers() {
    let piece = b" 1234567".repeat(2_000_000);
    let mut sum = 0u64;
    for part in SearchNumbers::new(&piece) {
        match part.unwrap() {
            postkey_imap_proto::grammar::SearchPart::Number(n) => sum += u64::from(n.get()),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(sum, 1_234_567 * 2_000_000);
    assert_eq!(response(b"* 4294967295 EXISTS\r\n", ParseLimits::DEFAULT), Ok(Response::Exists(u32::MAX)));
    for bad in [
        &b"* SEARCH 0\r\n"[..],
        b"* SEARCH 4294967296\r\n",
        b"* SEARCH 1,2\r\n",
        b"* SEARCH 1 x\r\n",
        b"* SEARCHX\r\n",
    ] {
        if let Ok(value) = response(bad, ParseLimits::DEFAULT) {
            assert!(matches!(value, Response::Unrecognised(_)), "{value:?}");
        }
    }
}

/// MEM-20: a literal8 only where RFC 3516 has one.
#[test]
fn literal8() {
    assert_eq!(error_of(b"* 1 FETCH (BODY[] ~{5}\r\nhello)\r\n"), ParseErrorKind::Syntax);
    let Ok(Response::Fetch(fetch)) =
        response(b"* 1 FETCH (BINARY[1] ~{3}\r\na\0b)\r\n", ParseLimits::DEFAULT)
    else {
        panic!()
    };
    let [FetchData::Body { data: Some(data), .. }] = &fetch.items[..] else { panic!() };
    assert_eq!(&data[..], b"a\0b");
}

/// FR-02: a literal announced too long eats the end of the response; that must not pass for an end.
#[test]
fn end_eaten_by_a_literal() {
    assert!(response(b"* 1 FETCH (UID 1 BODY[] {4}\r\nab)\r\n", ParseLimits::DEFAULT).is_err());
    assert_eq!(error_of(b"* 1 FETCH (UID 1\r\n"), ParseErrorKind::Syntax);
    assert!(fetch_item(b"\r\n", ParseLimits::DEFAULT).is_err());
    assert_eq!(fetch_item(b")\r\n", ParseLimits::DEFAULT), Ok((FetchStep::End, &b""[..])));
    assert_eq!(fetch_item(b"", ParseLimits::DEFAULT).unwrap_err().kind, ParseErrorKind::End);
}

/// FR-03, FR-04, FR-06: what looks like responses inside a literal; an empty literal; NIL.
#[test]
fn bodies() {
    let line = b"* 1 FETCH (BODY[] {27}\r\n* 99 EXPUNGE\r\nA1 OK x\r\n)))) UID 7)\r\n";
    let Ok(Response::Fetch(fetch)) = response(line, ParseLimits::DEFAULT) else { panic!() };
    let [FetchData::Body { data: Some(data), .. }, FetchData::Uid(_)] = &fetch.items[..] else { panic!() };
    assert_eq!(&data[..], b"* 99 EXPUNGE\r\nA1 OK x\r\n))))");
    let data = |line: &'static [u8]| match response(line, ParseLimits::DEFAULT) {
        Ok(Response::Fetch(fetch)) => match fetch.items.into_iter().next() {
            Some(FetchData::Body { data, .. }) => data,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    assert_eq!(data(b"* 1 FETCH (BODY[] {0}\r\n)\r\n"), Some(b""[..].into()));
    assert_eq!(data(b"* 1 FETCH (BODY[] NIL)\r\n"), None);
}

/// FR-16: NUL in a name or string is no name; in text it is shown.
#[test]
fn nul() {
    assert_eq!(error_of(b"* LIST () \"/\" \"IN\0BOX\"\r\n"), ParseErrorKind::Syntax);
    assert_eq!(error_of(b"* LIST () \"/\" IN\0BOX\r\n"), ParseErrorKind::Trailing);
    assert_eq!(error_of(b"* LIST () \"/\" {3}\r\na\0b\r\n"), ParseErrorKind::Syntax);
    assert_eq!(error_of(b"* LIST () \"/\" {4}\r\na\r\nb\r\n"), ParseErrorKind::Syntax);
    let Ok(Response::Status(status)) = response(b"* OK a\0b\r\n", ParseLimits::DEFAULT) else { panic!() };
    assert_eq!(status.text.as_bytes(), b"a?b");
}

/// IS-05: a peer that is no IMAP server.
#[test]
fn greeting_of_another_protocol() {
    for line in [
        &b"HTTP/1.1 400 Bad Request\r\n"[..],
        b"+OK POP3\r\n",
        b"220 smtp\r\n",
        b"* NO\r\n",
        b"* OKAY\r\n",
        b"A OK\r\n",
        b"",
    ] {
        assert_eq!(greeting(line).unwrap_err().rule, "greeting");
    }
}

/// IS-10, IS-19: numbers that may not be zero.
#[test]
fn zeroes() {
    assert_eq!(error_of(b"* 0 EXPUNGE\r\n"), ParseErrorKind::NumberOutOfRange);
    assert_eq!(error_of(b"* 0 FETCH (FLAGS ())\r\n"), ParseErrorKind::NumberOutOfRange);
    assert_eq!(fetch_prefix(b"* 0 FETCH (FLAGS ())\r\n").unwrap_err().kind, ParseErrorKind::NumberOutOfRange);
    assert_eq!(error_of(b"* 1 FETCH (UID 0)\r\n"), ParseErrorKind::NumberOutOfRange);
    assert_eq!(error_of(b"* 4294967296 EXISTS\r\n"), ParseErrorKind::NumberOutOfRange);
    assert!(matches!(response(b"* 4294967295 EXPUNGE\r\n", ParseLimits::DEFAULT), Ok(Response::Expunge(_))));
}

/// FS-01, FS-04: names are told as they are; what they mean to a file system is not decided here.
#[test]
fn names_are_kept() {
    for name in ["../../../etc/cron.d/x", "..", "&", "&A", "&!!!-", "&2AA-", "&AGE-", "&&-", "con"] {
        let line = format!("* LIST () \"/\" {name}\r\n");
        let Ok(Response::List(entry)) = response(line.as_bytes(), ParseLimits::DEFAULT) else {
            panic!("{name}")
        };
        assert_eq!(entry.mailbox.as_bytes(), name.as_bytes());
        assert_eq!(entry.mailbox.decoded().is_none(), name.starts_with('&'));
    }
}

/// FS-02: the delimiter is one 7-bit character, or none.
#[test]
fn delimiters() {
    let delimiter = |d: &str| match response(format!("* LIST () {d} a\r\n").as_bytes(), ParseLimits::DEFAULT)
    {
        Ok(Response::List(entry)) => Some(entry.delimiter.map(Delimiter::as_char)),
        _ => None,
    };
    assert_eq!(delimiter("\"\\\\\""), Some(Some('\\')));
    assert_eq!(delimiter("NIL"), Some(None));
    assert_eq!(delimiter("\"\""), Some(None));
    assert_eq!(delimiter("\"//\""), None);
    assert_eq!(delimiter("\"→\""), None);
}

/// An error says where and what, never which octets.
#[test]
fn errors_show_no_input() {
    let error = response(b"* LIST (hunter2) \"/\" x\r\n", ParseLimits::DEFAULT).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"));
    assert_eq!((error.rule, error.offset), ("mbx-list-flags", 8));
    let error = command(b"A LOGIN hunter2\r\n", ParseLimits::DEFAULT).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}
