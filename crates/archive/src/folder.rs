//! One folder, open for storing.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use std::os::fd::AsFd;

use rustix::io::Errno;

use crate::commit::{Batch, Job, Pending, commit, publish, write_journal};
use crate::delivery::{BUFFER, Delivery, Meta};
use crate::dirs::{Dirs, join};
use crate::error::{Error, Result};
use crate::file_name::{FileId, Place, other_letters};
use crate::journal::{Journal, Loaded, record};
use crate::matcher::Matcher;
use crate::scan::{Changes, clean_tmp, path_of, reconcile, scan};
use crate::shared::{Committed, Outcome, Shared, lock};
use crate::state::{self, Entry, State};
use crate::target::{OpenMark, Target};
use crate::{Durability, Flags, FolderName, journal};

/// A folder, open for storing. Made by [`Maildir::folder`](crate::Maildir::folder).
///
/// A message is accepted by [`finish`](Self::finish) and stored once [`flush`](Self::flush) or
/// [`close`](Self::close) has returned without an error. Dropped without `close`, the folder still commits what was
/// accepted, but nobody hears of failures and the next opening has to read the directories.
pub struct Folder {
    name: FolderName,
    shared: Arc<Shared>,
    state: State,
    batch: Batch,
    /// Full names of files that another program has added something to.
    odd_names: BTreeMap<u32, Box<[u8]>>,
    matcher: Option<Matcher>,
    /// The journal's last record does not say that the folder is closed.
    opened: bool,
    mod_seq_changed: bool,
    /// Between which UIDs messages may still be on their way to their places.
    unsettled: Option<(u32, u32)>,
    /// The buffer of the last delivery, to be used again.
    spare: Vec<u8>,
    /// Last, so that the lock of the whole target is held longest.
    target: Arc<Target>,
}

/// What [`Folder::begin_generation`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generation {
    /// The folder had none: it is empty, or its journal and files are.
    New,
    /// The same UIDVALIDITY as before: the UIDs are still good.
    Same,
    /// Another UIDVALIDITY: all UIDs are forgotten, all files stay, and messages that are already here will be
    /// recognised by their content.
    Changed,
}

/// What [`Folder::set_flags`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlagUpdate {
    /// The server had these flags before too.
    Unchanged,
    /// The file has the new flags.
    Applied,
    /// The file is no longer there: somebody deleted it here. It is not downloaded again.
    Gone,
    /// There is no such message in this folder.
    NotStored,
}

impl Folder {
    pub(crate) fn open(target: Arc<Target>, name: FolderName, dirs: Dirs, mark: OpenMark) -> Result<Self> {
        let disk = target.options.disk.clone();
        let durability = target.options.durability;
        let Loaded { journal, state, closed, existed } =
            Journal::open(&disk, dirs.folder.as_fd()).map_err(|errno| match errno {
                Errno::LOOP => crate::dirs::wrong_type(&join(&dirs.path, journal::NAME), "a regular file"),
                errno => Error::disk("open", join(&dirs.path, journal::NAME), errno),
            })?;
        let untouched = closed.is_some() && closed == dirs.times().ok();
        if closed.is_none() {
            clean_tmp(&disk, &dirs)?;
        }
        let shared = Arc::new(Shared {
            dirs,
            disk,
            durability,
            journal: Mutex::new(journal),
            sequence: AtomicU64::new(0),
            outcome: Mutex::new(Outcome::default()),
            failed: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
            untidy: AtomicBool::new(false),
            _open: mark,
        });
        let mut folder = Self {
            name,
            shared,
            state,
            batch: Batch::default(),
            odd_names: BTreeMap::new(),
            matcher: None,
            opened: closed.is_none() || !existed,
            mod_seq_changed: false,
            unsettled: None,
            spare: Vec::new(),
            target,
        };
        if !untouched {
            folder.look()?;
        }
        Ok(folder)
    }

    /// The folder's name.
    #[must_use]
    pub fn name(&self) -> &FolderName {
        &self.name
    }

    /// Its directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.shared.dirs.path
    }

    /// The UIDVALIDITY of the current generation.
    #[must_use]
    pub fn uid_validity(&self) -> Option<u32> {
        self.state.generation.map(|generation| generation.uid_validity)
    }

    /// Says which UIDVALIDITY the server has now. To be called before anything is stored.
    ///
    /// After a change the UIDs start anew, even if the new value was seen before: a server that goes back to an old
    /// value does not keep the promise that the value makes.
    ///
    /// # Errors
    /// As [`flush`](Self::flush).
    pub fn begin_generation(&mut self, uid_validity: u32) -> Result<Generation> {
        let (number, answer) = match self.state.generation {
            Some(known) if known.uid_validity == uid_validity => return Ok(Generation::Same),
            Some(known) => (known.number.saturating_add(1), Generation::Changed),
            None => (1, Generation::New),
        };
        self.settle()?;
        self.mark_opened()?;
        let generation = state::Generation { number, uid_validity };
        let mut records = Vec::new();
        record::put_generation(&mut records, generation);
        self.append(&records)?;
        self.state = State { generation: Some(generation), ..State::default() };
        self.odd_names.clear();
        self.matcher = None;
        self.mod_seq_changed = false;
        Ok(answer)
    }

    /// Whether a message is stored, or accepted. Also true for one that was deleted here: it is not wanted again.
    #[must_use]
    pub fn contains(&self, uid: u32) -> bool {
        self.state.entries.contains_key(&uid)
    }

    /// All UIDs for which [`contains`](Self::contains) is true, ascending.
    pub fn uids(&self) -> impl DoubleEndedIterator<Item = u32> + ExactSizeIterator {
        self.state.entries.keys().copied()
    }

    /// The UIDs in a range, ascending.
    pub fn uids_in(&self, range: RangeInclusive<u32>) -> impl DoubleEndedIterator<Item = u32> {
        let range = if range.is_empty() { 0..=0 } else { range };
        self.state.entries.range(range).map(|(uid, _)| *uid)
    }

    /// How many messages are stored or accepted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.state.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.state.entries.is_empty()
    }

    /// The flags that the server had when it was last asked.
    #[must_use]
    pub fn flags(&self, uid: u32) -> Option<Flags> {
        self.state.entries.get(&uid).map(|entry| entry.flags)
    }

    /// The HIGHESTMODSEQ (RFC 7162) up to which flags are known here, as stored by
    /// [`set_mod_seq`](Self::set_mod_seq) in this generation.
    #[must_use]
    pub fn mod_seq(&self) -> Option<u64> {
        self.state.mod_seq
    }

    /// Notes the HIGHESTMODSEQ up to which all flag changes have been given to this folder. It is written by the
    /// next [`flush`](Self::flush) or [`close`](Self::close), after everything before it.
    pub fn set_mod_seq(&mut self, mod_seq: u64) {
        if self.state.mod_seq != Some(mod_seq) {
            self.state.mod_seq = Some(mod_seq);
            self.mod_seq_changed = true;
        }
    }

    /// Begins to store a message. Several may be on their way at the same time.
    ///
    /// # Errors
    /// [`Error::AlreadyStored`]; [`Error::NotCommitted`] if earlier messages failed in the background (this one can
    /// be begun again at once); [`Error::Stopped`]; [`Error::Misuse`] without a generation or for UID 0.
    pub fn begin(&mut self, meta: Meta) -> Result<Delivery> {
        self.report()?;
        let Some(generation) = self.state.generation else {
            return Err(Error::Misuse("begin_generation must be called before messages are stored"));
        };
        if meta.uid == 0 {
            return Err(Error::Misuse("0 is not a UID"));
        }
        if self.contains(meta.uid) {
            return Err(Error::AlreadyStored { uid: meta.uid });
        }
        self.mark_opened()?;
        if generation.number > 1 && self.matcher.is_none() {
            self.matcher = Some(Matcher::new(scan(&self.shared.dirs)?, &self.state));
        }
        let hash = self.matcher.as_ref().is_some_and(|matcher| !matcher.is_empty());
        let mut buf = std::mem::take(&mut self.spare);
        buf.clear();
        Ok(Delivery::new(Arc::clone(&self.shared), generation, meta, buf, hash))
    }

    /// Accepts a message that is whole. It is stored with the next batch.
    ///
    /// # Errors
    /// [`Error::Length`] if it is shorter than announced; [`Error::AlreadyStored`]; [`Error::Disk`]: then this
    /// message is discarded. [`Error::NotCommitted`] is about the messages that it names; this one is accepted unless it is
    /// among them.
    pub fn finish(&mut self, mut delivery: Delivery) -> Result<()> {
        if !Arc::ptr_eq(&delivery.shared, &self.shared) || Some(delivery.generation) != self.state.generation
        {
            return Err(Error::Misuse(
                "a message must be finished in the folder and generation it was begun in",
            ));
        }
        let meta = delivery.meta;
        delivery.check()?;
        if self.contains(meta.uid) {
            return Err(Error::AlreadyStored { uid: meta.uid });
        }
        if let Some(hash) = delivery.hash()
            && self.claim(&meta, delivery.written(), hash.as_ref())?
        {
            drop(delivery);
            return self.hand_over_if_full();
        }
        let (size, time) = (delivery.written(), delivery.time);
        let (sequence, spare) = delivery.complete()?;
        if spare.capacity() <= 2 * BUFFER {
            self.spare = spare;
        }
        let entry = Entry { time, size, flags: meta.flags, place: Place::of_arrival(meta.flags) };
        let pending = Pending { sequence, uid: meta.uid, entry };
        if self.shared.durability == Durability::None {
            if let Err(error) = publish(&self.shared, self.state.generation, &pending) {
                self.shared.discard(sequence);
                return Err(error);
            }
        } else {
            let (low, high) = self.unsettled.unwrap_or((meta.uid, meta.uid));
            self.unsettled = Some((low.min(meta.uid), high.max(meta.uid)));
        }
        self.state.entries.insert(meta.uid, entry);
        self.batch.messages.push(pending);
        self.batch.bytes = self.batch.bytes.saturating_add(size);
        self.hand_over_if_full()
    }

    /// Notes the flags that the server has now, and renames the file accordingly. Letters of other programs
    /// (Dovecot's keywords) stay. Flags that a mail program has set here are overwritten, but only when the server's
    /// change.
    ///
    /// # Errors
    /// [`Error::Disk`] if the file cannot be renamed; [`Error::NotCommitted`], [`Error::Stopped`] as for
    /// [`begin`](Self::begin).
    pub fn set_flags(&mut self, uid: u32, flags: Flags) -> Result<FlagUpdate> {
        self.report()?;
        if self.flags(uid) == Some(flags) {
            return Ok(FlagUpdate::Unchanged);
        }
        if self.unsettled.is_some_and(|(low, high)| (low..=high).contains(&uid)) {
            self.settle()?;
        }
        let mut looked = false;
        loop {
            let Some(entry) = self.state.entries.get(&uid).copied() else { return Ok(FlagUpdate::NotStored) };
            let id = self.state.file(uid, &entry);
            self.mark_opened()?;
            let moved =
                if entry.place.is_gone() { None } else { self.move_file(uid, &id, entry.place, flags)? };
            if moved.is_none() && !entry.place.is_gone() && !looked {
                // a mail program has been here: see where everything is now, and try again
                self.settle()?;
                self.look()?;
                looked = true;
                continue;
            }
            let place = moved.unwrap_or(entry.place.gone());
            self.state.entries.insert(uid, Entry { flags, place, ..entry });
            self.batch.flags.push((uid, flags, place));
            self.batch.flags_asked += u64::from(moved.is_some());
            self.hand_over_if_full()?;
            return Ok(if moved.is_some() { FlagUpdate::Applied } else { FlagUpdate::Gone });
        }
    }

    /// Hands what was accepted to the background thread without waiting for it. Useful between many small folders,
    /// which then share one flush of the disk; their `close` comes later.
    ///
    /// # Errors
    /// As [`flush`](Self::flush), about earlier batches.
    pub fn hand_over(&mut self) -> Result<()> {
        if !self.batch.is_empty() {
            let mut batch = std::mem::take(&mut self.batch);
            batch.generation = self.state.generation;
            batch.published = self.shared.durability == Durability::None;
            let job = Job { shared: Arc::clone(&self.shared), batch };
            match &self.target.committer {
                Some(committer) => committer.submit(job)?,
                None => commit(vec![job]),
            }
        }
        self.report()
    }

    /// Waits until everything accepted so far is stored, and says how much that was since the last flush.
    ///
    /// # Errors
    /// [`Error::NotCommitted`] names the messages that are not stored; the others are.
    pub fn flush(&mut self) -> Result<Committed> {
        self.settle()?;
        if std::mem::take(&mut self.mod_seq_changed)
            && let Some(mod_seq) = self.state.mod_seq
        {
            self.mark_opened()?;
            let mut records = Vec::new();
            record::put_mod_seq(&mut records, mod_seq);
            self.append(&records)?;
        }
        Ok(std::mem::take(&mut lock(&self.shared.outcome).committed))
    }

    /// As [`flush`](Self::flush), and notes that the folder was left in order, so that the next opening need not
    /// read the directories.
    ///
    /// # Errors
    /// As [`flush`](Self::flush).
    pub fn close(mut self) -> Result<Committed> {
        self.settle()?;
        let committed = std::mem::take(&mut lock(&self.shared.outcome).committed);
        let mut records = Vec::new();
        if self.mod_seq_changed
            && let Some(mod_seq) = self.state.mod_seq
        {
            record::put_mod_seq(&mut records, mod_seq);
        }
        if self.opened || !records.is_empty() {
            // a delivery may still be open, or have left its file behind: then the next opening has to clean up
            if !self.shared.untidy.load(Ordering::Acquire) && Arc::strong_count(&self.shared) == 1 {
                record::put_closed(&mut records, self.shared.dirs.times()?);
            }
            if self.worth_rewriting() {
                self.rewrite(&records)?;
            } else {
                self.append(&records)?;
            }
        }
        Ok(committed)
    }

    /// Reports what failed in the background, and forgets the messages concerned.
    fn report(&mut self) -> Result<()> {
        if self.shared.failed.swap(false, Ordering::AcqRel) {
            let mut outcome = lock(&self.shared.outcome);
            let mut uids = std::mem::take(&mut outcome.lost);
            if let Some(error) = outcome.error.take() {
                uids.sort_unstable();
                for uid in &uids {
                    self.state.entries.remove(uid);
                    self.state.origins.remove(uid);
                }
                return Err(Error::NotCommitted { uids, source: Box::new(error) });
            }
        }
        if self.shared.stopped.load(Ordering::Acquire) {
            return Err(Error::Stopped { path: self.shared.dirs.path.clone() });
        }
        Ok(())
    }

    /// Commits everything and waits for it.
    fn settle(&mut self) -> Result<()> {
        let handed = self.hand_over();
        if let Some(committer) = &self.target.committer {
            committer.wait()?;
        }
        self.unsettled = None;
        match (handed, self.report()) {
            (Ok(()), then) => then,
            // both are about earlier batches: one error for all
            (Err(Error::NotCommitted { mut uids, source }), Err(Error::NotCommitted { uids: more, .. })) => {
                uids.extend(more);
                uids.sort_unstable();
                Err(Error::NotCommitted { uids, source })
            }
            (first, _) => first,
        }
    }

    fn hand_over_if_full(&mut self) -> Result<()> {
        let options = &self.target.options;
        let changes = self.batch.messages.len() + self.batch.flags.len() + self.batch.matched.len();
        if changes >= options.batch_messages.max(1) || self.batch.bytes >= options.batch_bytes {
            return self.hand_over();
        }
        self.report()
    }

    /// Appends to the journal without flushing it: for what may be lost without harm.
    fn append(&self, records: &[u8]) -> Result<()> {
        let mut journal = lock(&self.shared.journal);
        journal.append(&self.shared.disk, records).map_err(|errno| self.journal_failed(errno))
    }

    fn journal_failed(&self, errno: Errno) -> Error {
        Error::disk("write", join(&self.shared.dirs.path, journal::NAME), errno)
    }

    /// Notes in the journal that from here on the directories may know more than it. This needs no flush of its own: it
    /// reaches the disk before the first rename does, with the data of the batch.
    fn mark_opened(&mut self) -> Result<()> {
        if !self.opened {
            let mut records = Vec::new();
            record::put_opened(&mut records);
            self.append(&records)?;
            self.opened = true;
        }
        Ok(())
    }

    /// Reads the directories and makes the state agree with them.
    fn look(&mut self) -> Result<()> {
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
    fn flush_everything(&self, adopted: &[(u32, Entry)]) -> Result<()> {
        let Shared { dirs, disk, .. } = &*self.shared;
        let failed = |errno| Error::disk("flush to disk", &dirs.path, errno);
        if !disk.sync_data(dirs.tmp.as_fd()).map_err(failed)? {
            for (uid, entry) in adopted {
                let id = self.state.file(*uid, entry);
                let name = id.name(entry.place);
                let name = self.odd_names.get(uid).map_or(name.as_bytes(), |odd| odd);
                let flags =
                    rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::CLOEXEC;
                let file = rustix::fs::openat(dirs.of(entry.place), name, flags, rustix::fs::Mode::empty());
                disk.sync_file(file.map_err(failed)?.as_fd(), name).map_err(failed)?;
            }
        }
        disk.sync_dir(dirs.cur.as_fd(), b"cur").map_err(failed)?;
        disk.sync_dir(dirs.new.as_fd(), b"new").map_err(failed)
    }

    /// Finds a message among the files of earlier generations; `true` if that is done.
    fn claim(&mut self, meta: &Meta, size: u64, hash: &[u8]) -> Result<bool> {
        let Some(matcher) = &mut self.matcher else { return Ok(false) };
        let Some(file) = matcher.claim(&self.shared.dirs, size, hash) else { return Ok(false) };
        if let Some(name) = file.odd {
            self.odd_names.insert(meta.uid, name);
        }
        let place = match self.move_file(meta.uid, &file.id, file.place, meta.flags) {
            Ok(Some(place)) => place,
            Ok(None) => {
                self.odd_names.remove(&meta.uid);
                return Ok(false);
            }
            Err(error) => {
                // the file is still there to be claimed, by the next attempt
                self.odd_names.remove(&meta.uid);
                self.matcher = None;
                return Err(error);
            }
        };
        let entry = Entry { time: file.id.time, size, flags: meta.flags, place };
        self.state.entries.insert(meta.uid, entry);
        self.state.origins.insert(meta.uid, file.id);
        self.batch.matched.push((meta.uid, entry, file.id));
        Ok(true)
    }

    /// Renames a file so that its name has these flags; `None` if it is not there.
    fn move_file(&mut self, uid: u32, id: &FileId, from: Place, flags: Flags) -> Result<Option<Place>> {
        // once in `cur` a message stays there: it is no longer new
        let to = if from.in_new() && flags.is_empty() { Place::NEW } else { Place::cur(flags) };
        let old = id.name(from);
        let odd = self.odd_names.get(&uid).cloned();
        let old = odd.as_deref().unwrap_or(old.as_bytes());
        let mut new = id.name(to).as_bytes().to_vec();
        if odd.is_some() && !to.in_new() {
            new.extend(other_letters(old));
        }
        let dirs = &self.shared.dirs;
        match self.shared.disk.rename(dirs.of(from), old, dirs.of(to), &new) {
            Ok(()) => {}
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(Error::disk("change the flags of", path_of(dirs, from, old), errno)),
        }
        self.batch.renamed = true;
        if id.name(to).as_bytes() == new {
            self.odd_names.remove(&uid);
        } else {
            self.odd_names.insert(uid, new.into());
        }
        Ok(Some(to))
    }

    /// Whether most of the journal is history.
    fn worth_rewriting(&self) -> bool {
        let needed = 64 + 12 * self.state.entries.len() as u64 + 40 * self.state.origins.len() as u64;
        let len = lock(&self.shared.journal).len();
        len > (64 << 10) && len / 4 > needed
    }

    /// Puts a journal of just the present state, and `last`, in place of the old one.
    fn rewrite(&self, last: &[u8]) -> Result<()> {
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

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = self.hand_over();
    }
}

impl fmt::Debug for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Folder");
        out.field("name", &self.name).field("uid_validity", &self.uid_validity()).field("len", &self.len());
        out.finish_non_exhaustive()
    }
}
