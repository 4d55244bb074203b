//! The IMAP server: `imap_proto`'s server machine over the mail store, with the words and habits of Exchange Online.

mod change;
mod describe;
mod fetch;
mod flags;
mod folder;
mod profile;
mod search;
mod session;
mod sign_in;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use driver::Connection;
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use wire::Limits;

pub(crate) use profile::ImapFaults;
pub use profile::{ImapFault, Profile};

use crate::clock::Clock;
use crate::count::{Counters, RequestKind};
use crate::directory::{Directory, User};
use crate::mail::store::Store;
use crate::net::{Resetter, Stream};
use crate::token::Mint;

/// The longest message APPEND takes: Exchange Online's default for receiving.
const MAX_MESSAGE: u64 = 36 << 20;

/// Connections served at the same time; more wait to be accepted.
const MAX_CONNECTIONS: usize = 1000;

/// Everybody's mailboxes, made when they are first opened.
#[derive(Debug)]
pub(crate) struct Stores {
    seed: u64,
    messages: usize,
    open: Mutex<HashMap<String, Arc<Store>>>,
}

impl Stores {
    /// Mailboxes of `messages` messages each, unless a user has another number.
    pub(crate) fn new(seed: u64, messages: usize) -> Self {
        Self { seed, messages, open: Mutex::default() }
    }

    /// The mailbox of a user.
    pub(crate) fn of(&self, user: &User) -> Arc<Store> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let store = open.entry(user.upn.to_lowercase()).or_insert_with(|| {
            let n = user.messages.unwrap_or(self.messages);
            Arc::new(Store::seeded(self.seed, &user.upn.to_lowercase(), n))
        });
        Arc::clone(store)
    }
}

/// What all connections of the server share.
pub(crate) struct Context {
    pub(crate) clock: Clock,
    pub(crate) directory: Arc<Directory>,
    pub(crate) mint: Arc<Mint>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) stores: Arc<Stores>,
    pub(crate) faults: Arc<ImapFaults>,
    pub(crate) profile: Profile,
    pub(crate) tls: Arc<ServerConfig>,
}

/// Accepts connections until dropped; `implicit` says whether TLS comes first.
pub(crate) async fn serve(listener: TcpListener, context: Arc<Context>, implicit: bool) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => {
                let Ok((stream, _)) = accepted else {
                    // Out of descriptors, as a rule: give the connections time to end.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    continue;
                };
                context.counters.count(RequestKind::ImapConnection);
                let resetter = Resetter::default();
                let stream = Stream::new(stream, resetter.clone());
                let connection = Connection::server(stream, Arc::clone(&context.tls), limits().inbox());
                connections.spawn(session::run(connection, Arc::clone(&context), resetter, implicit));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.body = MAX_MESSAGE;
    limits
}
