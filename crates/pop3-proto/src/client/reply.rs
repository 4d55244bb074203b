//! What a status line means for the command in flight.

use alloc::boxed::Box;

use wire::Layer;

use super::Client;
use super::event::{Completed, Event};
use super::multi::Multi;
use super::queue::{Kind, Pending};
use crate::error::Error;
use crate::grammar::{self, ParseError};
use crate::session::State;
use crate::types::{Reply, Timestamp};

impl Client {
    /// A status line with the credentials of this connection taken out, whatever the server put in.
    fn scrubbed(&self, line: &[u8]) -> Result<Reply<'static>, ParseError> {
        let scrubbed = self.redactor.scrub(line);
        grammar::reply(scrubbed.as_deref().unwrap_or(line)).map(Reply::into_owned)
    }

    /// A line that is not part of a multi-line reply, without its end.
    pub(super) fn status_line(&mut self, line: &[u8]) {
        if let Some(text) = challenge(line)
            && let Some(Pending { kind: Kind::Authenticate(exchange), .. }) = self.queue.current()
        {
            let written = exchange.challenge(text).write(&mut self.out, &mut self.redactor);
            return written.unwrap_or_else(|error| self.fail(Error::Sasl(error)));
        }
        if self.state != State::Greeting && self.queue.in_flight.is_empty() {
            return self.fail(Error::Unasked { text: self.found(line) });
        }
        match self.scrubbed(line) {
            Ok(reply) if self.state == State::Greeting => self.greeting(reply),
            Ok(reply) => self.reply(reply),
            Err(_) if self.state == State::Greeting => {
                let found = self.found(line.get(..line.len().min(60)).unwrap_or_default());
                self.fail(Error::NotPop3 { found });
            }
            Err(_) => self.fail(Error::Peer { rule: "status", found: self.found(line) }),
        }
    }

    fn greeting(&mut self, reply: Reply<'static>) {
        if !reply.is_ok() {
            return self.fail(Error::Unwelcome(Box::new(reply)));
        }
        self.state = State::Authorization;
        self.timestamp = Timestamp::find(&reply.text);
        self.ready.push_back(Event::Greeting(reply));
    }

    fn reply(&mut self, reply: Reply<'static>) {
        let unprotected = self.is_unprotected();
        let Some(front) = self.queue.current() else { return };
        if reply.is_ok() {
            if let Some(lines) = front.lines {
                // The command stays in flight until its lines are complete.
                let id = front.id;
                self.multi = Some(Multi::new(lines, unprotected));
                self.ready.push_back(Event::MultiStart { id, reply });
                return;
            }
            if let Kind::Login(password) = &mut front.kind
                && let Some(password) = password.take()
            {
                self.out.push(b"PASS ");
                self.out.push_secret_line(password.expose());
                return;
            }
        }
        if let Some(pending) = self.queue.in_flight.pop_front() {
            self.complete(pending, reply);
        }
    }

    fn complete(&mut self, pending: Pending, reply: Reply<'static>) {
        let Pending { id, kind, then, .. } = pending;
        let ok = reply.is_ok();
        let unreadable = match kind {
            _ if !ok => None,
            Kind::Stat => reply.drop_listing().err(),
            Kind::Scan => reply.scan_listing().err(),
            Kind::UniqueId => reply.unique_id_listing().err(),
            _ => None,
        };
        let mut sign_in = None;
        match kind {
            Kind::Stls if ok => {
                // Reported when the handshake is done.
                self.upgrade.ask(Layer::Tls);
                self.stls = Some(Box::new(Completed { id, reply, sign_in, unreadable }));
                return;
            }
            Kind::Authenticate(mut exchange) => {
                if ok {
                    if let Err(error) = exchange.success(None) {
                        return self.fail(Error::Sasl(error));
                    }
                } else {
                    sign_in = Some(exchange.failure().scrubbed(&self.redactor));
                }
            }
            Kind::Utf8 => self.utf8 |= ok,
            Kind::Dele => self.marked |= ok,
            Kind::Rset if ok => self.marked = false,
            Kind::Quit => {
                // Whatever the reply, the session is over (RFC 1939 section 6).
                self.state = State::Update;
                self.end.finish();
            }
            _ => {}
        }
        if ok && let Some(state) = then {
            self.state = state;
        }
        self.settle();
        self.ready.push_back(Event::Completed(Box::new(Completed { id, reply, sign_in, unreadable })));
    }

    /// With nothing queued, the next command is judged by what is, not by what was hoped for.
    pub(super) fn settle(&mut self) {
        if self.queue.is_empty() {
            self.expected = self.state;
        }
    }
}

/// The text of a challenge: `+`, alone (Exchange Online) or with a space behind it.
fn challenge(line: &[u8]) -> Option<&[u8]> {
    match line.strip_prefix(b"+")? {
        [] => Some(b""),
        [b' ', text @ ..] => Some(text),
        _ => None,
    }
}
