//! Calling programs in turns and measuring each.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::Command;

use crate::clients::{Client, CommandLine, Job};
use crate::lab::Lab;

/// One program in one scenario.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) client: Client,
    /// What distinguishes it from the same program in another row; empty for most.
    pub(crate) variant: &'static str,
    pub(crate) job: Job,
}

impl Entry {
    pub(crate) fn label(&self) -> String {
        match self.variant {
            "" => self.client.name().to_owned(),
            variant => format!("{} ({variant})", self.client.name()),
        }
    }
}

/// What one call used.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Usage {
    /// Seconds.
    pub(crate) wall: f64,
    /// Seconds of user and system time.
    pub(crate) cpu: f64,
    /// MiB.
    pub(crate) rss: f64,
}

/// A row of the table.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) label: String,
    pub(crate) usages: Vec<Usage>,
    /// Files stored by the last call.
    pub(crate) stored: Option<usize>,
    /// Why the row has no numbers.
    pub(crate) failure: Option<String>,
}

impl Row {
    pub(crate) fn median(&self, of: impl Fn(&Usage) -> f64) -> Option<f64> {
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
    pub(crate) fn peak(&self) -> Option<f64> {
        self.usages.iter().map(|usage| usage.rss).max_by(f64::total_cmp)
    }
}

/// What a call finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Before {
    /// Nothing: everything is downloaded.
    Empty,
    /// What the same program left there: nothing is new.
    Complete,
}

/// Calls each program so often, one after the other, so that what slows the machine slows all of them.
pub(crate) fn in_turns(lab: &Lab, entries: Vec<Entry>, before: Before) -> io::Result<Vec<Row>> {
    let mut calls = Vec::new();
    for entry in entries.into_iter().filter(|entry| lab.options.wants_client(entry.client)) {
        let mut row = Row { label: entry.label(), usages: Vec::new(), stored: None, failure: None };
        let Some(program) = entry.client.program() else {
            eprintln!("  {}: not here, left out", row.label);
            continue;
        };
        clear(&entry.job.dir)?;
        let line = entry.client.prepare(&program, lab, &entry.job)?;
        if before == Before::Complete {
            call_checked(&entry, &line, &mut row)?;
            row.usages.clear(); // the first call of such a row is the download, which is not measured
        }
        calls.push((entry, program, row));
    }
    let count = calls.len();
    for turn in 0..lab.options.runs {
        for n in 0..count {
            let (entry, program, row) = &mut calls[(turn + n) % count];
            if row.failure.is_some() {
                continue;
            }
            if before == Before::Empty {
                clear(&entry.job.dir)?;
            }
            let line = entry.client.prepare(program, lab, &entry.job)?;
            rustix::fs::sync(); // what the call before left to be written is not this one's
            call_checked(entry, &line, row)?;
            if before == Before::Empty {
                clear(&entry.job.dir)?;
            }
        }
    }
    calls.into_iter().map(|(entry, _, row)| clear(&entry.job.dir).map(|()| row)).collect()
}

/// Calls a program once, for what it does to the server. That it worked is not checked: the measured calls are.
pub(crate) fn once(lab: &Lab, entry: &Entry) -> io::Result<()> {
    if let Some(program) = entry.client.program() {
        let line = entry.client.prepare(&program, lab, &entry.job)?;
        let _ = call(&entry.job.dir, &line)?;
        clear(&entry.job.dir)?;
    }
    Ok(())
}

fn clear(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

fn call_checked(entry: &Entry, line: &CommandLine, row: &mut Row) -> io::Result<()> {
    match call(&entry.job.dir, line)? {
        Ok(usage) => {
            row.usages.push(usage);
            if entry.client.stores() {
                let stored = messages_below(&entry.job.mail(), entry.client == Client::Curl)?;
                row.stored = Some(stored);
                if stored != entry.job.messages {
                    row.failure = Some(format!("stored {stored} of {} messages", entry.job.messages));
                }
            }
        }
        Err(why) => row.failure = Some(why),
    }
    if let Some(why) = &row.failure {
        eprintln!("  {}: {why}", row.label);
    }
    Ok(())
}

/// The inner result is the program's: its usage, or how it failed.
fn call(dir: &Path, line: &CommandLine) -> io::Result<Result<Usage, String>> {
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

/// Files in directories named `cur` or `new`, or all files.
fn messages_below(dir: &Path, all: bool) -> io::Result<usize> {
    let counts = all || dir.ends_with("cur") || dir.ends_with("new");
    let mut count = 0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            count += messages_below(&entry.path(), all)?;
        } else if counts {
            count += 1;
        }
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(walls: &[f64]) -> Row {
        let usages = walls.iter().map(|&wall| Usage { wall, cpu: 0.0, rss: wall * 2.0 }).collect();
        Row { label: "x".into(), usages, stored: None, failure: None }
    }

    #[test]
    fn medians_and_peaks() {
        assert_eq!(row(&[3.0, 1.0, 2.0]).median(|u| u.wall), Some(2.0));
        assert_eq!(row(&[4.0, 1.0, 2.0, 3.0]).median(|u| u.wall), Some(2.5));
        assert_eq!(row(&[]).median(|u| u.wall), None);
        assert_eq!(row(&[1.0, 5.0, 2.0]).peak(), Some(10.0));
    }

    #[test]
    fn the_line_of_measure() {
        let expected = Usage { wall: 1.5, cpu: 0.75, rss: 3.0 };
        assert_eq!(usage("1500000 500000 250000 3072 0\n"), Some((expected, 0)));
        assert_eq!(usage("1500000 500000"), None);
    }
}
