//! The SEARCH response (RFC 3501 section 7.2.5, RFC 7162 section 3.1.5).

use core::num::{NonZeroU32, NonZeroU64};

use super::ParseLimits;
use super::cursor::{Cursor, Parsed};
use super::error::{ParseError, ParseErrorKind};
use super::number::parse_tolerant_number;

/// One element of a SEARCH response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchPart {
    /// A message: its sequence number, or its UID for UID SEARCH.
    Number(NonZeroU32),
    /// `(MODSEQ n)` (RFC 7162): the greatest mod-sequence of the messages found.
    ModSeq(NonZeroU64),
}

/// Walks the numbers of a SEARCH response, or of a piece of one that was cut at a blank, without allocating.
///
/// ```abnf
/// mailbox-data =/ "SEARCH" *(SP nz-number) [SP search-sort-mod-seq]
/// search-sort-mod-seq = "(" "MODSEQ" SP mod-sequence-value ")"
/// ```
///
/// Any number of blanks anywhere is accepted. It ends at the end of the line or of the piece, and behind an error.
///
/// ```
/// # use postkey_imap_proto::grammar::{SearchNumbers, SearchPart};
/// let found: Vec<_> = SearchNumbers::new(b" 2 84  882 (MODSEQ 917162500)\r\n").map(Result::unwrap).collect();
/// assert_eq!(found.len(), 4);
/// assert_eq!(found[3], SearchPart::ModSeq(917162500.try_into().unwrap()));
/// ```
#[derive(Clone)]
pub struct SearchNumbers<'a> {
    cursor: Cursor<'a>,
}

impl<'a> SearchNumbers<'a> {
    /// Starts at the beginning of a piece: what follows `* SEARCH`, or what follows a cut.
    pub fn new(part: &'a [u8]) -> Self {
        Self { cursor: Cursor::new(part, ParseLimits::DEFAULT) }
    }

    pub(crate) fn from_cursor(cursor: Cursor<'a>) -> Self {
        Self { cursor }
    }

    pub(crate) fn into_cursor(self) -> Cursor<'a> {
        self.cursor
    }

    fn step(&mut self) -> Parsed<Option<SearchPart>> {
        let c = &mut self.cursor;
        loop {
            c.spaces();
            match c.peek() {
                None => return Ok(None),
                Some(b'(') => {
                    c.bump();
                    if !c.eat_ignore_case(b"MODSEQ") {
                        return Err(c.unexpected("search-sort-mod-seq"));
                    }
                    continue;
                }
                // A mod-sequence is told from a message number by what follows it, so that it does not matter
                // whether the piece was cut behind the word.
                Some(b'0'..=b'9' | b'-') => {}
                _ if c.at_line_end() => return Ok(None),
                _ => return Err(c.unexpected("nz-number")),
            }
            let before = c.clone();
            let value = parse_tolerant_number(c)?;
            let after = c.clone();
            c.spaces();
            if c.eat(b')') {
                match value.and_then(NonZeroU64::new) {
                    Some(mod_seq) => return Ok(Some(SearchPart::ModSeq(mod_seq))),
                    None => continue,
                }
            }
            if !matches!(after.peek(), None | Some(b' ')) && !after.at_line_end() {
                return Err(after.error("nz-number", ParseErrorKind::Syntax));
            }
            let number = value.and_then(|v| u32::try_from(v).ok()).and_then(NonZeroU32::new);
            let number = number.ok_or_else(|| before.error("nz-number", ParseErrorKind::NumberOutOfRange))?;
            return Ok(Some(SearchPart::Number(number)));
        }
    }
}

impl Iterator for SearchNumbers<'_> {
    type Item = Result<SearchPart, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.step() {
            Ok(part) => part.map(Ok),
            Err(error) => {
                self.cursor.take(self.cursor.rest().len());
                Some(Err(error))
            }
        }
    }
}

/// Equal when what is left to walk is.
impl PartialEq for SearchNumbers<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cursor.rest() == other.cursor.rest()
    }
}

impl Eq for SearchNumbers<'_> {}

impl core::fmt::Debug for SearchNumbers<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "SearchNumbers({} octets left)", self.cursor.rest().len())
    }
}
