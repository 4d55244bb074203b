//! XOAUTH2: a user and a bearer token in one message. Google's and Microsoft's own mechanism, without an RFC.
//!
//! ```text
//! message = "user=" user %x01 "auth=Bearer " token %x01 %x01
//! ```
//!
//! A server that refuses may first send a challenge with the JSON of [`ErrorChallenge`]; the client answers
//! it with an **empty** message and then gets the refusal (Gmail, Dovecot). Exchange Online refuses at once.

use alloc::string::String;
use alloc::vec::Vec;

use wire::{Secret, SecretBytes};

use crate::bearer::{self, Presented};
use crate::{
    ClientMechanism, Error, ErrorChallenge, Field, ServerMechanism, ServerStep, Verdict, credential, kvpair,
};

/// The mechanism's name.
pub const NAME: &str = "XOAUTH2";

/// The client side.
#[derive(Debug)]
pub struct Client(bearer::Client);

impl Client {
    /// `user` is the mailbox to open, any Unicode without control characters; `token` is the access token as
    /// the provider gave it.
    ///
    /// # Errors
    ///
    /// [`Error::Credential`] when either cannot be sent: empty, a control character in either, a space or
    /// a character outside ASCII in the token.
    pub fn new(user: &str, token: Secret) -> Result<Self, Error> {
        credential::check_name(Field::User, user)?;
        credential::check_printable(Field::Token, token.expose())?;
        let message = write(user, &token);
        Ok(Self(bearer::Client::new(token, message, b"")))
    }
}

impl ClientMechanism for Client {
    fn name(&self) -> &'static str {
        NAME
    }

    fn initial_response(&mut self) -> Result<Option<SecretBytes>, Error> {
        self.0.initial_response()
    }

    fn respond(&mut self, challenge: &[u8]) -> Result<SecretBytes, Error> {
        self.0.respond(challenge)
    }

    fn success(&mut self, data: Option<&[u8]>) -> Result<(), Error> {
        self.0.success(data)
    }

    fn error_challenge(&self) -> Option<&ErrorChallenge> {
        self.0.error_challenge()
    }

    fn secrets(&self) -> Vec<&str> {
        self.0.secrets()
    }
}

/// The server side. Its credentials always name a user.
#[derive(Debug, Default)]
pub struct Server(bearer::Server);

impl ServerMechanism for Server {
    fn name(&self) -> &'static str {
        NAME
    }

    fn step(&mut self, response: Option<&[u8]>) -> ServerStep {
        self.0.step(response, parse)
    }

    fn verdict(&mut self, verdict: Verdict) -> ServerStep {
        self.0.verdict(verdict)
    }
}

fn write(user: &str, token: &Secret) -> SecretBytes {
    kvpair::concat(&["user=", user, "\x01auth=Bearer ", token.expose(), "\x01\x01"])
}

fn parse(message: &[u8]) -> Result<Presented, Error> {
    let pairs = kvpair::parse(message)?;
    let (Some(user), Some(auth)) = (pairs.user, pairs.auth) else { return Err(Error::MalformedResponse) };
    credential::check_name(Field::User, user).map_err(|_| Error::MalformedResponse)?;
    Ok(Presented {
        user: Some(String::from(user)),
        token: kvpair::parse_bearer(auth)?,
        host: None,
        port: None,
    })
}
