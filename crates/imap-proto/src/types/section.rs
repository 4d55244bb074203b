//! `section` (RFC 3501 section 6.4.5) and partials: which octets of a message.

use alloc::vec::Vec;
use core::num::NonZeroU32;

use crate::types::invalid::{Invalid, InvalidKind};
use crate::types::string::AString;

/// `section-part`, `1*("." nz-number)`: the way to a MIME part. Empty: the message itself.
pub type PartPath = Vec<NonZeroU32>;

/// What of a part is meant: `section-msgtext` and `section-text`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SectionText<'a> {
    /// All of it.
    Full,
    /// `HEADER`: the header of a message.
    Header,
    /// `HEADER.FIELDS`: these header fields only.
    HeaderFields(Vec<AString<'a>>),
    /// `HEADER.FIELDS.NOT`: all header fields but these.
    HeaderFieldsNot(Vec<AString<'a>>),
    /// `TEXT`: a message without its header.
    Text,
    /// `MIME`: the MIME header of a part; needs a path.
    Mime,
}

/// `section-spec`: what stands between the brackets of `BODY[…]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Section<'a> {
    path: PartPath,
    text: SectionText<'a>,
}

impl<'a> Section<'a> {
    /// `BODY[]`: the whole message.
    pub const FULL: Section<'static> = Section { path: Vec::new(), text: SectionText::Full };
    /// `BODY[HEADER]`.
    pub const HEADER: Section<'static> = Section { path: Vec::new(), text: SectionText::Header };
    /// `BODY[TEXT]`.
    pub const TEXT: Section<'static> = Section { path: Vec::new(), text: SectionText::Text };

    /// Builds a section.
    ///
    /// # Errors
    /// [`Invalid`] for `MIME` without a path, or a list of header fields that is empty or has a name that
    /// is empty or holds CR, LF or `:`.
    pub fn new(path: impl Into<PartPath>, text: SectionText<'a>) -> Result<Self, Invalid> {
        let path = path.into();
        match &text {
            SectionText::Mime if path.is_empty() => Err(Invalid::new("section", InvalidKind::Empty))?,
            SectionText::HeaderFields(names) | SectionText::HeaderFieldsNot(names) => {
                if names.is_empty() || names.iter().any(AString::is_empty) {
                    return Err(Invalid::new("header-list", InvalidKind::Empty));
                }
                for name in names {
                    let allowed = |o: u8| !matches!(o, b'\r' | b'\n' | b':');
                    crate::types::invalid::check("header-fld-name", name.as_bytes(), allowed)?;
                }
            }
            _ => {}
        }
        Ok(Self { path, text })
    }

    /// The way to the part; empty for the message itself.
    pub fn path(&self) -> &[NonZeroU32] {
        &self.path
    }

    /// What of the part.
    pub fn text(&self) -> &SectionText<'a> {
        &self.text
    }

    /// Whether it is `BODY[]`.
    pub fn is_full(&self) -> bool {
        self.path.is_empty() && self.text == SectionText::Full
    }

    /// A copy that borrows nothing.
    pub fn into_owned(self) -> Section<'static> {
        let names = |n: Vec<AString<'_>>| n.into_iter().map(AString::into_owned).collect::<Vec<_>>();
        let text = match self.text {
            SectionText::Full => SectionText::Full,
            SectionText::Header => SectionText::Header,
            SectionText::HeaderFields(n) => SectionText::HeaderFields(names(n)),
            SectionText::HeaderFieldsNot(n) => SectionText::HeaderFieldsNot(names(n)),
            SectionText::Text => SectionText::Text,
            SectionText::Mime => SectionText::Mime,
        };
        Section { path: self.path, text }
    }
}

/// `"<" number "." nz-number ">"`: a window of octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Partial {
    /// First octet, counted from 0.
    pub offset: u32,
    /// Greatest number of octets.
    pub length: NonZeroU32,
}
