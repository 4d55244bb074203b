//! The client machine by behaviour. Every conversation runs through `wire::testkit::check`: it must not matter how the octets
//! are cut, every end is named, and no planted secret shows.

mod chunks;
mod envelope;
mod hostile;
mod message;
mod outcome;
mod sign_in;
mod starttls;

use postkey_smtp_proto::testkit::{Action, Message, ScriptedClient};
use postkey_smtp_proto::types::{Body, EhloName, Envelope, Mailbox, Partial, Transfer};
use postkey_smtp_proto::{Client, Config, Error, Security};
use sasl::ClientMechanism;
use wire::testkit::{Outcome, check};
use wire::{InBuf, Machine as _, Need, Tick};

pub(crate) const TOKEN: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.planted-canary-token";
pub(crate) const PASSWORD: &str = "hunter2-canary";
pub(crate) const EHLO: &str = "220 mx ready\r\n250-mx\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250-8BITMIME\r\n250-CHUNKING\r\n250-BINARYMIME\r\n250 AUTH XOAUTH2 PLAIN LOGIN\r\n";
pub(crate) const PLAIN: &str = "220 mx ready\r\n250-mx\r\n250 SIZE 1000\r\n";

pub(crate) fn xoauth2() -> Box<dyn ClientMechanism> {
    Box::new(sasl::xoauth2::Client::new("ana@contoso.example", TOKEN.into()).unwrap())
}

pub(crate) fn address(text: &str) -> Mailbox {
    text.parse().unwrap()
}

pub(crate) fn message(to: &[&str]) -> Message {
    Message {
        envelope: Envelope::new(address("smith@bar.com"), to.iter().map(|t| address(t))),
        body: Body::default(),
        octets: b"Blah blah blah...\r\n.etc. etc. etc.\r\n".to_vec(),
        cut: 0,
    }
}

pub(crate) fn partial(to: &[&str]) -> Message {
    let mut m = message(to);
    m.envelope.partial = Partial::Accept;
    m
}

pub(crate) fn bdat(to: &[&str]) -> Message {
    let mut m = message(to);
    m.body.transfer = Transfer::Bdat;
    m
}

/// What a server says, reply by reply, each in its turn.
pub(crate) fn turns(server: &str) -> Vec<&[u8]> {
    let (mut turns, mut from, mut at) = (Vec::new(), 0, 0);
    for line in server.split_inclusive('\n') {
        at += line.len();
        if line.as_bytes().get(3) != Some(&b'-') {
            turns.push(&server.as_bytes()[from..at]);
            from = at;
        }
    }
    turns.push(&server.as_bytes()[from..]);
    turns.retain(|t| !t.is_empty());
    turns
}

pub(crate) fn with(config: Config, script: impl Fn() -> Vec<Action>, server: &str) -> Outcome {
    check(|| ScriptedClient::with_config(config, script()), &turns(server), &[TOKEN, PASSWORD])
}

/// Runs a script in the clear behind EHLO, so that the tests need not repeat TLS.
pub(crate) fn plain(hello: &str, script: impl Fn() -> Vec<Action>, server: &str) -> Outcome {
    let script = || [vec![Action::Hello], script()].into_iter().flatten().collect();
    with(Config::new(Security::DangerousPlaintext), script, &format!("{hello}{server}"))
}

/// Sends messages.
pub(crate) fn sends(hello: &str, messages: impl Fn() -> Vec<Message>, server: &str) -> Outcome {
    plain(hello, || vec![Action::Send(messages())], server)
}

pub(crate) fn sent(outcome: &Outcome) -> String {
    String::from_utf8(outcome.sent.clone()).unwrap()
}

/// What was sent behind EHLO.
pub(crate) fn behind(outcome: &Outcome) -> String {
    sent(outcome).strip_prefix("EHLO client.example\r\n").unwrap().to_owned()
}

pub(crate) fn last(outcome: &Outcome) -> &str {
    outcome.transcript.last().map_or("", String::as_str)
}

#[track_caller]
pub(crate) fn saw(outcome: &Outcome, what: &str) {
    assert!(outcome.transcript.iter().any(|l| l.contains(what)), "no {what:?} in {:#?}", outcome.transcript);
}

#[track_caller]
pub(crate) fn saw_not(outcome: &Outcome, what: &str) {
    assert!(!outcome.transcript.iter().any(|l| l.contains(what)), "{what:?} in {:#?}", outcome.transcript);
}

pub(crate) const ONE: &str = "MAIL FROM:<smith@bar.com>\r\nRCPT TO:<jones@foo.com>\r\nDATA\r\n";
pub(crate) const BODY: &str = "Blah blah blah...\r\n..etc. etc. etc.\r\n.\r\n";

/// A client driven by hand.
pub(crate) struct ByHand {
    client: Client,
    input: InBuf,
}

impl ByHand {
    /// Behind EHLO.
    pub(crate) fn greeted(extensions: &str) -> Self {
        let client = Client::new(Config::new(Security::DangerousPlaintext));
        let mut this = Self { client, input: InBuf::new(1 << 20) };
        this.hear("220 hi\r\n");
        this.client.hello(&EhloName::new("x").unwrap()).unwrap();
        this.hear(&format!("250-mx\r\n250 {extensions}\r\n"));
        this
    }

    /// Sends what is to be sent, then hears this (the end of the stream if it is empty); gives back how the connection ended.
    pub(crate) fn hear(&mut self, octets: &str) -> Option<Error> {
        assert_ne!(self.client.advance(&mut self.input, Tick::ZERO), Need::Event);
        let n = self.client.output().len();
        self.client.output().sent(n);
        self.input.extend(octets.as_bytes());
        if octets.is_empty() {
            self.input.close();
        }
        while self.client.advance(&mut self.input, Tick::ZERO) == Need::Event {
            if let Err(error) = self.client.event().unwrap() {
                return Some(error);
            }
        }
        None
    }
}
