//! OAUTHBEARER (RFC 7628): a bearer token, optionally with the user, host and port it is meant for.
//!
//! ```text
//! message    = gs2-header %x01 [ "host=" host %x01 "port=" port %x01 ] "auth=Bearer " token %x01 %x01
//! gs2-header = ( "n" / "y" ) "," [ "a=" saslname ] ","        ; RFC 5801 section 4
//! saslname   = 1*( UTF-8 character other than NUL "," "=" / "=2C" / "=3D" )
//! ```
//!
//! A server that refuses sends a challenge with the JSON of [`ErrorChallenge`]; the client answers it with
//! the single octet **0x01** and then gets the refusal (section 3.2.3). Channel binding (`p=`) is not part of
//! this mechanism and is refused.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use wire::{Secret, SecretBytes};

use crate::bearer::{self, Presented};
use crate::{
    ClientMechanism, Error, ErrorChallenge, Fault, Field, ServerMechanism, ServerStep, Verdict, credential,
    kvpair,
};

/// The mechanism's name.
pub const NAME: &str = "OAUTHBEARER";

/// The client side.
#[derive(Debug)]
pub struct Client(bearer::Client);

impl Client {
    /// `user` is the mailbox to open, or `None` to let the token decide; `token` is the access token;
    /// `server` is the host name and port that the connection was made to, which RFC 7628 lets a client
    /// leave out for bearer tokens.
    ///
    /// # Errors
    ///
    /// [`Error::Credential`] when a value cannot be sent: empty, a control character, or in the token or host
    /// a space or a character outside ASCII, or port 0.
    pub fn new(user: Option<&str>, token: Secret, server: Option<(&str, u16)>) -> Result<Self, Error> {
        if let Some(user) = user {
            credential::check_name(Field::User, user)?;
        }
        credential::check_printable(Field::Token, token.expose())?;
        if let Some((host, port)) = server {
            credential::check_printable(Field::Host, host)?;
            if port == 0 {
                return Err(Error::Credential { field: Field::Port, fault: Fault::Zero });
            }
        }
        let message = write(user, &token, server);
        Ok(Self(bearer::Client::new(token, message, b"\x01")))
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

/// The server side.
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

fn write(user: Option<&str>, token: &Secret, server: Option<(&str, u16)>) -> SecretBytes {
    let authzid = user.map(|user| user.replace('=', "=3D").replace(',', "=2C"));
    let port = server.map(|(_, port)| port.to_string());
    let mut parts = Vec::from(["n,"]);
    if let Some(authzid) = &authzid {
        parts.extend(["a=", authzid.as_str()]);
    }
    parts.push(",\x01");
    if let (Some((host, _)), Some(port)) = (server, &port) {
        parts.extend(["host=", host, "\x01port=", port.as_str(), "\x01"]);
    }
    parts.extend(["auth=Bearer ", token.expose(), "\x01\x01"]);
    kvpair::concat(&parts)
}

fn parse(message: &[u8]) -> Result<Presented, Error> {
    let header_len = message.iter().position(|octet| *octet == 1).ok_or(Error::MalformedResponse)?;
    let (header, rest) = message.split_at_checked(header_len).ok_or(Error::MalformedResponse)?;
    let header = core::str::from_utf8(header).map_err(|_| Error::MalformedResponse)?;
    let user = parse_gs2_header(header)?;
    let pairs = kvpair::parse(rest.get(1..).unwrap_or_default())?;
    let token = kvpair::parse_bearer(pairs.auth.ok_or(Error::MalformedResponse)?)?;
    if let Some(host) = pairs.host {
        credential::check_printable(Field::Host, host).map_err(|_| Error::MalformedResponse)?;
    }
    let port = pairs.port.map(parse_port).transpose()?;
    Ok(Presented { user, token, host: pairs.host.map(String::from), port })
}

fn parse_gs2_header(header: &str) -> Result<Option<String>, Error> {
    let mut parts = header.split(',');
    let (Some("n" | "y"), Some(authzid), Some(""), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Error::MalformedResponse);
    };
    if authzid.is_empty() {
        return Ok(None);
    }
    parse_saslname(authzid.strip_prefix("a=").ok_or(Error::MalformedResponse)?).map(Some)
}

fn parse_saslname(text: &str) -> Result<String, Error> {
    let mut pieces = text.split('=');
    let mut name = String::from(pieces.next().unwrap_or_default());
    for piece in pieces {
        // ABNF strings are case-insensitive, so `=2c` is as good as `=2C`.
        let (c, rest) = match piece.split_at_checked(2) {
            Some(("2C" | "2c", rest)) => (',', rest),
            Some(("3D" | "3d", rest)) => ('=', rest),
            _ => return Err(Error::MalformedResponse),
        };
        name.push(c);
        name.push_str(rest);
    }
    credential::check_name(Field::User, &name).map_err(|_| Error::MalformedResponse)?;
    Ok(name)
}

/// A decimal positive integer without leading zeros (RFC 7628 section 3.1).
fn parse_port(text: &str) -> Result<u16, Error> {
    match text.as_bytes() {
        [b'1'..=b'9', ..] => text.parse().map_err(|_| Error::MalformedResponse),
        _ => Err(Error::MalformedResponse),
    }
}
