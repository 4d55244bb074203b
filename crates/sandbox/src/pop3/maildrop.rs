//! What one session sees of an INBOX: fixed from sign-in to QUIT (RFC 1939 section 4).

use std::num::NonZeroU32;
use std::sync::Arc;

use crate::jwt::s256;
use crate::mail::store::{FolderId, INBOX, Message, Store};

/// Where deleted messages go, as they do at Exchange.
const DELETED: &str = "Deleted Items";

/// Messages measured before other connections get a turn.
const PATIENCE: usize = 64;

/// One message of the session.
#[derive(Clone, Copy, Debug)]
struct Item {
    uid: u32,
    deleted: bool,
}

/// The messages of an INBOX, numbered from 1.
#[derive(Debug)]
pub(crate) struct Maildrop {
    store: Arc<Store>,
    folder: FolderId,
    uid_validity: u32,
    items: Vec<Item>,
}

impl Maildrop {
    /// What is there now; empty if there is no INBOX.
    pub(crate) fn open(store: Arc<Store>) -> Self {
        let folder = store.find(INBOX).unwrap_or_default();
        let uid_validity = store.status(folder).map_or(0, |s| s.uid_validity);
        let items = store.snapshot(folder).unwrap_or_default();
        let items = items.into_iter().map(|(uid, _)| Item { uid, deleted: false }).collect();
        Self { store, folder, uid_validity, items }
    }

    /// The numbers of messages that are not marked.
    pub(crate) fn numbers(&self) -> Vec<NonZeroU32> {
        (1u32..)
            .filter_map(NonZeroU32::new)
            .zip(&self.items)
            .filter(|(_, i)| !i.deleted)
            .map(|(n, _)| n)
            .collect()
    }

    /// Octets of a message; `None` if it is marked or never was. Another client may have removed it: then none.
    pub(crate) fn size(&self, number: NonZeroU32) -> Option<u64> {
        let uid = self.item(number)?.uid;
        Some(self.store.size(self.folder, uid).unwrap_or_default().into())
    }

    /// The size of these messages together. Seeded ones have to be made for it, so other connections get a turn meanwhile.
    pub(crate) async fn octets(&self, numbers: &[NonZeroU32]) -> u64 {
        let mut octets = 0u64;
        for (n, number) in numbers.iter().enumerate() {
            if n % PATIENCE == PATIENCE - 1 {
                tokio::task::yield_now().await;
            }
            octets = octets.saturating_add(self.size(*number).unwrap_or_default());
        }
        octets
    }

    /// What a message is known by, in every session: long and without meaning, as Exchange's are.
    pub(crate) fn unique_id(&self, number: NonZeroU32) -> Option<String> {
        let uid = self.item(number)?.uid;
        Some(s256(&format!("unique-id {} {uid}", self.uid_validity)))
    }

    /// A message; `None` if it is marked, gone, or never was.
    pub(crate) fn message(&self, number: NonZeroU32) -> Option<Arc<Message>> {
        self.store.message(self.folder, self.item(number)?.uid)
    }

    /// Marks a message; whether it was there.
    pub(crate) fn mark(&mut self, number: NonZeroU32) -> bool {
        let item = index(number).and_then(|i| self.items.get_mut(i)).filter(|i| !i.deleted);
        item.map(|i| i.deleted = true).is_some()
    }

    /// Unmarks all messages.
    pub(crate) fn unmark(&mut self) {
        self.items.iter_mut().for_each(|i| i.deleted = false);
    }

    /// Removes what is marked: QUIT was said.
    pub(crate) fn update(&self) {
        let uids: Vec<u32> = self.items.iter().filter(|i| i.deleted).map(|i| i.uid).collect();
        if uids.is_empty() {
            return;
        }
        if self.store.find(DELETED).is_none() {
            // Somebody else may make it at the same time; then there is one, too.
            let _ = self.store.create(DELETED);
        }
        if let Some(deleted) = self.store.find(DELETED) {
            self.store.copy(self.folder, &uids, deleted, true);
        }
    }

    fn item(&self, number: NonZeroU32) -> Option<Item> {
        self.items.get(index(number)?).copied().filter(|i| !i.deleted)
    }
}

fn index(number: NonZeroU32) -> Option<usize> {
    usize::try_from(number.get()).ok()?.checked_sub(1)
}

/// The header of a message, the empty line, and so many lines of its body.
pub(crate) fn top(octets: &[u8], lines: u32) -> &[u8] {
    let mut end = crate::mail::header::header_end(octets, 0..octets.len());
    for _ in 0..lines {
        if end >= octets.len() {
            break;
        }
        end = crate::mail::header::line_end(octets, end);
    }
    octets.get(..end).unwrap_or(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tops() {
        let octets = b"A: b\r\n\r\none\r\ntwo\r\nthree";
        assert_eq!(top(octets, 0), b"A: b\r\n\r\n");
        assert_eq!(top(octets, 2), b"A: b\r\n\r\none\r\ntwo\r\n");
        assert_eq!(top(octets, u32::MAX), octets);
        assert_eq!(top(b"A: b", 1), b"A: b", "no body");
        assert_eq!(top(b"", 1), b"");
    }

    #[test]
    fn marks_hold_for_the_session_and_update_moves() {
        let store = Arc::new(Store::seeded(1, "a@b", 30));
        let mut drop = Maildrop::open(Arc::clone(&store));
        let all = drop.numbers();
        let (first, last) = (all[0], all[all.len() - 1]);
        let beyond = last.saturating_add(1);
        let id = drop.unique_id(last).unwrap();
        assert!(drop.mark(first) && !drop.mark(first), "SV-17: twice");
        assert!(!drop.mark(beyond) && drop.size(beyond).is_none());
        assert!(drop.message(first).is_none() && drop.size(first).is_none());
        assert_eq!(drop.numbers().len(), all.len() - 1, "numbers stay");
        drop.unmark();
        assert_eq!(drop.numbers(), all);
        assert!(drop.mark(first));
        drop.update();
        let after = Maildrop::open(Arc::clone(&store));
        assert_eq!(after.numbers().len(), all.len() - 1);
        assert_eq!(after.unique_id(NonZeroU32::new(last.get() - 1).unwrap()).unwrap(), id, "ids stay");
        assert!(store.find(DELETED).is_some());
    }
}
