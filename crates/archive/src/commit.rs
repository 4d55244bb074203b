//! One batch, from `tmp` to the journal.
//!
//! The order is what makes a message whole or absent, and never forgotten or doubled:
//!
//! 1. the data of all files reaches the disk;
//! 2. each file is renamed into `cur` or `new`;
//! 3. the directories reach the disk;
//! 4. the journal says so, and reaches the disk.
//!
//! Without durability the order is the same, without the disk. Stopped between 2 and 4, the files are found by
//! their names when the folder is opened again.

use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rustix::fs::{Mode, OFlags};

use crate::dirs::join;
use crate::error::{Error, Result};
use crate::file_name::{FileId, Place, tmp_name};
use crate::journal::record;
use crate::scan::path_of;
use crate::shared::{Shared, lock};
use crate::state::{Entry, Generation};
use crate::{Durability, Flags};

/// A whole message in `tmp`.
#[derive(Clone, Copy)]
pub(crate) struct Pending {
    pub(crate) sequence: u64,
    pub(crate) uid: u32,
    pub(crate) entry: Entry,
}

/// What is committed together.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) generation: Option<Generation>,
    pub(crate) messages: Vec<Pending>,
    /// Of the messages.
    pub(crate) bytes: u64,
    /// Whether the messages are already in their places ([`Durability::None`]).
    pub(crate) published: bool,
    /// Flags changed and files moved, already done on disk.
    pub(crate) flags: Vec<(u32, Flags, Place)>,
    /// Of these, how many the caller asked for.
    pub(crate) flags_asked: u64,
    /// Messages found in files of an earlier generation.
    pub(crate) matched: Vec<(u32, Entry, FileId)>,
    /// Files were renamed before the batch was handed over.
    pub(crate) renamed: bool,
}

impl Batch {
    pub(crate) fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.flags.is_empty() && self.matched.is_empty()
    }

    /// The messages that are new in this batch.
    fn uids(&self) -> impl Iterator<Item = u32> {
        self.messages.iter().map(|pending| pending.uid).chain(self.matched.iter().map(|(uid, ..)| *uid))
    }
}

/// A batch and where it belongs.
pub(crate) struct Job {
    pub(crate) shared: Arc<Shared>,
    pub(crate) batch: Batch,
}

/// Commits the batches, which may be of several folders, and notes the outcome in each folder.
pub(crate) fn commit(jobs: Vec<Job>) {
    // one flush serves all folders on a file system
    let mut flushed: Vec<(u64, bool)> = Vec::new();
    for job in jobs {
        let mut lost = Vec::new();
        let result = commit_one(&job, &mut flushed, &mut lost);
        let mut outcome = lock(&job.shared.outcome);
        let batch = &job.batch;
        lost.sort_unstable();
        let committed = &mut outcome.committed;
        for pending in &batch.messages {
            if lost.binary_search(&pending.uid).is_err() {
                committed.messages += 1;
                committed.bytes = committed.bytes.saturating_add(pending.entry.size);
            }
        }
        if !job.shared.stopped.load(Ordering::Acquire) {
            committed.matched += batch.matched.len() as u64;
            committed.flags += batch.flags_asked;
        }
        if let Err(error) = result {
            outcome.lost.append(&mut lost);
            outcome.error.get_or_insert(error);
            job.shared.failed.store(true, Ordering::Release);
        }
    }
}

/// Commits one batch. On failure `lost` has the messages that are not stored; the others are.
fn commit_one(job: &Job, flushed: &mut Vec<(u64, bool)>, lost: &mut Vec<u32>) -> Result<()> {
    let Job { shared, batch } = job;
    let (shared, disk, dirs) = (&**shared, &shared.disk, &shared.dirs);
    let durable = shared.durability == Durability::Full;
    if shared.stopped.load(Ordering::Acquire) {
        discard(shared, batch, lost);
        return Err(Error::Stopped { path: dirs.path.clone() });
    }

    if durable && !batch.messages.is_empty() {
        let result = sync_data(shared, batch, flushed);
        if let Err(error) = result {
            // Flags and matches are already done on disk but would not be in the journal. Rather than sort out what
            // can still be said, the folder stops: after a failed flush little can be believed.
            shared.stopped.store(true, Ordering::Release);
            discard(shared, batch, lost);
            return Err(error);
        }
    }

    let mut first = None;
    let (mut to_cur, mut to_new) = (batch.renamed, batch.renamed);
    if !batch.published {
        for pending in &batch.messages {
            match publish(shared, batch.generation, pending) {
                Ok(()) if pending.entry.place.in_new() => to_new = true,
                Ok(()) => to_cur = true,
                Err(error) => {
                    shared.discard(pending.sequence);
                    lost.push(pending.uid);
                    first.get_or_insert(error);
                }
            }
        }
    }
    let stored: Vec<(u32, Entry)> = batch
        .messages
        .iter()
        .filter(|pending| !lost.contains(&pending.uid))
        .map(|pending| (pending.uid, pending.entry))
        .collect();

    let recorded = (|| {
        if durable {
            for (touched, dir, name) in [(to_cur, &dirs.cur, "cur"), (to_new, &dirs.new, "new")] {
                if touched {
                    disk.sync_dir(dir.as_fd(), name.as_bytes())
                        .map_err(|errno| Error::disk("flush to disk", dirs.path.join(name), errno))?;
                }
            }
        }
        let mut records = Vec::new();
        record::put_stored(&mut records, &stored);
        record::put_flags(&mut records, &batch.flags);
        record::put_matched(&mut records, &batch.matched);
        write_journal(shared, &records)
    })();
    if let Err(error) = recorded {
        // The files are in their places but nothing says so. They are found when the folder is opened again; until
        // then nothing may be added, or a message might come twice.
        shared.stopped.store(true, Ordering::Release);
        *lost = batch.uids().collect();
        return Err(first.unwrap_or(error));
    }
    first.map_or(Ok(()), Err)
}

/// Appends records to the journal and flushes it.
pub(crate) fn write_journal(shared: &Shared, records: &[u8]) -> Result<()> {
    if records.is_empty() {
        return Ok(());
    }
    let failed = |errno| Error::disk("write", join(&shared.dirs.path, crate::journal::NAME), errno);
    let mut journal = lock(&shared.journal);
    journal.append(&shared.disk, records).map_err(failed)?;
    if shared.durability == Durability::Full {
        journal.sync(&shared.disk).map_err(failed)?;
    }
    Ok(())
}

/// Moves a message from `tmp` to its place.
pub(crate) fn publish(shared: &Shared, generation: Option<Generation>, pending: &Pending) -> Result<()> {
    let dirs = &shared.dirs;
    let name = file(generation, pending).name(pending.entry.place);
    let tmp = tmp_name(pending.sequence);
    let to = dirs.of(pending.entry.place);
    shared.disk.rename(dirs.tmp.as_fd(), tmp.as_bytes(), to, name.as_bytes()).map_err(|errno| {
        Error::disk("move a finished message to", path_of(dirs, pending.entry.place, name.as_bytes()), errno)
    })
}

fn file(generation: Option<Generation>, pending: &Pending) -> FileId {
    let (generation, uid_validity) = generation.map_or((0, 0), |g| (g.number, g.uid_validity));
    let Entry { time, size, .. } = pending.entry;
    FileId { time, uid_validity, uid: pending.uid, generation, size }
}

fn discard(shared: &Shared, batch: &Batch, lost: &mut Vec<u32>) {
    if !batch.published {
        for pending in &batch.messages {
            shared.discard(pending.sequence);
        }
    }
    *lost = batch.uids().collect();
}

/// Step 1: everything written to `tmp` reaches the disk, and the journal's note that the folder is open.
fn sync_data(shared: &Shared, batch: &Batch, flushed: &mut Vec<(u64, bool)>) -> Result<()> {
    let (disk, dirs) = (&shared.disk, &shared.dirs);
    let failed = |errno| Error::disk("flush to disk", dirs.path.join("tmp"), errno);
    let whole = match flushed.iter().find(|(device, _)| *device == dirs.device) {
        Some((_, whole)) => *whole,
        None => {
            let whole = disk.sync_data(dirs.tmp.as_fd()).map_err(failed)?;
            flushed.push((dirs.device, whole));
            whole
        }
    };
    if whole {
        return Ok(());
    }
    for pending in &batch.messages {
        let name = tmp_name(pending.sequence);
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file =
            rustix::fs::openat(dirs.tmp.as_fd(), name.as_bytes(), flags, Mode::empty()).map_err(failed)?;
        disk.sync_file(file.as_fd(), name.as_bytes()).map_err(failed)?;
    }
    // the folder itself may be new
    disk.sync_dir(dirs.folder.as_fd(), b"folder").map_err(failed)?;
    lock(&shared.journal).sync(disk).map_err(failed)
}
