//! Languages of a server's texts (RFC 6856 section 3).

use alloc::string::String;
use core::fmt;

use super::{Invalid, Text, check};

/// A language tag (BCP 47): letters, digits and hyphens, at most 64.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct LanguageTag(String);

impl LanguageTag {
    /// Takes a tag.
    ///
    /// # Errors
    /// [`Invalid`] when it is none.
    pub fn new(tag: impl Into<String>) -> Result<Self, Invalid> {
        let tag = tag.into();
        check("language tag", tag.as_bytes(), 64, |o| o.is_ascii_alphanumeric() || o == b'-')?;
        Ok(Self(tag))
    }

    /// The tag as it was given; tags are compared without regard to case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for LanguageTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One line of the listing that LANG without an argument gives.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Language<'a> {
    /// The tag.
    pub tag: LanguageTag,
    /// The language's name in itself.
    pub description: Text<'a>,
}

impl Language<'_> {
    /// The same, borrowing nothing.
    pub fn into_owned(self) -> Language<'static> {
        Language { tag: self.tag, description: self.description.into_owned() }
    }
}
