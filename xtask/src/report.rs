//! What a step came to, and the last line of a run.

use std::fmt;
use std::ops::AddAssign;
use std::time::Duration;

/// How many checks passed, failed and could not run. A step that is one check counts as one; a step that
/// runs tests counts each of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
}

impl Counts {
    pub(crate) const PASSED: Self = Self { passed: 1, failed: 0, skipped: 0 };
    pub(crate) const FAILED: Self = Self { passed: 0, failed: 1, skipped: 0 };

    pub(crate) fn skipped(count: usize) -> Self {
        Self { skipped: count, ..Self::default() }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// The form that the continuous integration reads: it must stay the last line of a run.
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// What one step reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) counts: Counts,
    /// Why something failed or was skipped; one finding per line. Empty when there is nothing to say.
    pub(crate) notes: Vec<String>,
}

impl Outcome {
    pub(crate) fn passed() -> Self {
        Self { counts: Counts::PASSED, notes: Vec::new() }
    }

    pub(crate) fn failed(note: impl Into<String>) -> Self {
        Self { counts: Counts::FAILED, notes: vec![note.into()] }
    }

    pub(crate) fn skipped(count: usize, note: impl Into<String>) -> Self {
        Self { counts: Counts::skipped(count), notes: vec![note.into()] }
    }

    /// One check with any number of findings: none means it passed.
    pub(crate) fn from_findings(findings: Vec<String>) -> Self {
        let counts = if findings.is_empty() { Counts::PASSED } else { Counts::FAILED };
        Self { counts, notes: findings }
    }

    fn word(&self) -> &'static str {
        match self.counts {
            Counts { failed: 1.., .. } => "FAILED",
            Counts { skipped: 1.., passed: 0, .. } => "skipped",
            Counts { skipped: 1.., .. } => "passed, some skipped",
            _ => "passed",
        }
    }
}

/// A step's line in the summary.
pub(crate) struct Finished {
    pub(crate) name: &'static str,
    pub(crate) took: Duration,
    pub(crate) outcome: Outcome,
}

/// Prints the table of steps and the final line; returns the sum.
pub(crate) fn summary(steps: &[Finished]) -> Counts {
    let mut total = Counts::default();
    println!();
    for step in steps {
        total += step.outcome.counts;
        let counts = step.outcome.counts;
        println!(
            "{:<10} {:<20} {:>7.1} s  ({counts})",
            step.name,
            step.outcome.word(),
            step.took.as_secs_f64()
        );
    }
    for step in steps {
        for note in &step.outcome.notes {
            println!("  {}: {note}", step.name);
        }
    }
    println!("{total}");
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_the_one_that_is_read() {
        let counts = Counts { passed: 12, failed: 0, skipped: 3 };
        assert_eq!(counts.to_string(), "12 passed, 0 failed, 3 skipped");
    }

    #[test]
    fn one_failure_makes_the_step_fail() {
        let outcome = Outcome { counts: Counts { passed: 99, failed: 1, skipped: 2 }, notes: Vec::new() };
        assert_eq!(outcome.word(), "FAILED");
    }

    #[test]
    fn findings_decide() {
        assert_eq!(Outcome::from_findings(Vec::new()).counts, Counts::PASSED);
        let failed = Outcome::from_findings(vec!["a".into(), "b".into()]);
        assert_eq!((failed.counts, failed.notes.len()), (Counts::FAILED, 2));
    }
}
