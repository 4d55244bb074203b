//! A place of its own for each test: home, configuration, state and a sandbox; and the program run in it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use sandbox::{ANA, Builder, DAEMON_APP, Fault, PUBLIC_APP, Sandbox};
use serde_json::Value;
use tempfile::TempDir;

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

    /// Standard output as the one JSON document it must be.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {}", self.stdout))
    }
}

/// A home of its own.
pub(crate) struct Home {
    pub(crate) dir: TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.path(".config/postkey/config.toml")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.path(".local/state/postkey")
    }

    /// Writes the configuration.
    pub(crate) fn configure(&self, text: &str) {
        let path = self.config();
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// The program, with nothing of this machine's environment.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        self.command_of(Path::new(env!("CARGO_BIN_EXE_postkey")), args)
    }

    /// One of the programs, or a copy.
    pub(crate) fn command_of(&self, program: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(args).current_dir(self.dir.path()).env_clear().env("HOME", self.dir.path());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        finish(self.command(args).spawn().unwrap(), String::new())
    }
}

/// Waits for the end.
pub(crate) fn finish(mut child: Child, mut stderr: String) -> Ran {
    let out = child.stdout.take();
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        if let Some(mut out) = out {
            out.read_to_string(&mut text).unwrap();
        }
        text
    });
    if let Some(mut err) = child.stderr.take() {
        err.read_to_string(&mut stderr).unwrap();
    }
    let stdout = reader.join().unwrap();
    let status = child.wait().unwrap();
    #[cfg(unix)]
    let code = {
        use std::os::unix::process::ExitStatusExt as _;
        status.code().unwrap_or_else(|| -status.signal().unwrap())
    };
    #[cfg(not(unix))]
    let code = status.code().unwrap();
    Ran { code, stdout, stderr }
}

/// Reads a child's standard error up to a line that `wanted` gives something for; also returns what was read.
pub(crate) fn until<T>(
    child: &mut Child,
    wanted: impl Fn(&str) -> Option<T>,
) -> (T, String, BufReader<std::process::ChildStderr>) {
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

/// A home and a sandbox, with the accounts `ana` (device), `web` (browser) and `daemon` (app) configured.
pub(crate) struct World {
    pub(crate) home: Home,
    pub(crate) sandbox: Arc<Sandbox>,
    pub(crate) runtime: tokio::runtime::Runtime,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder)
    }

    pub(crate) fn with(change: impl FnOnce(Builder) -> Builder) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let builder = change(Sandbox::builder().fault(Fault::DeviceInterval(1)).messages(40));
        let sandbox = Arc::new(runtime.block_on(builder.start()).unwrap());
        let world = Self { home: Home::new(), sandbox, runtime };
        std::fs::write(world.home.path("ca.pem"), world.sandbox.ca_pem()).unwrap();
        world.configure("");
        world
    }

    /// Writes the configuration with the three accounts, and more.
    pub(crate) fn configure(&self, more: &str) {
        let accounts: String =
            [("ana", "device", PUBLIC_APP), ("web", "browser", PUBLIC_APP), ("daemon", "app", DAEMON_APP)]
                .iter()
                .map(|(name, flow, app)| self.account(name, flow, app))
                .collect();
        self.home.configure(&format!("default_account = \"ana\"\n{accounts}{more}"));
        let secret = self.sandbox.app(DAEMON_APP).unwrap().secret().unwrap().expose().to_owned();
        private(&self.home.path("daemon.secret"), &secret);
    }

    /// The table of an account.
    pub(crate) fn account(&self, name: &str, flow: &str, app: &str) -> String {
        let secret = if flow == "app" { "client_secret = { file = \"~/daemon.secret\" }\n" } else { "" };
        format!(
            "[accounts.{name}]\nuser = \"{ANA}\"\ntenant = \"{tenant}\"\nclient_id = \"{id}\"\nflow = \"{flow}\"\n{secret}\
             [accounts.{name}.oauth]\nauthority = \"{authority}\"\nca_file = \"{ca}\"\n\
             [accounts.{name}.imap]\nhost = \"localhost\"\nport = {port}\nca_file = \"{ca}\"\n",
            port = self.sandbox.ports().imaps,
            tenant = self.sandbox.tenant_id(),
            id = self.sandbox.app(app).unwrap().id(),
            authority = self.sandbox.base_url(),
            ca = self.home.path("ca.pem").display(),
        )
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.home.run(args)
    }

    /// Signs in by device code; `person` answers for the person at the device page.
    pub(crate) fn device(&self, args: &[&str], person: impl FnOnce(&Sandbox, &str)) -> Ran {
        let mut child = self.home.command(args).spawn().unwrap();
        let (code, seen, rest) =
            until(&mut child, |line| Some(line.strip_prefix("  2. Type")?.trim().to_owned()));
        person(&self.sandbox, &code);
        self.end(child, seen, rest)
    }

    pub(crate) fn end(
        &self,
        child: Child,
        mut seen: String,
        mut rest: BufReader<std::process::ChildStderr>,
    ) -> Ran {
        rest.read_to_string(&mut seen).unwrap();
        finish(child, seen)
    }

    /// Signs `account` in.
    #[track_caller]
    pub(crate) fn sign_in(&self, account: &str) {
        self.device(&["login", account], |sandbox, code| self.approve(sandbox, code)).code(0);
    }

    pub(crate) fn approve(&self, sandbox: &Sandbox, code: &str) {
        self.runtime.block_on(sandbox.approve_device(code, ANA)).unwrap();
    }
}

/// Writes a file that only its owner can read.
pub(crate) fn private(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    mode(path, 0o600);
}

#[cfg(unix)]
pub(crate) fn mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
pub(crate) fn mode(_: &Path, _: u32) {}

/// Every file below a folder.
pub(crate) fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found
}
