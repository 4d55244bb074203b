//! Failures, for people and for programs.

use std::io::Write as _;

use anstyle::{AnsiColor, Style};
use serde_json::json;

use crate::exit::Failure;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HELP: Style = AnsiColor::Cyan.on_default().bold();

/// Writes a failure to standard error.
pub(crate) fn report(failure: &Failure, as_json: bool) {
    if failure.quiet {
        return;
    }
    // There is nobody to tell if standard error is closed.
    let _ = if as_json {
        let document = json!({"error": {
            "kind": failure.exit.kind(),
            "message": failure.message,
            "advice": failure.advice,
            "exit_code": failure.exit.code(),
        }});
        writeln!(std::io::stderr().lock(), "{document}")
    } else {
        let mut err = anstream::stderr().lock();
        let written = writeln!(err, "{ERROR}error:{ERROR:#} {}", failure.message);
        if failure.advice.is_empty() {
            written
        } else {
            written.and_then(|()| writeln!(err, "{HELP}help:{HELP:#} {}", failure.advice))
        }
    };
}
