//! An application with one mailbox, driven by the test kit.

use std::num::NonZeroU32;

use postkey_imap_proto::server::{Config, Event, Rush, Server};
use postkey_imap_proto::types::{
    BodyName, Capabilities, Capability, Code, Command, Delimiter, FetchData, FlagSet, ListEntry, ListKind,
    Mailbox, Response, Section, StatusKind, StatusResponse, Text,
};
use postkey_imap_proto::{Security, State};
use sasl::{Credentials, ErrorChallenge, ServerExchange, Verdict};
use wire::testkit::Subject;
use wire::{InBuf, Machine};

pub(crate) const TOKEN: &str = "canary-5ecre7-canary";
pub(crate) const MESSAGE: &[u8] = b"From: ana@contoso.example\r\nSubject: hello\r\n\r\nHi {5}\r\n";

/// How the application behaves.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) config: Config,
    /// Accept SASL exchanges and literals.
    pub(crate) willing: bool,
    /// The challenge that goes with a refused token.
    pub(crate) refusal: Option<ErrorChallenge>,
    /// Refuse a message after its first piece.
    pub(crate) tired: bool,
    pub(crate) preauth: bool,
}

impl App {
    pub(crate) fn new(security: Security) -> Self {
        Self { config: Config::new(security), willing: true, refusal: None, tired: false, preauth: false }
    }

    /// Signed in from the start.
    pub(crate) fn preauth() -> Self {
        Self { preauth: true, ..Self::new(Security::Tls) }
    }

    pub(crate) fn rush(mut self, rush: Rush) -> Self {
        self.config.rush = rush;
        self
    }

    pub(crate) fn start(&self) -> Running {
        let mut server = Server::new(self.config);
        let (kind, text) = match self.preauth {
            true => (StatusKind::PreAuth, "welcome back"),
            false => (StatusKind::Ok, "ready"),
        };
        server.greet(&StatusResponse::untagged(kind, Text::try_from(text).unwrap())).unwrap();
        Running { app: self.clone(), server, todo: None, appended: 0 }
    }
}

pub(crate) struct Running {
    app: App,
    pub(crate) server: Server,
    todo: Option<Todo>,
    appended: usize,
}

enum Todo {
    Answer(Command<'static>),
    Bad(&'static str),
    Ok(&'static str),
    Authenticate(String),
    Credentials(Credentials),
    AuthEnd(bool),
    Append,
    Idle,
}

impl Subject for Running {
    fn machine(&mut self) -> &mut dyn Machine {
        &mut self.server
    }

    fn debug(&self) -> String {
        format!("{:?}", self.server)
    }

    fn inbox(&self) -> usize {
        self.server.inbox()
    }

    fn event(&mut self, input: &InBuf, transcript: &mut Vec<String>) {
        let event = match self.server.event(input).expect("an event was announced") {
            Ok(event) => event,
            Err(error) => {
                transcript.push(format!("error: {error:?}"));
                return;
            }
        };
        let (line, todo) = match event {
            Event::Command { tag, command } => {
                (format!("{tag} {command:?}"), Todo::Answer(command.into_owned()))
            }
            Event::BadCommand { tag, fault, closes } => {
                let tag = tag.map_or("*".into(), |t| t.to_string());
                let closes = if closes { " closes" } else { "" };
                (format!("{tag} bad: {fault:?}{closes}"), Todo::Bad("not like that"))
            }
            Event::StartTls { tag } => (format!("{tag} STARTTLS"), Todo::Ok("begin TLS")),
            Event::Authenticate { tag, mechanism, initial } => (
                format!("{tag} AUTHENTICATE {mechanism} initial={initial}"),
                Todo::Authenticate(mechanism.to_string()),
            ),
            Event::Credentials(c) => (format!("{c:?}"), Todo::Credentials(c)),
            Event::AuthEnd(result) => (format!("sign-in: {result:?}"), Todo::AuthEnd(result.is_ok())),
            Event::Append { tag, mailbox, flags, date, len, binary } => (
                format!("{tag} APPEND {mailbox:?} {flags:?} {:?} len={len} binary={binary}", date.is_some()),
                Todo::Append,
            ),
            Event::BodyChunk(chunk) => {
                if self.app.tired {
                    if self.appended == 0 {
                        transcript.push("enough".into());
                        self.server.complete(StatusKind::No, Some(Code::OverQuota), "full").unwrap();
                    }
                } else {
                    transcript.push(format!("data:{}", chunk.escape_ascii()));
                }
                self.appended += chunk.len();
                return;
            }
            Event::BodyEnd => ("message complete".into(), Todo::Ok("APPEND completed.")),
            Event::Idle { tag } => (format!("{tag} IDLE"), Todo::Idle),
            Event::IdleDone => ("DONE".into(), Todo::Ok("IDLE completed.")),
            other => panic!("{other:?}"),
        };
        transcript.push(line);
        self.todo = Some(todo);
    }

    fn app(&mut self, _: &mut Vec<String>) -> bool {
        let Some(todo) = self.todo.take() else { return false };
        let willing = self.app.willing;
        let s = &mut self.server;
        match todo {
            Todo::Answer(command) => self.answer(&command),
            Todo::Bad(text) => s.complete(StatusKind::Bad, None, text).unwrap(),
            Todo::Ok(text) => s.complete(StatusKind::Ok, None, text).unwrap(),
            Todo::Authenticate(mechanism) => match ServerExchange::named(&mechanism, s.sasl_limits()) {
                Some(exchange) if willing => s.begin_auth(exchange).unwrap(),
                _ => s.complete(StatusKind::No, None, "no such mechanism").unwrap(),
            },
            Todo::Credentials(credentials) => {
                let good = match &credentials {
                    Credentials::Bearer { token, .. } => token.expose() == TOKEN,
                    Credentials::Password { password, .. } => password.expose() == TOKEN,
                    _ => false,
                };
                let verdict = if good { Verdict::Accept } else { Verdict::Refuse(self.app.refusal.clone()) };
                s.verdict(verdict).unwrap();
            }
            Todo::AuthEnd(true) => s.complete(StatusKind::Ok, None, "AUTHENTICATE completed.").unwrap(),
            Todo::AuthEnd(false) => s.complete(StatusKind::No, None, "AUTHENTICATE failed.").unwrap(),
            Todo::Append if willing => s.accept_body().unwrap(),
            Todo::Append => s.complete(StatusKind::No, Some(Code::TryCreate), "no such folder").unwrap(),
            Todo::Idle if willing => {
                s.accept_idle("idling").unwrap();
                s.untagged(&Response::Exists(3)).unwrap();
            }
            Todo::Idle => s.complete(StatusKind::No, None, "not now").unwrap(),
        }
        true
    }
}

impl Running {
    fn answer(&mut self, command: &Command<'_>) {
        let s = &mut self.server;
        let mut code = None;
        match command {
            Command::Capability => {
                let list =
                    ["IMAP4rev1", "LITERAL+", "SASL-IR", "AUTH=XOAUTH2", "AUTH=PLAIN", "IDLE", "STARTTLS"];
                let list = list.iter().map(|c| Capability::new(c).unwrap()).collect::<Capabilities<'_>>();
                s.untagged(&Response::Capability(list)).unwrap();
            }
            Command::Login { password, .. } if password.expose() != TOKEN.as_bytes() => {
                return s
                    .complete(StatusKind::No, Some(Code::AuthenticationFailed), "LOGIN failed.")
                    .unwrap();
            }
            Command::List { .. } => {
                let entry = ListEntry {
                    kind: ListKind::List,
                    attributes: vec![],
                    delimiter: Some(Delimiter::SLASH),
                    mailbox: Mailbox::INBOX,
                };
                s.untagged(&Response::List(entry)).unwrap();
            }
            Command::Select { mailbox, .. } => {
                if *mailbox != Mailbox::INBOX {
                    return s.complete(StatusKind::No, Some(Code::NonExistent), "no such folder").unwrap();
                }
                s.untagged(&Response::Exists(2)).unwrap();
                code = Some(Code::ReadWrite);
            }
            Command::Fetch { .. } => self.fetch(),
            Command::Logout => s.untagged(&bye("signing off")).unwrap(),
            Command::Unknown { .. } => {
                return s.complete(StatusKind::Bad, None, "Command Error. 10").unwrap();
            }
            _ => {}
        }
        self.server.complete(StatusKind::Ok, code, "completed.").unwrap();
    }

    fn fetch(&mut self) {
        let s = &mut self.server;
        s.fetch_start(NonZeroU32::new(2).unwrap()).unwrap();
        s.fetch_item(&FetchData::Uid(NonZeroU32::new(7).unwrap())).unwrap();
        s.fetch_item(&FetchData::Flags(FlagSet::default())).unwrap();
        s.fetch_body(&BodyName::Section(Section::FULL), None, MESSAGE.len() as u64).unwrap();
        assert_eq!(s.write_body(MESSAGE).unwrap(), MESSAGE.len());
        s.fetch_end().unwrap();
    }
}

pub(crate) fn bye(text: &'static str) -> Response<'static> {
    Response::Status(StatusResponse::untagged(StatusKind::Bye, Text::try_from(text).unwrap()))
}

/// Runs a conversation under every cut and gives back the events and what was sent, as lines.
pub(crate) fn converse(app: &App, flights: &[&[u8]]) -> (Vec<String>, Vec<String>) {
    let outcome = wire::testkit::check(|| app.start(), flights, &[TOKEN]);
    let sent = String::from_utf8(outcome.sent).unwrap();
    (outcome.transcript, sent.split_terminator("\r\n").map(str::to_owned).collect())
}

/// The state after everything has been sent to a server, without the end of the stream.
pub(crate) fn state_after(app: &App, octets: &[u8]) -> State {
    let mut running = app.start();
    let mut input = InBuf::new(1 << 20);
    input.extend(octets);
    let mut transcript = vec![];
    loop {
        match running.server.advance(&mut input, wire::Tick::ZERO) {
            wire::Need::Event => running.event(&input, &mut transcript),
            wire::Need::App => assert!(running.app(&mut transcript)),
            wire::Need::Upgrade(_) => running.server.upgraded(wire::Upgraded::tls()),
            wire::Need::Input if !running.server.output().is_empty() => {
                let n = running.server.output().len();
                running.server.output().sent(n);
            }
            wire::Need::Input | wire::Need::Close => return running.server.state(),
        }
    }
}
