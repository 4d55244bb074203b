//! The IMAP server: `imap_proto`'s server machine over the mail store, with the words and habits of Exchange Online.

mod append;
mod change;
mod command;
mod describe;
mod fetch;
mod flags;
mod folder;
mod profile;
mod search;
mod session;
mod sign_in;

use std::sync::Arc;

use driver::Connection;
use rustls::ServerConfig;
use tokio::net::TcpListener;
use wire::Limits;

pub(crate) use profile::{HOST, front_end};
pub use profile::{ImapFault, Profile};

use crate::clock::Clock;
use crate::count::{Counters, RequestKind};
use crate::directory::Directory;
use crate::mail::stores::Stores;
use crate::mail_faults::MailFaults;
use crate::net;
use crate::token::Mint;

/// The longest message APPEND takes: Exchange Online's default for receiving.
const MAX_MESSAGE: u64 = 36 << 20;

/// What all connections of the server share.
pub(crate) struct Context {
    pub(crate) clock: Clock,
    pub(crate) directory: Arc<Directory>,
    pub(crate) mint: Arc<Mint>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) stores: Arc<Stores>,
    pub(crate) faults: Arc<MailFaults<ImapFault>>,
    pub(crate) profile: Profile,
    pub(crate) tls: Arc<ServerConfig>,
}

/// Accepts connections until dropped; `implicit` says whether TLS comes first.
pub(crate) async fn serve(listener: TcpListener, context: Arc<Context>, implicit: bool) {
    net::accept(listener, |stream, resetter, _| {
        context.counters.count(RequestKind::ImapConnection);
        let connection = Connection::server(stream, Arc::clone(&context.tls), limits().inbox());
        session::run(connection, Arc::clone(&context), resetter, implicit)
    })
    .await;
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.body = MAX_MESSAGE;
    limits
}
