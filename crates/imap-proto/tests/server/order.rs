//! Pipelined commands are answered in their order, and one is not looked at before the one in front of it is answered.

use postkey_imap_proto::server::Event;
use wire::testkit::Subject as _;
use wire::{InBuf, Machine as _, Need, Tick};

use crate::app::{App, converse};

#[test]
fn a_thousand_pipelined_commands_are_answered_in_order() {
    let text: String = (0..1000).map(|n| format!("t{n} NOOP\r\n")).collect();
    let outcome = wire::testkit::run(&mut App::preauth().start(), &[text.as_bytes()], &mut |n| n);
    let sent = String::from_utf8(outcome.sent).unwrap();
    let expected: Vec<String> = (0..1000).map(|n| format!("t{n} OK completed.")).collect();
    assert_eq!(sent.split_terminator("\r\n").skip(1).collect::<Vec<_>>(), expected);
}

#[test]
fn the_next_command_waits_for_the_answer() {
    let mut running = App::preauth().start();
    let mut input = InBuf::new(1 << 20);
    input.extend(b"a NOOP\r\nb LOGOUT\r\n");
    assert_eq!(running.server.advance(&mut input, Tick::ZERO), Need::Event);
    assert!(matches!(running.server.event(&input), Some(Ok(Event::Command { .. }))));
    for _ in 0..3 {
        assert_eq!(running.server.advance(&mut input, Tick::ZERO), Need::App);
        assert_eq!(input.unread(), b"b LOGOUT\r\n");
        assert!(running.server.event(&input).is_none());
    }
    use postkey_imap_proto::types::StatusKind;
    running.server.complete(StatusKind::Ok, None, "a").unwrap();
    assert_eq!(running.server.advance(&mut input, Tick::ZERO), Need::Event);
}

#[test]
fn a_refused_login_does_not_carry_the_commands_behind_it() {
    let app = App::new(postkey_imap_proto::Security::Tls);
    let (events, sent) = converse(&app, &[b"a LOGIN ana wrong\r\nb SELECT INBOX\r\nc LOGOUT\r\n"]);
    assert_eq!(events[1], "b bad: State(NotAuthenticated)");
    assert_eq!(sent[1], "a NO [AUTHENTICATIONFAILED] LOGIN failed.");
    assert_eq!(sent[4], "c OK completed.");
}

#[test]
fn a_client_that_does_not_read_is_not_read() {
    // Replies of a few octets each to commands of a few octets each: unread replies must stop the reading.
    let mut app = App::preauth();
    app.config.limits.outbox = 1_000;
    let mut running = app.start();
    let mut input = InBuf::new(1 << 20);
    let text: String = (0..20_000).map(|n| format!("t{n} NOOP\r\n")).collect();
    input.extend(text.as_bytes());
    let mut transcript = vec![];
    let mut waits = 0;
    while waits < 5 {
        match running.server.advance(&mut input, Tick::ZERO) {
            Need::Event => running.event(&input, &mut transcript),
            Need::App => assert!(running.app(&mut transcript)),
            Need::Input => {
                assert!(!running.server.can_write());
                waits += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(running.server.output().len() < 1_100, "{}", running.server.output().len());
    assert!(input.len() > 200_000);
}
