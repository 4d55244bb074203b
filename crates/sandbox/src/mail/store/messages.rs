//! Messages: what comes in, what is read and marked, what goes.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use super::{Content, Entry, FolderId, Store};
use crate::mail::mime::{self, Part};
use crate::seed::Flags;

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

/// How flags change.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change {
    Replace(Flags),
    Add(Flags),
    Remove(Flags),
}

/// UIDVALIDITY and the UIDs before and after.
pub(crate) type Copied = (u32, Vec<(u32, u32)>);

/// Messages kept taken apart: enough for a client that fetches one in several pieces.
const CACHED: usize = 4;

impl Store {
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

    /// Adds a message; its UIDVALIDITY and UID. Octets that are shared are not copied.
    pub(crate) fn append(
        &self,
        id: FolderId,
        flags: Flags,
        date: i64,
        octets: impl Into<Arc<[u8]>>,
    ) -> Option<(u32, u32)> {
        let octets = octets.into();
        let mut inner = self.lock();
        let folder = inner.folders.get_mut(&id)?;
        let size = u32::try_from(octets.len()).ok();
        let entry = Entry { uid: 0, flags, date, recent: true, size, content: Content::Stored(octets) };
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
}

impl Content {
    fn octets(&self) -> Vec<u8> {
        match self {
            Self::Seeded(message) => message.octets(),
            Self::Stored(octets) => octets.to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> Store {
        Store::seeded(1, "ana@contoso.example", 300)
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
    fn what_many_get_is_kept_once() {
        let octets: Arc<[u8]> = b"Subject: x\r\n\r\n"[..].into();
        let stores = [store(), store()];
        for store in &stores {
            let inbox = store.find("INBOX").unwrap();
            store.append(inbox, Flags::default(), 5, Arc::clone(&octets)).unwrap();
        }
        assert_eq!(Arc::strong_count(&octets), 1 + stores.len());
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
