//! DU-04: a file system that is really full.

use super::*;
use std::process::Command;

struct Mount<'a>(&'a Path);

impl Drop for Mount<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0).status();
    }
}

fn mount(path: &Path, option: &str) -> bool {
    let output = Command::new("mount").args(["-t", "tmpfs", "-o", option, "tmpfs"]).arg(path).output();
    output.is_ok_and(|output| output.status.success())
}

#[test]
fn a_full_disk() {
    for durability in [Durability::Full, Durability::None] {
        let dir = tempfile::tempdir().unwrap();
        if !mount(dir.path(), "size=2m,mode=700") {
            eprintln!("skipped: mounting a small tmpfs needs root (0 of 2 cases run)");
            return;
        }
        let _mount = Mount(dir.path());
        let server = Server::new(1, 1..150);
        let inbox = FolderName::inbox();
        {
            let maildir = Maildir::open(dir.path(), options(durability)).unwrap();
            let error = sync(&maildir, &inbox, &server).unwrap_err();
            assert_eq!(error.kind(), Kind::NoSpace, "{error}");
            assert!(error.to_string().contains("make room"), "{error}");
        }
        check(dir.path(), &[&server], None);
        let before = on_disk(dir.path()).len();
        assert!(before > 10 && before < 149);
        // still full: fails again, and nothing gets lost or doubled by it
        let maildir = Maildir::open(dir.path(), options(durability)).unwrap();
        assert_eq!(sync(&maildir, &inbox, &server).unwrap_err().kind(), Kind::NoSpace);
        drop(maildir);
        check(dir.path(), &[&server], None);

        assert!(mount(dir.path(), "remount,size=64m"));
        let maildir = Maildir::open(dir.path(), options(durability)).unwrap();
        let again = sync(&maildir, &inbox, &server).unwrap();
        assert!((again.messages as usize) <= 149 - before, "{} of {before}", again.messages);
        check(dir.path(), &[&server], Some(&server));
    }
}
