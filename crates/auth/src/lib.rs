//! OAuth 2.0 for mail: providers, grants, token store; no sockets of its own.
//!
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod client;
mod clock;
mod endpoints;
mod error;
pub mod http;
mod identity;
pub mod loopback;
mod protocol;
pub mod provider;
mod registration;
mod response;
mod scope;
pub mod store;
mod tokens;

pub use client::{Authorize, Callback, Client, DeviceCode, Pending, Poll, Poller, ResponseMode};
pub use clock::{Clock, SystemClock};
pub use endpoints::Endpoints;
pub use error::{Class, Code, Error, Refusal, SignIn};
pub use identity::{Claims, Identity};
pub use protocol::Protocol;
pub use provider::Provider;
pub use registration::{Credential, Registration};
pub use tokens::Tokens;
