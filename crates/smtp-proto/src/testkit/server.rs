//! An application with one mailbox behind the server machine, for `wire::testkit`, and the fuzz body of the machine.

#![allow(clippy::panic)]

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use sasl::{Credentials, ErrorChallenge, ServerExchange, Verdict};
use wire::testkit::{Subject, fuzz_lines, security, small_limits};
use wire::{InBuf, Machine, Security};

use crate::server::{Config, Event, Server};
use crate::session::Dialect;
use crate::types::{Capabilities, EhloName, Extension, Reply};

/// How the application behaves.
#[derive(Clone, Debug)]
pub struct App {
    /// Settings of its machine.
    pub config: Config,
    /// Lines of the reply to EHLO behind the first.
    pub extensions: Vec<&'static str>,
    /// The token or password that is good.
    pub secret: &'static str,
    /// The challenge that goes with a refused token.
    pub challenge: Option<ErrorChallenge>,
    /// Recipients with this local part are refused.
    pub unknown: &'static str,
    /// In LMTP the message is refused for recipients with this local part.
    pub full: &'static str,
    /// Refuse whatever can be refused.
    pub unwilling: bool,
    /// Reply 421 to the last command that can be answered like that, counted from 0.
    pub quits_at: Option<usize>,
}

impl App {
    /// A willing application that offers everything.
    pub fn new(security: Security) -> Self {
        Self {
            config: Config::new(security),
            extensions: alloc::vec![
                "PIPELINING",
                "SIZE 10000000",
                "8BITMIME",
                "BINARYMIME",
                "CHUNKING",
                "SMTPUTF8",
                "DSN",
                "ENHANCEDSTATUSCODES",
                "STARTTLS",
                "AUTH XOAUTH2 OAUTHBEARER PLAIN LOGIN",
            ],
            secret: "canary-5ecre7-canary",
            challenge: None,
            unknown: "nobody",
            full: "full",
            unwilling: false,
            quits_at: None,
        }
    }

    /// At the start of a connection, greeted.
    pub fn start(&self) -> Running {
        let mut server = Server::new(self.config);
        let greeted = server.greet(&reply(220, "mx.example ready"));
        assert!(greeted.is_ok(), "the greeting is refused: {greeted:?}");
        Running {
            app: self.clone(),
            server,
            todo: Vec::new(),
            recipients: Vec::new(),
            body: Vec::new(),
            messages: Vec::new(),
            answers: 0,
        }
    }
}

/// The application at work.
pub struct Running {
    app: App,
    /// The machine.
    pub server: Server,
    todo: Vec<Todo>,
    recipients: Vec<String>,
    body: Vec<u8>,
    /// Messages accepted so far.
    pub messages: Vec<Vec<u8>>,
    answers: usize,
}

enum Todo {
    Reply(Reply),
    Data,
    Exchange(String),
    Verdict(bool),
    Message(bool),
}

fn reply(code: u16, text: &str) -> Reply {
    crate::types::ReplyCode::new(code)
        .and_then(|code| Reply::new(code, None, text))
        .unwrap_or_else(|e| panic!("{code} {text}: {e}"))
}

impl Running {
    fn capabilities(&self) -> Reply {
        let name = EhloName::new("mx.example").unwrap_or_else(|_| unreachable!("a domain"));
        let extensions = self.app.extensions.iter().filter(|e| {
            let starttls = e.starts_with("STARTTLS");
            !starttls || (self.app.config.security == Security::StartTls && !self.server.is_secure())
        });
        let extensions = extensions.map(|e| {
            let mut words = e.split(' ');
            Extension::new(words.next().unwrap_or_default(), words).unwrap_or_else(|e| panic!("{e}"))
        });
        Capabilities::new(&name, extensions.collect()).unwrap_or_else(|e| panic!("{e}")).to_reply()
    }

    fn answer(&mut self, todo: Todo) {
        self.answers = self.answers.saturating_add(1);
        if self.app.quits_at == Some(self.answers) {
            assert_eq!(self.server.reply(&reply(421, "going down")), Ok(()));
            return;
        }
        let done = match todo {
            Todo::Reply(reply) => self.server.reply(&reply),
            Todo::Data => self.server.accept_data("go ahead"),
            Todo::Exchange(mechanism) => match ServerExchange::named(&mechanism, self.server.sasl_limits()) {
                Some(exchange) if !self.app.unwilling => self.server.begin_auth(exchange),
                _ => self.server.reply(&reply(504, "5.5.4 unknown mechanism")),
            },
            Todo::Verdict(true) => self.server.verdict(Verdict::Accept),
            Todo::Verdict(false) => self.server.verdict(Verdict::Refuse(self.app.challenge.clone())),
            Todo::Message(fine) => {
                let mut done = Ok(());
                let lmtp = self.app.config.dialect == Dialect::Lmtp;
                let mut recipients = core::mem::take(&mut self.recipients).into_iter();
                while self.server.replies_due() > 0 && done.is_ok() && self.server.is_answering() {
                    let full = lmtp && recipients.next().is_some_and(|r| r == self.app.full);
                    done = self.server.reply(&match () {
                        () if !fine => reply(550, "5.6.11 not like that"),
                        () if full => reply(452, "4.2.2 mailbox full"),
                        () => reply(250, "2.0.0 delivered"),
                    });
                }
                done
            }
        };
        assert_eq!(done, Ok(()), "the machine refuses the answer it asked for");
    }
}

impl Subject for Running {
    fn machine(&mut self) -> &mut dyn Machine {
        &mut self.server
    }

    fn debug(&self) -> String {
        format!("{:?}", self.server)
    }

    fn event(&mut self, input: &InBuf, transcript: &mut Vec<String>) {
        let ok = |text| if self.app.unwilling { reply(451, "4.3.0 not today") } else { reply(250, text) };
        let event = match self.server.event(input) {
            Some(Ok(event)) => event,
            Some(Err(error)) => return transcript.push(format!("error: {error:?}")),
            None => panic!("an event was announced"),
        };
        let todo = match &event {
            Event::Hello { kind: crate::server::HelloKind::Helo, .. } => {
                Todo::Reply(reply(250, "mx.example"))
            }
            Event::Hello { .. } => Todo::Reply(self.capabilities()),
            Event::StartTls if self.app.unwilling => Todo::Reply(reply(454, "4.7.0 no TLS today")),
            Event::StartTls => Todo::Reply(reply(220, "2.0.0 go")),
            Event::Auth { mechanism, .. } => Todo::Exchange(mechanism.to_string()),
            Event::Credentials(Credentials::Bearer { token, .. }) => {
                Todo::Verdict(token.expose() == self.app.secret)
            }
            Event::Credentials(Credentials::Password { password, .. }) => {
                Todo::Verdict(password.expose() == self.app.secret)
            }
            Event::AuthEnd(Ok(())) => Todo::Reply(reply(235, "2.7.0 in")),
            Event::AuthEnd(Err(sasl::Error::Refused)) => {
                Todo::Reply(reply(535, "5.7.3 Authentication unsuccessful"))
            }
            Event::AuthEnd(Err(_)) => Todo::Reply(reply(501, "5.5.2 cannot be understood")),
            Event::Mail { .. } => {
                self.recipients.clear();
                self.body.clear();
                Todo::Reply(ok("2.1.0 sender fine"))
            }
            Event::Rcpt { to, .. } => {
                let local = to.mailbox().map_or("postmaster", |m| m.local_part());
                if local == self.app.unknown {
                    Todo::Reply(reply(550, "5.1.1 nobody of that name"))
                } else {
                    self.recipients.push(local.to_string());
                    Todo::Reply(ok("2.1.5 recipient fine"))
                }
            }
            Event::Data if self.app.unwilling => Todo::Reply(reply(451, "4.3.0 not today")),
            Event::Data => {
                self.body.clear();
                Todo::Data
            }
            Event::BodyChunk(octets) => {
                assert!(!octets.is_empty(), "an empty piece of a message");
                self.body.extend_from_slice(octets);
                return transcript.push(format!("data:{}", octets.escape_ascii()));
            }
            Event::ChunkEnd { fault: Some(fault), .. } => Todo::Reply(fault.reply()),
            Event::ChunkEnd { .. } => Todo::Reply(ok("2.0.0 chunk fine")),
            Event::BodyEnd { octets, fault } => {
                let body = core::mem::take(&mut self.body);
                if fault.is_none() {
                    assert_eq!(*octets, body.len() as u64, "octets are missing");
                    self.messages.push(body);
                }
                Todo::Message(fault.is_none())
            }
            Event::Quit => Todo::Reply(reply(221, "2.0.0 bye")),
            Event::BadCommand { fault, .. } => Todo::Reply(fault.reply()),
            _ => Todo::Reply(reply(250, "2.0.0 fine")),
        };
        transcript.push(format!("{event:?}"));
        self.todo.push(todo);
    }

    fn app(&mut self, _transcript: &mut Vec<String>) -> bool {
        match self.todo.pop() {
            Some(todo) => {
                self.answer(todo);
                true
            }
            None => false,
        }
    }
}

/// Drives a server with a hostile client. The first octet sets the circumstances, the rest is what the client sends, line by line.
///
/// # Panics
/// When the machine stops getting anywhere, lets somebody in without the secret, does something else when the same octets come in other
/// pieces, or when anything inside panics.
pub fn fuzz_server(data: &[u8]) {
    play(data);
}

/// What happens when the octets come line by line, and the messages that were accepted.
pub(super) fn play(data: &[u8]) -> (Vec<String>, Vec<Vec<u8>>) {
    let Some((&manner, octets)) = data.split_first() else { return Default::default() };
    let mut app = App::new(security(manner));
    app.config.limits = small_limits();
    app.config.recipients = 3;
    app.config.require_auth = manner & 4 != 0;
    app.config.dialect = if manner & 8 == 0 { Dialect::Smtp } else { Dialect::Lmtp };
    app.unwilling = manner & 16 != 0;
    app.quits_at = (manner & 32 != 0).then_some(5);
    let guessed = octets.split(|c| matches!(c, b' ' | b'\r' | b'\n')).any(|word| {
        let known = |text: &[u8]| memchr::memmem::find(text, app.secret.as_bytes()).is_some();
        known(word) || sasl::base64::decode(word).is_ok_and(|message| known(&message))
    });
    // Line by line: what stands behind DATA in the same piece is another story than what comes later.
    let (running, whole) = fuzz_lines(|| app.start(), octets, &mut |n| n.min(1 + usize::from(manner >> 6)));
    assert!(!running.server.is_authenticated() || guessed, "somebody is signed in without the secret");
    (whole.transcript, running.messages)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn any_octets_end(data in proptest::collection::vec(any::<u8>(), 0..300)) {
            fuzz_server(&data);
        }

        #[test]
        fn octets_that_look_like_commands_end(
            manner in any::<u8>(),
            pieces in proptest::collection::vec(proptest::sample::select(alloc::vec![
                "EHLO x\r\n", "LHLO x\r\n", "HELO x\r\n", "MAIL FROM:<a@b>\r\n", "RCPT TO:<c@d>\r\n", "RCPT TO:<full@d>\r\n", "DATA\r\n", "BDAT 5\r\n",
                "BDAT 3 LAST\r\n", "abc", "a\r\n", ".\r\n", "..\r\n", ".\n", "\r", "BDAT 99999\r\n", "RSET\r\n", "QUIT\r\n", "NOOP\r\n", "STARTTLS\r\n",
                "AUTH PLAIN\r\n", "AUTH PLAIN AGFuYQBjYW5hcnktNWVjcmU3LWNhbmFyeQ==\r\n", "AUTH LOGIN\r\n", "*\r\n", "\r\n", "AGFuYQB4\r\n",
                "MAIL FROM:<> SIZE=99999999 BODY=BINARYMIME\r\n", "VRFY x\r\n",
            ]), 0..40),
        ) {
            let mut data = alloc::vec![manner];
            data.extend(pieces.concat().into_bytes());
            fuzz_server(&data);
        }
    }
}
