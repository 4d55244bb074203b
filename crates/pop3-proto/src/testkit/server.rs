//! The fuzz body of the server machine.

#![allow(clippy::panic)]

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::num::NonZeroU32;

use sasl::{ErrorChallenge, ServerExchange, Verdict};
use wire::dot::BareNewline;
use wire::testkit::{Decisions, Subject, fuzz_octets, security, small_limits};
use wire::{InBuf, Machine};

use crate::Misuse;
use crate::server::{Config, Event, Server};
use crate::session::State;
use crate::types::{
    Capability, Command, Entry, Language, LanguageTag, Reply, ScanListing, UniqueId, UniqueIdListing,
};

/// Drives a server with a hostile client. The first three octets set the circumstances: how the connection is protected, how the
/// input is cut, and how the application decides; the rest is what the client sends, the octet 0xff standing for the TLS handshake.
///
/// # Panics
///
/// When the machine stops getting anywhere, holds more memory than its limits allow, reaches a state that nobody granted, does
/// something else when the same octets come in other pieces, or when anything inside panics.
pub fn fuzz_server(data: &[u8]) {
    play(data);
}

/// What happens when the octets come at once to a client that reads at once.
pub(super) fn play(data: &[u8]) -> Vec<String> {
    let Some(([manner, cut, decisions], octets)) = data.split_first_chunk::<3>().map(|(a, b)| (*a, b)) else {
        return Vec::new();
    };
    let mut config = Config::new(security(manner));
    config.limits = small_limits();
    config.longest_command = 128;
    config.bare_plus = manner & 4 != 0;
    if manner & 8 != 0 {
        config.bare_newline = BareNewline::Refuse;
    }
    fuzz_octets(|| App::new(config, decisions), octets, cut).transcript
}

/// Says yes or no as the octet of decisions has it.
struct App {
    server: Server,
    outbox: usize,
    decisions: Decisions,
    granted: bool,
    doing: Option<Doing>,
    /// Octets of a message still to be written.
    left: usize,
}

enum Doing {
    Refuse,
    Answer { grants: bool, command: Option<Command> },
    Auth { name: String },
    Credentials,
    AuthEnd { success: bool },
}

impl App {
    fn new(config: Config, decisions: u8) -> Self {
        let mut server = Server::new(config);
        let greeted = server.greet(&Reply::of(&b"ready <1896.697170952@dbc.mtview.ca.us>"[..]));
        assert!(greeted.is_ok(), "the greeting is refused: {greeted:?}");
        let decisions = Decisions::new(decisions);
        Self { server, outbox: config.limits.outbox, decisions, granted: false, doing: None, left: 0 }
    }

    fn act(&mut self) {
        if self.left > 0 {
            return self.write();
        }
        let Some(doing) = self.doing.take() else {
            panic!("the machine waits for an application that has nothing to do");
        };
        let yes = self.decisions.yes();
        let done = match doing {
            Doing::Refuse => self.answer(false),
            Doing::Answer { grants, command } => {
                let lines = command.as_ref().filter(|c| c.is_multi_line());
                match lines {
                    Some(command) if yes => {
                        assert_eq!(self.answer(true), Err(Misuse::State), "a listing without lines");
                        self.lines(command)
                    }
                    _ => {
                        self.granted |= grants && yes;
                        self.answer(yes)
                    }
                }
            }
            Doing::AuthEnd { success } => {
                assert!(success || self.answer(true).is_err(), "a refused sign-in can be completed with +OK");
                self.granted |= success && yes;
                self.answer(success && yes)
            }
            Doing::Auth { name } => match ServerExchange::named(&name, self.server.sasl_limits()) {
                Some(exchange) if yes => self.server.begin_auth(exchange),
                _ => self.answer(false),
            },
            Doing::Credentials => {
                let refusal = self.decisions.yes().then(|| ErrorChallenge::new("400"));
                self.server.verdict(if yes { Verdict::Accept } else { Verdict::Refuse(refusal) })
            }
        };
        assert!(done.is_ok(), "a call at the right time is refused: {done:?}");
    }

    fn answer(&mut self, yes: bool) -> Result<(), Misuse> {
        let mut reply = Reply::of(&b"done"[..]);
        if !yes {
            reply.status = crate::types::Status::Err;
        }
        self.server.complete(&reply)
    }

    fn lines(&mut self, command: &Command) -> Result<(), Misuse> {
        self.server.start(&Reply::of(&b"lines follow"[..]))?;
        let number = NonZeroU32::MIN;
        let tag = |tag| LanguageTag::new(tag).map_err(Misuse::Invalid);
        let entry = match command {
            Command::List(_) => Entry::Scan(ScanListing { number, octets: 120 }),
            Command::Uidl(_) => {
                let id = UniqueId::new(".dot").map_err(Misuse::Invalid)?;
                Entry::UniqueId(UniqueIdListing { number, id })
            }
            Command::Lang(_) => {
                let description = Reply::of(&b"English"[..]).text;
                Entry::Language(Language { tag: tag("en")?, description })
            }
            Command::Capa => Entry::Capability(Capability::Pipelining),
            _ => {
                self.left = 3_000;
                self.write();
                return Ok(());
            }
        };
        self.server.entry(&entry)?;
        self.server.end()
    }

    /// As much of a message as there is room for.
    fn write(&mut self) {
        const LINES: &[u8] = b".\r\n..\r\nabc\r\n";
        while self.left > 0 && self.server.can_write() {
            let n = LINES.len().min(self.left);
            match self.server.write_body(LINES.get(..n).unwrap_or_default()) {
                Ok(taken) => self.left -= taken,
                // The pieces fall behind one another as the outbox has it, so a line end may be torn: that is refused.
                Err(Misuse::BareNewline { .. }) => self.left = 0,
                Err(error) => panic!("there is room and it is not used: {error:?}"),
            }
        }
        if self.left == 0 && self.server.is_answering() {
            assert!(
                matches!(self.server.end(), Ok(()) | Err(Misuse::BareNewline { .. })),
                "a message cannot be ended"
            );
        }
    }
}

impl Subject for App {
    fn machine(&mut self) -> &mut dyn Machine {
        &mut self.server
    }

    fn debug(&self) -> String {
        format!("{:?}", self.server)
    }

    fn inbox(&self) -> usize {
        self.server.inbox()
    }

    fn invariant(&mut self) {
        let held = self.server.output().len();
        assert!(held <= self.outbox + 4_096, "the outbox holds {held} octets");
        let inside = self.server.state() == State::Transaction;
        assert!(self.granted || !inside, "somebody is signed in whom nobody has let in");
    }

    fn app(&mut self, _transcript: &mut Vec<String>) -> bool {
        self.act();
        true
    }

    fn event(&mut self, _input: &InBuf, transcript: &mut Vec<String>) {
        let event = self.server.event();
        transcript.push(format!("{event:?}"));
        self.doing = match event {
            Some(Ok(event)) => Some(match event {
                Event::Command(command) => {
                    let grants = matches!(command, Command::Apop { .. });
                    Doing::Answer { grants, command: Some(command) }
                }
                Event::Login { .. } => Doing::Answer { grants: true, command: None },
                Event::Stls => Doing::Answer { grants: false, command: None },
                Event::BadCommand { .. } => Doing::Refuse,
                Event::Auth { mechanism, .. } => Doing::Auth { name: mechanism.as_str().into() },
                Event::Credentials(_) => Doing::Credentials,
                Event::AuthEnd(result) => Doing::AuthEnd { success: result.is_ok() },
            }),
            Some(Err(_)) => None,
            None => panic!("an event was announced and there is none"),
        };
    }
}
