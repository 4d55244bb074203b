//! The sandbox's clock: the system's, plus what tests added.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

/// Wall clock in Unix seconds that can be moved forward, so that nothing has to wait for an expiry.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    ahead: Arc<watch::Sender<u64>>,
}

impl Default for Clock {
    fn default() -> Self {
        Self { ahead: Arc::new(watch::Sender::new(0)) }
    }
}

impl Clock {
    /// Now, in Unix seconds.
    pub(crate) fn now(&self) -> u64 {
        let system = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
        system.saturating_add(*self.ahead.borrow())
    }

    /// Moves the clock forward.
    pub(crate) fn advance(&self, by: Duration) {
        self.ahead.send_modify(|ahead| *ahead = ahead.saturating_add(by.as_secs()));
    }

    /// Resolves when the clock has reached `unix`, by itself or because it was moved.
    pub(crate) async fn reaches(&self, unix: u64) {
        let mut moved = self.ahead.subscribe();
        loop {
            let left = unix.saturating_sub(self.now());
            if left == 0 {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(left)) => {}
                _ = moved.changed() => {}
            }
        }
    }
}

/// A Unix time taken apart in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Civil {
    /// Year, e.g. 2026.
    pub(crate) year: i64,
    /// Month, 1 to 12.
    pub(crate) month: u32,
    /// Day of the month, 1 to 31.
    pub(crate) day: u32,
    /// Hour, 0 to 23.
    pub(crate) hour: u32,
    /// Minute, 0 to 59.
    pub(crate) minute: u32,
    /// Second, 0 to 59.
    pub(crate) second: u32,
    /// Day of the week, 0 = Sunday.
    pub(crate) weekday: u32,
}

impl Civil {
    /// Takes Unix seconds apart.
    pub(crate) fn from_unix(unix: i64) -> Self {
        let (days, rest) = (unix.div_euclid(86_400), unix.rem_euclid(86_400));
        let weekday = (days + 4).rem_euclid(7) as u32;
        // Days to civil date by counting 400-year cycles from 1 March of year 0.
        let z = days + 719_468;
        let era = z.div_euclid(146_097);
        let doe = z.rem_euclid(146_097);
        let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let day = (doy - (153 * mp + 2) / 5 + 1) as u32;
        let month = if mp < 10 { mp + 3 } else { mp - 9 } as u32;
        let year = yoe + era * 400 + i64::from(month <= 2);
        let rest = rest as u32;
        Self { year, month, day, hour: rest / 3600, minute: rest / 60 % 60, second: rest % 60, weekday }
    }

    /// `2026-11-20 10:00:00Z`, as in Entra's error bodies.
    pub(crate) fn entra(&self) -> String {
        format!(
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02}Z",
            self.year, self.month, self.day, self.hour, self.minute, self.second
        )
    }
}

/// English month abbreviations, January first.
pub(crate) const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// English weekday abbreviations, Sunday first.
pub(crate) const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_dates() {
        assert_eq!(Civil::from_unix(0).entra(), "1970-01-01 00:00:00Z");
        assert_eq!(Civil::from_unix(0).weekday, 4);
        assert_eq!(Civil::from_unix(1_709_210_096).entra(), "2024-02-29 12:34:56Z");
        assert_eq!(Civil::from_unix(1_790_000_000).entra(), "2026-09-21 14:13:20Z");
        assert_eq!(Civil::from_unix(-1).entra(), "1969-12-31 23:59:59Z");
    }

    #[test]
    fn advancing() {
        let clock = Clock::default();
        let before = clock.now();
        clock.advance(Duration::from_secs(3600));
        assert!(clock.now() >= before + 3600);
    }

    #[tokio::test]
    async fn waiting_ends_when_the_clock_is_moved() {
        let clock = Clock::default();
        let waiter = tokio::spawn({
            let clock = clock.clone();
            async move { clock.reaches(clock.now() + 86_400).await }
        });
        tokio::task::yield_now().await;
        assert!(!waiter.is_finished());
        clock.advance(Duration::from_secs(86_401));
        waiter.await.unwrap();
    }
}
