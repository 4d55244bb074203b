//! From a host name to a stream on which a protocol may begin: TCP, and TLS where it comes first.

use driver::{Connection, dial, tls::server_name};
use tokio::net::TcpStream;
use wire::Security;

use crate::error::Error;
use crate::server::Server;

/// Connects, and negotiates TLS unless the protocol is to do so later (STARTTLS, STLS).
pub(crate) async fn connect(server: &Server) -> Result<Connection<TcpStream>, Error> {
    let stream = dial(&server.host, server.port, server.connect_timeout).await?;
    let inbox = server.limits.inbox();
    let mut connection = match server.security {
        Security::DangerousPlaintext => Connection::plain(stream, inbox),
        Security::Tls | Security::StartTls => {
            let name = server_name(&server.host)?;
            Connection::client(stream, &server.host, name, server.roots.clone().client(), inbox)
        }
    };
    connection.set_handshake_limit(server.tls_timeout);
    if server.security == Security::Tls {
        connection.handshake().await?;
    }
    Ok(connection)
}
