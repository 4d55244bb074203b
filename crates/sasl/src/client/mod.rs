//! The client side.

mod exchange;

use alloc::vec::Vec;
use core::fmt;

use wire::SecretBytes;

use crate::{Error, ErrorChallenge};

pub(crate) use exchange::decode;
pub use exchange::{ClientExchange, Failure, Initial, Reply, Room, Success};

/// The client side of a mechanism: octets in, octets out. One value serves one exchange.
///
/// A mechanism sees decoded messages; base64, cancelling and limits belong to [`ClientExchange`].
/// `Debug` is required so that a protocol machine can have it; it must not show a secret.
pub trait ClientMechanism: Send + fmt::Debug {
    /// The registered name in capitals: `XOAUTH2`.
    fn name(&self) -> &'static str;

    /// The message that opens the exchange. `None`: the mechanism speaks only when challenged. `Some` of no
    /// octets is a message all the same.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfOrder`] when asked a second time.
    fn initial_response(&mut self) -> Result<Option<SecretBytes>, Error>;

    /// Answers a challenge. For a mechanism that starts by itself, the empty challenge which invites the
    /// initial response is not passed in.
    ///
    /// # Errors
    ///
    /// Whatever makes it impossible to go on; the exchange is then cancelled.
    fn respond(&mut self, challenge: &[u8]) -> Result<SecretBytes, Error>;

    /// The server announced success, with `data` if the protocol can carry any. The mechanism agrees or
    /// refuses: it must refuse unless it has sent everything it has to send and checked everything it can.
    ///
    /// # Errors
    ///
    /// [`Error::EarlySuccess`], [`Error::SuccessAfterError`], [`Error::UnexpectedSuccessData`], or a
    /// mechanism's own reason.
    fn success(&mut self, data: Option<&[u8]>) -> Result<(), Error>;

    /// The server's reason for a refusal, once a bearer mechanism was given one.
    fn error_challenge(&self) -> Option<&ErrorChallenge> {
        None
    }

    /// The values that must not appear in any output, for building a redactor.
    fn secrets(&self) -> Vec<&str>;

    /// Whether the messages show a secret to whoever reads the line, so that TLS is required.
    fn needs_tls(&self) -> bool {
        true
    }
}
