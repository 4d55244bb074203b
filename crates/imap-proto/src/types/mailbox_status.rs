//! STATUS (RFC 3501 sections 6.3.10 and 7.2.4, RFC 7162, RFC 8438).

use core::num::{NonZeroU32, NonZeroU64};

/// `status-att`: one thing to ask of a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StatusItem {
    /// Number of messages.
    Messages,
    /// Number of messages with `\Recent`.
    Recent,
    /// The UID the next message will at least have.
    UidNext,
    /// UIDs are only comparable while this value stays the same.
    UidValidity,
    /// Number of messages without `\Seen`.
    Unseen,
    /// RFC 7162: the greatest mod-sequence.
    HighestModSeq,
    /// RFC 8438: the sum of all message sizes, in octets.
    Size,
}

impl StatusItem {
    /// Every item with its word on the wire.
    pub(crate) const ALL: [(StatusItem, &'static str); 7] = [
        (StatusItem::Messages, "MESSAGES"),
        (StatusItem::Recent, "RECENT"),
        (StatusItem::UidNext, "UIDNEXT"),
        (StatusItem::UidValidity, "UIDVALIDITY"),
        (StatusItem::Unseen, "UNSEEN"),
        (StatusItem::HighestModSeq, "HIGHESTMODSEQ"),
        (StatusItem::Size, "SIZE"),
    ];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            StatusItem::Messages => "MESSAGES",
            StatusItem::Recent => "RECENT",
            StatusItem::UidNext => "UIDNEXT",
            StatusItem::UidValidity => "UIDVALIDITY",
            StatusItem::Unseen => "UNSEEN",
            StatusItem::HighestModSeq => "HIGHESTMODSEQ",
            StatusItem::Size => "SIZE",
        }
    }
}

/// `status-att-list`: what a server said about a mailbox. `None`: it did not say, or not a possible value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct StatusData {
    /// Number of messages.
    pub messages: Option<u32>,
    /// Number of messages with `\Recent`.
    pub recent: Option<u32>,
    /// The UID the next message will at least have.
    pub uid_next: Option<NonZeroU32>,
    /// UIDs are only comparable while this value stays the same.
    pub uid_validity: Option<NonZeroU32>,
    /// Number of messages without `\Seen`.
    pub unseen: Option<u32>,
    /// RFC 7162: the greatest mod-sequence.
    pub highest_mod_seq: Option<NonZeroU64>,
    /// RFC 8438: the sum of all message sizes, in octets.
    pub size: Option<u64>,
}
