//! What is printed: Markdown.

use std::fmt::Write;

use postkey_benches::measured::Row;

/// One scenario's table.
pub(crate) fn scenario(title: &str, messages: usize, rows: &[Row]) -> String {
    let mut text = format!(
        "### {title}\n\n| program | messages/s | time | extremes | CPU | memory |\n|---|--:|--:|--:|--:|--:|\n"
    );
    for row in rows {
        let medians = (row.median(|usage| usage.wall), row.median(|usage| usage.cpu), row.peak());
        let _ = match (&row.failure, medians) {
            (None, (Some(wall), Some(cpu), Some(peak))) => {
                let ((low, high), rate) = (row.extremes(), messages as f64 / wall);
                writeln!(
                    text,
                    "| {} | {rate:.*} | {wall:.3} s | {low:.3}–{high:.3} | {cpu:.3} s | {peak:.1} MiB |",
                    row.label,
                    if messages == 1 { 2 } else { 0 },
                )
            }
            (failure, _) => {
                let why = failure.as_deref().unwrap_or("not measured").replace('|', "/").replace('\n', " ");
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
        let good = Row { usages, ..Row::new("raw") };
        let bad = Row { failure: Some("exit | code\n7".into()), ..Row::new("lettre") };
        let text = scenario("Title", 5_000, &[good, bad]);
        let lines: Vec<&str> = text.lines().skip(4).collect();
        assert_eq!(lines[0], "| raw | 2500 | 2.000 s | 1.000–3.000 | 0.500 s | 3.0 MiB |");
        assert_eq!(lines[1], "| lettre | failed: exit / code 7 | | | | |");
        assert_eq!(lines.len(), 2);
    }
}
