//! Servers that break the rules, and servers that leave.

use crate::{EHLO, PLAIN, behind, last, message, partial, plain, saw, saw_not, sends, with, xoauth2};
use postkey_smtp_proto::testkit::{Action, ScriptedClient};
use postkey_smtp_proto::{Config, Security};
use wire::testkit::run;

#[test]
fn replies_out_of_step_end_the_connection() {
    // SM-17
    for (hello, server, verb) in [
        (PLAIN, "250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n", "Some(\"DATA\")"),
        (EHLO, "250 ok\r\n250 ok\r\n250 ok\r\n", "Some(\"DATA\")"),
        (EHLO, "354 ok\r\n", "Some(\"MAIL\")"),
        (EHLO, "250 ok\r\n235 ok\r\n", "Some(\"RCPT\")"),
    ] {
        let o = sends(hello, || vec![message(&["jones@foo.com"])], server);
        assert!(last(&o).starts_with(&format!("error: Desync {{ command: {verb}")), "{}", last(&o));
        saw_not(&o, "wants body");
    }
    // One too many behind a message: the next one is out of step, which shows before anything of it is sent.
    let two = || vec![message(&["jones@foo.com"]), message(&["jones@foo.com"])];
    let o = sends(EHLO, two, "250 a\r\n250 b\r\n354 go\r\n250 queued\r\n250 again\r\n250 a\r\n250 b\r\n");
    saw(&o, "accepted: 250 queued");
    assert!(last(&o).starts_with("error: Desync { command: Some(\"DATA\")"), "{}", last(&o));
    assert!(!o.transcript.contains(&"wants body CommandId(3)".to_owned()));
    // Unasked, in the same piece as the reply.
    let flights: Vec<&[u8]> = vec![b"220 mx\r\n", b"250 mx\r\n", b"250 ok\r\n250 ok\r\n"];
    let script = || vec![Action::Hello, Action::Noop, Action::Noop];
    let o = run(&mut ScriptedClient::new(Security::DangerousPlaintext, script()), &flights, &mut |n| n);
    assert!(last(&o).starts_with("error: Desync { command: None"), "{:#?}", o.transcript);
}

#[test]
fn a_reply_to_a_command_that_has_not_gone_out_is_no_reply() {
    // SM-17: without PIPELINING nothing but MAIL has been said when both replies come.
    for replies in ["250 ok\r\n250 ok\r\n", "250 ok\r\n550 no\r\n", "250 ok\r\n354 go\r\n"] {
        let flights: Vec<&[u8]> = vec![b"220 mx\r\n", b"250 mx\r\n", replies.as_bytes(), b"250 ok\r\n"];
        for recipients in [&["jones@foo.com"][..], &["jones@foo.com", "green@foo.com"]] {
            let script = || vec![Action::Hello, Action::Send(vec![partial(recipients)])];
            let mut client = ScriptedClient::new(Security::DangerousPlaintext, script());
            let o = run(&mut client, &flights, &mut |n| n);
            assert!(last(&o).starts_with("error: Desync { command: None"), "{:#?}", o.transcript);
            saw_not(&o, "recipient");
            assert_eq!(behind(&o), "MAIL FROM:<smith@bar.com>\r\n");
        }
    }
    // Between two recipients, and in the same piece as the last one's reply.
    for replies in ["250 jones\r\n250 again\r\n", "250 jones\r\n550 again\r\n"] {
        let flights: Vec<&[u8]> =
            vec![b"220 mx\r\n", b"250 mx\r\n", b"250 ok\r\n", replies.as_bytes(), b"250 ok\r\n"];
        let messages = || vec![partial(&["jones@foo.com", "green@foo.com"])];
        let script = || vec![Action::Hello, Action::Send(messages())];
        let mut client = ScriptedClient::new(Security::DangerousPlaintext, script());
        let o = run(&mut client, &flights, &mut |n| n);
        saw(&o, "recipient 0: 250 jones");
        assert!(last(&o).starts_with("error: Desync { command: None"), "{:#?}", o.transcript);
        saw_not(&o, "recipient 1");
    }
}

#[test]
fn replies_without_end_are_cut() {
    // SM-01, SM-02
    let script = || vec![Action::Hello];
    let make = || ScriptedClient::new(Security::DangerousPlaintext, script());
    let lines = "250-AUTH PLAIN\r\n".repeat(1_000);
    let o = run(&mut make(), &[b"220 x\r\n", lines.as_bytes()], &mut |n| n.min(1_000));
    assert_eq!(last(&o), "error: ReplyTooLong");
    let long = format!("250-{}\r\n", "x".repeat(8_000)).repeat(20);
    let o = run(&mut make(), &[b"220 x\r\n", long.as_bytes()], &mut |n| n);
    assert_eq!(last(&o), "error: ReplyTooLong");
    let line = format!("250 {}", "x".repeat(1 << 20));
    let o = run(&mut make(), &[b"220 x\r\n", line.as_bytes()], &mut |n| n.min(1_000));
    assert_eq!(last(&o), "error: Limit(Line)");
    let o = with(Config::new(Security::Tls), script, "220 x\r\n2xx ok\r\n");
    assert_eq!(last(&o), "error: Peer { rule: \"Reply-line\", found: \"2xx ok\" }");
}

#[test]
fn line_ends_of_every_kind_end_a_line() {
    // SM-16
    let o = plain("220 mx\n250-x\n250-AUTH PLAIN\r\r\n250 SIZE 1000000\n", || vec![Action::Noop], "250 ok\n");
    saw(&o, "NOOP 250 ok");
}

#[test]
fn greetings_that_are_none() {
    // SM-13
    for greeting in ["554 go away\r\n", "421 later\r\n", "250 hi\r\n", "354 go\r\n"] {
        let o = with(Config::new(Security::Tls), || vec![Action::Hello], greeting);
        assert_eq!(o.transcript.len(), 1);
        assert!(last(&o).starts_with("error: Greeting"), "{}", last(&o));
        assert!(o.sent.is_empty());
    }
    for greeting in ["* OK IMAP4rev1 ready\r\n", "HTTP/1.1 400 Bad Request\r\n\r\n", "999 x\r\n"] {
        let o = with(Config::new(Security::Tls), || vec![Action::Hello], greeting);
        assert!(last(&o).starts_with("error: NotSmtp"), "{}", last(&o));
    }
}

#[test]
fn the_service_may_close_at_any_step() {
    // SM-10
    let steps = ["250 a\r\n", "250 b\r\n", "354 go\r\n"];
    for n in 0..=steps.len() {
        let server = format!("{}421 4.3.2 bye\r\n", steps[..n].concat());
        for hello in [PLAIN, EHLO] {
            let o = sends(hello, || vec![message(&["jones@foo.com"])], &server);
            assert!(last(&o).starts_with("error: ServiceClosing"), "{n}: {:#?}", o.transcript);
            let stage = ["Sender", "Recipients", "Data", "Message"][n];
            saw(&o, &format!("rejected at {stage}: 421 4.3.2 bye"));
        }
    }
    let o = plain(EHLO, || vec![Action::Noop], "421 bye\r\n");
    saw(&o, "NOOP 421 bye");
    assert!(last(&o).starts_with("error: ServiceClosing"));
    let o = plain(EHLO, || vec![Action::Authenticate(xoauth2())], "421 bye\r\n");
    saw(&o, "AUTH 421 bye");
}
