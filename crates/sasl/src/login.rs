//! LOGIN: a user and a password in two messages, asked for by the server. Obsolete, without an RFC (the draft
//! is draft-murchison-sasl-login), and still the only thing some servers and devices speak.
//!
//! ```text
//! S: "Username:"   C: user
//! S: "Password:"   C: password
//! ```
//!
//! The client goes by the order and ignores the wording of the prompts, which varies. The server takes the
//! user name as an initial response too, because clients exist that send it that way.

use alloc::string::String;
use alloc::vec::Vec;

use wire::{Secret, SecretBytes};

use crate::bearer::no_data;
use crate::{
    ClientMechanism, Credentials, Error, Field, ServerMechanism, ServerStep, Verdict, credential, kvpair,
};

/// The mechanism's name.
pub const NAME: &str = "LOGIN";

/// The client side.
#[derive(Debug)]
pub struct Client {
    user: String,
    password: Secret,
    /// How many of the two messages went out.
    sent: u8,
}

impl Client {
    /// The same values as [`plain::Client::new`](crate::plain::Client::new).
    ///
    /// # Errors
    ///
    /// [`Error::Credential`], as there.
    pub fn new(user: &str, password: Secret) -> Result<Self, Error> {
        credential::check_name(Field::User, user)?;
        credential::check_password(password.expose())?;
        Ok(Self { user: user.into(), password, sent: 0 })
    }
}

impl ClientMechanism for Client {
    fn name(&self) -> &'static str {
        NAME
    }

    fn initial_response(&mut self) -> Result<Option<SecretBytes>, Error> {
        if self.sent == 0 { Ok(None) } else { Err(Error::OutOfOrder) }
    }

    fn respond(&mut self, _challenge: &[u8]) -> Result<SecretBytes, Error> {
        let (message, sent) = match self.sent {
            0 => (self.user.as_str(), 1),
            1 => (self.password.expose(), 2),
            _ => return Err(Error::UnexpectedChallenge),
        };
        self.sent = sent;
        Ok(kvpair::concat(&[message]))
    }

    fn success(&mut self, data: Option<&[u8]>) -> Result<(), Error> {
        if self.sent == 2 { no_data(data) } else { Err(Error::EarlySuccess) }
    }

    fn secrets(&self) -> Vec<&str> {
        Vec::from([self.password.expose()])
    }
}

/// The server side.
#[derive(Debug, Default)]
pub struct Server {
    state: State,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    User,
    Password(String),
    Judging,
    Done,
}

impl ServerMechanism for Server {
    fn name(&self) -> &'static str {
        NAME
    }

    fn step(&mut self, response: Option<&[u8]>) -> ServerStep {
        let text = match response.map(core::str::from_utf8).transpose() {
            Ok(text) => text,
            Err(_) => return self.fail(Error::MalformedResponse),
        };
        match (core::mem::take(&mut self.state), text) {
            (State::User, None) => ServerStep::Challenge(b"Username:".to_vec()),
            (State::User, Some(user)) => match credential::check_name(Field::User, user) {
                Ok(()) => {
                    self.state = State::Password(user.into());
                    ServerStep::Challenge(b"Password:".to_vec())
                }
                Err(_) => self.fail(Error::MalformedResponse),
            },
            (State::Password(user), Some(password)) => match credential::check_password(password) {
                Ok(()) => {
                    self.state = State::Judging;
                    let password = Secret::from(password);
                    ServerStep::Verify(Credentials::Password { authzid: None, user, password })
                }
                Err(_) => self.fail(Error::MalformedResponse),
            },
            _ => self.fail(Error::OutOfOrder),
        }
    }

    fn verdict(&mut self, verdict: Verdict) -> ServerStep {
        match (core::mem::replace(&mut self.state, State::Done), verdict) {
            (State::Judging, Verdict::Accept) => ServerStep::Success(None),
            (State::Judging, Verdict::Refuse(_)) => ServerStep::Fail(Error::Refused),
            _ => ServerStep::Fail(Error::OutOfOrder),
        }
    }
}

impl Server {
    fn fail(&mut self, error: Error) -> ServerStep {
        self.state = State::Done;
        ServerStep::Fail(error)
    }
}
