//! What FETCH asks for (RFC 3501 section 6.4.5) and what it answers (section 7.4.2).

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;
use core::num::{NonZeroU32, NonZeroU64};

use crate::types::atom::Atom;
use crate::types::body::BodyStructure;
use crate::types::date::DateTime;
use crate::types::envelope::Envelope;
use crate::types::flag::FlagSet;
use crate::types::section::{PartPath, Partial, Section};
use crate::types::string::Escaped;

/// The second argument of FETCH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchItems<'a> {
    /// `ALL = (FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)`
    All,
    /// `FAST = (FLAGS INTERNALDATE RFC822.SIZE)`
    Fast,
    /// `FULL = (FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY)`
    Full,
    /// These items; at least one.
    List(Vec<FetchItem<'a>>),
}

impl FetchItems<'_> {
    /// A copy that borrows nothing.
    pub fn into_owned(self) -> FetchItems<'static> {
        match self {
            FetchItems::All => FetchItems::All,
            FetchItems::Fast => FetchItems::Fast,
            FetchItems::Full => FetchItems::Full,
            FetchItems::List(l) => FetchItems::List(l.into_iter().map(FetchItem::into_owned).collect()),
        }
    }
}

/// `fetch-att`: one thing to ask of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FetchItem<'a> {
    /// `ENVELOPE`
    Envelope,
    /// `FLAGS`
    Flags,
    /// `INTERNALDATE`
    InternalDate,
    /// `RFC822`: like `BODY[]`; sets `\Seen`.
    Rfc822,
    /// `RFC822.HEADER`: like `BODY.PEEK[HEADER]`.
    Rfc822Header,
    /// `RFC822.SIZE`
    Rfc822Size,
    /// `RFC822.TEXT`: like `BODY[TEXT]`; sets `\Seen`.
    Rfc822Text,
    /// `BODY`: the structure without extension data.
    Body,
    /// `BODYSTRUCTURE`
    BodyStructure,
    /// `BODY[section]<partial>` or `BODY.PEEK[section]<partial>`.
    BodySection {
        /// Which octets.
        section: Section<'a>,
        /// Leave `\Seen` as it is.
        peek: bool,
        /// Only a window of them.
        partial: Option<Partial>,
    },
    /// `BINARY[part]<partial>` or `BINARY.PEEK[part]<partial>` (RFC 3516): without transfer encoding.
    Binary {
        /// The part.
        path: PartPath,
        /// Leave `\Seen` as it is.
        peek: bool,
        /// Only a window of the octets.
        partial: Option<Partial>,
    },
    /// `BINARY.SIZE[part]` (RFC 3516).
    BinarySize(PartPath),
    /// `UID`
    Uid,
    /// `MODSEQ` (RFC 7162)
    ModSeq,
    /// Any other item that is one word, such as `X-GM-MSGID`.
    Other(Atom<'a>),
}

impl FetchItem<'_> {
    /// `BODY.PEEK[]`: the whole message, leaving `\Seen` as it is.
    pub const PEEK_FULL: FetchItem<'static> =
        FetchItem::BodySection { section: Section::FULL, peek: true, partial: None };

    /// A copy that borrows nothing.
    pub fn into_owned(self) -> FetchItem<'static> {
        match self {
            FetchItem::Envelope => FetchItem::Envelope,
            FetchItem::Flags => FetchItem::Flags,
            FetchItem::InternalDate => FetchItem::InternalDate,
            FetchItem::Rfc822 => FetchItem::Rfc822,
            FetchItem::Rfc822Header => FetchItem::Rfc822Header,
            FetchItem::Rfc822Size => FetchItem::Rfc822Size,
            FetchItem::Rfc822Text => FetchItem::Rfc822Text,
            FetchItem::Body => FetchItem::Body,
            FetchItem::BodyStructure => FetchItem::BodyStructure,
            FetchItem::BodySection { section, peek, partial } => {
                FetchItem::BodySection { section: section.into_owned(), peek, partial }
            }
            FetchItem::Binary { path, peek, partial } => FetchItem::Binary { path, peek, partial },
            FetchItem::BinarySize(path) => FetchItem::BinarySize(path),
            FetchItem::Uid => FetchItem::Uid,
            FetchItem::ModSeq => FetchItem::ModSeq,
            FetchItem::Other(a) => FetchItem::Other(a.into_owned()),
        }
    }
}

/// The name of an item of a FETCH response whose value is the octets of (a part of) a message.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum BodyName<'a> {
    /// `BODY[section]`
    Section(Section<'a>),
    /// `RFC822`
    Rfc822,
    /// `RFC822.HEADER`
    Rfc822Header,
    /// `RFC822.TEXT`
    Rfc822Text,
    /// `BINARY[part]` (RFC 3516)
    Binary(PartPath),
}

impl BodyName<'_> {
    /// Whether the value is a whole message.
    pub fn is_full(&self) -> bool {
        match self {
            BodyName::Section(s) => s.is_full(),
            BodyName::Rfc822 => true,
            _ => false,
        }
    }

    /// A copy that borrows nothing.
    pub fn into_owned(self) -> BodyName<'static> {
        match self {
            BodyName::Section(s) => BodyName::Section(s.into_owned()),
            BodyName::Rfc822 => BodyName::Rfc822,
            BodyName::Rfc822Header => BodyName::Rfc822Header,
            BodyName::Rfc822Text => BodyName::Rfc822Text,
            BodyName::Binary(p) => BodyName::Binary(p),
        }
    }
}

/// `msg-att` item: one thing a FETCH response says about a message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FetchData<'a> {
    /// `FLAGS`
    Flags(FlagSet<'a>),
    /// `UID`
    Uid(NonZeroU32),
    /// `INTERNALDATE`; `None` when the server sent something that is no date.
    InternalDate(Option<DateTime>),
    /// `RFC822.SIZE` in octets, an estimate at Exchange; `None` when the server sent `-1` or `NIL` (FR-20).
    Size(Option<u64>),
    /// `ENVELOPE`
    Envelope(Envelope<'a>),
    /// `BODY` without section, and `BODYSTRUCTURE`: the latter has extension data.
    BodyStructure {
        /// The structure.
        body: BodyStructure<'a>,
        /// The item was `BODYSTRUCTURE`, not `BODY`.
        extensible: bool,
    },
    /// The octets of (a part of) a message.
    Body {
        /// Which.
        name: BodyName<'a>,
        /// Where a partial begins, in octets from 0.
        origin: Option<u32>,
        /// The octets. `None` is `NIL`: the server has nothing to give, which is not an empty part (FR-06).
        data: Option<Cow<'a, [u8]>>,
    },
    /// `BINARY.SIZE[part]` in octets (RFC 3516).
    BinarySize {
        /// The part.
        path: PartPath,
        /// Size without transfer encoding.
        size: u64,
    },
    /// `MODSEQ` (RFC 7162); `None` when the server sent zero or a negative number (FR-20).
    ModSeq(Option<NonZeroU64>),
    /// Any other item.
    Other {
        /// Its name.
        name: Atom<'a>,
        /// Its value as it came.
        value: RawValue<'a>,
    },
}

impl FetchData<'_> {
    /// A copy that borrows nothing.
    pub fn into_owned(self) -> FetchData<'static> {
        match self {
            FetchData::Flags(f) => FetchData::Flags(f.into_owned()),
            FetchData::Uid(u) => FetchData::Uid(u),
            FetchData::InternalDate(d) => FetchData::InternalDate(d),
            FetchData::Size(s) => FetchData::Size(s),
            FetchData::Envelope(e) => FetchData::Envelope(e.into_owned()),
            FetchData::BodyStructure { body, extensible } => {
                FetchData::BodyStructure { body: body.into_owned(), extensible }
            }
            FetchData::Body { name, origin, data } => FetchData::Body {
                name: name.into_owned(),
                origin,
                data: data.map(|d| Cow::Owned(d.into_owned())),
            },
            FetchData::BinarySize { path, size } => FetchData::BinarySize { path, size },
            FetchData::ModSeq(m) => FetchData::ModSeq(m),
            FetchData::Other { name, value } => {
                FetchData::Other { name: name.into_owned(), value: value.into_owned() }
            }
        }
    }
}

/// One value of the response syntax (number, atom, string or parenthesised list) as it came.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RawValue<'a>(Cow<'a, [u8]>);

impl<'a> RawValue<'a> {
    /// Builds a value from its spelling.
    ///
    /// # Errors
    /// [`Invalid`](crate::types::Invalid) when the octets are not exactly one value.
    pub fn new(octets: &'a [u8]) -> Result<Self, crate::types::Invalid> {
        crate::grammar::value::from_octets(octets)
    }

    pub(crate) fn from_checked(octets: &'a [u8]) -> Self {
        Self(Cow::Borrowed(octets))
    }

    /// The octets.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// A copy that borrows nothing.
    pub fn into_owned(self) -> RawValue<'static> {
        RawValue(Cow::Owned(self.0.into_owned()))
    }
}

impl fmt::Debug for RawValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Escaped(&self.0).fmt(f)
    }
}

/// A whole FETCH response whose bodies are all inside the frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchResponse<'a> {
    /// Message sequence number.
    pub seq: NonZeroU32,
    /// The items in the server's order, which is not always the order asked for.
    pub items: Vec<FetchData<'a>>,
}

impl FetchResponse<'_> {
    /// A copy that borrows nothing.
    pub fn into_owned(self) -> FetchResponse<'static> {
        FetchResponse { seq: self.seq, items: self.items.into_iter().map(FetchData::into_owned).collect() }
    }
}
