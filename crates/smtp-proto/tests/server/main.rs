//! The server machine by behaviour. Conversations run through `wire::testkit::check`, but for those in which it matters what has already
//! come when a command is read.

mod limits;
mod message;
mod session;
mod starttls;

use postkey_smtp_proto::testkit::App;
use postkey_smtp_proto::{Dialect, Security};
use wire::testkit::{Outcome, check, run};

pub(crate) const SECRET: &str = "canary-5ecre7-canary";

pub(crate) fn app() -> App {
    App::new(Security::DangerousPlaintext)
}

pub(crate) fn lmtp() -> App {
    let mut app = app();
    app.config.dialect = Dialect::Lmtp;
    app
}

/// What a client says, line by line: nothing comes before the reply to what came before it.
pub(crate) fn lines(client: &str) -> Vec<&[u8]> {
    client.as_bytes().split_inclusive(|c| *c == b'\n').collect()
}

pub(crate) fn converse(app: &App, client: &str) -> Outcome {
    check(|| app.start(), &lines(client), &[SECRET])
}

/// The codes of the replies behind the greeting, in order; of several lines the last.
pub(crate) fn codes(outcome: &Outcome) -> Vec<String> {
    let sent = String::from_utf8(outcome.sent.clone()).unwrap();
    let last = sent.split_terminator("\r\n").skip(1).filter(|l| l.as_bytes().get(3) != Some(&b'-'));
    last.map(|l| l.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect()
}

#[track_caller]
pub(crate) fn expect(app: &App, client: &str, replies: &[&str]) -> Outcome {
    let o = converse(app, client);
    let codes = codes(&o);
    let fits = codes.len() == replies.len() && codes.iter().zip(replies).all(|(c, r)| c.starts_with(r));
    assert!(fits, "{codes:#?} are not {replies:?}\n{:#?}", o.transcript);
    o
}

/// The messages that an application accepts, everything sent at once.
pub(crate) fn accepted(app: &App, flights: &[&[u8]]) -> (Vec<Vec<u8>>, Outcome) {
    let mut running = app.start();
    let outcome = run(&mut running, flights, &mut |n| n);
    (running.messages, outcome)
}

pub(crate) const BEGIN: &str = "EHLO bar.com\r\nMAIL FROM:<Smith@bar.com>\r\nRCPT TO:<Jones@foo.com>\r\n";
