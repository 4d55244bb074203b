//! Why a line could not be read.

use core::fmt;

/// What went wrong in the rule a [`ParseError`] names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// It does not follow the rule.
    Syntax,
    /// A verb that is not known.
    UnknownCommand,
    /// A parameter of MAIL or RCPT that is not known.
    UnknownParameter,
    /// A parameter stands there twice.
    Duplicate,
    /// The line does not end in CRLF, or holds a CR or NUL elsewhere.
    LineEnd,
}

/// A line that is not what the grammar allows. Never contains octets of the line, so it may be logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParseError {
    /// The ABNF rule that could not be satisfied.
    pub rule: &'static str,
    /// What was wrong.
    pub kind: ParseErrorKind,
}

impl ParseError {
    pub(crate) const fn new(rule: &'static str, kind: ParseErrorKind) -> Self {
        Self { rule, kind }
    }

    pub(crate) const fn syntax(rule: &'static str) -> Self {
        Self::new(rule, ParseErrorKind::Syntax)
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rule = self.rule;
        match self.kind {
            ParseErrorKind::Syntax => write!(f, "this is not a valid {rule}"),
            ParseErrorKind::UnknownCommand => f.write_str("this is no command known here"),
            ParseErrorKind::UnknownParameter => write!(f, "{rule} has a parameter that is not known here"),
            ParseErrorKind::Duplicate => write!(f, "{rule} has the same parameter twice"),
            ParseErrorKind::LineEnd => {
                f.write_str("the line must end in CRLF and hold no other CR, LF or NUL")
            }
        }
    }
}

impl core::error::Error for ParseError {}
