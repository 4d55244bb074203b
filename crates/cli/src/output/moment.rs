//! Moments and how far away they are, for people.

use jiff::Timestamp;
use jiff::tz::TimeZone;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// `2026-11-20 14:03:07 +01:00`, by this machine's clock; the bare number where no calendar reaches.
pub(crate) fn local(seconds: u64) -> String {
    in_zone(seconds, TimeZone::system())
}

fn in_zone(seconds: u64, zone: TimeZone) -> String {
    match i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok()) {
        Some(moment) => moment.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S %:z").to_string(),
        None => format!("{seconds} s after 1970"),
    }
}

/// `in 12 min`, `3 h 20 min ago`, `now`.
pub(crate) fn relative(seconds: u64, now: u64) -> String {
    match (seconds.checked_sub(now), now.saturating_sub(seconds)) {
        (Some(0), _) => "now".into(),
        (Some(left), _) => format!("in {}", span(left)),
        (None, gone) => format!("{} ago", span(gone)),
    }
}

/// `45 s`, `12 min`, `3 h 20 min`, `9 days`.
pub(crate) fn span(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..HOUR => format!("{} min", seconds / MINUTE),
        HOUR..DAY if seconds % HOUR < MINUTE => format!("{} h", seconds / HOUR),
        HOUR..DAY => format!("{} h {} min", seconds / HOUR, seconds % HOUR / MINUTE),
        _ if seconds < 2 * DAY => "1 day".into(),
        _ => format!("{} days", seconds / DAY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_well() {
        let spans = [0, 119, 120, 3599, 3600, 3660, 86_399, 86_400, 172_800].map(span);
        let wanted =
            ["0 s", "119 s", "2 min", "59 min", "1 h", "1 h 1 min", "23 h 59 min", "1 day", "2 days"];
        assert_eq!(spans, wanted);
        assert_eq!((relative(10, 10), relative(10, 5)), ("now".into(), "in 5 s".into()));
        assert_eq!(relative(0, 7200), "2 h ago");
    }

    #[test]
    fn moments_are_of_the_calendar_where_there_is_one() {
        let utc = |seconds| in_zone(seconds, TimeZone::UTC);
        assert_eq!(utc(1_790_000_000), "2026-09-21 14:13:20 +00:00");
        assert!(utc(u64::MAX).contains("18446744073709551615"));
        assert!(utc(i64::MAX as u64).contains("9223372036854775807"));
    }
}
