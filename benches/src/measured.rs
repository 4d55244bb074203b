//! Calling a program and what it used.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::Command;

/// A program and its arguments.
pub type CommandLine = Vec<String>;

/// What one call used.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// Seconds.
    pub wall: f64,
    /// Seconds of user and system time.
    pub cpu: f64,
    /// MiB.
    pub rss: f64,
}

/// A row of the table.
#[derive(Clone, Debug)]
pub struct Row {
    /// What it is called.
    pub label: String,
    /// One for each call.
    pub usages: Vec<Usage>,
    /// Files stored by the last call.
    pub stored: Option<usize>,
    /// Why the row has no numbers.
    pub failure: Option<String>,
}

impl Row {
    /// A row without numbers yet.
    pub fn new(label: impl Into<String>) -> Self {
        Self { label: label.into(), usages: Vec::new(), stored: None, failure: None }
    }

    /// The median of all calls.
    pub fn median(&self, of: impl Fn(&Usage) -> f64) -> Option<f64> {
        let mut values: Vec<f64> = self.usages.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        match values.len() {
            0 => None,
            n if n % 2 == 0 => Some((values[middle - 1] + values[middle]) / 2.0),
            _ => Some(values[middle]),
        }
    }

    /// The largest peak of all calls.
    pub fn peak(&self) -> Option<f64> {
        self.usages.iter().map(|usage| usage.rss).max_by(f64::total_cmp)
    }

    /// The shortest and the longest call, in seconds.
    pub fn extremes(&self) -> (f64, f64) {
        let walls = self.usages.iter().map(|usage| usage.wall);
        walls.fold((f64::MAX, 0.0_f64), |(low, high), wall| (low.min(wall), high.max(wall)))
    }
}

/// A promise and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The promise with the number seen.
    pub text: String,
    /// Whether it was kept.
    pub kept: bool,
}

impl Verdict {
    /// All of them as a list in Markdown.
    pub fn table(verdicts: &[Self]) -> String {
        let lines = verdicts.iter().map(|verdict| {
            format!("- {} {}\n", if verdict.kept { "kept:" } else { "**not kept:**" }, verdict.text)
        });
        std::iter::once("### Bounds\n\n".to_owned()).chain(lines).collect()
    }
}

/// The row of a program that did its work in this scenario.
pub fn find<'a>(rows: &'a [Row], label: &str) -> Option<&'a Row> {
    rows.iter().find(|row| row.label == label && row.failure.is_none())
}

/// Removes a directory with all that is in it, if it is there.
///
/// # Errors
/// From the file system.
pub fn clear(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

/// Calls a program by `measure`, which stands beside this one. `dir` takes what it says. The inner result is the program's: its usage, or
/// how it failed.
///
/// # Errors
/// When the files of the measurement cannot be written or read.
pub fn call(dir: &Path, line: &CommandLine) -> io::Result<Result<Usage, String>> {
    let (numbers, errors) = (dir.join("usage"), dir.join("errors"));
    let measure = std::env::current_exe()?.with_file_name("measure");
    let status = Command::new(measure)
        .arg(&numbers)
        .args(line)
        .stdout(File::create(dir.join("output"))?)
        .stderr(File::create(&errors)?)
        .status()?;
    let said = || fs::read_to_string(&errors).unwrap_or_default().trim().to_owned();
    if !status.success() {
        return Ok(Err(format!("could not be run: {}", said())));
    }
    Ok(match usage(&fs::read_to_string(numbers)?) {
        Some((usage, 0)) => Ok(usage),
        Some((_, code)) => Err(format!("exit code {code}: {}", said())),
        None => Err("was not measured".into()),
    })
}

/// Reads what `measure` writes.
fn usage(line: &str) -> Option<(Usage, i32)> {
    let mut numbers = line.split_whitespace();
    let mut next = || numbers.next()?.parse::<f64>().ok();
    let (wall, user, system, rss, code) = (next()?, next()?, next()?, next()?, next()?);
    let usage = Usage { wall: wall / 1e6, cpu: (user + system) / 1e6, rss: rss / 1024.0 };
    Some((usage, code as i32))
}

/// The processor, the number of its cores and the kernel.
pub fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = processor.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
    format!("{cores} cores ({}), Linux {}", processor.trim_start_matches([':', '\t', ' ']), kernel.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(walls: &[f64]) -> Row {
        let usages = walls.iter().map(|&wall| Usage { wall, cpu: 0.0, rss: wall * 2.0 }).collect();
        Row { usages, ..Row::new("x") }
    }

    #[test]
    fn medians_and_peaks() {
        assert_eq!(row(&[3.0, 1.0, 2.0]).median(|u| u.wall), Some(2.0));
        assert_eq!(row(&[4.0, 1.0, 2.0, 3.0]).median(|u| u.wall), Some(2.5));
        assert_eq!(row(&[]).median(|u| u.wall), None);
        assert_eq!(row(&[1.0, 5.0, 2.0]).peak(), Some(10.0));
        assert_eq!(row(&[4.0, 1.0, 2.0]).extremes(), (1.0, 4.0));
    }

    #[test]
    fn the_line_of_measure() {
        let expected = Usage { wall: 1.5, cpu: 0.75, rss: 3.0 };
        assert_eq!(usage("1500000 500000 250000 3072 0\n"), Some((expected, 0)));
        assert_eq!(usage("1500000 500000"), None);
    }
}
