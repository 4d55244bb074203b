//! DU-01, DU-02: SIGKILL, at every call that changes the disk and at random moments.
//!
//! The child is this test program again, told by the environment what to do.

use super::faults::{check_recovery, life, names};
use super::*;
use crate::disk::Disk;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const ROOT: &str = "POSTKEY_ARCHIVE_TEST_ROOT";
const KILL_AT: &str = "POSTKEY_ARCHIVE_TEST_KILL_AT";

/// Not a test by itself.
#[test]
fn child() {
    let Some(root) = std::env::var_os(ROOT) else { return };
    let mut options = options(Durability::Full);
    if let Some(n) = std::env::var(KILL_AT).ok().and_then(|n| n.parse::<usize>().ok()) {
        let calls = AtomicUsize::new(0);
        options.disk = Disk {
            probe: Some(Arc::new(move |_, _| {
                if calls.fetch_add(1, Ordering::Relaxed) == n {
                    let _ = rustix::process::kill_process(
                        rustix::process::getpid(),
                        rustix::process::Signal::KILL,
                    );
                }
                Ok(())
            })),
        };
        let maildir = Maildir::open(Path::new(&root), options).unwrap();
        for server in &life() {
            for name in &names() {
                sync(&maildir, name, server).unwrap();
            }
        }
        return;
    }
    let maildir = Maildir::open(Path::new(&root), options).unwrap();
    println!("begun");
    let server = many();
    sync(&maildir, &FolderName::inbox(), &server).unwrap();
}

fn many() -> Server {
    Server::new(1, (1..3_000).filter(|uid| ![7, 9].contains(&(uid % 11)) || uid % 10 == 0))
}

fn command(root: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "tests::kill::child", "--nocapture"]).env(ROOT, root);
    command
}

/// DU-02: and so at every boundary between two of them.
#[test]
fn killed_at_every_call() {
    let life = life();
    let mut killed = 0;
    for n in 0.. {
        let dir = scratch();
        let root = dir.path().join("mail");
        let output = command(&root).env(KILL_AT, n.to_string()).output().unwrap();
        if output.status.success() {
            break;
        }
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&output.status), Some(9), "{output:?}");
        killed += 1;
        check_recovery(&root, &life, &format!("killed at call {n}"));
    }
    assert!(killed > 100, "{killed}");
}

/// DU-01, on a real disk where there is one.
#[test]
fn killed_at_random_moments() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("mail");
    let server = many();
    let mut killed = 0;
    let mut delay = 7u64;
    while killed < 20 {
        let mut child = command(&root).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        while !lines.next().unwrap().unwrap().contains("begun") {}
        delay = delay.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        std::thread::sleep(Duration::from_micros((delay >> 33) % 40_000));
        let finished = child.try_wait().unwrap().is_some();
        child.kill().unwrap();
        child.wait().unwrap();
        check(&root, &[&server], None);
        if finished {
            // the machine is faster than we thought: begin anew, with what is left of the kills
            fs::remove_dir_all(&root).unwrap();
        }
        killed += 1;
    }
    let maildir = Maildir::open(&root, Options::default()).unwrap();
    sync(&maildir, &FolderName::inbox(), &server).unwrap();
    check(&root, &[&server], Some(&server));
    assert_eq!(sync(&maildir, &FolderName::inbox(), &server).unwrap(), Committed::default());
}
