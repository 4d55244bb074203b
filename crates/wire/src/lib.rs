//! The pluggable protocol core: what every mail protocol shares and no protocol owns.
//!
//! A protocol crate implements [`Machine`], a pure function of octets and time; a driver moves the octets without
//! knowing the protocol. Between them stand two buffers, [`InBuf`] and [`OutBuf`].
//!
//! ```text
//!  application ── commands, events (each protocol its own) ──┐
//!                                                          Machine
//!  driver ── advance / output / deadline / upgraded ─────────┘
//!        └── reads into InBuf, sends from OutBuf, keeps time (Tick)
//! ```
//!
//! * [`machine`]: the contract, in full.
//! * [`mod@line`], [`literal`], [`dot`]: the three ways mail protocols delimit data, each streaming, each looking at an
//!   octet once.
//! * [`Secret`], [`SecretBytes`], [`Redactor`]: secrets that cannot be printed, and a way to take them out of what a peer
//!   echoes.
//! * [`Limits`]: how much a peer may make us do; [`Watch`]: how long.
//! * [`End`]: the end of a connection, which comes once and says why once.
//! * [`Security`], [`Upgrade`]: what may go out without TLS, and the one refusal of octets that arrive before the handshake.
//! * [`server`]: what every server says of a client that is gone.
//! * `testkit` (feature): runs any machine against the contract, and joins two of them in memory.
//!
//! The crate is `no_std + alloc`, forbids unsafe code and never touches a clock, a socket, a file, a thread or a random
//! source.
#![no_std]
#![cfg_attr(
    not(any(test, feature = "testkit")),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

extern crate alloc;
#[cfg(any(test, feature = "testkit"))]
extern crate std;

pub mod dot;
mod end;
mod inbuf;
mod limits;
pub mod line;
pub mod literal;
pub mod machine;
mod outbuf;
mod redact;
mod secret;
mod security;
pub mod server;
mod session;
#[cfg(any(test, feature = "testkit"))]
pub mod testkit;
mod tick;
mod upgrade;
mod watch;

pub use end::End;
pub use inbuf::InBuf;
pub use limits::{Limit, Limits};
pub use machine::{Layer, Machine, Need, Upgraded};
pub use outbuf::OutBuf;
pub use redact::{Redactor, printable};
pub use secret::{REDACTED, Secret, SecretBytes};
pub use security::Security;
pub use session::Session;
pub use tick::Tick;
pub use upgrade::{Injection, Upgrade};
pub use watch::{Wait, Watch};
