//! `number`, `nz-number` and the 63-bit numbers of RFC 7162.

use alloc::vec::Vec;
use core::num::{NonZeroU32, NonZeroU64};

use super::cursor::{Cursor, Parsed};
use super::encoder::Encoder;
use super::error::ParseErrorKind;
use crate::types::{Invalid, InvalidKind};

/// The greatest number of digits that cannot overflow 64 bits.
const SAFE_DIGITS: usize = 19;

/// `1*DIGIT` as far as 64 bits carry.
#[inline]
pub(crate) fn parse_number64(c: &mut Cursor<'_>) -> Parsed<u64> {
    let before = c.clone();
    let digits = c.take_while1("number", |o| o.is_ascii_digit())?;
    if digits.len() <= SAFE_DIGITS {
        return Ok(digits
            .iter()
            .fold(0, |value: u64, &digit| value.wrapping_mul(10).wrapping_add(digit_value(digit))));
    }
    let mut value: u64 = 0;
    for &digit in digits {
        let grown = value.checked_mul(10).and_then(|v| v.checked_add(digit_value(digit)));
        value = grown.ok_or_else(|| before.error("number", ParseErrorKind::NumberOutOfRange))?;
    }
    Ok(value)
}

#[inline]
fn digit_value(digit: u8) -> u64 {
    u64::from(digit.wrapping_sub(b'0'))
}

/// ```abnf
/// number = 1*DIGIT   ; (0 <= n < 4,294,967,296)
/// ```
#[inline]
pub(crate) fn parse_number(c: &mut Cursor<'_>) -> Parsed<u32> {
    let start = c.clone();
    let value = parse_number64(c)?;
    u32::try_from(value).map_err(|_| start.error("number", ParseErrorKind::NumberOutOfRange))
}

/// ```abnf
/// nz-number = digit-nz *DIGIT   ; (0 < n < 4,294,967,296)
/// ```
#[inline]
pub(crate) fn parse_nz_number(c: &mut Cursor<'_>) -> Parsed<NonZeroU32> {
    let start = c.clone();
    NonZeroU32::new(parse_number(c)?)
        .ok_or_else(|| start.error("nz-number", ParseErrorKind::NumberOutOfRange))
}

/// ```abnf
/// mod-sequence-value = 1*DIGIT   ; RFC 7162: positive, 63 bits
/// ```
pub(crate) fn parse_mod_sequence_value(c: &mut Cursor<'_>) -> Parsed<NonZeroU64> {
    let start = c.clone();
    let value = NonZeroU64::new(parse_number64(c)?).filter(|v| v.get() >> 63 == 0);
    value.ok_or_else(|| start.error("mod-sequence-value", ParseErrorKind::NumberOutOfRange))
}

/// ```abnf
/// mod-sequence-valzer = "0" / mod-sequence-value
/// ```
pub(crate) fn parse_mod_sequence_valzer(c: &mut Cursor<'_>) -> Parsed<u64> {
    let start = c.clone();
    let value = parse_number64(c)?;
    if value >> 63 == 0 {
        Ok(value)
    } else {
        Err(start.error("mod-sequence-valzer", ParseErrorKind::NumberOutOfRange))
    }
}

/// Writes a `mod-sequence-valzer`.
pub(crate) fn write_mod_sequence_valzer(value: u64, e: &mut Encoder) -> Result<(), Invalid> {
    if value >> 63 != 0 {
        return Err(Invalid::new("mod-sequence-valzer", InvalidKind::Range));
    }
    e.number(value);
    Ok(())
}

/// A number where servers also send `-1` or `NIL` for "unknown" (FR-20): those are `None`.
pub(crate) fn parse_tolerant_number(c: &mut Cursor<'_>) -> Parsed<Option<u64>> {
    if c.eat_ignore_case(b"NIL") {
        return Ok(None);
    }
    if c.eat(b'-') {
        c.take_while1("number", |o| o.is_ascii_digit())?;
        return Ok(None);
    }
    parse_number64(c).map(Some)
}

/// Writes a decimal number.
pub(crate) fn push_number(mut number: u64, out: &mut Vec<u8>) {
    let mut digits = [b'0'; 20];
    let mut used = 0;
    for slot in digits.iter_mut().rev() {
        *slot = b'0'.wrapping_add((number % 10) as u8);
        number /= 10;
        used += 1;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(20 - used..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grammar::ParseLimits;

    fn read(input: &str) -> Parsed<u32> {
        parse_number(&mut Cursor::new(input.as_bytes(), ParseLimits::DEFAULT))
    }

    #[test]
    fn the_ends_of_the_range() {
        assert_eq!(read("0"), Ok(0));
        assert_eq!(read("007 "), Ok(7));
        assert_eq!(read("4294967295"), Ok(u32::MAX));
        assert_eq!(read("4294967296").unwrap_err().kind, ParseErrorKind::NumberOutOfRange);
        assert_eq!(read("99999999999999999999999").unwrap_err().kind, ParseErrorKind::NumberOutOfRange);
        assert_eq!(read("-1").unwrap_err().kind, ParseErrorKind::Syntax);
        assert_eq!(read("").unwrap_err().kind, ParseErrorKind::End);
    }

    #[test]
    fn written_as_std_writes_it() {
        for n in [0, 9, 10, 4_294_967_295, u64::MAX] {
            let mut out = Vec::new();
            push_number(n, &mut out);
            assert_eq!(out, std::string::ToString::to_string(&n).into_bytes());
        }
    }
}
