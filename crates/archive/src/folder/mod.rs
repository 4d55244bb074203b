//! One folder, open for storing.

mod relabel;
mod upkeep;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use std::os::fd::AsFd;

use rustix::io::Errno;

use crate::commit::{Batch, Job, Pending, commit, publish};
use crate::delivery::{BUFFER, Delivery, Meta};
use crate::dirs::{Dirs, join};
use crate::error::{Error, Result};
use crate::file_name::Place;
use crate::journal::{Journal, Loaded, record};
use crate::matcher::Matcher;
use crate::scan::{clean_tmp, scan};
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
