//! An application with one maildrop, driven by the test kit.

use std::num::NonZeroU32;

use postkey_pop3_proto::Security;
use postkey_pop3_proto::server::{Config, Event, Server};
use postkey_pop3_proto::types::{
    Capability, Code, Command, DropListing, Entry, Lang, Language, LanguageTag, Mechanism, Reply,
    ScanListing, Text, UniqueId, UniqueIdListing,
};
use sasl::{Credentials, ErrorChallenge, ServerExchange, Verdict};
use wire::testkit::Subject;
use wire::{InBuf, Machine};

pub(crate) const TOKEN: &str = "canary-5ecre7-canary";
pub(crate) const DIGEST: &str = "c4c9334bac560ecc979e58001b3e22fb";
pub(crate) const GREETING: &str = "POP3 server ready <1896.697170952@dbc.mtview.ca.us>";

/// How the application behaves.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) config: Config,
    pub(crate) messages: Vec<Vec<u8>>,
    /// The challenge that goes with a refused token.
    pub(crate) refusal: Option<ErrorChallenge>,
    pub(crate) pipelining: bool,
}

impl App {
    pub(crate) fn new(security: Security) -> Self {
        let messages =
            vec![b"From: ana@x\r\n\r\n.one\r\n".to_vec(), b"Subject: two\r\n\r\n.\r\n..\r\nend".to_vec()];
        Self { config: Config::new(security), messages, refusal: None, pipelining: true }
    }

    pub(crate) fn start(&self) -> Running {
        let mut server = Server::new(self.config);
        server.greet(&Reply::ok(GREETING).unwrap()).unwrap();
        let deleted = vec![false; self.messages.len()];
        Running { app: self.clone(), server, todo: None, rest: vec![], deleted }
    }
}

pub(crate) struct Running {
    app: App,
    pub(crate) server: Server,
    todo: Option<Todo>,
    /// What is left to write of a message.
    rest: Vec<u8>,
    pub(crate) deleted: Vec<bool>,
}

enum Todo {
    Refuse(&'static str),
    Agree(&'static str),
    Command(Command),
    Login(bool),
    Auth(Mechanism),
    Credentials(Credentials),
    Write,
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

    fn event(&mut self, _: &InBuf, transcript: &mut Vec<String>) {
        let event = match self.server.event().expect("an event was announced") {
            Ok(event) => event,
            Err(error) => return transcript.push(format!("error: {error:?}")),
        };
        transcript.push(format!("{event:?}"));
        self.todo = Some(match event {
            Event::Command(command) => Todo::Command(command),
            Event::Login { password, .. } => Todo::Login(password.expose() == TOKEN.as_bytes()),
            Event::BadCommand { .. } => Todo::Refuse("not like that"),
            Event::Stls => Todo::Agree("begin TLS"),
            Event::Auth { mechanism, .. } => Todo::Auth(mechanism),
            Event::Credentials(credentials) => Todo::Credentials(credentials),
            Event::AuthEnd(Ok(())) => Todo::Agree("signed in"),
            Event::AuthEnd(Err(_)) => Todo::Refuse("Authentication failed."),
            other => panic!("{other:?}"),
        });
    }

    fn app(&mut self, _: &mut Vec<String>) -> bool {
        let Some(todo) = self.todo.take() else { return false };
        let s = &mut self.server;
        match todo {
            Todo::Refuse(text) => s.complete(&Reply::err(text).unwrap()).unwrap(),
            Todo::Agree(text) => s.complete(&Reply::ok(text).unwrap()).unwrap(),
            Todo::Login(true) => s.complete(&Reply::ok("signed in").unwrap()).unwrap(),
            Todo::Login(false) => {
                s.complete(&Reply::err("no").unwrap().with_code(Code::Auth)).unwrap();
            }
            Todo::Auth(mechanism) => match ServerExchange::named(mechanism.as_str(), s.sasl_limits()) {
                Some(exchange) => s.begin_auth(exchange).unwrap(),
                None => s.complete(&Reply::err("no such mechanism").unwrap()).unwrap(),
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
            Todo::Command(command) => self.answer(&command),
            Todo::Write => self.write(),
        }
        true
    }
}

impl Running {
    fn write(&mut self) {
        let taken = self.server.write_body(&self.rest).unwrap();
        self.rest.drain(..taken);
        if self.rest.is_empty() {
            self.server.end().unwrap();
        } else {
            self.todo = Some(Todo::Write);
        }
    }

    fn message(&self, number: NonZeroU32) -> Option<usize> {
        let at = usize::try_from(number.get()).unwrap() - 1;
        (at < self.deleted.len() && !self.deleted[at]).then_some(at)
    }

    fn answer(&mut self, command: &Command) {
        let refusal = Reply::err("no such message").unwrap();
        let all: Vec<_> = (1..=u32::try_from(self.deleted.len()).unwrap())
            .filter_map(NonZeroU32::new)
            .filter_map(|n| self.message(n).map(|at| (n, at)))
            .collect();
        let size = |at: usize| self.app.messages[at].len() as u64;
        let scan = |(number, at): (NonZeroU32, usize)| ScanListing { number, octets: size(at) };
        let unique = |(number, at): (NonZeroU32, usize)| UniqueIdListing {
            number,
            id: UniqueId::new(format!("uid-{at}")).unwrap(),
        };
        let one = |n: &NonZeroU32| self.message(*n).map(|at| (*n, at));
        let reply = match command {
            Command::Stat => {
                let octets = all.iter().map(|(_, at)| size(*at)).sum();
                Reply::of_drop(&DropListing { messages: u32::try_from(all.len()).unwrap(), octets })
            }
            Command::List(Some(n)) => one(n).map_or(refusal, |m| Reply::of_scan(&scan(m))),
            Command::Uidl(Some(n)) => one(n).map_or(refusal, |m| Reply::of_unique_id(&unique(m))),
            Command::Dele(n) => match self.message(*n) {
                Some(at) => {
                    self.deleted[at] = true;
                    Reply::ok("deleted").unwrap()
                }
                None => refusal,
            },
            Command::Rset => {
                self.deleted.fill(false);
                Reply::ok("all back").unwrap()
            }
            Command::Apop { digest, .. } if digest.expose() != DIGEST => Reply::err("no").unwrap(),
            Command::Lang(Lang::Tag(tag)) => {
                let description = Text::try_from("chosen").unwrap();
                Reply::of_language(&Language { tag: tag.clone(), description })
            }
            Command::Retr(n) | Command::Top { number: n, .. } => match self.message(*n) {
                Some(at) => {
                    self.rest = self.app.messages[at].clone();
                    self.server.start(&Reply::ok("message follows").unwrap()).unwrap();
                    return self.write();
                }
                None => refusal,
            },
            command if command.is_multi_line() => {
                let mechanism = |name: &&str| Mechanism::new(name).unwrap();
                let entries: Vec<Entry<'_>> = match command {
                    Command::List(_) => all.into_iter().map(|m| Entry::Scan(scan(m))).collect(),
                    Command::Uidl(_) => all.into_iter().map(|m| Entry::UniqueId(unique(m))).collect(),
                    Command::Capa => {
                        let mut list = vec![
                            Capability::User,
                            Capability::Uidl,
                            Capability::Sasl(sasl::MECHANISMS.iter().map(mechanism).collect()),
                        ];
                        list.extend(self.app.pipelining.then_some(Capability::Pipelining));
                        list.into_iter().map(Entry::Capability).collect()
                    }
                    _ => ["en", "de"]
                        .map(|tag| {
                            let tag = LanguageTag::new(tag).unwrap();
                            Entry::Language(Language { tag, description: Text::try_from("x y").unwrap() })
                        })
                        .into(),
                };
                self.server.start(&Reply::ok("lines follow").unwrap()).unwrap();
                for entry in &entries {
                    self.server.entry(entry).unwrap();
                }
                return self.server.end().unwrap();
            }
            Command::Unknown { .. } => Reply::err("Protocol error. 14").unwrap(),
            Command::Quit => Reply::ok("signing off").unwrap(),
            _ => Reply::ok("done").unwrap(),
        };
        self.server.complete(&reply).unwrap();
    }
}

/// Runs a conversation under every cut and gives back the events and what was sent behind the greeting, as lines.
pub(crate) fn converse(app: &App, flights: &[&[u8]]) -> (Vec<String>, Vec<String>) {
    let outcome = wire::testkit::check(|| app.start(), flights, &[TOKEN, DIGEST]);
    let sent = String::from_utf8(outcome.sent).unwrap();
    (outcome.transcript, sent.split_terminator("\r\n").skip(1).map(str::to_owned).collect())
}

/// Everything after a sign-in, in one flight: the answers to `commands` and the events they gave.
pub(crate) fn signed_in(app: &App, commands: &str) -> (Vec<String>, Vec<String>) {
    let text = format!("USER ana\r\nPASS {TOKEN}\r\n{commands}");
    let (events, sent) = converse(app, &[text.as_bytes()]);
    (events[2..].to_vec(), sent[2..].to_vec())
}
