//! One line of a listing.

use super::{Capability, Language, ScanListing, UniqueIdListing};

/// A line of a multi-line reply other than a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry<'a> {
    /// Of LIST.
    Scan(ScanListing),
    /// Of UIDL.
    UniqueId(UniqueIdListing<'a>),
    /// Of CAPA.
    Capability(Capability),
    /// Of LANG.
    Language(Language<'a>),
}

impl Entry<'_> {
    /// The same, borrowing nothing.
    pub fn into_owned(self) -> Entry<'static> {
        match self {
            Self::Scan(scan) => Entry::Scan(scan),
            Self::UniqueId(id) => Entry::UniqueId(id.into_owned()),
            Self::Capability(capability) => Entry::Capability(capability),
            Self::Language(language) => Entry::Language(language.into_owned()),
        }
    }
}
