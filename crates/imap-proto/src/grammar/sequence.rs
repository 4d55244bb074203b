//! `sequence-set` (RFC 3501 section 9) and `uid-set` (RFC 4315 section 4).

use alloc::vec::Vec;

use super::cursor::{Cursor, Parsed};
use super::encoder::Encoder;
use super::number::parse_nz_number;
use crate::types::{SeqNumber, SeqRange, SequenceSet, UidRange, UidSet};

/// ```abnf
/// seq-number   = nz-number / "*"
/// seq-range    = seq-number ":" seq-number
/// sequence-set = (seq-number / seq-range) *("," sequence-set)
/// ```
pub(crate) fn parse_sequence_set(c: &mut Cursor<'_>) -> Parsed<SequenceSet> {
    let mut ranges = Vec::new();
    loop {
        let start = parse_seq_number(c)?;
        let end = if c.eat(b':') { parse_seq_number(c)? } else { start };
        ranges.push(SeqRange { start, end });
        if !c.eat(b',') {
            break;
        }
    }
    SequenceSet::new(ranges).map_err(|_| c.unexpected("sequence-set"))
}

fn parse_seq_number(c: &mut Cursor<'_>) -> Parsed<SeqNumber> {
    if c.eat(b'*') { Ok(SeqNumber::Star) } else { parse_nz_number(c).map(SeqNumber::Number) }
}

/// Writes a `sequence-set`.
pub(crate) fn write_sequence_set(set: &SequenceSet, e: &mut Encoder) {
    e.display(set);
}

/// ```abnf
/// uniqueid  = nz-number
/// uid-range = (uniqueid ":" uniqueid)
/// uid-set   = (uniqueid / uid-range) *("," uid-set)
/// ```
///
/// Nothing at all is an empty set (quirk 2).
pub(crate) fn parse_uid_set(c: &mut Cursor<'_>) -> Parsed<UidSet> {
    let mut ranges = Vec::new();
    if !c.peek().is_some_and(|o| o.is_ascii_digit()) {
        return Ok(UidSet::default());
    }
    loop {
        let start = parse_nz_number(c)?;
        let end = if c.eat(b':') { parse_nz_number(c)? } else { start };
        ranges.push(UidRange { start, end });
        if !c.eat(b',') {
            return Ok(UidSet::new(ranges));
        }
    }
}

/// Writes a `uid-set`.
pub(crate) fn write_uid_set(set: &UidSet, e: &mut Encoder) {
    e.display(set);
}
