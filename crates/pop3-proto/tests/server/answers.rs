//! What each command is answered with, and what an application may say when.

use postkey_pop3_proto::server::Event;
use postkey_pop3_proto::types::{Code, Entry, Reply, ScanListing};
use postkey_pop3_proto::{Misuse, Security, State};
use std::num::NonZeroU32;
use wire::dot::BareNewline;
use wire::{InBuf, Machine as _, Need, Tick};

use crate::app::{App, DIGEST, TOKEN, converse, signed_in};

fn app() -> App {
    App::new(Security::Tls)
}

#[test]
fn the_commands_of_rfc_1939() {
    let (_, sent) = signed_in(
        &app(),
        "STAT\r\nLIST\r\nlist 2\r\nUIDL\r\nUIDL 1\r\nRETR 1\r\nTOP 2 0\r\nDELE 1\r\nDELE 1\r\nSTAT\r\nLIST\r\nRSET\r\nSTAT\r\nNOOP\r\nQUIT\r\n",
    );
    assert_eq!(
        sent,
        [
            "+OK 2 47",
            "+OK lines follow",
            "1 21",
            "2 26",
            ".",
            "+OK 2 26",
            "+OK lines follow",
            "1 uid-0",
            "2 uid-1",
            ".",
            "+OK 1 uid-0",
            "+OK message follows",
            "From: ana@x",
            "",
            "..one",
            ".",
            "+OK message follows",
            "Subject: two",
            "",
            "..",
            "...",
            "end",
            ".",
            "+OK deleted",
            "-ERR no such message",
            "+OK 1 26",
            "+OK lines follow",
            "2 26",
            ".",
            "+OK all back",
            "+OK 2 47",
            "+OK done",
            "+OK signing off",
        ]
    );
}

#[test]
fn the_extensions() {
    let (_, sent) = converse(&app(), &[b"CAPA\r\nUTF8\r\nLANG\r\nLANG *\r\nLANG de\r\nQUIT\r\n"]);
    assert_eq!(
        sent,
        [
            "+OK lines follow",
            "USER",
            "UIDL",
            "SASL XOAUTH2 OAUTHBEARER PLAIN LOGIN",
            "PIPELINING",
            ".",
            "+OK done",
            "+OK lines follow",
            "en x y",
            "de x y",
            ".",
            "+OK done",
            "+OK de chosen",
            "+OK signing off",
        ]
    );
}

#[test]
fn apop_signs_in_with_the_digest_of_rfc_1939() {
    let text =
        format!("APOP mrose 00000000000000000000000000000000\r\nSTAT\r\nAPOP mrose {DIGEST}\r\nSTAT\r\n");
    let (events, sent) = converse(&app(), &[text.as_bytes()]);
    assert_eq!(sent, ["-ERR no", "-ERR not like that", "+OK done", "+OK 2 47"]);
    assert!(events[0].contains("Apop { name: \"mrose\", digest: [redacted] }"), "{}", events[0]);
}

#[test]
fn pass_is_only_good_right_behind_an_accepted_user() {
    let pass = format!("PASS {TOKEN}\r\n");
    for before in ["", "USER ana\r\nCAPA\r\n", "USER ana\r\nNONSENSE-THAT-IS-LONG\r\n", "USER\r\n"] {
        let (events, sent) = converse(&app(), &[format!("{before}{pass}STAT\r\n").as_bytes()]);
        assert_eq!(sent.last().unwrap(), "-ERR not like that", "{before}");
        assert!(!events.iter().any(|e| e.starts_with("Login")), "{before}: {events:#?}");
    }
    // A password that was wrong takes the name with it.
    let (events, _) = converse(&app(), &[format!("USER ana\r\nPASS wrong\r\n{pass}").as_bytes()]);
    assert!(events[2].contains("BadCommand { fault: State(Authorization)"), "{events:#?}");
    // Spaces belong to the password.
    let (_, sent) = converse(&app(), &[format!("USER ana\r\nPASS {TOKEN} \r\n").as_bytes()]);
    assert_eq!(sent[1], "-ERR [AUTH] no");
}

#[test]
fn every_command_has_its_state() {
    let (events, _) = converse(
        &app(),
        &[b"STAT\r\nLIST\r\nUIDL\r\nRETR 1\r\nTOP 1 1\r\nDELE 1\r\nNOOP\r\nRSET\r\nSTLS\r\n"],
    );
    assert!(events[..9].iter().all(|e| e.contains("State(Authorization)")), "{events:#?}");
    let text =
        format!("USER ana\r\nPASS x\r\nAPOP ana {DIGEST}\r\nAUTH PLAIN\r\nSTLS\r\nUTF8\r\nCAPA\r\nLANG\r\n");
    let (events, _) = signed_in(&app(), &text);
    assert!(events[..6].iter().all(|e| e.contains("State(Transaction)")), "{events:#?}");
    assert!(events[6].starts_with("Command(Capa)") && events[7].starts_with("Command(Lang"));
}

/// A server that has just told its application of a command.
fn asked(command: &str) -> (postkey_pop3_proto::Server, InBuf) {
    let mut running = app().start();
    let mut input = InBuf::new(1 << 16);
    let mut transcript = vec![];
    input.extend(format!("USER ana\r\nPASS {TOKEN}\r\n").as_bytes());
    loop {
        use wire::testkit::Subject as _;
        match running.server.advance(&mut input, Tick::ZERO) {
            Need::Event => running.event(&input, &mut transcript),
            Need::App => assert!(running.app(&mut transcript)),
            _ => break,
        }
    }
    input.extend(command.as_bytes());
    assert_eq!(running.server.advance(&mut input, Tick::ZERO), Need::Event);
    assert!(matches!(running.server.event(), Some(Ok(Event::Command(_)))));
    let n = running.server.output().len();
    running.server.output().sent(n);
    (running.server, input)
}

#[test]
fn lines_and_messages_have_their_place() {
    let ok = Reply::ok("x").unwrap();
    let scan = Entry::Scan(ScanListing { number: NonZeroU32::MIN, octets: 7 });
    let (mut server, _) = asked("RETR 1\r\n");
    assert_eq!(server.greet(&ok), Err(Misuse::State));
    assert_eq!(server.complete(&ok), Err(Misuse::State), "a message has to follow");
    assert_eq!(server.write_body(b"x"), Err(Misuse::NoBody));
    assert_eq!(server.start(&Reply::err("no").unwrap()), Err(Misuse::State));
    server.start(&ok).unwrap();
    assert_eq!(server.entry(&scan), Err(Misuse::State));
    assert_eq!(server.complete(&ok), Err(Misuse::State));
    assert_eq!(server.write_body(b"x"), Ok(1));
    server.end().unwrap();
    assert_eq!(server.end(), Err(Misuse::State));
    assert_eq!(server.output().pending(), b"+OK x\r\nx\r\n.\r\n");

    let (mut server, _) = asked("LIST\r\n");
    server.start(&ok).unwrap();
    assert_eq!(server.write_body(b"x"), Err(Misuse::NoBody));
    let wrong = Entry::Capability(postkey_pop3_proto::types::Capability::Top);
    assert_eq!(server.entry(&wrong), Err(Misuse::State));
    server.entry(&scan).unwrap();
    server.end().unwrap();
    assert_eq!(server.output().pending(), b"+OK x\r\n1 7\r\n.\r\n");

    let (mut server, _) = asked("STAT\r\n");
    assert_eq!(server.start(&ok), Err(Misuse::State), "no lines follow STAT");
    assert_eq!(server.state(), State::Transaction);
}

#[test]
fn a_reply_that_cannot_be_said_is_not_said() {
    let (mut server, _) = asked("STAT\r\n");
    assert!(Reply::ok("a\r\n-ERR b").is_err());
    assert!(Reply::err("a\0b").is_err());
    // It would be read as a response code.
    assert!(matches!(server.complete(&Reply::err("[AUTH] no").unwrap()), Err(Misuse::Invalid(_))));
    let long = "x".repeat(512);
    assert!(matches!(server.complete(&Reply::ok(&long).unwrap()), Err(Misuse::Invalid(_))));
    assert!(server.output().is_empty());
    server.complete(&Reply::err("no").unwrap().with_code(Code::new("X-Y/Z").unwrap())).unwrap();
    assert_eq!(server.output().pending(), b"-ERR [X-Y/Z] no\r\n");
}

#[test]
fn bare_line_ends_are_normalised_or_refused() {
    // INJ-15
    let mut app = app();
    app.messages = vec![b"a\n.\nb\r.\rc".to_vec()];
    let (_, sent) = signed_in(&app, "RETR 1\r\n");
    assert_eq!(sent, ["+OK message follows", "a", "..", "b", "..", "c", "."]);
    app.config.bare_newline = BareNewline::Refuse;
    let mut server = postkey_pop3_proto::Server::new(app.config);
    server.greet(&Reply::ok("hi").unwrap()).unwrap();
    let mut input = InBuf::new(1 << 16);
    input.extend(format!("APOP ana {DIGEST}\r\nRETR 1\r\n").as_bytes());
    for first in [true, false] {
        assert_eq!(server.advance(&mut input, Tick::ZERO), Need::Event);
        server.event().unwrap().unwrap();
        if first {
            server.complete(&Reply::ok("in").unwrap()).unwrap();
        }
    }
    server.start(&Reply::ok("follows").unwrap()).unwrap();
    assert_eq!(server.write_body(b"fine\r\nnot\n.\n"), Err(Misuse::BareNewline { offset: 9 }));
    assert_eq!(server.advance(&mut input, Tick::ZERO), Need::Close);
    assert!(!server.output().pending().ends_with(b".\r\n"), "the client must see that it is incomplete");
}
