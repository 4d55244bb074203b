use super::*;
use crate::Flags;
use crate::file_name::{FileId, Place};
use crate::state::{Entry, Generation};
use proptest::prelude::*;

fn entry(time: u64, size: u64, flags: Flags) -> Entry {
    Entry { time, size, flags, place: Place::of_arrival(flags) }
}

/// Each record of a small journal, and the state after it.
fn history() -> Vec<(Vec<u8>, State)> {
    let mut state = State::default();
    let mut steps = Vec::new();
    let mut step = |change: &dyn Fn(&mut Vec<u8>, &mut State)| {
        let mut record = Vec::new();
        change(&mut record, &mut state);
        steps.push((record, state.clone()));
    };
    step(&|out, state| {
        let generation = Generation { number: 1, uid_validity: 7 };
        record::put_generation(out, generation);
        *state = State { generation: Some(generation), ..State::default() };
    });
    step(&|out, state| {
        let stored = [(5, entry(1_700_000_000, 10, Flags::SEEN)), (3, entry(0, 0, Flags::NONE))];
        record::put_stored(out, &stored);
        state.entries.extend(stored);
    });
    step(&|out, state| {
        let place = Place::cur(Flags::FLAGGED).gone();
        record::put_flags(out, &[(3, Flags::FLAGGED, place), (99, Flags::SEEN, Place::NEW)]);
        *state.entries.get_mut(&3).unwrap() = Entry { time: 0, size: 0, flags: Flags::FLAGGED, place };
    });
    step(&|out, state| {
        record::put_mod_seq(out, u64::MAX);
        state.mod_seq = Some(u64::MAX);
    });
    step(&|out, state| {
        let generation = Generation { number: 2, uid_validity: u32::MAX };
        record::put_generation(out, generation);
        *state = State { generation: Some(generation), ..State::default() };
    });
    step(&|out, state| {
        let file = FileId { time: 1_700_000_000, uid_validity: 7, uid: 5, generation: 1, size: 10 };
        let matched = entry(file.time, file.size, Flags::SEEN);
        record::put_matched(out, &[(u32::MAX, matched, file)]);
        state.entries.insert(u32::MAX, matched);
        state.origins.insert(u32::MAX, file);
    });
    step(&|out, _| record::put_opened(out));
    step(&|out, state| {
        let stored = [(u32::MAX - 1, entry(u64::MAX, u64::MAX, Flags::NONE))];
        record::put_stored(out, &stored);
        state.entries.extend(stored);
    });
    steps
}

const TIMES: DirTimes = DirTimes { cur: (1_700_000_000, 999_999_999), new: (-1, 0) };

/// The format on disk: a change here means that old journals can no longer be read, and needs a new magic.
#[test]
fn known_bytes() {
    let mut out = Vec::new();
    record::put_generation(&mut out, Generation { number: 1, uid_validity: 300 });
    record::put_stored(&mut out, &[(2, entry(64, 5, Flags::SEEN))]);
    let payloads = [&[1, 1, 0xac, 2][..], &[2, 1, 4, 0x80, 1, 5, 16, 16][..]];
    let mut expected = Vec::new();
    for payload in payloads {
        expected.extend((payload.len() as u32).to_le_bytes());
        expected.extend(crc32fast::hash(payload).to_le_bytes());
        expected.extend(payload);
    }
    assert_eq!(out, expected);
    // the CRC is that of zip and PNG
    assert_eq!(crc32fast::hash(b"123456789"), 0xcbf4_3926);
}

#[test]
fn cut_at_every_byte() {
    let steps = history();
    let mut bytes = MAGIC.to_vec();
    let mut ends = vec![(bytes.len(), State::default())];
    for (record, state) in &steps {
        bytes.extend(record);
        ends.push((bytes.len(), state.clone()));
    }
    for cut in 0..=bytes.len() {
        let (state, closed, good, tail) = load(&bytes[..cut]);
        assert_eq!(closed, None);
        let Some((end, expected)) = ends.iter().rev().find(|(end, _)| *end <= cut) else {
            assert_eq!((good, state), (0, State::default()));
            assert_eq!(tail, if cut == 0 { Tail::Whole } else { Tail::Torn });
            continue;
        };
        assert_eq!((good, &state), (*end, expected), "cut at {cut}");
        assert_eq!(tail, if good == cut { Tail::Whole } else { Tail::Torn });
    }
}

#[test]
fn only_a_last_record_that_says_so_means_closed() {
    let mut bytes = MAGIC.to_vec();
    for (record, _) in history() {
        bytes.extend(record);
    }
    record::put_closed(&mut bytes, TIMES);
    assert_eq!(load(&bytes).1, Some(TIMES));
    let closed = bytes.clone();
    record::put_opened(&mut bytes);
    assert_eq!(load(&bytes).1, None);
    // a torn record behind it: something had begun
    for cut in closed.len() + 1..bytes.len() {
        assert_eq!(load(&bytes[..cut]).1, None);
    }
}

/// DU-31: any one byte wrong.
#[test]
fn every_byte_wrong() {
    let mut bytes = MAGIC.to_vec();
    let mut ends = vec![bytes.len()];
    for (record, _) in history() {
        bytes.extend(record);
        ends.push(bytes.len());
    }
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x41;
        let (_, _, good, tail) = load(&damaged);
        let last_whole = ends.iter().rev().find(|end| **end <= at).copied().unwrap_or(0);
        assert_eq!(good, last_whole, "at {at}");
        assert_ne!(tail, Tail::Whole, "at {at}");
        let in_last_record = at >= ends[ends.len() - 2];
        let in_length = at >= MAGIC.len() && at - last_whole < 4;
        if !in_last_record && !in_length {
            assert_eq!(tail, Tail::Damaged, "at {at}");
        }
    }
    let newer = [b"postkey-journal 2\n", &bytes[MAGIC.len()..]].concat();
    assert_eq!(load(&newer).3, Tail::Damaged);
}

fn any_entry() -> impl Strategy<Value = Entry> {
    (any::<u64>(), any::<u64>(), 0u8..64, any::<u8>()).prop_map(|(time, size, flags, place)| Entry {
        time,
        size,
        flags: Flags::from_bits(flags),
        place: Place::from_bits(place),
    })
}

proptest! {
    /// In any order and with repetitions the last word counts.
    #[test]
    fn stored_entries_read_back(batches in prop::collection::vec(prop::collection::vec((1u32.., any_entry()), 0..20), 0..5)) {
        let mut bytes = MAGIC.to_vec();
        let mut expected = State::default();
        for batch in &batches {
            record::put_stored(&mut bytes, batch);
            expected.entries.extend(batch.iter().copied());
        }
        let (state, _, good, tail) = load(&bytes);
        prop_assert_eq!((state, good, tail), (expected, bytes.len(), Tail::Whole));
    }

    #[test]
    fn any_bytes_are_survived(bytes: Vec<u8>, payloads: Vec<(u8, Vec<u8>)>) {
        load(&bytes);
        load(&[MAGIC, &bytes].concat());
        let mut valid = MAGIC.to_vec();
        for (kind, body) in payloads {
            let payload = [&[kind % 9][..], &body].concat();
            valid.extend((payload.len() as u32).to_le_bytes());
            valid.extend(crc32fast::hash(&payload).to_le_bytes());
            valid.extend(payload);
        }
        load(&valid);
    }
}

/// An append that failed is undone; if even that fails, nothing may follow what is perhaps half a record.
#[test]
fn nothing_is_appended_to_half_a_record() {
    use crate::disk::Op;
    use std::sync::{Arc, Mutex};
    let dir = tempfile::tempdir().unwrap();
    let folder = std::fs::File::open(dir.path()).unwrap();
    let failing = Arc::new(Mutex::new(Vec::new()));
    let asked = Arc::clone(&failing);
    let probe =
        move |op, _: &[u8]| if asked.lock().unwrap().contains(&op) { Err(Errno::NOSPC) } else { Ok(()) };
    let disk = Disk { probe: Some(Arc::new(probe)) };
    let mut journal = Journal::open(&disk, folder.as_fd()).unwrap().journal;
    let mut record = Vec::new();
    record::put_mod_seq(&mut record, 5);
    *failing.lock().unwrap() = vec![Op::Write];
    assert_eq!(journal.append(&disk, &record), Err(Errno::NOSPC));
    failing.lock().unwrap().clear();
    assert_eq!(journal.append(&disk, &record), Ok(()));
    *failing.lock().unwrap() = vec![Op::Write, Op::Truncate];
    assert_eq!(journal.append(&disk, &record), Err(Errno::NOSPC));
    failing.lock().unwrap().clear();
    assert_eq!(journal.append(&disk, &record), Err(Errno::IO));
    let bytes = std::fs::read(dir.path().join("postkey.journal")).unwrap();
    assert_eq!(bytes, [MAGIC, &record].concat());
}
