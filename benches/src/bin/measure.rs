//! `measure FILE PROGRAM [ARGUMENT…]`: runs the program and writes to FILE, on one line: microseconds of wall clock,
//! of user time and of system time, the peak resident set in KiB, and the exit code.
//!
//! A process of its own because the kernel reports usage for all children together, and because a program's
//! peak starts at that of the process it was forked from: this one is small.

use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(file), Some(program)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: measure FILE PROGRAM [ARGUMENT…]");
        return ExitCode::from(2);
    };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    let start = Instant::now();
    let status = command.status();
    let wall = start.elapsed();
    let code = match status {
        Ok(status) => status.code().unwrap_or(-1),
        Err(e) => {
            eprintln!("measure: {e}");
            return ExitCode::FAILURE;
        }
    };
    let Ok(usage) = getrusage(UsageWho::RUSAGE_CHILDREN) else { return ExitCode::FAILURE };
    let micros = |time: TimeVal| time.tv_sec() * 1_000_000 + time.tv_usec();
    let line = format!(
        "{} {} {} {} {code}\n",
        wall.as_micros(),
        micros(usage.user_time()),
        micros(usage.system_time()),
        usage.max_rss()
    );
    match std::fs::write(file, line) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("measure: {e}");
            ExitCode::FAILURE
        }
    }
}
