//! APPEND: messages asked for, messages unasked, messages nobody wants.

use postkey_imap_proto::Security;
use postkey_imap_proto::server::Rush;

use crate::app::{App, converse, state_after};

#[test]
fn the_example_of_rfc_3501_section_6_3_11() {
    let message = "Date: Mon, 7 Feb 1994 21:52:25 -0800 (PST)\r\nFrom: Fred Foobar <foobar@Blurdybloop.COM>\r\n\
                   Subject: afternoon meeting\r\nTo: mooch@owatagu.siam.edu\r\nMessage-Id: <B27397-0100000@Blurdybloop.COM>\r\n\
                   MIME-Version: 1.0\r\nContent-Type: TEXT/PLAIN; CHARSET=US-ASCII\r\n\r\n\
                   Hello Joe, do you think we can meet at 3:30 tomorrow?\r\n";
    assert_eq!(message.len(), 310);
    let text = format!("A003 APPEND saved-messages (\\Seen) {{310}}\r\n{message}\r\nA4 NOOP\r\n");
    let (events, sent) = converse(&App::preauth(), &[text.as_bytes()]);
    assert_eq!(events[0], "A003 APPEND \"saved-messages\" {\\Seen} false len=310 binary=false");
    assert_eq!(events[1], format!("data:{}", message.as_bytes().escape_ascii()));
    assert_eq!(events[2], "message complete");
    assert_eq!(sent[1..], ["+ Ready for literal data", "A003 OK APPEND completed.", "A4 OK completed."]);
}

#[test]
fn an_unasked_message_is_taken_without_a_word() {
    let text = b"a APPEND INBOX \" 7-Feb-1994 21:52:25 -0800\" {5+}\r\nhello\r\nb APPEND {5+}\r\nINBOX ~{3+}\r\n\0\r\n\r\n";
    let (events, sent) = converse(&App::preauth(), &[text]);
    assert_eq!(
        events,
        [
            "a APPEND \"INBOX\" {} true len=5 binary=false",
            "data:hello",
            "message complete",
            "b APPEND \"INBOX\" {} false len=3 binary=true",
            "data:\\x00\\r\\n",
            "message complete",
            "error: Closed(Idle)"
        ]
    );
    assert_eq!(sent[1..], ["a OK APPEND completed.", "b OK APPEND completed."]);
}

#[test]
fn an_empty_message_is_a_message() {
    // SV-11
    let (events, sent) =
        converse(&App::preauth(), &[b"a APPEND INBOX {0}\r\n\r\nb APPEND INBOX {0+}\r\n\r\nc NOOP\r\n"]);
    assert_eq!(events[1], "message complete");
    assert_eq!(events[3], "message complete");
    assert_eq!(sent.last().unwrap(), "c OK completed.");
}

#[test]
fn a_refused_message_is_not_asked_for_and_an_unasked_one_is_thrown_away() {
    let app = App { willing: false, ..App::preauth() };
    let (events, sent) =
        converse(&app, &[b"a APPEND x {9}\r\nb APPEND x {10+}\r\nz LOGOUT\r\n\r\nc NOOP\r\n"]);
    assert_eq!(events.len(), 4, "{events:#?}");
    assert_eq!(
        sent[1..],
        ["a NO [TRYCREATE] no such folder", "b NO [TRYCREATE] no such folder", "c OK completed."]
    );
}

#[test]
fn a_message_can_be_refused_half_way() {
    let app = App { tired: true, ..App::preauth() };
    let (events, sent) = converse(&app, &[b"a APPEND x {20}\r\nb LOGOUT\r\nc LOGOUT\r\n\r\nd NOOP\r\n"]);
    assert_eq!(events[1..], ["enough", "d Noop", "error: Closed(Idle)"]);
    assert_eq!(sent[2..], ["a NO [OVERQUOTA] full", "d OK completed."]);
}

#[test]
fn what_is_announced_too_long_or_too_short_stays_inside_its_command() {
    // SV-11: the message is one octet longer than announced, and what is left is no end of a command.
    let (events, sent) = converse(&App::preauth(), &[b"a APPEND INBOX {4}\r\nhello\r\nb NOOP\r\n"]);
    assert_eq!(events[1..3], ["data:hell", "a bad: BehindMessage"]);
    assert_eq!(sent[2..], ["a BAD not like that", "b OK completed."]);
    // One octet shorter: the CRLF is taken for part of it.
    let (events, _) = converse(&App::preauth(), &[b"a APPEND INBOX {6}\r\nhello\r\nb NOOP\r\n"]);
    assert_eq!(events[1..], ["data:hello\\r", "message complete", "b Noop", "error: Closed(Idle)"]);
    // The connection ends inside the message.
    let (events, _) = converse(&App::preauth(), &[b"a APPEND INBOX {6}\r\nhel"]);
    assert_eq!(events[1..], ["data:hel", "error: Closed(Message)"]);
}

#[test]
fn several_messages_in_one_append_are_refused_and_swallowed() {
    // SV-11, RFC 3502
    let text = b"a APPEND INBOX {1+}\r\nx (\\Seen) {10+}\r\nz LOGOUT\r\n {2+}\r\nyy\r\nb NOOP\r\n";
    let (events, sent) = converse(&App::preauth(), &[text]);
    assert_eq!(events[1..], ["data:x", "a bad: BehindMessage", "b Noop", "error: Closed(Idle)"]);
    assert_eq!(sent[1..], ["a BAD not like that", "b OK completed."]);
    // One that waits to be asked is simply not asked for.
    let (events, sent) = converse(&App::preauth(), &[b"a APPEND INBOX {1+}\r\nx {9}\r\nb NOOP\r\n"]);
    assert_eq!(events[2..4], ["a bad: BehindMessage", "b Noop"]);
    assert_eq!(sent[1..], ["a BAD not like that", "b OK completed."]);
}

#[test]
fn a_message_beyond_the_limit_is_refused_before_it_comes() {
    let mut app = App::preauth();
    app.config.limits.body = 10;
    let (events, sent) =
        converse(&app, &[b"a APPEND x {11}\r\nb NOOP\r\nc APPEND x {18446744073709551615}\r\nd NOOP\r\n"]);
    assert_eq!(events[0], "a bad: Limit(Body)");
    assert_eq!(events[2], "c bad: Limit(Body)");
    assert_eq!(sent[4], "d OK completed.");
    // Unasked it cannot be told from commands, and is too much to throw away.
    let (events, sent) = converse(&app, &[b"a APPEND x {11+}\r\nb LOGOUT\r\nd NOOP\r\n"]);
    assert_eq!(events, ["a bad: Limit(Body) closes"]);
    assert_eq!(sent[1..], ["a BAD not like that"]);
}

#[test]
fn literals_may_come_unasked_as_far_as_has_been_agreed() {
    // SV-12, RFC 7888 section 5
    let big = |n: usize| {
        format!("a APPEND x {{{n}+}}\r\n{}\r\nb NOOP\r\n", "z LOGOUT".repeat(n / 8 + 1).split_at(n).0)
    };
    let small = App::preauth().rush(Rush::Small);
    let (events, _) = converse(&small, &[big(4096).as_bytes()]);
    assert_eq!(events[3], "b Noop");
    let (events, sent) = converse(&small, &[big(4097).as_bytes()]);
    assert_eq!(events, ["a bad: Rush closes"]);
    assert_eq!(sent[1..], ["a BAD not like that"]);
    let (events, _) = converse(&App::preauth().rush(Rush::Never), &[b"a SELECT {5+}\r\nINBOX\r\n"]);
    assert_eq!(events, ["a bad: Rush closes"]);
    let (events, _) = converse(&App::preauth().rush(Rush::Always), &[big(100_000).as_bytes()]);
    assert_eq!(events[3], "b Noop");
}

#[test]
fn a_stranger_cannot_append() {
    let app = App::new(Security::Tls);
    let (events, sent) = converse(&app, &[b"a APPEND x {5+}\r\nhello\r\nb APPEND x {9}\r\nc NOOP\r\n"]);
    assert_eq!(events[..3], ["a bad: State(NotAuthenticated)", "b bad: State(NotAuthenticated)", "c Noop"]);
    assert_eq!(sent.last().unwrap(), "c OK completed.");
    let (events, _) = converse(&app, &[b"a APPEND x {5000+}\r\nhello\r\n"]);
    assert_eq!(events, ["a bad: State(NotAuthenticated) closes"]);
    assert_eq!(state_after(&app, b"a APPEND x {5}\r\n"), postkey_imap_proto::State::NotAuthenticated);
}
