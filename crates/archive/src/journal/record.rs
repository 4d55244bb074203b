//! The records of a journal, written and read side by side.
//!
//! ```text
//! journal = "postkey-journal 1" LF *record
//! record  = length(4) crc32(4) payload        little endian; length and checksum are of the payload
//! payload = kind(1) body
//! ```
//!
//! Bodies are made of the numbers of [`varint`](super::varint); UIDs and times are stored as differences to the
//! entry before, so a message costs about eight bytes.

use super::varint::{Reader, put, put_signed};
use crate::file_name::{FileId, Place};
use crate::state::State;
use crate::{Flags, state};

pub(crate) const MAGIC: &[u8] = b"postkey-journal 1\n";

/// No record that we write is longer; what claims to be is damage.
const MAX_PAYLOAD: usize = 1 << 20;
/// Entries in one record, so that it stays well below [`MAX_PAYLOAD`].
const MAX_ENTRIES: usize = 8_192;

const GENERATION: u8 = 1;
const STORED: u8 = 2;
const FLAGS: u8 = 3;
const MATCHED: u8 = 4;
const MOD_SEQ: u8 = 5;
const OPENED: u8 = 6;
const CLOSED: u8 = 7;

/// The modification times of `cur` and `new`, in seconds and nanoseconds: unchanged since a clean end, nobody has
/// touched them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DirTimes {
    pub(crate) cur: (i64, u64),
    pub(crate) new: (i64, u64),
}

fn record(out: &mut Vec<u8>, kind: u8, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; 8]);
    out.push(kind);
    body(out);
    let Some((head, payload)) = out.get_mut(start..).and_then(|new| new.split_first_chunk_mut::<8>()) else {
        return;
    };
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes();
    let crc = crc32fast::hash(payload).to_le_bytes();
    for (slot, byte) in head.iter_mut().zip(length.into_iter().chain(crc)) {
        *slot = byte;
    }
}

pub(crate) fn put_generation(out: &mut Vec<u8>, generation: state::Generation) {
    record(out, GENERATION, |out| {
        put(out, generation.number.into());
        put(out, generation.uid_validity.into());
    });
}

/// Messages stored in the current generation.
pub(crate) fn put_stored(out: &mut Vec<u8>, entries: &[(u32, state::Entry)]) {
    for entries in entries.chunks(MAX_ENTRIES) {
        record(out, STORED, |out| {
            put(out, entries.len() as u64);
            let (mut last_uid, mut last_time) = (0i64, 0i64);
            for (uid, entry) in entries {
                put_signed(out, i64::from(*uid) - last_uid);
                put_signed(out, (entry.time as i64).wrapping_sub(last_time));
                put(out, entry.size);
                out.push(entry.flags.bits());
                out.push(entry.place.bits());
                (last_uid, last_time) = (i64::from(*uid), entry.time as i64);
            }
        });
    }
}

/// Flags that the server has now, and where the file is now.
pub(crate) fn put_flags(out: &mut Vec<u8>, changes: &[(u32, Flags, Place)]) {
    for changes in changes.chunks(MAX_ENTRIES) {
        record(out, FLAGS, |out| {
            put(out, changes.len() as u64);
            let mut last_uid = 0i64;
            for (uid, flags, place) in changes {
                put_signed(out, i64::from(*uid) - last_uid);
                out.push(flags.bits());
                out.push(place.bits());
                last_uid = i64::from(*uid);
            }
        });
    }
}

/// Messages of the current generation whose file is from an earlier one.
pub(crate) fn put_matched(out: &mut Vec<u8>, matched: &[(u32, state::Entry, FileId)]) {
    for matched in matched.chunks(MAX_ENTRIES) {
        record(out, MATCHED, |out| {
            put(out, matched.len() as u64);
            for (uid, entry, file) in matched {
                put(out, (*uid).into());
                out.push(entry.flags.bits());
                out.push(entry.place.bits());
                put(out, file.generation.into());
                put(out, file.uid_validity.into());
                put(out, file.uid.into());
                put(out, file.time);
                put(out, file.size);
            }
        });
    }
}

pub(crate) fn put_mod_seq(out: &mut Vec<u8>, mod_seq: u64) {
    record(out, MOD_SEQ, |out| put(out, mod_seq));
}

/// The folder is being changed: until it is closed, the directories may know more than the journal.
pub(crate) fn put_opened(out: &mut Vec<u8>) {
    record(out, OPENED, |_| ());
}

/// Everything in the directories is in the journal.
pub(crate) fn put_closed(out: &mut Vec<u8>, times: DirTimes) {
    record(out, CLOSED, |out| {
        for (seconds, nanoseconds) in [times.cur, times.new] {
            put_signed(out, seconds);
            put(out, nanoseconds);
        }
    });
}

/// One record off the front of `bytes`: its payload and what follows. `None` if it is cut short or its checksum
/// is wrong.
pub(crate) fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<8>()?;
    let [l0, l1, l2, l3, c0, c1, c2, c3] = *head;
    let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
    if length == 0 || length > MAX_PAYLOAD {
        return None;
    }
    let (payload, rest) = rest.split_at_checked(length)?;
    (crc32fast::hash(payload) == u32::from_le_bytes([c0, c1, c2, c3])).then_some((payload, rest))
}

/// Applies one record's payload; `None` if it makes no sense.
pub(crate) fn apply(payload: &[u8], loading: &mut Loading) -> Option<()> {
    let mut reader = Reader(payload);
    let kind = reader.byte()?;
    loading.closed = None;
    match kind {
        GENERATION => {
            let generation =
                state::Generation { number: reader.number32()?, uid_validity: reader.number32()? };
            loading.begin(generation);
        }
        STORED => {
            let count = reader.number()?;
            let (mut uid, mut time) = (0i64, 0i64);
            for _ in 0..count {
                uid = uid.checked_add(reader.signed()?)?;
                time = time.wrapping_add(reader.signed()?);
                let size = reader.number()?;
                let flags = Flags::from_bits(reader.byte()?);
                let place = Place::from_bits(reader.byte()?);
                loading.insert(uid_of(uid)?, state::Entry { time: time as u64, size, flags, place });
            }
        }
        FLAGS => {
            let count = reader.number()?;
            let mut uid = 0i64;
            for _ in 0..count {
                uid = uid.checked_add(reader.signed()?)?;
                let flags = Flags::from_bits(reader.byte()?);
                let place = Place::from_bits(reader.byte()?);
                if let Some(entry) = loading.get_mut(uid_of(uid)?) {
                    (entry.flags, entry.place) = (flags, place);
                }
            }
        }
        MATCHED => {
            let count = reader.number()?;
            for _ in 0..count {
                let uid = uid_of(reader.number()?.try_into().ok()?)?;
                let flags = Flags::from_bits(reader.byte()?);
                let place = Place::from_bits(reader.byte()?);
                let generation = reader.number32()?;
                let uid_validity = reader.number32()?;
                let file_uid = uid_of(reader.number()?.try_into().ok()?)?;
                let (time, size) = (reader.number()?, reader.number()?);
                let file = FileId { time, uid_validity, uid: file_uid, generation, size };
                loading.insert(uid, state::Entry { time, size, flags, place });
                loading.state.origins.insert(uid, file);
            }
        }
        MOD_SEQ => loading.state.mod_seq = Some(reader.number()?),
        OPENED => {}
        CLOSED => {
            let mut time = || Some((reader.signed()?, reader.number()?));
            loading.closed = Some(DirTimes { cur: time()?, new: time()? });
        }
        _ => return None,
    }
    Some(())
}

fn uid_of(n: i64) -> Option<u32> {
    u32::try_from(n).ok().filter(|uid| *uid != 0)
}

/// A state that is being read. Entries are collected in a list, which is much cheaper than a tree for a journal
/// in order of UIDs.
#[derive(Default)]
pub(crate) struct Loading {
    state: State,
    list: Vec<(u32, state::Entry)>,
    unsorted: bool,
    closed: Option<DirTimes>,
}

impl Loading {
    fn begin(&mut self, generation: state::Generation) {
        *self = Self::default();
        self.state.generation = Some(generation);
    }

    fn insert(&mut self, uid: u32, entry: state::Entry) {
        self.unsorted |= self.list.last().is_some_and(|(last, _)| *last >= uid);
        self.list.push((uid, entry));
    }

    fn get_mut(&mut self, uid: u32) -> Option<&mut state::Entry> {
        self.sort();
        let at = self.list.binary_search_by_key(&uid, |(uid, _)| *uid).ok()?;
        self.list.get_mut(at).map(|(_, entry)| entry)
    }

    fn sort(&mut self) {
        if !std::mem::take(&mut self.unsorted) {
            return;
        }
        self.list.sort_by_key(|(uid, _)| *uid);
        // of several entries for one UID the last is true; `dedup` keeps the first
        self.list.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            if same {
                *earlier = *later;
            }
            same
        });
    }

    pub(crate) fn finish(mut self) -> (State, Option<DirTimes>) {
        self.sort();
        self.state.entries = self.list.into_iter().collect();
        (self.state, self.closed)
    }
}
