//! The folders of a seeded mailbox, as Exchange has them.

use crate::seed::message::Message;
use crate::seed::rng::{Rng, hash};

/// A message's flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags {
    /// `\Seen`
    pub seen: bool,
    /// `\Answered`
    pub answered: bool,
    /// `\Flagged`
    pub flagged: bool,
    /// `\Deleted`
    pub deleted: bool,
    /// `\Draft`
    pub draft: bool,
    /// `$MDNSent`
    pub mdn_sent: bool,
}

impl Flags {
    /// These and the others.
    #[must_use]
    pub fn with(self, o: Self) -> Self {
        Self {
            seen: self.seen || o.seen,
            answered: self.answered || o.answered,
            flagged: self.flagged || o.flagged,
            deleted: self.deleted || o.deleted,
            draft: self.draft || o.draft,
            mdn_sent: self.mdn_sent || o.mdn_sent,
        }
    }

    /// These without the others.
    #[must_use]
    pub fn without(self, o: Self) -> Self {
        Self {
            seen: self.seen && !o.seen,
            answered: self.answered && !o.answered,
            flagged: self.flagged && !o.flagged,
            deleted: self.deleted && !o.deleted,
            draft: self.draft && !o.draft,
            mdn_sent: self.mdn_sent && !o.mdn_sent,
        }
    }
}

/// A folder of a seeded mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    name: &'static str,
    seed: u64,
    len: usize,
    uid_validity: u32,
}

/// Name, share of all messages in thousandths.
const FOLDERS: [(&str, usize); 17] = [
    ("INBOX", 520),
    ("Archive", 90),
    ("Archive/2024", 60),
    ("Archive/2025", 70),
    ("Calendar", 10),
    ("Contacts", 0),
    ("Conversation History", 0),
    ("Deleted Items", 40),
    ("Drafts", 10),
    ("Junk Email", 20),
    ("Notes", 0),
    ("Outbox", 0),
    ("Projects", 0),
    ("Projects/R&D \"Alpha\"", 10),
    ("Sent Items", 150),
    ("Tasks", 0),
    ("Übung", 20),
];

/// Unix time of the oldest message, 1 January 2019.
const OLDEST: i64 = 1_546_300_800;

/// Unix time before which all messages came, 20 November 2026.
const NEWEST: i64 = 1_795_132_800;

/// The folders of the mailbox of `owner` with `n` messages altogether.
pub fn folders(seed: u64, owner: &str, n: usize) -> Vec<Folder> {
    let given: usize = FOLDERS.iter().map(|(_, share)| n * share / 1000).sum();
    FOLDERS
        .iter()
        .enumerate()
        .map(|(i, (name, share))| {
            // What rounding left over goes to the inbox.
            let rest = if i == 0 { n - given } else { 0 };
            let seed = Rng::new(&[seed, hash(owner), hash(name)]).draw();
            Folder { name, seed, len: n * share / 1000 + rest, uid_validity: 14 + i as u32 }
        })
        .collect()
}

impl Folder {
    /// The name, with `/` between levels, in Unicode.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// How many messages it holds.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The UIDVALIDITY: a small number, as Exchange uses.
    pub fn uid_validity(&self) -> u32 {
        self.uid_validity
    }

    /// The UID of the message at `index`: ascending, with gaps where messages were deleted.
    pub fn uid(&self, index: usize) -> u32 {
        let index = u32::try_from(index).unwrap_or(u32::MAX / 2);
        let offset = (self.seed % 40) as u32;
        (1 + offset).saturating_add(index).saturating_add(index / 7 * 3)
    }

    /// The next UID to be given out.
    pub fn uid_next(&self) -> u32 {
        self.uid(self.len).saturating_add(1)
    }

    /// The message at `index`.
    pub fn message(&self, index: usize) -> Message {
        let step = (NEWEST - OLDEST) / self.len.max(1) as i64;
        let noise = Rng::new(&[self.seed, index as u64, 4]).below(step.max(1) as usize) as i64;
        Message::new(self.seed, index, OLDEST + step * index as i64 + noise)
    }

    /// The flags of the message at `index`.
    pub fn flags(&self, index: usize) -> Flags {
        let mut rng = Rng::new(&[self.seed, index as u64, 5]);
        let recent = index * 10 >= self.len * 9;
        Flags {
            seen: self.name != "INBOX" || rng.percent(if recent { 30 } else { 95 }),
            answered: self.name == "INBOX" && rng.percent(20),
            flagged: rng.percent(4),
            deleted: rng.percent(1),
            draft: self.name == "Drafts",
            mdn_sent: rng.percent(2),
        }
    }

    /// All messages, in order.
    pub fn messages(&self) -> impl Iterator<Item = Message> + '_ {
        (0..self.len).map(|i| self.message(i))
    }
}
