//! What every protocol repeats around a client mechanism.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use wire::{OutBuf, Redactor, Secret, SecretBytes};

use crate::{ClientMechanism, Error, ErrorChallenge, Limits, base64};

/// One sign-in, from the command to its outcome. See the crate's example.
///
/// Call [`initial`](Self::initial) once when writing the command, [`challenge`](Self::challenge) for every
/// continuation, and [`success`](Self::success) or [`failure`](Self::failure) for the outcome.
#[derive(Debug)]
pub struct ClientExchange {
    mechanism: Box<dyn ClientMechanism>,
    limits: Limits,
    state: State,
    /// An initial response that did not fit on the command.
    pending: Option<SecretBytes>,
    rounds: u32,
    /// Lines sent that contain a secret of the mechanism.
    sent: Vec<Secret>,
    cause: Option<Error>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Running,
    Cancelled,
    Done,
}

/// How much of an initial response the protocol lets ride on the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// None at all: IMAP without SASL-IR.
    None,
    /// At most so many octets of base64: what the command line has left (POP3, SMTP).
    Octets(usize),
    /// Any length: IMAP with SASL-IR.
    Unlimited,
}

/// What follows the mechanism name on the command.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Initial {
    /// Nothing.
    None,
    /// A space and this base64 text. An empty initial response is `=` (RFC 4422 section 4, RFC 4959).
    Inline(SecretBytes),
}

/// The answer to a challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Reply {
    /// Send this line of base64, possibly empty, and CRLF.
    Send(SecretBytes),
    /// Send `*` and CRLF, then read the server's refusal and call [`ClientExchange::failure`].
    Cancel(Error),
    /// The server goes on challenging after `*` or after the outcome: close the connection.
    Close(Error),
}

impl Reply {
    /// Writes the line and makes what is secret of it known to `redactor`.
    ///
    /// # Errors
    /// Why the connection must be closed.
    pub fn write(self, out: &mut OutBuf, redactor: &mut Redactor) -> Result<(), Error> {
        match self {
            Self::Send(line) => {
                redactor.add(line.expose());
                out.push_secret_line(line.expose());
            }
            Self::Cancel(_) => out.push(b"*\r\n"),
            Self::Close(error) => return Err(error),
        }
        Ok(())
    }
}

/// Proof that a mechanism agreed to the server's success. Only [`ClientExchange::success`] makes one.
#[derive(Debug)]
#[must_use]
pub struct Success {
    mechanism: &'static str,
}

impl Success {
    /// Name of the mechanism.
    pub fn mechanism(&self) -> &'static str {
        self.mechanism
    }
}

/// What is known about a sign-in that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// Name of the mechanism.
    pub mechanism: &'static str,
    /// The server's reason, if it gave one in a challenge.
    pub error_challenge: Option<ErrorChallenge>,
    /// What this side objected to, if it did; `None` when the server simply refused.
    pub cause: Option<Error>,
}

impl Failure {
    /// The same without anything that `redactor` knows: servers echo what they were given, in part or whole.
    #[must_use]
    pub fn scrubbed(mut self, redactor: &Redactor) -> Self {
        if let Some(challenge) = &mut self.error_challenge {
            challenge.scrub(redactor);
        }
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} sign-in failed: ", self.mechanism)?;
        match (&self.cause, &self.error_challenge) {
            (Some(cause), _) => write!(f, "{cause}"),
            (None, Some(challenge)) => write!(
                f,
                "the server refused the token ({challenge}); check its scope, audience and user, or obtain \
                 a fresh one"
            ),
            (None, None) => f.write_str(
                "the server refused the credentials without a reason of its own; check the user name and \
                 the token or password",
            ),
        }
    }
}

impl core::error::Error for Failure {}

impl ClientExchange {
    /// Starts with a mechanism that was not used before.
    pub fn new(mechanism: Box<dyn ClientMechanism>, limits: Limits) -> Self {
        let (state, sent) = (State::New, Vec::new());
        Self { mechanism, limits, state, pending: None, rounds: 0, sent, cause: None }
    }

    /// Starts and takes the first step: the exchange, and the base64 text that rides on the command, if any does. The secrets of
    /// both are made known to `redactor`.
    ///
    /// # Errors
    ///
    /// What the mechanism says; nothing may be sent then.
    pub fn begin(
        mechanism: Box<dyn ClientMechanism>,
        limits: Limits,
        room: Room,
        redactor: &mut Redactor,
    ) -> Result<(Self, Option<SecretBytes>), Error> {
        for secret in mechanism.secrets() {
            redactor.add(secret.as_bytes());
        }
        let mut exchange = Self::new(mechanism, limits);
        let initial = match exchange.initial(room)? {
            Initial::None => None,
            Initial::Inline(line) => {
                redactor.add(line.expose());
                Some(line)
            }
        };
        Ok((exchange, initial))
    }

    /// Name of the mechanism, for the command.
    pub fn mechanism(&self) -> &'static str {
        self.mechanism.name()
    }

    /// Whether the mechanism shows a secret to whoever reads the line.
    pub fn needs_tls(&self) -> bool {
        self.mechanism.needs_tls()
    }

    /// What to put on the command. An initial response for which there is no room is kept for the first
    /// challenge.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfOrder`] when called twice, or what the mechanism says; nothing may be sent then.
    pub fn initial(&mut self, room: Room) -> Result<Initial, Error> {
        if self.state != State::New {
            return Err(Error::OutOfOrder);
        }
        self.state = State::Running;
        let response = match self.mechanism.initial_response() {
            Ok(Some(response)) => response,
            Ok(None) => return Ok(Initial::None),
            Err(error) => {
                self.end(State::Done, &error);
                return Err(error);
            }
        };
        let len = base64::encoded_len(response.len()).max(1);
        let fits = match room {
            Room::None => false,
            Room::Octets(octets) => len <= octets,
            Room::Unlimited => true,
        };
        if !fits {
            self.pending = Some(response);
            return Ok(Initial::None);
        }
        let line = self.line(&response);
        Ok(Initial::Inline(if line.is_empty() { SecretBytes::new(b"=".to_vec()) } else { line }))
    }

    /// Whether an initial response was held back and waits for its invitation. Before that nothing but an error can stand in
    /// a challenge, so a protocol whose servers write free text there can tell it from one.
    pub fn is_holding(&self) -> bool {
        self.pending.is_some()
    }

    /// Answers a challenge, given as the base64 text that follows `+ ` or `334 `. A bare `+` is the empty text.
    ///
    /// An initial response that was held back goes out on the first challenge if that is empty (RFC 4422 section 3.3);
    /// anything else there is the mechanism's to answer or refuse. A protocol whose servers write free text there passes the empty text.
    pub fn challenge(&mut self, text: &[u8]) -> Reply {
        if self.state == State::New
            && let Err(error) = self.initial(Room::None)
        {
            return Reply::Cancel(error);
        }
        if self.state != State::Running {
            return Reply::Close(self.cause.clone().unwrap_or(Error::UnexpectedChallenge));
        }
        match self.answer(text) {
            Ok(line) => Reply::Send(line),
            Err(error) => {
                self.end(State::Cancelled, &error);
                Reply::Cancel(error)
            }
        }
    }

    /// The caller gives up: send `*` and CRLF, and read the server's refusal.
    pub fn cancel(&mut self) {
        self.end(State::Cancelled, &Error::Cancelled);
    }

    /// The server announced success. `data` is the base64 text that came with it, in the protocols that can
    /// carry one (ManageSieve); IMAP, POP3 and SMTP pass `None`.
    ///
    /// # Errors
    ///
    /// Whatever makes the mechanism refuse, and the first error if the exchange was already
    /// cancelled. The server then takes the connection for signed in, so it must be closed.
    pub fn success(&mut self, data: Option<&[u8]>) -> Result<Success, Error> {
        match self.check_success(data) {
            Ok(()) => {
                self.state = State::Done;
                Ok(Success { mechanism: self.mechanism.name() })
            }
            Err(error) => {
                self.end(State::Done, &error);
                Err(error)
            }
        }
    }

    /// The server announced failure, or the connection ended: what is known about it.
    pub fn failure(&mut self) -> Failure {
        self.state = State::Done;
        self.pending = None;
        Failure {
            mechanism: self.mechanism.name(),
            error_challenge: self.mechanism.error_challenge().cloned(),
            cause: self.cause.clone(),
        }
    }

    /// Values that must not appear in any output: the mechanism's secrets and the base64 lines sent so
    /// far that contain one. For building a redactor before a text of the server is shown.
    pub fn secrets(&self) -> Vec<Secret> {
        let own = self.mechanism.secrets().into_iter().filter(|secret| !secret.is_empty());
        own.map(Secret::from).chain(self.sent.iter().cloned()).collect()
    }

    fn answer(&mut self, text: &[u8]) -> Result<SecretBytes, Error> {
        self.rounds = self.rounds.saturating_add(1);
        if self.rounds > self.limits.rounds {
            return Err(Error::TooManyRounds { limit: self.limits.rounds });
        }
        let challenge = decode(text, self.limits)?;
        let response = match self.pending.take() {
            Some(response) if challenge.is_empty() => response,
            // Not the invitation: the mechanism knows whether this can be a refusal ahead of the credentials (SA-02).
            _ => self.mechanism.respond(challenge.expose())?,
        };
        Ok(self.line(&response))
    }

    fn check_success(&mut self, data: Option<&[u8]>) -> Result<(), Error> {
        match (self.state, &self.cause) {
            (State::Running, _) if self.pending.is_some() => return Err(Error::EarlySuccess),
            (State::Running, _) => {}
            (State::New, _) => return Err(Error::EarlySuccess),
            (State::Cancelled | State::Done, Some(cause)) => return Err(cause.clone()),
            (State::Cancelled | State::Done, None) => return Err(Error::OutOfOrder),
        }
        let data = data.map(|text| decode(text, self.limits)).transpose()?;
        self.mechanism.success(data.as_ref().map(SecretBytes::expose))
    }

    /// Encodes a message and remembers the line if a peer that echoes it would reveal a secret.
    fn line(&mut self, message: &SecretBytes) -> SecretBytes {
        let line = base64::encode_secret(message.expose());
        let secret = self.mechanism.secrets().into_iter().any(|secret| contains(message.expose(), secret));
        if let (true, Ok(text)) = (secret, core::str::from_utf8(line.expose())) {
            self.sent.push(Secret::from(text));
        }
        line
    }

    /// Ends the exchange; the first error stays the cause.
    fn end(&mut self, state: State, error: &Error) {
        self.state = state;
        self.pending = None;
        self.cause.get_or_insert_with(|| error.clone());
    }
}

/// Decodes a message of the peer within the limits; the length is checked before anything is allocated.
pub(crate) fn decode(text: &[u8], limits: Limits) -> Result<SecretBytes, Error> {
    let too_large = Error::MessageTooLarge { limit: limits.message };
    if text.len() > base64::encoded_len(limits.message) {
        return Err(too_large);
    }
    let message = base64::decode_secret(text)?;
    if message.len() > limits.message { Err(too_large) } else { Ok(message) }
}

fn contains(message: &[u8], secret: &str) -> bool {
    !secret.is_empty() && message.windows(secret.len()).any(|window| window == secret.as_bytes())
}
