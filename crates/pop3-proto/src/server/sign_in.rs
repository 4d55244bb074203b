//! AUTH (RFC 5034).

use alloc::boxed::Box;

use sasl::{ServerExchange, ServerReply, Verdict};
use wire::{InBuf, Limit, SecretBytes, line};

use super::error::Fault;
use super::event::Event;
use super::{Current, Phase, Server};
use crate::error::Misuse;

impl Server {
    /// Begins the exchange that [`Event::Auth`] asked for, with the initial response if there was one.
    ///
    /// # Errors
    /// [`Misuse::State`] when no AUTH is to be decided on, [`Misuse::Over`].
    pub fn begin_auth(&mut self, mut exchange: ServerExchange) -> Result<(), Misuse> {
        self.may_speak()?;
        match self.take_phase() {
            Phase::Offered(current, initial) => {
                let reply = exchange.start(initial.as_ref().map(SecretBytes::expose));
                self.follow(current, Box::new(exchange), reply);
                Ok(())
            }
            other => {
                self.phase = other;
                Err(Misuse::State)
            }
        }
    }

    /// Says whether the [credentials](Event::Credentials) are good. [`Event::AuthEnd`] comes when the exchange is
    /// over: at once, or after the client has acknowledged an error challenge.
    ///
    /// # Errors
    /// [`Misuse::State`] when no credentials are being checked, [`Misuse::Over`].
    pub fn verdict(&mut self, verdict: Verdict) -> Result<(), Misuse> {
        self.may_speak()?;
        match self.take_phase() {
            Phase::Verifying(current, mut exchange) => {
                let reply = exchange.verdict(verdict);
                self.follow(current, exchange, reply);
                Ok(())
            }
            other => {
                self.phase = other;
                Err(Misuse::State)
            }
        }
    }

    /// Reads the client's answer to a challenge.
    pub(super) fn read_response(
        &mut self,
        current: Current,
        mut exchange: Box<ServerExchange>,
        input: &mut InBuf,
    ) -> bool {
        match self.line_end(input, self.sasl_line()) {
            Ok(None) => {
                self.phase = Phase::Challenged(current, exchange);
                return false;
            }
            Ok(Some(end)) => {
                let reply = exchange.response(line::content(input.unread().get(..end).unwrap_or_default()));
                input.consume(end);
                self.follow(current, exchange, reply);
            }
            // The rest of the line would be read as commands.
            Err(()) => self.bad(Fault::Limit(Limit::SaslChallenge), true),
        }
        true
    }

    fn follow(&mut self, current: Current, exchange: Box<ServerExchange>, reply: ServerReply) {
        match reply {
            ServerReply::Challenge(text) => {
                self.out.push(if text.is_empty() && self.config.bare_plus { b"+" } else { b"+ " });
                self.out.push(text.as_bytes());
                self.out.push(b"\r\n");
                self.phase = Phase::Challenged(current, exchange);
            }
            ServerReply::Verify(credentials) => {
                self.ready = Some(Event::Credentials(credentials));
                self.phase = Phase::Verifying(current, exchange);
            }
            ServerReply::Success => {
                self.ready = Some(Event::AuthEnd(Ok(())));
                self.phase = Phase::Verified(current, true);
            }
            ServerReply::Fail(error) => {
                self.ready = Some(Event::AuthEnd(Err(error)));
                self.phase = Phase::Verified(current, false);
            }
        }
    }
}
