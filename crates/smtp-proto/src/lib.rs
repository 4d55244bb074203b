//! SMTP (RFC 5321), submission (RFC 6409) and LMTP (RFC 2033) without I/O: types, grammar, a client machine and a server machine.
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
