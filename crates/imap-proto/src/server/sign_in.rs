//! AUTHENTICATE (RFC 3501 section 6.2.2, RFC 4959).

use sasl::{ServerExchange, ServerReply, ServerSignIn, Verdict};
use wire::{InBuf, Limit, line};

use super::event::Event;
use super::{Phase, Server};
use crate::error::Misuse;

impl Server {
    /// Begins the exchange that [`Event::Authenticate`] asked for, with the initial response if there was one.
    ///
    /// # Errors
    /// [`Misuse::State`] when no AUTHENTICATE is to be decided on, [`Misuse::Over`].
    pub fn begin_auth(&mut self, exchange: ServerExchange) -> Result<(), Misuse> {
        self.sign_in(|sign_in| sign_in.begin(exchange))
    }

    /// Says whether the [credentials](Event::Credentials) are good. [`Event::AuthEnd`] comes when the exchange is
    /// over: at once, or after the client has acknowledged an error challenge.
    ///
    /// # Errors
    /// [`Misuse::State`] when no credentials are being checked, [`Misuse::Over`].
    pub fn verdict(&mut self, verdict: Verdict) -> Result<(), Misuse> {
        self.sign_in(|sign_in| sign_in.verdict(verdict))
    }

    /// Takes a turn of the application.
    fn sign_in(&mut self, turn: impl FnOnce(&mut ServerSignIn) -> Option<ServerReply>) -> Result<(), Misuse> {
        self.may_speak()?;
        let Phase::SignIn(_, sign_in) = &mut self.phase else { return Err(Misuse::State) };
        let reply = turn(sign_in).ok_or(Misuse::State)?;
        self.follow(reply);
        Ok(())
    }

    /// Reads the client's answer to a challenge; `false` when more octets are needed.
    pub(super) fn read_response(&mut self, input: &mut InBuf) -> bool {
        match self.framer.line(input.unread(), self.sasl_limits().line()) {
            Ok(None) => return false,
            Ok(Some(end)) => {
                let line = line::content(input.unread().get(..end).unwrap_or_default());
                let reply = match &mut self.phase {
                    Phase::SignIn(_, sign_in) => sign_in.response(line),
                    _ => None,
                };
                input.consume(end);
                reply.into_iter().for_each(|reply| self.follow(reply));
            }
            Err(_) => {
                if let Phase::SignIn(current, _) = self.take_phase() {
                    self.give_up(current, Limit::SaslChallenge);
                }
            }
        }
        true
    }

    fn follow(&mut self, reply: ServerReply) {
        self.ready = Some(match reply {
            ServerReply::Challenge(text) => {
                self.out.push(if text.is_empty() && self.config.bare_plus { b"+" } else { b"+ " });
                self.out.push(text.as_bytes());
                return self.out.push(b"\r\n");
            }
            ServerReply::Verify(credentials) => Event::Credentials(credentials),
            ServerReply::Success => Event::AuthEnd(Ok(())),
            ServerReply::Fail(error) => Event::AuthEnd(Err(error)),
        });
    }
}
