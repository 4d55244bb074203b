//! `sequence-set` (RFC 3501 section 9) and `uid-set` (RFC 4315): message numbers kept as ranges.

use alloc::vec::Vec;
use core::fmt;
use core::num::NonZeroU32;
use core::str::FromStr;

use crate::types::invalid::{Invalid, InvalidKind};

/// `seq-number = nz-number / "*"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SeqNumber {
    /// A message sequence number or a UID.
    Number(NonZeroU32),
    /// `*`: the greatest number in use.
    Star,
}

impl SeqNumber {
    fn resolve(self, greatest: u32) -> u32 {
        match self {
            SeqNumber::Number(n) => n.get(),
            SeqNumber::Star => greatest,
        }
    }
}

impl fmt::Display for SeqNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SeqNumber::Number(n) => n.fmt(f),
            SeqNumber::Star => f.write_str("*"),
        }
    }
}

/// One element of a [`SequenceSet`]: a single number when both ends are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SeqRange {
    /// The end that was written first; may be the greater one.
    pub start: SeqNumber,
    /// The end that was written last.
    pub end: SeqNumber,
}

impl SeqRange {
    /// One number.
    pub fn single(n: NonZeroU32) -> Self {
        Self { start: SeqNumber::Number(n), end: SeqNumber::Number(n) }
    }

    /// The two ends in ascending order with `*` standing for `greatest`.
    pub fn bounds(self, greatest: u32) -> (u32, u32) {
        let (a, b) = (self.start.resolve(greatest), self.end.resolve(greatest));
        (a.min(b), a.max(b))
    }
}

impl fmt::Display for SeqRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.start == self.end { self.start.fmt(f) } else { write!(f, "{}:{}", self.start, self.end) }
    }
}

/// `sequence-set`: at least one number or range, in the order it was written, never expanded.
///
/// ```
/// # use postkey_imap_proto::types::SequenceSet;
/// let set: SequenceSet = "2,4:7,9,12:*".parse().unwrap();
/// assert_eq!(set.iter(14).collect::<Vec<_>>(), [2, 4, 5, 6, 7, 9, 12, 13, 14]);
/// assert_eq!(SequenceSet::from_sorted([1, 2, 3, 7]).unwrap().to_string(), "1:3,7");
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SequenceSet(Vec<SeqRange>);

impl SequenceSet {
    /// `1:*`: every message.
    pub fn all() -> Self {
        Self(Vec::from([SeqRange { start: SeqNumber::Number(NonZeroU32::MIN), end: SeqNumber::Star }]))
    }

    /// One number.
    pub fn single(n: NonZeroU32) -> Self {
        Self(Vec::from([SeqRange::single(n)]))
    }

    /// From `start` to whatever is the greatest number: `start:*`.
    pub fn from(start: NonZeroU32) -> Self {
        Self(Vec::from([SeqRange { start: SeqNumber::Number(start), end: SeqNumber::Star }]))
    }

    /// From ranges.
    ///
    /// # Errors
    /// [`Invalid`] when there are none.
    pub fn new(ranges: impl Into<Vec<SeqRange>>) -> Result<Self, Invalid> {
        let ranges = ranges.into();
        if ranges.is_empty() {
            return Err(Invalid::new("sequence-set", InvalidKind::Empty));
        }
        Ok(Self(ranges))
    }

    /// From numbers in ascending order (repeats allowed); neighbours become ranges.
    ///
    /// # Errors
    /// [`Invalid`] when there are none, one is zero, or one is smaller than the one before it.
    pub fn from_sorted(numbers: impl IntoIterator<Item = u32>) -> Result<Self, Invalid> {
        UidSet::from_sorted(numbers).and_then(Self::try_from)
    }

    /// The ranges as written.
    pub fn ranges(&self) -> &[SeqRange] {
        &self.0
    }

    /// Whether the number is in the set when `*` is `greatest`.
    pub fn contains(&self, n: u32, greatest: u32) -> bool {
        self.0.iter().any(|r| {
            let (low, high) = r.bounds(greatest);
            (low..=high).contains(&n)
        })
    }

    /// The numbers, range by range as written, ascending inside each; none above `greatest`, which is also
    /// what `*` stands for. Lazy: a range of four thousand million numbers costs nothing until it is walked.
    pub fn iter(&self, greatest: u32) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().flat_map(move |r| {
            let (low, high) = r.bounds(greatest);
            low..=high.min(greatest)
        })
    }
}

impl fmt::Display for SequenceSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, range) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            range.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Debug for SequenceSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for SequenceSet {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        crate::grammar::whole(text.as_bytes(), crate::grammar::sequence::parse_sequence_set)
            .map_err(|_| Invalid::new("sequence-set", InvalidKind::Syntax))
    }
}

impl TryFrom<UidSet> for SequenceSet {
    type Error = Invalid;

    fn try_from(set: UidSet) -> Result<Self, Invalid> {
        let range =
            |r: &UidRange| SeqRange { start: SeqNumber::Number(r.start), end: SeqNumber::Number(r.end) };
        Self::new(set.0.iter().map(range).collect::<Vec<_>>())
    }
}

/// One element of a [`UidSet`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UidRange {
    /// The end that was written first; may be the greater one.
    pub start: NonZeroU32,
    /// The end that was written last.
    pub end: NonZeroU32,
}

impl UidRange {
    /// The two ends in ascending order.
    pub fn bounds(self) -> (u32, u32) {
        let (a, b) = (self.start.get(), self.end.get());
        (a.min(b), a.max(b))
    }
}

impl fmt::Display for UidRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.start == self.end { self.start.fmt(f) } else { write!(f, "{}:{}", self.start, self.end) }
    }
}

/// `uid-set` (RFC 4315): UIDs as ranges, without `*`. Empty sets exist: Exchange answers a COPY of nothing with
/// `[COPYUID n  ]`.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct UidSet(Vec<UidRange>);

impl UidSet {
    /// From ranges.
    pub fn new(ranges: impl Into<Vec<UidRange>>) -> Self {
        Self(ranges.into())
    }

    /// One UID.
    pub fn single(uid: NonZeroU32) -> Self {
        Self(Vec::from([UidRange { start: uid, end: uid }]))
    }

    /// From UIDs in ascending order (repeats allowed); neighbours become ranges.
    ///
    /// # Errors
    /// [`Invalid`] when one is zero or smaller than the one before it.
    pub fn from_sorted(uids: impl IntoIterator<Item = u32>) -> Result<Self, Invalid> {
        let mut ranges: Vec<UidRange> = Vec::new();
        for uid in uids {
            let uid = NonZeroU32::new(uid).ok_or(Invalid::new("uid-set", InvalidKind::Range))?;
            match ranges.last_mut() {
                Some(last) if uid < last.end => return Err(Invalid::new("uid-set", InvalidKind::Range)),
                Some(last) if uid == last.end => {}
                Some(last) if last.end.checked_add(1) == Some(uid) => last.end = uid,
                _ => ranges.push(UidRange { start: uid, end: uid }),
            }
        }
        Ok(Self(ranges))
    }

    /// The ranges as written.
    pub fn ranges(&self) -> &[UidRange] {
        &self.0
    }

    /// Whether there are no UIDs.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many UIDs there are, counting repeats.
    pub fn count(&self) -> u64 {
        let size = |r: &UidRange| {
            let (low, high) = r.bounds();
            u64::from(high - low) + 1
        };
        self.0.iter().map(size).fold(0, u64::saturating_add)
    }

    /// Whether the UID is in the set.
    pub fn contains(&self, uid: u32) -> bool {
        self.0.iter().any(|r| {
            let (low, high) = r.bounds();
            (low..=high).contains(&uid)
        })
    }

    /// The UIDs, lazily, range by range as written, ascending inside each.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().flat_map(|r| {
            let (low, high) = r.bounds();
            low..=high
        })
    }
}

impl fmt::Display for UidSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, range) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            range.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Debug for UidSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{self}]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    /// RFC 3501 section 9: the examples in the comments under sequence-set.
    #[test]
    fn examples_of_the_rule() {
        let numbers = |s: &str, max| s.parse::<SequenceSet>().unwrap().iter(max).collect::<Vec<_>>();
        assert_eq!(numbers("2,4:7,9,12:*", 15), [2, 4, 5, 6, 7, 9, 12, 13, 14, 15]);
        assert_eq!(numbers("*:4,5:7", 10), [4, 5, 6, 7, 8, 9, 10, 5, 6, 7]);
        assert_eq!(numbers("2:4", 10), numbers("4:2", 10));
        // `n:*` with n beyond the end is the last message (RFC 3501 section 6.4.8).
        assert_eq!(numbers("559:*", 10), [10]);
    }

    #[test]
    fn refuses_what_the_rule_refuses() {
        for bad in
            ["", "0", "1,", ",1", "1:", ":1", "1:2:3", "a", "-1", "4294967296", "1 ", "1, 2", "0:*", "$"]
        {
            assert!(bad.parse::<SequenceSet>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn walking_a_huge_range_is_lazy() {
        let set: SequenceSet = "1:4294967295".parse().unwrap();
        assert_eq!(set.iter(u32::MAX).take(2).collect::<Vec<_>>(), [1, 2]);
        assert!(set.contains(u32::MAX, 1));
        assert_eq!(UidSet::from_sorted([u32::MAX - 1, u32::MAX]).unwrap().count(), 2);
    }

    #[test]
    fn sorted_numbers_become_ranges() {
        assert_eq!(SequenceSet::from_sorted([1, 2, 2, 3, 5, 9, 10]).unwrap().to_string(), "1:3,5,9:10");
        assert!(SequenceSet::from_sorted([2, 1]).is_err());
        assert!(SequenceSet::from_sorted([0]).is_err());
        assert!(SequenceSet::from_sorted([]).is_err());
        assert_eq!(SequenceSet::from_sorted([u32::MAX]).unwrap().to_string(), "4294967295");
    }
}
