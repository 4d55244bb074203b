//! `atom` and `tag` (RFC 3501 section 9): short ASCII words without specials.

use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;

use crate::grammar::chars;
use crate::types::invalid::{Invalid, InvalidKind, check};

macro_rules! word {
    ($(#[$doc:meta])* $name:ident, $what:literal, $allowed:path) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name<'a>(Cow<'a, str>);

        impl<'a> $name<'a> {
            /// Builds the value.
            ///
            /// # Errors
            /// [`Invalid`] when it is empty or holds an octet the rule does not allow.
            pub fn new(value: impl Into<Cow<'a, str>>) -> Result<Self, Invalid> {
                let value = value.into();
                if value.is_empty() {
                    return Err(Invalid::new($what, InvalidKind::Empty));
                }
                check($what, value.as_bytes(), $allowed)?;
                Ok(Self(value))
            }

            /// The octets were already checked by the parser; `None` cannot happen for ASCII.
            pub(crate) fn from_checked(octets: &'a [u8]) -> Option<Self> {
                core::str::from_utf8(octets).ok().map(|s| Self(Cow::Borrowed(s)))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The octets.
            pub fn as_bytes(&self) -> &[u8] {
                self.0.as_bytes()
            }

            /// Compares without regard to ASCII case, as IMAP compares its words.
            pub fn is(&self, other: &str) -> bool {
                self.0.eq_ignore_ascii_case(other)
            }

            /// A copy that borrows nothing.
            pub fn into_owned(self) -> $name<'static> {
                $name(Cow::Owned(self.0.into_owned()))
            }

            /// The same value, borrowed from this one.
            pub fn borrowed(&self) -> $name<'_> {
                $name(Cow::Borrowed(&self.0))
            }
        }

        impl fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.as_str())
            }
        }

        impl fmt::Display for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'a> TryFrom<&'a str> for $name<'a> {
            type Error = Invalid;
            fn try_from(value: &'a str) -> Result<Self, Invalid> {
                Self::new(value)
            }
        }

        impl TryFrom<String> for $name<'static> {
            type Error = Invalid;
            fn try_from(value: String) -> Result<Self, Invalid> {
                Self::new(value)
            }
        }
    };
}

word! {
    /// `atom = 1*ATOM-CHAR`: a word of 7-bit characters without blanks, controls, `( ) { % * " \ ]`.
    ///
    /// ```
    /// # use postkey_imap_proto::types::Atom;
    /// assert_eq!(Atom::new("XOAUTH2").unwrap().as_str(), "XOAUTH2");
    /// assert!(Atom::new("two words").is_err());
    /// ```
    Atom, "atom", chars::is_atom_char
}

word! {
    /// `tag = 1*<any ASTRING-CHAR except "+">`: what ties a completion to its command.
    Tag, "tag", chars::is_tag_char
}

word! {
    /// `flag-keyword`: a flag that users and programs define, such as `$Forwarded`.
    ///
    /// RFC 3501 makes it an atom; `]` is allowed here in addition because servers send it.
    Keyword, "flag-keyword", chars::is_astring_char
}

impl<'a> Atom<'a> {
    /// `name=value` as its two parts, when both are there.
    pub(crate) fn split_at_equals(&self) -> Option<(&str, Atom<'a>)> {
        let (name, value) = self.0.split_once('=')?;
        if value.is_empty() {
            return None;
        }
        let value = match &self.0 {
            Cow::Borrowed(text) => Atom(Cow::Borrowed(text.split_once('=')?.1)),
            Cow::Owned(_) => Atom(Cow::Owned(value.into())),
        };
        Some((name, value))
    }
}
