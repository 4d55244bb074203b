//! The POP3 server: `pop3_proto`'s server machine over an INBOX, with the words and habits of Exchange Online.

mod fault;
mod maildrop;
mod session;
mod sign_in;
mod words;

use std::sync::Arc;

use driver::Connection;
use pop3_proto::server::Config;
use tokio::net::TcpListener;

pub use fault::Pop3Fault;

use crate::context;
use crate::count::RequestKind;
use crate::net;

/// The longest command line Exchange takes, in octets (RFC 2449 section 4): no token fits it.
const LONGEST_COMMAND: usize = 255;

/// Octets of a SASL response, decoded, that make 4,096 characters of Base64.
const SHORT_RESPONSE: usize = 3072;

type Context = context::Context<Pop3Fault>;

/// Accepts connections until dropped; `implicit` says whether TLS comes first.
pub(crate) async fn serve(listener: TcpListener, context: Arc<Context>, implicit: bool) {
    net::accept(listener, |stream, resetter, _| {
        context.counters.count(RequestKind::Pop3Connection);
        let server = pop3_proto::Server::new(config(&context, implicit));
        let connection = Connection::server(stream, Arc::clone(&context.tls), server.inbox());
        session::run(connection, server, Arc::clone(&context), resetter, implicit)
    })
    .await;
}

fn config(context: &Context, implicit: bool) -> Config {
    let exchange = context.profile.is_exchange();
    let mut config = Config::new(context.security(implicit));
    config.bare_plus = exchange;
    if exchange {
        config.longest_command = LONGEST_COMMAND;
    }
    if context.faults.has(&Pop3Fault::LongTokens) {
        config.limits.sasl_challenge = SHORT_RESPONSE;
    }
    config
}
