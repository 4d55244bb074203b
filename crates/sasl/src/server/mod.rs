//! The server side.

mod exchange;
mod sign_in;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use crate::{Credentials, Error, ErrorChallenge, login, oauthbearer, plain, xoauth2};

pub use exchange::{ServerExchange, ServerReply};
pub use sign_in::ServerSignIn;

/// Names that [`mechanism`] knows, the ones to prefer first.
pub const MECHANISMS: [&str; 4] = [xoauth2::NAME, oauthbearer::NAME, plain::NAME, login::NAME];

/// The server side of the mechanism with this name; names are compared without regard to case.
pub fn mechanism(name: &str) -> Option<Box<dyn ServerMechanism>> {
    let is = |known: &str| name.eq_ignore_ascii_case(known);
    Some(match () {
        () if is(xoauth2::NAME) => Box::new(xoauth2::Server::default()),
        () if is(oauthbearer::NAME) => Box::new(oauthbearer::Server::default()),
        () if is(plain::NAME) => Box::new(plain::Server::default()),
        () if is(login::NAME) => Box::new(login::Server::default()),
        () => return None,
    })
}

/// The server side of a mechanism: octets in, a step out. One value serves one exchange.
///
/// It never looks a credential up. It asks with [`ServerStep::Verify`] and is told by
/// [`verdict`](Self::verdict); a mechanism may ask more than once. `Debug` must not show a secret.
pub trait ServerMechanism: Send + fmt::Debug {
    /// The registered name in capitals: `XOAUTH2`.
    fn name(&self) -> &'static str;

    /// Takes the client's next message. `None` only at the start, when the command had no initial response.
    fn step(&mut self, response: Option<&[u8]>) -> ServerStep;

    /// Takes the answer to [`ServerStep::Verify`].
    fn verdict(&mut self, verdict: Verdict) -> ServerStep;
}

/// What a server mechanism wants done next.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum ServerStep {
    /// Send this challenge, possibly empty, and pass the answer to [`ServerMechanism::step`].
    Challenge(Vec<u8>),
    /// Check these and call [`ServerMechanism::verdict`].
    Verify(Credentials),
    /// The client is who it says, with the data a mechanism sends along with its success, if any.
    Success(Option<Vec<u8>>),
    /// It is over.
    Fail(Error),
}

/// What the server found when it checked the credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// They are good.
    Accept,
    /// They are not. With a challenge a bearer mechanism first tells the client why, as Gmail and Dovecot do;
    /// without one, and in the other mechanisms always, the refusal comes at once, as from Exchange
    /// Online.
    Refuse(Option<ErrorChallenge>),
}
