//! `body` (RFC 3501 section 7.4.2): the MIME structure of a message as the server parsed it.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::types::envelope::Envelope;
use crate::types::string::{AString, NString};

/// A part of a message: one with content, or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyStructure<'a> {
    /// `body-type-1part`.
    Part(Box<Part<'a>>),
    /// `body-type-mpart`.
    Multipart(Multipart<'a>),
}

impl BodyStructure<'_> {
    /// A copy that borrows nothing.
    pub fn into_owned(self) -> BodyStructure<'static> {
        match self {
            BodyStructure::Part(p) => BodyStructure::Part(Box::new(p.into_owned())),
            BodyStructure::Multipart(m) => BodyStructure::Multipart(m.into_owned()),
        }
    }
}

/// `body-type-1part`: a part with content of its own.
///
/// What RFC 3501 makes a string and servers send as `NIL` is an [`NString`] (Exchange sends a part that is
/// `NIL` all over for a message it cannot convert).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<'a> {
    /// The first half of `Content-Type:`, such as `TEXT`.
    pub media_type: NString<'a>,
    /// The second half of `Content-Type:`, such as `PLAIN`.
    pub subtype: NString<'a>,
    /// The parameters of `Content-Type:`.
    pub params: Vec<Param<'a>>,
    /// `Content-ID:`.
    pub id: NString<'a>,
    /// `Content-Description:`.
    pub description: NString<'a>,
    /// `Content-Transfer-Encoding:`.
    pub encoding: NString<'a>,
    /// Octets in transfer encoding; an estimate at Exchange. 0 also when the server gave none.
    pub size: u64,
    /// What only some media types have.
    pub kind: PartKind<'a>,
    /// Extension data; `None` in answers to `BODY`, which has none.
    pub extension: Option<Box<PartExtension<'a>>>,
}

/// What a part has beyond the basic fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartKind<'a> {
    /// `body-type-basic`: nothing.
    Basic,
    /// `body-type-text`.
    Text {
        /// Length in lines.
        lines: u64,
    },
    /// `body-type-msg`: a message inside the message.
    Message {
        /// Its header.
        envelope: Box<Envelope<'a>>,
        /// Its structure.
        body: BodyStructure<'a>,
        /// Its length in lines.
        lines: u64,
    },
}

impl Part<'_> {
    /// A copy that borrows nothing.
    pub fn into_owned(self) -> Part<'static> {
        Part {
            media_type: self.media_type.into_owned(),
            subtype: self.subtype.into_owned(),
            params: own_params(self.params),
            id: self.id.into_owned(),
            description: self.description.into_owned(),
            encoding: self.encoding.into_owned(),
            size: self.size,
            kind: match self.kind {
                PartKind::Basic => PartKind::Basic,
                PartKind::Text { lines } => PartKind::Text { lines },
                PartKind::Message { envelope, body, lines } => PartKind::Message {
                    envelope: Box::new(envelope.into_owned()),
                    body: body.into_owned(),
                    lines,
                },
            },
            extension: self.extension.map(|e| Box::new(e.into_owned())),
        }
    }
}

/// `body-type-mpart`: a part that only holds others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Multipart<'a> {
    /// The parts in their order; RFC 3501 wants at least one, some servers send none.
    pub parts: Vec<BodyStructure<'a>>,
    /// The second half of `Content-Type: multipart/…`.
    pub subtype: NString<'a>,
    /// Extension data; `None` in answers to `BODY`, which has none.
    pub extension: Option<Box<MultipartExtension<'a>>>,
}

impl Multipart<'_> {
    /// A copy that borrows nothing.
    pub fn into_owned(self) -> Multipart<'static> {
        Multipart {
            parts: self.parts.into_iter().map(BodyStructure::into_owned).collect(),
            subtype: self.subtype.into_owned(),
            extension: self.extension.map(|e| Box::new(e.into_owned())),
        }
    }
}

/// `body-ext-1part`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PartExtension<'a> {
    /// `Content-MD5:`.
    pub md5: NString<'a>,
    /// What both kinds of parts have.
    pub common: CommonExtension<'a>,
}

impl PartExtension<'_> {
    /// A copy that borrows nothing.
    pub fn into_owned(self) -> PartExtension<'static> {
        PartExtension { md5: self.md5.into_owned(), common: self.common.into_owned() }
    }
}

/// `body-ext-mpart`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MultipartExtension<'a> {
    /// The parameters of `Content-Type:`, `BOUNDARY` among them.
    pub params: Vec<Param<'a>>,
    /// What both kinds of parts have.
    pub common: CommonExtension<'a>,
}

impl MultipartExtension<'_> {
    /// A copy that borrows nothing.
    pub fn into_owned(self) -> MultipartExtension<'static> {
        MultipartExtension { params: own_params(self.params), common: self.common.into_owned() }
    }
}

/// The end of `body-ext-1part` and `body-ext-mpart`, which is the same. What RFC 3501 leaves to the future
/// (`body-extension`) is read over.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CommonExtension<'a> {
    /// `Content-Disposition:`.
    pub disposition: Option<Disposition<'a>>,
    /// `Content-Language:`.
    pub language: Vec<AString<'a>>,
    /// `Content-Location:`.
    pub location: NString<'a>,
}

impl CommonExtension<'_> {
    /// A copy that borrows nothing.
    pub fn into_owned(self) -> CommonExtension<'static> {
        CommonExtension {
            disposition: self.disposition.map(Disposition::into_owned),
            language: self.language.into_iter().map(AString::into_owned).collect(),
            location: self.location.into_owned(),
        }
    }
}

/// `body-fld-dsp`: how the part wants to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disposition<'a> {
    /// `INLINE`, `ATTACHMENT` or another word.
    pub kind: AString<'a>,
    /// Its parameters, `FILENAME` among them.
    pub params: Vec<Param<'a>>,
}

impl Disposition<'_> {
    /// A copy that borrows nothing.
    pub fn into_owned(self) -> Disposition<'static> {
        Disposition { kind: self.kind.into_owned(), params: own_params(self.params) }
    }
}

/// One parameter of `body-fld-param`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Param<'a> {
    /// The attribute; compared without regard to case.
    pub name: AString<'a>,
    /// The value; empty when the server sent `NIL`.
    pub value: AString<'a>,
}

impl Param<'_> {
    /// A copy that borrows nothing.
    pub fn into_owned(self) -> Param<'static> {
        Param { name: self.name.into_owned(), value: self.value.into_owned() }
    }
}

fn own_params(params: Vec<Param<'_>>) -> Vec<Param<'static>> {
    params.into_iter().map(Param::into_owned).collect()
}
