//! The application's answers.

use alloc::vec::Vec;

use super::{After, Current, Phase, Reply, Server};
use crate::error::Misuse;
use crate::grammar::{self, Encoder};
use crate::session::State;
use crate::types::{Code, Response, StatusKind, StatusResponse, Tag, Text};

impl Server {
    /// Greets: `OK`, `PREAUTH` (nobody needs to sign in any more) or `BYE` (the connection is closed).
    ///
    /// # Errors
    /// [`Misuse::State`] when the greeting has gone out already, or for a tag, `NO` or `BAD`; [`Misuse::Invalid`] for a value
    /// that cannot be written.
    pub fn greet(&mut self, greeting: &StatusResponse<'_>) -> Result<(), Misuse> {
        let (state, phase) = match greeting.kind {
            StatusKind::Ok => (State::NotAuthenticated, Phase::Command),
            StatusKind::PreAuth => (State::Authenticated, Phase::Command),
            StatusKind::Bye => (State::Logout, Phase::Over),
            StatusKind::No | StatusKind::Bad => return Err(Misuse::State),
        };
        if !matches!(self.phase, Phase::Greeting) || greeting.tag.is_some() {
            return Err(Misuse::State);
        }
        self.write(|e| grammar::write_response(&Response::Status(greeting.clone()), e))?;
        self.state = state;
        self.phase = phase;
        Ok(())
    }

    /// Says something that belongs to no command or comes before its completion: data, news, `BYE`.
    ///
    /// FETCH data with large bodies goes out by [`fetch_start`](Self::fetch_start).
    ///
    /// # Errors
    /// [`Misuse::State`] before the greeting, between STARTTLS and TLS, inside FETCH data, and for a tagged response or a
    /// continuation; [`Misuse::Over`] when the connection is over; [`Misuse::Invalid`] for a value that cannot be written.
    pub fn untagged(&mut self, response: &Response<'_>) -> Result<(), Misuse> {
        self.may_speak()?;
        match response {
            Response::Status(StatusResponse { tag: Some(_), .. }) | Response::Continue(_) => {
                Err(Misuse::State)
            }
            _ => self.write(|e| grammar::write_response(response, e)),
        }
    }

    /// Sends `+` and a text, for what the machine does not ask for itself.
    ///
    /// # Errors
    /// As [`untagged`](Self::untagged).
    pub fn continue_req(&mut self, text: &str) -> Result<(), Misuse> {
        self.may_speak()?;
        let text = Text::new(text.as_bytes()).map_err(Misuse::Invalid)?;
        self.write(|e| grammar::write_response(&Response::Continue(text), e))
    }

    /// Sends octets as they are: for imitating servers that break the rules. The caller vouches for them, line end
    /// included.
    ///
    /// # Errors
    /// [`Misuse::Over`] when the connection is over, [`Misuse::State`] between STARTTLS and TLS.
    pub fn raw(&mut self, octets: &[u8]) -> Result<(), Misuse> {
        match self.phase {
            Phase::Over | Phase::Failed(_) => Err(Misuse::Over),
            Phase::Upgrading => Err(Misuse::State),
            _ => {
                self.push(octets);
                Ok(())
            }
        }
    }

    /// Completes the command, whichever [event](super::Event) it came by. With its tag, or without where it has none.
    ///
    /// `OK` changes the state as RFC 3501 section 3 says. A message that comes unasked behind a command that is refused is
    /// discarded first.
    ///
    /// # Errors
    /// [`Misuse::State`] when no command waits for it, for kinds other than `OK`, `NO` and `BAD`, and for `OK` where a conversation
    /// has not been held (a message not taken, no successful SASL exchange); [`Misuse::Over`];
    /// [`Misuse::Invalid`] when code or text cannot be written.
    pub fn complete(&mut self, kind: StatusKind, code: Option<Code<'_>>, text: &str) -> Result<(), Misuse> {
        self.may_speak()?;
        let ok = match kind {
            StatusKind::Ok => true,
            StatusKind::No | StatusKind::Bad => false,
            StatusKind::PreAuth | StatusKind::Bye => return Err(Misuse::State),
        };
        let may_succeed = match &self.phase {
            Phase::Answering(_) => true,
            Phase::SignIn(_, sign_in) => sign_in.is_successful(),
            _ => false,
        };
        let tag = match &self.phase {
            _ if ok && !may_succeed => return Err(Misuse::State),
            Phase::SignIn(_, sign_in) if sign_in.is_challenged() => return Err(Misuse::State),
            Phase::Answering(c)
            | Phase::Deciding(c, _)
            | Phase::Body(c, _)
            | Phase::Behind(c)
            | Phase::SignIn(c, _)
            | Phase::Waking(c) => c.tag.as_ref().map(Tag::borrowed),
            _ => return Err(Misuse::State),
        };
        let text = Text::new(text.as_bytes()).map_err(Misuse::Invalid)?;
        let octets = encoded(&Response::Status(StatusResponse { tag, kind, code, text }))?;
        match self.take_phase() {
            Phase::Answering(current) => {
                let unasked = current.unasked;
                self.finish(current, ok, octets, unasked);
            }
            Phase::Deciding(current, message) => {
                self.finish(current, ok, octets, message.non_sync.then_some(message.len));
            }
            Phase::Body(current, left) => self.finish(current, ok, octets, Some(left.left())),
            Phase::Behind(current) => {
                let reply = reply(current, ok, octets);
                self.phase = Phase::DiscardingLine(reply);
            }
            Phase::SignIn(current, _) | Phase::Waking(current) => self.finish(current, ok, octets, None),
            other => self.phase = other,
        }
        Ok(())
    }

    /// Accepts IDLE (RFC 2177) with this text behind the `+`. News goes out by [`untagged`](Self::untagged) until
    /// [`Event::IdleDone`](super::Event::IdleDone).
    ///
    /// # Errors
    /// [`Misuse::State`] when no IDLE is to be decided on, [`Misuse::Over`], [`Misuse::Invalid`] for the text.
    pub fn accept_idle(&mut self, text: &str) -> Result<(), Misuse> {
        self.may_speak()?;
        if !matches!(self.phase, Phase::Waking(_)) {
            return Err(Misuse::State);
        }
        self.continue_req(text)?;
        if let Phase::Waking(current) = self.take_phase() {
            self.phase = Phase::Idling(current);
        }
        Ok(())
    }

    /// Replies, after what comes unasked has been discarded.
    fn finish(&mut self, current: Current, ok: bool, octets: Vec<u8>, unasked: Option<u64>) {
        let mut reply = reply(current, ok, octets);
        match unasked {
            Some(len) if len <= self.discardable() && reply.after != After::Close => {
                self.phase = Phase::Discarding(super::take::countdown(len), reply);
            }
            Some(_) => {
                reply.after = After::Close;
                self.say(reply);
            }
            None => self.say(reply),
        }
    }

    pub(super) fn say(&mut self, reply: Reply) {
        self.push(&reply.octets);
        self.state = reply.state;
        self.phase = match reply.after {
            After::Next => Phase::Command,
            After::Tls => {
                self.upgrade.ask(wire::Layer::Tls);
                Phase::Upgrading
            }
            After::Logout | After::Close => Phase::Over,
        };
    }

    pub(super) fn may_speak(&self) -> Result<(), Misuse> {
        match self.phase {
            Phase::Over | Phase::Failed(_) => Err(Misuse::Over),
            Phase::Greeting | Phase::Upgrading => Err(Misuse::State),
            _ if self.fetch.is_some() => Err(Misuse::State),
            _ => Ok(()),
        }
    }

    /// Encodes into the outbox; nothing of a value that cannot be written gets there.
    pub(super) fn write(
        &mut self,
        encode: impl FnOnce(&mut Encoder) -> Result<(), crate::types::Invalid>,
    ) -> Result<(), Misuse> {
        let mut encoder = Encoder::inline(core::mem::take(&mut self.scratch));
        encode(&mut encoder).map_err(Misuse::Invalid)?;
        let octets = encoder.into_wire();
        self.push(&octets);
        if octets.capacity() <= SCRATCH {
            self.scratch = octets;
        }
        Ok(())
    }
}

/// Most memory kept for the next reply, in octets.
const SCRATCH: usize = 4096;

fn encoded(response: &Response<'_>) -> Result<Vec<u8>, Misuse> {
    let mut encoder = Encoder::inline(Vec::new());
    grammar::write_response(response, &mut encoder).map_err(Misuse::Invalid)?;
    Ok(encoder.into_wire())
}

fn reply(current: Current, ok: bool, octets: Vec<u8>) -> Reply {
    let (state, after) = match current.after {
        After::Close => (State::Logout, After::Close),
        after if ok => (current.then, after),
        _ => (current.otherwise, After::Next),
    };
    Reply { octets, state, after }
}
