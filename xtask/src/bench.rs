//! `cargo xtask bench`: builds in release mode what is measured, then hands over to the benchmark's own program.

use crate::command::{cargo, command, root, run, target_dir};

const USAGE: &str = "usage: cargo xtask bench download|send|token [ARGUMENTS]   (`cargo xtask bench download --help` lists them)";

/// Runs a benchmark; the answer is whether it worked.
pub(crate) fn bench(arguments: &[String]) -> bool {
    match arguments.split_first() {
        Some((name, rest)) if matches!(name.as_str(), "download" | "send" | "token") => measure(name, rest),
        _ => {
            eprintln!("{USAGE}");
            false
        }
    }
}

fn measure(name: &str, arguments: &[String]) -> bool {
    // One by one: together, the features that the benchmark's own crates ask for would be in the measured program.
    let built = ["postkey-benches", "postkey-cli"].iter().all(|package| {
        let mut build = cargo();
        build.args(["build", "--release", "--locked", "--package", package]);
        run(&mut build).is_ok_and(|ran| ran.success)
    });
    if !built {
        eprintln!("the programs to measure do not build; the output is above");
        return false;
    }
    if name != "token" {
        build_peers();
    }
    let mut program = command(target_dir().join(format!("release/bench-{name}")));
    program.args(arguments);
    program.status().is_ok_and(|status| status.success())
}

/// Other people's crates, with their own lock file: nothing of theirs enters ours.
fn build_peers() {
    let mut peers = cargo();
    peers
        .args(["build", "--release", "--locked", "--manifest-path"])
        .arg(root().join("benches/peers/Cargo.toml"));
    peers.arg("--target-dir").arg(target_dir().join("bench-peers"));
    if !run(&mut peers).is_ok_and(|ran| ran.success) {
        eprintln!("the peers of benches/peers do not build; the benchmark goes on without them");
    }
}
