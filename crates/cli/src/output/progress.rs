//! How far a download is.

use std::time::Duration;

use archive::download;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Out;
use super::text::{octets, safe, time};

/// A line on the terminal: folder, messages, octets, rate, remaining time. Draws nothing where nothing can be drawn.
pub(crate) struct Progress {
    out: Out,
    bar: ProgressBar,
    octets: u64,
    /// Octets when the line was last changed: doing so for every piece that arrives would cost more than it shows.
    shown: u64,
}

/// Octets between two changes of the line.
const STEP: u64 = 64 * 1024;

impl Progress {
    /// Begins.
    pub(crate) fn new(out: Out) -> Self {
        Self { out, bar: if out.draws() { line() } else { ProgressBar::hidden() }, octets: 0, shown: 0 }
    }

    fn show(&mut self) {
        self.shown = self.octets;
        let seconds = self.bar.elapsed().as_secs_f64().max(0.001);
        let rate = octets((self.octets as f64 / seconds) as u64);
        self.bar.set_message(format!("{}  {rate}/s", octets(self.octets)));
    }

    /// Takes the line away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

fn line() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(8));
    // The template is a constant; should it not parse, the default style says as much.
    if let Ok(style) =
        ProgressStyle::with_template("{prefix:.bold} {wide_bar} {human_pos}/{human_len}  {msg}  {eta}")
    {
        bar.set_style(style.progress_chars("━╾ "));
    }
    // For the clock to run while a big message is under way.
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

impl download::Progress for Progress {
    fn folder(&mut self, name: &str, new: u64, _: u64) {
        tracing::info!(new, "folder {}", safe(name));
        self.bar.set_prefix(safe(name));
        // A folder that is opened again after a lost session has its messages counted already.
        let known = self.bar.position().saturating_add(new);
        self.bar.set_length(self.bar.length().unwrap_or(0).max(known));
    }

    fn octets(&mut self, n: u64) {
        self.octets = self.octets.saturating_add(n);
        if self.octets.saturating_sub(self.shown) >= STEP {
            self.show();
        }
    }

    fn message(&mut self) {
        self.bar.inc(1);
    }

    fn retry(&mut self, why: &postkey::Error, wait: Duration) {
        tracing::info!("session lost: {why}");
        let line = format!("{why}; going on in {}", time(wait));
        self.bar.suspend(|| self.out.remark(&line));
    }
}
