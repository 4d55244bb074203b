//! ```text
//! lang-listing = lang-tag SP description      ; RFC 6856 section 3, a line of LANG
//! lang-chosen  = lang-tag SP text             ; RFC 6856 section 3, the reply to LANG with an argument
//! ```

use alloc::vec::Vec;

use super::error::{ParseError, ParseErrorKind};
use super::number::Words;
use crate::types::{Language, LanguageTag, Reply, Text};

/// Reads a line of LANG, or the text of the reply to LANG with an argument.
///
/// # Errors
/// [`ParseError`] when it does not begin with a language tag, or holds NUL.
pub fn language(line: &[u8]) -> Result<Language<'_>, ParseError> {
    let mut words = Words::new("lang-listing", line);
    let word = words.word()?;
    let syntax = words.error(ParseErrorKind::Syntax);
    let tag = core::str::from_utf8(word).ok().and_then(|tag| LanguageTag::new(tag).ok());
    let rest = words.rest();
    let description = Text::new(rest.strip_prefix(b" ").unwrap_or(rest)).ok();
    match (tag, description) {
        (Some(tag), Some(description)) => Ok(Language { tag, description }),
        _ => Err(syntax),
    }
}

/// Appends a language, without a line end.
pub fn write_language(language: &Language<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(language.tag.as_str().as_bytes());
    if !language.description.is_empty() {
        out.push(b' ');
        out.extend_from_slice(language.description.as_bytes());
    }
}

impl Reply<'_> {
    /// The reply to LANG with an argument.
    pub fn of_language(chosen: &Language<'_>) -> Reply<'static> {
        let mut text = Vec::new();
        write_language(chosen, &mut text);
        Reply::of(text)
    }

    /// The language that LANG with an argument has chosen.
    ///
    /// # Errors
    /// [`ParseError`]
    pub fn language(&self) -> Result<Language<'_>, ParseError> {
        language(self.text.as_bytes())
    }
}
