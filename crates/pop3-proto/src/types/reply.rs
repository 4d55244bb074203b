//! Status lines (RFC 1939 section 3, RFC 2449 section 8).

use alloc::borrow::Cow;

use super::{Code, Invalid, Text};

/// Whether a command succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// `+OK`
    Ok,
    /// `-ERR`
    Err,
}

/// A status line.
///
/// What STAT, LIST, UIDL and LANG say in it is read by [`grammar`](crate::grammar): [`drop_listing`](Self::drop_listing) and
/// its siblings.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reply<'a> {
    /// `+OK` or `-ERR`.
    pub status: Status,
    /// The response code in front of the text.
    pub code: Option<Code>,
    /// The text.
    pub text: Text<'a>,
}

impl<'a> Reply<'a> {
    /// `+OK` and a text.
    ///
    /// # Errors
    /// [`Invalid`] when the text cannot stand on one line.
    pub fn ok(text: &'a str) -> Result<Self, Invalid> {
        Ok(Self { status: Status::Ok, code: None, text: Text::try_from(text)? })
    }

    /// `-ERR` and a text.
    ///
    /// # Errors
    /// [`Invalid`] when the text cannot stand on one line.
    pub fn err(text: &'a str) -> Result<Self, Invalid> {
        Ok(Self { status: Status::Err, code: None, text: Text::try_from(text)? })
    }

    /// The same with a response code.
    #[must_use]
    pub fn with_code(self, code: Code) -> Self {
        Self { code: Some(code), ..self }
    }

    /// `+OK` and octets that hold no CR, LF or NUL.
    pub(crate) fn of(octets: impl Into<Cow<'a, [u8]>>) -> Self {
        Self { status: Status::Ok, code: None, text: Text::new(octets).unwrap_or_default() }
    }

    /// Whether it is `+OK`.
    pub fn is_ok(&self) -> bool {
        self.status == Status::Ok
    }

    /// The same, borrowing nothing.
    pub fn into_owned(self) -> Reply<'static> {
        Reply { status: self.status, code: self.code, text: self.text.into_owned() }
    }
}
