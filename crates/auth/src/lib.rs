//! OAuth 2.0 for mail: providers, grants, and tokens that several programs can share.
//!
//! This crate turns "this account at this provider" into a valid access token. It knows no SASL and opens no
//! socket: a token is handed to whoever speaks the mail protocol, HTTP goes through [`http::Http`], time
//! through [`Clock`].
//!
//! # The way to a token
//!
//! ```text
//! provider::Provider ── endpoints(registration) ──► Endpoints ─┐
//!   (data: hosts, scopes, quirks)                              ├─► Client ──► Tokens ──► store::save
//! Registration (client id, credential, tenant) ────────────────┤     │
//! http::Http, Clock ───────────────────────────────────────────┘     │ one of:
//!                                          device_start → device_finish        a person elsewhere
//!                                          code_begin → (browser) → code_finish  a person here
//!                                          begin → (redirects) → finish        a person at a web application
//!                                          client_credentials, jwt_bearer      nobody
//!                                          password                            a person of old
//!
//! later: store::access_token(store, client, wanted) ──► Issued: from the store, or renewed once for everybody
//! ```
//!
//! ```no_run
//! use postkey_auth::http::{ReqwestHttp, ReqwestOptions};
//! use postkey_auth::provider::{Access, Provider};
//! use postkey_auth::store::{self, FileStore, KeySource, Renewal, Wanted};
//! use postkey_auth::{Client, Protocol, Registration, SystemClock};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let provider = Provider::builtin("microsoft").ok_or("no such provider")?;
//! let registration = Registration::public("CLIENT-ID", "contoso.com");
//! let http = ReqwestHttp::new(&ReqwestOptions::default())?;
//! let client = Client::new(provider.endpoints(&registration)?, registration, http);
//! let scopes = provider.scopes_for(&[Protocol::Imap], Access::Delegated)?;
//!
//! let code = client.device_start(&scopes).await?;
//! println!("Open {} and type {}", code.verification_uri, code.user_code);
//! let tokens = client.device_finish(&code).await?;
//!
//! let store = FileStore::open("tokens", &KeySource::File("tokens.key".into()))?;
//! let wanted = Wanted::new("ana", &client, scopes, Renewal::Refresh);
//! store::save(&store, &wanted.key, tokens, &SystemClock).await?;
//! let issued = store::access_token(&store, &client, &wanted).await?;
//! # let _ = issued; Ok(()) }
//! ```
//!
//! # What is where
//!
//! - [`provider`]: providers as data. What differs between providers is a member of [`provider::Quirks`],
//!   never a branch on a name. A configuration can add a provider or lay changes over one, which is also how
//!   the sandbox is reached.
//! - [`discovery`]: what a server says about itself, for providers that are in no table.
//! - [`credential`]: secrets, certificates and assertions of others, by which an application proves itself.
//! - [`Client`]: one file per grant. What a request sent is remembered until its answer has been read, so
//!   that a server which echoes a secret cannot bring it into an error.
//! - `response`: answers are read leniently where servers differ (numbers as text, errors with status 200,
//!   old spellings) and strictly where it matters (token type, scopes, characters of a token, names that
//!   occur twice).
//! - [`Error`]: [`Class`] says what to do, [`Refusal`] keeps what the server said, [`Code`] is the table of
//!   AADSTS numbers. Every error is safe to be logged.
//! - [`loopback`]: the browser's answer as a pure function of octets; the sockets are elsewhere.
//! - [`store`]: entries encrypted by AES-256-GCM, one file each, bound to their names; a lock per entry; the
//!   single flight. `FileStore` exists on Unix systems.
//!
//! # Decisions
//!
//! - The `oauth2` crate makes states, PKCE verifiers and challenges, and the authorisation address. Token
//!   requests and answers are read here, because its reader insists on content types and number forms that
//!   real servers do not keep to, and because it drops the members (AADSTS codes, trace ids, claims) that
//!   make an error useful.
//! - Tokens are opaque. [`Claims`] reads a JWT for display and diagnosis; nothing is decided by it.
//! - A failed renewal changes nothing in the store but a note of the refusal, which saves the server from the
//!   same question by every other process and is forgotten after a minute, a new sign-in, or a changed
//!   secret.
//! - Before a refresh token is spent, room for its successor is made on disk; an access token that came with
//!   a rotated refresh token is handed out only when that is durable.
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod client;
mod clock;
pub mod credential;
pub mod discovery;
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

pub use client::{
    Authorize, Callback, Client, DeviceCode, DeviceRequest, PASSWORD_WARNING, Pending, Poll, Poller,
    ResponseMode,
};
pub use clock::{Clock, SystemClock};
pub use credential::{Assertion, Certificate, Credential, ServiceAccount};
pub use endpoints::{Endpoints, is_loopback};
pub use error::{Challenge, Class, Code, Error, PasswordFailure, Refusal, SignIn, Step};
pub use identity::{Claims, Identity, SignedIn};
pub use protocol::Protocol;
pub use provider::{Flow, Provider};
pub use registration::Registration;
pub use tokens::Tokens;
