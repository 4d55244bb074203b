//! The fuzz body of the server machine.

#![allow(clippy::panic)]

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::num::NonZeroU32;

use sasl::{ErrorChallenge, ServerExchange, Verdict};
use wire::testkit::{Decisions, Subject, fuzz_octets, security, small_limits};
use wire::{InBuf, Machine};

use crate::server::{Config, Event, Rush, Server};
use crate::session::State;
use crate::types::{BodyName, Command, FetchData, Response, Section, StatusKind, StatusResponse, Text};

/// Drives a server with a hostile client. The first four octets set the circumstances: how the connection is protected, how the
/// input is cut, and how the application decides; the rest is what the client sends, the octet 0xff standing for the TLS handshake.
///
/// # Panics
///
/// When the machine stops getting anywhere, holds more memory than its limits allow, reaches a state that nobody granted, does
/// something else when the same octets come in other pieces, or when anything inside panics.
pub fn fuzz_server(data: &[u8]) {
    let Some(([manner, cut, decisions, rush], octets)) = data.split_first_chunk::<4>().map(|(a, b)| (*a, b))
    else {
        return;
    };
    let mut config = Config::new(security(manner));
    config.limits = small_limits();
    config.rush = match rush % 3 {
        0 => Rush::Never,
        1 => Rush::Small,
        _ => Rush::Always,
    };
    let _ = fuzz_octets(|| App::new(config, decisions, manner & 4 != 0), octets, cut);
}

/// Says yes or no as the octet of decisions has it.
struct App {
    server: Server,
    outbox: usize,
    decisions: Decisions,
    granted: bool,
    doing: Option<Doing>,
    /// Refuse the message at its first octets.
    tired: bool,
}

#[derive(Clone, Copy)]
enum Doing {
    Command { grants: bool, fetch: bool },
    Bad,
    Authenticate { xoauth2: bool },
    Credentials,
    AuthEnd { success: bool },
    Append,
    Idle,
}

impl App {
    fn new(config: Config, decisions: u8, granted: bool) -> Self {
        let mut server = Server::new(config);
        let kind = if granted { StatusKind::PreAuth } else { StatusKind::Ok };
        let greeted = server.greet(&StatusResponse::untagged(kind, Text::default()));
        assert!(greeted.is_ok(), "the greeting is refused: {greeted:?}");
        let decisions = Decisions::new(decisions);
        Self { server, outbox: config.limits.outbox, decisions, granted, doing: None, tired: false }
    }

    fn act(&mut self) {
        let Some(doing) = self.doing.take() else {
            panic!("the machine waits for an application that has nothing to do");
        };
        let yes = self.decisions.yes();
        let done = match doing {
            Doing::Bad => self.server.complete(StatusKind::Bad, None, "no"),
            Doing::Command { grants, fetch } => {
                self.granted |= grants && yes;
                if fetch && !self.fetch() {
                    return;
                }
                let _ = self.server.untagged(&Response::Exists(1));
                self.answer(yes)
            }
            Doing::AuthEnd { success } => {
                self.granted |= success && yes;
                assert!(
                    success || self.server.complete(StatusKind::Ok, None, "").is_err(),
                    "a refused sign-in can be completed with OK"
                );
                self.answer(success && yes)
            }
            Doing::Authenticate { xoauth2 } => match ServerExchange::named(
                if xoauth2 { "XOAUTH2" } else { "LOGIN" },
                self.server.sasl_limits(),
            ) {
                Some(exchange) if yes => self.server.begin_auth(exchange),
                _ => self.answer(false),
            },
            Doing::Credentials => {
                let refusal = self.decisions.yes().then(|| ErrorChallenge::new("400"));
                self.server.verdict(if yes { Verdict::Accept } else { Verdict::Refuse(refusal) })
            }
            Doing::Append if yes => {
                self.tired = self.decisions.yes();
                self.server.accept_body()
            }
            Doing::Idle if yes => self.server.accept_idle("idling"),
            Doing::Append | Doing::Idle => self.answer(false),
        };
        assert!(done.is_ok(), "a call at the right time is refused: {done:?}");
    }

    fn answer(&mut self, yes: bool) -> Result<(), crate::Misuse> {
        self.server.complete(if yes { StatusKind::Ok } else { StatusKind::No }, None, "done")
    }

    /// Sends FETCH data; `false` when it had to hang up in the middle.
    fn fetch(&mut self) -> bool {
        let name = BodyName::Section(Section::FULL);
        let mut begin = || {
            self.server.fetch_start(NonZeroU32::MIN)?;
            self.server.fetch_item(&FetchData::Uid(NonZeroU32::MIN))?;
            self.server.fetch_body(&name, None, 2)
        };
        let begun = begin();
        assert!(begun.is_ok(), "FETCH data is refused: {begun:?}");
        while self.server.body_left() > 0 && self.server.can_write() {
            assert_eq!(self.server.write_body(b"x"), Ok(1), "there is room and it is not used");
        }
        if self.server.body_left() > 0 {
            // Nowhere to put the rest: all that is left is to hang up.
            self.server.disconnect();
            return false;
        }
        assert!(self.server.fetch_end().is_ok(), "FETCH data cannot be ended");
        true
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
        let inside = matches!(self.server.state(), State::Selected | State::Authenticated);
        assert!(self.granted || !inside, "somebody is signed in whom nobody has let in");
    }

    fn app(&mut self, _transcript: &mut Vec<String>) -> bool {
        self.act();
        true
    }

    fn event(&mut self, input: &InBuf, transcript: &mut Vec<String>) {
        let event = self.server.event(input);
        match &event {
            // How they are cut means nothing.
            Some(Ok(Event::BodyChunk(_))) => {}
            other => transcript.push(format!("{other:?}")),
        }
        let doing = match event {
            Some(Ok(event)) => match event {
                Event::Command { command, .. } => Doing::Command {
                    grants: matches!(*command, Command::Login { .. }),
                    fetch: matches!(*command, Command::Fetch { .. }),
                },
                Event::BadCommand { .. } => Doing::Bad,
                Event::StartTls { .. } | Event::BodyEnd | Event::IdleDone => {
                    Doing::Command { grants: false, fetch: false }
                }
                Event::Authenticate { mechanism, .. } => {
                    Doing::Authenticate { xoauth2: mechanism.is("XOAUTH2") }
                }
                Event::Credentials(_) => Doing::Credentials,
                Event::AuthEnd(result) => Doing::AuthEnd { success: result.is_ok() },
                Event::Append { .. } => Doing::Append,
                Event::Idle { .. } => Doing::Idle,
                Event::BodyChunk(chunk) => {
                    assert!(!chunk.is_empty(), "an empty piece of a message");
                    if core::mem::take(&mut self.tired) {
                        let refused = self.server.complete(StatusKind::No, None, "enough");
                        assert!(refused.is_ok(), "a message cannot be refused half way: {refused:?}");
                    }
                    return;
                }
            },
            Some(Err(_)) => return,
            None => panic!("an event was announced and there is none"),
        };
        self.doing = Some(doing);
    }
}
