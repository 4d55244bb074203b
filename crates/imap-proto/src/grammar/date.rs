//! `date` and `date-time` (RFC 3501 section 9).

use super::cursor::{Cursor, Parsed};
use super::encoder::Encoder;
use super::error::ParseErrorKind;
use super::{string::parse_quoted, whole};
use crate::types::{Date, DateTime, MONTHS};

/// ```abnf
/// date      = date-text / DQUOTE date-text DQUOTE
/// ```
pub(crate) fn parse_date(c: &mut Cursor<'_>) -> Parsed<Date> {
    if !c.eat(b'"') {
        return parse_date_text(c);
    }
    let date = parse_date_text(c)?;
    c.expect(b'"', "date")?;
    Ok(date)
}

/// ```abnf
/// date-text  = date-day "-" date-month "-" date-year
/// date-day   = 1*2DIGIT
/// date-month = "Jan" / "Feb" / … / "Dec"
/// date-year  = 4DIGIT
/// ```
fn parse_date_text(c: &mut Cursor<'_>) -> Parsed<Date> {
    let start = c.clone();
    let day = parse_digits(c, 1, 2)?;
    c.expect(b'-', "date")?;
    let month = parse_month(c)?;
    c.expect(b'-', "date")?;
    let year = parse_digits(c, 4, 4)?;
    let day = u8::try_from(day).unwrap_or(u8::MAX);
    Date::new(year, month, day).map_err(|_| start.error("date", ParseErrorKind::NumberOutOfRange))
}

/// Between `min` and `max` digits; `max` is at most 4.
fn parse_digits(c: &mut Cursor<'_>, min: usize, max: usize) -> Parsed<u16> {
    let mut value = 0u16;
    for i in 0..max {
        match c.peek() {
            Some(digit @ b'0'..=b'9') => {
                value = value.saturating_mul(10).saturating_add(u16::from(digit.wrapping_sub(b'0')));
                c.bump();
            }
            _ if i >= min => break,
            _ => return Err(c.unexpected("date")),
        }
    }
    Ok(value)
}

fn parse_month(c: &mut Cursor<'_>) -> Parsed<u8> {
    for (number, name) in (1..).zip(MONTHS) {
        if c.eat_ignore_case(name.as_bytes()) {
            return Ok(number);
        }
    }
    Err(c.unexpected("date-month"))
}

/// Writes a `date`.
pub(crate) fn write_date(date: Date, e: &mut Encoder) {
    e.display(date);
}

/// ```abnf
/// date-time      = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE
/// date-day-fixed = (SP DIGIT) / 2DIGIT
/// time           = 2DIGIT ":" 2DIGIT ":" 2DIGIT
/// zone           = ("+" / "-") 4DIGIT
/// ```
///
/// A day of one digit without the blank in front is accepted.
pub(crate) fn parse_date_time(c: &mut Cursor<'_>) -> Parsed<DateTime> {
    c.expect(b'"', "date-time")?;
    let value = parse_date_time_text(c)?;
    c.expect(b'"', "date-time")?;
    Ok(value)
}

fn parse_date_time_text(c: &mut Cursor<'_>) -> Parsed<DateTime> {
    let start = c.clone();
    c.eat(b' ');
    let date = parse_date_text(c)?;
    c.space("date-time")?;
    let hour = parse_digits(c, 2, 2)?;
    c.expect(b':', "time")?;
    let minute = parse_digits(c, 2, 2)?;
    c.expect(b':', "time")?;
    let second = parse_digits(c, 2, 2)?;
    c.space("date-time")?;
    let west = match c.bump() {
        Some(b'+') => false,
        Some(b'-') => true,
        _ => return Err(start.error("zone", ParseErrorKind::Syntax)),
    };
    let (zone_hours, zone_minutes) = (parse_digits(c, 2, 2)?, parse_digits(c, 2, 2)?);
    let range = || start.error("date-time", ParseErrorKind::NumberOutOfRange);
    if zone_minutes > 59 {
        return Err(range());
    }
    let zone =
        i16::try_from(zone_hours.saturating_mul(60).saturating_add(zone_minutes)).map_err(|_| range())?;
    let zone = if west { zone.saturating_neg() } else { zone };
    // Two digits always fit.
    let small = |n: u16| u8::try_from(n).unwrap_or(u8::MAX);
    DateTime::new(date, small(hour), small(minute), small(second), zone).map_err(|_| range())
}

/// INTERNALDATE as servers send it: `None` when it is `NIL` or a string that is no date, because losing a date is
/// better than losing the message that has it.
pub(crate) fn parse_tolerant_date_time(c: &mut Cursor<'_>) -> Parsed<Option<DateTime>> {
    if super::string::eat_nil(c) {
        return Ok(None);
    }
    let text = parse_quoted(c)?;
    Ok(whole(&text, |c| parse_date_time_text(c)).ok())
}

/// Writes a `date-time`.
pub(crate) fn write_date_time(value: DateTime, e: &mut Encoder) {
    e.octet(b'"');
    e.display(value);
    e.octet(b'"');
}
