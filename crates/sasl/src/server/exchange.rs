//! What every protocol repeats around a server mechanism.

use alloc::boxed::Box;
use alloc::string::String;

use crate::client::decode;
use crate::{Credentials, Error, Limits, ServerMechanism, ServerStep, Verdict, base64, mechanism};

/// One sign-in as a server sees it.
///
/// [`start`](Self::start) once, [`response`](Self::response) for every line the client sends after a
/// challenge, [`verdict`](Self::verdict) after [`ServerReply::Verify`].
#[derive(Debug)]
pub struct ServerExchange {
    mechanism: Box<dyn ServerMechanism>,
    limits: Limits,
    rounds: u32,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    /// A challenge is out.
    Response,
    /// The caller is checking credentials.
    Verdict,
    /// Data that belongs to the success went out as a challenge; its empty answer completes the exchange
    /// (RFC 4422 section 3.6, for protocols without a place for that data).
    Acknowledgement,
    Done,
}

/// What the protocol does next.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum ServerReply {
    /// Send `+ ` (or `334 `), this base64 text, possibly empty, and CRLF; pass the client's line to
    /// [`ServerExchange::response`].
    Challenge(String),
    /// Check these and call [`ServerExchange::verdict`]. Read nothing from the client meanwhile.
    Verify(Credentials),
    /// The client is signed in as the credentials last given out say.
    Success,
    /// It is over. [`Error::Refused`] is `NO` or 535; [`Error::Cancelled`] and messages that break the rules
    /// are `BAD` or 501.
    Fail(Error),
}

impl ServerExchange {
    /// Starts with a mechanism that was not used before.
    pub fn new(mechanism: Box<dyn ServerMechanism>, limits: Limits) -> Self {
        Self { mechanism, limits, rounds: 0, state: State::New }
    }

    /// Starts with the mechanism of this name, or `None` if there is none: `NO` or 504.
    pub fn named(name: &str, limits: Limits) -> Option<Self> {
        mechanism(name).map(|mechanism| Self::new(mechanism, limits))
    }

    /// Name of the mechanism.
    pub fn mechanism(&self) -> &'static str {
        self.mechanism.name()
    }

    /// Takes the command. `initial` is the base64 text after the mechanism name, if there was one; `=` is the
    /// empty initial response.
    pub fn start(&mut self, initial: Option<&[u8]>) -> ServerReply {
        if self.state != State::New {
            return self.fail(Error::OutOfOrder);
        }
        match initial {
            Some(b"=") => self.step(Some(b"")),
            _ => self.step(initial),
        }
    }

    /// Takes a line of the client after a challenge, without its CRLF. `*` cancels.
    pub fn response(&mut self, line: &[u8]) -> ServerReply {
        match self.state {
            State::Response | State::Acknowledgement if line == b"*" => self.fail(Error::Cancelled),
            State::Response => self.step(Some(line)),
            State::Acknowledgement if line.is_empty() => {
                self.state = State::Done;
                ServerReply::Success
            }
            State::Acknowledgement => self.fail(Error::MalformedResponse),
            State::New | State::Verdict | State::Done => self.fail(Error::OutOfOrder),
        }
    }

    /// Takes the outcome of the check that [`ServerReply::Verify`] asked for.
    pub fn verdict(&mut self, verdict: Verdict) -> ServerReply {
        if self.state != State::Verdict {
            return self.fail(Error::OutOfOrder);
        }
        let step = self.mechanism.verdict(verdict);
        self.reply(step)
    }

    fn step(&mut self, line: Option<&[u8]>) -> ServerReply {
        let message = match line.map(|line| self.read(line)).transpose() {
            Ok(message) => message,
            Err(error) => return self.fail(error),
        };
        let step = self.mechanism.step(message.as_ref().map(wire::SecretBytes::expose));
        self.reply(step)
    }

    fn read(&mut self, line: &[u8]) -> Result<wire::SecretBytes, Error> {
        self.rounds = self.rounds.saturating_add(1);
        if self.rounds > self.limits.rounds {
            return Err(Error::TooManyRounds { limit: self.limits.rounds });
        }
        decode(line, self.limits)
    }

    fn reply(&mut self, step: ServerStep) -> ServerReply {
        let (state, reply) = match step {
            ServerStep::Challenge(octets) => {
                (State::Response, ServerReply::Challenge(base64::encode(&octets)))
            }
            ServerStep::Verify(credentials) => (State::Verdict, ServerReply::Verify(credentials)),
            ServerStep::Success(None) => (State::Done, ServerReply::Success),
            ServerStep::Success(Some(data)) => {
                (State::Acknowledgement, ServerReply::Challenge(base64::encode(&data)))
            }
            ServerStep::Fail(error) => (State::Done, ServerReply::Fail(error)),
        };
        self.state = state;
        reply
    }

    fn fail(&mut self, error: Error) -> ServerReply {
        self.state = State::Done;
        ServerReply::Fail(error)
    }
}
