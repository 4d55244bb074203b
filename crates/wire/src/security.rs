//! What protects a connection.

/// What protects the connection, and what a machine may therefore send on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Security {
    /// TLS from the first octet (IMAP 993, POP3 995, submission 465).
    Tls,
    /// Plaintext until STARTTLS or STLS (IMAP 143, POP3 110, submission 587). Nothing received before TLS survives it, and no
    /// credential goes out before it.
    StartTls,
    /// No protection at all; credentials are sent in the clear. For tests against a server on the same host.
    DangerousPlaintext,
}

impl Security {
    /// Whether TLS is there before the protocol begins.
    pub fn begins_with_tls(self) -> bool {
        self == Self::Tls
    }

    /// Whether a credential may go out, with TLS in place or not.
    pub fn allows_credentials(self, tls: bool) -> bool {
        tls || self == Self::DangerousPlaintext
    }
}
