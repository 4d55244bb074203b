use super::*;
use crate::delivery::BUFFER;

fn both(test: impl Fn(Options)) {
    for durability in [Durability::Full, Durability::None] {
        test(options(durability));
    }
}

/// FS-15 among them: NUL, lone CR, lone LF, nothing, more than the buffer.
#[test]
fn everything_once_however_often() {
    both(|options| {
        let dir = scratch();
        let root = dir.path().join("a/mail");
        let server = Server::new(9, 1..60);
        let maildir = Maildir::open(&root, options).unwrap();
        let inbox = FolderName::inbox();
        let bytes = server.messages.values().map(|m| m.body.len() as u64).sum();
        let first = sync(&maildir, &inbox, &server).unwrap();
        assert_eq!((first.messages, first.bytes, first.matched), (59, bytes, 0));
        check(&root, &[&server], Some(&server));
        let journal = fs::read(root.join("postkey.journal")).unwrap();
        assert_eq!(sync(&maildir, &inbox, &server).unwrap(), Committed::default());
        assert_eq!(fs::read(root.join("postkey.journal")).unwrap(), journal);
        check(&root, &[&server], Some(&server));
    });
}

#[test]
fn where_a_message_goes() {
    both(|options| {
        let dir = scratch();
        let maildir = Maildir::open(dir.path(), options).unwrap();
        let mut folder = maildir.folder(&FolderName::inbox()).unwrap();
        assert_eq!(folder.begin_generation(3).unwrap(), Generation::New);
        assert_eq!(folder.begin_generation(3).unwrap(), Generation::Same);
        for (uid, flags) in [(1, Flags::NONE), (2, Flags::SEEN | Flags::DRAFT)] {
            let meta = Meta { flags, internal_date: Some(1_600_000_000), ..Meta::new(uid) };
            let mut delivery = folder.begin(meta).unwrap();
            delivery.write(b"hello\r\n").unwrap();
            folder.finish(delivery).unwrap();
        }
        folder.flush().unwrap();
        assert!(dir.path().join("new/1600000000.V3U1G1.postkey,S=7").exists());
        assert!(dir.path().join("cur/1600000000.V3U2G1.postkey,S=7:2,DS").exists());
        // a date before 1970 is kept as the file's time
        let meta = Meta { internal_date: Some(-86_400), ..Meta::new(3) };
        let delivery = folder.begin(meta).unwrap();
        folder.finish(delivery).unwrap();
        folder.close().unwrap();
        let early = dir.path().join("new/0.V3U3G1.postkey,S=0");
        assert_eq!(fs::metadata(early).unwrap().mtime(), -86_400);
    });
}

#[test]
fn what_is_not_finished_is_not_there() {
    both(|options| {
        let dir = scratch();
        let maildir = Maildir::open(dir.path(), options).unwrap();
        let mut folder = maildir.folder(&FolderName::inbox()).unwrap();
        folder.begin_generation(3).unwrap();
        let mut dropped = folder.begin(Meta::new(1)).unwrap();
        dropped.write(&[b'x'; 3 * BUFFER]).unwrap();
        let mut other = folder.begin(Meta::new(1)).unwrap();
        other.write(&[b'y'; 3 * BUFFER]).unwrap();
        assert_eq!(fs::read_dir(dir.path().join("tmp")).unwrap().count(), 2);
        drop(dropped);
        folder.finish(other).unwrap();
        assert!(matches!(folder.begin(Meta::new(1)), Err(Error::AlreadyStored { uid: 1 })));

        // FR-02, DU-22: the literal was announced longer, or shorter
        let meta = Meta { expected_len: Some(10), ..Meta::new(2) };
        let mut short = folder.begin(meta).unwrap();
        short.write(b"123456789").unwrap();
        let error = folder.finish(short).unwrap_err();
        assert!(matches!(error, Error::Length { uid: 2, expected: 10, actual: 9 }), "{error}");
        assert_eq!(error.kind(), Kind::Message);
        let mut long = folder.begin(meta).unwrap();
        long.write(b"12345").unwrap();
        assert!(matches!(long.write(b"678901"), Err(Error::Length { actual: 11, .. })));
        assert!(matches!(long.write(b""), Err(Error::Misuse(_))));
        assert!(matches!(folder.finish(long), Err(Error::Misuse(_))));
        assert!(!folder.contains(2));
        assert_eq!(folder.close().unwrap().messages, 1);
        assert_eq!(on_disk(dir.path()).len(), 1);
        assert_eq!(on_disk(dir.path())[0].body, [b'y'; 3 * BUFFER]);
        assert_eq!(fs::read_dir(dir.path().join("tmp")).unwrap().count(), 0);
    });
}

#[test]
fn calls_at_the_wrong_time() {
    let dir = scratch();
    let maildir = Maildir::open(dir.path(), options(Durability::Full)).unwrap();
    let mut folder = maildir.folder(&FolderName::inbox()).unwrap();
    assert_eq!(folder.begin(Meta::new(1)).unwrap_err().kind(), Kind::Misuse);
    folder.begin_generation(3).unwrap();
    // DU-16
    assert_eq!(folder.begin(Meta::new(0)).unwrap_err().kind(), Kind::Misuse);
    let elsewhere = folder.begin(Meta::new(1)).unwrap();
    let mut other = maildir.folder(&FolderName::new("x", None)).unwrap();
    other.begin_generation(3).unwrap();
    assert_eq!(other.finish(elsewhere).unwrap_err().kind(), Kind::Misuse);
    let stale = folder.begin(Meta::new(1)).unwrap();
    folder.begin_generation(4).unwrap();
    assert_eq!(folder.finish(stale).unwrap_err().kind(), Kind::Misuse);
    assert_eq!(folder.set_flags(1, Flags::SEEN).unwrap(), FlagUpdate::NotStored);
}

/// Memory does not grow with the message.
#[test]
fn a_large_message_streams() {
    let dir = scratch();
    let maildir = Maildir::open(dir.path(), options(Durability::Full)).unwrap();
    let mut folder = maildir.folder(&FolderName::inbox()).unwrap();
    folder.begin_generation(3).unwrap();
    let mut delivery = folder.begin(Meta::new(1)).unwrap();
    let chunk: Vec<u8> = (0..10_007u32).map(|n| n as u8).collect();
    for _ in 0..6_000 {
        delivery.write(&chunk).unwrap();
        assert!(delivery.buffered() <= 2 * BUFFER);
    }
    folder.finish(delivery).unwrap();
    assert_eq!(folder.close().unwrap().bytes, 60_042_000);
    let stored = fs::read(&on_disk(dir.path())[0].path).unwrap();
    assert!(stored.len() == 60_042_000 && stored.chunks(chunk.len()).all(|part| part == chunk));
}

#[test]
fn small_folders_share_and_report_later() {
    let dir = scratch();
    let maildir = Maildir::open(dir.path(), options(Durability::Full)).unwrap();
    let mut open = Vec::new();
    for number in 0..20 {
        let mut folder = maildir.folder(&FolderName::new(&format!("f{number}"), None)).unwrap();
        folder.begin_generation(1).unwrap();
        store(&mut folder, number + 1, &message(number + 1)).unwrap();
        folder.hand_over().unwrap();
        open.push(folder);
    }
    for folder in open {
        assert_eq!(folder.close().unwrap().messages, 1);
    }
    assert_eq!(maildir.folders().unwrap().len(), 20);
}

/// Dropped without `close`, with the batch on its way: nothing is lost, and the folder can be opened again at once.
#[test]
fn dropped_without_close() {
    both(|options| {
        let dir = scratch();
        let maildir = Maildir::open(dir.path(), options).unwrap();
        let server = Server::new(1, 1..4);
        for uid in 1..4 {
            let mut folder = maildir.folder(&FolderName::inbox()).unwrap();
            folder.begin_generation(1).unwrap();
            store(&mut folder, uid, &message(uid)).unwrap();
            assert!(folder.uids().eq(1..=uid));
            assert!(folder.uids_in(2..=9).eq(2..=uid));
        }
        drop(maildir);
        check(dir.path(), &[&server], Some(&server));
    });
}

#[test]
fn mod_seq_belongs_to_a_generation() {
    let dir = scratch();
    let maildir = Maildir::open(dir.path(), options(Durability::Full)).unwrap();
    let open = || maildir.folder(&FolderName::inbox()).unwrap();
    let mut folder = open();
    folder.begin_generation(1).unwrap();
    assert_eq!(folder.mod_seq(), None);
    folder.set_mod_seq(715_194_045_007);
    folder.flush().unwrap();
    drop(folder);
    let mut folder = open();
    assert_eq!(folder.mod_seq(), Some(715_194_045_007));
    folder.set_mod_seq(715_194_045_008);
    folder.close().unwrap();
    let mut folder = open();
    assert_eq!(folder.mod_seq(), Some(715_194_045_008));
    folder.begin_generation(2).unwrap();
    assert_eq!(folder.mod_seq(), None);
    folder.close().unwrap();
    assert_eq!(open().mod_seq(), None);
}

/// A journal that is mostly history is rewritten, and says the same.
#[test]
fn the_journal_does_not_grow_for_ever() {
    let dir = scratch();
    let maildir = Maildir::open(dir.path(), options(Durability::None)).unwrap();
    let mut server = Server::new(1, 1..20);
    sync(&maildir, &FolderName::inbox(), &server).unwrap();
    server = server.renumbered(2);
    let mut largest = 0;
    for round in 0..700 {
        for message in server.messages.values_mut() {
            message.flags = if round % 2 == 0 { Flags::FLAGGED } else { Flags::SEEN };
        }
        sync(&maildir, &FolderName::inbox(), &server).unwrap();
        largest = largest.max(fs::metadata(dir.path().join("postkey.journal")).unwrap().len());
    }
    assert!(largest > 60 << 10 && largest < 70 << 10, "{largest}");
    check(dir.path(), &[&server], Some(&server));
    // the directories need not be read for it
    let folder = maildir.folder(&FolderName::inbox()).unwrap();
    assert!(folder.uids().eq(server.messages.keys().copied()));
    assert!(server.messages.iter().all(|(uid, m)| folder.flags(*uid) == Some(m.flags)));
}
