//! The IMAP server: `imap_proto`'s server machine over the mail store, with the words and habits of Exchange Online.

mod append;
mod change;
mod command;
mod describe;
mod fault;
mod fetch;
mod flags;
mod folder;
mod search;
mod session;
mod sign_in;
mod words;

use std::sync::Arc;

use driver::Connection;
use tokio::net::TcpListener;
use wire::Limits;

pub use fault::ImapFault;

use crate::context;
use crate::count::RequestKind;
use crate::net;

/// The longest message APPEND takes: Exchange Online's default for receiving.
const MAX_MESSAGE: u64 = 36 << 20;

type Context = context::Context<ImapFault>;

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
