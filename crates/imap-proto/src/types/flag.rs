//! `flag`, `flag-list` and `flag-perm` (RFC 3501 sections 2.3.2 and 9).

use alloc::vec::Vec;
use core::fmt;

use crate::types::atom::{Atom, Keyword};
use crate::types::invalid::Invalid;

/// A flag of a message.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Flag<'a> {
    /// `\Seen`: read.
    Seen,
    /// `\Answered`
    Answered,
    /// `\Flagged`: marked as urgent or special.
    Flagged,
    /// `\Deleted`: to be removed by EXPUNGE.
    Deleted,
    /// `\Draft`
    Draft,
    /// `\Recent`: this session is the first to see the message. Servers set it, clients cannot.
    Recent,
    /// `flag-keyword`: `$Forwarded`, `NonJunk` …
    Keyword(Keyword<'a>),
    /// `flag-extension`: `\` and an atom that RFC 3501 does not name; held here without the `\`.
    Extension(Atom<'a>),
}

const SYSTEM: [(&str, u8); 6] =
    [("Seen", 1), ("Answered", 2), ("Flagged", 4), ("Deleted", 8), ("Draft", 16), ("Recent", 32)];
const WILDCARD: u8 = 64;

impl<'a> Flag<'a> {
    /// From its spelling, with the `\` of system and extension flags.
    ///
    /// # Errors
    /// [`Invalid`] when it is not one flag (INJ-05).
    pub fn new(flag: &'a str) -> Result<Self, Invalid> {
        match flag.strip_prefix('\\') {
            Some(name) => Atom::new(name).map(Self::system_or_extension),
            None => Keyword::new(flag).map(Flag::Keyword),
        }
    }

    pub(crate) fn system_or_extension(name: Atom<'a>) -> Self {
        let known = SYSTEM.iter().find(|(n, _)| name.is(n)).map(|(_, bit)| *bit);
        known.and_then(Self::from_bit).unwrap_or(Flag::Extension(name))
    }

    fn bit(&self) -> Option<u8> {
        match self {
            Flag::Seen => Some(1),
            Flag::Answered => Some(2),
            Flag::Flagged => Some(4),
            Flag::Deleted => Some(8),
            Flag::Draft => Some(16),
            Flag::Recent => Some(32),
            Flag::Keyword(_) | Flag::Extension(_) => None,
        }
    }

    fn from_bit(bit: u8) -> Option<Self> {
        match bit {
            1 => Some(Flag::Seen),
            2 => Some(Flag::Answered),
            4 => Some(Flag::Flagged),
            8 => Some(Flag::Deleted),
            16 => Some(Flag::Draft),
            32 => Some(Flag::Recent),
            _ => None,
        }
    }

    /// A copy that borrows nothing.
    pub fn into_owned(self) -> Flag<'static> {
        match self {
            Flag::Seen => Flag::Seen,
            Flag::Answered => Flag::Answered,
            Flag::Flagged => Flag::Flagged,
            Flag::Deleted => Flag::Deleted,
            Flag::Draft => Flag::Draft,
            Flag::Recent => Flag::Recent,
            Flag::Keyword(k) => Flag::Keyword(k.into_owned()),
            Flag::Extension(a) => Flag::Extension(a.into_owned()),
        }
    }
}

/// As it is spelled on the wire.
impl fmt::Display for Flag<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Flag::Seen => f.write_str("\\Seen"),
            Flag::Answered => f.write_str("\\Answered"),
            Flag::Flagged => f.write_str("\\Flagged"),
            Flag::Deleted => f.write_str("\\Deleted"),
            Flag::Draft => f.write_str("\\Draft"),
            Flag::Recent => f.write_str("\\Recent"),
            Flag::Keyword(k) => k.fmt(f),
            Flag::Extension(a) => write!(f, "\\{a}"),
        }
    }
}

impl fmt::Debug for Flag<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A set of flags. System flags are bits; only keywords and extensions need memory.
///
/// Keywords and extensions keep the order in which they came.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct FlagSet<'a> {
    bits: u8,
    others: Vec<Flag<'a>>,
}

impl<'a> FlagSet<'a> {
    /// No flags.
    pub const fn new() -> Self {
        Self { bits: 0, others: Vec::new() }
    }

    /// Adds a flag.
    pub fn insert(&mut self, flag: Flag<'a>) {
        match flag.bit() {
            Some(bit) => self.bits |= bit,
            None if self.others.contains(&flag) => {}
            None => self.others.push(flag),
        }
    }

    /// Adds a flag that came from a peer. Does not look for repeats: a list of n keywords must cost n steps.
    pub(crate) fn push(&mut self, flag: Flag<'a>) {
        match flag.bit() {
            Some(bit) => self.bits |= bit,
            None => self.others.push(flag),
        }
    }

    /// Takes a flag out.
    pub fn remove(&mut self, flag: &Flag<'_>) {
        match flag.bit() {
            Some(bit) => self.bits &= !bit,
            None => self.others.retain(|f| f != flag),
        }
    }

    /// Whether the flag is in the set.
    pub fn contains(&self, flag: &Flag<'_>) -> bool {
        match flag.bit() {
            Some(bit) => self.bits & bit != 0,
            None => self.others.iter().any(|f| f == flag),
        }
    }

    /// Whether a keyword is in the set, without regard to ASCII case.
    pub fn has_keyword(&self, name: &str) -> bool {
        self.others.iter().any(|f| matches!(f, Flag::Keyword(k) if k.is(name)))
    }

    /// `\*` in PERMANENTFLAGS: the client may make up new keywords.
    pub fn has_wildcard(&self) -> bool {
        self.bits & WILDCARD != 0
    }

    /// Sets or clears `\*`; it may be written in PERMANENTFLAGS only.
    pub fn set_wildcard(&mut self, on: bool) {
        if on {
            self.bits |= WILDCARD;
        } else {
            self.bits &= !WILDCARD;
        }
    }

    /// Whether there are no flags, and no `\*`.
    pub fn is_empty(&self) -> bool {
        self.bits == 0 && self.others.is_empty()
    }

    /// The flags: system flags first, then the others in their order. `\*` is not among them.
    pub fn iter(&self) -> impl Iterator<Item = Flag<'_>> + '_ {
        let system =
            SYSTEM.iter().filter(|(_, bit)| self.bits & bit != 0).filter_map(|(_, b)| Flag::from_bit(*b));
        system.chain(self.others.iter().map(Flag::borrowed))
    }

    /// A copy that borrows nothing.
    pub fn into_owned(self) -> FlagSet<'static> {
        FlagSet { bits: self.bits, others: self.others.into_iter().map(Flag::into_owned).collect() }
    }
}

impl Flag<'_> {
    /// The same flag, borrowed from this one.
    pub fn borrowed(&self) -> Flag<'_> {
        match self {
            Flag::Keyword(k) => Flag::Keyword(k.borrowed()),
            Flag::Extension(a) => Flag::Extension(a.borrowed()),
            Flag::Seen => Flag::Seen,
            Flag::Answered => Flag::Answered,
            Flag::Flagged => Flag::Flagged,
            Flag::Deleted => Flag::Deleted,
            Flag::Draft => Flag::Draft,
            Flag::Recent => Flag::Recent,
        }
    }
}

impl<'a> FromIterator<Flag<'a>> for FlagSet<'a> {
    fn from_iter<I: IntoIterator<Item = Flag<'a>>>(flags: I) -> Self {
        let mut set = Self::new();
        flags.into_iter().for_each(|f| set.insert(f));
        set
    }
}

impl fmt::Debug for FlagSet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut set = f.debug_set();
        set.entries(self.iter());
        if self.has_wildcard() {
            set.entry(&format_args!("\\*"));
        }
        set.finish()
    }
}
