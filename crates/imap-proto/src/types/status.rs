//! Status responses (RFC 3501 section 7.1): `OK`, `NO`, `BAD`, `BYE` and `PREAUTH`.

use core::fmt;

use crate::types::atom::Tag;
use crate::types::code::Code;
use crate::types::string::Text;

/// The condition a status response states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StatusKind {
    /// Success, or information when untagged.
    Ok,
    /// The command failed, or a warning when untagged.
    No,
    /// The command was not understood or came at the wrong time.
    Bad,
    /// Greeting only: the connection is already authenticated.
    PreAuth,
    /// The server is about to close the connection.
    Bye,
}

impl StatusKind {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            StatusKind::Ok => "OK",
            StatusKind::No => "NO",
            StatusKind::Bad => "BAD",
            StatusKind::PreAuth => "PREAUTH",
            StatusKind::Bye => "BYE",
        }
    }
}

impl fmt::Display for StatusKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A status response: the completion of a command when tagged, news when not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusResponse<'a> {
    /// The command this completes; `None` for untagged (`*`). `BYE` and `PREAUTH` are always untagged.
    pub tag: Option<Tag<'a>>,
    /// The condition.
    pub kind: StatusKind,
    /// The response code, if any.
    pub code: Option<Code<'a>>,
    /// The text for people; empty when the server left it out (FR-23).
    pub text: Text<'a>,
}

impl<'a> StatusResponse<'a> {
    /// An untagged response without code.
    pub fn untagged(kind: StatusKind, text: Text<'a>) -> Self {
        Self { tag: None, kind, code: None, text }
    }

    /// The completion of a command, without code.
    pub fn tagged(tag: Tag<'a>, kind: StatusKind, text: Text<'a>) -> Self {
        Self { tag: Some(tag), kind, code: None, text }
    }

    /// The same response with a code.
    #[must_use]
    pub fn with_code(self, code: Code<'a>) -> Self {
        Self { code: Some(code), ..self }
    }

    /// A copy that borrows nothing.
    pub fn into_owned(self) -> StatusResponse<'static> {
        StatusResponse {
            tag: self.tag.map(Tag::into_owned),
            kind: self.kind,
            code: self.code.map(Code::into_owned),
            text: self.text.into_owned(),
        }
    }
}
