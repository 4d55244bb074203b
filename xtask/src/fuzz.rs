//! The fuzz targets, each for a few seconds: enough to see that they build and hold, not to find rare bugs.
//! For longer runs: `cargo xtask fuzz --seconds 3600 TARGET…`.

use std::fs;

use crate::command::{cargo_of, find_program, root, run, run_quietly, succeeds};
use crate::report::{Counts, Outcome};

/// Seconds for each target in the test command.
pub(crate) const SECONDS: u32 = 10;

/// Largest input in bytes. Past that libFuzzer spends its time on length and finds nothing new.
const MAX_LEN: u32 = 65_536;

/// Our code has no unsafe line, so what is looked for is panics, endless loops and memory, which need no sanitizer;
/// without one there is three times as much fuzzing in the same time.
const SANITIZER: &str = "--sanitizer=none";

/// Runs the named targets, or all of them.
pub(crate) fn step(seconds: u32, only: &[String]) -> Outcome {
    let mut targets = targets();
    targets.retain(|target| only.is_empty() || only.contains(target));
    if targets.is_empty() {
        return Outcome::failed("there is no such fuzz target");
    }
    if !succeeds(cargo_of("nightly").arg("--version")) {
        return Outcome::skipped(
            targets.len(),
            "fuzzing needs a nightly toolchain: `rustup toolchain install nightly`",
        );
    }
    if find_program("g++").is_none() && find_program("c++").is_none() {
        return Outcome::skipped(targets.len(), "fuzzing needs a C++ compiler: the package g++");
    }
    if !succeeds(cargo_of("nightly").args(["fuzz", "--version"])) {
        let installed = run(cargo_of("nightly").args(["install", "cargo-fuzz", "--locked"]));
        if !installed.is_ok_and(|ran| ran.success) {
            return Outcome::skipped(targets.len(), "cargo-fuzz is missing and could not be installed");
        }
    }
    let mut outcome = Outcome { counts: Counts::default(), notes: Vec::new() };
    for target in targets {
        match one(&target, seconds) {
            Ok(()) => outcome.counts += Counts::PASSED,
            Err(why) => {
                outcome.counts += Counts::FAILED;
                outcome.notes.push(format!("{target} {why}"));
            }
        }
    }
    outcome
}

/// One target: what it finds goes to its corpus; it starts from that and from the seeds that are kept.
fn one(target: &str, seconds: u32) -> Result<(), String> {
    if !run_quietly(cargo_of("nightly").args(["fuzz", "build", SANITIZER, target]))
        .is_ok_and(|ran| ran.success)
    {
        return Err("does not build".into());
    }
    let corpus = root().join("fuzz/corpus").join(target);
    let _ = fs::create_dir_all(&corpus);
    let mut command = cargo_of("nightly");
    command.args(["fuzz", "run", SANITIZER, target]).arg(corpus);
    let seeds = root().join("fuzz/seeds").join(target);
    if seeds.is_dir() {
        command.arg(seeds);
    }
    command.arg("--").arg(format!("-max_total_time={seconds}")).arg(format!("-max_len={MAX_LEN}"));
    command.args(["-timeout=10", "-rss_limit_mb=512", "-print_final_stats=1", "-verbosity=0"]);
    let dictionary = root().join("fuzz/dictionaries").join(dictionary(target));
    command.arg(format!("-dict={}", dictionary.display()));
    match run_quietly(&mut command) {
        Ok(ran) if ran.success => {
            println!(
                "{target}: {} inputs in {seconds} s",
                executed(&ran.lines).unwrap_or("an unknown number of")
            );
            Ok(())
        }
        Ok(_) => Err(format!("failed; the input is under fuzz/artifacts/{target}")),
        Err(e) => Err(format!("could not be run: {e}")),
    }
}

/// The count in libFuzzer's final statistics.
fn executed(lines: &[String]) -> Option<&str> {
    lines.iter().find_map(|line| line.strip_prefix("stat::number_of_executed_units:")).map(str::trim)
}

fn dictionary(target: &str) -> String {
    format!("{}.dict", target.split('_').next().unwrap_or(target))
}

/// The targets are the files of `fuzz/fuzz_targets`, in the order of their names.
fn targets() -> Vec<String> {
    let files = fs::read_dir(root().join("fuzz/fuzz_targets")).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        files.filter_map(|file| Some(file.file_name().to_str()?.strip_suffix(".rs")?.to_owned())).collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_a_dictionary_and_a_manifest_entry() {
        let manifest = fs::read_to_string(root().join("fuzz/Cargo.toml")).unwrap();
        let targets = targets();
        assert!(!targets.is_empty());
        for target in targets {
            assert!(manifest.contains(&format!("name = \"{target}\"")), "{target} is not in fuzz/Cargo.toml");
            assert!(root().join("fuzz/dictionaries").join(dictionary(&target)).is_file(), "{target}");
        }
    }
}
