//! A client with a script, for `wire::testkit`.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use sasl::ClientMechanism;
use wire::testkit::{Rng, Subject, fuzz_lines};
use wire::{InBuf, Machine};

use crate::types::{
    Command, FetchItem, FetchItems, FlagSet, ListPattern, Mailbox, SelectParams, SequenceSet,
};
use crate::{Client, Config, Event, Fetch, Security};

/// One thing the application does when the machine waits for it.
pub enum Action {
    /// Gives a command.
    Send(Command<'static>),
    /// Asks for TLS.
    StartTls,
    /// Signs in.
    Authenticate(Box<dyn ClientMechanism>),
    /// Appends octets to INBOX.
    Append(Vec<u8>),
    /// Waits for news, and ends that as soon as the server listens.
    Idle,
}

/// A client that gives its commands one by one and writes down what happens.
pub struct ScriptedClient {
    /// The machine.
    pub client: Client,
    script: VecDeque<Action>,
    body: Vec<u8>,
}

impl ScriptedClient {
    /// Gives `script` on a connection protected as said.
    pub fn new(security: Security, script: impl IntoIterator<Item = Action>) -> Self {
        Self::with_config(Config::new(security), script)
    }

    /// The same with other settings.
    pub fn with_config(config: Config, script: impl IntoIterator<Item = Action>) -> Self {
        Self { client: Client::new(config), script: script.into_iter().collect(), body: Vec::new() }
    }

    fn write_body(&mut self) {
        while !self.body.is_empty() {
            match self.client.write_body(&self.body) {
                Ok(0) | Err(_) => return,
                Ok(n) => self.body.drain(..n),
            };
        }
    }
}

impl Subject for ScriptedClient {
    fn machine(&mut self) -> &mut dyn Machine {
        &mut self.client
    }

    fn event(&mut self, input: &InBuf, transcript: &mut Vec<String>) {
        let Some(event) = self.client.event(input) else { return };
        let line = match event {
            Ok(Event::Fetch(Fetch::Chunk(octets))) => format!("data:{}", octets.escape_ascii()),
            Ok(Event::Numbers { numbers, .. }) => {
                let mut line = String::from("data:");
                for n in numbers {
                    line.push_str(&format!(" {n:?}"));
                }
                line
            }
            Ok(Event::WantsBody(id)) => {
                self.write_body();
                format!("wants body {id:?}")
            }
            Ok(Event::Idling(id)) => {
                let done = self.client.done();
                format!("idling {id:?} {done:?}")
            }
            Ok(event) => format!("{event:?}"),
            Err(error) => format!("error: {error:?}"),
        };
        transcript.push(line);
    }

    fn app(&mut self, transcript: &mut Vec<String>) -> bool {
        if !self.body.is_empty() {
            let before = self.body.len();
            self.write_body();
            return self.body.len() < before;
        }
        let Some(action) = self.script.pop_front() else { return false };
        let given = match action {
            Action::Send(command) => self.client.send(&command),
            Action::StartTls => self.client.starttls(),
            Action::Authenticate(mechanism) => self.client.authenticate(mechanism),
            Action::Idle => self.client.idle(),
            Action::Append(octets) => {
                self.body = octets;
                let len = self.body.len() as u64;
                self.client.append(Mailbox::INBOX, FlagSet::new(), None, len)
            }
        };
        if given.is_err() {
            self.body.clear();
        }
        transcript.push(format!("gives {given:?}"));
        true
    }

    fn debug(&self) -> String {
        format!("{:?}", self.client)
    }
}

/// Any octets as what a server sends: no panic, no hang, the same however they are cut.
pub fn fuzz_client(data: &[u8]) {
    let Some((seed, octets)) = data.split_first() else { return };
    let script = || {
        [
            Action::Send(Command::Capability),
            Action::Authenticate(sasl::testkit::client(sasl::xoauth2::NAME, "tok.en-1")),
            Action::Send(Command::List {
                reference: Mailbox::INBOX,
                pattern: ListPattern::new(&b"*"[..]).unwrap_or_else(|_| unreachable!("a pattern")),
            }),
            Action::Send(Command::Select { mailbox: Mailbox::INBOX, params: SelectParams::default() }),
            Action::Send(Command::Fetch {
                uid: true,
                set: SequenceSet::all(),
                items: FetchItems::List(alloc::vec![FetchItem::Flags, FetchItem::PEEK_FULL]),
                changed_since: None,
            }),
            Action::Append(b"Subject: x\r\n\r\nbody\r\n".to_vec()),
            Action::Idle,
            Action::Send(Command::Logout),
        ]
    };
    let security = if seed & 1 == 0 { Security::Tls } else { Security::DangerousPlaintext };
    let make = || ScriptedClient::new(security, script());
    let mut rng = Rng::new(u64::from(*seed));
    fuzz_lines(make, octets, &mut |n| rng.size(n.min(64)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_fuzzer_found_once() {
        // A line behind the greeting that is no response; a first line without LF.
        for data in [
            &b"2*\x08N\x13\xa0 \x1e\0ab\r\n\xf9\x10\nc"[..],
            b"L* \xa0N\xa0\x1e\0ab\r\n+\xe9\x10\nc",
            b"L* N N \x1e\0ab\r\n\xf9\x10\nc",
            b"\x0cz \xa3\r",
            b"\xa3:\0\xa0=",
        ] {
            fuzz_client(data);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_octets_end(data in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            fuzz_client(&data);
        }

        #[test]
        fn octets_that_look_like_responses_end(
            seed in proptest::num::u8::ANY,
            pieces in proptest::collection::vec(proptest::sample::select(alloc::vec![
                "* OK hi\r\n", "A1 OK x\r\n", "A2 OK x\r\n", "A3 NO x\r\n", "+ \r\n", "+ eyJzdGF0dXMiOiI0MDAifQ==\r\n",
                "* 1 FETCH (UID 1 BODY[] {3}\r\n", "abc", ")\r\n", " FLAGS ()", "* SEARCH 1 2", " 3\r\n", "* BYE\r\n", "{5}\r\n",
                "* LIST () \"/\" {2}\r\n", "* CAPABILITY IMAP4rev1 SASL-IR LITERAL+\r\n", "* 1 EXISTS\r\n", "\r\n", "* ", "(", "[",
                "A4 OK [READ-WRITE] x\r\n", "A5 OK x\r\n", "A6 OK x\r\n", "A7 OK x\r\n",
            ]), 0..30),
        ) {
            let mut data = alloc::vec![seed];
            data.extend(pieces.concat().into_bytes());
            fuzz_client(&data);
        }
    }
}
