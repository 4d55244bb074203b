//! Calling programs in turns and measuring each.

use std::fs;
use std::io;
use std::path::Path;

use postkey_benches::measured::{CommandLine, Row, call};

use crate::clients::{Client, Job};
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
            "" => self.client.name(),
            variant => format!("{} ({variant})", self.client.name()),
        }
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
        let mut row = Row::new(entry.label());
        let Some(program) = entry.client.program() else {
            eprintln!("  {}: not here, left out", row.label);
            continue;
        };
        lab.retire(&entry.job.dir)?;
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
                lab.retire(&entry.job.dir)?;
            }
            let line = entry.client.prepare(program, lab, &entry.job)?;
            rustix::fs::sync(); // what the call before left to be written is not this one's
            call_checked(entry, &line, row)?;
        }
    }
    calls.into_iter().map(|(entry, _, row)| lab.retire(&entry.job.dir).map(|()| row)).collect()
}

/// Calls a program once, for what it does to the server. That it worked is not checked: the measured calls are.
pub(crate) fn once(lab: &Lab, entry: &Entry) -> io::Result<()> {
    if let Some(program) = entry.client.program() {
        let line = entry.client.prepare(&program, lab, &entry.job)?;
        let _ = call(&entry.job.dir, &line)?;
        lab.retire(&entry.job.dir)?;
    }
    Ok(())
}

fn call_checked(entry: &Entry, line: &CommandLine, row: &mut Row) -> io::Result<()> {
    match call(&entry.job.dir, line)? {
        Ok(usage) => {
            row.usages.push(usage);
            if entry.client.stores() {
                let stored = messages_below(
                    &entry.job.mail(),
                    matches!(entry.client, Client::Curl | Client::CurlPop3),
                )?;
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
