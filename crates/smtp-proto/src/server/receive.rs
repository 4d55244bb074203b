//! What arrives, up to the next event.

use wire::{InBuf, Limit, Need};

use super::error::{Error, Fault, Whence};
use super::event::Event;
use super::{AUTH, Answer, Phase, Server};
use crate::grammar;

/// Octets of a line that is too long which are read over before the connection is given up.
const SKIP: u64 = 2 << 20;

impl Server {
    /// Works through the buffer until an event is ready, or something is needed.
    pub(super) fn receive(&mut self, input: &mut InBuf) -> Need {
        loop {
            if self.ready.is_some() {
                return Need::Event;
            }
            let more = match self.take_phase() {
                Phase::Over => return Need::Close,
                phase @ (Phase::Failed(_) | Phase::Chunk(..)) => {
                    self.phase = phase;
                    return Need::Event;
                }
                Phase::Greeting => {
                    self.phase = Phase::Greeting;
                    return Need::App;
                }
                Phase::Upgrading => {
                    self.phase = Phase::Upgrading;
                    match self.upgrade.look(input) {
                        Err(wire::Injection) => self.fail(Error::StarttlsInjection),
                        Ok(_) if input.is_closed() => self.fail(Error::Closed(Whence::StartTls)),
                        Ok(Some(need)) => return need,
                        Ok(None) => self.phase = Phase::Command,
                    }
                    true
                }
                phase if phase.is_answering() => {
                    self.phase = phase;
                    return Need::App;
                }
                // A client that does not read its replies gets no more of them.
                phase if self.out.len() > self.config.limits.outbox => {
                    self.phase = phase;
                    return Need::Input;
                }
                Phase::Command => self.read_command(input),
                Phase::Skipping(count) => self.skip_line(count, input),
                Phase::Body(source) => self.read_body(source, input),
                Phase::Discarding(left, fault) => self.discard(left, fault, input),
                phase @ Phase::SignIn(_) => {
                    self.phase = phase;
                    self.read_response(input)
                }
                other => {
                    self.phase = other;
                    true
                }
            };
            if !more {
                return Need::Input;
            }
        }
    }

    fn read_command(&mut self, input: &mut InBuf) -> bool {
        let unread = input.unread();
        let is_auth = unread.get(..5).is_some_and(|verb| verb.eq_ignore_ascii_case(b"AUTH "));
        let limits = &self.config.limits;
        let limit =
            if is_auth { self.sasl_limits().line().saturating_add(AUTH) } else { limits.pre_auth_line };
        match self.scanner.line_end(unread) {
            Some(end) if end <= limit => {
                let behind = unread.len() > end;
                let parsed = grammar::command(unread.get(..end).unwrap_or_default());
                input.consume(end);
                if !self.counts(end as u64) {
                    return true;
                }
                self.command(parsed, behind);
                true
            }
            None if unread.len() <= limit => {
                if input.is_closed() {
                    let whence = if input.is_empty() { Whence::Idle } else { Whence::Command };
                    self.fail(Error::Closed(whence));
                    return true;
                }
                self.phase = Phase::Command;
                false
            }
            _ => {
                self.scanner.reset();
                self.phase = Phase::Skipping(0);
                true
            }
        }
    }

    /// Reads over the rest of a line that is too long.
    fn skip_line(&mut self, count: u64, input: &mut InBuf) -> bool {
        let end = memchr::memchr(b'\n', input.unread()).map(|at| at.saturating_add(1));
        let len = end.unwrap_or(input.len());
        let count = count.saturating_add(len as u64);
        input.consume(len);
        match end {
            _ if count > SKIP => self.bad(Fault::Limit(Limit::Line), true),
            Some(_) if self.counts(count) => self.bad(Fault::Limit(Limit::Line), false),
            Some(_) => {}
            None if input.is_closed() => self.fail(Error::Closed(Whence::Command)),
            None => {
                self.phase = Phase::Skipping(count);
                return false;
            }
        }
        true
    }

    /// Octets of a chunk go past that nobody wants.
    fn discard(&mut self, left: u64, fault: Fault, input: &mut InBuf) -> bool {
        let n = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
        input.consume(n);
        let left = left.saturating_sub(n as u64);
        if left == 0 {
            self.bad(fault, false);
        } else if input.is_closed() {
            self.fail(Error::Closed(Whence::Message));
        } else {
            self.phase = Phase::Discarding(left, fault);
            return false;
        }
        true
    }

    /// Counts what a stranger sends; `false` when it was too much.
    fn counts(&mut self, octets: u64) -> bool {
        if !self.is_stranger() {
            return true;
        }
        self.pre_auth = self.pre_auth.saturating_add(octets);
        let fine = self.pre_auth <= self.config.limits.pre_auth_total;
        if !fine {
            self.bad(Fault::Limit(Limit::PreAuthTotal), true);
        }
        fine
    }

    pub(super) fn bad(&mut self, fault: Fault, closes: bool) {
        self.ready = Some(Event::BadCommand { fault, closes });
        self.phase = Phase::Answering(Answer::Bad { closes });
    }
}
