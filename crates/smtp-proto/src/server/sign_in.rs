//! AUTH (RFC 4954).

use alloc::boxed::Box;

use sasl::{ServerExchange, ServerReply, Verdict};
use wire::{InBuf, Limit, SecretBytes, line};

use super::error::{Error, Fault, Whence};
use super::event::Event;
use super::{Phase, Server};
use crate::error::Misuse;

impl Server {
    /// Begins the exchange that [`Event::Auth`] asked for, with the initial response if there was one.
    ///
    /// # Errors
    /// [`Misuse::State`] when no AUTH is to be decided on, [`Misuse::Over`].
    pub fn begin_auth(&mut self, mut exchange: ServerExchange) -> Result<(), Misuse> {
        match self.take_phase() {
            Phase::Mechanism(initial) => {
                let reply = exchange.start(initial.as_ref().map(SecretBytes::expose));
                self.follow(Box::new(exchange), reply);
                Ok(())
            }
            other => self.untimely(other),
        }
    }

    /// Says whether the [credentials](Event::Credentials) are good. [`Event::AuthEnd`] comes when the exchange is
    /// over: at once, or after the client has acknowledged an error challenge.
    ///
    /// # Errors
    /// [`Misuse::State`] when no credentials are being checked, [`Misuse::Over`].
    pub fn verdict(&mut self, verdict: Verdict) -> Result<(), Misuse> {
        match self.take_phase() {
            Phase::Verifying(mut exchange) => {
                let reply = exchange.verdict(verdict);
                self.follow(exchange, reply);
                Ok(())
            }
            other => self.untimely(other),
        }
    }

    fn untimely(&mut self, phase: Phase) -> Result<(), Misuse> {
        let over = matches!(phase, Phase::Over | Phase::Failed(_));
        self.phase = phase;
        Err(if over { Misuse::Over } else { Misuse::State })
    }

    /// Reads the client's answer to a challenge.
    pub(super) fn read_response(&mut self, mut exchange: Box<ServerExchange>, input: &mut InBuf) -> bool {
        let limit = self.sasl_line();
        let end = self.scanner.line_end(input.unread());
        match end {
            Some(end) if end <= limit => {
                let reply = exchange.response(line::content(input.unread().get(..end).unwrap_or_default()));
                input.consume(end);
                self.follow(exchange, reply);
            }
            None if input.len() <= limit && input.is_closed() => {
                self.fail(Error::Closed(Whence::SignIn));
            }
            None if input.len() <= limit => {
                self.phase = Phase::Challenged(exchange);
                return false;
            }
            // Whatever follows may be the rest of a secret, not a command.
            _ => self.bad(Fault::Limit(Limit::SaslChallenge), true),
        }
        true
    }

    fn follow(&mut self, exchange: Box<ServerExchange>, reply: ServerReply) {
        match reply {
            ServerReply::Challenge(text) => {
                self.out.push(b"334 ");
                self.out.push(text.as_bytes());
                self.out.push(b"\r\n");
                self.phase = Phase::Challenged(exchange);
            }
            ServerReply::Verify(credentials) => {
                self.ready = Some(Event::Credentials(credentials));
                self.phase = Phase::Verifying(exchange);
            }
            ServerReply::Success => {
                self.ready = Some(Event::AuthEnd(Ok(())));
                self.phase = Phase::Verified(true);
            }
            ServerReply::Fail(error) => {
                self.ready = Some(Event::AuthEnd(Err(error)));
                self.phase = Phase::Verified(false);
            }
        }
    }
}
