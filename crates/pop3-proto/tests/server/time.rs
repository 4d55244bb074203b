//! The time a client may take. It is virtual: the tests jump to the deadline the machine names.

use postkey_pop3_proto::Security;
use wire::testkit::Subject as _;
use wire::{InBuf, Machine as _, Need, Tick};

use crate::app::{App, Running, TOKEN};

/// Goes on until the machine waits for the client; the time it names, in seconds.
fn settle(running: &mut Running, input: &mut InBuf, now: u64) -> Option<u64> {
    let mut transcript = vec![];
    loop {
        match running.server.advance(input, Tick::from_millis(now * 1_000)) {
            Need::Event => running.event(input, &mut transcript),
            Need::App => assert!(running.app(&mut transcript)),
            Need::Input => {
                let n = running.server.output().len();
                running.server.output().sent(n);
                if n == 0 {
                    return running.server.deadline().map(|t| t.as_millis() / 1_000);
                }
            }
            _ => return None,
        }
    }
}

fn expired(running: &mut Running, input: &mut InBuf, now: u64) -> String {
    let mut transcript = vec![];
    assert_eq!(running.server.advance(input, Tick::from_millis(now * 1_000)), Need::Event);
    running.event(input, &mut transcript);
    assert_eq!(running.server.advance(input, Tick::from_millis(now * 1_000)), Need::Close);
    transcript.pop().unwrap()
}

#[test]
fn the_time_to_sign_in_is_not_renewed_by_talk() {
    let mut running = App::new(Security::Tls).start();
    let mut input = InBuf::new(1 << 16);
    assert_eq!(settle(&mut running, &mut input, 0), Some(60));
    for now in [10, 30, 59] {
        input.extend(b"CAPA\r\nUSER ana\r\n");
        assert_eq!(settle(&mut running, &mut input, now), Some(60));
    }
    assert_eq!(expired(&mut running, &mut input, 60), "error: TimedOut(SignIn)");
}

#[test]
fn signed_in_the_idle_time_begins_anew_with_each_command() {
    let mut running = App::new(Security::Tls).start();
    let mut input = InBuf::new(1 << 16);
    input.extend(format!("USER ana\r\nPASS {TOKEN}\r\n").as_bytes());
    assert_eq!(settle(&mut running, &mut input, 50), Some(650));
    input.extend(b"NOOP\r\n");
    assert_eq!(settle(&mut running, &mut input, 500), Some(1_100));
    // Half a command must be finished sooner, and a drip does not help.
    input.extend(b"NO");
    assert_eq!(settle(&mut running, &mut input, 600), Some(900));
    input.extend(b"OP");
    assert_eq!(settle(&mut running, &mut input, 899), Some(900));
    assert_eq!(expired(&mut running, &mut input, 900), "error: TimedOut(Stall)");
}

#[test]
fn silence_between_commands_ends_after_ten_minutes() {
    let mut running = App::new(Security::Tls).start();
    let mut input = InBuf::new(1 << 16);
    input.extend(format!("USER ana\r\nPASS {TOKEN}\r\n").as_bytes());
    assert_eq!(settle(&mut running, &mut input, 0), Some(600));
    assert_eq!(expired(&mut running, &mut input, 600), "error: TimedOut(Idle)");
}

#[test]
fn the_time_of_the_application_is_its_own() {
    let mut running = App::new(Security::Tls).start();
    let mut input = InBuf::new(1 << 16);
    input.extend(format!("USER ana\r\nPASS {TOKEN}\r\n").as_bytes());
    settle(&mut running, &mut input, 0);
    input.extend(b"STAT\r\n");
    assert_eq!(running.server.advance(&mut input, Tick::from_millis(1_000)), Need::Event);
    running.event(&input, &mut vec![]);
    assert_eq!(running.server.advance(&mut input, Tick::from_millis(1_000)), Need::App);
    assert_eq!(running.server.deadline(), None);
    assert_eq!(running.server.advance(&mut input, Tick::from_millis(9_000_000)), Need::App);
    assert!(running.app(&mut vec![]));
    assert_eq!(settle(&mut running, &mut input, 9_000), Some(9_600));
}

#[test]
fn a_client_that_does_not_read_is_given_up() {
    let mut app = App::new(Security::Tls);
    app.messages = vec![vec![b'x'; 1 << 20]];
    let mut running = app.start();
    let mut input = InBuf::new(1 << 16);
    input.extend(format!("USER ana\r\nPASS {TOKEN}\r\n").as_bytes());
    settle(&mut running, &mut input, 0);
    input.extend(b"RETR 1\r\n");
    let mut transcript = vec![];
    loop {
        match running.server.advance(&mut input, Tick::ZERO) {
            Need::Event => running.event(&input, &mut transcript),
            Need::App => assert!(running.app(&mut transcript)),
            other => break assert_eq!(other, Need::Input),
        }
    }
    assert!(running.server.output().len() >= 64 << 10);
    assert_eq!(running.server.deadline().map(|t| t.as_millis()), Some(300_000));
    assert_eq!(expired(&mut running, &mut input, 300), "error: TimedOut(Stall)");
}
