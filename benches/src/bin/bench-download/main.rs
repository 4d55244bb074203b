//! Downloads of whole mailboxes, side by side: postkey, a raw yardstick and other people's programs, from a private
//! Dovecot over TLS, all in one run. Prints Markdown.
//!
//! - [`options`]: what can be chosen. [`lab`]: the server, the mailboxes, the directories.
//! - [`clients`]: how each program is called. [`run`]: calling them in turns and measuring.
//! - [`scenarios`]: what is compared. [`table`]: what is printed. [`bounds`]: what postkey promises.

mod bounds;
mod clients;
mod lab;
mod options;
mod run;
mod scenarios;
mod table;

use std::process::ExitCode;

use lab::Lab;
use options::Options;
use postkey_benches::measured::Verdict;
use postkey_benches::program;

fn main() -> ExitCode {
    program::run(measure)
}

/// Whether every program did its work and postkey kept within its bounds.
fn measure(options: Options) -> std::io::Result<bool> {
    let lab = Lab::set_up(options)?;
    println!("{}", table::heading(&lab));
    scenarios::warm_up(&lab)?;
    let mut good = true;
    let mut verdicts = Vec::new();
    for scenario in scenarios::ALL.iter().filter(|scenario| lab.options.wants(scenario.name)) {
        eprintln!("{} …", scenario.name);
        let rows = (scenario.measure)(&lab)?;
        println!("{}", table::scenario(scenario.title, &rows));
        good &= rows.iter().all(|row| row.failure.is_none());
        verdicts.extend(bounds::verdicts(scenario.name, &rows));
    }
    if !verdicts.is_empty() {
        println!("{}", Verdict::table(&verdicts));
    }
    Ok(good && verdicts.iter().all(|verdict| verdict.kept))
}
