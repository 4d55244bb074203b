//! What is different at a terminal: a pseudo-terminal stands for one, and the test for who sits at it.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
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
    keyboard: File,
    lines: mpsc::Receiver<String>,
    seen: String,
}

impl Terminal {
    fn run(home: &Home, args: &[&str]) -> Self {
        Self::with(home.command(args))
    }

    fn with(mut command: Command) -> Self {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&controller).unwrap();
        unlockpt(&controller).unwrap();
        let name = ptsname(&controller, Vec::new()).unwrap().into_string().unwrap();
        let flags = i32::try_from(OFlags::NOCTTY.bits()).unwrap();
        let open = || OpenOptions::new().read(true).write(true).custom_flags(flags).open(&name).unwrap();
        command
            .env("NO_COLOR", "1")
            .stdin(Stdio::from(open()))
            .stdout(Stdio::from(open()))
            .stderr(Stdio::from(open()));
        let child = command.spawn().unwrap();
        // Our ends of the terminal would keep it open.
        drop(command);
        let keyboard = File::from(controller.try_clone().unwrap());
        let (tell, lines) = mpsc::channel();
        std::thread::spawn(move || {
            // The end of a terminal is an error: everybody else has closed it.
            for line in BufReader::new(File::from(controller)).lines().map_while(Result::ok) {
                if tell.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, keyboard, lines, seen: String::new() }
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

/// Somebody waits for a PIN: the command's processes, which the test ends if nobody else does.
const WAITS: &str = "sleep 600 & echo $! > sleeper.new; mv sleeper.new sleeper; wait; echo secret";

/// An account whose token comes from a command that never ends, and one whose password does.
fn waiting() -> Home {
    let home = Home::new();
    home.configure(&format!(
        "[accounts.foreign]\nuser = \"ana@x.example\"\ntoken = {{ command = \"{WAITS}\" }}\n\
         [accounts.pin]\nuser = \"ana@x.example\"\ntenant = \"x.example\"\nclient_id = \"c\"\nflow = \"password\"\n\
         [accounts.pin.oauth]\npassword = {{ command = \"{WAITS}\" }}\n"
    ));
    home
}

/// The number of the command's process, once it runs.
fn sleeper(home: &Home) -> String {
    let path = home.path("sleeper");
    for _ in 0..1200 {
        if let Ok(id) = std::fs::read_to_string(&path) {
            std::fs::remove_file(&path).unwrap();
            return id.trim().to_owned();
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("the command was not run");
}

fn kill(signal: &str, id: &str) -> bool {
    Command::new("kill").args([signal, id]).stderr(Stdio::null()).status().unwrap().success()
}

/// Fails if the command's process is still there a while later.
fn gone(id: &str) {
    for _ in 0..200 {
        // One that has ended and that nobody has waited for is no process any more.
        let state = Command::new("ps").args(["-o", "stat=", "-p", id]).output().unwrap().stdout;
        if state.trim_ascii().is_empty() || state.starts_with(b"Z") {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    kill("-KILL", id);
    panic!("the command is still running");
}

/// The program in a session of its own, without a terminal or with the one it is given.
fn session(home: &Home, option: &[&str], args: &[&str]) -> Command {
    let words = [option, &[env!("CARGO_BIN_EXE_postkey")], args].concat();
    home.command_of(Path::new("setsid"), &words)
}

#[test]
fn a_signal_while_a_secrets_command_runs_ends_both_at_once() {
    let home = waiting();
    for (args, signal) in [
        (&["token", "foreign"][..], "-INT"),
        (&["token", "foreign", "--json"], "-TERM"),
        (&["login", "pin"], "-INT"),
    ] {
        let child = session(&home, &[], args).spawn().unwrap();
        let id = sleeper(&home);
        assert!(kill(signal, &child.id().to_string()));
        let ran = finish(child, String::new()).code(130).says(&["interrupted"]);
        assert!(
            ran.stdout.is_empty() && (!args.contains(&"--json") || ran.stderr.starts_with('{')),
            "{ran:?}"
        );
        gone(&id);
    }
}

#[test]
fn ctrl_c_at_the_terminal_ends_a_secrets_command_too() {
    let home = waiting();
    for args in [["token", "foreign"], ["login", "pin"]] {
        let mut terminal = Terminal::with(session(&home, &["--ctty"], &args));
        let id = sleeper(&home);
        terminal.keyboard.write_all(b"\x03").unwrap();
        let seen = ended(terminal, 130);
        assert!(seen.contains("interrupted"), "{seen}");
        gone(&id);
    }
}

#[test]
fn a_signal_after_a_secrets_command_still_ends_the_program() {
    let world = World::new();
    let account = world.account("late", "device", sandbox::DAEMON_APP);
    let secret = "client_secret = { command = \"cat ~/daemon.secret\" }\n[accounts.late.oauth]";
    world.configure(&account.replacen("[accounts.late.oauth]", secret, 1));
    let mut child = world.home.command(&["login", "late"]).spawn().unwrap();
    let ((), seen, rest) = until(&mut child, |line| line.starts_with("Waiting").then_some(()));
    assert!(kill("-INT", &child.id().to_string()));
    world.end(child, seen, rest).code(130).says(&["interrupted"]);
}
