//! Mail over IMAP, POP3 and SMTP, signed in by OAuth 2.0: the façade that programs embed.
//!
//! Here tokens (`postkey-auth`) meet mechanisms (`postkey-sasl`) and machines (`postkey-imap-proto` and its siblings) meet sockets
//! (`postkey-driver`). One type per protocol, one async method per thing a user wants; what spans the two worlds is decided
//! here: which mechanism, when a login counts, what a refusal means.
//!
//! * [`Server`]: where, and protected how.
//! * [`Credential`], [`TokenSource`]: who, and where tokens come from.
//! * [`Imap`]: the session. [`Imap::open`] returns only after a command behind the sign-in has succeeded, because
//!   Exchange says `OK AUTHENTICATE completed.` to people it then refuses.
//! * [`Pop3`]: the same for a maildrop; [`Pop3::open`] returns after STAT.
//! * [`Smtp`]: sends messages. What became of one is told recipient by recipient, and a connection that is cut behind a message leaves
//!   its outcome *unknown*, which is neither success nor failure.
//! * [`Error`]: what went wrong, typed, with what to do about it.
//!
//! ```no_run
//! # async fn example() -> Result<(), postkey::Error> {
//! use postkey::{Credential, Imap, Roots, Server};
//!
//! let server = Server::imap("outlook.office365.com", Roots::mozilla());
//! let credential = Credential::fixed_token("ana@contoso.example", "eyJ0eXAi…".into());
//! let mut imap = Imap::open(&server, &credential).await?;
//! for folder in imap.folders().await? {
//!     println!("{}", folder.name);
//! }
//! imap.logout().await;
//! # Ok(())
//! # }
//! ```

mod connect;
mod credential;
mod error;
mod imap;
mod pop3;
mod reply;
mod server;
mod sign_in;
pub mod smtp;

pub use credential::{Ask, Credential, Mechanism, Token, TokenFuture, TokenSource};
pub use driver::tls::Roots;
pub use error::{Error, Throttle};
pub use imap::{Examined, FetchError, Folder, Imap, Listed, MessageMeta, MessageSink, Outcome, Refusal};
pub use imap_proto::types::StatusKind;
pub use imap_proto::{Security, Timeouts};
pub use pop3::{NumberSink, Pop3, Pop3Message, Retrieved};
pub use pop3_proto::Timeouts as Pop3Timeouts;
pub use reply::{Code, Reply};
pub use server::Server;
pub use smtp::Smtp;
pub use wire::{Limits, Secret};
