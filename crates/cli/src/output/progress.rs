//! How far a download is: one line on the terminal.
//!
//! Written by hand: it is one line, and the usual crate would bring a thread and more code than the rest of the output.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::{Duration, Instant};

use archive::download;

use super::Out;
use super::text::{count, octets, safe, time};

/// The shortest time between two drawings of the line.
const PAUSE: Duration = Duration::from_millis(125);
/// Columns of the bar.
const BAR: usize = 20;
/// Columns of the folder's name.
const NAME: usize = 24;

/// Folder, messages, octets, rate, remaining time. Draws nothing where nothing can be drawn.
pub(crate) struct Progress {
    out: Out,
    draws: bool,
    begun: Instant,
    drawn: Option<Instant>,
    folder: Folder,
    octets: u64,
}

/// The folder that is being downloaded.
struct Folder {
    name: String,
    begun: Instant,
    new: u64,
    done: u64,
}

impl Progress {
    /// Begins.
    pub(crate) fn new(out: Out) -> Self {
        let now = Instant::now();
        let folder = Folder { name: String::new(), begun: now, new: 0, done: 0 };
        Self { out, draws: out.draws(), begun: now, drawn: None, folder, octets: 0 }
    }

    fn draw(&mut self) {
        let now = Instant::now();
        if !self.draws || self.drawn.is_some_and(|drawn| now.duration_since(drawn) < PAUSE) {
            return;
        }
        self.drawn = Some(now);
        let line = line(&self.folder, self.octets, now.duration_since(self.begun), now);
        // Wider than the terminal, the line would wrap and could not be taken back.
        let shown: String = line.chars().take(columns().saturating_sub(1)).collect();
        show(&format!("\r\x1b[2K{shown}"));
    }

    fn erase(&mut self) {
        if self.drawn.take().is_some() {
            show("\r\x1b[2K");
        }
    }

    /// Takes the line away.
    pub(crate) fn finish(&mut self) {
        self.erase();
    }
}

fn line(folder: &Folder, received: u64, elapsed: Duration, now: Instant) -> String {
    let Folder { name, begun, new, done } = folder;
    let mut line: String = name.chars().take(NAME).collect();
    let full = (*done).min(*new).saturating_mul(BAR as u64).checked_div(*new).unwrap_or(0);
    let full = usize::try_from(full).unwrap_or(BAR);
    let _ = write!(
        line,
        " {}{} {}/{}",
        "━".repeat(full),
        "╌".repeat(BAR.saturating_sub(full)),
        count(*done),
        count(*new)
    );
    let rate = u128::from(received) * 1_000 / elapsed.as_millis().max(1);
    let _ = write!(line, "  {}  {}/s", octets(received), octets(u64::try_from(rate).unwrap_or(u64::MAX)));
    // Before the first messages of a folder nothing can be said about the rest.
    if *done > 0 && done < new {
        let spent = now.duration_since(*begun).as_millis();
        let left = spent.saturating_mul(u128::from(new.saturating_sub(*done))) / u128::from(*done);
        let left = Duration::from_millis(u64::try_from(left).unwrap_or(u64::MAX));
        let _ = write!(line, "  {} left", time(left));
    }
    line
}

fn show(text: &str) {
    let mut err = std::io::stderr().lock();
    // A terminal that is gone is no reason to stop the download.
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

/// Columns of the terminal.
#[cfg(unix)]
fn columns() -> usize {
    match rustix::termios::tcgetwinsize(std::io::stderr()) {
        Ok(size) if size.ws_col > 0 => usize::from(size.ws_col),
        _ => 80,
    }
}

#[cfg(not(unix))]
fn columns() -> usize {
    80
}

impl download::Progress for Progress {
    fn folder(&mut self, name: &str, new: u64, stored: u64) {
        tracing::info!(new, stored, "folder {}", safe(name));
        self.folder = Folder { name: safe(name), begun: Instant::now(), new, done: 0 };
        self.erase();
        self.draw();
    }

    fn octets(&mut self, n: u64) {
        self.octets = self.octets.saturating_add(n);
        self.draw();
    }

    fn message(&mut self) {
        self.folder.done = self.folder.done.saturating_add(1);
        self.draw();
    }

    fn retry(&mut self, why: &postkey::Error, wait: Duration) {
        tracing::info!("session lost: {why}");
        self.erase();
        self.out.remark(format!("{why}; going on in {}", time(wait)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_far_how_fast_and_how_long_still() {
        let begun = Instant::now();
        let now = begun + Duration::from_secs(10);
        let folder = |new, done| Folder { name: "INBOX".into(), begun, new, done };
        let text = line(&folder(20_000, 5_000), 75_000_000, Duration::from_secs(10), now);
        assert_eq!(
            text,
            format!("INBOX {}{} 5,000/20,000  75.0 MB  7.5 MB/s  30.0 s left", "━".repeat(5), "╌".repeat(15))
        );
        let text = line(&folder(0, 0), 0, Duration::ZERO, now);
        assert_eq!(text, format!("INBOX {} 0/0  0 B  0 B/s", "╌".repeat(20)));
        // More than announced: new mail came meanwhile.
        assert!(
            line(&folder(2, 3), 9, Duration::ZERO, now).starts_with(&format!("INBOX {} 3/2", "━".repeat(20)))
        );
    }
}
