//! DU-04 to DU-07: every system call that changes the disk fails, in turn.

use super::*;
use crate::disk::{Disk, Op};
use crate::journal::{Tail, load};
use rustix::io::Errno;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Fails the `n`th call, or with `for_good` it and every later one that needs what has run out.
pub(super) fn failing(
    mut options: Options,
    n: usize,
    errno: Errno,
    for_good: bool,
) -> (Options, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let ours = Arc::clone(&calls);
    options.disk = Disk {
        probe: Some(Arc::new(move |op, _| {
            let now = ours.fetch_add(1, Ordering::Relaxed);
            let needs_space = matches!(op, Op::MakeDir | Op::Create | Op::Write | Op::Rename | Op::Append);
            if now == n || (for_good && now > n && needs_space) { Err(errno) } else { Ok(()) }
        })),
    };
    (options, calls)
}

/// A client's life: messages, more messages and flags, new UIDs.
pub(super) fn life() -> [Server; 3] {
    let first = Server::new(1, 6..11);
    let mut second = first.clone();
    second.messages.extend(Server::new(1, 20..22).messages);
    for (uid, message) in &mut second.messages {
        if uid % 2 == 0 {
            message.flags = Flags::FLAGGED;
        }
    }
    let mut third = second.renumbered(2);
    third.messages.extend(Server::new(2, 60..62).messages);
    [first, second, third]
}

pub(super) fn names() -> [FolderName; 2] {
    [FolderName::inbox(), FolderName::new("a/b", Some('/'))]
}

/// After whatever has happened to `life`: nothing partial, nothing twice, and one clean run makes it whole.
pub(super) fn check_recovery(root: &Path, life: &[Server; 3], what: &dyn std::fmt::Display) {
    let folders = [root.to_path_buf(), root.join(".a.b")];
    let ever: Vec<&Server> = life.iter().collect();
    for folder in &folders {
        check(folder, &ever, None);
    }
    let maildir = Maildir::open(root, options(Durability::Full)).unwrap();
    for (name, folder) in names().iter().zip(&folders) {
        sync(&maildir, name, &life[2]).unwrap_or_else(|error| panic!("{what}: {error}"));
        check(folder, &ever, Some(&life[2]));
        let (_, closed, _, tail) = load(&fs::read(folder.join("postkey.journal")).unwrap());
        assert!(closed.is_some() && tail == Tail::Whole, "{what}");
        assert!(!folder.join("postkey.journal.damaged").exists(), "{what}");
        assert!(!folder.join("postkey.journal.new").exists(), "{what}");
        assert_eq!(sync(&maildir, name, &life[2]).unwrap(), Committed::default(), "{what}");
    }
}

fn every_call_fails(durability: Durability, errno: Errno, for_good: bool, kind: Kind) {
    let life = life();
    let mut errors = 0;
    for n in 0.. {
        let dir = scratch();
        let root = dir.path().join("mail");
        let (options, calls) = failing(options(durability), n, errno, for_good);
        let what = format!("{errno:?} at call {n}");
        let mut failed = false;
        {
            let maildir = Maildir::open(&root, options).unwrap();
            for server in &life {
                for name in &names() {
                    match sync(&maildir, name, server) {
                        Ok(_) => {}
                        Err(error) => {
                            failed = true;
                            let stopped = matches!(error, Error::Stopped { .. });
                            assert!(stopped || error.kind() == kind, "{what}: {error}");
                        }
                    }
                }
            }
        }
        if calls.load(Ordering::Relaxed) <= n {
            assert!(errors > 20, "{errors}");
            return;
        }
        errors += usize::from(failed);
        // whatever was not reported must be there
        if !failed {
            for folder in [root.clone(), root.join(".a.b")] {
                let bodies: Vec<_> = on_disk(&folder).into_iter().map(|file| file.body).collect();
                assert!(life[2].messages.values().all(|m| bodies.contains(&m.body)), "{what}");
            }
        }
        check_recovery(&root, &life, &what);
    }
}

#[test]
fn input_output_error_once() {
    every_call_fails(Durability::Full, Errno::IO, false, Kind::Io);
}

#[test]
fn input_output_error_once_without_durability() {
    every_call_fails(Durability::None, Errno::IO, false, Kind::Io);
}

#[test]
fn no_space_from_here_on() {
    every_call_fails(Durability::Full, Errno::NOSPC, true, Kind::NoSpace);
}

#[test]
fn quota_from_here_on_without_durability() {
    every_call_fails(Durability::None, Errno::DQUOT, true, Kind::NoSpace);
}

#[test]
fn read_only_from_here_on() {
    every_call_fails(Durability::Full, Errno::ROFS, true, Kind::Permission);
}

/// The messages that did not make it are named, the others are there.
#[test]
fn a_failed_batch_names_its_messages() {
    let dir = scratch();
    let mut options = options(Durability::Full);
    options.disk = Disk {
        probe: Some(Arc::new(|op, name| {
            let bad =
                op == Op::Rename && [&b"U7G"[..], b"U9G"].iter().any(|u| name.windows(3).any(|w| w == *u));
            if bad { Err(Errno::DQUOT) } else { Ok(()) }
        })),
    };
    let maildir = Maildir::open(dir.path(), options).unwrap();
    let mut folder = maildir.folder(&FolderName::inbox()).unwrap();
    folder.begin_generation(1).unwrap();
    let mut named = Vec::new();
    let mut note = |result: Result<()>| match result {
        Ok(()) => {}
        Err(Error::NotCommitted { uids, source }) => {
            assert!(matches!(*source, Error::Disk { reason: Reason::Quota, .. }));
            named.extend(uids);
        }
        Err(other) => panic!("{other}"),
    };
    for uid in 1..13 {
        while !folder.contains(uid) {
            match folder.begin(Meta::new(uid)) {
                Ok(mut delivery) => {
                    delivery.write(&message(uid).body).unwrap();
                    note(folder.finish(delivery));
                    break;
                }
                Err(error) => note(Err(error)),
            }
        }
    }
    let mut committed = folder.flush();
    if committed.is_err() {
        note(committed.map(|_| ()));
        committed = folder.flush();
    }
    named.sort_unstable();
    assert_eq!(named, [7, 9]);
    assert!(folder.uids().eq([1, 2, 3, 4, 5, 6, 8, 10, 11, 12]));
    assert_eq!(committed.unwrap().messages, 10);
    folder.close().unwrap();
    assert_eq!(fs::read_dir(dir.path().join("tmp")).unwrap().count(), 0);
    drop(maildir);
    let server = Server::new(1, 1..13);
    let maildir = Maildir::open(dir.path(), self::options(Durability::Full)).unwrap();
    let mut folder = maildir.folder(&FolderName::inbox()).unwrap();
    assert_eq!(folder.len(), 10);
    folder.close().unwrap();
    folder = maildir.folder(&FolderName::inbox()).unwrap();
    for uid in [7, 9] {
        store(&mut folder, uid, &message(uid)).unwrap();
    }
    folder.close().unwrap();
    check(dir.path(), &[&server], None);
}

/// A claim that fails leaves the file to be claimed again, at once.
#[test]
fn a_failed_claim_can_be_repeated() {
    let dir = scratch();
    let old = Server::new(1, [1]);
    {
        let maildir = Maildir::open(dir.path(), options(Durability::Full)).unwrap();
        sync(&maildir, &FolderName::inbox(), &old).unwrap();
    }
    let once = AtomicUsize::new(0);
    let mut options = options(Durability::Full);
    options.disk = Disk {
        probe: Some(Arc::new(move |op, _| {
            let fails = op == Op::Rename && once.fetch_add(1, Ordering::Relaxed) == 0;
            if fails { Err(Errno::ACCESS) } else { Ok(()) }
        })),
    };
    let maildir = Maildir::open(dir.path(), options).unwrap();
    let mut folder = maildir.folder(&FolderName::inbox()).unwrap();
    folder.begin_generation(2).unwrap();
    assert_eq!(store(&mut folder, 8, &message(1)).unwrap_err().kind(), Kind::Permission);
    store(&mut folder, 8, &message(1)).unwrap();
    assert_eq!(folder.close().unwrap().matched, 1);
    assert_eq!(on_disk(dir.path()).len(), 1);
}

fn options(durability: Durability) -> Options {
    super::options(durability)
}
