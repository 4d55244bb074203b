//! Everything that can go wrong in an exchange.

use core::fmt;

use crate::{Fault, Field};

/// Why an exchange could not start, was cancelled, or did not count as a success.
///
/// No variant carries text from the peer or a credential, so an error can be logged as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// A user name, token, password or host cannot be put into a message of this mechanism. Nothing was
    /// sent.
    Credential {
        /// Which value.
        field: Field,
        /// What is wrong with it.
        fault: Fault,
    },
    /// The peer's message is not base64 in the standard alphabet with padding (RFC 4648 section 4).
    InvalidBase64,
    /// The peer's message is larger than [`Limits::message`](crate::Limits::message).
    MessageTooLarge {
        /// The limit, in octets after decoding.
        limit: usize,
    },
    /// The peer went on after [`Limits::rounds`](crate::Limits::rounds) messages.
    TooManyRounds {
        /// The limit.
        limit: u32,
    },
    /// The server sent a challenge where the mechanism has none.
    UnexpectedChallenge,
    /// A bearer mechanism was challenged with something that is not the JSON object of RFC 7628
    /// section 3.2.2.
    MalformedErrorChallenge {
        /// Where reading stopped, in octets from the start of the decoded challenge.
        offset: usize,
    },
    /// The server announced success before the mechanism had sent its credentials.
    EarlySuccess,
    /// The server announced success after it had sent an error challenge.
    SuccessAfterError,
    /// The server sent data with its success, which this mechanism does not define.
    UnexpectedSuccessData,
    /// Server side: the client's response does not follow the grammar of the mechanism.
    MalformedResponse,
    /// The exchange was cancelled: the client sent `*`, or the caller asked for it.
    Cancelled,
    /// Server side: the credentials were refused by the verdict.
    Refused,
    /// The caller used an exchange or a mechanism in an order that it does not have.
    OutOfOrder,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Credential { field, fault } => {
                write!(f, "{field} {fault}, so it was not sent; correct it and try again")
            }
            Self::InvalidBase64 => f.write_str(
                "the peer's SASL message is not valid base64, so the exchange was ended; \
                 the peer does not follow its protocol",
            ),
            Self::MessageTooLarge { limit } => write!(
                f,
                "the peer's SASL message is larger than {limit} octets, so the exchange was ended; \
                 if the peer is trusted, raise the limit"
            ),
            Self::TooManyRounds { limit } => write!(
                f,
                "the peer did not finish the SASL exchange within {limit} messages, so it was ended; \
                 if the peer is trusted, raise the limit"
            ),
            Self::UnexpectedChallenge => f.write_str(
                "the server sent a SASL challenge where the mechanism has none, so the exchange was \
                 cancelled; the server may not implement this mechanism, try another one",
            ),
            Self::MalformedErrorChallenge { offset } => write!(
                f,
                "the server refused the token with a challenge that is not the expected JSON object \
                 (octet {offset}), so its reason is unknown; check the token's audience, scope and user"
            ),
            Self::EarlySuccess => f.write_str(
                "the server announced success before it was given credentials, so it cannot have checked \
                 them; the connection must not be used, check that this is the right server",
            ),
            Self::SuccessAfterError => f.write_str(
                "the server refused the credentials and then announced success, so the sign-in does not \
                 count; the connection must not be used",
            ),
            Self::UnexpectedSuccessData => f.write_str(
                "the server sent data with its success that the mechanism does not define, so the sign-in \
                 does not count; try another mechanism",
            ),
            Self::MalformedResponse => f.write_str(
                "the client's SASL response does not follow the grammar of the mechanism, so it was \
                 refused; check how the client builds it",
            ),
            Self::Cancelled => f.write_str("the SASL exchange was cancelled; no one is signed in"),
            Self::Refused => f.write_str(
                "the credentials were refused; check the user name and obtain a fresh token or password",
            ),
            Self::OutOfOrder => f.write_str(
                "the SASL exchange was called in an order it does not have; this is a mistake in the \
                 calling program",
            ),
        }
    }
}

impl core::error::Error for Error {}
