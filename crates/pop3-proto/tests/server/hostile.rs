//! What hostile and broken clients send.

use postkey_pop3_proto::Security;
use wire::testkit::{self, Flooded};

use crate::app::{App, TOKEN, converse, signed_in};

fn stranger() -> App {
    App::new(Security::Tls)
}

/// Feeds octets made on the fly until the machine has had enough, and says what came of it and how much was held.
fn flood(app: &App, head: &[u8], piece: &[u8], times: usize) -> (Vec<String>, usize) {
    let Flooded { transcript, most } = testkit::flood(&mut app.start(), head, piece, times);
    (transcript, most)
}

#[test]
fn numbers_that_are_none() {
    // SV-17
    let bad = "TOP 1 -1\r\nRETR 0\r\nUIDL 999999999999\r\nRETR\r\nRETR 1 2\r\nDELE -1\r\nTOP 1\r\nLIST x\r\nRETR 1a\r\nTOP 1 4294967296\r\n";
    let (events, sent) = signed_in(&stranger(), &format!("{bad}DELE 1\r\nDELE 1\r\nRETR 4294967295\r\n"));
    let n = bad.lines().count();
    assert!(events[..n].iter().all(|e| e.starts_with("BadCommand { fault: Syntax(")), "{events:#?}");
    assert_eq!(sent[n..], ["+OK deleted", "-ERR no such message", "-ERR no such message"]);
}

#[test]
fn lines_that_are_no_commands() {
    let (events, sent) = converse(
        &stranger(),
        &[b"\r\n NOOP\r\n\x00\r\nCAPA\x00\r\nUSER a\x00b\r\nUSER \r\nPASS\r\n\xff\xfe\r\nAUTH\r\nXTND XMIT\r\nCAPA x\r\nQUIT\r\n"],
    );
    assert_eq!(sent.len(), 12, "{sent:#?}");
    assert_eq!(events.iter().filter(|e| e.contains("Syntax")).count(), 10, "{events:#?}");
    assert!(events[9].contains("Unknown { keyword: XTND, parameters: [redacted] }"));
    assert_eq!(sent[9], "-ERR Protocol error. 14");
}

#[test]
fn a_line_without_end_is_cut_off() {
    // SV-07: 10 MiB without CRLF.
    let (events, most) = flood(&stranger(), b"CAPA ", &[b'x'; 1_024], 10 << 10);
    assert_eq!(events, ["BadCommand { fault: Limit(Line), closes: true }"]);
    assert!(most < 256 << 10, "{most}");
    let (events, most) = flood(&stranger(), b"AUTH PLAIN\r\n", &[b'A'; 1_024], 10 << 10);
    assert_eq!(events[1..], ["BadCommand { fault: Limit(SaslChallenge), closes: true }"]);
    assert!(most < 512 << 10, "{most}");
}

#[test]
fn a_line_over_the_protocols_length_costs_itself_only() {
    // RFC 2449 section 4.
    let mut app = stranger();
    app.config.longest_command = 255;
    let line = |len: usize| format!("CAPA{}\r\nCAPA\r\n", " ".repeat(len - "CAPA\r\n".len()));
    assert_eq!(converse(&app, &[line(255).as_bytes()]).0[..2], ["Command(Capa)", "Command(Capa)"]);
    assert_eq!(
        converse(&app, &[line(256).as_bytes()]).0[..2],
        ["BadCommand { fault: Limit(Line), closes: false }", "Command(Capa)"]
    );
}

#[test]
fn a_stranger_may_say_only_so_much() {
    let (events, most) =
        flood(&stranger(), b"", b"XYZZY 0123456789012345678901234567890123456789\r\n", 10_000);
    assert_eq!(events.last().unwrap(), "BadCommand { fault: Limit(PreAuthTotal), closes: true }");
    assert!((1_000..2_000).contains(&events.len()), "{}", events.len());
    assert!(most < 256 << 10);
    // Somebody who is signed in is not counted.
    let (events, _) =
        flood(&stranger(), format!("USER ana\r\nPASS {TOKEN}\r\n").as_bytes(), b"NOOP\r\n", 20_000);
    assert_eq!(events.len(), 20_002);
}

#[test]
fn no_credential_shows_in_what_is_reported_about_a_broken_line() {
    for line in [
        format!("PASS {TOKEN}\r\n"),
        format!("USER ana\r\nPASS {TOKEN}\0\r\n"),
        format!("APOP ana {TOKEN}\r\n"),
        format!("AUTH PLAIN {TOKEN}!!\r\n"),
        format!("AUTH PLAIN\r\n{TOKEN}\r\n"),
        format!("AUTH {TOKEN}\r\n"),
        format!("{TOKEN}\r\n"),
        format!("XLOGIN {TOKEN}\r\n"),
    ] {
        // `converse` looks for the canary in every event and every Debug output.
        let (events, _) = converse(&stranger(), &[line.as_bytes()]);
        assert!(!events.is_empty());
    }
}

#[test]
fn a_connection_that_breaks_off_says_where() {
    for (text, end) in [
        ("", "error: Closed(Idle)"),
        ("CAP", "error: Closed(Command)"),
        ("AUTH PLAIN\r\nab", "error: Closed(SignIn)"),
        ("AUTH PLAIN\r\n", "error: Closed(SignIn)"),
    ] {
        let (events, _) = converse(&stranger(), &[text.as_bytes()]);
        assert_eq!(events.last().unwrap(), end, "{text}");
    }
    let (events, _) = signed_in(&stranger(), "DELE 1\r\n");
    assert_eq!(events.last().unwrap(), "error: Closed(Idle)", "without QUIT nothing may be deleted");
}
