//! The fuzz body of the server machine.

#![allow(clippy::panic)]

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::num::NonZeroU32;

use sasl::{ErrorChallenge, ServerExchange, Verdict};
use wire::dot::BareNewline;
use wire::{InBuf, Limits, Machine as _, Need, Security, Tick, Upgraded};

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
    let mut config = Config::new(match manner & 3 {
        0 => Security::Tls,
        1 => Security::StartTls,
        _ => Security::DangerousPlaintext,
    });
    config.limits = limits();
    config.longest_command = 128;
    config.bare_plus = manner & 4 != 0;
    if manner & 8 != 0 {
        config.bare_newline = BareNewline::Refuse;
    }
    let make = || App::new(config, decisions);
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
    whole.log
}

/// Small enough that short inputs reach them.
fn limits() -> Limits {
    let mut limits = Limits::DEFAULT;
    limits.line = 256;
    limits.pre_auth_line = 192;
    limits.pre_auth_total = 2_048;
    limits.sasl_challenge = 512;
    limits.outbox = 1_024;
    limits
}

/// Says yes or no by the bits of one octet, in turn.
struct App {
    server: Server,
    decisions: u8,
    count: u32,
    granted: bool,
    doing: Option<Doing>,
    /// Octets of a message still to be written.
    left: usize,
    log: Vec<String>,
    sent: Vec<u8>,
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
        let (log, sent) = (Vec::new(), Vec::new());
        Self { server, decisions, count: 0, granted: false, doing: None, left: 0, log, sent }
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
            assert!(held <= 1_024 + 4_096, "the outbox holds {held} octets");
            if self.server.state() == State::Transaction {
                assert!(self.granted, "somebody is signed in whom nobody has let in");
            }
            if eager || matches!(need, Need::Input | Need::Upgrade(_)) {
                self.send();
            }
            match need {
                Need::Event => self.event(),
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

    fn event(&mut self) {
        let event = self.server.event();
        self.log.push(format!("{event:?}"));
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

    fn act(&mut self) {
        if self.left > 0 {
            return self.write();
        }
        let Some(doing) = self.doing.take() else {
            panic!("the machine waits for an application that has nothing to do");
        };
        let yes = self.yes();
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
                let refusal = self.yes().then(|| ErrorChallenge::new("400"));
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
