//! A place in a frame. Every step forward is a step the parser never takes again.

use super::error::{ParseError, ParseErrorKind};
use super::limits::ParseLimits;

/// Result of a rule.
pub(crate) type Parsed<T> = Result<T, ParseError>;

/// What is left of a frame, and how much deeper lists may nest.
#[derive(Clone)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
    total: usize,
    depth_left: usize,
    depth_limit: usize,
    items_left: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(input: &'a [u8], limits: ParseLimits) -> Self {
        let depth = limits.effective_depth();
        Self {
            rest: input,
            total: input.len(),
            depth_left: depth,
            depth_limit: depth,
            items_left: ParseLimits::MAX_ITEMS,
        }
    }

    /// The octets not yet read.
    #[inline]
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// How many octets were read.
    #[inline]
    pub(crate) fn offset(&self) -> usize {
        self.total.saturating_sub(self.rest.len())
    }

    #[inline]
    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Passes one octet if it is this one.
    #[inline]
    pub(crate) fn eat(&mut self, octet: u8) -> bool {
        match self.rest.split_first() {
            Some((&first, tail)) if first == octet => {
                self.rest = tail;
                true
            }
            _ => false,
        }
    }

    /// Passes one octet whatever it is.
    #[inline]
    pub(crate) fn bump(&mut self) -> Option<u8> {
        let (&first, tail) = self.rest.split_first()?;
        self.rest = tail;
        Some(first)
    }

    #[inline]
    pub(crate) fn expect(&mut self, octet: u8, rule: &'static str) -> Parsed<()> {
        if self.eat(octet) { Ok(()) } else { Err(self.unexpected(rule)) }
    }

    /// Passes the next `n` octets.
    #[inline]
    pub(crate) fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.rest.split_at_checked(n)?;
        self.rest = tail;
        Some(head)
    }

    /// Passes octets as long as they satisfy `f`.
    #[inline]
    pub(crate) fn take_while(&mut self, f: impl Fn(u8) -> bool) -> &'a [u8] {
        let n = self.rest.iter().position(|&o| !f(o)).unwrap_or(self.rest.len());
        self.take(n).unwrap_or_default()
    }

    /// Passes at least one octet that satisfies `f`.
    #[inline]
    pub(crate) fn take_while1(&mut self, rule: &'static str, f: impl Fn(u8) -> bool) -> Parsed<&'a [u8]> {
        let taken = self.take_while(f);
        if taken.is_empty() { Err(self.unexpected(rule)) } else { Ok(taken) }
    }

    /// Passes this word, whatever its case, if it is next.
    #[inline]
    pub(crate) fn eat_ignore_case(&mut self, word: &[u8]) -> bool {
        match self.rest.split_at_checked(word.len()) {
            Some((head, tail)) if head.eq_ignore_ascii_case(word) => {
                self.rest = tail;
                true
            }
            _ => false,
        }
    }

    /// Exactly one blank, as commands are written.
    #[inline]
    pub(crate) fn space(&mut self, rule: &'static str) -> Parsed<()> {
        self.expect(b' ', rule)
    }

    /// At least one blank; servers send more (FR-19).
    #[inline]
    pub(crate) fn spaces1(&mut self, rule: &'static str) -> Parsed<()> {
        self.space(rule)?;
        self.spaces();
        Ok(())
    }

    /// Any number of blanks.
    #[inline]
    pub(crate) fn spaces(&mut self) {
        while self.eat(b' ') {}
    }

    /// Whether the line's end is next: CRLF, or LF alone as some servers send it (FR-14).
    #[inline]
    pub(crate) fn at_line_end(&self) -> bool {
        matches!(self.rest, [b'\n', ..] | [b'\r', b'\n', ..])
    }

    /// Passes the line's end.
    pub(crate) fn line_end(&mut self, rule: &'static str) -> Parsed<()> {
        match self.rest {
            [b'\r', b'\n', tail @ ..] | [b'\n', tail @ ..] => {
                self.rest = tail;
                Ok(())
            }
            _ => Err(self.unexpected(rule)),
        }
    }

    /// Passes blanks (quirk 12: STATUS ends in one), the line's end, and makes sure that nothing follows.
    pub(crate) fn finish(&mut self, rule: &'static str) -> Parsed<()> {
        self.spaces();
        self.finish_strictly(rule)
    }

    /// Passes the line's end and makes sure that nothing follows.
    pub(crate) fn finish_strictly(&mut self, rule: &'static str) -> Parsed<()> {
        if !self.at_line_end() && !self.rest.is_empty() {
            return Err(self.error(rule, ParseErrorKind::Trailing));
        }
        self.line_end(rule)?;
        if self.rest.is_empty() { Ok(()) } else { Err(self.error(rule, ParseErrorKind::Trailing)) }
    }

    /// Goes one list deeper; [`leave`](Self::leave) comes back.
    pub(crate) fn enter(&mut self, rule: &'static str) -> Parsed<()> {
        match self.depth_left.checked_sub(1) {
            Some(left) => {
                self.depth_left = left;
                Ok(())
            }
            None => Err(self.error(rule, ParseErrorKind::NestingTooDeep { limit: self.depth_limit })),
        }
    }

    pub(crate) fn leave(&mut self) {
        self.depth_left = self.depth_left.saturating_add(1);
    }

    /// Counts one more element of a list.
    #[inline]
    pub(crate) fn item(&mut self, rule: &'static str) -> Parsed<()> {
        match self.items_left.checked_sub(1) {
            Some(left) => {
                self.items_left = left;
                Ok(())
            }
            None => Err(self.error(rule, ParseErrorKind::TooManyItems { limit: ParseLimits::MAX_ITEMS })),
        }
    }

    pub(crate) fn error(&self, rule: &'static str, kind: ParseErrorKind) -> ParseError {
        ParseError { rule, offset: self.offset(), kind }
    }

    /// The next octet is not allowed here, or there is none.
    #[cold]
    pub(crate) fn unexpected(&self, rule: &'static str) -> ParseError {
        let kind = if self.rest.is_empty() { ParseErrorKind::End } else { ParseErrorKind::Syntax };
        self.error(rule, kind)
    }
}
