//! What hostile and broken clients send.

use postkey_imap_proto::Security;
use wire::testkit::{self, Flooded, run};

use crate::app::{App, converse};

fn stranger() -> App {
    App::new(Security::Tls)
}

/// Feeds octets made on the fly until the machine has had enough, and says what came of it and how much was held.
fn flood(app: &App, head: &[u8], piece: &[u8], times: usize) -> (Vec<String>, usize) {
    let Flooded { transcript, most } = testkit::flood(&mut app.start(), head, piece, times);
    (transcript, most)
}

#[test]
fn twenty_two_octets_do_not_allocate_400_megabytes() {
    // SV-06, greenmail#1038
    for text in ["a LOGIN {400000000}\r\n", "a LOGIN {400000000+}\r\n", "a LOGIN {18446744073709551616}\r\n"]
    {
        let (events, sent) = converse(&stranger(), &[text.as_bytes()]);
        assert_eq!(events, ["a bad: Limit(Literal) closes"], "{text}");
        assert_eq!(sent[1..], ["a BAD not like that"]);
        assert!(flood(&stranger(), text.as_bytes(), b"x", 0).1 < 256 << 10);
    }
    // Somebody who is signed in and asks politely may go on.
    let (events, _) = converse(&App::preauth(), &[b"a SELECT {400000000}\r\nb NOOP\r\n"]);
    assert_eq!(events[..2], ["a bad: Limit(Literal)", "b Noop"]);
}

#[test]
fn a_line_without_end_is_cut_off() {
    // SV-07: 10 MiB without CRLF.
    let (events, most) = flood(&stranger(), b"a NOOP ", &[b'x'; 1024], 10 << 10);
    assert_eq!(events, ["a bad: Limit(Line) closes"]);
    assert!(most < 256 << 10, "{most}");
    let (events, most) = flood(&App::preauth(), b"", &[b'x'; 1024], 10 << 10);
    assert_eq!(events, ["* bad: Limit(Line) closes"]);
    assert!(most < 512 << 10, "{most}");
}

#[test]
fn nesting_is_bounded() {
    // SV-08, CVE-2026-67194
    let nested =
        |n: usize| format!("s SELECT INBOX\r\na SEARCH {}ALL{}\r\nb NOOP\r\n", "(".repeat(n), ")".repeat(n));
    let events = |n: usize| run(&mut App::preauth().start(), &[nested(n).as_bytes()], &mut |n| n).transcript;
    assert!(events(60)[1].starts_with("a Search"), "{:?}", events(60));
    assert_eq!(events(2_500)[1..3], ["a bad: Limit(Nesting)", "b Noop"]);
    assert_eq!(events(100_000)[1], "a bad: Limit(Line) closes");
    let not = format!("s SELECT INBOX\r\na SEARCH {}ALL\r\nb NOOP\r\n", "NOT ".repeat(10_000));
    let events = run(&mut App::preauth().start(), &[not.as_bytes()], &mut |n| n).transcript;
    assert_eq!(events[2], "b Noop", "{}", events[1]);
}

#[test]
fn number_sets_are_kept_as_ranges() {
    // SV-09
    let selected = |line: &str| {
        let text = format!("s SELECT INBOX\r\na {line}\r\n");
        run(&mut App::preauth().start(), &[text.as_bytes()], &mut |n| n).transcript[1].clone()
    };
    assert!(selected("UID FETCH 1:4294967295 FLAGS").starts_with("a Fetch"));
    assert!(selected("UID FETCH *:1 FLAGS").starts_with("a Fetch"));
    assert!(selected("UID FETCH 0 FLAGS").starts_with("a bad: Syntax"));
    assert!(selected("UID FETCH 4294967296 FLAGS").starts_with("a bad: Syntax"));
    let many: Vec<String> = (1..=10_000).map(|n| (2 * n).to_string()).collect();
    assert!(selected(&format!("UID FETCH {} FLAGS", many.join(","))).starts_with("a Fetch"));
    let too_many: Vec<String> = (1..=100_000).map(|n| (2 * n).to_string()).collect();
    assert_eq!(selected(&format!("UID FETCH {} FLAGS", too_many.join(","))), "a bad: Limit(Line) closes");
}

#[test]
fn patterns_sections_and_partials_at_their_extremes() {
    // SV-10, SV-15
    let one = |line: &str| {
        let text = format!("s SELECT INBOX\r\na {line}\r\nb NOOP\r\n");
        let events = run(&mut App::preauth().start(), &[text.as_bytes()], &mut |n| n).transcript;
        assert_eq!(events[2], "b Noop", "{line:.60}");
        events[1].clone()
    };
    assert!(one(&format!("LIST \"\" {}", "%*".repeat(1_000))).starts_with("a List"));
    one(&format!("FETCH 1 BODY[{}1]", "1.".repeat(10_000)));
    assert!(one("FETCH 1 BODY[]<0.0>").starts_with("a bad: Syntax"));
    assert!(one("FETCH 1 BODY[]<4294967295.1>").starts_with("a Fetch"));
    assert!(one("FETCH 1 BODY[]<4294967296.1>").starts_with("a bad: Syntax"));
}

#[test]
fn tags_that_are_none() {
    // SV-13
    let (events, sent) = converse(
        &App::preauth(),
        &[b"* NOOP\r\n+ NOOP\r\n NOOP\r\n\r\nJustTag\r\na+b NOOP\r\nNOOP\r\n\xff\xfe x\r\nz NOOP\r\n"],
    );
    assert_eq!(events[..8], ["* bad: Tag"; 8].map(String::from));
    assert_eq!(events[8], "z Noop");
    assert_eq!(sent[1..9], ["* BAD not like that"; 8].map(String::from));
    let tag = |n: usize| {
        let text = format!("{} NOOP\r\nz NOOP\r\n", "t".repeat(n));
        run(&mut App::preauth().start(), &[text.as_bytes()], &mut |n| n).transcript
    };
    assert!(tag(255)[0].ends_with("t Noop"));
    assert_eq!(tag(256)[..2], ["* bad: Tag", "z Noop"]);
    assert_eq!(tag(256 << 10), ["* bad: Limit(Line) closes"]);
}

#[test]
fn a_stranger_may_say_only_so_much() {
    let (events, most) =
        flood(&stranger(), b"", b"a XYZZY 0123456789012345678901234567890123456789\r\n", 10_000);
    assert_eq!(events.last().unwrap(), "a bad: Limit(PreAuthTotal) closes");
    assert!((1_000..2_000).contains(&events.len()), "{}", events.len());
    assert!(most < 256 << 10);
    // Nonsense counts like sense.
    let (events, _) = flood(&stranger(), b"", b"\x00\r\n", 100_000);
    assert_eq!(events.last().unwrap(), "* bad: Limit(PreAuthTotal) closes");
    // Somebody who is signed in is not counted.
    let (events, _) = flood(&App::preauth(), b"", b"a NOOP\r\n", 20_000);
    assert_eq!(events.len(), 20_000);
}

#[test]
fn the_longest_command_that_the_limits_allow_fits_the_buffer_it_is_given() {
    let limits = App::preauth().config.limits;
    let literal = limits.literal as usize - 1;
    let head = format!("a SEARCH TEXT {{{literal}+}}\r\n{} TEXT {{1+}}\r\nx UID ", "y".repeat(literal));
    let rest = limits.line - (head.len() - literal - 1) - "\r\n".len();
    let numbers = "1,".repeat(rest / 2) + &"1".repeat(rest % 2);
    let line = head
        + numbers.trim_end_matches(',')
        + &" ".repeat(numbers.len() - numbers.trim_end_matches(',').len());
    let (events, _) = flood(&App::preauth(), b"s SELECT INBOX\r\n", format!("{line}\r\n").as_bytes(), 1);
    assert!(events[1].starts_with("a ") && !events[1].contains("Limit"), "{:.80}", events[1]);
    let (events, _) = flood(&App::preauth(), b"s SELECT INBOX\r\n", format!("{line} \r\n").as_bytes(), 1);
    assert_eq!(events[1], "a bad: Limit(Line) closes");
}

#[test]
fn many_small_literals_are_too_many() {
    let mut app = App::preauth();
    app.config.limits.literals = 100;
    let (events, most) = flood(&app, b"a SEARCH", b" {1+}\r\nx", 1_000);
    assert_eq!(events, ["a bad: Limit(Literals) closes"]);
    assert!(most < 256 << 10);
    // Their octets count together.
    app.config.limits.literal = 1_000;
    let (events, _) = flood(&app, b"a SEARCH", b" {20+}\r\n01234567890123456789", 1_000);
    assert_eq!(events, ["a bad: Limit(Literal) closes"]);
}

#[test]
fn no_credential_shows_in_what_is_reported_about_a_broken_line() {
    let canary = crate::app::TOKEN;
    for line in [
        format!("a LOGIN ana {canary} {canary}\r\n"),
        format!("a LOGIN \"ana\" \"{canary}\r\n"),
        format!("a AUTHENTICATE PLAIN {canary}!!\r\n"),
        format!("a AUTHENTICATE PLAIN\r\n{canary}\r\n"),
        format!("{canary}\r\n"),
        format!("a XLOGIN {canary}\r\n"),
    ] {
        // `converse` looks for the canary in every event and every Debug output.
        let (events, _) = converse(&stranger(), &[line.as_bytes()]);
        assert!(!events.is_empty());
    }
}

#[test]
fn a_connection_that_breaks_off_inside_a_command_says_so() {
    for (text, end) in [
        ("", "error: Closed(Idle)"),
        ("a NOO", "error: Closed(Command)"),
        ("a LOGIN {5}\r\nab", "error: Closed(Command)"),
        ("a AUTHENTICATE PLAIN\r\nab", "error: Closed(SignIn)"),
    ] {
        let (events, _) = converse(&stranger(), &[text.as_bytes()]);
        assert_eq!(events.last().unwrap(), end, "{text}");
    }
}
