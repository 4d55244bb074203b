//! What is different at a terminal: a pseudo-terminal stands for one, and the test for who sits at it.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use sandbox::{ANA, RequestKind};

use crate::support::*;

/// Longest silence before the test says that something hangs, instead of hanging itself.
const SILENCE: Duration = Duration::from_secs(60);

/// A terminal with our program in it.
struct Terminal {
    child: Child,
    lines: mpsc::Receiver<String>,
    seen: String,
}

impl Terminal {
    fn run(home: &Home, args: &[&str]) -> Self {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&controller).unwrap();
        unlockpt(&controller).unwrap();
        let name = ptsname(&controller, Vec::new()).unwrap().into_string().unwrap();
        let flags = i32::try_from(OFlags::NOCTTY.bits()).unwrap();
        let open = || OpenOptions::new().read(true).write(true).custom_flags(flags).open(&name).unwrap();
        let mut command = home.command(args);
        command
            .env("NO_COLOR", "1")
            .stdin(Stdio::from(open()))
            .stdout(Stdio::from(open()))
            .stderr(Stdio::from(open()));
        let child = command.spawn().unwrap();
        // Our ends of the terminal would keep it open.
        drop(command);
        let (tell, lines) = mpsc::channel();
        std::thread::spawn(move || {
            // The end of a terminal is an error: everybody else has closed it.
            for line in BufReader::new(File::from(controller)).lines().map_while(Result::ok) {
                if tell.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, lines, seen: String::new() }
    }

    /// Reads up to a line that `wanted` gives something for.
    #[track_caller]
    fn until<T>(&mut self, wanted: impl Fn(&str) -> Option<T>) -> T {
        loop {
            match self.lines.recv_timeout(SILENCE) {
                Ok(line) => {
                    self.seen.push_str(&line);
                    self.seen.push('\n');
                    if let Some(found) = wanted(line.trim_end()) {
                        return found;
                    }
                }
                Err(error) => {
                    let _ = self.child.kill();
                    panic!("{error}: {}", self.seen);
                }
            }
        }
    }

    fn code(&mut self) -> String {
        self.until(|line| Some(line.strip_prefix("  2. Type")?.trim().to_owned()))
    }

    /// Reads to the end.
    fn end(mut self) -> (ExitStatus, String) {
        while let Ok(line) = self.lines.recv_timeout(SILENCE) {
            self.seen.push_str(&line);
            self.seen.push('\n');
        }
        let _ = self.child.kill();
        (self.child.wait().unwrap(), self.seen)
    }
}

#[track_caller]
fn ended(terminal: Terminal, code: i32) -> String {
    let (status, seen) = terminal.end();
    assert_eq!((status.code(), status.signal()), (Some(code), None), "{seen}");
    seen
}

#[test]
fn a_code_that_ran_out_is_followed_by_a_fresh_one_that_signs_in() {
    let world = World::new();
    let mut terminal = Terminal::run(&world.home, &["login", "ana"]);
    let first = terminal.code();
    world.sandbox.advance(Duration::from_secs(901));
    let second = terminal.code();
    assert_ne!(first, second);
    assert!(terminal.seen.contains("The code has run out; here is a new one."), "{}", terminal.seen);
    world.approve(&world.sandbox, &second);
    let seen = ended(terminal, 0);
    assert!(seen.contains(&format!("Signed in as {ANA}")), "{seen}");
    // At a terminal the address is drawn as well.
    assert!(seen.contains('█'), "{seen}");
    assert_eq!(world.sandbox.requests(RequestKind::DeviceCode), 2);
    world.run(&["token", "ana"]).code(0);
}

#[test]
fn fresh_codes_have_an_end() {
    let world = World::new();
    let mut terminal = Terminal::run(&world.home, &["login", "ana"]);
    for _ in 0..3 {
        terminal.code();
        world.sandbox.advance(Duration::from_secs(901));
    }
    let seen = ended(terminal, 23);
    assert_eq!(seen.matches("here is a new one").count(), 2, "{seen}");
    assert!(seen.contains("postkey login ana"), "{seen}");
    assert_eq!(world.sandbox.requests(RequestKind::DeviceCode), 3);
}
