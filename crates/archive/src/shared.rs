//! What a folder, its deliveries and the background thread share.

use std::os::fd::AsFd as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::Durability;
use crate::dirs::Dirs;
use crate::disk::Disk;
use crate::error::Error;
use crate::file_name::tmp_name;
use crate::journal::Journal;

pub(crate) struct Shared {
    pub(crate) dirs: Dirs,
    pub(crate) disk: Disk,
    pub(crate) durability: Durability,
    pub(crate) journal: Mutex<Journal>,
    /// Counts the files made in `tmp`.
    pub(crate) sequence: AtomicU64,
    pub(crate) outcome: Mutex<Outcome>,
    /// Whether `outcome` has a failure: looked at for every message, without the lock.
    pub(crate) failed: AtomicBool,
    /// The journal could not be written: nothing more may be published.
    pub(crate) stopped: AtomicBool,
    /// A file could not be removed from `tmp`: the next opening has to do it.
    pub(crate) untidy: AtomicBool,
    /// While this is alive the folder counts as open.
    pub(crate) _open: crate::target::OpenMark,
}

impl Shared {
    /// Removes a file of ours from `tmp`.
    pub(crate) fn discard(&self, sequence: u64) {
        let name = tmp_name(sequence);
        if self.disk.unlink(self.dirs.tmp.as_fd(), name.as_bytes()).is_err() {
            self.untidy.store(true, Ordering::Release);
        }
    }
}

/// What became of the batches since somebody last asked.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) committed: Committed,
    pub(crate) lost: Vec<u32>,
    pub(crate) error: Option<Error>,
}

/// What has reached its place (and, with [`Durability::Full`], the disk) since the last flush.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Committed {
    /// Messages stored as new files.
    pub messages: u64,
    /// Bytes in these files.
    pub bytes: u64,
    /// Messages found among the files of an earlier generation, so that no new file was needed.
    pub matched: u64,
    /// Messages whose flags were changed.
    pub flags: u64,
}

/// Locks; a thread that panicked while it held the lock has left nothing half done that matters here.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
