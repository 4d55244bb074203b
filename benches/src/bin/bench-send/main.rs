//! Sending, side by side: postkey, raw yardsticks and lettre, to Postfix's `smtp-sink`, and very large messages to a sink of
//! its own that knows BDAT. All in one run. Prints Markdown.
//!
//! - [`options`]: what can be chosen. [`sinks`]: the servers. [`front`]: TLS before a server that has none.
//! - [`scenarios`]: what is compared and what postkey promises. [`table`]: what is printed.

mod front;
mod options;
mod scenarios;
mod sinks;
mod table;

use std::process::ExitCode;

use options::Options;
use postkey_benches::measured::{Verdict, machine};
use postkey_benches::program;

fn main() -> ExitCode {
    program::run(measure)
}

/// Whether every program did its work and postkey kept within its bounds.
fn measure(options: Options) -> std::io::Result<bool> {
    println!(
        "{} messages of 10 KiB, {} runs each in turns; large messages of {} MiB. {}.\n\n\
         Time is the median of wall clock, with the extremes; CPU is the median of the program's own user and system\n\
         time; memory is its largest peak.\n",
        options.count,
        options.runs,
        options.huge,
        machine()
    );
    let mut good = true;
    let mut verdicts = Vec::new();
    for scenario in scenarios::ALL.iter().filter(|scenario| options.wants(scenario.name)) {
        eprintln!("{} …", scenario.name);
        let (messages, rows) = scenario.measure(&options)?;
        println!("{}", table::scenario(scenario.title, messages, &rows));
        good &= rows.iter().all(|row| row.failure.is_none());
        verdicts.extend(scenario.verdicts(&rows));
    }
    if !verdicts.is_empty() {
        println!("{}", Verdict::table(&verdicts));
    }
    Ok(good && verdicts.iter().all(|verdict| verdict.kept))
}
