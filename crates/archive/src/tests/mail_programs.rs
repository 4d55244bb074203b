//! What mail programs do to the files between our runs, and during them.

use super::*;

fn stored(root: &Path) -> (Maildir, Server) {
    let maildir = Maildir::open(root, options(Durability::Full)).unwrap();
    let server = Server::new(1, 1..9);
    sync(&maildir, &FolderName::inbox(), &server).unwrap();
    (maildir, server)
}

fn path_of(root: &Path, uid: u32) -> PathBuf {
    on_disk(root).into_iter().find(|file| file.id.uid == uid).unwrap().path
}

/// As a mail program does: out of `new`, other flags, perhaps its own letters.
fn relabel(root: &Path, uid: u32, letters: &str) {
    let old = path_of(root, uid);
    let base = old.file_name().unwrap().to_str().unwrap().split(':').next().unwrap().to_owned();
    fs::rename(old, root.join("cur").join(format!("{base}:2,{letters}"))).unwrap();
}

#[test]
fn flags_follow_the_server() {
    let dir = scratch();
    let (maildir, mut server) = stored(dir.path());
    let mut folder = maildir.folder(&FolderName::inbox()).unwrap();
    assert_eq!(folder.set_flags(4, Flags::NONE).unwrap(), FlagUpdate::Unchanged);
    assert!(path_of(dir.path(), 4).starts_with(dir.path().join("new")));
    assert_eq!(folder.set_flags(4, Flags::FLAGGED | Flags::FORWARDED).unwrap(), FlagUpdate::Applied);
    assert!(path_of(dir.path(), 4).to_str().unwrap().ends_with(":2,FP"));
    // it does not become new again
    assert_eq!(folder.set_flags(4, Flags::NONE).unwrap(), FlagUpdate::Applied);
    assert!(path_of(dir.path(), 4).to_str().unwrap().ends_with("/cur/1500000004.V1U4G1.postkey,S=1240:2,"));
    assert_eq!(folder.set_flags(5, Flags::DELETED).unwrap(), FlagUpdate::Applied);
    assert_eq!(folder.set_flags(99, Flags::SEEN).unwrap(), FlagUpdate::NotStored);
    // also for a message that is still on its way
    store(&mut folder, 50, &message(50)).unwrap();
    assert_eq!(folder.set_flags(50, Flags::DRAFT).unwrap(), FlagUpdate::Applied);
    assert_eq!(folder.close().unwrap().flags, 4);
    server.messages.get_mut(&5).unwrap().flags = Flags::DELETED;
    server.messages.insert(50, Message { flags: Flags::DRAFT, ..message(50) });
    check(dir.path(), &[&server], Some(&server));
    assert_eq!(maildir.folder(&FolderName::inbox()).unwrap().flags(50), Some(Flags::DRAFT));
}

#[test]
fn files_moved_while_we_are_at_it() {
    let dir = scratch();
    let (maildir, mut server) = stored(dir.path());
    let mut folder = maildir.folder(&FolderName::inbox()).unwrap();
    relabel(dir.path(), 4, "S");
    relabel(dir.path(), 8, "Sab");
    relabel(dir.path(), 1, "");
    fs::remove_file(path_of(dir.path(), 2)).unwrap();
    // the server has not changed, so what was changed here stays
    assert_eq!(folder.set_flags(1, server.messages[&1].flags).unwrap(), FlagUpdate::Unchanged);
    for uid in [4, 8] {
        assert_eq!(folder.set_flags(uid, Flags::ANSWERED).unwrap(), FlagUpdate::Applied);
    }
    assert!(path_of(dir.path(), 4).to_str().unwrap().ends_with(":2,R"));
    // Dovecot's keywords are its own
    assert!(path_of(dir.path(), 8).to_str().unwrap().ends_with(":2,Rab"));
    assert_eq!(folder.set_flags(8, Flags::SEEN).unwrap(), FlagUpdate::Applied);
    assert!(path_of(dir.path(), 8).to_str().unwrap().ends_with(":2,Sab"));
    // deleted here: not wanted again
    assert_eq!(folder.set_flags(2, Flags::DRAFT).unwrap(), FlagUpdate::Gone);
    assert!(folder.contains(2));
    folder.close().unwrap();
    for (uid, flags) in [(4, Flags::ANSWERED), (8, Flags::SEEN), (2, Flags::DRAFT)] {
        server.messages.get_mut(&uid).unwrap().flags = flags;
    }
    assert_eq!(sync(&maildir, &FolderName::inbox(), &server).unwrap(), Committed::default());
    assert_eq!(on_disk(dir.path()).len(), 7);
}

#[test]
fn files_moved_between_two_runs() {
    let dir = scratch();
    let (maildir, mut server) = stored(dir.path());
    for uid in [4, 8] {
        relabel(dir.path(), uid, "S");
    }
    let gone = path_of(dir.path(), 3);
    let elsewhere = dir.path().join("elsewhere");
    fs::rename(&gone, &elsewhere).unwrap();
    assert_eq!(sync(&maildir, &FolderName::inbox(), &server).unwrap(), Committed::default());
    assert_eq!(on_disk(dir.path()).len(), 7);
    server.messages.get_mut(&4).unwrap().flags = Flags::DRAFT;
    assert_eq!(sync(&maildir, &FolderName::inbox(), &server).unwrap().flags, 1);
    assert!(path_of(dir.path(), 4).to_str().unwrap().ends_with(":2,D"));
    assert!(path_of(dir.path(), 8).to_str().unwrap().ends_with(":2,S"));
    // it comes back
    fs::rename(&elsewhere, &gone).unwrap();
    server.messages.get_mut(&3).unwrap().flags = Flags::DELETED;
    assert_eq!(sync(&maildir, &FolderName::inbox(), &server).unwrap().flags, 1);
    assert!(path_of(dir.path(), 3).to_str().unwrap().ends_with(":2,T"));
}

/// Other programs' mail in the same folder is none of our business.
#[test]
fn other_mail_is_left_alone() {
    let dir = scratch();
    for part in ["cur", "new", "tmp"] {
        fs::create_dir_all(dir.path().join(part)).unwrap();
    }
    let others = [
        "cur/1700000000.M1P2.host:2,S",
        "new/1700000001.M1P2.host",
        "tmp/1700000002.M1P2.host",
        "tmp/postkey-x",
    ];
    for name in others {
        fs::write(dir.path().join(name), name).unwrap();
    }
    fs::write(dir.path().join("tmp/postkey-17"), "left by an interrupted run").unwrap();
    let maildir = Maildir::open(dir.path(), options(Durability::Full)).unwrap();
    let mut folder = maildir.folder(&FolderName::inbox()).unwrap();
    assert!(folder.is_empty());
    folder.begin_generation(1).unwrap();
    store(&mut folder, 1, &message(1)).unwrap();
    folder.close().unwrap();
    for name in others {
        assert_eq!(fs::read(dir.path().join(name)).unwrap(), name.as_bytes());
    }
    assert!(!dir.path().join("tmp/postkey-17").exists());
}

/// A run that was killed before its first batch: only `tmp` has changed since the folder was closed.
#[test]
fn what_an_interrupted_run_left_in_tmp_is_removed() {
    let dir = scratch();
    let (maildir, server) = stored(dir.path());
    let mut folder = maildir.folder(&FolderName::inbox()).unwrap();
    let half: Vec<_> = (30..33)
        .map(|uid| {
            let mut delivery = folder.begin(Meta::new(uid)).unwrap();
            delivery.write(&[b'x'; 200_000]).unwrap();
            delivery
        })
        .collect();
    // what a kill at this moment leaves
    let copy = dir.path().join("copy");
    let parts = ["cur", "new", "tmp", "postkey.journal"].map(|part| dir.path().join(part));
    fs::create_dir(&copy).unwrap();
    let status = std::process::Command::new("cp").arg("-a").args(parts).arg(&copy).status().unwrap();
    assert!(status.success());
    assert_eq!(fs::read_dir(copy.join("tmp")).unwrap().count(), 3);
    drop(half);
    let maildir = Maildir::open(&copy, options(Durability::Full)).unwrap();
    assert_eq!(sync(&maildir, &FolderName::inbox(), &server).unwrap(), Committed::default());
    check(&copy, &[&server], Some(&server));
}
