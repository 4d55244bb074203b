//! What postkey promises of its speed, relative to what was measured beside it.

use postkey_benches::measured::{Row, Verdict, find};

use crate::scenarios::{WITH_CONDSTORE, WITHOUT_CONDSTORE};

/// The promises of one scenario, as far as both sides were measured.
pub(crate) fn verdicts(scenario: &str, rows: &[Row]) -> Vec<Verdict> {
    let judged = match scenario {
        "tmpfs" => vec![
            wall(scenario, rows, "postkey", "raw", 1.1),
            cpu(scenario, rows, "postkey", "raw", 1.3),
            peak(scenario, rows, "postkey", 12.0),
        ],
        "disk" => {
            vec![wall(scenario, rows, "postkey", "mbsync-fsync", 0.5), peak(scenario, rows, "postkey", 12.0)]
        }
        "delay" => vec![wall(scenario, rows, "postkey", "raw", 1.2), peak(scenario, rows, "postkey", 12.0)],
        "resync" => vec![
            wall(scenario, rows, &format!("postkey ({WITHOUT_CONDSTORE})"), "mbsync", 1.0),
            wall(scenario, rows, &format!("postkey ({WITH_CONDSTORE})"), "mbsync", 0.5),
            peak(scenario, rows, &format!("postkey ({WITHOUT_CONDSTORE})"), 12.0),
        ],
        "pop3" | "pop3-tmpfs" => vec![wall(scenario, rows, "postkey-pop3", "curl-pop3", 0.4)],
        "huge" => vec![peak(scenario, rows, "postkey", 16.0)],
        _ => Vec::new(),
    };
    judged.into_iter().flatten().collect()
}

fn wall(scenario: &str, rows: &[Row], ours: &str, theirs: &str, bound: f64) -> Option<Verdict> {
    let of = |label| find(rows, label)?.median(|usage| usage.wall);
    Some(ratio(scenario, "time", (ours, of(ours)?), (theirs, of(theirs)?), bound))
}

fn cpu(scenario: &str, rows: &[Row], ours: &str, theirs: &str, bound: f64) -> Option<Verdict> {
    let of = |label| find(rows, label)?.median(|usage| usage.cpu);
    Some(ratio(scenario, "CPU", (ours, of(ours)?), (theirs, of(theirs)?), bound))
}

fn peak(scenario: &str, rows: &[Row], ours: &str, bound: f64) -> Option<Verdict> {
    let peak = find(rows, ours)?.peak()?;
    let text = format!("{scenario}: {ours} peaks at {peak:.1} MiB (at most {bound})");
    Some(Verdict { text, kept: peak <= bound })
}

fn ratio(scenario: &str, what: &str, ours: (&str, f64), theirs: (&str, f64), bound: f64) -> Verdict {
    let ratio = ours.1 / theirs.1;
    let text =
        format!("{scenario}: {} takes {ratio:.2} × the {what} of {} (at most {bound})", ours.0, theirs.0);
    Verdict { text, kept: ratio <= bound }
}

#[cfg(test)]
mod tests {
    use super::*;
    use postkey_benches::measured::Usage;

    fn row(label: &str, wall: f64, rss: f64) -> Row {
        let usages = vec![Usage { wall, cpu: wall, rss }];
        Row { label: label.into(), usages, stored: None, failure: None }
    }

    #[test]
    fn bounds_are_judged() {
        let rows = [row("raw", 1.0, 3.0), row("postkey", 1.2, 11.0)];
        let kept: Vec<bool> = verdicts("tmpfs", &rows).iter().map(|verdict| verdict.kept).collect();
        assert_eq!(kept, [false, true, true]);
        assert!(verdicts("huge", &[row("postkey", 1.0, 16.1)]).iter().all(|verdict| !verdict.kept));
    }

    #[test]
    fn nothing_is_said_of_what_was_not_measured() {
        let mut failed = row("postkey", 1.0, 1.0);
        failed.failure = Some("exit code 1".into());
        assert_eq!(verdicts("disk", &[failed, row("mbsync-fsync", 9.0, 1.0)]), []);
        assert_eq!(verdicts("delay", &[row("raw", 1.0, 1.0)]), []);
    }
}
