//! A command that prints a secret.

use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use wire::Secret;

use super::secret::{read, wrong};
use crate::exit::Result;
use crate::signals::Watch;

/// How long a command that gives a secret may take: somebody may have to touch a key.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long one that is to end may take for it.
const FAREWELL: Duration = Duration::from_millis(500);

/// How often is looked whether it has ended.
const PAUSE: Duration = Duration::from_millis(2);

/// Runs `command` by the shell and gives what it prints. Ctrl-C and SIGTERM end it and this program at once: nothing that this
/// program does is half done while it waits for a secret.
pub(super) fn run(command: &str, field: &str) -> Result<Secret> {
    let failed = |what: String| {
        wrong(field, &what, "run the command by hand and see that it prints the secret and nothing else")
    };
    let watch = Watch::begin()?;
    let mut running = Running::start(command)
        .map_err(|error| failed(format!("the command `{command}` cannot be started: {error}")))?;
    let (tell, hear) = std::sync::mpsc::channel();
    let (out, place) = (running.child.stdout.take(), (field.to_owned(), format!("the command `{command}`")));
    // A thread of its own: what the command leaves running may hold its output open for ever.
    std::thread::spawn(move || {
        let printed = out.map_or_else(|| Ok(Secret::default()), |out| read(out, &place.0, &place.1));
        let _ = tell.send(printed);
    });
    let waited = running.wait(PATIENCE, || watch.is_signalled());
    // Ctrl-C at a terminal reaches the command as well, perhaps sooner than we hear of it.
    let mut looks = if matches!(waited, Ok(Some(status)) if !status.success()) { 50 } else { 0 };
    while looks > 0 && !watch.is_signalled() {
        std::thread::sleep(PAUSE);
        looks -= 1;
    }
    if watch.is_signalled() {
        running.end();
        watch.interrupt();
    }
    let status = match waited {
        Ok(Some(status)) => status,
        Ok(None) => {
            running.end();
            return Err(failed(format!(
                "the command `{command}` did not end within {} s",
                PATIENCE.as_secs()
            )));
        }
        Err(error) => return Err(failed(format!("the command `{command}` was lost: {error}"))),
    };
    if !status.success() {
        return Err(failed(format!("the command `{command}` ended with {status}")));
    }
    hear.recv_timeout(Duration::from_secs(1)).unwrap_or_else(|_| {
        Err(failed(format!(
            "the command `{command}` has ended, but something it started keeps its output open"
        )))
    })
}

/// A command on its way.
struct Running {
    child: Child,
    /// Whether it and what it starts are a process group of their own.
    grouped: bool,
}

impl Running {
    /// No secret is in the arguments: the command is what the user wrote. Its complaints go where ours go.
    fn start(command: &str) -> std::io::Result<Self> {
        let mut shell = shell(command);
        let grouped = group(&mut shell);
        let child = shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn()?;
        Ok(Self { child, grouped })
    }

    /// Waits for the end; `None` if it has not come in time, or when there is to be no more waiting.
    fn wait(&mut self, longest: Duration, enough: impl Fn() -> bool) -> std::io::Result<Option<ExitStatus>> {
        let end = Instant::now() + longest;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(Some(status));
            }
            if Instant::now() >= end || enough() {
                return Ok(None);
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Ends it, with what it has started where that can be reached.
    fn end(&mut self) {
        // Politely first: `gpg` and the like put the terminal in order.
        self.tell(Ending::Asked);
        let _ = self.wait(FAREWELL, || false);
        self.tell(Ending::Forced);
        let _ = self.child.wait();
    }

    #[cfg(unix)]
    fn tell(&mut self, ending: Ending) {
        use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process_group};
        let signal = match ending {
            Ending::Asked => Signal::TERM,
            Ending::Forced => Signal::KILL,
        };
        let Some(id) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) else { return };
        // The number of a group stays taken while anybody is in it, that of a child until it was waited for.
        let sent = if self.grouped {
            test_kill_process_group(id).and_then(|()| kill_process_group(id, signal))
        } else if matches!(self.child.try_wait(), Ok(None)) {
            kill_process(id, signal)
        } else {
            Ok(())
        };
        if let Err(error) = sent {
            tracing::debug!("the command could not be told to end: {error}");
        }
    }

    #[cfg(not(unix))]
    fn tell(&mut self, ending: Ending) {
        if matches!(ending, Ending::Forced) {
            let _ = self.child.kill();
        }
    }
}

/// How a command is ended.
#[derive(Clone, Copy)]
enum Ending {
    Asked,
    Forced,
}

/// Makes the command and all it starts one process group, so that all of it can be ended; says whether that was done. Not where there
/// is a terminal: a group in its background may not ask for a PIN there, and Ctrl-C at the terminal reaches every process by itself.
#[cfg(unix)]
fn group(shell: &mut Command) -> bool {
    use std::os::unix::process::CommandExt as _;
    let alone = std::fs::File::open("/dev/tty").is_err();
    if alone {
        shell.process_group(0);
    }
    alone
}

#[cfg(not(unix))]
fn group(_: &mut Command) -> bool {
    false
}

#[cfg(unix)]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command);
    shell
}

#[cfg(not(unix))]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("cmd");
    shell.arg("/C").arg(command);
    shell
}
