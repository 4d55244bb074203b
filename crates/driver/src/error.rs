//! What can go wrong below a protocol.

use std::io;
use std::time::Duration;

/// Why octets could not be moved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The host name has no address.
    #[error("{host} cannot be found: {source}. Check the name and the network")]
    Resolve {
        /// The name that was looked up.
        host: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// No address of the host took the connection.
    #[error("no connection to {host}:{port}: {source}. Check host, port and firewall")]
    Connect {
        /// The host as given.
        host: String,
        /// The TCP port.
        port: u16,
        /// What the last attempt said.
        source: io::Error,
    },
    /// The TCP connection or the TLS handshake took too long.
    #[error("{phase} with {host} not finished within {} s", .after.as_secs())]
    TimedOut {
        /// `TCP connection` or `TLS handshake`.
        phase: &'static str,
        /// The host as given.
        host: String,
        /// The time allowed.
        after: Duration,
    },
    /// The TLS handshake failed.
    #[error("TLS with {host} failed: {reason}{hint}")]
    Tls {
        /// The host as given.
        host: String,
        /// What rustls said.
        reason: String,
        /// What it most likely means.
        hint: TlsHint,
    },
    /// TLS was asked for but the connection has no TLS settings.
    #[error("TLS was asked for, but the connection was set up without it")]
    NoTls,
    /// A layer that this driver does not have.
    #[error("the layer {0} is not supported")]
    Layer(&'static str),
    /// A certificate file or the platform's store could not be used.
    #[error("certificates from {origin} cannot be used: {reason}")]
    Roots {
        /// File name or `the platform's store`.
        origin: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Io(#[from] io::Error),
}

/// What a failed handshake most likely means, and what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsHint {
    /// The certificate is signed by an authority that is not trusted.
    UnknownIssuer,
    /// The certificate is for another name.
    WrongName,
    /// The certificate has expired or is not valid yet.
    Dates,
    /// The peer speaks plaintext on this port.
    PlaintextPeer,
    /// Nothing more is known.
    None,
}

impl std::fmt::Display for TlsHint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::UnknownIssuer => {
                ". The certificate's issuer is not trusted; if that server is yours, its CA has to be trusted as well"
            }
            Self::WrongName => ". The certificate is for another host; check the host name",
            Self::Dates => ". The certificate is not valid today; check this machine's clock",
            Self::PlaintextPeer => {
                ". The server does not speak TLS on this port; use the implicit-TLS port (IMAP 993, POP3 995, submission 465) or STARTTLS"
            }
            Self::None => "",
        })
    }
}
