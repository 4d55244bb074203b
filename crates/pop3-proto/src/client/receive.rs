//! What arrives: status lines, sequencing, the end of the stream.

use wire::{InBuf, Limit, Tick, line};

use super::Client;
use super::multi::Current;
use super::queue::Kind;
use super::wait::Waiting;
use crate::error::{Error, Wait, Whence};
use crate::session::{Lines, State};

/// So much of a line that cannot be understood is shown, in octets.
const SHOWN: usize = 60;

impl Client {
    /// Works through the buffer until an event is ready, the octets run out, or the connection is over.
    pub(super) fn receive(&mut self, input: &mut InBuf, now: Tick) {
        loop {
            if self.end.is_over() || !self.ready.is_empty() || self.current != Current::None {
                return;
            }
            match self.upgrade.look(input) {
                Ok(None) => {}
                Ok(Some(_)) if input.is_closed() => return self.fail(Error::Closed(Whence::Command)),
                Ok(Some(_)) => return,
                Err(wire::Injection) => return self.fail(Error::StlsInjection),
            }
            if !self.receive_one(input, now) {
                break;
            }
        }
        self.look_at_end(input, now);
    }

    /// `false` when more octets are needed.
    fn receive_one(&mut self, input: &mut InBuf, now: Tick) -> bool {
        if let Some(mut multi) = self.multi.take() {
            return match self.receive_lines(&mut multi, input) {
                Some(more) => {
                    self.multi = Some(multi);
                    more
                }
                None => {
                    let moved = self.out.moved(input);
                    self.watch.progress(now, moved);
                    true
                }
            };
        }
        let unread = input.unread();
        if self.state == State::Greeting && unread.first().is_some_and(|c| !matches!(c, b'+' | b'-')) {
            // Enough of it to show, so that what is shown does not depend on how it arrived.
            let enough = unread.len() > SHOWN.saturating_add(1) || memchr::memchr(b'\n', unread).is_some();
            if enough {
                let found = wire::printable(first_line(unread));
                self.fail(Error::NotPop3 { found });
            }
            return enough;
        }
        let signing_in = matches!(self.queue.current().map(|p| &p.kind), Some(Kind::Authenticate(_)));
        let max = self.longest_line(signing_in);
        let end = match self.scanner.line_end(unread) {
            Some(end) if end <= max => end,
            None if unread.len() < max => return false,
            _ => {
                self.limit(if signing_in { Limit::SaslChallenge } else { Limit::Line });
                return true;
            }
        };
        if self.state <= State::Authorization {
            self.pre_auth = self.pre_auth.saturating_add(end as u64);
            if self.pre_auth > self.config.limits.pre_auth_total.max(max as u64) {
                self.limit(Limit::PreAuthTotal);
                return true;
            }
        }
        let moved = self.out.moved(input);
        self.watch.progress(now, moved);
        self.status_line(line::content(unread.get(..end).unwrap_or_default()));
        input.consume(end);
        true
    }

    /// Longest line that is taken here, in octets with its end.
    fn longest_line(&self, signing_in: bool) -> usize {
        let limits = &self.config.limits;
        match self.state {
            // A challenge is the one long line.
            _ if signing_in => self.sasl_line(),
            State::Greeting | State::Authorization => limits.pre_auth_line,
            State::Transaction | State::Update => limits.line,
        }
    }

    /// Nothing more can be made of the buffer: is the stream over, is the time up?
    fn look_at_end(&mut self, input: &InBuf, now: Tick) {
        let quitting = matches!(self.queue.current().map(|p| &p.kind), Some(Kind::Quit));
        if input.is_closed() {
            if quitting && !self.marked && input.is_empty() {
                // What was to be said has been said.
                self.end.finish();
                return;
            }
            self.fail(Error::Closed(match &self.multi {
                _ if self.state == State::Greeting => Whence::Greeting,
                _ if quitting && self.marked => Whence::Quit,
                Some(multi) if multi.lines() == Lines::Message => Whence::Message,
                Some(_) => Whence::Reply,
                None if !input.is_empty() => Whence::Reply,
                None if !self.queue.is_empty() => Whence::Command,
                None => Whence::Idle,
            }));
            return;
        }
        let moved = self.out.moved(input);
        match self.watch.expired(now, moved) {
            None => {}
            Some(Waiting::Greeting) => self.fail(Error::TimedOut(Wait::Greeting)),
            Some(Waiting::Auth) => self.fail(Error::TimedOut(Wait::Auth)),
            Some(Waiting::Command) => self.fail(Error::TimedOut(Wait::Command)),
            Some(Waiting::Deletion) => self.fail(Error::TimedOut(Wait::Quit)),
            // A QUIT without answer that deletes nothing is nobody's loss.
            Some(Waiting::Quit) => self.end.finish(),
        }
    }

    /// The peer's line for an error, cut short.
    pub(super) fn found(&self, octets: &[u8]) -> alloc::string::String {
        self.redactor.excerpt(octets)
    }
}

/// The first line without its end, cut short.
fn first_line(octets: &[u8]) -> &[u8] {
    let line = match memchr::memchr(b'\n', octets) {
        Some(end) => line::content(octets.get(..=end).unwrap_or_default()),
        None => octets,
    };
    line.get(..line.len().min(SHOWN)).unwrap_or_default()
}
