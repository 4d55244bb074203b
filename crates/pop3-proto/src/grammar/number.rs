//! Words and numbers.

use core::num::NonZeroU32;

use super::error::{ParseError, ParseErrorKind};

/// Reads a line word by word and knows where it is.
#[derive(Clone, Copy)]
pub(super) struct Words<'a> {
    rule: &'static str,
    line: &'a [u8],
    at: usize,
}

impl<'a> Words<'a> {
    pub(super) fn new(rule: &'static str, line: &'a [u8]) -> Self {
        Self { rule, line, at: 0 }
    }

    /// Skips so many octets.
    pub(super) fn skip(mut self, octets: usize) -> Self {
        self.at = self.at.saturating_add(octets);
        self
    }

    pub(super) fn error(&self, kind: ParseErrorKind) -> ParseError {
        ParseError::new(self.rule, self.at, kind)
    }

    /// What has not been read.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.line.get(self.at..).unwrap_or_default()
    }

    /// The next word, spaces in front of it dropped; servers exist that align their columns.
    pub(super) fn word(&mut self) -> Result<&'a [u8], ParseError> {
        let spaces = self.rest().iter().take_while(|o| **o == b' ').count();
        self.at = self.at.saturating_add(spaces);
        let rest = self.rest();
        let len = rest.iter().position(|o| *o == b' ').unwrap_or(rest.len());
        match rest.get(..len) {
            Some(word) if len > 0 => {
                self.at = self.at.saturating_add(len);
                Ok(word)
            }
            _ => Err(self.error(ParseErrorKind::End)),
        }
    }

    /// Nothing but spaces may be left.
    pub(super) fn end(self) -> Result<(), ParseError> {
        match self.rest().iter().position(|o| *o != b' ') {
            Some(at) => Err(self.skip(at).error(ParseErrorKind::Syntax)),
            None => Ok(()),
        }
    }

    /// `1*DIGIT`, without sign.
    pub(super) fn number(&mut self) -> Result<u64, ParseError> {
        let word = self.word()?;
        let start = self.at.saturating_sub(word.len());
        let at = |offset: usize, kind| Err(ParseError::new(self.rule, start.saturating_add(offset), kind));
        let mut number = 0u64;
        for (i, digit) in word.iter().enumerate() {
            if !digit.is_ascii_digit() {
                return at(i, ParseErrorKind::Syntax);
            }
            let more = number.checked_mul(10).and_then(|n| n.checked_add(u64::from(digit - b'0')));
            let Some(more) = more else { return at(0, ParseErrorKind::NumberOutOfRange) };
            number = more;
        }
        Ok(number)
    }

    /// The same, at most 2³² − 1.
    pub(super) fn number32(&mut self) -> Result<u32, ParseError> {
        let number = self.number()?;
        u32::try_from(number).map_err(|_| self.error(ParseErrorKind::NumberOutOfRange))
    }

    /// A message number: 1 to 2³² − 1.
    pub(super) fn message(&mut self) -> Result<NonZeroU32, ParseError> {
        let number = self.number32()?;
        NonZeroU32::new(number).ok_or_else(|| self.error(ParseErrorKind::NumberOutOfRange))
    }
}
