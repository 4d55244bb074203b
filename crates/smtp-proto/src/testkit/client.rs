//! A client with a script, for `wire::testkit`.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use sasl::ClientMechanism;
use wire::testkit::{Rng, Subject, fuzz_lines};
use wire::{InBuf, Machine};

use crate::types::{Argument, Body, EhloName, Envelope, Mailbox};
use crate::{Client, CommandId, Config, Event, Security};

/// One thing the application does when the machine waits for it.
pub enum Action {
    /// Says EHLO or LHLO.
    Hello,
    /// Says HELO.
    Helo,
    /// Asks for TLS.
    StartTls,
    /// Signs in.
    Authenticate(Box<dyn ClientMechanism>),
    /// Sends messages, given all at once.
    Send(Vec<Message>),
    /// Says NOOP.
    Noop,
    /// Says RSET.
    Rset,
    /// Asks for somebody.
    Vrfy(Argument),
    /// Says QUIT.
    Quit,
}

/// A message and its envelope.
#[derive(Clone, Debug)]
pub struct Message {
    /// The envelope.
    pub envelope: Envelope,
    /// How it travels.
    pub body: Body,
    /// The message itself.
    pub octets: Vec<u8>,
    /// So much of it is written at once; 0: all.
    pub cut: usize,
}

/// A client that does one thing after the other and writes down what happens.
pub struct ScriptedClient {
    /// The machine.
    pub client: Client,
    script: VecDeque<Action>,
    bodies: Vec<(CommandId, Vec<u8>, usize)>,
    writing: Option<(Vec<u8>, usize, usize)>,
}

impl ScriptedClient {
    /// Follows `script` on a connection protected as said.
    pub fn new(security: Security, script: impl IntoIterator<Item = Action>) -> Self {
        Self::with_config(Config::new(security), script)
    }

    /// The same with other settings.
    pub fn with_config(config: Config, script: impl IntoIterator<Item = Action>) -> Self {
        let script = script.into_iter().collect();
        Self { client: Client::new(config), script, bodies: Vec::new(), writing: None }
    }

    /// Writes as much as goes; `true` when something went.
    fn write_body(&mut self, transcript: &mut Vec<String>) -> bool {
        let mut moved = false;
        while let Some((octets, at, cut)) = &mut self.writing {
            let rest = octets.get(*at..).unwrap_or_default();
            if rest.is_empty() {
                let ended = self.client.end_body();
                if ended.is_err() {
                    transcript.push(format!("ends {ended:?}"));
                }
                self.writing = None;
                return true;
            }
            let n = if *cut == 0 { rest.len() } else { rest.len().min(*cut) };
            match self.client.write_body(rest.get(..n).unwrap_or_default()) {
                Ok(0) => return moved,
                Ok(n) => *at = at.saturating_add(n),
                Err(error) => {
                    transcript.push(format!("writes {error:?}"));
                    self.writing = None;
                }
            }
            moved = true;
        }
        moved
    }

    fn name() -> EhloName {
        EhloName::new("client.example").unwrap_or_else(|_| unreachable!("a domain"))
    }
}

impl Subject for ScriptedClient {
    fn machine(&mut self) -> &mut dyn Machine {
        &mut self.client
    }

    fn event(&mut self, _input: &InBuf, transcript: &mut Vec<String>) {
        let Some(event) = self.client.event() else { return };
        match event {
            Ok(Event::WantsBody(id)) => {
                transcript.push(format!("wants body {id:?}"));
                if let Some(at) = self.bodies.iter().position(|(of, ..)| *of == id) {
                    let (_, octets, cut) = self.bodies.remove(at);
                    self.writing = Some((octets, 0, cut));
                    self.write_body(transcript);
                }
            }
            Ok(Event::Completed(c)) => {
                transcript.push(format!("{:?} {} {} {:?}", c.id, c.verb, c.reply, c.sign_in));
            }
            Ok(Event::Recipient { id, index, reply }) => {
                transcript.push(format!("{id:?} recipient {index}: {reply}"));
            }
            Ok(Event::Accepted { id, reply }) => transcript.push(format!("{id:?} accepted: {reply}")),
            Ok(Event::Rejected { id, stage, reply }) => {
                self.writing = None;
                transcript.push(format!("{id:?} rejected at {stage:?}: {reply}"));
            }
            Ok(Event::PerRecipient { id, index, reply, last }) => {
                transcript.push(format!("{id:?} recipient {index} last={last}: {reply}"));
            }
            Ok(event) => transcript.push(format!("{event:?}")),
            Err(error) => transcript.push(format!("error: {error:?}")),
        }
    }

    fn app(&mut self, transcript: &mut Vec<String>) -> bool {
        if self.writing.is_some() {
            return self.write_body(transcript);
        }
        let Some(action) = self.script.pop_front() else { return false };
        let given = match action {
            Action::Hello => self.client.hello(&Self::name()),
            Action::Helo => self.client.helo(&Self::name()),
            Action::StartTls => self.client.starttls(),
            Action::Authenticate(mechanism) => self.client.authenticate(mechanism),
            Action::Noop => self.client.noop(),
            Action::Rset => self.client.rset(),
            Action::Vrfy(who) => self.client.vrfy(&who),
            Action::Quit => self.client.quit(),
            Action::Send(messages) => {
                for m in messages {
                    let given = self.client.send(&m.envelope, m.body);
                    if let Ok(id) = given {
                        self.bodies.push((id, m.octets, m.cut));
                    }
                    transcript.push(format!("gives {given:?}"));
                }
                return true;
            }
        };
        transcript.push(format!("gives {given:?}"));
        true
    }

    fn debug(&self) -> String {
        format!("{:?}", self.client)
    }
}

/// Any octets as what a server sends: no panic, no hang, the same however they are cut.
///
/// # Panics
/// When the machine breaks its contract.
pub fn fuzz_client(data: &[u8]) {
    play(data);
}

/// What happens when the octets come line by line.
pub(super) fn play(data: &[u8]) -> Vec<String> {
    let Some((seed, octets)) = data.split_first() else { return Vec::new() };
    let address = |a: &str| a.parse::<Mailbox>().unwrap_or_else(|_| unreachable!("an address"));
    let message = |transfer, partial| {
        let mut envelope = Envelope::new(
            address("ana@contoso.example"),
            [address("bo@contoso.example"), address("cy@contoso.example")],
        );
        envelope.partial = partial;
        let body = Body { transfer, ..Body::default() };
        Message { envelope, body, octets: b"Subject: x\r\n\r\n.body\n".to_vec(), cut: 7 }
    };
    use crate::types::{Partial, Transfer};
    let script = || {
        [
            Action::Hello,
            Action::Authenticate(sasl::testkit::client(sasl::xoauth2::NAME, "tok.en-1")),
            Action::Send(alloc::vec![
                message(Transfer::Data, Partial::Accept),
                message(Transfer::Bdat, Partial::Refuse),
                message(Transfer::Data, Partial::Refuse),
            ]),
            Action::Noop,
            Action::Quit,
        ]
    };
    let mut config = Config::new(if seed & 1 == 0 { Security::Tls } else { Security::DangerousPlaintext });
    config.dialect = if seed & 2 == 0 { crate::Dialect::Smtp } else { crate::Dialect::Lmtp };
    config.pipelining = seed & 4 == 0;
    let make = || ScriptedClient::with_config(config, script());
    let mut rng = Rng::new(u64::from(*seed));
    fuzz_lines(make, octets, &mut |n| rng.size(n.min(64))).1.transcript
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]

        #[test]
        fn any_octets_end(data in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            fuzz_client(&data);
        }

        #[test]
        fn octets_that_look_like_replies_end(
            seed in proptest::num::u8::ANY,
            pieces in proptest::collection::vec(proptest::sample::select(alloc::vec![
                "250 ok\r\n", "250-x\r\n", "250 PIPELINING\r\n", "250 CHUNKING\r\n", "334 \r\n", "334 eyJzdGF0dXMiOiI0MDAifQ==\r\n",
                "235 in\r\n", "535 5.7.3 no\r\n", "354 go\r\n", "550 no\r\n", "450 later\r\n", "221 bye\r\n", "421 closing\r\n", "220 x\r\n",
                "250 ok\r\n", "250 ok\n", "25", "\r\n", "999 x\r\n", "250 2.0.0 queued\r\n", "354 go\r\n",
            ]), 0..30),
        ) {
            let mut data = alloc::vec![seed];
            data.extend(b"220 hi\r\n250-x\r\n250-PIPELINING\r\n250-CHUNKING\r\n250 AUTH XOAUTH2\r\n");
            data.extend(pieces.concat().into_bytes());
            fuzz_client(&data);
        }
    }
}
