//! Messages by DATA and BDAT, in SMTP and LMTP.

use crate::{BEGIN, accepted, app, codes, converse, expect, lmtp};
use postkey_smtp_proto::Dialect;
use postkey_smtp_proto::server::Newlines;
use postkey_smtp_proto::testkit::App;
use wire::Need;
use wire::testkit::check;

#[test]
fn only_crlf_dot_crlf_ends_a_message() {
    // SV-18: whatever somebody else might take for an end must not be one here, and must not go through.
    for end in
        ["\n.\n", "\n.\r\n", "\r.\r", "\r\n.\n", "\r\n.\r", "\r.\r\n", "\n.\r", "\r\n\0.\r\n", "\r\n.\r\r\n"]
    {
        let smuggled = format!(
            "x{end}MAIL FROM:<admin@foo.com>\r\nRCPT TO:<b@foo.com>\r\nDATA\r\nevil\r\n.\r\nQUIT\r\n"
        );
        for app in [app(), lmtp()] {
            let hello =
                BEGIN.replace("EHLO", if app.config.dialect == Dialect::Lmtp { "LHLO" } else { "EHLO" });
            let flights = [hello.as_bytes(), b"DATA\r\n", smuggled.as_bytes()];
            let (messages, o) = accepted(&app, &flights);
            let mails = o.transcript.iter().filter(|l| l.starts_with("Mail")).count();
            assert_eq!(mails, 1, "{end:?} ended the message: {:#?}", o.transcript);
            if end.contains('\0') {
                assert_eq!(messages.len(), 1);
            } else {
                assert!(messages.is_empty(), "{end:?} went through");
                assert!(codes(&o).contains(&"550 5.6.11".to_owned()), "{:?}", codes(&o));
            }
        }
    }
    // An application that passes nothing on may look at it.
    let mut keeps = app();
    keeps.config.newlines = Newlines::Keep;
    let (messages, _) = accepted(&keeps, &[BEGIN.as_bytes(), b"DATA\r\n", b"a\n.\nb\r.\rc\r\n.\r\n"]);
    assert_eq!(messages, [b"a\n.\nb\r.\rc\r\n"]);
}

#[test]
fn nothing_is_read_behind_data_before_it_is_asked_for() {
    // SV-18: the message would be read as commands.
    for behind in ["x\r\n.\r\nQUIT\r\n", ".", "MAIL FROM:<admin@foo.com>\r\n"] {
        let flight = format!("{BEGIN}DATA\r\n{behind}");
        let (messages, o) = accepted(&app(), &[flight.as_bytes()]);
        assert_eq!(codes(&o).last().unwrap(), "503 5.5.0");
        assert_eq!(o.end, Need::Close);
        assert!(messages.is_empty());
    }
}

#[test]
fn sizes_are_kept() {
    let mut small = app();
    small.extensions = vec!["SIZE 10", "CHUNKING", "BINARYMIME"];
    expect(
        &small,
        "EHLO x\r\nMAIL FROM:<a@b> SIZE=11\r\nMAIL FROM:<a@b> SIZE=10\r\n",
        &["250", "552 5.3.4", "250"],
    );
    let begin = "EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n";
    let fits = format!("{begin}DATA\r\n12345678\r\n.\r\nNOOP\r\n");
    expect(&small, &fits, &["250", "250", "250", "354", "250", "250"]);
    let large = format!("{begin}DATA\r\n123456789\r\n.\r\nNOOP\r\n");
    let o = converse(&small, &large);
    assert!(
        o.transcript.contains(&"BodyEnd { octets: 11, fault: Some(TooLarge) }".to_owned()),
        "{:#?}",
        o.transcript
    );
    assert!(o.transcript.contains(&"data:123456789\\r".to_owned()), "no more than fits is handed over");
    let chunks = format!("{begin}BDAT 6\r\n12345\r\nBDAT 0\r\nNOOP\r\n").replace("12345\r\n", "1234\r\n");
    expect(&small, &chunks, &["250", "250", "250", "250", "250", "250"]);
    // More in one chunk than a message may have: it is not even read.
    let huge = format!("{begin}RSET\r\nBDAT 99999999999\r\n");
    let o = expect(&small, &huge, &["250", "250", "250", "250", "503"]);
    assert_eq!(o.end, Need::Close);
}

#[test]
fn chunks_make_a_message() {
    // RFC 3030 section 4.2; the border may be anywhere, between CR and LF for example.
    let (messages, o) = accepted(
        &app(),
        &[BEGIN.as_bytes(), b"BDAT 4\r\nab\r\rBDAT 0\r\nBDAT 2\r\n\nc", b"BDAT 2 LAST\r\n\r\nNOOP\r\n"],
    );
    assert!(messages.is_empty(), "a bare CR");
    assert_eq!(codes(&o)[3..], ["550 5.6.11", "503 5.5.1", "503 5.5.1", "503 5.5.1", "250 2.0.0"]);
    let client = format!("{BEGIN}BDAT 3\r\nab\rBDAT 0\r\nBDAT 2\r\n\ncBDAT 2 LAST\r\n\r\nNOOP\r\n");
    let (messages, o) = accepted(&app(), &[client.as_bytes()]);
    assert_eq!(messages, [b"ab\r\nc\r\n"]);
    assert_eq!(codes(&o).len(), 8);
    for (chunks, fault) in [
        ("BDAT 1\r\n\rBDAT 1 LAST\r\nx", true),
        ("BDAT 1 LAST\r\n\r", true),
        ("BDAT 1\r\n\rBDAT 0 LAST\r\n", true),
        ("BDAT 0 LAST\r\n", false),
        ("BDAT 1 LAST\r\n\n", true),
        ("BDAT 5 LAST\r\n.\r\n.\r", true),
        ("BDAT 6 LAST\r\n.\r\n.\r\n", false),
    ] {
        let client = format!("{BEGIN}{chunks}");
        let flights = [client.as_bytes()];
        let o = check(|| app().start(), &flights, &[]);
        assert_eq!(codes(&o).last().unwrap(), if fault { "550 5.6.11" } else { "250 2.0.0" }, "{chunks:?}");
        assert_eq!(accepted(&app(), &flights).0.len(), usize::from(!fault));
    }
    // BINARYMIME takes anything, by BDAT only.
    let begin = BEGIN.replace("bar.com>\r\nRCPT", "bar.com> BODY=BINARYMIME\r\nRCPT");
    let client = format!("{begin}DATA\r\n");
    expect(&app(), &client, &["250", "250", "250", "503"]);
    let (messages, _) = accepted(&app(), &[begin.as_bytes(), b"BDAT 4 LAST\r\n\r\0\n\r"]);
    assert_eq!(messages, [b"\r\0\n\r"]);
    // An application that wants no more.
    let unwilling = App { unwilling: true, ..app() };
    let o = converse(&unwilling, "EHLO x\r\nMAIL FROM:<a@b>\r\nBDAT 4\r\nab\r\nNOOP\r\n");
    assert_eq!(
        codes(&o)[1..],
        ["451 4.3.0", "503 5.5.1", "250 2.0.0"],
        "what belongs to a chunk is no command"
    );
    // DATA and BDAT do not mix.
    let client = format!("{BEGIN}BDAT 2\r\n\r\nDATA\r\nMAIL FROM:<a@b>\r\nRSET\r\nMAIL FROM:<a@b>\r\n");
    expect(&app(), &client, &["250", "250", "250", "250", "503", "503", "250", "250"]);
}

#[test]
fn lmtp_replies_for_each_recipient() {
    // RFC 2033 section 4.2
    let client = "LHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<one@d>\r\nRCPT TO:<nobody@d>\r\nRCPT TO:<full@d>\r\nDATA\r\nx\r\n.\r\n\
        MAIL FROM:<a@b>\r\nRCPT TO:<one@d>\r\nBDAT 2 LAST\r\n\r\nQUIT\r\n";
    let o = converse(&lmtp(), client);
    let rest = [
        "250 2.1.0",
        "250 2.1.5",
        "550 5.1.1",
        "250 2.1.5",
        "354 go",
        "250 2.0.0",
        "452 4.2.2",
        "250 2.1.0",
        "250 2.1.5",
        "250 2.0.0",
        "221 2.0.0",
    ];
    assert_eq!(codes(&o)[1..], rest);
    // A message that cannot be accepted is refused for everyone.
    let client = "LHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<one@d>\r\nRCPT TO:<two@d>\r\nDATA\r\nx\n.\r\n\r\n.\r\nNOOP\r\n";
    assert_eq!(codes(&converse(&lmtp(), client))[5..], ["550 5.6.11", "550 5.6.11", "250 2.0.0"]);
}
