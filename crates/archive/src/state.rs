//! What a folder holds, as far as the journal knows.

use std::collections::BTreeMap;

use crate::Flags;
use crate::file_name::{FileId, Place};

/// A time in which the server's UIDs mean the same messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Generation {
    /// Counts from 1.
    pub(crate) number: u32,
    pub(crate) uid_validity: u32,
}

/// One message of the current generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) time: u64,
    pub(crate) size: u64,
    /// What the server said last. The file may say otherwise, if a mail program changed it.
    pub(crate) flags: Flags,
    /// Where the file was last.
    pub(crate) place: Place,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct State {
    pub(crate) generation: Option<Generation>,
    pub(crate) entries: BTreeMap<u32, Entry>,
    /// Of messages whose file is from an earlier generation: that file.
    pub(crate) origins: BTreeMap<u32, FileId>,
    pub(crate) mod_seq: Option<u64>,
}

impl State {
    /// The file of a message.
    pub(crate) fn file(&self, uid: u32, entry: &Entry) -> FileId {
        if let Some(origin) = self.origins.get(&uid) {
            return *origin;
        }
        let (generation, uid_validity) = self.generation.map_or((0, 0), |g| (g.number, g.uid_validity));
        FileId { time: entry.time, uid_validity, uid, generation, size: entry.size }
    }
}
