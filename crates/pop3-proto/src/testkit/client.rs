//! A client with a script, for `wire::testkit`.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::num::NonZeroU32;

use sasl::ClientMechanism;
use wire::testkit::{Rng, Subject, fuzz_lines};
use wire::{InBuf, Machine};

use crate::types::{Command, Digest, Lang, Name, Password};
use crate::{Client, Config, Event, Security};

/// One thing the application does when the machine waits for it.
#[derive(Debug)]
pub enum Action {
    /// Gives a command.
    Send(Command),
    /// Gives commands without waiting in between.
    Together(Vec<Command>),
    /// Asks for TLS.
    Stls,
    /// Signs in by USER and PASS.
    Login(Name, Password),
    /// Signs in by APOP.
    Apop(Name, Digest),
    /// Signs in by AUTH.
    Authenticate(Box<dyn ClientMechanism>),
}

/// A client that gives its commands one by one and writes down what happens.
pub struct ScriptedClient {
    /// The machine.
    pub client: Client,
    script: VecDeque<Action>,
}

impl ScriptedClient {
    /// Gives `script` on a connection protected as said.
    pub fn new(security: Security, script: impl IntoIterator<Item = Action>) -> Self {
        Self::with_config(Config::new(security), script)
    }

    /// The same with other settings.
    pub fn with_config(config: Config, script: impl IntoIterator<Item = Action>) -> Self {
        Self { client: Client::new(config), script: script.into_iter().collect() }
    }
}

impl Subject for ScriptedClient {
    fn machine(&mut self) -> &mut dyn Machine {
        &mut self.client
    }

    fn event(&mut self, input: &InBuf, transcript: &mut Vec<String>) {
        let Some(event) = self.client.event(input) else { return };
        transcript.push(match event {
            Ok(Event::Chunk(octets)) => format!("data:{}", octets.escape_ascii()),
            Ok(Event::Entry(entry)) => format!("entry: {entry:?}"),
            Ok(Event::Malformed { error, raw }) => format!("malformed: {error:?} {}", raw.escape_ascii()),
            Ok(event) => format!("{event:?}"),
            Err(error) => format!("error: {error:?}"),
        });
    }

    fn app(&mut self, transcript: &mut Vec<String>) -> bool {
        let Some(action) = self.script.pop_front() else { return false };
        let given = match action {
            Action::Send(command) => self.client.send(&command),
            Action::Together(commands) => {
                for command in &commands {
                    transcript.push(format!("gives {:?}", self.client.send(command)));
                }
                return true;
            }
            Action::Stls => self.client.stls(),
            Action::Login(name, password) => self.client.login(&name, &password),
            Action::Apop(name, digest) => self.client.apop(&name, &digest),
            Action::Authenticate(mechanism) => self.client.authenticate(mechanism),
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
    let script = || {
        let mut script = alloc::vec![Action::Send(Command::Capa), Action::Stls];
        script.extend(match seed % 3 {
            0 => sasl::xoauth2::Client::new("ana@contoso.example", "tok.en-1".into())
                .ok()
                .map(|m| Action::Authenticate(Box::new(m))),
            1 => sasl::login::Client::new("ana", "hunter2-hunter2".into())
                .ok()
                .map(|m| Action::Authenticate(Box::new(m))),
            _ => Name::new("ana")
                .ok()
                .zip(Password::new(b"hunter2".to_vec().into()).ok())
                .map(|(n, p)| Action::Login(n, p)),
        });
        let one = NonZeroU32::MIN;
        script.extend([
            Action::Send(Command::Lang(Lang::List)),
            Action::Together(alloc::vec![
                Command::Capa,
                Command::Stat,
                Command::List(None),
                Command::Uidl(None),
                Command::Retr(one),
                Command::Top { number: one, lines: 0 },
                Command::Dele(one),
                Command::Retr(one),
            ]),
            Action::Send(Command::Quit),
        ]);
        script
    };
    let mut config = Config::new(match seed & 24 {
        0 => Security::StartTls,
        8 => Security::Tls,
        _ => Security::DangerousPlaintext,
    });
    // Small enough that short inputs reach them.
    config.limits.line = 64;
    config.limits.pre_auth_line = 64;
    config.limits.pre_auth_total = 1_024;
    config.limits.body = 1_024;
    config.limits.sasl_challenge = 256;
    let make = || ScriptedClient::with_config(config, script());
    let mut rng = Rng::new(u64::from(*seed));
    fuzz_lines(make, octets, &mut |n| rng.size(n.min(64))).1.transcript
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn any_octets_end(data in proptest::collection::vec(any::<u8>(), 0..200)) {
            fuzz_client(&data);
        }

        #[test]
        fn octets_that_look_like_replies_end(
            seed in any::<u8>(),
            good in 0..=GOOD.len(),
            pieces in proptest::collection::vec(proptest::sample::select(alloc::vec![
                "+OK hi\r\n", "+OK ready <1@x>\r\n", "-ERR no\r\n", "+OK\r\n", "+OK 2 320\r\n", "+ \r\n", "+\r\n",
                "+ eyJzdGF0dXMiOiI0MDAifQ==\r\n", ".\r\n", "..\r\n", ".\n", "1 120\r\n", "2 abc\r\n", "-5 x\r\n",
                "PIPELINING\r\n", "STLS\r\n", "SASL PLAIN XOAUTH2\r\n", "Subject: x\r\n", "\r\n", "\n", "\r", "en English\r\n",
                "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
                "+OK\r\n.\r\n", "+OK\r\nPIPELINING\r\n.\r\n", "+OK\r\n+OK\r\n", "+OK\r\n1 2\r\n.\r\n",
            ]), 0..40),
        ) {
            // The sign-in of the seed that is a login, so that the good lines get somewhere.
            let seed = if good > 0 { (seed / 3).saturating_mul(3).saturating_add(2) } else { seed };
            let mut data = alloc::vec![seed];
            data.extend(GOOD[..good].concat().into_bytes());
            data.extend(pieces.concat().into_bytes());
            fuzz_client(&data);
        }
    }

    /// The replies of a server that agrees to everything.
    const GOOD: [&str; 12] = [
        "+OK hi\r\n",
        "+OK\r\nPIPELINING\r\n.\r\n",
        "+OK begin TLS\r\n",
        "+OK\r\n",
        "+OK signed in\r\n",
        "+OK\r\nen English\r\n.\r\n",
        "+OK\r\nPIPELINING\r\n.\r\n",
        "+OK 1 120\r\n",
        "+OK\r\n1 120\r\n.\r\n",
        "+OK\r\n1 abc\r\n.\r\n",
        "+OK\r\n..x\r\n.\r\n",
        "-ERR no TOP\r\n",
    ];
}
