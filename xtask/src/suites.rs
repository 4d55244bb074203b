//! Running the workspace's tests: by nextest where it is there, by cargo's own runner otherwise.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::command::{cargo, find_program, own_dir, run, succeeds};
use crate::counting;
use crate::packages;
use crate::report::{Counts, Outcome};

/// The package that holds the tests with real programs.
const PEERS: &str = "postkey-peers";

/// Unit, property and end-to-end tests of every package but the one with the real programs.
pub(crate) fn step() -> Outcome {
    if has_nextest() {
        nextest(&format!("not package({PEERS})"))
    } else {
        libtest(
            cargo()
                .args(["test", "--workspace", "--locked", "--no-fail-fast", "--lib", "--bins", "--tests"])
                .args(["--exclude", PEERS]),
        )
    }
}

/// The tests with real programs. The tests before them built the program `postkey` that they start.
pub(crate) fn peers() -> Outcome {
    if has_nextest() {
        nextest(&format!("package({PEERS})"))
    } else {
        let built = run(cargo().args(["build", "--package", "postkey-cli", "--locked"]));
        if !built.is_ok_and(|ran| ran.success) {
            return Outcome::failed("the program postkey does not build");
        }
        libtest(cargo().args(["test", "--locked", "--no-fail-fast", "--lib", "--tests", "--package", PEERS]))
    }
}

/// The examples in the documentation, which nextest cannot run.
pub(crate) fn doc() -> Outcome {
    libtest(cargo().args(["test", "--doc", "--workspace", "--locked", "--no-fail-fast"]))
}

fn has_nextest() -> bool {
    find_program("cargo-nextest").is_some() && succeeds(cargo().args(["nextest", "--version"]))
}

fn nextest(filter: &str) -> Outcome {
    // Always the whole workspace, so that cargo resolves the same features and builds once.
    let mut command = cargo();
    command.args(["nextest", "run", "--workspace", "--locked", "--no-fail-fast", "--no-tests", "pass"]);
    command.args(["--status-level", "slow", "--final-status-level", "fail", "--filterset", filter]);
    counted(&mut command, counting::nextest)
}

fn libtest(command: &mut Command) -> Outcome {
    counted(command, counting::libtest)
}

fn counted(command: &mut Command, count: fn(&[String]) -> Option<Counts>) -> Outcome {
    let skips = SkipLog::new();
    skips.announce(command);
    command.env("POSTKEY_PYTHON", packages::python()).env("POSTKEY_NODE", packages::node());
    let ran = match run(command) {
        Ok(ran) => ran,
        Err(e) => return Outcome::failed(format!("cargo does not start: {e}")),
    };
    let mut counts = match count(&ran.lines) {
        Some(counts) => counts,
        None if ran.success => Counts::default(),
        None => return Outcome::failed("the tests were not built, or did not run"),
    };
    let skipped = skips.read();
    counts.skipped += skipped.len();
    counts.passed = counts.passed.saturating_sub(skipped.len());
    if !ran.success && counts.failed == 0 {
        counts.failed = 1; // a test binary that died, or a runner that broke off
    }
    Outcome { counts, notes: skipped }
}

/// Where a test that finds its program missing writes a line (`postkey_peers::available`): test runners have
/// no word for a test that could not run.
struct SkipLog(PathBuf);

impl SkipLog {
    fn new() -> Self {
        let file = own_dir().join("skipped");
        let _ = fs::create_dir_all(own_dir());
        let _ = fs::remove_file(&file);
        Self(file)
    }

    fn announce(&self, command: &mut Command) {
        command.env("POSTKEY_SKIPPED", &self.0);
    }

    fn read(&self) -> Vec<String> {
        fs::read_to_string(&self.0).unwrap_or_default().lines().map(str::to_owned).collect()
    }
}
