//! What STAT, LIST and UIDL tell (RFC 1939 sections 5 and 7).

use core::num::NonZeroU32;

use super::UniqueId;

/// The maildrop as a whole, messages marked as deleted left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DropListing {
    /// How many messages there are.
    pub messages: u32,
    /// Their size together, in octets.
    pub octets: u64,
}

/// The size of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ScanListing {
    /// Its number in this session.
    pub number: NonZeroU32,
    /// Its size in octets, every line end counted as two. Servers estimate it; never allocate by it.
    pub octets: u64,
}

/// The unique-id of one message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UniqueIdListing<'a> {
    /// Its number in this session.
    pub number: NonZeroU32,
    /// What it is known by. Servers exist that give two messages the same.
    pub id: UniqueId<'a>,
}

impl UniqueIdListing<'_> {
    /// The same, borrowing nothing.
    pub fn into_owned(self) -> UniqueIdListing<'static> {
        UniqueIdListing { number: self.number, id: self.id.into_owned() }
    }
}
