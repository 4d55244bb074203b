//! The client machine by behaviour. Every conversation runs through `wire::testkit::check`: it must not matter how the octets
//! are cut, every end is named, and no planted secret shows.

mod commands;
mod limits;
mod responses;
mod sign_in;
mod starttls;
mod streaming;
mod time;

use postkey_imap_proto::Security;
use postkey_imap_proto::testkit::{Action, ScriptedClient};
use postkey_imap_proto::types::{
    Command, FetchItem, FetchItems, ListPattern, Mailbox, SelectParams, SequenceSet,
};
use sasl::ClientMechanism;
use wire::testkit::{Outcome, check};

pub(crate) const TOKEN: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.planted-canary-token";

pub(crate) fn xoauth2() -> Box<dyn ClientMechanism> {
    Box::new(sasl::xoauth2::Client::new("ana@contoso.example", TOKEN.into()).unwrap())
}

pub(crate) fn oauthbearer() -> Box<dyn ClientMechanism> {
    Box::new(sasl::oauthbearer::Client::new(Some("ana"), TOKEN.into(), Some(("imap.example", 993))).unwrap())
}

pub(crate) fn list() -> Command<'static> {
    Command::List {
        reference: Mailbox::new(&b""[..]).unwrap(),
        pattern: ListPattern::new(&b"*"[..]).unwrap(),
    }
}

pub(crate) fn select() -> Command<'static> {
    Command::Select { mailbox: Mailbox::INBOX, params: SelectParams::default() }
}

pub(crate) fn fetch() -> Command<'static> {
    let items = vec![FetchItem::Uid, FetchItem::Flags, FetchItem::PEEK_FULL];
    Command::Fetch { uid: true, set: SequenceSet::all(), items: FetchItems::List(items), changed_since: None }
}

/// What a server says, as it says it: the greeting, then up to each reply or continuation, each in its turn.
pub(crate) fn turns(server: &str) -> Vec<&[u8]> {
    let (mut turns, mut from, mut at) = (Vec::new(), 0, 0);
    for line in server.split_inclusive('\n') {
        at += line.len();
        let tagged = line.starts_with('A') && line.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
        if from == 0 || tagged || line.starts_with('+') {
            turns.push(&server.as_bytes()[from..at]);
            from = at;
        }
    }
    turns.push(&server.as_bytes()[from..]);
    turns.retain(|t| !t.is_empty());
    turns
}

/// Runs a script in the clear, so that the tests need not repeat STARTTLS.
pub(crate) fn plain(script: impl Fn() -> Vec<Action>, server: &str) -> Outcome {
    check(|| ScriptedClient::new(Security::DangerousPlaintext, script()), &turns(server), &[TOKEN])
}

pub(crate) fn sent(outcome: &Outcome) -> String {
    String::from_utf8(outcome.sent.clone()).unwrap()
}

pub(crate) fn last(outcome: &Outcome) -> &str {
    outcome.transcript.last().map_or("", String::as_str)
}

pub(crate) fn has(outcome: &Outcome, what: &str) -> bool {
    outcome.transcript.iter().any(|l| l.contains(what))
}
