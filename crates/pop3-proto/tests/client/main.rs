//! The client machine by behaviour. Every conversation runs through `wire::testkit::check`: it must not matter how the octets
//! are cut, every end is named, and no planted secret shows.

mod hostile;
mod lines;
mod session;
mod sign_in;
mod stls;

use std::num::NonZeroU32;

use postkey_pop3_proto::Security;
use postkey_pop3_proto::testkit::{Action, ScriptedClient};
use postkey_pop3_proto::types::{Command, Name, Password};
use sasl::ClientMechanism;
use wire::testkit::{Outcome, check};

pub(crate) const TOKEN: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.planted-canary-token";
pub(crate) const BLOB: &str = "dXNlcj1hbmFAY29udG9zby5leGFtcGxlAWF1dGg9QmVhcmVyIGV5SjBlWEFpT2lKS1YxUWlM";

pub(crate) fn xoauth2() -> Action {
    let mechanism: Box<dyn ClientMechanism> =
        Box::new(sasl::xoauth2::Client::new("ana@contoso.example", TOKEN.into()).unwrap());
    Action::Authenticate(mechanism)
}

pub(crate) fn oauthbearer() -> Action {
    Action::Authenticate(Box::new(
        sasl::oauthbearer::Client::new(Some("ana"), TOKEN.into(), Some(("pop.example", 995))).unwrap(),
    ))
}

pub(crate) fn plain() -> Action {
    Action::Authenticate(Box::new(sasl::plain::Client::new("ana", "hunter2".into()).unwrap()))
}

pub(crate) fn password(text: &str) -> Password {
    Password::new(text.as_bytes().to_vec().into()).unwrap()
}

pub(crate) fn login() -> Action {
    Action::Login(Name::new("mrose").unwrap(), password(TOKEN))
}

pub(crate) fn number(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap()
}

pub(crate) fn retr(n: u32) -> Command {
    Command::Retr(number(n))
}

pub(crate) fn send(command: Command) -> Action {
    Action::Send(command)
}

/// What a server says, each reply in its turn, every line of a multi-line reply with its status line.
pub(crate) fn turns(server: &str) -> Vec<&[u8]> {
    let (mut turns, mut from, mut at) = (Vec::<&[u8]>::new(), 0, 0);
    for line in server.split_inclusive('\n') {
        if line.starts_with('+') || line.starts_with("-E") {
            turns.push(&server.as_bytes()[from..at]);
            from = at;
        }
        at += line.len();
    }
    turns.push(&server.as_bytes()[from..]);
    turns.retain(|t| !t.is_empty());
    turns
}

/// Runs a script in the clear, so that the tests need not repeat STLS.
pub(crate) fn clear(script: impl Fn() -> Vec<Action>, server: &str) -> Outcome {
    check(|| ScriptedClient::new(Security::DangerousPlaintext, script()), &turns(server), &[TOKEN, "hunter2"])
}

/// The same, signed in.
pub(crate) fn inside(commands: &[Command], server: &str) -> Outcome {
    let script = || {
        let mut script = vec![login()];
        script.extend(commands.iter().cloned().map(Action::Send));
        script
    };
    clear(script, &format!("+OK hi\r\n+OK\r\n+OK\r\n{server}"))
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

pub(crate) fn count(outcome: &Outcome, what: &str) -> usize {
    outcome.transcript.iter().filter(|l| l.contains(what)).count()
}
