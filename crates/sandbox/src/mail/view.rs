//! What one connection sees of a folder: sequence numbers, and what it has been told.

use std::collections::BTreeSet;

use crate::mail::store::{FolderId, Store};
use crate::seed::Flags;

/// Something to tell the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Update {
    /// The message with this sequence number is gone; later ones move up.
    Expunged(u32),
    /// There are this many messages now.
    Exists(u32),
    /// Flags of the message with this sequence number and UID changed.
    Flags(u32, u32, Flags),
}

/// An open folder.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) folder: FolderId,
    pub(crate) uid_validity: u32,
    pub(crate) read_only: bool,
    /// UIDs in order of sequence numbers, with the flags last told.
    known: Vec<(u32, Flags)>,
    recent: BTreeSet<u32>,
}

impl View {
    /// A view of what is there now.
    pub(crate) fn new(
        folder: FolderId,
        uid_validity: u32,
        read_only: bool,
        known: Vec<(u32, Flags)>,
        recent: BTreeSet<u32>,
    ) -> Self {
        Self { folder, uid_validity, read_only, known, recent }
    }

    /// How many messages the client knows of.
    pub(crate) fn len(&self) -> u32 {
        u32::try_from(self.known.len()).unwrap_or(u32::MAX)
    }

    /// How many of them are recent.
    pub(crate) fn recent(&self) -> u32 {
        u32::try_from(self.recent.len()).unwrap_or(u32::MAX)
    }

    /// Whether a message is recent to this connection.
    pub(crate) fn is_recent(&self, uid: u32) -> bool {
        self.recent.contains(&uid)
    }

    /// The sequence number of the first message that was not seen, as last told.
    pub(crate) fn first_unseen(&self) -> Option<u32> {
        let at = self.known.iter().position(|(_, f)| !f.seen)?;
        u32::try_from(at + 1).ok()
    }

    /// The highest UID, or none.
    pub(crate) fn last_uid(&self) -> Option<u32> {
        self.known.last().map(|(uid, _)| *uid)
    }

    /// The UID of a sequence number.
    #[cfg(test)]
    pub(crate) fn uid(&self, seq: u32) -> Option<u32> {
        let at = usize::try_from(seq).ok()?.checked_sub(1)?;
        self.known.get(at).map(|(uid, _)| *uid)
    }

    /// The sequence number of a UID.
    pub(crate) fn seq(&self, uid: u32) -> Option<u32> {
        let at = self.known.binary_search_by_key(&uid, |(u, _)| *u).ok()?;
        u32::try_from(at + 1).ok()
    }

    /// Sequence numbers and UIDs whose sequence number lies in one of these closed ranges, ascending.
    pub(crate) fn by_seq(&self, ranges: &[(u32, u32)]) -> Vec<(u32, u32)> {
        self.pick(ranges, |seq, _| seq)
    }

    /// Sequence numbers and UIDs whose UID lies in one of these closed ranges, ascending.
    pub(crate) fn by_uid(&self, ranges: &[(u32, u32)]) -> Vec<(u32, u32)> {
        self.pick(ranges, |_, uid| uid)
    }

    /// Everything, as sequence number and UID.
    pub(crate) fn all(&self) -> Vec<(u32, u32)> {
        self.by_seq(&[(1, u32::MAX)])
    }

    /// Merges the ranges first, so that a hundred thousand of them cost no more than sorting (SV-09).
    fn pick(&self, ranges: &[(u32, u32)], key: impl Fn(u32, u32) -> u32) -> Vec<(u32, u32)> {
        let mut ranges: Vec<(u32, u32)> = ranges.iter().map(|(a, b)| (*a.min(b), *a.max(b))).collect();
        ranges.sort_unstable();
        let mut out = Vec::new();
        let mut ranges = ranges.into_iter();
        let mut open = ranges.next();
        for (seq, (uid, _)) in (1u32..).zip(&self.known) {
            let key = key(seq, *uid);
            while open.is_some_and(|(_, end)| end < key) {
                open = ranges.next();
            }
            match open {
                Some((start, _)) if start <= key => out.push((seq, *uid)),
                Some(_) => {}
                None => break,
            }
        }
        out
    }

    /// Remembers flags that the client is being told in another way.
    pub(crate) fn told(&mut self, uid: u32, flags: Flags) {
        if let Ok(at) = self.known.binary_search_by_key(&uid, |(u, _)| *u)
            && let Some(known) = self.known.get_mut(at)
        {
            known.1 = flags;
        }
    }

    /// What changed since the client was told last; `None` if the folder is gone.
    ///
    /// Without `expunges` the messages that are gone stay, to be told another time: sequence numbers must not change
    /// in the middle of a command that uses them (RFC 3501 section 7.4.1).
    pub(crate) fn sync(&mut self, store: &Store, expunges: bool) -> Option<Vec<Update>> {
        let now = store.snapshot(self.folder)?;
        let mut out = Vec::new();
        let there = |uid: &u32| now.binary_search_by_key(uid, |(u, _)| *u).ok().and_then(|i| now.get(i));
        if expunges {
            let mut at = 0;
            while let Some((uid, _)) = self.known.get(at) {
                if there(uid).is_some() {
                    at += 1;
                } else {
                    self.recent.remove(uid);
                    self.known.remove(at);
                    out.push(Update::Expunged(u32::try_from(at + 1).unwrap_or(u32::MAX)));
                }
            }
        }
        for (seq, known) in (1u32..).zip(self.known.iter_mut()) {
            if let Some((uid, flags)) = there(&known.0)
                && *flags != known.1
            {
                known.1 = *flags;
                out.push(Update::Flags(seq, *uid, *flags));
            }
        }
        let last = self.known.last().map_or(0, |(uid, _)| *uid);
        let before = self.known.len();
        self.known.extend(now.iter().filter(|(uid, _)| *uid > last));
        if self.known.len() > before {
            self.recent.extend(self.known.get(before..).unwrap_or_default().iter().map(|(uid, _)| *uid));
            out.push(Update::Exists(self.len()));
        }
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::store::Change;

    fn open() -> (Store, View) {
        let store = Store::seeded(1, "ana@contoso.example", 40);
        store.create("T").unwrap();
        let id = store.find("T").unwrap();
        for n in 0..5 {
            store.append(id, Flags::default(), n, b"x\r\n".to_vec()).unwrap();
        }
        let view = store.open(id, false).unwrap();
        (store, view)
    }

    #[test]
    fn another_connection_deletes_and_adds() {
        let (store, mut view) = open();
        assert_eq!((view.len(), view.recent(), view.first_unseen()), (5, 5, Some(1)));
        let id = view.folder;
        let deleted = Flags { deleted: true, ..Flags::default() };
        store.store_flags(id, &[2, 4], Change::Add(deleted));
        store.expunge(id, None);
        store.append(id, Flags::default(), 9, b"y\r\n".to_vec()).unwrap();
        store.store_flags(id, &[5], Change::Add(Flags { seen: true, ..Flags::default() }));
        // Inside a command sequence numbers stay.
        let mut inside = view.clone();
        let updates = inside.sync(&store, false).unwrap();
        assert!(!updates.iter().any(|u| matches!(u, Update::Expunged(_))));
        assert_eq!((inside.uid(2), inside.len()), (Some(2), 6));
        let updates = view.sync(&store, true).unwrap();
        let seen = Flags { seen: true, ..Flags::default() };
        assert_eq!(
            updates,
            [Update::Expunged(2), Update::Expunged(3), Update::Flags(3, 5, seen), Update::Exists(4)]
        );
        assert_eq!((view.uid(3), view.seq(5), view.seq(4)), (Some(5), Some(3), None));
        assert_eq!(view.sync(&store, true).unwrap(), []);
        store.delete("T").unwrap();
        assert!(view.sync(&store, true).is_none());
    }

    /// SV-09: sets of every size and order.
    #[test]
    fn sets() {
        let (_, view) = open();
        assert_eq!(view.by_seq(&[(5, 4), (1, 1), (4, 4)]), [(1, 1), (4, 4), (5, 5)]);
        assert_eq!(view.by_uid(&[(3, u32::MAX)]), [(3, 3), (4, 4), (5, 5)]);
        assert_eq!(view.by_uid(&[(0, 0)]), []);
        let many: Vec<(u32, u32)> = (0..100_000).map(|n| (n % 7, n % 7)).collect();
        assert_eq!(view.by_seq(&many).len(), 5);
        assert_eq!(view.by_seq(&[(1, 2), (1, 5), (3, 3)]).len(), 5);
    }

    #[test]
    fn recent_belongs_to_the_first_who_opens() {
        let (store, view) = open();
        assert!(view.is_recent(1));
        assert_eq!(store.open(view.folder, false).unwrap().recent(), 0);
        store.append(view.folder, Flags::default(), 1, b"z".to_vec()).unwrap();
        assert_eq!(store.open(view.folder, true).unwrap().recent(), 1);
        assert_eq!(store.open(view.folder, false).unwrap().recent(), 1);
    }
}
