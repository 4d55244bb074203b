//! How the POP3 server misbehaves on demand.

/// One way for the POP3 server to misbehave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pop3Fault {
    /// No mailbox opens: "User is authenticated but not connected." Stays until faults are cleared.
    NotConnected,
    /// SASL responses longer than 4,096 characters end the connection, as they did at Exchange Online from July 2025. For
    /// connections made from now on, until faults are cleared.
    LongTokens,
    /// UTF8 is listed, and messages with more than ASCII in their headers are given out behind that command alone (RFC 6856 section 2.1).
    /// Stays until faults are cleared.
    NeedsUtf8,
    /// The next message longer than this many octets is cut there by a TCP reset. Used up by that.
    ResetInBody(u32),
}
