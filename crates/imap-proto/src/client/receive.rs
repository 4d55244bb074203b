//! What arrives: framing, sequencing, and the events that borrow from the buffer.

use wire::{InBuf, Limit, Tick, line, literal};

use super::Client;
use super::queue::Kind;
use super::wait::Waiting;
use crate::error::{Error, Wait, Whence};
use crate::frame::{Broken, Framed, Kind as FrameKind};
use crate::session::State;
use wire::Security;

/// The event that the octets at the head of the buffer hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Current {
    None,
    /// One whole response.
    Response {
        len: usize,
    },
    /// A stretch of FETCH data; items have been taken up to `at`.
    Fetch {
        len: usize,
        at: usize,
        first: bool,
        last: bool,
    },
    Numbers {
        len: usize,
        first: bool,
        last: bool,
    },
    Chunk {
        len: usize,
    },
    BodyEnd,
}

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
        if let Some(body) = self.body {
            return self.receive_body(body, input);
        }
        if self.state == State::Greeting && input.unread().first().is_some_and(|c| *c != b'*') {
            // Enough of it to show, so that what is shown does not depend on how it arrived.
            let enough =
                input.len() > SHOWN.saturating_add(1) || memchr::memchr(b'\n', input.unread()).is_some();
            if enough {
                let line = first_line(input.unread());
                let found = wire::printable(line.get(..line.len().min(SHOWN)).unwrap_or_default());
                self.fail(Error::NotImap { found });
            }
            return enough;
        }
        let authenticated = self.state > State::NotAuthenticated;
        let mut limits = self.config.limits;
        let signing_in = self.queue.exclusive().is_some_and(|p| matches!(p.kind, Kind::Authenticate(_)));
        if signing_in {
            // A challenge is the one long line before authentication.
            limits.pre_auth_line = limits.sasl_challenge.saturating_add(4);
        }
        let framed = match self.framer.next(input.unread(), &limits, authenticated) {
            Ok(framed) => framed,
            Err(Broken::Limit(Limit::Line)) if signing_in => {
                self.limit(Limit::SaslChallenge);
                return true;
            }
            Err(Broken::Limit(limit)) => {
                self.limit(limit);
                return true;
            }
            Err(Broken::LiteralLength) => {
                // Whole: of a credential that is cut first, the rest might be too short to be recognised.
                let found = self.redactor.excerpt(first_line(input.unread()));
                self.fail(Error::Peer { rule: "literal", found });
                return true;
            }
        };
        let (len, body) = match framed {
            Framed::More => return false,
            Framed::Fetch { len, last: false, .. } => {
                (len, body_announced(input.unread().get(..len).unwrap_or_default()))
            }
            Framed::Response { len, .. } | Framed::Fetch { len, .. } | Framed::Numbers { len, .. } => {
                (len, None)
            }
        };
        if !authenticated {
            self.pre_auth = self.pre_auth.saturating_add(len as u64).saturating_add(body.unwrap_or_default());
            if self.pre_auth > self.config.limits.pre_auth_total.max(limits.pre_auth_line as u64) {
                self.limit(Limit::PreAuthTotal);
                return true;
            }
        }
        let moved = self.out.moved(input);
        self.watch.progress(now, moved);
        // What is said in the clear before STARTTLS is nobody's word: it is not shown, kept or acted on.
        let ignored = self.config.security == Security::StartTls && !self.tls;
        match framed {
            Framed::Response { len, kind } => {
                let frame = input.unread().get(..len).unwrap_or_default();
                let done = match kind {
                    FrameKind::Continue => self.continuation(frame),
                    FrameKind::Tagged => self.tagged(frame),
                    FrameKind::Status => self.status(frame, ignored),
                    FrameKind::Data => self.data(frame, ignored),
                };
                if done {
                    input.consume(len);
                } else {
                    self.current = Current::Response { len };
                }
            }
            Framed::Fetch { len, first, last } => {
                self.chatter = 0;
                self.body = body.map(literal::Countdown::new);
                if first {
                    self.abandoned = ignored;
                }
                if self.abandoned {
                    input.consume(len);
                } else {
                    self.current = Current::Fetch { len, at: 0, first, last };
                }
            }
            Framed::Numbers { len, first, last } => {
                self.chatter = 0;
                if ignored {
                    input.consume(len);
                } else {
                    self.current = Current::Numbers { len, first, last };
                }
            }
            Framed::More => {}
        }
        true
    }

    fn receive_body(&mut self, body: literal::Countdown, input: &mut InBuf) -> bool {
        if body.is_done() {
            self.body = None;
            if !self.abandoned {
                self.current = Current::BodyEnd;
            }
            return true;
        }
        let len = body.within(input.len());
        if len == 0 {
            return false;
        }
        if let Some(body) = &mut self.body {
            body.take(len);
        }
        if self.abandoned {
            input.consume(len);
        } else {
            self.current = Current::Chunk { len };
        }
        true
    }

    /// Nothing more can be made of the buffer: is the stream over, is the time up?
    fn look_at_end(&mut self, input: &InBuf, now: Tick) {
        if input.is_closed() {
            let leaving = self.state == State::Logout
                || self.queue.exclusive().is_some_and(|p| matches!(p.kind, Kind::Logout));
            if leaving {
                self.end.finish();
                return;
            }
            self.fail(Error::Closed(match () {
                () if self.state == State::Greeting => Whence::Greeting,
                () if self.body.is_some() => Whence::Body,
                () if !input.is_empty() => Whence::Response,
                () if !self.queue.is_empty() => Whence::Command,
                () => Whence::Idle,
            }));
            return;
        }
        if self.state == State::Logout {
            self.end.finish();
            return;
        }
        let moved = self.out.moved(input);
        match self.watch.expired(now, moved) {
            None => {}
            Some(Waiting::Greeting) => self.fail(Error::TimedOut(Wait::Greeting)),
            Some(Waiting::Auth) => self.fail(Error::TimedOut(Wait::Auth)),
            Some(Waiting::Command) => self.fail(Error::TimedOut(Wait::Command)),
            // A LOGOUT without answer is nobody's loss.
            Some(Waiting::Logout) => self.end.finish(),
        }
    }
}

/// So much of a line that cannot be understood is shown, in octets.
const SHOWN: usize = 60;

/// The first line without its end.
fn first_line(octets: &[u8]) -> &[u8] {
    match memchr::memchr(b'\n', octets) {
        Some(end) => line::content(octets.get(..=end).unwrap_or_default()),
        None => octets,
    }
}

/// How many octets the announcement at the end of a stretch of FETCH data stands for.
fn body_announced(stretch: &[u8]) -> Option<u64> {
    literal::announced(line::content(stretch)).ok().flatten().map(|a| a.len)
}
