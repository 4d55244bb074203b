//! What arrives, up to the next event.

use wire::{InBuf, Layer, Limit, Need};

use super::config::Rush;
use super::error::{Error, Fault, Wait, Whence};
use super::event::Event;
use super::{AUTHENTICATE, After, Current, Phase, Server, TAG};
use crate::frame::command::{Bounds, Framed, Kind};
use crate::grammar::is_idle_done;
use crate::types::Tag;

/// Longest line during IDLE, in octets.
const DONE: usize = 1024;

impl Server {
    /// Works through the buffer until something is needed.
    pub(super) fn receive(&mut self, input: &mut InBuf) -> Need {
        loop {
            if self.ready.is_some() {
                return Need::Event;
            }
            if self.fetch.is_some() {
                return self.app();
            }
            match &self.phase {
                Phase::Framed { .. } | Phase::Broken { .. } | Phase::Chunk(..) | Phase::Failed(_) => {
                    return Need::Event;
                }
                Phase::Over => return Need::Close,
                Phase::Greeting => return self.app(),
                phase if phase.is_answering() => return self.app(),
                Phase::Upgrading => match self.upgrade.look(input) {
                    Err(wire::Injection) => self.fail(Error::StarttlsInjection),
                    Ok(_) if input.is_closed() => self.fail(Error::Closed(Whence::StartTls)),
                    Ok(_) => return Need::Upgrade(Layer::Tls),
                },
                // A client that does not read its replies is not read either.
                _ if !self.can_write() => return Need::Input,
                _ => {
                    if !self.read(input) {
                        if !input.is_closed() {
                            return Need::Input;
                        }
                        self.fail(Error::Closed(self.whence(input)));
                    }
                }
            }
        }
    }

    fn app(&self) -> Need {
        if self.can_write() { Need::App } else { Need::Input }
    }

    /// Reads on; `false` when more octets are needed.
    fn read(&mut self, input: &mut InBuf) -> bool {
        match self.take_phase() {
            Phase::Command => self.read_command(input),
            phase @ Phase::SignIn(..) => {
                self.phase = phase;
                self.read_response(input)
            }
            Phase::Idling(current) => self.read_done(current, input),
            Phase::Body(current, left) => self.read_body(current, left, input),
            Phase::Behind(current) => self.read_behind(current, input),
            Phase::Discarding(left, reply) => self.discard(left, reply, input),
            Phase::DiscardingLine(reply) => self.discard_line(reply, input),
            other => {
                self.phase = other;
                false
            }
        }
    }

    fn read_command(&mut self, input: &InBuf) -> bool {
        let bounds = self.bounds();
        let (phase, more) = match self.framer.next(input.unread(), &bounds) {
            Ok(Framed::More) => (Phase::Command, false),
            Ok(Framed::GoAhead) => {
                self.go_ahead();
                (Phase::Command, true)
            }
            Ok(Framed::Command { len, message, kind }) => {
                // Tokens have their own limit.
                if kind != Kind::Authenticate && !self.is_authenticated() {
                    self.pre_auth = self.pre_auth.saturating_add(len as u64);
                }
                (Phase::Framed { len, message }, true)
            }
            Err(broken) => {
                self.framer.reset();
                (Phase::Broken { broken, tag: tag_of(input.unread()) }, true)
            }
        };
        self.phase = phase;
        more
    }

    /// Asks for a literal.
    pub(super) fn go_ahead(&mut self) {
        self.push(b"+ ");
        self.push(self.config.go_ahead.as_bytes());
        self.push(b"\r\n");
    }

    fn bounds(&self) -> Bounds {
        let limits = &self.config.limits;
        let (line, literal) = if self.is_authenticated() {
            (limits.line, limits.literal)
        } else {
            (limits.pre_auth_line, limits.pre_auth_literal)
        };
        let rush = match self.config.rush {
            Rush::Never => None,
            Rush::Small => Some(4096),
            Rush::Always => Some(u64::MAX),
        };
        Bounds {
            line,
            sasl_line: self.sasl_limits().line().saturating_add(AUTHENTICATE).max(line),
            literal,
            literals: limits.literals,
            rush,
        }
    }

    fn read_done(&mut self, current: Current, input: &mut InBuf) -> bool {
        match self.framer.line(input.unread(), DONE) {
            Ok(None) => {
                self.phase = Phase::Idling(current);
                return false;
            }
            Ok(Some(end)) => {
                let done = is_idle_done(input.unread().get(..end).unwrap_or_default());
                input.consume(end);
                self.ready = Some(if done {
                    Event::IdleDone
                } else {
                    Event::BadCommand { tag: current.tag.clone(), fault: Fault::NotDone, closes: false }
                });
                self.phase = Phase::Answering(current);
            }
            Err(limit) => self.give_up(current, limit),
        }
        true
    }

    /// The rest of a command cannot be read: its answer is the last.
    pub(super) fn give_up(&mut self, current: Current, limit: Limit) {
        let fault = Fault::Limit(limit);
        self.ready = Some(Event::BadCommand { tag: current.tag.clone(), fault, closes: true });
        self.phase = Phase::Answering(Current { after: After::Close, ..current });
    }

    /// Where the stream ended.
    fn whence(&self, input: &InBuf) -> Whence {
        match &self.phase {
            Phase::Body(..) | Phase::Behind(_) | Phase::Discarding(..) | Phase::DiscardingLine(_) => {
                Whence::Message
            }
            Phase::SignIn(..) => Whence::SignIn,
            Phase::Command if input.is_empty() => Whence::Idle,
            _ => Whence::Command,
        }
    }

    /// What is being waited for.
    pub(super) fn wait(&self, input: &InBuf) -> wire::Wait<Wait> {
        let t = &self.config.timeouts;
        let (kind, limit, least_rate) = match &self.phase {
            _ if !self.is_authenticated() && self.state != crate::session::State::Greeting => {
                (Wait::SignIn, t.sign_in, None)
            }
            Phase::Command | Phase::Idling(_) if input.is_empty() && self.out.is_empty() => {
                (Wait::Idle, t.idle, None)
            }
            _ => (Wait::Stall, t.stall, Some(1)),
        };
        wire::Wait { kind, limit, least_rate }
    }
}

/// The tag of a command that could not be read whole.
fn tag_of(unread: &[u8]) -> Option<Tag<'static>> {
    let start = unread.get(..unread.len().min(TAG.saturating_add(1))).unwrap_or_default();
    let tag = start.get(..memchr::memchr(b' ', start)?)?;
    Tag::new(core::str::from_utf8(tag).ok()?).ok().map(Tag::into_owned)
}
