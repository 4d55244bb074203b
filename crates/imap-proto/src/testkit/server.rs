//! The fuzz body of the server machine.

#![allow(clippy::panic)]

use core::num::NonZeroU32;

use sasl::{ErrorChallenge, ServerExchange, Verdict};
use wire::{InBuf, Limits, Machine as _, Need, Tick, Upgraded};

use crate::config::Security;
use crate::server::{Config, Event, Rush, Server};
use crate::session::State;
use crate::types::{BodyName, Command, FetchData, Response, Section, StatusKind, StatusResponse, Text};

/// Drives a server with a hostile client. The first four octets set the circumstances: how the connection is protected, how the
/// input is cut, and how the application decides; the rest is what the client sends.
///
/// # Panics
///
/// When the machine stops getting anywhere, holds more memory than its limits allow, reaches a state that nobody granted, or when
/// anything inside panics.
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
    let mut app =
        App { server: Server::new(config), decisions, count: 0, granted: manner & 4 != 0, doing: None };
    let kind = if app.granted { StatusKind::PreAuth } else { StatusKind::Ok };
    let greeting = StatusResponse::untagged(kind, Text::default());
    assert!(app.server.greet(&greeting).is_ok(), "the greeting is refused");

    let mut input = InBuf::new(app.server.inbox());
    let mut rest = octets;
    let mut now = Tick::ZERO;
    for _ in 0..10_000 + 40 * octets.len() {
        let need = app.server.advance(&mut input, now);
        assert!(
            app.server.output().len() <= config.limits.outbox + 4096,
            "the outbox holds {} octets",
            app.server.output().len()
        );
        if app.server.state() == State::Selected || app.server.state() == State::Authenticated {
            assert!(app.granted, "somebody is signed in whom nobody has let in");
        }
        match need {
            Need::Event => app.event(&input),
            Need::App => app.act(),
            Need::Input => {
                let sent = app.server.output().len();
                app.server.output().sent(sent);
                let n = rest.len().min(usize::from(cut) + 1);
                let (piece, later) = rest.split_at(n);
                let taken = input.extend(piece);
                assert!(taken > 0 || piece.is_empty() || sent > 0, "asked to read with a full buffer");
                rest = later;
                if !piece.is_empty() {
                    continue;
                }
                if input.is_closed() {
                    now = app.server.deadline().unwrap_or(now);
                }
                input.close();
            }
            Need::Upgrade(_) => {
                let sent = app.server.output().len();
                app.server.output().sent(sent);
                app.server.upgraded(Upgraded::tls());
            }
            Need::Close => return,
        }
    }
    panic!("the machine does not come to an end: {:?}", app.server);
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
    decisions: u8,
    count: u32,
    granted: bool,
    doing: Option<Doing>,
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
    fn yes(&mut self) -> bool {
        self.count = self.count.wrapping_add(1);
        self.decisions.rotate_left(self.count) & 1 == 0
    }

    fn event(&mut self, input: &InBuf) {
        let doing = match self.server.event(input) {
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
                    if !self.yes() {
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
            Doing::Append if yes => self.server.accept_body(),
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
