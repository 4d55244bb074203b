//! The SMTP submission server: `smtp_proto`'s server machine, delivering into the mail stores, in Exchange Online's words.

mod fault;
mod session;
mod sign_in;
mod slots;
mod submit;
mod words;

use std::sync::Arc;

use driver::Connection;
use smtp_proto::Security;
use smtp_proto::server::Config;
use tokio::net::TcpListener;

pub use fault::SmtpFault;
pub(crate) use slots::Slots;

use crate::context;
use crate::count::RequestKind;
use crate::net;
use crate::profile::Profile;

/// The longest message, in octets: what Exchange Online's `SIZE` says.
const MAX_MESSAGE: u64 = 157_286_400;

/// Most recipients of one message: Exchange Online's default.
const MAX_RECIPIENTS: usize = 500;

type Context = context::Context<SmtpFault>;

/// Accepts connections until dropped. TLS begins with STARTTLS.
pub(crate) async fn serve(listener: TcpListener, context: Arc<Context>, slots: Slots) {
    net::accept(listener, |stream, _, peer| {
        context.counters.count(RequestKind::SmtpConnection);
        let server = smtp_proto::Server::new(config(context.profile));
        let connection = Connection::server(stream, Arc::clone(&context.tls), server.inbox());
        session::run(connection, server, Arc::clone(&context), slots.clone(), peer)
    })
    .await;
}

fn config(profile: Profile) -> Config {
    let security = if profile.is_exchange() { Security::StartTls } else { Security::DangerousPlaintext };
    let mut config = Config::new(security);
    // Who is not signed in may not send, and without TLS nobody can sign in: Exchange complains of the first.
    config.require_tls = false;
    config.require_auth = true;
    config.recipients = MAX_RECIPIENTS;
    config.limits.body = MAX_MESSAGE;
    config
}
