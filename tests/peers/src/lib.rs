//! The other end of the tests: real programs and bad ones, each in its own process or thread, on loopback, on
//! free ports, gone when its value is dropped. The library knows no crate of ours (its program
//! `hostile-client` does), so the tests of any of them may use it.
//!
//! - [`Dovecot`]: a private IMAP server with passwords and with locally checked JWTs; on request POP3, submission and LMTP too.
//! - [`Postfix`]: a private mail transfer agent in front of a [`Dovecot`]. [`Sink`]: a plain SMTP server that keeps what comes.
//! - [`Relay`]: stands between a client and a server, delays, counts and cuts.
//! - [`HostileServer`]: plays one case of the catalogue of hostile servers ([`hostile::cases`]).
//! - [`Tls`]: throw-away certificates, right and wrong ones. [`Hs256`]: tokens that [`Dovecot`] believes.
//! - [`Browser`]: Chromium without a screen, and [`http`](http()), a request without TLS.
//! - [`OidcProvider`] and [`Glewlwyd`]: authorisation servers.
//! - [`Home`]: our own program, with a home of its own.
//! - [`Program`] and [`available`]: which real programs are here, and what a test does when one is not. [`node`](node()): a script for Node.
//!
//! All of it is blocking code on threads of its own, whatever runtime the tested code uses.

mod browser;
mod dovecot;
mod glewlwyd;
pub mod home;
pub mod hostile;
pub mod hostile_client;
mod jwt;
mod net;
mod node;
mod oidc_provider;
mod postfix;
mod program;
mod relay;
mod sink;
mod tls;

pub use browser::{Answer, Browser, http};
pub use dovecot::{Config, Dovecot, Jwt, ServicePorts, Services, VerificationKey};
pub use glewlwyd::Glewlwyd;
pub use home::Home;
pub use hostile::HostileServer;
pub use jwt::Hs256;
pub use net::free_port;
pub use node::node;
pub use oidc_provider::OidcProvider;
pub use postfix::Postfix;
pub use program::{Program, available};
pub use relay::{Cut, End, Relay, Which};
pub use sink::{Delivered, Sink};
pub use tls::Tls;
