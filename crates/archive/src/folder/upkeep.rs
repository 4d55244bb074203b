//! Keeping the journal, the directories and what the folder believes in agreement.

use std::os::fd::AsFd as _;
use std::sync::Arc;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::Folder;
use crate::commit::write_journal;
use crate::dirs::join;
use crate::error::{Error, Result};
use crate::journal::record;
use crate::scan::{Changes, reconcile, scan};
use crate::shared::{Shared, lock};
use crate::state::Entry;
use crate::{Durability, journal};

impl Folder {
    /// Appends to the journal without flushing it: for what may be lost without harm.
    pub(super) fn append(&self, records: &[u8]) -> Result<()> {
        let mut journal = lock(&self.shared.journal);
        journal.append(&self.shared.disk, records).map_err(|errno| self.journal_failed(errno))
    }

    pub(super) fn journal_failed(&self, errno: Errno) -> Error {
        Error::disk("write", join(&self.shared.dirs.path, journal::NAME), errno)
    }

    /// Notes in the journal that from here on the directories may know more than it. This needs no flush of its own: it
    /// reaches the disk before the first rename does, with the data of the batch.
    pub(super) fn mark_opened(&mut self) -> Result<()> {
        if !self.opened {
            let mut records = Vec::new();
            record::put_opened(&mut records);
            self.append(&records)?;
            self.opened = true;
        }
        Ok(())
    }

    /// Reads the directories and makes the state agree with them.
    pub(super) fn look(&mut self) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        let found = scan(&shared.dirs)?;
        let changes = reconcile(&shared.disk, &shared.dirs, &mut self.state, &mut self.odd_names, &found);
        if changes.is_empty() {
            return Ok(());
        }
        self.mark_opened()?;
        let Changes { adopted, moved, generation } = changes;
        if shared.durability == Durability::Full && !adopted.is_empty() {
            // nobody knows whether the run that left them got to flush them
            self.flush_everything(&adopted)?;
        }
        let mut records = Vec::new();
        if let Some(generation) = generation {
            record::put_generation(&mut records, generation);
        }
        record::put_stored(&mut records, &adopted);
        record::put_flags(&mut records, &moved);
        write_journal(&shared, &records)
    }

    /// The files adopted, and the directories, reach the disk.
    pub(super) fn flush_everything(&self, adopted: &[(u32, Entry)]) -> Result<()> {
        let Shared { dirs, disk, .. } = &*self.shared;
        let failed = |errno| Error::disk("flush to disk", &dirs.path, errno);
        if !disk.sync_data(dirs.tmp.as_fd()).map_err(failed)? {
            for (uid, entry) in adopted {
                let id = self.state.file(*uid, entry);
                let name = id.name(entry.place);
                let name = self.odd_names.get(uid).map_or(name.as_bytes(), |odd| odd);
                let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let file = rustix::fs::openat(dirs.of(entry.place), name, flags, Mode::empty());
                disk.sync_file(file.map_err(failed)?.as_fd(), name).map_err(failed)?;
            }
        }
        disk.sync_dir(dirs.cur.as_fd(), b"cur").map_err(failed)?;
        disk.sync_dir(dirs.new.as_fd(), b"new").map_err(failed)
    }

    /// Whether most of the journal is history.
    pub(super) fn worth_rewriting(&self) -> bool {
        let needed = 64 + 12 * self.state.entries.len() as u64 + 40 * self.state.origins.len() as u64;
        let len = lock(&self.shared.journal).len();
        len > (64 << 10) && len / 4 > needed
    }

    /// Puts a journal of just the present state, and `last`, in place of the old one.
    pub(super) fn rewrite(&self, last: &[u8]) -> Result<()> {
        let mut records = Vec::new();
        if let Some(generation) = self.state.generation {
            record::put_generation(&mut records, generation);
        }
        let (mut stored, mut matched) = (Vec::new(), Vec::new());
        for (uid, entry) in &self.state.entries {
            match self.state.origins.get(uid) {
                Some(file) => matched.push((*uid, *entry, *file)),
                None => stored.push((*uid, *entry)),
            }
        }
        record::put_stored(&mut records, &stored);
        record::put_matched(&mut records, &matched);
        if let Some(mod_seq) = self.state.mod_seq {
            record::put_mod_seq(&mut records, mod_seq);
        }
        records.extend_from_slice(last);
        let Shared { dirs, disk, .. } = &*self.shared;
        let mut journal = lock(&self.shared.journal);
        journal.rewrite(disk, dirs.folder.as_fd(), &records).map_err(|errno| self.journal_failed(errno))
    }
}
