//! `capability` (RFC 3501 section 7.2.1 and the extensions' registry).

use alloc::vec::Vec;
use core::fmt;

use crate::types::atom::Atom;
use crate::types::invalid::Invalid;

macro_rules! capabilities {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// Something a server can do. Names are compared without regard to case.
        #[derive(Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Capability<'a> {
            $($(#[$doc])* $name,)*
            /// `AUTH=` and the name of a SASL mechanism.
            Auth(Atom<'a>),
            /// `APPENDLIMIT[=n]` (RFC 7889): the greatest message APPEND accepts, in octets; `None` when it differs
            /// from mailbox to mailbox.
            AppendLimit(Option<u64>),
            /// Any other.
            Other(Atom<'a>),
        }

        impl<'a> Capability<'a> {
            fn known(name: &str) -> Option<Self> {
                $(if name.eq_ignore_ascii_case($text) { return Some(Capability::$name); })*
                None
            }

            /// A copy that borrows nothing.
            pub fn into_owned(self) -> Capability<'static> {
                match self {
                    $(Capability::$name => Capability::$name,)*
                    Capability::Auth(a) => Capability::Auth(a.into_owned()),
                    Capability::AppendLimit(n) => Capability::AppendLimit(n),
                    Capability::Other(a) => Capability::Other(a.into_owned()),
                }
            }
        }

        /// As it is spelled on the wire.
        impl fmt::Display for Capability<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Capability::$name => f.write_str($text),)*
                    Capability::Auth(a) => write!(f, "AUTH={a}"),
                    Capability::AppendLimit(None) => f.write_str("APPENDLIMIT"),
                    Capability::AppendLimit(Some(n)) => write!(f, "APPENDLIMIT={n}"),
                    Capability::Other(a) => a.fmt(f),
                }
            }
        }

        #[cfg(any(test, feature = "testkit"))]
        /// Every capability without an argument, for generators.
        pub(crate) const KNOWN: &[Capability<'static>] = &[$(Capability::$name,)*];
    };
}

capabilities! {
    /// RFC 3501.
    Imap4Rev1 = "IMAP4rev1",
    /// RFC 9051.
    Imap4Rev2 = "IMAP4rev2",
    /// `STARTTLS` may be used (RFC 3501 section 6.2.1).
    StartTls = "STARTTLS",
    /// `LOGIN` will be refused (RFC 3501 section 6.2.3). Says nothing about AUTHENTICATE.
    LoginDisabled = "LOGINDISABLED",
    /// An initial response may ride on AUTHENTICATE (RFC 4959).
    SaslIr = "SASL-IR",
    /// Non-synchronising literals of any size (RFC 7888).
    LiteralPlus = "LITERAL+",
    /// Non-synchronising literals up to 4096 octets (RFC 7888).
    LiteralMinus = "LITERAL-",
    /// RFC 2177.
    Idle = "IDLE",
    /// RFC 2342.
    Namespace = "NAMESPACE",
    /// RFC 2971.
    Id = "ID",
    /// RFC 4315.
    UidPlus = "UIDPLUS",
    /// RFC 3691.
    Unselect = "UNSELECT",
    /// RFC 6851.
    Move = "MOVE",
    /// RFC 5161.
    Enable = "ENABLE",
    /// RFC 7162.
    CondStore = "CONDSTORE",
    /// RFC 7162.
    QResync = "QRESYNC",
    /// RFC 3348.
    Children = "CHILDREN",
    /// RFC 6154.
    SpecialUse = "SPECIAL-USE",
    /// RFC 5258.
    ListExtended = "LIST-EXTENDED",
    /// RFC 5819.
    ListStatus = "LIST-STATUS",
    /// RFC 4731.
    ESearch = "ESEARCH",
    /// RFC 3516.
    Binary = "BINARY",
    /// RFC 6855.
    Utf8Accept = "UTF8=ACCEPT",
    /// RFC 4978.
    CompressDeflate = "COMPRESS=DEFLATE",
    /// RFC 8438.
    StatusSize = "STATUS=SIZE",
    /// RFC 8474.
    ObjectId = "OBJECTID",
}

impl<'a> Capability<'a> {
    /// From its spelling.
    ///
    /// # Errors
    /// [`Invalid`] when it is not one atom (INJ-06).
    pub fn new(text: &'a str) -> Result<Self, Invalid> {
        Atom::new(text).map(Self::from_atom)
    }

    pub(crate) fn from_atom(atom: Atom<'a>) -> Self {
        if let Some(known) = Self::known(atom.as_str()) {
            return known;
        }
        if atom.is("APPENDLIMIT") {
            return Capability::AppendLimit(None);
        }
        match atom.split_at_equals() {
            Some((name, value)) if name.eq_ignore_ascii_case("AUTH") => Capability::Auth(value),
            Some((name, value)) if name.eq_ignore_ascii_case("APPENDLIMIT") => {
                match value.as_str().parse() {
                    // A sign or leading zeros would be spelled differently when written again.
                    Ok(n) if value.as_str().bytes().all(|b| b.is_ascii_digit()) => {
                        Capability::AppendLimit(Some(n))
                    }
                    _ => Capability::Other(atom),
                }
            }
            _ => Capability::Other(atom),
        }
    }
}

impl fmt::Debug for Capability<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a server said it can do, in its order.
///
/// ```
/// # use postkey_imap_proto::types::{Capabilities, Capability};
/// let caps: Capabilities<'_> = [Capability::Imap4Rev1, Capability::new("AUTH=XOAUTH2").unwrap()].into_iter().collect();
/// assert!(caps.has(&Capability::Imap4Rev1));
/// assert!(caps.has_auth("xoauth2"));
/// assert!(!caps.has_auth("PLAIN"));
/// ```
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Capabilities<'a>(Vec<Capability<'a>>);

impl<'a> Capabilities<'a> {
    /// Nothing.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds one.
    pub fn push(&mut self, capability: Capability<'a>) {
        self.0.push(capability);
    }

    /// Whether the server has this capability; names and mechanisms are compared without regard to case.
    pub fn has(&self, wanted: &Capability<'_>) -> bool {
        self.0.iter().any(|c| match (c, wanted) {
            (Capability::Auth(a), Capability::Auth(b)) | (Capability::Other(a), Capability::Other(b)) => {
                a.is(b.as_str())
            }
            (c, wanted) => c == wanted,
        })
    }

    /// Whether the server offers this SASL mechanism.
    pub fn has_auth(&self, mechanism: &str) -> bool {
        self.0.iter().any(|c| matches!(c, Capability::Auth(a) if a.is(mechanism)))
    }

    /// The capabilities in the server's order.
    pub fn iter(&self) -> core::slice::Iter<'_, Capability<'a>> {
        self.0.iter()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A copy that borrows nothing.
    pub fn into_owned(self) -> Capabilities<'static> {
        Capabilities(self.0.into_iter().map(Capability::into_owned).collect())
    }
}

impl<'a> FromIterator<Capability<'a>> for Capabilities<'a> {
    fn from_iter<I: IntoIterator<Item = Capability<'a>>>(iter: I) -> Self {
        Self(iter.into_iter().collect())
    }
}

impl fmt::Debug for Capabilities<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(&self.0).finish()
    }
}
