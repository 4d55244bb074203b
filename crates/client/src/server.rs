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
    /// Bounds on how long the answers of an IMAP server may take.
    pub timeouts: Timeouts,
    /// Bounds on how long the answers of a POP3 server may take.
    pub pop3_timeouts: pop3_proto::Timeouts,
    /// Bounds on how long the answers of an SMTP server may take.
    pub smtp_timeouts: smtp_proto::Timeouts,
    /// How long finding a TCP connection may take. 20 s.
    pub connect_timeout: Duration,
    /// How long a TLS handshake may take. 20 s.
    pub tls_timeout: Duration,
}

impl Server {
    /// An IMAP server with implicit TLS on port 993.
    pub fn imap(host: impl Into<String>, roots: Roots) -> Self {
        Self::new(host, 993, Security::Tls, roots)
    }

    /// A POP3 server with implicit TLS on port 995.
    pub fn pop3(host: impl Into<String>, roots: Roots) -> Self {
        Self::new(host, 995, Security::Tls, roots)
    }

    /// A server that takes messages for submission (RFC 6409), with STARTTLS on port 587. For implicit TLS give port 465 and
    /// [`Security::Tls`] (RFC 8314); Exchange Online does not have it.
    pub fn submission(host: impl Into<String>, roots: Roots) -> Self {
        Self::new(host, 587, Security::StartTls, roots)
    }

    fn new(host: impl Into<String>, port: u16, security: Security, roots: Roots) -> Self {
        Self {
            host: host.into(),
            port,
            security,
            roots,
            limits: Limits::default(),
            timeouts: Timeouts::default(),
            pop3_timeouts: pop3_proto::Timeouts::default(),
            smtp_timeouts: smtp_proto::Timeouts::default(),
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
