//! A pretend Microsoft 365 tenant in one process on loopback.
mod builder;
mod clock;
mod count;
mod defaults;
mod directory;
mod error;
mod fault;
mod guid;
mod http;
mod idp;
mod jwt;
mod mail;
mod net;
mod random;
mod sandbox;
pub mod seed;
mod tls;
mod token;

pub use builder::{Builder, DEFAULT_MESSAGES};
pub use count::RequestKind;
pub use defaults::{ANA, DAEMON_APP, DOMAIN, PUBLIC_APP, SHARED, WEB_APP};
pub use directory::{App, AppKind, Audience, CONSUMERS_TENANT, User, UserKind};
pub use error::{CallError, StartError};
pub use fault::{Fault, Rule};
pub use idp::{ConsentPolicy, Rotation};
pub use sandbox::{Ports, Sandbox};
pub use token::{APP_ONLY_LIFETIME, DEFAULT_LIFETIME, TokenSpec};
