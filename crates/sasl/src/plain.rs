//! PLAIN (RFC 4616): a user and a password in one message.
//!
//! ```text
//! message = [authzid] UTF8NUL authcid UTF8NUL passwd
//! ```
//!
//! The RFC asks both sides to prepare the strings with SASLprep; this crate sends and compares them as they
//! are, which is the same for ASCII.

use alloc::string::String;
use alloc::vec::Vec;

use wire::{Secret, SecretBytes};

use crate::bearer::no_data;
use crate::{
    ClientMechanism, Credentials, Error, Field, ServerMechanism, ServerStep, Verdict, credential, kvpair,
};

/// The mechanism's name.
pub const NAME: &str = "PLAIN";

/// The client side.
#[derive(Debug)]
pub struct Client {
    authzid: Option<String>,
    user: String,
    password: Secret,
    sent: bool,
}

impl Client {
    /// `user` is the authentication identity, any Unicode without control characters.
    ///
    /// # Errors
    ///
    /// [`Error::Credential`] when either is empty, the user has a control character, or the password has a
    /// NUL or a line end.
    pub fn new(user: &str, password: Secret) -> Result<Self, Error> {
        credential::check_name(Field::User, user)?;
        credential::check_password(password.expose())?;
        Ok(Self { authzid: None, user: user.into(), password, sent: false })
    }

    /// Asks to act as someone else: an administrator reading a user's mailbox, for example.
    ///
    /// # Errors
    ///
    /// [`Error::Credential`] when `authzid` is empty or has a control character.
    pub fn acting_as(mut self, authzid: &str) -> Result<Self, Error> {
        credential::check_name(Field::AuthorizationIdentity, authzid)?;
        self.authzid = Some(authzid.into());
        Ok(self)
    }
}

impl ClientMechanism for Client {
    fn name(&self) -> &'static str {
        NAME
    }

    fn initial_response(&mut self) -> Result<Option<SecretBytes>, Error> {
        if self.sent {
            return Err(Error::OutOfOrder);
        }
        self.sent = true;
        Ok(Some(write(self.authzid.as_deref(), &self.user, &self.password)))
    }

    fn respond(&mut self, _challenge: &[u8]) -> Result<SecretBytes, Error> {
        Err(Error::UnexpectedChallenge)
    }

    fn success(&mut self, data: Option<&[u8]>) -> Result<(), Error> {
        if self.sent { no_data(data) } else { Err(Error::EarlySuccess) }
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

/// How far a server that checks one password has come.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Fresh,
    Judging,
    Done,
}

impl ServerMechanism for Server {
    fn name(&self) -> &'static str {
        NAME
    }

    fn step(&mut self, response: Option<&[u8]>) -> ServerStep {
        match (self.state, response) {
            (State::Fresh, None) => ServerStep::Challenge(Vec::new()),
            (State::Fresh, Some(response)) => match parse(response) {
                Ok(credentials) => {
                    self.state = State::Judging;
                    ServerStep::Verify(credentials)
                }
                Err(error) => {
                    self.state = State::Done;
                    ServerStep::Fail(error)
                }
            },
            _ => {
                self.state = State::Done;
                ServerStep::Fail(Error::OutOfOrder)
            }
        }
    }

    fn verdict(&mut self, verdict: Verdict) -> ServerStep {
        let judging = self.state == State::Judging;
        self.state = State::Done;
        match verdict {
            _ if !judging => ServerStep::Fail(Error::OutOfOrder),
            Verdict::Accept => ServerStep::Success(None),
            Verdict::Refuse(_) => ServerStep::Fail(Error::Refused),
        }
    }
}

fn write(authzid: Option<&str>, user: &str, password: &Secret) -> SecretBytes {
    kvpair::concat(&[authzid.unwrap_or_default(), "\0", user, "\0", password.expose()])
}

fn parse(message: &[u8]) -> Result<Credentials, Error> {
    let message = core::str::from_utf8(message).map_err(|_| Error::MalformedResponse)?;
    let mut parts = message.split('\0');
    let (Some(authzid), Some(user), Some(password), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Error::MalformedResponse);
    };
    let authzid = match authzid {
        "" => None,
        _ => Some(String::from(authzid)),
    };
    for (field, name) in [(Field::User, Some(user)), (Field::AuthorizationIdentity, authzid.as_deref())] {
        if let Some(name) = name {
            credential::check_name(field, name).map_err(|_| Error::MalformedResponse)?;
        }
    }
    credential::check_password(password).map_err(|_| Error::MalformedResponse)?;
    Ok(Credentials::Password { authzid, user: user.into(), password: password.into() })
}
