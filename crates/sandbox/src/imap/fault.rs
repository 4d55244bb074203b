//! How the IMAP server misbehaves on demand.

/// One way for the IMAP server to misbehave. Each is used up by what it touches, except the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImapFault {
    /// No mailbox opens: "User is authenticated but not connected." Stays until faults are cleared.
    NotConnected,
    /// The next command is answered with "Request is throttled" and this many milliseconds; so is the one after that, and
    /// the connection ends.
    Throttled(u32),
    /// The next command is answered with the line `Server Unavailable. 15`, which has no tag.
    Unavailable,
    /// The next body longer than this many octets is cut there by the token's end.
    ExpireInBody(u32),
    /// The next body longer than this many octets is cut there by a TCP reset.
    ResetInBody(u32),
}
