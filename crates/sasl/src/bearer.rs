//! What the two bearer mechanisms share on either side: one message, and the error challenge after it.

use alloc::string::String;
use alloc::vec::Vec;

use wire::{Secret, SecretBytes};

use crate::{Credentials, Error, ErrorChallenge, ServerStep, Verdict, base64};

/// Client side.
#[derive(Debug)]
pub(crate) struct Client {
    token: Secret,
    message: SecretBytes,
    /// The answer to an error challenge.
    dummy: &'static [u8],
    state: ClientState,
    challenge: Option<ErrorChallenge>,
}

#[derive(Debug, Clone, Copy)]
enum ClientState {
    Fresh,
    Sent,
    /// The server sent a challenge after our message. All it may do now is refuse.
    Refused,
}

impl Client {
    pub(crate) fn new(token: Secret, message: SecretBytes, dummy: &'static [u8]) -> Self {
        Self { token, message, dummy, state: ClientState::Fresh, challenge: None }
    }

    pub(crate) fn initial_response(&mut self) -> Result<Option<SecretBytes>, Error> {
        let ClientState::Fresh = self.state else { return Err(Error::OutOfOrder) };
        self.state = ClientState::Sent;
        Ok(Some(self.message.clone()))
    }

    /// An empty challenge says nothing but is answered like an error challenge, because servers exist that
    /// wait for that answer before they refuse.
    pub(crate) fn respond(&mut self, challenge: &[u8]) -> Result<SecretBytes, Error> {
        if let ClientState::Fresh = self.state {
            return Err(Error::UnexpectedChallenge);
        }
        self.state = ClientState::Refused;
        if !challenge.is_empty() {
            if self.challenge.is_some() {
                return Err(Error::UnexpectedChallenge);
            }
            let mut parsed = ErrorChallenge::from_json(challenge)?;
            parsed.redact(self.token.expose());
            // SA-06: what a server is likeliest to echo is the line it was sent.
            if let Ok(line) = core::str::from_utf8(base64::encode_secret(self.message.expose()).expose()) {
                parsed.redact(line);
            }
            self.challenge = Some(parsed);
        }
        Ok(SecretBytes::new(self.dummy.to_vec()))
    }

    pub(crate) fn success(&mut self, data: Option<&[u8]>) -> Result<(), Error> {
        match self.state {
            ClientState::Fresh => Err(Error::EarlySuccess),
            ClientState::Refused => Err(Error::SuccessAfterError),
            ClientState::Sent => no_data(data),
        }
    }

    pub(crate) fn error_challenge(&self) -> Option<&ErrorChallenge> {
        self.challenge.as_ref()
    }

    pub(crate) fn secrets(&self) -> Vec<&str> {
        Vec::from([self.token.expose()])
    }
}

/// For mechanisms that define no data with success. Empty data is let through: some protocols cannot tell it
/// from none.
pub(crate) fn no_data(data: Option<&[u8]>) -> Result<(), Error> {
    match data {
        Some([_, ..]) => Err(Error::UnexpectedSuccessData),
        _ => Ok(()),
    }
}

/// Server side.
#[derive(Debug, Default)]
pub(crate) enum Server {
    #[default]
    Fresh,
    /// Waiting for the verdict; a verdict cannot accept an empty token.
    Judging {
        empty: bool,
    },
    /// The error challenge is out; whatever the client answers, it is refused.
    Explained,
    Done,
}

impl Server {
    /// `parse` reads the client's message.
    pub(crate) fn step(
        &mut self,
        response: Option<&[u8]>,
        parse: impl FnOnce(&[u8]) -> Result<Presented, Error>,
    ) -> ServerStep {
        match (&self, response) {
            (Self::Fresh, None) => ServerStep::Challenge(Vec::new()),
            (Self::Fresh, Some(response)) => match parse(response) {
                Ok(Presented { user, token, host, port }) => {
                    *self = Self::Judging { empty: token.is_empty() };
                    ServerStep::Verify(Credentials::Bearer { user, token, host, port })
                }
                Err(error) => self.fail(error),
            },
            (Self::Explained, Some(_)) => self.fail(Error::Refused),
            _ => self.fail(Error::OutOfOrder),
        }
    }

    pub(crate) fn verdict(&mut self, verdict: Verdict) -> ServerStep {
        match (&self, verdict) {
            (Self::Judging { empty: false }, Verdict::Accept) => {
                *self = Self::Done;
                ServerStep::Success(None)
            }
            (Self::Judging { .. }, Verdict::Refuse(Some(challenge))) => {
                *self = Self::Explained;
                ServerStep::Challenge(challenge.to_json().into_bytes())
            }
            (Self::Judging { .. }, _) => self.fail(Error::Refused),
            _ => self.fail(Error::OutOfOrder),
        }
    }

    fn fail(&mut self, error: Error) -> ServerStep {
        *self = Self::Done;
        ServerStep::Fail(error)
    }
}

/// What a client's message says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Presented {
    pub(crate) user: Option<String>,
    pub(crate) token: Secret,
    pub(crate) host: Option<String>,
    pub(crate) port: Option<u16>,
}
