//! SEARCH: the key tree (RFC 3501 section 6.4.4, RFC 7162) and the answer (section 7.2.5).

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::num::{NonZeroU32, NonZeroU64};

use crate::grammar::{SearchNumbers, SearchPart};
use crate::types::atom::Keyword;
use crate::types::date::Date;
use crate::types::sequence::SequenceSet;
use crate::types::string::AString;

/// `search-key`: which messages.
///
/// String keys match substrings without regard to case, in the charset that the command names.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SearchKey<'a> {
    /// Every message.
    All,
    /// With `\Answered`.
    Answered,
    /// `Bcc:` contains.
    Bcc(AString<'a>),
    /// Internal date is before this day.
    Before(Date),
    /// The body contains.
    Body(AString<'a>),
    /// `Cc:` contains.
    Cc(AString<'a>),
    /// With `\Deleted`.
    Deleted,
    /// With `\Draft`.
    Draft,
    /// With `\Flagged`.
    Flagged,
    /// `From:` contains.
    From(AString<'a>),
    /// This header field is there and contains; an empty string means that it is there.
    Header(AString<'a>, AString<'a>),
    /// With this keyword.
    Keyword(Keyword<'a>),
    /// More octets than this.
    Larger(u32),
    /// `\Recent` and not `\Seen`.
    New,
    /// Without `\Recent`.
    Old,
    /// Internal date is this day.
    On(Date),
    /// With `\Recent`.
    Recent,
    /// With `\Seen`.
    Seen,
    /// `Date:` is before this day.
    SentBefore(Date),
    /// `Date:` is this day.
    SentOn(Date),
    /// `Date:` is this day or later.
    SentSince(Date),
    /// Internal date is this day or later.
    Since(Date),
    /// Fewer octets than this.
    Smaller(u32),
    /// `Subject:` contains.
    Subject(AString<'a>),
    /// Header or body contain.
    Text(AString<'a>),
    /// `To:` contains.
    To(AString<'a>),
    /// UIDs in this set.
    Uid(SequenceSet),
    /// Without `\Answered`.
    Unanswered,
    /// Without `\Deleted`.
    Undeleted,
    /// Without `\Draft`.
    Undraft,
    /// Without `\Flagged`.
    Unflagged,
    /// Without this keyword.
    Unkeyword(Keyword<'a>),
    /// Without `\Seen`.
    Unseen,
    /// Sequence numbers in this set.
    Sequence(SequenceSet),
    /// `MODSEQ` (RFC 7162): changed at or after this mod-sequence.
    ModSeq(u64),
    /// Not this key.
    Not(Box<SearchKey<'a>>),
    /// Either key.
    Or(Box<SearchKey<'a>>, Box<SearchKey<'a>>),
    /// All of these; at least one.
    And(Vec<SearchKey<'a>>),
}

impl SearchKey<'_> {
    /// A copy that borrows nothing.
    pub fn into_owned(self) -> SearchKey<'static> {
        use SearchKey as K;
        match self {
            K::All => K::All,
            K::Answered => K::Answered,
            K::Bcc(s) => K::Bcc(s.into_owned()),
            K::Before(d) => K::Before(d),
            K::Body(s) => K::Body(s.into_owned()),
            K::Cc(s) => K::Cc(s.into_owned()),
            K::Deleted => K::Deleted,
            K::Draft => K::Draft,
            K::Flagged => K::Flagged,
            K::From(s) => K::From(s.into_owned()),
            K::Header(n, s) => K::Header(n.into_owned(), s.into_owned()),
            K::Keyword(k) => K::Keyword(k.into_owned()),
            K::Larger(n) => K::Larger(n),
            K::New => K::New,
            K::Old => K::Old,
            K::On(d) => K::On(d),
            K::Recent => K::Recent,
            K::Seen => K::Seen,
            K::SentBefore(d) => K::SentBefore(d),
            K::SentOn(d) => K::SentOn(d),
            K::SentSince(d) => K::SentSince(d),
            K::Since(d) => K::Since(d),
            K::Smaller(n) => K::Smaller(n),
            K::Subject(s) => K::Subject(s.into_owned()),
            K::Text(s) => K::Text(s.into_owned()),
            K::To(s) => K::To(s.into_owned()),
            K::Uid(s) => K::Uid(s),
            K::Unanswered => K::Unanswered,
            K::Undeleted => K::Undeleted,
            K::Undraft => K::Undraft,
            K::Unflagged => K::Unflagged,
            K::Unkeyword(k) => K::Unkeyword(k.into_owned()),
            K::Unseen => K::Unseen,
            K::Sequence(s) => K::Sequence(s),
            K::ModSeq(n) => K::ModSeq(n),
            K::Not(k) => K::Not(Box::new(k.into_owned())),
            K::Or(a, b) => K::Or(Box::new(a.into_owned()), Box::new(b.into_owned())),
            K::And(keys) => K::And(keys.into_iter().map(K::into_owned).collect()),
        }
    }
}

/// The SEARCH response: numbers, kept as the octets they came in so that millions of them cost nothing.
#[derive(Clone, Default)]
pub struct SearchData<'a> {
    numbers: Cow<'a, [u8]>,
    mod_seq: Option<NonZeroU64>,
}

impl<'a> SearchData<'a> {
    /// From message numbers or UIDs.
    pub fn new(numbers: impl IntoIterator<Item = NonZeroU32>, mod_seq: Option<NonZeroU64>) -> Self {
        let mut octets = Vec::new();
        for n in numbers {
            octets.push(b' ');
            crate::grammar::number::push_number(u64::from(n.get()), &mut octets);
        }
        Self { numbers: Cow::Owned(octets), mod_seq }
    }

    /// The octets were walked once by the parser, so every item is known to be a number.
    pub(crate) fn from_checked(numbers: &'a [u8], mod_seq: Option<NonZeroU64>) -> Self {
        Self { numbers: Cow::Borrowed(numbers), mod_seq }
    }

    /// The numbers in the server's order.
    pub fn iter(&self) -> impl Iterator<Item = NonZeroU32> + '_ {
        SearchNumbers::new(&self.numbers).filter_map(|part| match part {
            Ok(SearchPart::Number(n)) => Some(n),
            _ => None,
        })
    }

    /// RFC 7162: the greatest mod-sequence of all messages found, when MODSEQ was searched for.
    pub fn mod_seq(&self) -> Option<NonZeroU64> {
        self.mod_seq
    }

    /// A copy that borrows nothing.
    pub fn into_owned(self) -> SearchData<'static> {
        SearchData { numbers: Cow::Owned(self.numbers.into_owned()), mod_seq: self.mod_seq }
    }
}

/// Equal when the numbers are, however they are spaced.
impl PartialEq for SearchData<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.mod_seq == other.mod_seq && self.iter().eq(other.iter())
    }
}

impl Eq for SearchData<'_> {}

impl fmt::Debug for SearchData<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()?;
        self.mod_seq.map_or(Ok(()), |m| write!(f, " (MODSEQ {m})"))
    }
}
