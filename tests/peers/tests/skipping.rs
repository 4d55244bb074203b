//! A test whose program is missing says so where the test command counts.

use std::process::Command;

use postkey_peers::{Program, available};

const INSIDE: &str = "POSTKEY_PEERS_INSIDE";

/// Runs only as a child of the test below.
#[test]
fn inside() {
    if std::env::var_os(INSIDE).is_some() {
        assert!(!available("inside", &[Program::Python, Program::Postkey]));
    }
}

#[test]
fn a_missing_program_is_logged() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("skipped");
    std::fs::write(&log, "before\n").unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "inside", "--nocapture"])
        .env(INSIDE, "1")
        .env("POSTKEY_SKIPPED", &log)
        .env("POSTKEY_BIN", dir.path().join("no-such-program"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let log = std::fs::read_to_string(log).unwrap();
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines.len(), 2, "{log}");
    assert!(lines[1].starts_with("inside: no [") && lines[1].contains("Postkey"), "{log}");
}
