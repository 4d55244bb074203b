//! The application's answers.

use super::{After, Current, Phase, Server};
use crate::error::Misuse;
use crate::grammar;
use crate::session::State;
use crate::types::Reply;

impl Server {
    /// Greets: with `+OK`, with a [`Timestamp`](crate::types::Timestamp) in its text where APOP is offered; or with `-ERR`, and the
    /// connection is closed.
    ///
    /// # Errors
    /// [`Misuse::State`] when the greeting has gone out already, [`Misuse::Invalid`] for a reply that cannot be written.
    pub fn greet(&mut self, greeting: &Reply<'_>) -> Result<(), Misuse> {
        if !matches!(self.phase, Phase::Greeting) {
            return Err(Misuse::State);
        }
        self.write(greeting)?;
        (self.state, self.phase) = if greeting.is_ok() {
            (State::Authorization, Phase::Command)
        } else {
            (State::Update, Phase::Over)
        };
        Ok(())
    }

    /// Completes the command, whichever [event](super::Event) it came by.
    ///
    /// `+OK` changes the state as RFC 1939 section 3 says.
    ///
    /// # Errors
    /// [`Misuse::State`] when no command waits for it, for `+OK` where lines must follow ([`start`](Self::start)) or no successful
    /// SASL exchange has been held; [`Misuse::Over`]; [`Misuse::Invalid`] when the reply cannot be written.
    pub fn complete(&mut self, reply: &Reply<'_>) -> Result<(), Misuse> {
        self.may_speak()?;
        let may_succeed = match &self.phase {
            Phase::Answering(current) => current.lines.is_none(),
            Phase::SignIn(_, sign_in) if !sign_in.is_challenged() => sign_in.is_successful(),
            _ => return Err(Misuse::State),
        };
        if reply.is_ok() && !may_succeed {
            return Err(Misuse::State);
        }
        self.write(reply)?;
        match self.take_phase() {
            Phase::Answering(current) | Phase::SignIn(current, _) => self.finish(current, reply.is_ok()),
            other => self.phase = other,
        }
        Ok(())
    }

    /// Sends octets as they are: for imitating servers that break the rules. The caller vouches for them, line end included.
    ///
    /// # Errors
    /// [`Misuse::Over`] when the connection is over, [`Misuse::State`] between STLS and TLS.
    pub fn raw(&mut self, octets: &[u8]) -> Result<(), Misuse> {
        self.may_speak_at_all()?;
        self.out.push(octets);
        Ok(())
    }

    /// The reply has gone out.
    pub(super) fn finish(&mut self, current: Current, ok: bool) {
        if ok {
            self.state = current.then;
            self.named = current.name;
        }
        self.phase = match current.after {
            After::Tls if ok => {
                self.upgrade.ask(wire::Layer::Tls);
                Phase::Upgrading
            }
            After::Close => {
                self.state = State::Update;
                Phase::Over
            }
            After::Next | After::Tls => Phase::Command,
        };
    }

    fn may_speak_at_all(&self) -> Result<(), Misuse> {
        match self.phase {
            Phase::Over | Phase::Failed(_) => Err(Misuse::Over),
            Phase::Upgrading => Err(Misuse::State),
            _ => Ok(()),
        }
    }

    pub(super) fn may_speak(&self) -> Result<(), Misuse> {
        self.may_speak_at_all()?;
        // An event that has not been taken has not been seen.
        if matches!(self.phase, Phase::Greeting) || self.ready.is_some() {
            Err(Misuse::State)
        } else {
            Ok(())
        }
    }

    /// Puts a status line into the outbox; nothing of one that cannot be written gets there.
    pub(super) fn write(&mut self, reply: &Reply<'_>) -> Result<(), Misuse> {
        self.scratch.clear();
        grammar::write_reply(reply, &mut self.scratch).map_err(Misuse::Invalid)?;
        self.out.push(&self.scratch);
        Ok(())
    }
}
