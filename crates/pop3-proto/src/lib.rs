//! POP3 (RFC 1939) without I/O: types, grammar, a client machine and a server machine.
//!
//! ```text
//!   types      the nouns; a value that exists can be written
//!   grammar    for every rule a parser and a writer, side by side
//!   session    the states of RFC 1939 section 3, for either role
//!   client     commands in, events out          ── both are `wire::Machine`s
//!   server     commands in, replies out         ── over the same grammar
//! ```
//!
//! With it come the extensions: CAPA and response codes (RFC 2449), STLS (RFC 2595), `SYS` and `AUTH` codes (RFC 3206), AUTH
//! (RFC 5034), UTF8 and LANG (RFC 6856).
//!
//! # How a reply is read
//!
//! POP3 has no tags: replies come in the order of the commands, so whatever arrives while nothing is in flight cannot be a
//! reply and ends the connection. A status line is read whole. What follows the status line of a multi-line reply is never whole in
//! memory: messages stream through [`wire::dot::Decoder`], and the lines of LIST, UIDL, CAPA and LANG are events of their own,
//! borrowed from the receive buffer. Only CRLF, dot, CRLF ends either. A line of a listing that cannot be understood is an event too,
//! because its end is known.
//!
//! # What goes out
//!
//! Commands are queued. They are written ahead of the replies once the server has said PIPELINING, and one at a time before;
//! a sign-in, STLS and QUIT always have the connection to themselves. A long SASL response goes out only when the server has
//! asked for it: RFC 5034 section 4 leaves 255 octets for the command line, and Exchange Online closes the connection over more.
//!
//! # What is refused
//!
//! Octets between the consent to STLS and the handshake end the connection, and nothing learnt in the clear before TLS
//! survives it, the timestamp for APOP included. Credentials do not go out without TLS unless the configuration carries the word
//! `dangerous`. Every size, count and wait has a limit ([`wire::Limits`], [`Timeouts`]). What a server echoes of the credentials
//! it was given is taken out before anybody sees it.
//!
//! # A session
//!
//! ```
//! use core::num::NonZeroU32;
//! use postkey_pop3_proto::types::{Command, Name, Password};
//! use postkey_pop3_proto::{Client, Config, Event, Security};
//! use wire::{Need, Session, Tick};
//!
//! let client = Client::new(Config::new(Security::Tls));
//! let inbox = client.inbox();
//! let mut pop3 = Session::new(client, inbox);
//! pop3.machine.login(&Name::new("mrose")?, &Password::new(b"tanstaaf".to_vec().into())?)?;
//! pop3.machine.send(&Command::Retr(NonZeroU32::MIN))?;
//! let mut message = Vec::new();
//! for said in ["+OK hi\r\n", "+OK\r\n", "+OK locked\r\n", "+OK\r\nSubject: x\r\n\r\n..\r\n.\r\n"] {
//!     let mut need = pop3.feed(said.as_bytes(), Tick::ZERO);
//!     while need == Need::Event {
//!         if let Some(Event::Chunk(octets)) = pop3.machine.event(&pop3.input).transpose()? {
//!             message.extend_from_slice(octets);
//!         }
//!         need = pop3.advance(Tick::ZERO);
//!     }
//! }
//! assert_eq!(message, b"Subject: x\r\n\r\n.\r\n");
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
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
pub mod grammar;
pub mod server;
mod session;
#[cfg(any(test, feature = "testkit"))]
pub mod testkit;
pub mod types;

pub use client::{Client, CommandId, Completed, Event};
pub use config::{Config, InitialResponse, Timeouts};
pub use error::{Error, Misuse, Wait, Whence};
pub use server::Server;
pub use session::State;
pub use wire::Security;
