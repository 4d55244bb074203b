//! The application's answers.

use alloc::string::String;

use wire::{Layer, dot};

use super::event::HelloKind;
use super::message::{Incoming, Source};
use super::{Answer, Phase, Server, Transaction};
use crate::error::Misuse;
use crate::grammar;
use crate::session::State;
use crate::types::{Capabilities, Reply, ReplyCode};

impl Server {
    /// Greets: 220, or 554 (no service; only QUIT is left to the client) or 421 (the connection is closed).
    ///
    /// # Errors
    /// [`Misuse::State`] when the greeting has gone out already, or for any other code.
    pub fn greet(&mut self, greeting: &Reply) -> Result<(), Misuse> {
        if !matches!(self.phase, Phase::Greeting) {
            return Err(Misuse::State);
        }
        (self.state, self.phase) = match greeting.code().get() {
            220 => (State::Hello, Phase::Command),
            554 => {
                self.closed_shop = true;
                (State::Hello, Phase::Command)
            }
            421 => (State::Over, Phase::Over),
            _ => return Err(Misuse::State),
        };
        self.write(greeting);
        Ok(())
    }

    /// Answers what the last event reported. What a positive reply means follows from the command; 421 closes the connection
    /// whatever it was.
    ///
    /// # Errors
    /// [`Misuse::State`] when nothing waits for an answer; for 3xx; for 2xx to something that cannot be accepted (a
    /// [fault](super::Fault), DATA before [`accept_data`](Self::accept_data), AUTH before a successful exchange); [`Misuse::Over`].
    pub fn reply(&mut self, reply: &Reply) -> Result<(), Misuse> {
        let (code, ok) = (reply.code(), reply.is_positive());
        let allowed = match &self.phase {
            Phase::Over | Phase::Failed(_) => return Err(Misuse::Over),
            _ if code.class() == 3 => false,
            Phase::Answering(
                Answer::Bad { .. } | Answer::Chunk { fine: false } | Answer::Message { fine: false, .. },
            ) => !ok,
            Phase::Answering(Answer::StartTls) => !ok || code == ReplyCode::READY,
            Phase::Answering(_) => true,
            Phase::SignIn(sign_in) if sign_in.is_successful() => !ok || code == ReplyCode::AUTHENTICATED,
            phase if phase.is_answering() => !ok,
            _ => false,
        };
        if !allowed {
            return Err(Misuse::State);
        }
        self.write(reply);
        let phase = self.take_phase();
        self.phase = Phase::Command;
        match phase {
            _ if code == ReplyCode::CLOSING => self.close(),
            Phase::Answering(Answer::Hello(kind)) if ok => {
                self.forget_transaction();
                self.state = State::Ready;
                self.offered = match kind {
                    HelloKind::Helo => None,
                    HelloKind::Ehlo | HelloKind::Lhlo => Some(Capabilities::from_reply(reply)),
                };
            }
            Phase::Answering(Answer::StartTls) if ok => {
                self.upgrade.ask(Layer::Tls);
                self.phase = Phase::Upgrading;
            }
            Phase::Answering(Answer::Mail { smtputf8, body }) if ok => {
                self.transaction = Transaction { smtputf8, body, ..Transaction::default() };
                self.state = State::Mail;
            }
            Phase::Answering(Answer::Rcpt) if ok => {
                self.transaction.recipients = self.transaction.recipients.saturating_add(1);
                self.state = State::Recipients;
            }
            Phase::Answering(Answer::Rset) if ok => self.forget_transaction(),
            Phase::Answering(Answer::Quit | Answer::Bad { closes: true }) => self.close(),
            Phase::Answering(Answer::Chunk { .. }) if !ok => self.transaction.failed = true,
            Phase::Answering(Answer::Message { fine, due }) => match due.checked_sub(1) {
                None | Some(0) => self.forget_transaction(),
                Some(due) => self.phase = Phase::Answering(Answer::Message { fine, due }),
            },
            Phase::SignIn(_) if ok => self.authenticated = true,
            _ => {}
        }
        Ok(())
    }

    /// Asks for the message with 354 and this text.
    ///
    /// # Errors
    /// [`Misuse::State`] when no DATA is to be decided on, [`Misuse::Over`], [`Misuse::Invalid`] for the text.
    pub fn accept_data(&mut self, text: &str) -> Result<(), Misuse> {
        if matches!(self.phase, Phase::Over | Phase::Failed(_)) {
            return Err(Misuse::Over);
        }
        if !matches!(self.phase, Phase::Offered) {
            return Err(Misuse::State);
        }
        let reply = Reply::new(ReplyCode::GO_AHEAD, None, text).map_err(Misuse::Invalid)?;
        self.write(&reply);
        self.transaction.incoming = Incoming::default();
        self.phase = Phase::Body(Source::Data(dot::Decoder::new()));
        Ok(())
    }

    /// Sends octets as they are: for imitating servers that break the rules. The caller vouches for them, line end included.
    ///
    /// # Errors
    /// [`Misuse::Over`] when the connection is over, [`Misuse::State`] between STARTTLS and TLS.
    pub fn raw(&mut self, octets: &[u8]) -> Result<(), Misuse> {
        match self.phase {
            Phase::Over | Phase::Failed(_) => Err(Misuse::Over),
            Phase::Upgrading => Err(Misuse::State),
            _ => {
                self.out.push(octets);
                Ok(())
            }
        }
    }

    fn write(&mut self, reply: &Reply) {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = grammar::write_reply(reply, &mut text);
        self.out.push(text.as_bytes());
    }

    fn close(&mut self) {
        self.phase = Phase::Over;
        self.state = State::Over;
    }
}
