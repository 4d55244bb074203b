//! ID (RFC 2971): how programs introduce themselves.

use alloc::vec::Vec;
use core::fmt;

use crate::types::invalid::{Invalid, InvalidKind, check};
use crate::types::string::{AString, NString};

/// Field and value pairs. Empty means `NIL`.
///
/// RFC 2971 section 3.3: at most 30 fields, names up to 30 octets, values up to 1024. [`push`](Self::push) keeps to
/// that; a peer that does not is tolerated as long as there is no CR, LF or NUL (INJ-06).
#[derive(Clone, PartialEq, Eq, Default)]
pub struct IdParams<'a>(Vec<(AString<'a>, NString<'a>)>);

impl<'a> IdParams<'a> {
    /// `NIL`.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a field. Names of RFC 2971 are `name`, `version`, `os`, `vendor`, `support-url` …
    ///
    /// # Errors
    /// [`Invalid`] when there is a CR, LF or NUL, the name is empty, or a limit of the RFC is passed.
    pub fn push(&mut self, field: AString<'a>, value: NString<'a>) -> Result<(), Invalid> {
        if field.is_empty() {
            return Err(Invalid::new("ID field", InvalidKind::Empty));
        }
        let value_len = value.as_bytes().map_or(0, <[u8]>::len);
        let (field_len, fields) = (field.as_bytes().len(), self.0.len().saturating_add(1));
        for (what, len, max) in
            [("ID field", field_len, 30), ("ID value", value_len, 1024), ("ID list", fields, 30)]
        {
            if len > max {
                return Err(Invalid::new(what, InvalidKind::TooLong { max }));
            }
        }
        self.push_from_peer(field, value)
    }

    pub(crate) fn push_from_peer(&mut self, field: AString<'a>, value: NString<'a>) -> Result<(), Invalid> {
        let allowed = |o: u8| !matches!(o, 0 | b'\r' | b'\n');
        check("ID field", field.as_bytes(), allowed)?;
        check("ID value", value.as_bytes().unwrap_or_default(), allowed)?;
        self.0.push((field, value));
        Ok(())
    }

    /// The pairs in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&AString<'a>, &NString<'a>)> {
        self.0.iter().map(|(f, v)| (f, v))
    }

    /// The value of a field, found without regard to case.
    pub fn get(&self, field: &str) -> Option<&NString<'a>> {
        self.0.iter().find(|(f, _)| f.is(field)).map(|(_, v)| v)
    }

    /// Whether it is `NIL`.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A copy that borrows nothing.
    pub fn into_owned(self) -> IdParams<'static> {
        IdParams(self.0.into_iter().map(|(f, v)| (f.into_owned(), v.into_owned())).collect())
    }
}

impl fmt::Debug for IdParams<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
