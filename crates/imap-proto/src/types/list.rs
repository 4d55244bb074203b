//! LIST and LSUB responses (RFC 3501 sections 7.2.2 and 7.2.3, RFC 3348, RFC 5258, RFC 6154).

use alloc::vec::Vec;
use core::fmt;

use crate::types::atom::Atom;
use crate::types::mailbox::Mailbox;

macro_rules! attributes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// `mbx-list-flags`: what is known about a mailbox. Compared without regard to case.
        #[derive(Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Attribute<'a> {
            $($(#[$doc])* $name,)*
            /// Any other; held without the `\`.
            Other(Atom<'a>),
        }

        impl<'a> Attribute<'a> {
            /// From its name without the `\`.
            pub fn from_atom(name: Atom<'a>) -> Self {
                $(if name.is($text) { return Attribute::$name; })*
                Attribute::Other(name)
            }

            /// A copy that borrows nothing.
            pub fn into_owned(self) -> Attribute<'static> {
                match self {
                    $(Attribute::$name => Attribute::$name,)*
                    Attribute::Other(a) => Attribute::Other(a.into_owned()),
                }
            }
        }

        /// As it is spelled on the wire.
        impl fmt::Display for Attribute<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Attribute::$name => f.write_str(concat!("\\", $text)),)*
                    Attribute::Other(a) => write!(f, "\\{a}"),
                }
            }
        }

        #[cfg(any(test, feature = "testkit"))]
        /// Every known attribute, for generators.
        pub(crate) const KNOWN: &[Attribute<'static>] = &[$(Attribute::$name,)*];
    };
}

attributes! {
    /// It has no children and cannot have any.
    NoInferiors = "Noinferiors",
    /// It cannot be selected.
    NoSelect = "Noselect",
    /// The server thinks it is interesting.
    Marked = "Marked",
    /// Nothing new since it was selected last.
    Unmarked = "Unmarked",
    /// RFC 3348.
    HasChildren = "HasChildren",
    /// RFC 3348.
    HasNoChildren = "HasNoChildren",
    /// RFC 5258: there is no such mailbox.
    NonExistent = "NonExistent",
    /// RFC 5258.
    Subscribed = "Subscribed",
    /// RFC 5258.
    Remote = "Remote",
    /// RFC 6154: all messages.
    All = "All",
    /// RFC 6154.
    Archive = "Archive",
    /// RFC 6154.
    Drafts = "Drafts",
    /// RFC 6154: all messages with `\Flagged`.
    Flagged = "Flagged",
    /// RFC 6154.
    Junk = "Junk",
    /// RFC 6154.
    Sent = "Sent",
    /// RFC 6154.
    Trash = "Trash",
    /// RFC 8457.
    Important = "Important",
}

impl fmt::Debug for Attribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Which command the entry answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ListKind {
    /// `LIST`: mailboxes.
    List,
    /// `LSUB`: subscriptions.
    Lsub,
}

/// `mailbox-list`: one mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListEntry<'a> {
    /// LIST or LSUB.
    pub kind: ListKind,
    /// What is known about it.
    pub attributes: Vec<Attribute<'a>>,
    /// The hierarchy delimiter, a 7-bit character; `None` for a flat name.
    pub delimiter: Option<Delimiter>,
    /// The name.
    pub mailbox: Mailbox<'a>,
}

impl ListEntry<'_> {
    /// Whether an attribute is there.
    pub fn has(&self, attribute: &Attribute<'_>) -> bool {
        self.attributes.iter().any(|a| match (a, attribute) {
            (Attribute::Other(a), Attribute::Other(b)) => a.is(b.as_str()),
            (a, b) => a == b,
        })
    }

    /// Whether SELECT can work: neither `\Noselect` nor `\NonExistent`.
    pub fn is_selectable(&self) -> bool {
        !self.has(&Attribute::NoSelect) && !self.has(&Attribute::NonExistent)
    }

    /// A copy that borrows nothing.
    pub fn into_owned(self) -> ListEntry<'static> {
        ListEntry {
            kind: self.kind,
            attributes: self.attributes.into_iter().map(Attribute::into_owned).collect(),
            delimiter: self.delimiter,
            mailbox: self.mailbox.into_owned(),
        }
    }
}

/// The character between the levels of a mailbox name: 7-bit, not NUL, CR or LF.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Delimiter(u8);

impl Delimiter {
    /// `/`, as Exchange uses it.
    pub const SLASH: Delimiter = Delimiter(b'/');

    /// Builds a delimiter.
    ///
    /// # Errors
    /// [`Invalid`](crate::types::Invalid) when it is not a `QUOTED-CHAR`.
    pub fn new(octet: u8) -> Result<Self, crate::types::Invalid> {
        if octet.is_ascii() && !matches!(octet, 0 | b'\r' | b'\n') {
            Ok(Self(octet))
        } else {
            Err(crate::types::Invalid::octet("delimiter", 0))
        }
    }

    /// The octet.
    pub fn get(self) -> u8 {
        self.0
    }

    /// The character.
    pub fn as_char(self) -> char {
        char::from(self.0)
    }
}

impl fmt::Debug for Delimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_char())
    }
}
