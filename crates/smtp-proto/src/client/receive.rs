//! What arrives: framing and sequencing.

use wire::{InBuf, Limit, Tick, line};

use super::Client;
use super::queue::{Kind, Pending};
use super::wait::Waiting;
use crate::error::{Error, Wait, Whence};
use crate::frame::Broken;
use crate::grammar;
use crate::session::State;

/// So much of a line that cannot be understood is shown, in octets.
const SHOWN: usize = 60;

/// Room for the code in front of a challenge, in octets.
const CODE: usize = 6;

impl Client {
    /// Works through the buffer until an event is ready, the octets run out, or the connection is over.
    pub(super) fn receive(&mut self, input: &mut InBuf, now: Tick) {
        loop {
            if self.end.is_over() || !self.ready.is_empty() {
                return;
            }
            match self.upgrade.look(input) {
                Ok(None) => {}
                Ok(Some(_)) if input.is_closed() => return self.fail(Error::Closed(Whence::Command)),
                Ok(Some(_)) => return,
                Err(wire::Injection) => return self.fail(Error::StarttlsInjection),
            }
            if !self.receive_one(input, now) {
                break;
            }
        }
        self.look_at_end(input, now);
    }

    /// `false` when more octets are needed.
    fn receive_one(&mut self, input: &mut InBuf, now: Tick) -> bool {
        if self.state == State::Greeting && input.unread().first().is_some_and(|c| !c.is_ascii_digit()) {
            // Enough of it to show, so that what is shown does not depend on how it arrived.
            let enough =
                input.len() > SHOWN.saturating_add(1) || memchr::memchr(b'\n', input.unread()).is_some();
            if enough {
                let line = first_line(input.unread());
                let found = wire::printable(line.get(..line.len().min(SHOWN)).unwrap_or_default());
                self.fail(Error::NotSmtp { found });
            }
            return enough;
        }
        let limits = &self.config.limits;
        let challenged = matches!(self.in_flight.front(), Some(Pending { kind: Kind::Auth { .. }, .. }));
        let (line, total) = if challenged {
            let line = limits.sasl_challenge.saturating_add(CODE);
            (line, line.max(limits.line))
        } else {
            (limits.pre_auth_line, limits.line)
        };
        let len = match self.framer.next(input.unread(), line, total) {
            Ok(None) => return false,
            Ok(Some(len)) => len,
            Err(broken) => {
                let error = match broken {
                    Broken::Line if challenged => Error::Limit(Limit::SaslChallenge),
                    Broken::Line => Error::Limit(Limit::Line),
                    Broken::TooLong => Error::ReplyTooLong,
                    Broken::Syntax { from, to } => {
                        self.malformed(input.unread().get(from..to).unwrap_or_default())
                    }
                };
                self.fail(error);
                return true;
            }
        };
        let moved = self.out.moved(input);
        self.watch.progress(now, moved);
        match grammar::reply(input.unread().get(..len).unwrap_or_default()) {
            Ok(reply) => self.reply(reply),
            Err(_) => {
                let error = self.malformed(input.unread().get(..len).unwrap_or_default());
                self.fail(error);
            }
        }
        input.consume(len);
        true
    }

    fn malformed(&self, octets: &[u8]) -> Error {
        // Whole: of a credential that is cut first, the rest might be too short to be recognised.
        let found = self.redactor.excerpt(first_line(octets));
        if self.state == State::Greeting {
            return Error::NotSmtp { found };
        }
        Error::Peer { rule: "Reply-line", found }
    }

    /// Nothing more can be made of the buffer: is the stream over, is the time up?
    fn look_at_end(&mut self, input: &InBuf, now: Tick) {
        if self.end.is_over() || !self.ready.is_empty() {
            return;
        }
        if input.is_closed() {
            let leaving = matches!(self.in_flight.front(), Some(Pending { kind: Kind::Quit, .. }));
            if leaving {
                self.end.finish();
                return;
            }
            self.fail(Error::Closed(match () {
                () if self.state == State::Greeting => Whence::Greeting,
                () if !input.is_empty() => Whence::Reply,
                () if self.is_writing() || self.is_handing_over() => Whence::Body,
                () if self.is_busy() => Whence::Command,
                () => Whence::Idle,
            }));
            return;
        }
        let moved = self.out.moved(input);
        match self.watch.expired(now, moved) {
            None => {}
            Some(Waiting::Greeting) => self.fail(Error::TimedOut(Wait::Greeting)),
            Some(Waiting::Auth) => self.fail(Error::TimedOut(Wait::Auth)),
            Some(Waiting::Command) => self.fail(Error::TimedOut(Wait::Command)),
            Some(Waiting::Body) => self.fail(Error::TimedOut(Wait::Body)),
            Some(Waiting::Outcome) => self.fail(Error::TimedOut(Wait::Outcome)),
            // A QUIT without answer is nobody's loss.
            Some(Waiting::Quit) => self.end.finish(),
        }
    }
}

/// The first line without its end.
fn first_line(octets: &[u8]) -> &[u8] {
    match memchr::memchr(b'\n', octets) {
        Some(end) => line::content(octets.get(..=end).unwrap_or_default()),
        None => octets,
    }
}
