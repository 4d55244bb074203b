//! SMTP (RFC 5321), submission (RFC 6409) and LMTP (RFC 2033) without I/O: types, grammar, a client machine and a server
//! machine.
//!
//! ```text
//!   types      the nouns; a value that exists can be written
//!   grammar    for every rule a parser and a writer, side by side
//!   frame      where a reply ends
//!   session    the states, for either role, and the dialect
//!   client     commands and messages in, events out   ── both are `wire::Machine`s
//!   server     commands in, replies out               ── over the same grammar
//! ```
//!
//! Extensions: STARTTLS (RFC 3207), AUTH (4954), PIPELINING (2920), SIZE (1870), 8BITMIME (6152), CHUNKING and BINARYMIME (3030),
//! SMTPUTF8 (6531), DSN (3461), ENHANCEDSTATUSCODES (2034), REQUIRETLS (8689), DELIVERBY (2852), FUTURERELEASE (4865), LIMITS
//! (9422).
//!
//! # A message is one call
//!
//! [`Client::send`] takes the whole envelope, decides whether the server can take it, and sends its commands in as few groups as the server
//! allows; the message follows when it is asked for, and the commands of the next message travel with the end of the one before. What
//! comes of it is an [`Event`], or one error that is neither success nor failure: [`Error::Unknown`], when the connection
//! ends between the last octet of a message and the reply to it.
//!
//! # What is refused
//!
//! *By the types:* CR, LF, NUL and angle brackets in addresses, and anything in a name or parameter that could end it. Parameters are typed,
//! so there is no way to write one that is not known.
//!
//! *By the client:* credentials without TLS; octets between the consent to STARTTLS and the handshake; replies that do not fit the
//! command they would belong to. A CR or LF that stands alone never goes out in a text message: it becomes CRLF or the message is refused
//! ([`BareNewline`]). An address that needs SMTPUTF8 is not rewritten for a server without it.
//!
//! *By the server:* everything but CRLF . CRLF as the end of DATA, text messages with line ends that are not CRLF, anything
//! behind DATA before it was asked for, commands and parameters that were not offered, and more than the limits allow. So a message
//! that two servers could read differently ends here.
//!
//! What a server echoes of the credentials it was given is taken out before anybody sees it.
//!
//! # What is not here
//!
//! `ORCPT` takes ASCII only (no `utf-8` address type of RFC 6533), and addresses are not translated to punycode. Delivery, queues
//! and relaying are an application's.
//!
//! The crate is `no_std + alloc` and never touches a clock, a socket or a random source.
#![no_std]
#![cfg_attr(
    not(any(test, feature = "testkit")),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

extern crate alloc;
#[cfg(any(test, feature = "testkit"))]
extern crate std;

mod client;
mod config;
mod error;
mod frame;
pub mod grammar;
pub mod server;
mod session;
#[cfg(any(test, feature = "testkit"))]
pub mod testkit;
pub mod types;

pub use client::{Client, CommandId, Completed, Event, Stage};
pub use config::{Config, InitialResponse, Timeouts};
pub use error::{Error, Misuse, Wait, Whence};
pub use server::Server;
pub use session::{Dialect, State};
pub use wire::Security;
pub use wire::dot::BareNewline;
