use super::*;

/// DU-13: the server was restored, every UID is another, every message is already here.
#[test]
fn the_same_messages_under_other_uids() {
    for durability in [Durability::Full, Durability::None] {
        let dir = scratch();
        let maildir = Maildir::open(dir.path(), options(durability)).unwrap();
        let (inbox, old) = (FolderName::inbox(), Server::new(1, 1..30));
        sync(&maildir, &inbox, &old).unwrap();
        let mut new = old.renumbered(2);
        // and something has happened since: a flag, a message more, one less
        new.messages.get_mut(&3).unwrap().flags = Flags::DELETED;
        new.messages.insert(500, message(500));
        let deleted = new.messages.remove(&5).unwrap();

        let mut folder = maildir.folder(&inbox).unwrap();
        assert_eq!(folder.begin_generation(2).unwrap(), Generation::Changed);
        assert!(folder.is_empty() && !folder.contains(1));
        drop(folder);
        let committed = sync(&maildir, &inbox, &new).unwrap();
        assert_eq!((committed.messages, committed.matched), (1, 28 - 1 + 1));
        check(dir.path(), &[&old, &new], Some(&new));
        // nothing is deleted
        assert_eq!(on_disk(dir.path()).len(), 30);
        assert!(on_disk(dir.path()).iter().any(|file| file.body == deleted.body));
        assert_eq!(sync(&maildir, &inbox, &new).unwrap(), Committed::default());

        // the claim is remembered: flags of a claimed file change, and a third generation finds it again
        new.messages.get_mut(&7).unwrap().flags = Flags::DRAFT;
        assert_eq!(sync(&maildir, &inbox, &new).unwrap().flags, 1);
        check(dir.path(), &[&old, &new], Some(&new));
        // DU-15: back to the value it had first
        let third = new.renumbered(1);
        assert_eq!(sync(&maildir, &inbox, &third).unwrap().matched, 29);
        check(dir.path(), &[&old, &third], Some(&third));
    }
}

/// One file serves one message: two equal messages on the server are two files here.
#[test]
fn equal_messages_are_claimed_one_by_one() {
    let dir = scratch();
    let maildir = Maildir::open(dir.path(), options(Durability::Full)).unwrap();
    let twice = |uid_validity, uids: [u32; 3]| Server {
        uid_validity,
        messages: uids.into_iter().map(|uid| (uid, message(4))).collect(),
    };
    let (inbox, old, new) = (FolderName::inbox(), twice(1, [1, 2, 3]), twice(2, [1, 2, 3]));
    assert_eq!(sync(&maildir, &inbox, &old).unwrap().messages, 3);
    fs::remove_file(&on_disk(dir.path())[0].path).unwrap();
    let committed = sync(&maildir, &inbox, &new).unwrap();
    assert_eq!((committed.matched, committed.messages), (2, 1));
    assert_eq!(on_disk(dir.path()).len(), 3);
}

/// What was claimed in an earlier run is not claimed again.
#[test]
fn claims_last() {
    let dir = scratch();
    let maildir = Maildir::open(dir.path(), options(Durability::Full)).unwrap();
    let (inbox, old) = (FolderName::inbox(), Server::new(1, [1, 2]));
    let mut new = Server { uid_validity: 2, messages: [(1, message(1))].into() };
    sync(&maildir, &inbox, &old).unwrap();
    assert_eq!(sync(&maildir, &inbox, &new).unwrap().matched, 1);
    new.messages.insert(2, message(1));
    let committed = sync(&maildir, &inbox, &new).unwrap();
    assert_eq!((committed.matched, committed.messages), (0, 1));
    assert_eq!(on_disk(dir.path()).len(), 3);
}

/// The same size is not the same message.
#[test]
fn equal_sizes_are_compared_by_content() {
    let dir = scratch();
    let maildir = Maildir::open(dir.path(), options(Durability::Full)).unwrap();
    let with = |uid_validity, byte| Server {
        uid_validity,
        messages: [(1, Message { body: vec![byte; 100_000], ..message(1) })].into(),
    };
    let (old, new) = (with(1, b'a'), with(2, b'b'));
    sync(&maildir, &FolderName::inbox(), &old).unwrap();
    let committed = sync(&maildir, &FolderName::inbox(), &new).unwrap();
    assert_eq!((committed.matched, committed.messages), (0, 1));
    check(dir.path(), &[&old, &new], Some(&new));
    assert_eq!(on_disk(dir.path()).len(), 2);
}

/// DU-31: the journal is lost, damaged, of a newer version, or cut anywhere. The names of the files say it all.
#[test]
fn without_a_journal() {
    type Damage = fn(&Path);
    let damages: [(&str, Damage); 5] = [
        ("removed", |path| fs::remove_file(path).unwrap()),
        ("emptied", |path| fs::write(path, "").unwrap()),
        ("newer", |path| {
            let bytes = fs::read(path).unwrap();
            fs::write(path, [b"postkey-journal 2\n", &bytes[18..]].concat()).unwrap();
        }),
        ("zeroed", |path| fs::write(path, vec![0; fs::metadata(path).unwrap().len() as usize]).unwrap()),
        ("flipped", |path| {
            let mut bytes = fs::read(path).unwrap();
            bytes[60] ^= 1;
            fs::write(path, bytes).unwrap();
        }),
    ];
    for (what, damage) in damages {
        let dir = scratch();
        let maildir = Maildir::open(dir.path(), options(Durability::Full)).unwrap();
        let (inbox, old) = (FolderName::inbox(), Server::new(1, 1..20));
        let mut new = old.renumbered(2);
        sync(&maildir, &inbox, &old).unwrap();
        new.messages.insert(100, message(100));
        sync(&maildir, &inbox, &new).unwrap();
        let path = dir.path().join("postkey.journal");
        let before = fs::read(&path).unwrap();
        damage(&path);
        let after = fs::read(&path).ok();
        let folder = maildir.folder(&inbox).unwrap();
        assert_eq!(folder.uid_validity(), Some(2), "{what}");
        // the file of this generation is known by its name; those of the earlier one are recognised when they come
        assert!(folder.contains(100), "{what}");
        drop(folder);
        assert_eq!(sync(&maildir, &inbox, &new).unwrap().messages, 0, "{what}");
        check(dir.path(), &[&old, &new], Some(&new));
        assert_eq!(on_disk(dir.path()).len(), 20);
        let aside = fs::read(dir.path().join("postkey.journal.damaged")).ok();
        if matches!(what, "newer" | "zeroed" | "flipped") {
            assert_eq!(aside, after, "{what}");
        } else {
            assert_eq!(aside, None, "{what}");
        }
        assert!(before != fs::read(&path).unwrap());
    }
}

/// The journal cut at every byte: after one more run everything is there once.
#[test]
fn a_journal_cut_anywhere() {
    let dir = scratch();
    let maildir = Maildir::open(dir.path(), options(Durability::None)).unwrap();
    let (inbox, old) = (FolderName::inbox(), Server::new(1, 1..7));
    let mut new = old.renumbered(2);
    new.messages.insert(40, message(40));
    sync(&maildir, &inbox, &old).unwrap();
    sync(&maildir, &inbox, &new).unwrap();
    let path = dir.path().join("postkey.journal");
    let whole = fs::read(&path).unwrap();
    for cut in 0..whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        assert_eq!(sync(&maildir, &inbox, &new).unwrap().messages, 0, "cut at {cut}");
        check(dir.path(), &[&old, &new], Some(&new));
        assert_eq!(on_disk(dir.path()).len(), 7, "cut at {cut}");
    }
}

/// A run without flushes, then a power cut: a file that is shorter than its name says is not taken for the message.
#[test]
fn a_torn_file_is_not_adopted() {
    let dir = scratch();
    let maildir = Maildir::open(dir.path(), options(Durability::None)).unwrap();
    let (inbox, server) = (FolderName::inbox(), Server::new(1, 1..4));
    sync(&maildir, &inbox, &server).unwrap();
    let torn = on_disk(dir.path()).into_iter().find(|file| file.id.uid == 2).unwrap().path;
    fs::write(&torn, "").unwrap();
    fs::remove_file(dir.path().join("postkey.journal")).unwrap();
    assert_eq!(sync(&maildir, &inbox, &server).unwrap().messages, 1);
    check(dir.path(), &[&server], Some(&server));
    assert!(dir.path().join("postkey.damaged").join(torn.file_name().unwrap()).exists());
}
