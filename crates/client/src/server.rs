//! Where a mail server is and how it is reached.

use std::time::Duration;

use driver::tls::Roots;
use imap_proto::{Security, Timeouts};
use wire::Limits;

/// One server, with everything needed to connect to it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Server {
    /// DNS name or IP address. The certificate must be for it.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// What protects the connection.
    pub security: Security,
    /// Who may sign the certificate.
    pub roots: Roots,
    /// Bounds on what the server may send.
    pub limits: Limits,
    /// Bounds on how long its answers may take.
    pub timeouts: Timeouts,
    /// How long finding a TCP connection may take. 20 s.
    pub connect_timeout: Duration,
    /// How long a TLS handshake may take. 20 s.
    pub tls_timeout: Duration,
}

impl Server {
    /// An IMAP server with implicit TLS on port 993.
    pub fn imap(host: impl Into<String>, roots: Roots) -> Self {
        Self {
            host: host.into(),
            port: 993,
            security: Security::Tls,
            roots,
            limits: Limits::default(),
            timeouts: Timeouts::default(),
            connect_timeout: Duration::from_secs(20),
            tls_timeout: Duration::from_secs(20),
        }
    }

    /// The same server on another port.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The same server, protected another way.
    #[must_use]
    pub fn security(mut self, security: Security) -> Self {
        self.security = security;
        self
    }
}
