//! What is printed: Markdown.

use std::fmt::Write;
use std::process::Command;

use postkey_benches::measured::{Row, machine};

use crate::clients::Client;
use crate::lab::Lab;

/// What was measured where.
pub(crate) fn heading(lab: &Lab) -> String {
    let options = &lab.options;
    let mut text = format!(
        "{} messages, {} runs each in turns, {} ms of delay where it says so. {}.\n",
        options.count,
        options.runs,
        options.delay,
        machine(),
    );
    let dovecot = peers::Program::Dovecot.find().and_then(|program| first_line(&program));
    let others = [Client::Mbsync, Client::Curl]
        .map(|client| client.program().and_then(|program| first_line(&program)));
    for version in [dovecot].into_iter().chain(others).flatten() {
        let _ = writeln!(text, "- {version}");
    }
    text.push_str("\nTime is the median of wall clock, with the extremes; CPU is the median of the program's own user and system\ntime; memory is its largest peak.\n");
    text
}

/// The first line of `--version`, without what follows the version.
fn first_line(program: &std::path::Path) -> Option<String> {
    let output = Command::new(program).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let name = program.file_name()?.to_string_lossy().into_owned();
    let line = text.lines().next()?.split(" (").next()?.to_owned();
    Some(if line.starts_with(&name) || line.starts_with("isync") { line } else { format!("{name} {line}") })
}

/// One scenario's table.
pub(crate) fn scenario(title: &str, rows: &[Row]) -> String {
    let mut text = format!(
        "### {title}\n\n| program | time | extremes | CPU | memory | stored |\n|---|--:|--:|--:|--:|--:|\n"
    );
    for row in rows {
        let _ =
            match (&row.failure, row.median(|usage| usage.wall), row.median(|usage| usage.cpu), row.peak()) {
                (None, Some(wall), Some(cpu), Some(peak)) => {
                    let (low, high) = row.extremes();
                    let stored = row.stored.map_or_else(|| "–".into(), |stored| stored.to_string());
                    writeln!(
                        text,
                        "| {} | {wall:.3} s | {low:.3}–{high:.3} | {cpu:.3} s | {peak:.1} MiB | {stored} |",
                        row.label
                    )
                }
                (failure, ..) => {
                    let why =
                        failure.as_deref().unwrap_or("not measured").replace('|', "/").replace('\n', " ");
                    writeln!(text, "| {} | failed: {why} | | | | |", row.label)
                }
            };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use postkey_benches::measured::Usage;

    #[test]
    fn rows_are_one_line_each() {
        let usages = [2.0, 1.0, 3.0].map(|wall| Usage { wall, cpu: 0.5, rss: 3.0 }).to_vec();
        let good = Row { label: "raw".into(), usages, stored: Some(20), failure: None };
        let bad = Row {
            label: "curl".into(),
            usages: vec![],
            stored: None,
            failure: Some("exit | code\n7".into()),
        };
        let text = scenario("Title", &[good, bad]);
        let lines: Vec<&str> = text.lines().skip(4).collect();
        assert_eq!(lines[0], "| raw | 2.000 s | 1.000–3.000 | 0.500 s | 3.0 MiB | 20 |");
        assert_eq!(lines[1], "| curl | failed: exit / code 7 | | | | |");
        assert_eq!(lines.len(), 2);
    }
}
