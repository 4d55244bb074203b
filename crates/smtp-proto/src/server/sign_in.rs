//! AUTH (RFC 4954).

use sasl::{ServerExchange, ServerReply, ServerSignIn, Verdict};
use wire::{InBuf, Limit, line};

use super::error::{Error, Fault, Whence};
use super::event::Event;
use super::{Phase, Server};
use crate::error::Misuse;

impl Server {
    /// Begins the exchange that [`Event::Auth`] asked for, with the initial response if there was one.
    ///
    /// # Errors
    /// [`Misuse::State`] when no AUTH is to be decided on, [`Misuse::Over`].
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
        if matches!(self.phase, Phase::Over | Phase::Failed(_)) {
            return Err(Misuse::Over);
        }
        let Phase::SignIn(sign_in) = &mut self.phase else { return Err(Misuse::State) };
        let reply = turn(sign_in).ok_or(Misuse::State)?;
        self.follow(reply);
        Ok(())
    }

    /// Reads the client's answer to a challenge; `false` when more octets are needed.
    pub(super) fn read_response(&mut self, input: &mut InBuf) -> bool {
        let limit = self.sasl_limits().line();
        match self.scanner.line_end(input.unread()) {
            Some(end) if end <= limit => {
                let line = line::content(input.unread().get(..end).unwrap_or_default());
                let reply = match &mut self.phase {
                    Phase::SignIn(sign_in) => sign_in.response(line),
                    _ => None,
                };
                input.consume(end);
                reply.into_iter().for_each(|reply| self.follow(reply));
            }
            None if input.len() <= limit => {
                if !input.is_closed() {
                    return false;
                }
                self.fail(Error::Closed(Whence::SignIn));
            }
            // Whatever follows may be the rest of a secret, not a command.
            _ => self.bad(Fault::Limit(Limit::SaslChallenge), true),
        }
        true
    }

    fn follow(&mut self, reply: ServerReply) {
        self.ready = Some(match reply {
            ServerReply::Challenge(text) => {
                self.out.push(b"334 ");
                self.out.push(text.as_bytes());
                return self.out.push(b"\r\n");
            }
            ServerReply::Verify(credentials) => Event::Credentials(credentials),
            ServerReply::Success => Event::AuthEnd(Ok(())),
            ServerReply::Fail(error) => Event::AuthEnd(Err(error)),
        });
    }
}
