//! Numbers for people.

use std::time::Duration;

/// `1.4 MB`, in powers of 1,000.
pub(crate) fn octets(n: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut value = n as f64;
    let mut unit = UNITS[0];
    for next in &UNITS[1..] {
        if value < 999.95 {
            break;
        }
        value /= 1000.0;
        unit = next;
    }
    if unit == "B" { format!("{n} B") } else { format!("{value:.1} {unit}") }
}

/// `12,345`.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `0.43 s`, `12.1 s`, `3 min 20 s`.
pub(crate) fn time(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 10.0 {
        format!("{seconds:.2} s")
    } else if seconds < 120.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{} min {} s", duration.as_secs() / 60, duration.as_secs() % 60)
    }
}

/// `1 message`, `2 messages`.
pub(crate) fn many(n: u64, one: &str) -> String {
    format!("{} {one}{}", count(n), if n == 1 { "" } else { "s" })
}

/// Text that came from a server, fit for a terminal.
pub(crate) fn safe(text: &str) -> String {
    wire::printable(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!((octets(0), octets(999), octets(1_000)), ("0 B".into(), "999 B".into(), "1.0 kB".into()));
        assert_eq!((octets(1_449_999), octets(999_960)), ("1.4 MB".into(), "1.0 MB".into()));
        assert_eq!(octets(u64::MAX), "18446744.1 TB");
        assert_eq!(
            (count(0), count(999), count(1_000), count(1_234_567)),
            ("0".into(), "999".into(), "1,000".into(), "1,234,567".into())
        );
        assert_eq!(time(Duration::from_millis(430)), "0.43 s");
        assert_eq!(time(Duration::from_secs(200)), "3 min 20 s");
        assert_eq!((many(1, "message"), many(0, "message")), ("1 message".into(), "0 messages".into()));
    }

    #[test]
    fn inj_20_controls_of_a_server_do_not_reach_the_terminal() {
        assert_eq!(safe("a\u{1b}[2J\u{202e}b"), "a\\u{1b}[2J\\u{202e}b");
    }
}
