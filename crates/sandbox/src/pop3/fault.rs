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
    /// The next message longer than this many octets is cut there by a TCP reset. Used up by that.
    ResetInBody(u32),
}
