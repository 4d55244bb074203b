//! What a user may put into a message, and what a server gets out of one.

use alloc::string::String;
use core::fmt;

use wire::Secret;

use crate::Error;

/// What a client presented, for the server's own check. Handed out by
/// [`ServerReply::Verify`](crate::ServerReply::Verify).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credentials {
    /// A bearer token (XOAUTH2, OAUTHBEARER).
    Bearer {
        /// The user named beside the token; OAUTHBEARER may leave it out, and then the token decides.
        user: Option<String>,
        /// The token: printable ASCII. Empty when an OAUTHBEARER client asks which scope is needed
        /// (RFC 7628 section 4.3); an empty token is refused whatever the verdict says.
        token: Secret,
        /// Host the client says it connected to (OAUTHBEARER). A server that knows its own name must
        /// compare (RFC 7628 section 3.2).
        host: Option<String>,
        /// Port the client says it connected to (OAUTHBEARER), 1 to 65 535.
        port: Option<u16>,
    },
    /// A password (PLAIN, LOGIN).
    Password {
        /// Identity to act as (PLAIN); `None` means the one that `user` may act as by itself.
        authzid: Option<String>,
        /// Whose password it is.
        user: String,
        /// The password.
        password: Secret,
    },
}

/// Which value given by the caller was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Field {
    /// The user name.
    User,
    /// The identity to act as.
    AuthorizationIdentity,
    /// The access token.
    Token,
    /// The password.
    Password,
    /// The host name of OAUTHBEARER.
    Host,
    /// The port number of OAUTHBEARER.
    Port,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::User => "the user name",
            Self::AuthorizationIdentity => "the authorization identity",
            Self::Token => "the access token",
            Self::Password => "the password",
            Self::Host => "the host name",
            Self::Port => "the port number",
        })
    }
}

/// What is wrong with a [`Field`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// It is empty.
    Empty,
    /// It contains a control character, a line end or NUL for example.
    Control,
    /// It contains a space.
    Space,
    /// It contains a character outside ASCII.
    NonAscii,
    /// It is zero.
    Zero,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "is empty",
            Self::Control => "contains a control character (a line end for example)",
            Self::Space => "contains a space",
            Self::NonAscii => "contains a character outside ASCII",
            Self::Zero => "is zero",
        })
    }
}

/// A name of a person or mailbox: any Unicode but control characters, which no directory has and which
/// could end a field (0x01, NUL) or a line.
pub(crate) fn check_name(field: Field, value: &str) -> Result<(), Error> {
    if value.is_empty() {
        return Err(Error::Credential { field, fault: Fault::Empty });
    }
    if value.chars().any(char::is_control) {
        return Err(Error::Credential { field, fault: Fault::Control });
    }
    Ok(())
}

/// A token or host: printable ASCII without space. Wider than the b64token of RFC 6750 because opaque
/// tokens of real providers use more, narrower than anything that could end a field.
pub(crate) fn check_printable(field: Field, value: &str) -> Result<(), Error> {
    if value.is_empty() {
        return Err(Error::Credential { field, fault: Fault::Empty });
    }
    for octet in value.bytes() {
        let fault = match octet {
            0x21..=0x7e => continue,
            b' ' => Fault::Space,
            0x80.. => Fault::NonAscii,
            _ => Fault::Control,
        };
        return Err(Error::Credential { field, fault });
    }
    Ok(())
}

/// A password: anything but NUL, which PLAIN cannot carry, and line ends, which come from a file read
/// without removing its last one rather than from a person.
pub(crate) fn check_password(value: &str) -> Result<(), Error> {
    let field = Field::Password;
    if value.is_empty() {
        return Err(Error::Credential { field, fault: Fault::Empty });
    }
    if value.contains(['\0', '\r', '\n']) {
        return Err(Error::Credential { field, fault: Fault::Control });
    }
    Ok(())
}
