//! The project's own commands. `cargo xtask test` is the test command: it installs what it may, runs every
//! check and test, and ends with one line of counts; `cargo xtask --help` lists the rest.
//!
//! - [`steps`] is the list of steps, one file each: [`packages`], [`layers`], [`licences`], [`manifests`],
//!   [`suites`], [`fuzz`]. A step gives an [`report::Outcome`] and never stops the ones after it.
//! - [`command`] runs programs, [`counting`] reads their summaries, [`report`] prints ours.

mod bench;
mod command;
mod counting;
mod fuzz;
mod layers;
mod licences;
mod manifests;
mod msrv;
mod packages;
mod report;
mod steps;
mod suites;

use std::process::ExitCode;

use steps::{STEPS, Step};

const USAGE: &str = "\
cargo xtask test [--only STEP,…] [--skip STEP,…]   run the steps; ends with `N passed, N failed, N skipped`
cargo xtask test --list                            list the steps
cargo xtask STEP                                   run one step
cargo xtask fuzz [--seconds N] [TARGET…]           fuzz for longer, or some targets
cargo xtask bench download|send [ARGUMENTS]        measure side by side with other programs";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] | ["help" | "-h" | "--help", ..] => {
            println!("{USAGE}");
            ExitCode::SUCCESS
        }
        ["test", "--list"] => {
            STEPS.iter().for_each(|step| println!("{:<10} {}", step.name, step.about));
            ExitCode::SUCCESS
        }
        ["test", options @ ..] => match selection(options) {
            Ok(steps) => run(&steps),
            Err(why) => usage(&why),
        },
        ["bench", ..] => exit(bench::bench(&arguments[1..])),
        ["fuzz", options @ ..] => match fuzz_options(options) {
            Ok((seconds, targets)) => {
                let outcome = fuzz::step(seconds, &targets);
                outcome.notes.iter().for_each(|note| println!("{note}"));
                println!("{}", outcome.counts);
                exit(outcome.counts.failed == 0)
            }
            Err(why) => usage(&why),
        },
        [name] => match steps::find(name) {
            Some(step) => run(&[step]),
            None => usage(&format!("there is no command or step `{name}`")),
        },
        [name, ..] => usage(&format!("`{name}` takes no arguments, or is no command")),
    }
}

fn run(steps: &[&Step]) -> ExitCode {
    let finished: Vec<_> = steps.iter().map(|step| step.run()).collect();
    exit(report::summary(&finished).failed == 0)
}

fn exit(good: bool) -> ExitCode {
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn usage(why: &str) -> ExitCode {
    eprintln!("{why}\n\n{USAGE}");
    ExitCode::from(2)
}

/// The steps that `--only` and `--skip` leave, in their own order.
fn selection(options: &[&str]) -> Result<Vec<&'static Step>, String> {
    let mut chosen: Vec<&'static Step> = STEPS.iter().collect();
    let mut options = options.iter();
    while let Some(option) = options.next() {
        let names = options.next().ok_or_else(|| format!("{option} needs the names of steps"))?;
        let names: Vec<&str> = names.split(',').collect();
        if let Some(unknown) = names.iter().find(|name| steps::find(name).is_none()) {
            return Err(format!("there is no step `{unknown}`; `cargo xtask test --list` lists them"));
        }
        match *option {
            "--only" => chosen.retain(|step| names.contains(&step.name)),
            "--skip" => chosen.retain(|step| !names.contains(&step.name)),
            other => return Err(format!("unknown option `{other}`")),
        }
    }
    Ok(chosen)
}

fn fuzz_options(options: &[&str]) -> Result<(u32, Vec<String>), String> {
    match options {
        ["--seconds", seconds, targets @ ..] => {
            let seconds = seconds.parse().map_err(|_| format!("`{seconds}` is not a number of seconds"))?;
            Ok((seconds, targets.iter().map(ToString::to_string).collect()))
        }
        targets => Ok((fuzz::SECONDS, targets.iter().map(ToString::to_string).collect())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(options: &[&str]) -> Result<Vec<&'static str>, String> {
        selection(options).map(|steps| steps.iter().map(|step| step.name).collect())
    }

    #[test]
    fn steps_keep_their_order() {
        assert_eq!(names(&["--only", "tests,fmt"]), Ok(vec!["fmt", "tests"]));
        assert_eq!(names(&[]).map(|all| all.len()), Ok(STEPS.len()));
        let all_but_fuzz = names(&["--skip", "fuzz"]);
        assert_eq!(all_but_fuzz.map(|some| some.contains(&"fuzz")), Ok(false));
    }

    #[test]
    fn mistakes_are_named() {
        assert!(names(&["--only", "tset"]).is_err_and(|why| why.contains("tset")));
        assert!(names(&["--only"]).is_err());
        assert!(names(&["--onyl", "fmt"]).is_err_and(|why| why.contains("--onyl")));
        assert!(fuzz_options(&["--seconds", "soon"]).is_err());
    }
}
