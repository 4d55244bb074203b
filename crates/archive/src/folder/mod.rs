//! One folder, open for storing.

mod relabel;
mod store;
mod upkeep;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex};

use std::os::fd::AsFd;

use rustix::io::Errno;

use crate::commit::Batch;
use crate::dirs::{Dirs, join};
use crate::error::{Error, Result};
use crate::journal::{Journal, Loaded, record};
use crate::matcher::Matcher;
use crate::scan::clean_tmp;
use crate::shared::{Outcome, Shared};
use crate::state::{self, State};
use crate::target::{OpenMark, Target};
use crate::{Flags, FolderName, journal};

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
