//! The program `postkey` against a real Dovecot: killed at any moment, out of space, and still exactly once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use postkey_peers::{Config, Dovecot, Program, available};
use serde_json::Value;

const USER: &str = "ana";

struct Scene {
    dovecot: Dovecot,
    dir: tempfile::TempDir,
    program: PathBuf,
    messages: Vec<Vec<u8>>,
}

impl Scene {
    fn set(test: &str, messages: usize, octets: usize) -> Option<Self> {
        if !available(test, &[Program::Dovecot, Program::Postkey]) {
            return None;
        }
        let dovecot = Dovecot::start(&Config::default()).unwrap();
        let cur = dovecot.maildir(USER).join("cur");
        for sub in ["cur", "new", "tmp"] {
            fs::create_dir_all(dovecot.maildir(USER).join(sub)).unwrap();
        }
        let mut all = Vec::new();
        for i in 0..messages {
            let mut message = format!("Subject: {i}\r\nX-Number: {i}\r\n\r\n").into_bytes();
            while message.len() < octets * (1 + i % 7) / 4 {
                message.extend(format!("line of message {i}\r\n").into_bytes());
            }
            fs::write(cur.join(format!("{}.M{i}.test:2,S", 1_700_000_000 + i)), &message).unwrap();
            all.push(message);
        }
        dovecot.give(&dovecot.maildir(USER)).unwrap();
        all.sort();
        let dir = tempfile::tempdir().unwrap();
        let config = format!(
            "state_dir = \"state\"\n[accounts.work]\nprovider = \"microsoft\"\nuser = \"{USER}\"\n\
             password = {{ command = \"echo {}\" }}\n\
             [accounts.work.imap]\nhost = \"localhost\"\nport = {}\nca_file = \"{}\"\n",
            dovecot.password(),
            dovecot.tls_addr().port(),
            dovecot.ca_file().display()
        );
        let file = dir.path().join("config.toml");
        fs::write(&file, config).unwrap();
        fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let program = Program::Postkey.find().unwrap();
        Some(Self { dovecot, dir, program, messages: all })
    }

    fn fetch(&self, target: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command
            .arg("--config")
            .arg(self.dir.path().join("config.toml"))
            .args(["--json", "fetch", "work", "--to"])
            .arg(format!("maildir:{}", target.display()))
            .stdin(Stdio::null());
        command
    }

    fn clean_run(&self, target: &Path) -> Value {
        let output = self.fetch(target).output().unwrap();
        assert!(output.status.success(), "{}\n{}", text(&output), self.dovecot.log());
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Every message that can be seen is one of the server's, whole; returns how many there are.
    fn only_whole(&self, target: &Path) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        for sub in ["cur", "new"] {
            let Ok(entries) = fs::read_dir(target.join(sub)) else { continue };
            for entry in entries {
                let path = entry.unwrap().path();
                let message = fs::read(&path).unwrap();
                assert!(
                    self.messages.binary_search(&message).is_ok(),
                    "{} is not a message of the server",
                    path.display()
                );
                all.push(message);
            }
        }
        all.sort();
        all
    }
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn killed_at_twenty_moments() {
    // DU-01
    let Some(scene) = Scene::set("killed_at_twenty_moments", 800, 12_000) else { return };
    let dir = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let whole = dir.path().join("whole");
    scene.clean_run(&whole);
    let lasts = begun.elapsed();
    assert!(scene.only_whole(&whole) == scene.messages);
    let mut rng = wire::testkit::Rng::new(7);
    let mut interrupted = 0;
    for i in 0..20 {
        let target = dir.path().join(format!("mail{i}"));
        let mut child = scene.fetch(&target).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_micros(rng.next_u64() % lasts.as_micros().max(1) as u64));
        // SIGKILL, unless it was quicker.
        interrupted += u32::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
        let before = scene.only_whole(&target).len();
        scene.clean_run(&target);
        assert!(scene.only_whole(&target) == scene.messages, "after a kill with {before} messages there");
        let leftovers = fs::read_dir(target.join("tmp")).unwrap().count();
        assert_eq!(leftovers, 0, "files left in tmp");
        fs::remove_dir_all(&target).unwrap();
    }
    assert!(interrupted >= 10, "only {interrupted} of 20 runs were still going when they were killed");
}

#[test]
fn out_of_space_loses_nothing_and_says_so() {
    // DU-04; needs root to mount a small file system.
    let Some(scene) = Scene::set("out_of_space_loses_nothing_and_says_so", 400, 20_000) else { return };
    let dir = tempfile::tempdir().unwrap();
    let Some(small) = Mount::tmpfs(&dir.path().join("small"), 2) else {
        let program = "mount (as root)";
        eprintln!("skipped: out_of_space_loses_nothing_and_says_so: no {program}");
        if let Some(log) = std::env::var_os("POSTKEY_SKIPPED") {
            use std::io::Write as _;
            let mut log = fs::File::options().create(true).append(true).open(log).unwrap();
            writeln!(log, "out_of_space_loses_nothing_and_says_so: no {program}").unwrap();
        }
        return;
    };
    let target = small.path.join("mail");
    let output = scene.fetch(&target).output().unwrap();
    assert_eq!(output.status.code(), Some(40), "{}", text(&output));
    assert!(text(&output).contains("space"), "{}", text(&output));
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report of what is missing");
    let there = scene.only_whole(&target);
    assert!(!there.is_empty() && there.len() < scene.messages.len(), "{}", there.len());
    let missing: usize =
        report["folders"].as_array().unwrap().iter().map(|f| f["missing"].as_array().unwrap().len()).sum();
    assert_eq!(there.len() + missing, scene.messages.len(), "what is not there is named: {}", text(&output));
    // Room is made; one clean run brings the rest, each once.
    small.grow(64);
    scene.clean_run(&target);
    assert!(scene.only_whole(&target) == scene.messages);
    assert_eq!(fs::read_dir(target.join("tmp")).unwrap().count(), 0, "files left in tmp");
}

/// A small file system that goes away again.
struct Mount {
    path: PathBuf,
}

impl Mount {
    fn tmpfs(path: &Path, mib: u32) -> Option<Self> {
        fs::create_dir_all(path).unwrap();
        let done = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={mib}m"), "postkey-test"])
            .arg(path)
            .output();
        done.is_ok_and(|o| o.status.success()).then(|| Self { path: path.to_owned() })
    }

    fn grow(&self, mib: u32) {
        let done = Command::new("mount")
            .args(["-o", &format!("remount,size={mib}m")])
            .arg(&self.path)
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", text(&done));
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.path).output();
    }
}

#[test]
fn two_runs_at_once_do_not_share_a_target() {
    // DU-27
    let Some(scene) = Scene::set("two_runs_at_once_do_not_share_a_target", 600, 20_000) else { return };
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("mail");
    let mut first = scene.fetch(&target).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // The lock is there as soon as the target is.
    while !target.join("postkey.lock").exists() {
        assert!(first.try_wait().unwrap().is_none(), "it ended before it began");
        std::thread::sleep(Duration::from_millis(1));
    }
    let second = scene.fetch(&target).output().unwrap();
    let status = first.wait().unwrap();
    assert!(status.success());
    assert!(matches!(second.status.code(), Some(42 | 0)), "{}", text(&second));
    if second.status.code() == Some(42) {
        assert!(text(&second).contains("another"), "{}", text(&second));
    }
    assert!(scene.only_whole(&target) == scene.messages);
}
