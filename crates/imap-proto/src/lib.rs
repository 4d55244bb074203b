//! IMAP4rev1 (RFC 3501) without I/O: types, grammar, a client machine and a server machine.
//!
//! ```text
//!   types      the nouns; a value that exists can be written
//!   grammar    for every rule a parser and a writer, side by side
//!   frame      where responses and commands end; where free text begins
//!   session    the states of RFC 3501 section 3, for either role
//!   client     commands in, events out          ── both are `wire::Machine`s
//!   server     commands in, replies out         ── over the same grammar
//! ```
//!
//! # How a response is read
//!
//! The framer finds the end of a response in the receive buffer, looking at each octet once; it knows enough grammar
//! to tell a literal from free text that looks like one. The parsers then get the whole frame and return values that
//! borrow from it. Two kinds of response are never whole in memory: FETCH data is read item by item and its bodies are streamed
//! as they arrive, and SEARCH results are handed out in stretches. So a mailbox of any size and a message of any size
//! pass through a few tens of KiB.
//!
//! # What is refused
//!
//! Octets between the consent to STARTTLS and the handshake end the connection, and nothing said in the clear before TLS
//! survives it. Credentials do not go out without TLS unless the configuration carries the word `dangerous`. Every size,
//! count, depth and wait has a limit ([`wire::Limits`], [`Timeouts`]). What a server echoes of the credentials it was
//! given is taken out of words and of what cannot be understood before anybody sees it; data (names, messages) is what the server says.
//!
//! What real servers do against the RFC is tolerated where a client must survive it; each such place cites the server.
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

pub use client::{Client, CommandId, Completed, Event, Fetch};
pub use config::{Config, InitialResponse, Timeouts};
pub use error::{Error, Misuse, Wait, Whence};
pub use server::Server;
pub use session::State;
pub use wire::Security;
