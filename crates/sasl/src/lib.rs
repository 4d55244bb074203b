//! SASL mechanisms (RFC 4422), client and server, and the exchange that every mail protocol shares.
//!
//! Three layers, each ignorant of the one above it:
//!
//! * **Mechanisms** know octets and nothing else. One module per mechanism holds both sides, with the
//!   writer and the parser of its messages next to each other: [`xoauth2`], [`oauthbearer`] (RFC 7628),
//!   [`plain`] (RFC 4616), [`login`]. A mechanism implements [`ClientMechanism`] or [`ServerMechanism`];
//!   both traits are open, so a mechanism from another crate plugs in the same way.
//! * **Exchanges** hold what IMAP, POP3, SMTP and ManageSieve would otherwise repeat: base64, the initial
//!   response that may or may not ride on the command, `*` to cancel, limits on size and rounds, and the
//!   refusal of a success that comes too early. See [`ClientExchange`] and [`ServerExchange`], and [`ServerSignIn`] for whose turn it
//!   is at a server.
//! * **Protocols** (other crates) put lines around it: `AUTHENTICATE`, `AUTH`, `+`, `334`, tagged replies.
//!
//! Rules that hold everywhere:
//!
//! * *"The server says success" is an input.* It is handed to the mechanism, which may refuse it; only then
//!   does [`ClientExchange::success`] build a [`Success`], the one place where that type can be built. A
//!   protocol machine asks for a `Success` before it calls itself authenticated.
//! * *No initial response and an empty one are different*: `None` and `Some(empty)`, nothing on the line
//!   and `=` on the line.
//! * *Credentials are checked before a message is built.* The delimiters of a mechanism cannot be smuggled
//!   in through a user name or a token; see [`Error::Credential`].
//! * *Secrets are [`wire::Secret`] or [`wire::SecretBytes`]* and print as `[redacted]`. What a server echoes
//!   is redacted before it is stored in an [`ErrorChallenge`]; for its other texts,
//!   [`ClientExchange::secrets`] gives the values to look for.
//! * *No clock, no socket, no random source, no panic* on any input from a peer or a user.
//!
//! # An IMAP sign-in with an initial response
//!
//! ```
//! use postkey_sasl::{ClientExchange, Initial, Limits, Reply, Room, xoauth2};
//!
//! let mechanism = xoauth2::Client::new("ana@contoso.example", "tok.en-1".into())?;
//! let mut exchange = ClientExchange::new(Box::new(mechanism), Limits::default());
//! let Initial::Inline(line) = exchange.initial(Room::Unlimited)? else { unreachable!() };
//! // C: a1 AUTHENTICATE XOAUTH2 <line>
//! assert!(line.expose().starts_with(b"dXNlcj1hbmFA"));
//! // S: + eyJzdGF0dXMiOiI0MDAifQ==      a refusal, told in a challenge
//! let Reply::Send(answer) = exchange.challenge(b"eyJzdGF0dXMiOiI0MDAifQ==") else { unreachable!() };
//! assert!(answer.is_empty()); // C: an empty line
//! // S: a1 NO AUTHENTICATE failed.
//! assert_eq!(exchange.failure().error_challenge.unwrap().status, "400");
//! # Ok::<(), postkey_sasl::Error>(())
//! ```
//!
//! # What is not here
//!
//! SASLprep (RFC 4013) is not applied: user names and passwords go out as the UTF-8 they came in. Whether
//! credentials may be sent without TLS is the policy of the protocol machine, which asks
//! [`ClientMechanism::needs_tls`]. Whether a token is good is for the caller of [`ServerExchange::verdict`].
#![no_std]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod base64;
mod bearer;
mod client;
mod credential;
mod error;
mod error_challenge;
mod json;
mod kvpair;
mod limits;
pub mod login;
pub mod oauthbearer;
pub mod plain;
mod server;
#[cfg(any(test, feature = "testkit"))]
pub mod testkit;
pub mod xoauth2;

pub use client::{ClientExchange, ClientMechanism, Failure, Initial, Reply, Room, Success};
pub use credential::{Credentials, Fault, Field};
pub use error::Error;
pub use error_challenge::ErrorChallenge;
pub use limits::Limits;
pub use server::{
    MECHANISMS, ServerExchange, ServerMechanism, ServerReply, ServerSignIn, ServerStep, Verdict, mechanism,
};
