use super::*;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;

fn open(root: &Path) -> Maildir {
    Maildir::open(root, options(Durability::Full)).unwrap()
}

fn refused(result: Result<Folder>) -> Error {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), Kind::Unsafe, "{error}");
    error
}

#[test]
fn folders_are_found_again_under_their_names() {
    let dir = scratch();
    let maildir = open(dir.path());
    let long = "é".repeat(300);
    let mut names = vec![
        FolderName::inbox(),
        FolderName::new("Archive", Some('/')),
        FolderName::new("Archive/2024.old", Some('/')),
        FolderName::new("../../etc/passwd", Some('/')),
        FolderName::new("cur", None),
        FolderName::new("", None),
        FolderName::new(&long, None),
        FolderName::undecoded(b"&!!!-\xff", Some('/')),
    ];
    for name in &names {
        let mut folder = maildir.folder(name).unwrap();
        assert_eq!(folder.name(), name);
        folder.begin_generation(1).unwrap();
        store(&mut folder, 1, &message(1)).unwrap();
        folder.close().unwrap();
    }
    names.sort();
    assert_eq!(maildir.folders().unwrap(), names);
    drop(maildir);
    assert_eq!(open(dir.path()).folders().unwrap(), names);
    assert!(dir.path().join(".Archive.2024%2Eold/maildirfolder").exists());
    // everything is below the root, and only one level deep
    for entry in fs::read_dir(dir.path().parent().unwrap()).unwrap() {
        assert_ne!(entry.unwrap().file_name(), "etc");
    }
    // FS-02: the server has changed its delimiter
    let maildir = open(dir.path());
    let folder = maildir.folder(&FolderName::new("Archive|2024.old", Some('|'))).unwrap();
    assert!(folder.contains(1));
}

/// The files in a Maildir++ root that begin with a dot are folders to every other program.
#[test]
fn no_file_of_ours_looks_like_a_folder() {
    let dir = scratch();
    let maildir = open(dir.path());
    sync(&maildir, &FolderName::inbox(), &Server::new(1, 1..3)).unwrap();
    let names: Vec<_> =
        fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    assert!(names.iter().all(|name| !name.starts_with('.')), "{names:?}");
}

/// FS-03, FS-18: a file system that takes `foo` for `Foo` gives the directory of another folder. Two directories
/// come of it, and if even the second is taken, an error.
#[test]
fn a_directory_of_another_folder_is_not_taken() {
    let dir = scratch();
    let maildir = open(dir.path());
    let (upper, lower) = (FolderName::new("Foo", None), FolderName::new("foo", None));
    sync(&maildir, &upper, &Server::new(1, 1..3)).unwrap();
    // what such a file system shows under the name `.foo`
    fs::rename(dir.path().join(".Foo"), dir.path().join(".foo")).unwrap();
    sync(&maildir, &lower, &Server::new(2, 5..7)).unwrap();
    assert_eq!(maildir.folders().unwrap(), [upper.clone(), lower.clone()]);
    let path = maildir.folder(&lower).unwrap().path().to_path_buf();
    assert!(path.file_name().unwrap().to_str().unwrap().starts_with(".foo%#"));
    assert_eq!(on_disk(&path).len(), 2);
    assert_eq!(on_disk(&dir.path().join(".foo")).len(), 2);
    fs::copy(dir.path().join(".foo/postkey.folder"), path.join("postkey.folder")).unwrap();
    let error = maildir.folder(&lower).unwrap_err();
    assert_eq!(error.kind(), Kind::NameCollision);
    assert!(error.to_string().contains("already holds the folder Foo"), "{error}");
}

/// FS-08.
#[test]
fn planted_links_are_refused() {
    let dir = scratch();
    let outside = dir.path().join("outside");
    fs::create_dir_all(outside.join("cur")).unwrap();
    for part in ["cur", "new", "tmp"] {
        let root = dir.path().join(format!("by-{part}"));
        fs::create_dir(&root).unwrap();
        symlink(&outside, root.join(part)).unwrap();
        let error = refused(open(&root).folder(&FolderName::inbox()));
        assert!(error.to_string().contains(&format!("by-{part}/{part} is not a directory")), "{error}");
    }
    let root = dir.path().join("root");
    let maildir = open(&root);
    symlink(&outside, root.join(".box")).unwrap();
    refused(maildir.folder(&FolderName::new("box", None)));
    fs::write(root.join(".file"), "").unwrap();
    refused(maildir.folder(&FolderName::new("file", None)));
    symlink(outside.join("journal"), root.join("postkey.journal")).unwrap();
    refused(maildir.folder(&FolderName::inbox()));
    fs::create_dir(root.join(".other")).unwrap();
    symlink(outside.join("record"), root.join(".other/postkey.folder")).unwrap();
    refused(maildir.folder(&FolderName::new("other", None)));
    let root = dir.path().join("locked");
    fs::create_dir(&root).unwrap();
    symlink(outside.join("lock"), root.join("postkey.lock")).unwrap();
    let error = Maildir::open(&root, Options::default()).unwrap_err();
    assert_eq!(error.kind(), Kind::Unsafe);
    let names: Vec<_> = fs::read_dir(&outside).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["cur"]);
    assert_eq!(fs::read_dir(outside.join("cur")).unwrap().count(), 0);
}

/// FS-10.
#[test]
fn directories_of_others_are_refused() {
    let dir = scratch();
    let root = dir.path().join("open-to-all");
    fs::create_dir(&root).unwrap();
    fs::set_permissions(&root, fs::Permissions::from_mode(0o1777)).unwrap();
    let error = Maildir::open(&root, Options::default()).unwrap_err();
    assert!(matches!(error, Error::WorldWritable { .. }), "{error}");
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped 2 of 3 checks: giving a directory away needs root");
        return;
    }
    let root = dir.path().join("theirs");
    fs::create_dir(&root).unwrap();
    std::os::unix::fs::chown(&root, Some(12_345), None).unwrap();
    let error = Maildir::open(&root, Options::default()).unwrap_err();
    assert!(matches!(error, Error::NotOwner { owner: 12_345, user: 0, .. }), "{error}");
    let accepting = Options { accept_other_owner: true, ..Options::default() };
    drop(Maildir::open(&root, accepting).unwrap());
    let root = dir.path().join("mine");
    fs::create_dir_all(root.join("tmp")).unwrap();
    std::os::unix::fs::chown(root.join("tmp"), Some(12_345), None).unwrap();
    refused(open(&root).folder(&FolderName::inbox()));
}

/// FS-09: the modes do not depend on the umask. It belongs to the whole process, so this needs another one.
#[test]
fn modes() {
    const TARGET: &str = "POSTKEY_ARCHIVE_TEST_MODES";
    if let Some(root) = std::env::var_os(TARGET) {
        let maildir = open(Path::new(&root));
        sync(&maildir, &FolderName::new("a/b", Some('/')), &Server::new(1, 1..9)).unwrap();
        return;
    }
    for umask in ["000", "022", "077"] {
        let dir = scratch();
        let root = dir.path().join("mail");
        let output = Command::new("sh")
            .args(["-c", &format!("umask {umask}; exec \"$0\" \"$@\"")])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "tests::folders::modes"])
            .env(TARGET, &root)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let mut seen = 0;
        let mut left = vec![root];
        while let Some(path) = left.pop() {
            let meta = fs::symlink_metadata(&path).unwrap();
            let expected = if meta.is_dir() { 0o700 } else { 0o600 };
            assert_eq!(meta.mode() & 0o7777, expected, "umask {umask}: {path:?}");
            seen += 1;
            if meta.is_dir() {
                left.extend(fs::read_dir(&path).unwrap().map(|e| e.unwrap().path()));
            }
        }
        assert!(seen > 14, "{seen}");
    }
}

/// DU-27, FS-14.
#[test]
fn one_process_at_a_time() {
    let dir = scratch();
    let maildir = open(dir.path());
    let error = Maildir::open(dir.path(), Options::default()).unwrap_err();
    assert_eq!(error.kind(), Kind::Busy);
    assert!(matches!(error, Error::Locked { pid: Some(pid), .. } if pid == std::process::id()), "{error}");
    let folder = maildir.folder(&FolderName::inbox()).unwrap();
    assert!(matches!(maildir.folder(&FolderName::new("inbox", None)), Err(Error::FolderOpen { .. })));
    // the lock outlives the target as long as a folder is open
    drop(maildir);
    assert_eq!(Maildir::open(dir.path(), Options::default()).unwrap_err().kind(), Kind::Busy);
    drop(folder);
    open(dir.path());
}

#[test]
fn a_file_in_the_way_of_the_root() {
    let dir = scratch();
    let root = dir.path().join("file");
    fs::write(&root, "").unwrap();
    assert_eq!(Maildir::open(&root, Options::default()).unwrap_err().kind(), Kind::Unsafe);
    let below = Maildir::open(&root.join("below"), Options::default()).unwrap_err();
    assert!(below.to_string().contains("file/below"), "{below}");
}
