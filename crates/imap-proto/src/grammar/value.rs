//! One value of the response syntax whatever it means: what is read over when nobody knows it.

use super::chars;
use super::cursor::{Cursor, Parsed};
use super::string::{parse_literal_octets, parse_quoted};
use super::whole;
use crate::types::{Invalid, InvalidKind, RawValue};

/// ```abnf
/// value = number / atom / "\" atom / string / literal8 / "(" [value *(SP value)] ")"
/// ```
///
/// A superset of `body-extension` (RFC 3501) and `tagged-ext-val` (RFC 4466). Returns its octets. Not recursive;
/// nesting is limited all the same so that what is accepted here is accepted everywhere.
pub(crate) fn parse_value<'a>(c: &mut Cursor<'a>) -> Parsed<&'a [u8]> {
    let start = c.clone();
    let mut open = 0usize;
    let result = skip_value(c, &mut open);
    (0..open).for_each(|_| c.leave());
    result?;
    let len = c.offset().saturating_sub(start.offset());
    Ok(start.rest().get(..len).unwrap_or_default())
}

fn skip_value(c: &mut Cursor<'_>, open: &mut usize) -> Parsed<()> {
    loop {
        match c.peek() {
            Some(b'(') => {
                c.enter("value")?;
                *open = open.saturating_add(1);
                c.bump();
                c.spaces();
                if c.peek() != Some(b')') {
                    continue;
                }
            }
            Some(b'"') => drop(parse_quoted(c)?),
            Some(b'{') => drop(parse_literal_octets(c)?),
            Some(b'~') if c.rest().get(1) == Some(&b'{') => {
                c.bump();
                parse_literal_octets(c)?;
            }
            _ => {
                c.take_while1("value", |o| chars::is_list_char(o) || o == b'\\')?;
            }
        }
        // Behind a value: the ends of lists, then blanks and the next value of the list that is still open.
        loop {
            if *open == 0 {
                return Ok(());
            }
            c.spaces();
            if !c.eat(b')') {
                break;
            }
            *open = open.saturating_sub(1);
            c.leave();
        }
    }
}

/// The octets as one value, if they are exactly one.
pub(crate) fn from_octets(octets: &[u8]) -> Result<RawValue<'_>, Invalid> {
    whole(octets, parse_value)
        .map(RawValue::from_checked)
        .map_err(|_| Invalid::new("value", InvalidKind::Syntax))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grammar::{ParseErrorKind, ParseLimits};

    #[test]
    fn one_value_and_no_more() {
        for good in [
            "1",
            "NIL",
            "\"a b\"",
            "()",
            "( )",
            "(a)",
            "(a (b \"c)\" {2}\r\n)( d) e)",
            "~{1}\r\n\0",
            "(\\Inbox \"x\")",
        ] {
            let padded = [good.as_bytes(), b" tail"].concat();
            let mut c = Cursor::new(&padded, ParseLimits::DEFAULT);
            assert_eq!(parse_value(&mut c).unwrap(), good.as_bytes());
            assert_eq!(c.rest(), b" tail");
            assert!(RawValue::new(good.as_bytes()).is_ok());
        }
        for bad in ["", " ", "(", "(a", ")", "a b", "\"a", "{3}\r\nab", "a)", "(a\r\n)"] {
            assert!(RawValue::new(bad.as_bytes()).is_err(), "{bad:?}");
        }
    }

    /// MEM-11
    #[test]
    fn nesting_is_limited() {
        let deep = std::vec![b'('; 100_000];
        let error = parse_value(&mut Cursor::new(&deep, ParseLimits::DEFAULT)).unwrap_err();
        assert_eq!(error.kind, ParseErrorKind::NestingTooDeep { limit: 64 });
        assert_eq!(error.offset, 64);
    }
}
