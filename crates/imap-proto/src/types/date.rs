//! `date` and `date-time` (RFC 3501 section 9).

use core::fmt;

use crate::types::invalid::{Invalid, InvalidKind};

/// The names of the months on the wire.
pub(crate) const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Days before 1 March 2000 are counted from 1 March 0000 (proleptic Gregorian), where the epoch is this many days in.
const EPOCH: i64 = 719_468;

/// A day of the proleptic Gregorian calendar, years 0 to 9999.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// Builds a day; months and days count from 1.
    ///
    /// # Errors
    /// [`Invalid`] when the calendar has no such day or the year is above 9999.
    pub fn new(year: u16, month: u8, day: u8) -> Result<Self, Invalid> {
        if year > 9999 || !(1..=12).contains(&month) || day == 0 || day > days_in(year, month) {
            return Err(Invalid::new("date", InvalidKind::Range));
        }
        Ok(Self { year, month, day })
    }

    /// 0 to 9999.
    pub fn year(self) -> u16 {
        self.year
    }

    /// 1 to 12.
    pub fn month(self) -> u8 {
        self.month
    }

    /// 1 to 31.
    pub fn day(self) -> u8 {
        self.day
    }

    /// Days since 1 January 1970.
    pub fn days_since_epoch(self) -> i64 {
        // A year that begins in March puts the leap day at its end.
        let shift = i64::from(self.month <= 2);
        let year = i64::from(self.year) - shift;
        let month = (i64::from(self.month) + 9) % 12;
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let day_of_year = (153 * month + 2) / 5 + i64::from(self.day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * 146_097 + day_of_era - EPOCH
    }

    /// The day that is this many days after 1 January 1970.
    ///
    /// # Errors
    /// [`Invalid`] outside the years 0 to 9999.
    pub fn from_days_since_epoch(days: i64) -> Result<Self, Invalid> {
        let range = || Invalid::new("date", InvalidKind::Range);
        let days = days.checked_add(EPOCH).ok_or_else(range)?;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = era.checked_mul(400).and_then(|y| y.checked_add(year_of_era)).ok_or_else(range)?;
        let year = year.checked_add(i64::from(month <= 2)).ok_or_else(range)?;
        match (u16::try_from(year), u8::try_from(month), u8::try_from(day)) {
            (Ok(year), Ok(month), Ok(day)) => Self::new(year, month, day),
            _ => Err(range()),
        }
    }
}

fn days_in(year: u16, month: u8) -> u8 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// `date-text`: `1-Feb-1994`.
impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let month = MONTHS.get(usize::from(self.month).wrapping_sub(1)).copied().unwrap_or_default();
        write!(f, "{}-{}-{:04}", self.day, month, self.year)
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A day, a time of day and the zone they are told in.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DateTime {
    date: Date,
    hour: u8,
    minute: u8,
    second: u8,
    zone: i16,
}

impl DateTime {
    /// Builds a moment as a local calendar tells it. `second` may be 60; `zone` is minutes east of Greenwich.
    ///
    /// # Errors
    /// [`Invalid`] when the time of day does not exist or the zone is not within ±99:59.
    pub fn new(date: Date, hour: u8, minute: u8, second: u8, zone: i16) -> Result<Self, Invalid> {
        if hour > 23 || minute > 59 || second > 60 || zone.unsigned_abs() > 99 * 60 + 59 {
            return Err(Invalid::new("date-time", InvalidKind::Range));
        }
        Ok(Self { date, hour, minute, second, zone })
    }

    /// The moment `seconds` after 1970-01-01T00:00:00Z, told in a zone (minutes east of Greenwich).
    ///
    /// # Errors
    /// [`Invalid`] when the local year is not 0 to 9999 or the zone not within ±99:59.
    pub fn from_unix(seconds: i64, zone: i16) -> Result<Self, Invalid> {
        let local =
            seconds.checked_add(i64::from(zone) * 60).ok_or(Invalid::new("date-time", InvalidKind::Range))?;
        let date = Date::from_days_since_epoch(local.div_euclid(86_400))?;
        let of_day = local.rem_euclid(86_400);
        let part = |value: i64| u8::try_from(value).unwrap_or(u8::MAX);
        Self::new(date, part(of_day / 3600), part(of_day / 60 % 60), part(of_day % 60), zone)
    }

    /// Seconds since 1970-01-01T00:00:00Z. A leap second counts as the second after it.
    pub fn to_unix(self) -> i64 {
        let of_day = i64::from(self.hour) * 3600 + i64::from(self.minute) * 60 + i64::from(self.second);
        self.date.days_since_epoch() * 86_400 + of_day - i64::from(self.zone) * 60
    }

    /// The day in its own zone.
    pub fn date(self) -> Date {
        self.date
    }

    /// Hour (0 to 23), minute (0 to 59) and second (0 to 60) in its own zone.
    pub fn time(self) -> (u8, u8, u8) {
        (self.hour, self.minute, self.second)
    }

    /// Minutes east of Greenwich.
    pub fn zone(self) -> i16 {
        self.zone
    }
}

/// `date-time` without its quotes: ` 1-Feb-1994 21:52:25 -0800`.
impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.date.day < 10 {
            f.write_str(" ")?;
        }
        let sign = if self.zone < 0 { '-' } else { '+' };
        let zone = self.zone.unsigned_abs();
        write!(
            f,
            "{} {:02}:{:02}:{:02} {sign}{:02}{:02}",
            self.date,
            self.hour,
            self.minute,
            self.second,
            zone / 60,
            zone % 60
        )
    }
}

impl fmt::Debug for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    /// Moments whose Unix time is known from elsewhere (`date -d`).
    #[test]
    fn known_moments() {
        for (year, month, day, h, m, s, zone, unix) in [
            (1970, 1, 1, 0, 0, 0, 0, 0),
            (1994, 2, 7, 21, 52, 25, -480, 760_686_745),
            (1996, 7, 17, 2, 44, 25, -420, 837_596_665),
            (2000, 2, 29, 12, 0, 0, 60, 951_822_000),
            (1969, 12, 31, 23, 59, 59, 0, -1),
            (2038, 1, 19, 3, 14, 8, 0, 2_147_483_648),
            (0, 3, 1, 0, 0, 0, 0, -62_162_035_200),
        ] {
            let moment = DateTime::new(Date::new(year, month, day).unwrap(), h, m, s, zone).unwrap();
            assert_eq!(moment.to_unix(), unix, "{moment}");
            assert_eq!(DateTime::from_unix(unix, zone).unwrap(), moment);
        }
    }

    #[test]
    fn refuses_what_no_calendar_has() {
        assert!(Date::new(2023, 2, 29).is_err());
        assert!(Date::new(1900, 2, 29).is_err());
        assert!(Date::new(2024, 13, 1).is_err());
        assert!(Date::new(2024, 1, 0).is_err());
        assert!(Date::new(10_000, 1, 1).is_err());
        let day = Date::new(2024, 1, 1).unwrap();
        assert!(DateTime::new(day, 24, 0, 0, 0).is_err());
        assert!(DateTime::new(day, 0, 60, 0, 0).is_err());
        assert!(DateTime::from_unix(i64::MAX, 0).is_err());
        assert!(DateTime::from_unix(i64::MIN, -1).is_err());
        assert!(DateTime::from_unix(i64::MAX - 1, 1).is_err());
    }

    #[test]
    fn spelled_as_the_rule_says() {
        let moment = DateTime::new(Date::new(1996, 7, 7).unwrap(), 2, 44, 25, -420).unwrap();
        assert_eq!(moment.to_string(), " 7-Jul-1996 02:44:25 -0700");
    }

    proptest::proptest! {
        #[test]
        fn unix_seconds_and_back(seconds in -62_000_000_000i64..253_000_000_000, zone in -720i16..=840) {
            proptest::prop_assert_eq!(DateTime::from_unix(seconds, zone).unwrap().to_unix(), seconds);
        }
    }
}
