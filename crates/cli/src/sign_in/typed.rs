//! What a person types or pastes and nobody is to see.

use std::io::{self, BufRead as _, Read as _};

#[cfg(unix)]
use rustix::termios::LocalModes;
use tokio::sync::mpsc;
use wire::Secret;
use zeroize::Zeroizing;

/// Longest line read, in octets: authorization codes have some 2 KB.
const LONGEST: u64 = 32 * 1024;

/// The lines of standard input that are not empty, without blanks around them.
pub(super) struct Lines {
    lines: mpsc::Receiver<io::Result<Secret>>,
    /// Here and not in the thread, so that it ends with the wait.
    _quiet: Quiet,
}

impl Lines {
    /// What is pasted: a terminal shows nothing of it, and does not edit it, because an edited line ends at 4,095 octets.
    pub(super) fn pasted() -> Self {
        let quiet = Quiet::set(LocalModes::ECHO | LocalModes::ICANON);
        Self { lines: lines(), _quiet: quiet }
    }

    /// What is typed: a terminal shows nothing of it.
    pub(super) fn typed() -> Self {
        let quiet = Quiet::set(LocalModes::ECHO);
        Self { lines: lines(), _quiet: quiet }
    }

    /// The next line; `None` at the end.
    pub(super) async fn next(&mut self) -> Option<io::Result<Secret>> {
        self.lines.recv().await
    }
}

/// The lines of standard input, from a thread of its own: a read cannot be given up, the wait for it can.
fn lines() -> mpsc::Receiver<io::Result<Secret>> {
    let (tell, hear) = mpsc::channel(1);
    std::thread::spawn(move || {
        let mut reader = io::stdin().lock();
        loop {
            let mut line = Zeroizing::new(Vec::new());
            let read = (&mut reader).take(LONGEST).read_until(b'\n', &mut line);
            let news = match read {
                Ok(0) => return,
                Ok(_) if line.trim_ascii().is_empty() => continue,
                Ok(_) => Ok(Secret::from(String::from_utf8_lossy(line.trim_ascii()).into_owned())),
                Err(error) => Err(error),
            };
            let last = news.is_err();
            if tell.blocking_send(news).is_err() || last {
                return;
            }
        }
    });
    hear
}

/// Stands for what cannot be set here.
#[cfg(not(unix))]
struct LocalModes;

#[cfg(not(unix))]
impl LocalModes {
    const ECHO: u8 = 1;
    const ICANON: u8 = 2;
}

/// The terminal with some of its ways switched off, until it is dropped.
struct Quiet {
    #[cfg(unix)]
    before: Option<rustix::termios::Termios>,
}

impl Quiet {
    #[cfg(unix)]
    fn set(off: LocalModes) -> Self {
        use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
        let stdin = io::stdin();
        // No terminal: nothing to set.
        let Ok(before) = tcgetattr(&stdin) else { return Self { before: None } };
        let mut wanted = before.clone();
        wanted.local_modes.remove(off);
        let set = tcsetattr(&stdin, OptionalActions::Now, &wanted);
        Self { before: set.is_ok().then_some(before) }
    }

    #[cfg(not(unix))]
    fn set(_: u8) -> Self {
        Self {}
    }
}

#[cfg(unix)]
impl Drop for Quiet {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // A terminal that is gone needs no setting.
            let _ = rustix::termios::tcsetattr(io::stdin(), rustix::termios::OptionalActions::Now, before);
        }
    }
}
