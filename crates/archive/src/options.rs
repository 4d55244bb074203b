//! How a target is written.

use crate::disk::Disk;

/// How a target is written.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// What must have happened before a message counts as stored. Default: [`Durability::Full`].
    pub durability: Durability,
    /// A batch ends at this many messages. Default 1,000; at least 1.
    pub batch_messages: usize,
    /// A batch ends at this many bytes. Default 32 MiB.
    pub batch_bytes: u64,
    /// Write into directories that another user owns. Default no.
    pub accept_other_owner: bool,
    pub(crate) disk: Disk,
}

/// What must have happened before a message counts as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Durability {
    /// Message, directory entry and journal survive a power cut. Costs a few flushes of the disk per batch.
    #[default]
    Full,
    /// No flush at all: safe against the end of the process, not against the end of the system.
    None,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            durability: Durability::Full,
            batch_messages: 1_000,
            batch_bytes: 32 << 20,
            accept_other_owner: false,
            disk: Disk::default(),
        }
    }
}
