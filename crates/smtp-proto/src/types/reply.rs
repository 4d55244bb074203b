//! Replies and their codes.

use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use super::invalid::{Invalid, InvalidKind};
use crate::grammar;

/// `Reply-code` (RFC 5321 section 4.2): 200 to 599.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplyCode(u16);

impl ReplyCode {
    /// Service ready.
    pub const READY: Self = Self(220);
    /// Closing.
    pub const BYE: Self = Self(221);
    /// Signed in (RFC 4954).
    pub const AUTHENTICATED: Self = Self(235);
    /// Done.
    pub const OK: Self = Self(250);
    /// A SASL challenge (RFC 4954).
    pub const CHALLENGE: Self = Self(334);
    /// Send the message.
    pub const GO_AHEAD: Self = Self(354);
    /// The service closes the connection; try again later.
    pub const CLOSING: Self = Self(421);

    /// A code of this number.
    ///
    /// # Errors
    /// [`Invalid`] outside 200 to 599.
    pub const fn new(code: u16) -> Result<Self, Invalid> {
        match code {
            200..=599 => Ok(Self(code)),
            _ => Err(Invalid::new("reply code", InvalidKind::Range)),
        }
    }

    pub(crate) const fn known(code: u16) -> Self {
        Self(code)
    }

    /// The number.
    pub const fn get(self) -> u16 {
        self.0
    }

    /// The first digit: 2 to 5.
    pub const fn class(self) -> u16 {
        self.0 / 100
    }
}

impl fmt::Display for ReplyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Enhanced status code (RFC 3463, RFC 2034): `5.7.3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnhancedCode {
    class: u8,
    subject: u16,
    detail: u16,
}

impl EnhancedCode {
    /// `class` is 2, 4 or 5; `subject` and `detail` are at most 999.
    ///
    /// # Errors
    /// [`Invalid`] outside these ranges.
    pub const fn new(class: u8, subject: u16, detail: u16) -> Result<Self, Invalid> {
        if !matches!(class, 2 | 4 | 5) || subject > 999 || detail > 999 {
            return Err(Invalid::new("enhanced status code", InvalidKind::Range));
        }
        Ok(Self { class, subject, detail })
    }

    pub(crate) const fn known(class: u8, subject: u16, detail: u16) -> Self {
        Self { class, subject, detail }
    }

    /// 2 success, 4 transient, 5 permanent.
    pub const fn class(self) -> u8 {
        self.class
    }

    /// What it is about: 1 addresses, 2 mailboxes, 3 the mail system, 4 the network, 5 the protocol, 6 the content, 7 security.
    pub const fn subject(self) -> u16 {
        self.subject
    }

    /// What exactly.
    pub const fn detail(self) -> u16 {
        self.detail
    }
}

impl fmt::Display for EnhancedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

/// A reply: a code, an enhanced code if there is one, and one or more lines of text.
///
/// The text of a peer is unverified and may hold anything but CR, LF and NUL; `Display` escapes what could disturb a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    code: ReplyCode,
    enhanced: Option<EnhancedCode>,
    lines: Vec<String>,
}

impl Reply {
    /// Longest text of one line, in octets.
    pub const LINE: usize = 8_192;
    /// Most lines.
    pub const LINES: usize = 100;

    /// A reply of one line.
    ///
    /// # Errors
    /// As [`with_lines`](Self::with_lines).
    pub fn new(code: ReplyCode, enhanced: Option<EnhancedCode>, text: &str) -> Result<Self, Invalid> {
        Self::with_lines(code, enhanced, vec![text.to_string()])
    }

    /// A reply of these lines. An enhanced code at the head of the first line counts as the reply's own.
    ///
    /// # Errors
    /// [`Invalid`] when there is no line or more than [`LINES`](Self::LINES), a line is longer than [`LINE`](Self::LINE) or holds CR, LF
    /// or NUL, or the class of the enhanced code is not the class of the code (RFC 2034 section 4).
    pub fn with_lines(
        code: ReplyCode,
        enhanced: Option<EnhancedCode>,
        lines: Vec<String>,
    ) -> Result<Self, Invalid> {
        const WHAT: &str = "reply text";
        if lines.is_empty() {
            return Err(Invalid::new(WHAT, InvalidKind::Empty));
        }
        if lines.len() > Self::LINES {
            return Err(Invalid::new(WHAT, InvalidKind::TooLong { max: Self::LINES }));
        }
        for line in &lines {
            if line.len() > Self::LINE {
                return Err(Invalid::new(WHAT, InvalidKind::TooLong { max: Self::LINE }));
            }
            if let Some(at) = line.find(['\r', '\n', '\0']) {
                return Err(Invalid::new(WHAT, InvalidKind::Octet { at }));
            }
        }
        if enhanced.is_some_and(|e| u16::from(e.class) != code.class()) {
            return Err(Invalid::new("enhanced status code", InvalidKind::Range));
        }
        Ok(Self::canonical(code, enhanced, lines))
    }

    /// A text of our own, known to be sayable.
    pub(crate) fn ours(code: u16, enhanced: Option<(u16, u16)>, text: &str) -> Self {
        let class = u8::try_from(code / 100).unwrap_or(5);
        let enhanced = enhanced.map(|(s, d)| EnhancedCode::known(class, s, d));
        Self { code: ReplyCode::known(code), enhanced, lines: vec![text.to_string()] }
    }

    /// Takes an enhanced code off the text, so that a reply has one form.
    pub(crate) fn canonical(code: ReplyCode, enhanced: Option<EnhancedCode>, mut lines: Vec<String>) -> Self {
        if enhanced.is_some() {
            return Self { code, enhanced, lines };
        }
        let enhanced = lines.first().and_then(|line| grammar::enhanced_code(code, line)).map(|(e, _)| e);
        if enhanced.is_some() {
            for line in &mut lines {
                if let Some((e, text)) = grammar::enhanced_code(code, line)
                    && Some(e) == enhanced
                {
                    *line = text.to_string();
                }
            }
        }
        Self { code, enhanced, lines }
    }

    /// The code.
    pub fn code(&self) -> ReplyCode {
        self.code
    }

    /// The enhanced code.
    pub fn enhanced(&self) -> Option<EnhancedCode> {
        self.enhanced
    }

    /// The text, line by line, without codes. At least one.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(String::as_str)
    }

    /// The lines in one text, separated by spaces.
    pub fn text(&self) -> String {
        self.lines.join(" ")
    }

    /// 2xx: done.
    pub fn is_positive(&self) -> bool {
        self.code.class() == 2
    }

    /// 4xx: the same may succeed later.
    pub fn is_transient(&self) -> bool {
        self.code.class() == 4
    }

    /// 5xx: the same will fail again.
    pub fn is_permanent(&self) -> bool {
        self.code.class() == 5
    }

    /// Changes every line of text.
    pub(crate) fn map_lines(&mut self, mut change: impl FnMut(&str) -> Option<String>) {
        for line in &mut self.lines {
            if let Some(new) = change(line) {
                *line = new;
            }
        }
    }
}

/// One line, fit for a terminal.
impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(e) = self.enhanced {
            write!(f, " {e}")?;
        }
        let text = self.text();
        if !text.is_empty() {
            write!(f, " {}", wire::printable(text.as_bytes()))?;
        }
        Ok(())
    }
}
