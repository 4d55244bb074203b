//! `postkey` in a home of its own, and the browser that it opens: a script that hands the address to the test.
//!
//! What a test expects and does not find ends it: all of this panics.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::Program;

/// A home of its own, removed when it is dropped.
#[derive(Debug)]
pub struct Home {
    /// Where it is.
    pub dir: tempfile::TempDir,
    program: PathBuf,
}

/// How a run ended.
#[derive(Debug)]
pub struct Ran {
    /// Its exit code; the signal that ended it, negative.
    pub code: i32,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl Ran {
    /// Fails the test unless the code is this one.
    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// Fails the test unless standard error has all of these.
    #[track_caller]
    pub fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.stderr.contains(word), "{word:?} is missing in: {}", self.stderr);
        }
        self
    }

    /// Standard output as the one JSON document it must be.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {}", self.stdout))
    }
}

impl Default for Home {
    fn default() -> Self {
        Self::new()
    }
}

impl Home {
    /// An empty one. [`Program::Postkey`] has to be here.
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), program: Program::Postkey.find().unwrap() }
    }

    /// The path of a file in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The configuration file.
    pub fn config(&self) -> PathBuf {
        self.path(".config/postkey/config.toml")
    }

    /// The folder of the program's state.
    pub fn state(&self) -> PathBuf {
        self.path(".local/state/postkey")
    }

    /// Writes the configuration.
    pub fn configure(&self, text: &str) {
        let path = self.config();
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Writes a file that only its owner can read.
    pub fn private(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        private(&path, text);
        path
    }

    /// The program, with nothing of this machine's environment.
    pub fn command(&self, args: &[&str]) -> Command {
        self.command_of(&self.program, args)
    }

    /// The same for another program, or a copy.
    pub fn command_of(&self, program: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(args).current_dir(self.dir.path()).env_clear().env("HOME", self.dir.path());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, args: &[&str]) -> Ran {
        finish(self.command(args).spawn().unwrap(), String::new())
    }

    /// Runs a sign-in whose browser `person` is: the address is handed over and `person` comes back when it is through.
    pub fn browser<T>(&self, args: &[&str], person: impl FnOnce(&str) -> T) -> (Ran, T) {
        let handed = self.path("address");
        let _ = std::fs::remove_file(&handed);
        let script = self.path("browser");
        let text =
            format!("#!/bin/sh\nprintf %s \"$1\" > '{0}.new' && mv '{0}.new' '{0}'\n", handed.display());
        std::fs::write(&script, text).unwrap();
        mode(&script, 0o755);
        let mut child = self.command(args).env("POSTKEY_BROWSER", &script).spawn().unwrap();
        let address = loop {
            if let Ok(text) = std::fs::read_to_string(&handed) {
                break text;
            }
            if child.try_wait().unwrap().is_some() {
                panic!("no browser was opened: {:?}", finish(child, String::new()));
            }
            thread::sleep(Duration::from_millis(20));
        };
        let done = person(&address);
        (finish(child, String::new()), done)
    }

    /// Runs a sign-in with `--json`; `person` gets what is asked for first, and says what is typed.
    pub fn prompted(&self, args: &[&str], person: impl FnOnce(&Value) -> String) -> Ran {
        let mut child = self.command(args).arg("--json").stdin(Stdio::piped()).spawn().unwrap();
        let (prompt, mut seen, mut rest) = until(&mut child, |line| serde_json::from_str(line).ok());
        let typed = person(&prompt);
        // It ends before all is read when it has what it wants.
        let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
        rest.read_to_string(&mut seen).unwrap();
        finish(child, seen)
    }
}

/// Reads a child's standard error up to a line that `wanted` gives something for; also returns what was read, and the rest.
#[track_caller]
pub fn until<T>(
    child: &mut Child,
    wanted: impl Fn(&str) -> Option<T>,
) -> (T, String, BufReader<ChildStderr>) {
    let mut reader = BufReader::new(child.stderr.take().unwrap());
    let mut seen = String::new();
    loop {
        let mut line = String::new();
        let n = reader.read_line(&mut line).unwrap();
        seen.push_str(&line);
        if let Some(found) = wanted(line.trim_end()) {
            return (found, seen, reader);
        }
        assert!(n > 0, "it ended before: {seen}");
    }
}

/// Waits for the end; `seen` is what was read of standard error before.
pub fn finish(child: Child, mut seen: String) -> Ran {
    let output = child.wait_with_output().unwrap();
    seen.push_str(std::str::from_utf8(&output.stderr).unwrap());
    let status = output.status;
    Ran {
        code: status.code().unwrap_or_else(|| -status.signal().unwrap()),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: seen,
    }
}

/// Writes a file that only its owner can read.
pub fn private(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    mode(path, 0o600);
}

/// Sets a file's permissions.
pub fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}
