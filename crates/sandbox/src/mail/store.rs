//! A mailbox owner's folders and messages.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::mail::mime::{self, Part};
use crate::mail::view::View;
use crate::seed::{self, Flags};

/// Names a folder for as long as it exists, whatever it is called.
pub(crate) type FolderId = u64;

/// Why a folder operation was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// There is no such folder.
    NotThere,
    /// There is one already.
    Exists,
    /// The name is kept for the server, or cannot be a name.
    Reserved,
    /// It has folders in it.
    HasChildren,
}

/// A message taken apart.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) octets: Vec<u8>,
    pub(crate) root: Part,
}

/// What is known of a message without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Meta {
    pub(crate) uid: u32,
    pub(crate) flags: Flags,
    /// Unix seconds.
    pub(crate) date: i64,
}

/// One line of a folder list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) name: String,
    pub(crate) has_children: bool,
    pub(crate) subscribed: bool,
}

/// Numbers of a folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) messages: u32,
    pub(crate) recent: u32,
    pub(crate) unseen: u32,
    pub(crate) uid_next: u32,
    pub(crate) uid_validity: u32,
}

/// How flags change.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change {
    Replace(Flags),
    Add(Flags),
    Remove(Flags),
}

/// UIDVALIDITY and the UIDs before and after.
pub(crate) type Copied = (u32, Vec<(u32, u32)>);

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

/// Messages kept taken apart: enough for a client that fetches one in several pieces.
const CACHED: usize = 4;

/// Longest name of a folder with all its levels, in octets.
const MAX_NAME: usize = 1000;

/// Names that cannot be created, deleted or renamed, as Exchange reports it.
const RESERVED: [&str; 3] = ["Files", "Sync Issues", "Recoverable Items"];

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

    /// All folders, sorted by name, INBOX first.
    pub(crate) fn list(&self) -> Vec<Listed> {
        let inner = self.lock();
        let names: BTreeSet<&str> = inner.folders.values().map(|f| f.name.as_str()).collect();
        let mut out: Vec<Listed> = names
            .iter()
            .map(|name| {
                let prefix = format!("{name}/");
                Listed {
                    name: (*name).to_owned(),
                    has_children: names
                        .range(prefix.as_str()..)
                        .next()
                        .is_some_and(|n| n.starts_with(&prefix)),
                    subscribed: inner.subscribed.contains(*name),
                }
            })
            .collect();
        out.sort_by_key(|l| l.name != INBOX);
        out
    }

    /// Names subscribed to, whether or not there are such folders.
    pub(crate) fn subscriptions(&self) -> Vec<String> {
        self.lock().subscribed.iter().cloned().collect()
    }

    /// The folder of this name; INBOX in any letter case.
    pub(crate) fn find(&self, name: &str) -> Option<FolderId> {
        find(&self.lock(), &canonical(name))
    }

    /// Makes a folder and those above it. A final `/` says that more will come below it and is ignored.
    pub(crate) fn create(&self, name: &str) -> Result<(), Refused> {
        let name = valid(name.strip_suffix('/').unwrap_or(name))?;
        let mut inner = self.lock();
        if find(&inner, &name).is_some() {
            return Err(Refused::Exists);
        }
        for (i, _) in name.match_indices('/').chain([(name.len(), "")]) {
            let part = canonical(name.get(..i).unwrap_or_default());
            if find(&inner, &part).is_none() {
                inner.add(part);
            }
        }
        drop(inner);
        self.changed();
        Ok(())
    }

    /// Deletes a folder and what is in it.
    pub(crate) fn delete(&self, name: &str) -> Result<(), Refused> {
        let name = canonical(name);
        if name == INBOX || is_reserved(&name) {
            return Err(Refused::Reserved);
        }
        let mut inner = self.lock();
        let id = find(&inner, &name).ok_or(Refused::NotThere)?;
        let prefix = format!("{name}/");
        if inner.folders.values().any(|f| f.name.starts_with(&prefix)) {
            return Err(Refused::HasChildren);
        }
        inner.folders.remove(&id);
        drop(inner);
        self.changed();
        Ok(())
    }

    /// Renames a folder and those in it; INBOX stays and its messages move (RFC 3501 section 6.3.5).
    pub(crate) fn rename(&self, from: &str, to: &str) -> Result<(), Refused> {
        let (from, to) = (canonical(from), valid(to)?);
        if is_reserved(&from) || to.starts_with(&format!("{from}/")) {
            return Err(Refused::Reserved);
        }
        let mut inner = self.lock();
        let id = find(&inner, &from).ok_or(Refused::NotThere)?;
        if find(&inner, &to).is_some() {
            return Err(Refused::Exists);
        }
        if from == INBOX {
            let target = inner.add(to);
            let moved =
                inner.folders.get_mut(&id).map(|f| std::mem::take(&mut f.entries)).unwrap_or_default();
            if let Some(target) = inner.folders.get_mut(&target) {
                for (uid, mut entry) in (1u32..).zip(moved) {
                    entry.uid = uid;
                    target.entries.push(entry);
                    target.uid_next = uid.saturating_add(1);
                }
            }
        } else {
            let prefix = format!("{from}/");
            for folder in inner.folders.values_mut() {
                if folder.name == from {
                    folder.name.clone_from(&to);
                } else if let Some(rest) = folder.name.strip_prefix(&prefix) {
                    folder.name = format!("{to}/{rest}");
                }
            }
        }
        drop(inner);
        self.changed();
        Ok(())
    }

    /// Subscribes to a name or ends that.
    pub(crate) fn subscribe(&self, name: &str, on: bool) {
        let name = canonical(name);
        let mut inner = self.lock();
        if on {
            inner.subscribed.insert(name);
        } else {
            inner.subscribed.remove(&name);
        }
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

    /// What is known of a message without reading it.
    pub(crate) fn meta(&self, id: FolderId, uid: u32) -> Option<Meta> {
        let inner = self.lock();
        let entry = inner.folders.get(&id)?.entry(uid)?;
        Some(Meta { uid, flags: entry.flags, date: entry.date })
    }

    /// Octets of a message. Making a seeded one for it is remembered.
    pub(crate) fn size(&self, id: FolderId, uid: u32) -> Option<u32> {
        let content = {
            let inner = self.lock();
            let entry = inner.folders.get(&id)?.entry(uid)?;
            if let Some(size) = entry.size {
                return Some(size);
            }
            entry.content.clone()
        };
        let size = u32::try_from(content.octets().len()).unwrap_or(u32::MAX);
        let mut inner = self.lock();
        if let Some(entry) = inner.folders.get_mut(&id).and_then(|f| f.entry_mut(uid)) {
            entry.size = Some(size);
        }
        Some(size)
    }

    /// A message, made and taken apart if it is not at hand.
    pub(crate) fn message(&self, id: FolderId, uid: u32) -> Option<Arc<Message>> {
        let hit = {
            let cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
            cache.iter().find(|(f, u, _)| (*f, *u) == (id, uid)).map(|(_, _, m)| Arc::clone(m))
        };
        if hit.is_some() {
            return hit;
        }
        let content = self.lock().folders.get(&id)?.entry(uid)?.content.clone();
        let octets = content.octets();
        let message = Arc::new(Message { root: mime::parse(&octets), octets });
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.push_front((id, uid, Arc::clone(&message)));
        cache.truncate(CACHED);
        drop(cache);
        if let Some(entry) = self.lock().folders.get_mut(&id).and_then(|f| f.entry_mut(uid)) {
            entry.size = Some(u32::try_from(message.octets.len()).unwrap_or(u32::MAX));
        }
        Some(message)
    }

    /// Adds a message; its UIDVALIDITY and UID.
    pub(crate) fn append(
        &self,
        id: FolderId,
        flags: Flags,
        date: i64,
        octets: Vec<u8>,
    ) -> Option<(u32, u32)> {
        let mut inner = self.lock();
        let folder = inner.folders.get_mut(&id)?;
        let size = u32::try_from(octets.len()).ok();
        let entry =
            Entry { uid: 0, flags, date, recent: true, size, content: Content::Stored(octets.into()) };
        let uid = folder.add(entry);
        let added = (folder.uid_validity, uid);
        drop(inner);
        self.changed();
        Some(added)
    }

    /// Changes flags of the messages that are there; their new flags.
    pub(crate) fn store_flags(&self, id: FolderId, uids: &[u32], change: Change) -> Vec<(u32, Flags)> {
        let mut out = Vec::with_capacity(uids.len());
        let mut inner = self.lock();
        let Some(folder) = inner.folders.get_mut(&id) else { return out };
        let mut altered = false;
        for uid in uids {
            let Some(entry) = folder.entry_mut(*uid) else { continue };
            let flags = match change {
                Change::Replace(flags) => flags,
                Change::Add(flags) => entry.flags.with(flags),
                Change::Remove(flags) => entry.flags.without(flags),
            };
            altered |= flags != entry.flags;
            entry.flags = flags;
            out.push((*uid, flags));
        }
        drop(inner);
        if altered {
            self.changed();
        }
        out
    }

    /// Copies messages, or moves them; where they went.
    pub(crate) fn copy(&self, from: FolderId, uids: &[u32], to: FolderId, remove: bool) -> Option<Copied> {
        let mut inner = self.lock();
        let source = inner.folders.get(&from)?;
        let entries: Vec<Entry> = uids.iter().filter_map(|u| source.entry(*u)).cloned().collect();
        let target = inner.folders.get_mut(&to)?;
        let mut pairs = Vec::with_capacity(entries.len());
        for mut entry in entries {
            let old = entry.uid;
            entry.recent = true;
            pairs.push((old, target.add(entry)));
        }
        let validity = target.uid_validity;
        if remove && let Some(source) = inner.folders.get_mut(&from) {
            // In the same folder the copies have other UIDs.
            let gone: BTreeSet<u32> = pairs.iter().map(|(old, _)| *old).collect();
            source.entries.retain(|e| !gone.contains(&e.uid));
        }
        drop(inner);
        self.changed();
        Some((validity, pairs))
    }

    /// Removes messages marked deleted, all or those among `only`; their UIDs.
    pub(crate) fn expunge(&self, id: FolderId, only: Option<&[u32]>) -> Vec<u32> {
        let only: Option<BTreeSet<u32>> = only.map(|u| u.iter().copied().collect());
        let mut gone = Vec::new();
        let mut inner = self.lock();
        let Some(folder) = inner.folders.get_mut(&id) else { return gone };
        folder.entries.retain(|e| {
            let goes = e.flags.deleted && only.as_ref().is_none_or(|o| o.contains(&e.uid));
            if goes {
                gone.push(e.uid);
            }
            !goes
        });
        drop(inner);
        if !gone.is_empty() {
            self.changed();
        }
        gone
    }

    fn changed(&self) {
        self.changes.send_modify(|n| *n = n.wrapping_add(1));
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The one folder every mailbox has.
pub(crate) const INBOX: &str = "INBOX";

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

impl Content {
    fn octets(&self) -> Vec<u8> {
        match self {
            Self::Seeded(message) => message.octets(),
            Self::Stored(octets) => octets.to_vec(),
        }
    }
}

fn find(inner: &Inner, name: &str) -> Option<FolderId> {
    inner.folders.iter().find(|(_, f)| f.name == name).map(|(id, _)| *id)
}

/// INBOX, and a first level that is INBOX, in capitals.
fn canonical(name: &str) -> String {
    match name.split_once('/') {
        _ if name.eq_ignore_ascii_case(INBOX) => INBOX.to_owned(),
        Some((first, rest)) if first.eq_ignore_ascii_case(INBOX) => format!("{INBOX}/{rest}"),
        _ => name.to_owned(),
    }
}

fn is_reserved(name: &str) -> bool {
    RESERVED.iter().any(|r| r.eq_ignore_ascii_case(name))
}

fn valid(name: &str) -> Result<String, Refused> {
    let name = canonical(name);
    let bad_level =
        |level: &str| level.is_empty() || level.chars().any(|c| c.is_control() || c == '*' || c == '%');
    if name.len() > MAX_NAME || name.split('/').any(bad_level) || is_reserved(&name) {
        return Err(Refused::Reserved);
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> Store {
        Store::seeded(1, "ana@contoso.example", 300)
    }

    fn names(store: &Store) -> Vec<String> {
        store.list().into_iter().map(|l| l.name).collect()
    }

    #[test]
    fn lists_what_was_seeded() {
        let store = store();
        let list = store.list();
        assert_eq!(list[0].name, "INBOX");
        let archive = list.iter().find(|l| l.name == "Archive").unwrap();
        assert!(archive.has_children && archive.subscribed);
        assert!(!list.iter().find(|l| l.name == "Drafts").unwrap().has_children);
        let total: u32 =
            names(&store).iter().map(|n| store.status(store.find(n).unwrap()).unwrap().messages).sum();
        assert_eq!(total, 300);
        assert!(store.find("inbox").is_some() && store.find("archive").is_none());
    }

    #[test]
    fn folders_come_and_go() {
        let store = store();
        assert_eq!(store.create("A/B/C/"), Ok(()));
        assert!(["A", "A/B", "A/B/C"].iter().all(|n| store.find(n).is_some()));
        assert_eq!(store.create("A/B"), Err(Refused::Exists));
        assert_eq!(store.create("Files"), Err(Refused::Reserved));
        for bad in ["", "/", "a//b", "a\r\nb", "a*"] {
            assert_eq!(store.create(bad), Err(Refused::Reserved), "{bad:?}");
        }
        assert_eq!(store.delete("A"), Err(Refused::HasChildren));
        assert_eq!(store.rename("A", "A/x"), Err(Refused::Reserved));
        assert_eq!(store.rename("A", "Z"), Ok(()));
        assert!(store.find("Z/B/C").is_some() && store.find("A/B").is_none());
        assert_eq!(store.delete("Z/B/C"), Ok(()));
        assert_eq!(store.delete("Z/B/C"), Err(Refused::NotThere));
        assert_eq!(store.delete("INBOX"), Err(Refused::Reserved));
        let (old, new) =
            (store.find("Drafts"), store.status(store.find("Drafts").unwrap()).unwrap().uid_validity);
        store.delete("Drafts").unwrap();
        store.create("Drafts").unwrap();
        assert_ne!(store.find("Drafts"), old);
        assert_ne!(store.status(store.find("Drafts").unwrap()).unwrap().uid_validity, new);
    }

    #[test]
    fn renaming_the_inbox_moves_its_messages() {
        let store = store();
        let inbox = store.find("INBOX").unwrap();
        let before = store.status(inbox).unwrap().messages;
        store.rename("INBOX", "Old").unwrap();
        assert_eq!(store.status(inbox).unwrap().messages, 0);
        assert_eq!(store.status(store.find("Old").unwrap()).unwrap().messages, before);
    }

    #[test]
    fn appending_copying_moving_expunging() {
        let store = store();
        store.create("T").unwrap();
        let (inbox, t) = (store.find("INBOX").unwrap(), store.find("T").unwrap());
        let changes = store.changes();
        let (validity, uid) = store.append(t, Flags::default(), 5, b"Subject: x\r\n\r\ny".to_vec()).unwrap();
        assert_eq!((uid, store.status(t).unwrap().uid_validity), (1, validity));
        assert!(changes.has_changed().unwrap());
        assert_eq!(store.message(t, 1).unwrap().octets, b"Subject: x\r\n\r\ny");
        let first: Vec<u32> = store.snapshot(inbox).unwrap().iter().take(3).map(|(u, _)| *u).collect();
        let (_, pairs) = store.copy(inbox, &[first[0], first[2], 4_000_000], t, false).unwrap();
        assert_eq!(pairs, [(first[0], 2), (first[2], 3)]);
        assert_eq!(store.message(t, 2).unwrap().octets, store.message(inbox, first[0]).unwrap().octets);
        let before = store.status(inbox).unwrap().messages;
        store.copy(inbox, &[first[1]], t, true).unwrap();
        assert_eq!(store.status(inbox).unwrap().messages, before - 1);
        let deleted = Flags { deleted: true, ..Flags::default() };
        store.store_flags(t, &[1, 3], Change::Add(deleted));
        assert_eq!(store.expunge(t, Some(&[1, 2])), [1]);
        assert_eq!(store.expunge(t, None), [3]);
        assert_eq!(store.snapshot(t).unwrap().iter().map(|(u, _)| *u).collect::<Vec<_>>(), [2, 4]);
        assert_eq!(store.status(t).unwrap().uid_next, 5);
        assert!(store.meta(t, 1).is_none() && store.meta(99, 1).is_none());
    }

    #[test]
    fn sizes_are_those_of_the_octets() {
        let store = store();
        let id = store.find("INBOX").unwrap();
        for (uid, _) in store.snapshot(id).unwrap().into_iter().take(30) {
            let size = store.size(id, uid).unwrap() as usize;
            assert_eq!(size, store.message(id, uid).unwrap().octets.len());
        }
    }
}
