//! A mailbox owner's folders and messages.
//!
//! | module | what it does |
//! |---|---|
//! | `names` | which names folders can have |
//! | `folders` | listing, making, deleting and renaming folders, subscriptions |
//! | `messages` | adding, reading, marking, copying and removing messages |

mod folders;
mod messages;
mod names;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

pub(crate) use folders::Refused;
pub(crate) use messages::{Change, Message, Meta};
pub(crate) use names::INBOX;

use crate::mail::view::View;
use crate::seed::{self, Flags};

/// Names a folder for as long as it exists, whatever it is called.
pub(crate) type FolderId = u64;

/// Numbers of a folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) messages: u32,
    pub(crate) recent: u32,
    pub(crate) unseen: u32,
    pub(crate) uid_next: u32,
    pub(crate) uid_validity: u32,
}

#[derive(Clone, Debug)]
enum Content {
    Seeded(seed::Message),
    Stored(Arc<[u8]>),
}

#[derive(Clone, Debug)]
struct Entry {
    uid: u32,
    flags: Flags,
    date: i64,
    recent: bool,
    /// Octets; known once it was asked for, as a seeded message has to be made for it.
    size: Option<u32>,
    content: Content,
}

#[derive(Clone, Debug, Default)]
struct Folder {
    name: String,
    uid_validity: u32,
    uid_next: u32,
    /// In ascending order of UID.
    entries: Vec<Entry>,
}

#[derive(Debug, Default)]
struct Inner {
    folders: BTreeMap<FolderId, Folder>,
    subscribed: BTreeSet<String>,
    next_id: FolderId,
    next_validity: u32,
}

/// Everything one owner has. Shared by that owner's connections.
#[derive(Debug)]
pub(crate) struct Store {
    inner: Mutex<Inner>,
    cache: Mutex<VecDeque<(FolderId, u32, Arc<Message>)>>,
    changes: watch::Sender<u64>,
}

impl Store {
    /// The seeded mailbox of `owner` with `n` messages.
    pub(crate) fn seeded(seed: u64, owner: &str, n: usize) -> Self {
        let mut inner = Inner { next_id: 1, next_validity: 1000, ..Inner::default() };
        for folder in seed::folders(seed, owner, n) {
            let entries = (0..folder.len())
                .map(|i| {
                    let message = folder.message(i);
                    Entry {
                        uid: folder.uid(i),
                        flags: folder.flags(i),
                        date: message.internal_date(),
                        recent: false,
                        size: None,
                        content: Content::Seeded(message),
                    }
                })
                .collect();
            let name = folder.name().to_owned();
            inner.subscribed.insert(name.clone());
            let kept =
                Folder { name, uid_validity: folder.uid_validity(), uid_next: folder.uid_next(), entries };
            inner.folders.insert(inner.next_id, kept);
            inner.next_id += 1;
        }
        Self { inner: Mutex::new(inner), cache: Mutex::default(), changes: watch::Sender::new(0) }
    }

    /// Resolves whenever something changed; every change counts one up.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Numbers of a folder.
    pub(crate) fn status(&self, id: FolderId) -> Option<Status> {
        let inner = self.lock();
        let folder = inner.folders.get(&id)?;
        let count = |f: &dyn Fn(&Entry) -> bool| {
            u32::try_from(folder.entries.iter().filter(|e| f(e)).count()).unwrap_or(u32::MAX)
        };
        Some(Status {
            messages: count(&|_| true),
            recent: count(&|e| e.recent),
            unseen: count(&|e| !e.flags.seen),
            uid_next: folder.uid_next,
            uid_validity: folder.uid_validity,
        })
    }

    /// Opens a folder: what a connection sees of it. Unless read only, its messages are recent no more for others.
    pub(crate) fn open(&self, id: FolderId, read_only: bool) -> Option<View> {
        let mut inner = self.lock();
        let folder = inner.folders.get_mut(&id)?;
        let mut recent = BTreeSet::new();
        for entry in folder.entries.iter_mut().filter(|e| e.recent) {
            recent.insert(entry.uid);
            entry.recent = read_only;
        }
        let known = folder.entries.iter().map(|e| (e.uid, e.flags)).collect();
        Some(View::new(id, folder.uid_validity, read_only, known, recent))
    }

    /// Gives a folder another id and UIDVALIDITY, and its messages UIDs from 1.
    pub(crate) fn renumber(&self, id: FolderId) {
        let mut inner = self.lock();
        let Some(old) = inner.folders.remove(&id) else { return };
        let new = inner.add(old.name);
        if let Some(folder) = inner.folders.get_mut(&new) {
            for mut entry in old.entries {
                entry.recent = false;
                folder.add(entry);
            }
        }
        drop(inner);
        self.changed();
    }

    /// UIDs and flags of all messages, in order; `None` if the folder is gone.
    pub(crate) fn snapshot(&self, id: FolderId) -> Option<Vec<(u32, Flags)>> {
        let inner = self.lock();
        Some(inner.folders.get(&id)?.entries.iter().map(|e| (e.uid, e.flags)).collect())
    }

    fn changed(&self) {
        self.changes.send_modify(|n| *n = n.wrapping_add(1));
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn add(&mut self, name: String) -> FolderId {
        let id = self.next_id;
        self.next_id += 1;
        self.next_validity = self.next_validity.saturating_add(1);
        let folder = Folder { name, uid_validity: self.next_validity, uid_next: 1, entries: Vec::new() };
        self.folders.insert(id, folder);
        id
    }
}

impl Folder {
    fn entry(&self, uid: u32) -> Option<&Entry> {
        let at = self.entries.binary_search_by_key(&uid, |e| e.uid).ok()?;
        self.entries.get(at)
    }

    fn entry_mut(&mut self, uid: u32) -> Option<&mut Entry> {
        let at = self.entries.binary_search_by_key(&uid, |e| e.uid).ok()?;
        self.entries.get_mut(at)
    }

    fn add(&mut self, mut entry: Entry) -> u32 {
        let uid = self.uid_next;
        self.uid_next = self.uid_next.saturating_add(1);
        entry.uid = uid;
        self.entries.push(entry);
        uid
    }
}
