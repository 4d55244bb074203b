//! A terminal beside a running `postkey sandbox`, and the person who sits at it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use sandbox::ANA;

use super::page::Step;
use crate::person::{Person, Visitor};
use crate::support::*;

/// Longest silence before the test says that something hangs, instead of hanging itself.
const SILENCE: Duration = Duration::from_secs(120);

/// What the shell prints between two commands.
const MARK: &str = "\u{1}next";

/// The file that has what stands on the sandbox's terminal.
const SCREEN: &str = "sandbox.out";

/// A shell in this home, with our program in its path.
fn command(home: &Home, script: &str) -> Command {
    let bin = Path::new(env!("CARGO_BIN_EXE_postkey")).parent().unwrap();
    let mut paths = vec![bin.to_owned()];
    paths.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    let mut command = Command::new("sh");
    command.args(["-c", script]).current_dir(home.dir.path()).env_clear();
    command.env("HOME", home.dir.path()).env("PATH", std::env::join_paths(paths).unwrap());
    // What the sandbox leaves when it is killed is not left to the machine.
    command.env("TMPDIR", home.dir.path()).env("POSTKEY_BROWSER", "true");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a line of the shell.
pub(super) fn shell(home: &Home, script: &str) -> Ran {
    finish(command(home, script).spawn().unwrap(), String::new())
}

/// The reader's two terminals: the sandbox's, and the one beside it.
pub(super) struct Terminal<'a> {
    home: &'a Home,
    sandbox: Child,
}

impl<'a> Terminal<'a> {
    /// Starts the sandbox as the page says.
    pub(super) fn beside(home: &'a Home, start: &str) -> Self {
        assert!(start.starts_with("postkey sandbox "), "{start}");
        let file = start.split_once("--env-file ").expect("no --env-file").1;
        // `exec`: the child is the sandbox itself and can be ended.
        let mut command = command(home, &format!("exec {start}"));
        let mut sandbox = command.stdout(std::fs::File::create(home.path(SCREEN)).unwrap()).spawn().unwrap();
        let file = home.path(file);
        while !file.exists() {
            assert!(sandbox.try_wait().unwrap().is_none(), "the sandbox did not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { home, sandbox }
    }

    /// Does what the page says, and fails where it goes otherwise than the page shows.
    pub(super) fn follow(&self, page: &str, steps: &[Step]) {
        let mut script = String::from("set -e\n");
        for step in steps {
            script.push_str(&step.command);
            script.push_str(&format!("\nprintf '{MARK}\\n'\n"));
        }
        // The sandbox's application takes any port of localhost; the one on the page may be another program's here.
        let script = script.replace("localhost:3017", &format!("localhost:{}", free_port()));
        let (out, both) = std::io::pipe().unwrap();
        let mut command = command(self.home, &script);
        command.stdin(Stdio::piped()).stdout(both.try_clone().unwrap()).stderr(both);
        let mut child = command.spawn().unwrap();
        // Its ends of the pipe would keep it open.
        drop(command);
        let (tell, heard) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines() {
                if tell.send(line.unwrap()).is_err() {
                    break;
                }
            }
        });
        let mut person = Someone::new(self.home, child.stdin.take().unwrap());
        let mut printed = vec![String::new()];
        loop {
            match heard.recv_timeout(SILENCE) {
                Ok(line) if line == MARK => printed.push(String::new()),
                Ok(line) => {
                    person.reads(&line);
                    let text = printed.last_mut().unwrap();
                    text.push_str(&line);
                    text.push('\n');
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    let _ = child.kill();
                    panic!("{page}: nothing happens any more behind: {printed:?}");
                }
            }
        }
        let status = child.wait().unwrap();
        assert!(status.success(), "{page}: {status} behind:\n{}", printed.concat());
        for (step, printed) in steps.iter().zip(&printed) {
            assert!(
                step.matches(printed),
                "{page}: {}\n\nthe page shows:\n{}\n\nit prints:\n{printed}",
                step.command,
                step.shown.join("\n")
            );
        }
    }
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        let _ = self.sandbox.kill();
        let _ = self.sandbox.wait();
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Ana, who reads the terminal and does what it asks for.
struct Someone {
    runtime: tokio::runtime::Runtime,
    visitor: Visitor,
    keyboard: std::process::ChildStdin,
    /// The address to open, once it has been shown.
    address: Option<String>,
    open: Option<String>,
}

impl Someone {
    fn new(home: &Home, keyboard: std::process::ChildStdin) -> Self {
        // What a reader's shell would have.
        let value =
            |name: &str| shell(home, &format!(". ./sandbox.env; printf %s \"${name}\"")).code(0).stdout;
        let ca = std::fs::read_to_string(value("SANDBOX_CA")).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let screen = std::fs::read_to_string(home.path(SCREEN)).unwrap();
        let line = screen.lines().find(|line| line.trim_start().starts_with(ANA)).unwrap();
        let password = line.split_once("password ").unwrap().1.trim();
        let visitor = Visitor::new(&value("SANDBOX_BASE_URL"), &ca, ANA, password);
        Self { runtime, visitor, keyboard, address: None, open: None }
    }

    /// Reads a line.
    fn reads(&mut self, line: &str) {
        let line = line.trim();
        if let Some(address) = line.strip_prefix("1. Open ") {
            self.open = Some(address.trim().to_owned());
        } else if let Some(code) = line.strip_prefix("2. Type ") {
            let address = self.open.take().expect("a code without an address");
            self.runtime.block_on(self.visitor.device(&address, code.trim()));
        } else if line.starts_with("https://") && (line.contains("/authorize?") || line.contains("/auth?")) {
            self.address = Some(line.to_owned());
        } else if line.starts_with("Copy that address") {
            let address = self.address.take().expect("nothing to open was shown");
            let end = self.runtime.block_on(self.visitor.ends_on(&address, Person::Accepts));
            writeln!(self.keyboard, "{end}").unwrap();
        } else if line.starts_with("Waiting;") {
            // With a code, everything has been done.
            if let Some(address) = self.address.take() {
                self.runtime.block_on(self.visitor.accept(&address));
            }
        }
    }
}
