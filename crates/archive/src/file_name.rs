//! The names of message files, and what can be read back from them.
//!
//! ```text
//! base = time ".V" uidvalidity "U" uid "G" generation ".postkey,S=" size
//! new/ = base
//! cur/ = base ":2," letters
//! ```
//!
//! All numbers are decimal. A name depends on nothing but the message, so a file that was renamed into place just
//! before a crash is recognised for what it is. `time` is the internal date in seconds since 1970 (0 if before),
//! as Maildir asks; `S=` is the size in bytes, which Dovecot and Courier read from the name and which tells a
//! whole file from a torn one.

use crate::Flags;

/// What the base of a name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileId {
    pub(crate) time: u64,
    pub(crate) uid_validity: u32,
    pub(crate) uid: u32,
    pub(crate) generation: u32,
    pub(crate) size: u64,
}

/// Where a file is: in `new`, in `cur` with these letters, or no longer there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place(u8);

impl Place {
    const IN_NEW: u8 = 0x40;
    const GONE: u8 = 0x80;

    pub(crate) const NEW: Self = Self(Self::IN_NEW);

    /// Where a message that arrives with these flags goes: `new` without any, else `cur`.
    pub(crate) fn of_arrival(flags: Flags) -> Self {
        if flags.is_empty() { Self::NEW } else { Self::cur(flags) }
    }

    pub(crate) fn cur(flags: Flags) -> Self {
        Self(flags.bits())
    }

    pub(crate) fn in_new(self) -> bool {
        self.0 & Self::IN_NEW != 0
    }

    pub(crate) fn is_gone(self) -> bool {
        self.0 & Self::GONE != 0
    }

    pub(crate) fn gone(self) -> Self {
        Self(self.0 | Self::GONE)
    }

    pub(crate) fn flags(self) -> Flags {
        Flags::from_bits(self.0)
    }

    pub(crate) fn bits(self) -> u8 {
        self.0
    }

    pub(crate) fn from_bits(bits: u8) -> Self {
        Self(bits)
    }
}

/// A file name in a fixed buffer: the longest has 104 bytes.
pub(crate) struct NameBuf {
    bytes: [u8; 128],
    len: usize,
}

impl NameBuf {
    pub(crate) fn new() -> Self {
        Self { bytes: [0; 128], len: 0 }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    fn push(&mut self, text: &[u8]) {
        let end = self.len.saturating_add(text.len());
        if let Some(room) = self.bytes.get_mut(self.len..end) {
            room.copy_from_slice(text);
            self.len = end;
        }
    }

    fn number(&mut self, mut n: u64) {
        let mut digits = [0u8; 20];
        let mut start = digits.len();
        for slot in digits.iter_mut().rev() {
            *slot = b'0' + (n % 10) as u8;
            n /= 10;
            start -= 1;
            if n == 0 {
                break;
            }
        }
        self.push(digits.get(start..).unwrap_or_default());
    }
}

impl FileId {
    /// The name of this message at this place; for a file that is gone, the name it had last.
    pub(crate) fn name(&self, place: Place) -> NameBuf {
        let mut name = NameBuf::new();
        name.number(self.time);
        name.push(b".V");
        name.number(self.uid_validity.into());
        name.push(b"U");
        name.number(self.uid.into());
        name.push(b"G");
        name.number(self.generation.into());
        name.push(b".postkey,S=");
        name.number(self.size);
        if !place.in_new() {
            name.push(b":2,");
            for letter in place.flags().letters() {
                name.push(&[letter]);
            }
        }
        name
    }

    /// What a name in `cur` or `new` says, its flags included; `None` if it is not one of ours. Mail programs may
    /// have added fields to the base, and letters: those are skipped.
    pub(crate) fn parse(name: &[u8]) -> Option<(Self, Flags)> {
        let mut rest = name;
        let time = number(&mut rest)?;
        let uid_validity = tagged(&mut rest, b".V")?;
        let uid = tagged(&mut rest, b"U")?;
        let generation = tagged(&mut rest, b"G")?;
        let rest = rest.strip_prefix(b".postkey,S=")?;
        let mut rest = rest;
        let size = number(&mut rest)?;
        let info = match rest.first() {
            None => &[][..],
            Some(b':') => rest,
            Some(b',') => {
                rest.iter().position(|b| *b == b':').and_then(|at| rest.get(at..)).unwrap_or_default()
            }
            Some(_) => return None,
        };
        let flags = match info.strip_prefix(b":2,") {
            Some(letters) => letters.iter().filter_map(|letter| Flags::from_letter(*letter)).collect(),
            None => Flags::NONE,
        };
        if uid == 0 {
            return None;
        }
        Some((Self { time, uid_validity, uid, generation, size }, flags))
    }
}

/// The letters after `:2,` that are not among the six: keywords of other programs, kept when flags change.
pub(crate) fn other_letters(name: &[u8]) -> impl Iterator<Item = u8> {
    let info = name.iter().position(|b| *b == b':').and_then(|at| name.get(at..)).unwrap_or_default();
    let letters = info.strip_prefix(b":2,").unwrap_or_default();
    letters.iter().copied().filter(|letter| Flags::from_letter(*letter).is_none())
}

/// The name of a file in `tmp`: unique within one opening of the folder.
pub(crate) fn tmp_name(sequence: u64) -> NameBuf {
    let mut name = NameBuf::new();
    name.push(b"postkey-");
    name.number(sequence);
    name
}

/// Whether a name in `tmp` is one of ours.
pub(crate) fn is_tmp_name(name: &[u8]) -> bool {
    name.strip_prefix(b"postkey-").is_some_and(|d| !d.is_empty() && d.iter().all(u8::is_ascii_digit))
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let (head, tail) = rest.split_at_checked(digits)?;
    if head.is_empty() {
        return None;
    }
    let n = head.iter().try_fold(0u64, |n, digit| n.checked_mul(10)?.checked_add(u64::from(digit - b'0')))?;
    *rest = tail;
    Some(n)
}

fn tagged(rest: &mut &[u8], tag: &[u8]) -> Option<u32> {
    *rest = rest.strip_prefix(tag)?;
    number(rest)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_names() {
        let id = FileId { time: 1_700_000_000, uid_validity: 7, uid: 45, generation: 1, size: 8192 };
        assert_eq!(id.name(Place::NEW).as_bytes(), b"1700000000.V7U45G1.postkey,S=8192");
        let seen = Place::cur(Flags::SEEN | Flags::FLAGGED);
        assert_eq!(id.name(seen).as_bytes(), b"1700000000.V7U45G1.postkey,S=8192:2,FS");
        assert_eq!(id.name(Place::cur(Flags::NONE)).as_bytes(), b"1700000000.V7U45G1.postkey,S=8192:2,");
        // Dovecot's keyword letters and added fields
        let (parsed, flags) = FileId::parse(b"1700000000.V7U45G1.postkey,S=8192,W=8300:2,FSab").unwrap();
        assert_eq!((parsed, flags), (id, Flags::SEEN | Flags::FLAGGED));
        assert_eq!(other_letters(b"x:2,FSab").collect::<Vec<_>>(), b"ab");
        for other in [
            &b"1700000000.M1P2.host:2,S"[..],
            b"1.V7U0G1.postkey,S=1",
            b"1.V4294967296U1G1.postkey,S=1",
            b"99999999999999999999.V1U1G1.postkey,S=1",
            b"1.V1U1G1.postkey,S=",
            b"1.V1U1G1.postkey,S=1x",
            b"",
        ] {
            assert_eq!(FileId::parse(other), None, "{}", other.escape_ascii());
        }
        assert!(is_tmp_name(b"postkey-0") && !is_tmp_name(b"postkey-") && !is_tmp_name(b"postkey-1x"));
    }

    proptest! {
        #[test]
        fn names_read_back(time: u64, uid_validity: u32, uid in 1u32.., generation: u32, size: u64, bits in 0u8..0x80) {
            let id = FileId { time, uid_validity, uid, generation, size };
            let place = Place::from_bits(bits);
            let name = id.name(place);
            let flags = if place.in_new() { Flags::NONE } else { place.flags() };
            prop_assert_eq!(FileId::parse(name.as_bytes()), Some((id, flags)));
        }

        #[test]
        fn any_bytes_are_survived(name: Vec<u8>) {
            let _ = FileId::parse(&name);
            let _ = other_letters(&name).count();
        }
    }
}
