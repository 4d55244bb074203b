//! `postkey` in a home of its own, and the browser that it opens: a script that hands the address to the test.
#![allow(dead_code, reason = "not every test uses all of it")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use postkey_peers::Program;
use serde_json::Value;

pub(crate) struct Home {
    dir: tempfile::TempDir,
    program: PathBuf,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Fails the test unless the code is this one.
    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// Fails the test unless standard error has all of these.
    #[track_caller]
    pub(crate) fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.stderr.contains(word), "{word:?} is missing in: {}", self.stderr);
        }
        self
    }

    /// The one JSON document on standard output.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {}", self.stdout))
    }
}

impl Home {
    /// [`Program::Postkey`] has to be here.
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), program: Program::Postkey.find().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file that only its owner can read.
    pub(crate) fn private(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    pub(crate) fn configure(&self, text: &str) {
        let dir = self.path(".config/postkey");
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("config.toml"), text).unwrap();
    }

    /// The program, with nothing of this machine's environment.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(args).current_dir(self.dir.path()).env_clear().env("HOME", self.dir.path());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        finish(self.command(args).spawn().unwrap())
    }

    /// Runs a sign-in whose browser `person` is: the address is handed over and `person` comes back when it is through.
    pub(crate) fn browser<T>(&self, args: &[&str], person: impl FnOnce(&str) -> T) -> (Ran, T) {
        let handed = self.path("address");
        let _ = std::fs::remove_file(&handed);
        let script = self.path("browser");
        let text =
            format!("#!/bin/sh\nprintf %s \"$1\" > '{0}.new' && mv '{0}.new' '{0}'\n", handed.display());
        std::fs::write(&script, text).unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
        let mut child = self.command(args).env("POSTKEY_BROWSER", &script).spawn().unwrap();
        let address = loop {
            if let Ok(text) = std::fs::read_to_string(&handed) {
                break text;
            }
            if child.try_wait().unwrap().is_some() {
                panic!("no browser was opened: {:?}", finish(child));
            }
            thread::sleep(Duration::from_millis(20));
        };
        let done = person(&address);
        (finish(child), done)
    }

    /// Runs a sign-in with `--json`; `person` gets what is asked for first, and says what is typed.
    pub(crate) fn prompted(&self, args: &[&str], person: impl FnOnce(&Value) -> String) -> Ran {
        let mut child = self.command(args).arg("--json").stdin(Stdio::piped()).spawn().unwrap();
        let mut reader = BufReader::new(child.stderr.take().unwrap());
        let mut seen = String::new();
        let prompt: Value = loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap() == 0 {
                let ran = finish(child);
                panic!("it asked for nothing: {seen}{ran:?}");
            }
            seen.push_str(&line);
            if let Ok(prompt) = serde_json::from_str(&line) {
                break prompt;
            }
        };
        let typed = person(&prompt);
        // It ends before all is read when it has what it wants.
        let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
        reader.read_to_string(&mut seen).unwrap();
        let ran = finish(child);
        Ran { stderr: seen, ..ran }
    }
}

/// Waits for the end.
pub(crate) fn finish(child: Child) -> Ran {
    let output = child.wait_with_output().unwrap();
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    }
}
