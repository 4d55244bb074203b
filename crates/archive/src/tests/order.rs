//! DU-03: the order in which things reach the disk.

use super::*;
use crate::disk::{Disk, Op};
use crate::journal::{load, record::MAGIC};
use std::sync::{Arc, Mutex};

pub(super) type Log = Arc<Mutex<Vec<(Op, Vec<u8>)>>>;

pub(super) fn recording(mut options: Options) -> (Options, Log) {
    let log = Log::default();
    let ours = Arc::clone(&log);
    options.disk = Disk {
        probe: Some(Arc::new(move |op, name| {
            ours.lock().unwrap().push((op, name.to_vec()));
            Ok(())
        })),
    };
    (options, log)
}

/// The UIDs that a journal record says are stored.
fn claims(appended: &[u8]) -> Vec<u32> {
    let appended = appended.strip_prefix(MAGIC).unwrap_or(appended);
    load(&[MAGIC, appended].concat()).0.entries.into_keys().collect()
}

/// If the power fails, everything since the last flush may be missing, in any combination. So at the moment of each
/// step nothing may rely on something that is not yet flushed: no name in `cur` or `new` on data, no journal on names,
/// no success on the journal.
#[test]
fn nothing_relies_on_what_is_not_on_disk() {
    let dir = scratch();
    let (options, log) = recording(options(Durability::Full));
    let server = Server::new(7, 1..33);
    {
        let maildir = Maildir::open(dir.path(), options).unwrap();
        sync(&maildir, &FolderName::inbox(), &server).unwrap();
    }
    check(dir.path(), &[&server], Some(&server));
    let log = log.lock().unwrap();

    let mut data_flushed = 0; // how many files of those made were whole at the last flush of data
    let mut made = Vec::new();
    let mut unflushed_names: BTreeMap<u32, bool> = BTreeMap::new();
    let mut flushed_names = Vec::new();
    let mut journal_unflushed = Vec::new();
    let mut journal_flushed = Vec::new();
    for (op, name) in log.iter() {
        match op {
            Op::Create if name.starts_with(b"postkey-") => made.push(name.clone()),
            Op::SyncData => data_flushed = made.len(),
            Op::Rename if FileId::parse(name).is_some() => {
                let (id, flags) = FileId::parse(name).unwrap();
                // in this run messages are made in the order of their UIDs
                assert!((id.uid as usize) <= data_flushed, "{id:?} was renamed before its data was flushed");
                unflushed_names.insert(id.uid, flags.is_empty());
            }
            Op::SyncDir => {
                let new = match name.as_slice() {
                    b"new" => true,
                    b"cur" => false,
                    _ => continue,
                };
                flushed_names.extend(unflushed_names.iter().filter(|(_, n)| **n == new).map(|(uid, _)| *uid));
                unflushed_names.retain(|_, n| *n != new);
            }
            Op::Append => {
                for uid in claims(name) {
                    assert!(
                        flushed_names.contains(&uid),
                        "the journal claims {uid} before its name is flushed"
                    );
                    journal_unflushed.push(uid);
                }
            }
            Op::SyncFile if name == b"postkey.journal" => journal_flushed.append(&mut journal_unflushed),
            _ => {}
        }
    }
    assert_eq!(made.len(), 32);
    assert!(journal_unflushed.is_empty(), "success was reported before the journal was flushed");
    journal_flushed.sort_unstable();
    assert!(journal_flushed.into_iter().eq(1..33));
}

/// The price of durability is counted in flushes: four or five for a batch, however large.
#[test]
fn flushes_per_batch() {
    let dir = scratch();
    let (mut options, log) = recording(options(Durability::Full));
    options.batch_messages = 1_000;
    let maildir = Maildir::open(dir.path(), options).unwrap();
    sync(
        &maildir,
        &FolderName::inbox(),
        &Server::new(7, (1..2_001).filter(|uid| ![7, 9].contains(&(uid % 11)))),
    )
    .unwrap();
    let log = log.lock().unwrap();
    let count = |op| log.iter().filter(|(o, _)| *o == op).count();
    assert_eq!(count(Op::SyncData), 2);
    assert_eq!(count(Op::SyncDir), 4);
    assert_eq!(count(Op::SyncFile), 2);
    // and for each message: one file made, one write, one date, one rename
    let messages = count(Op::Create);
    assert!(messages > 1_600);
    assert_eq!((count(Op::Times), count(Op::Rename)), (messages, messages));
    assert_eq!(count(Op::Write), messages + count(Op::Append));
}

/// Without durability nothing is flushed at all.
#[test]
fn no_flush_without_durability() {
    let dir = scratch();
    let (options, log) = recording(options(Durability::None));
    let maildir = Maildir::open(dir.path(), options).unwrap();
    let server = Server::new(7, 1..33);
    sync(&maildir, &FolderName::new("a", None), &server).unwrap();
    sync(&maildir, &FolderName::new("a", None), &server.renumbered(8)).unwrap();
    let flushes = [Op::SyncData, Op::SyncFile, Op::SyncDir];
    assert!(!log.lock().unwrap().iter().any(|(op, _)| flushes.contains(op)));
}

/// What has not been touched since it was closed is not read: opening it changes nothing on disk.
#[test]
fn opening_writes_nothing() {
    let dir = scratch();
    let server = Server::new(7, 1..33);
    let (options, log) = recording(options(Durability::Full));
    let maildir = Maildir::open(dir.path(), options).unwrap();
    sync(&maildir, &FolderName::inbox(), &server).unwrap();
    log.lock().unwrap().clear();
    sync(&maildir, &FolderName::inbox(), &server).unwrap();
    assert_eq!(*log.lock().unwrap(), []);
}
