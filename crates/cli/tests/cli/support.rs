//! A place of its own for each test: a home and a sandbox; and the program run in it.

use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::Arc;

pub(crate) use peers::home::{Home, Ran, finish, mode, private, until};
use sandbox::{ANA, Builder, DAEMON_APP, Fault, PUBLIC_APP, Sandbox};

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

    /// Writes the configuration with the three accounts, the first of them for reading and sending by everything.
    pub(crate) fn everywhere(&self) {
        let ports = self.sandbox.ports();
        let ca = self.home.path("ca.pem").display().to_string();
        self.configure(&format!(
            "[accounts.ana.pop3]\nhost = \"localhost\"\nport = {}\nca_file = \"{ca}\"\n\
             [accounts.ana.smtp]\nhost = \"localhost\"\nport = {}\ntls = \"starttls\"\nca_file = \"{ca}\"\n",
            ports.pop3s, ports.submission
        ));
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
