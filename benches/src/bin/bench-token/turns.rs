//! Calling programs in turns, from before the process is made until it has been waited for.

use std::process::{Command, Stdio};
use std::time::Instant;

/// A program with what its calls took.
pub(crate) struct Series {
    pub(crate) label: &'static str,
    pub(crate) command: Command,
    /// It is called in every so many turns.
    every: usize,
    /// Seconds.
    taken: Vec<f64>,
}

impl Series {
    pub(crate) fn new(label: &'static str, command: Command, every: usize) -> Self {
        Self { label, command, every, taken: Vec::new() }
    }

    /// The time that this share of the calls did not exceed, in seconds.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.taken.clone();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().saturating_sub(1);
        sorted.get((last as f64 * share).round() as usize).copied().unwrap_or(f64::NAN)
    }

    pub(crate) fn median(&self) -> f64 {
        self.quantile(0.5)
    }
}

/// Calls all of them in turns; the first turn is not counted.
pub(crate) fn run(all: &mut [Series], runs: usize) -> Result<(), String> {
    for turn in 0..=runs {
        for series in all.iter_mut().filter(|series| turn % series.every == 0) {
            let command = series.command.stdin(Stdio::null()).stdout(Stdio::null());
            let begin = Instant::now();
            let status = command.status().map_err(|e| format!("{}: {e}", series.label))?;
            let taken = begin.elapsed().as_secs_f64();
            if !status.success() {
                return Err(format!("{} ended with {status}", series.label));
            }
            if turn > 0 {
                series.taken.push(taken);
            }
        }
    }
    Ok(())
}
