//! The fuzz body of the server machine.

#![allow(clippy::panic)]

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::num::NonZeroU32;

use sasl::{ErrorChallenge, ServerExchange, Verdict};
use wire::{InBuf, Limits, Machine as _, Need, Tick, Upgraded};

use crate::server::{Config, Event, Rush, Server};
use crate::session::State;
use crate::types::{BodyName, Command, FetchData, Response, Section, StatusKind, StatusResponse, Text};
use wire::Security;

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
    let mut config = Config::new(match manner & 3 {
        0 => Security::Tls,
        1 => Security::StartTls,
        _ => Security::DangerousPlaintext,
    });
    config.limits = limits();
    config.rush = match rush % 3 {
        0 => Rush::Never,
        1 => Rush::Small,
        _ => Rush::Always,
    };
    let make = || App::new(config, decisions, manner & 4 != 0);
    // A client that reads when it must, and then two that read at once.
    make().run(octets, usize::from(cut) + 1, false);
    let whole = make().run(octets, usize::MAX, true);
    let pieces = make().run(octets, 1 + usize::from(cut) % 9, true);
    assert_eq!(whole.log, pieces.log, "what happens depends on how the octets are cut");
    assert_eq!(
        whole.sent.escape_ascii().to_string(),
        pieces.sent.escape_ascii().to_string(),
        "what is sent depends on how the octets are cut"
    );
}

/// Small enough that short inputs reach them.
fn limits() -> Limits {
    let mut limits = Limits::DEFAULT;
    limits.line = 512;
    limits.pre_auth_line = 256;
    limits.pre_auth_total = 2_048;
    limits.pre_auth_literal = 64;
    limits.literal = 512;
    limits.literals = 8;
    limits.body = 2_048;
    limits.long_line = 1_024;
    limits.sasl_challenge = 512;
    limits.outbox = 1_024;
    limits.nesting = 8;
    limits
}

/// Says yes or no by the bits of one octet, in turn.
struct App {
    server: Server,
    limits: Limits,
    decisions: u8,
    count: u32,
    granted: bool,
    doing: Option<Doing>,
    /// Refuse the message at its first octets.
    tired: bool,
    log: Vec<String>,
    sent: Vec<u8>,
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
        let (log, sent) = (Vec::new(), Vec::new());
        Self {
            server,
            limits: config.limits,
            decisions,
            count: 0,
            granted,
            doing: None,
            tired: false,
            log,
            sent,
        }
    }

    /// Converses until the end; `eager`: everything is read by the client as soon as it is there.
    fn run(mut self, octets: &[u8], cut: usize, eager: bool) -> Self {
        let mut input = InBuf::new(self.server.inbox());
        let mut flights = octets.split(|octet| *octet == 0xff);
        let mut rest = flights.next().unwrap_or_default();
        let mut now = Tick::ZERO;
        for _ in 0..10_000 + 40 * octets.len() {
            let need = self.server.advance(&mut input, now);
            let held = self.server.output().len();
            assert!(held <= self.limits.outbox + 4096, "the outbox holds {held} octets");
            if matches!(self.server.state(), State::Selected | State::Authenticated) {
                assert!(self.granted, "somebody is signed in whom nobody has let in");
            }
            if eager || matches!(need, Need::Input | Need::Upgrade(_)) {
                self.send();
            }
            match need {
                Need::Event => self.event(&input),
                Need::App => self.act(),
                Need::Upgrade(_) => {
                    // What is on its way already comes from outside the new layer.
                    if rest.is_empty() {
                        self.server.upgraded(Upgraded::tls());
                        rest = flights.next().unwrap_or_default();
                    } else {
                        let taken = input.extend(rest.get(..rest.len().min(cut)).unwrap_or_default());
                        rest = rest.get(taken..).unwrap_or_default();
                    }
                }
                Need::Input if !rest.is_empty() => {
                    let taken = input.extend(rest.get(..rest.len().min(cut)).unwrap_or_default());
                    assert!(taken > 0 || held > 0, "asked to read with a full buffer");
                    rest = rest.get(taken..).unwrap_or_default();
                }
                Need::Input => {
                    if input.is_closed() {
                        now = self.server.deadline().unwrap_or(now);
                    }
                    input.close();
                }
                Need::Close => {
                    self.send();
                    return self;
                }
            }
        }
        panic!("the machine does not come to an end: {:?}", self.server);
    }

    /// The client reads.
    fn send(&mut self) {
        let out = self.server.output();
        self.sent.extend_from_slice(out.pending());
        let n = out.len();
        out.sent(n);
    }

    fn yes(&mut self) -> bool {
        self.count = self.count.wrapping_add(1);
        self.decisions.rotate_left(self.count) & 1 == 0
    }

    fn event(&mut self, input: &InBuf) {
        let event = self.server.event(input);
        match &event {
            // How they are cut means nothing.
            Some(Ok(Event::BodyChunk(_))) => {}
            other => self.log.push(format!("{other:?}")),
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

    fn act(&mut self) {
        let Some(doing) = self.doing.take() else {
            panic!("the machine waits for an application that has nothing to do");
        };
        let yes = self.yes();
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
                let refusal = self.yes().then(|| ErrorChallenge::new("400"));
                self.server.verdict(if yes { Verdict::Accept } else { Verdict::Refuse(refusal) })
            }
            Doing::Append if yes => {
                self.tired = self.yes();
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
