//! The flags a Maildir file name can carry.

use std::fmt;
use std::ops::{BitOr, BitOrAssign};

/// A set of message flags: the six that a Maildir file name can carry.
///
/// IMAP keywords other than `$Forwarded` have no standard letter and are not kept.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Flags(u8);

/// Letter, IMAP name; the position is the bit. ASCII order, as Maildir asks.
const TABLE: [(u8, &str); 6] = [
    (b'D', "\\Draft"),
    (b'F', "\\Flagged"),
    (b'P', "$Forwarded"),
    (b'R', "\\Answered"),
    (b'S', "\\Seen"),
    (b'T', "\\Deleted"),
];

impl Flags {
    /// No flag at all.
    pub const NONE: Self = Self(0);
    /// `\Draft`, letter `D`.
    pub const DRAFT: Self = Self(1);
    /// `\Flagged`, letter `F`.
    pub const FLAGGED: Self = Self(2);
    /// `$Forwarded`, letter `P` (passed on).
    pub const FORWARDED: Self = Self(4);
    /// `\Answered`, letter `R` (replied).
    pub const ANSWERED: Self = Self(8);
    /// `\Seen`, letter `S`.
    pub const SEEN: Self = Self(16);
    /// `\Deleted`, letter `T` (trashed).
    pub const DELETED: Self = Self(32);

    const ALL: u8 = 63;

    /// The flag that an IMAP flag name stands for, in any letter case; `None` for keywords that Maildir cannot keep.
    #[must_use]
    pub fn from_imap(name: &str) -> Option<Self> {
        // Thunderbird and others write `Forwarded` without the dollar sign.
        if name.eq_ignore_ascii_case("Forwarded") {
            return Some(Self::FORWARDED);
        }
        let bit = TABLE.iter().position(|(_, imap)| imap.eq_ignore_ascii_case(name))?;
        Some(Self(1 << bit))
    }

    /// The flag that a Maildir letter stands for.
    #[must_use]
    pub fn from_letter(letter: u8) -> Option<Self> {
        let bit = TABLE.iter().position(|(known, _)| *known == letter)?;
        Some(Self(1 << bit))
    }

    /// The Maildir letters of this set, in ASCII order.
    pub fn letters(self) -> impl Iterator<Item = u8> {
        TABLE
            .iter()
            .enumerate()
            .filter(move |(bit, _)| self.0 & (1 << bit) != 0)
            .map(|(_, (letter, _))| *letter)
    }

    /// Whether every flag of `other` is in this set.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether the set is empty.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The set as bits 0 to 5, in the order of the letters `DFPRST`.
    pub(crate) fn bits(self) -> u8 {
        self.0
    }

    /// The set from its bits; higher bits are dropped.
    pub(crate) fn from_bits(bits: u8) -> Self {
        Self(bits & Self::ALL)
    }
}

impl BitOr for Flags {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Flags {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl FromIterator<Flags> for Flags {
    fn from_iter<I: IntoIterator<Item = Flags>>(flags: I) -> Self {
        flags.into_iter().fold(Self::NONE, |all, one| all | one)
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Flags(")?;
        for letter in self.letters() {
            write!(f, "{}", char::from(letter))?;
        }
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imap_names_and_letters() {
        assert_eq!(Flags::from_imap("\\seen"), Some(Flags::SEEN));
        assert_eq!(Flags::from_imap("$FORWARDED"), Some(Flags::FORWARDED));
        assert_eq!(Flags::from_imap("\\Recent"), None);
        assert_eq!(Flags::from_imap("$Junk"), None);
        let all: Flags = b"TSRPFD".iter().filter_map(|l| Flags::from_letter(*l)).collect();
        assert_eq!(all.letters().collect::<Vec<_>>(), b"DFPRST");
        assert_eq!(Flags::from_letter(b'a'), None);
    }
}
