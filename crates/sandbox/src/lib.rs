//! A pretend Microsoft 365 tenant in one process on loopback: identity provider and mail servers.
//!
//! For tests of anything that signs in with OAuth 2.0 and reads or sends mail: it starts in milliseconds on free ports, needs
//! no network, and misbehaves on demand the way the real services were seen to.
//!
//! ```no_run
//! # async fn demo() -> Result<(), Box<dyn std::error::Error>> {
//! use postkey_sandbox::{ANA, Fault, RequestKind, Rule, Sandbox};
//!
//! let sandbox = Sandbox::builder().messages(1000).start().await?;
//! println!("authority {}  IMAP localhost:{}", sandbox.authority(), sandbox.ports().imaps);
//! println!("client {}  trust\n{}", sandbox.public_client_id(), sandbox.ca_pem());
//! // … the program under test shows a device code …
//! # let user_code = "";
//! sandbox.approve_device(user_code, ANA).await?;
//! sandbox.inject(Rule::new(Fault::ExpiresIn(1)).times(1));
//! assert_eq!(sandbox.requests(RequestKind::Refresh), 0);
//! # Ok(()) } // dropping the handle stops everything
//! ```
//!
//! # How it is made
//!
//! | module | what it is |
//! |---|---|
//! | `builder`, `sandbox` | what a sandbox is made of; the handle of a running one |
//! | `directory`, `defaults` | users, mailbox permissions, application registrations; those of the default tenant |
//! | `certificate`, `workload`, `service_account`, `google_client` | what stands for a secret: certificates, tokens of outside issuers; Google-like service accounts and clients |
//! | `idp` | Entra-shaped endpoints: one file per endpoint or grant, refusals by AADSTS number, scope rules; Google-like endpoints; the control endpoint for faults |
//! | `token`, `jwt` | what tokens say (v1-shaped for Exchange, v2-shaped id_tokens, opaque for personal accounts); signing |
//! | `seed` | mailboxes computed from a number: thousands of messages that cost no memory |
//! | `mail` | folders, messages, changes; MIME parts and addresses by offsets. Knows no protocol |
//! | `access` | what a token opens, by which protocol |
//! | `imap`, `pop3` | the server machines of `imap_proto` and `pop3_proto` over `mail`, in Exchange Online's words |
//! | `smtp` | `smtp_proto`'s: what is sent lands in the recipients' INBOX and the sender's Sent Items |
//! | `net`, `http`, `tls` | loopback listeners, connections that can be reset, the sandbox's own CA |
//! | `fault`, `mail_faults`, `count`, `clock` | misbehaviour on demand, request counters, a clock that tests move |
//!
//! Everything that a sandbox knows before it starts is fixed in the builder; everything that changes is in two places:
//! the identity provider's tables and the mail stores. Handlers never hold either across an await. All tasks belong to
//! the handle and end with it.
//!
//! # What is pretended and what is real
//!
//! Real: HTTP, TLS, signatures, PKCE, one-time codes, expiry, the AADSTS numbers and error bodies, IMAP, POP3, SMTP. Pretended:
//! people, and the rest of the world: a message to an address outside the tenant is accepted and goes nowhere. Passwords are printed on the sign-in page, the administrator's page asks for no sign-in, and the user
//! codes and secrets open nothing but the sandbox. It listens on 127.0.0.1 and ::1 only.
//!
//! Entra's `response_mode=form_post` page submits itself by script; here it has a button, because the pages have no
//! scripts. All outside issuers sign with one key, and so do all service accounts. The on-behalf-of grant is not there.
//!
//! # Misbehaviour on demand
//!
//! [`Fault`] lists what the identity provider can be made to do wrong, with the names by which a test in another language
//! switches faults on:
//!
//! ```sh
//! curl --cacert ca.pem -H 'Content-Type: application/json' \
//!     -d '{"fault": "expires-in", "value": 1, "times": 1}' https://localhost:PORT/sandbox/faults
//! ```
//!
//! GET gives the names and what is in force, DELETE switches all off; `client` (a client id) and `user` (a UPN) limit a fault.

mod access;
mod builder;
mod certificate;
mod clock;
mod context;
mod count;
mod defaults;
mod directory;
mod error;
mod fault;
mod google_client;
mod guid;
mod http;
mod idp;
mod imap;
mod jwt;
mod mail;
mod mail_faults;
mod mailbox;
mod net;
mod pop3;
mod profile;
mod random;
mod sandbox;
pub mod seed;
mod service_account;
mod session;
mod smtp;
mod tls;
mod token;
mod workload;

pub use builder::{Builder, DEFAULT_MESSAGES};
pub use certificate::{Certificate, ClientKey};
pub use count::RequestKind;
pub use defaults::{
    ANA, DAEMON_APP, DOMAIN, FILE_MOVER_APP, FILE_MOVER_REDIRECT, GOOGLE_APP, NATIVE_CLIENT, PUBLIC_APP,
    SERVICE_ACCOUNT, SHARED, WEB_APP, WORKLOAD_SUBJECT,
};
pub use directory::{App, AppKind, Audience, CONSUMERS_TENANT, SignInRefusal, SmtpRefusal, User, UserKind};
pub use error::{CallError, StartError};
pub use fault::{Fault, Rule};
pub use google_client::GoogleClient;
pub use idp::{ConsentPolicy, Rotation};
pub use imap::ImapFault;
pub use mailbox::{Mailbox, StoredMessage};
pub use pop3::Pop3Fault;
pub use profile::Profile;
pub use sandbox::{Ports, Sandbox};
pub use service_account::{GOOGLE_MAIL_SCOPE, ServiceAccount};
pub use smtp::SmtpFault;
pub use token::{APP_ONLY_LIFETIME, DEFAULT_LIFETIME, TokenSpec};
pub use workload::{Federated, WORKLOAD_AUDIENCE, WORKLOAD_ISSUER, WORKLOAD_SECRET, WorkloadToken};
