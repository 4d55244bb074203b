//! Folders: which there are, and what is done with them as a whole.

use std::collections::BTreeSet;

use super::names::{INBOX, canonical, is_reserved, valid};
use super::{FolderId, Inner, Store};

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

/// One line of a folder list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) name: String,
    pub(crate) has_children: bool,
    pub(crate) subscribed: bool,
}

impl Store {
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
}

fn find(inner: &Inner, name: &str) -> Option<FolderId> {
    inner.folders.iter().find(|(_, f)| f.name == name).map(|(id, _)| *id)
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
}
