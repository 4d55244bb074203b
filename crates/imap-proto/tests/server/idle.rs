//! IDLE (RFC 2177).

use postkey_imap_proto::types::{Response, StatusKind};
use wire::testkit::Subject as _;
use wire::{InBuf, Machine as _, Need, Tick};

use crate::app::{App, converse};

#[test]
fn idle_and_done() {
    let (events, sent) = converse(&App::preauth(), &[b"A002 IDLE\r\ndone\r\nA003 NOOP\r\n"]);
    assert_eq!(events, ["A002 IDLE", "DONE", "A003 Noop", "error: Closed(Idle)"]);
    assert_eq!(sent[1..], ["+ idling", "* 3 EXISTS", "A002 OK IDLE completed.", "A003 OK completed."]);
}

#[test]
fn garbage_instead_of_done_ends_it() {
    // SV-14
    for garbage in ["a3 NOOP", "DONE DONE", "", " DONE", "{5+}", "DONE\0"] {
        let text = format!("a IDLE\r\n{garbage}\r\nb NOOP\r\n");
        let (events, sent) = converse(&App::preauth(), &[text.as_bytes()]);
        assert_eq!(events[..3], ["a IDLE", "a bad: NotDone", "b Noop"], "{garbage}");
        assert_eq!(sent[3..], ["a BAD not like that", "b OK completed."], "{garbage}");
    }
    let (events, sent) = converse(&App::preauth(), &[format!("a IDLE\r\n{}", "x".repeat(5_000)).as_bytes()]);
    assert_eq!(events, ["a IDLE", "a bad: Limit(Line) closes"]);
    assert_eq!(sent.last().unwrap(), "a BAD not like that");
}

#[test]
fn refused_idle_leaves_done_as_the_nonsense_it_is() {
    let app = App { willing: false, ..App::preauth() };
    let (events, sent) = converse(&app, &[b"a IDLE\r\nDONE\r\nb NOOP\r\n"]);
    assert_eq!(events[1], "* bad: Tag");
    assert_eq!(sent[1..], ["a NO not now", "* BAD not like that", "b OK completed."]);
}

#[test]
fn news_go_out_while_the_client_idles() {
    let mut running = App::preauth().start();
    let mut input = InBuf::new(1 << 20);
    input.extend(b"a IDLE\r\n");
    let mut transcript = vec![];
    assert_eq!(running.server.advance(&mut input, Tick::ZERO), Need::Event);
    running.event(&input, &mut transcript);
    assert_eq!(running.server.advance(&mut input, Tick::ZERO), Need::App);
    assert!(!running.server.is_idling());
    running.app(&mut transcript);
    assert!(running.server.is_idling());
    assert_eq!(running.server.advance(&mut input, Tick::ZERO), Need::Input);
    running.server.untagged(&Response::Exists(4)).unwrap();
    // IDLE is the client's to end.
    assert!(running.server.complete(StatusKind::Ok, None, "enough").is_err());
    assert!(running.server.output().pending().ends_with(b"* 3 EXISTS\r\n* 4 EXISTS\r\n"));
    running.server.disconnect();
    assert_eq!(running.server.advance(&mut input, Tick::ZERO), Need::Close);
    assert!(running.server.untagged(&Response::Exists(5)).is_err());
}
