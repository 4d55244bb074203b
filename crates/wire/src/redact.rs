//! Takes secrets out of text that a peer sent, because peers echo what they were given.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// What stands in place of a secret. No square brackets: the text may be parsed afterwards, and in a status response they mean
/// something.
const BLOT: &str = "(redacted)";

/// Shortest stretch of a secret that is recognised, in octets.
const GRAM: usize = 8;

/// Knows the secrets of one connection and blots them out of any text.
///
/// Every stretch of eight octets or more that also stands in a secret is replaced, so a token that comes back cut in two,
/// shortened or wrapped is still caught. Give it each form in which a secret travels (the bare token, the base64
/// message that carries it): it knows no encodings itself. Secrets shorter than eight octets are matched
/// whole.
#[derive(Clone, Default)]
pub struct Redactor {
    grams: BTreeSet<[u8; GRAM]>,
    short: Vec<Vec<u8>>,
}

impl Redactor {
    /// Knows nothing and changes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether no secret has been added.
    pub fn is_empty(&self) -> bool {
        self.grams.is_empty() && self.short.is_empty()
    }

    /// Adds a secret in one of its forms.
    pub fn add(&mut self, secret: &[u8]) {
        if secret.len() < GRAM {
            if !secret.is_empty() {
                self.short.push(secret.to_vec());
            }
            return;
        }
        for w in secret.windows(GRAM) {
            if let Ok(gram) = <[u8; GRAM]>::try_from(w) {
                self.grams.insert(gram);
            }
        }
    }

    /// The text with every recognised stretch replaced by `(redacted)`; `None` when there is none.
    pub fn scrub(&self, text: &[u8]) -> Option<Vec<u8>> {
        let mut bad = alloc::vec![false; text.len()];
        let mut any = false;
        let mut blot = |from: usize, len: usize| {
            any = true;
            bad.iter_mut().skip(from).take(len).for_each(|b| *b = true);
        };
        if !self.grams.is_empty() {
            for (i, w) in text.windows(GRAM).enumerate() {
                if <[u8; GRAM]>::try_from(w).is_ok_and(|g| self.grams.contains(&g)) {
                    blot(i, GRAM);
                }
            }
        }
        for s in &self.short {
            for (i, w) in text.windows(s.len()).enumerate() {
                if w == s.as_slice() {
                    blot(i, s.len());
                }
            }
        }
        if !any {
            return None;
        }
        let mut out = Vec::with_capacity(text.len());
        let mut inside = false;
        for (octet, bad) in text.iter().zip(&bad) {
            if !bad {
                out.push(*octet);
            } else if !inside {
                out.extend_from_slice(BLOT.as_bytes());
            }
            inside = *bad;
        }
        Some(out)
    }

    /// Peer text fit for a person: secrets out, control characters and invalid UTF-8 escaped, at most 1,000 octets.
    pub fn display(&self, text: &[u8]) -> String {
        self.shorten(text, 4_000)
    }

    /// As [`display`](Self::display), of the first 200 octets only: what an error quotes.
    pub fn excerpt(&self, text: &[u8]) -> String {
        self.shorten(text, 200)
    }

    /// Secrets go before the cut: what is left of one in front of it might be too short to be recognised.
    fn shorten(&self, text: &[u8], max: usize) -> String {
        let scrubbed = self.scrub(text);
        let text = scrubbed.as_deref().unwrap_or(text);
        printable(text.get(..text.len().min(max)).unwrap_or_default())
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor")
    }
}

/// Peer text that can be shown on a terminal: control characters (also the C1 set and direction overrides) and
/// invalid UTF-8 are escaped, anything over 1,000 octets is cut.
pub fn printable(text: &[u8]) -> String {
    use core::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            let hidden = c.is_control()
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
            if hidden {
                let _ = write!(out, "{}", c.escape_default());
            } else {
                out.push(c);
            }
        }
        for b in chunk.invalid() {
            let _ = write!(out, "\\x{b:02x}");
        }
        if out.len() > 1_000 {
            let mut end = 1_000;
            while !out.is_char_boundary(end) {
                end = end.saturating_sub(1);
            }
            out.truncate(end);
            out.push('…');
            break;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn a_secret_is_caught_whole_in_part_and_in_each_form_given() {
        let mut r = Redactor::new();
        r.add(b"eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9");
        r.add(b"pin7");
        assert_eq!(
            r.scrub(b"bad token eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.").unwrap(),
            b"bad token (redacted)."
        );
        assert_eq!(r.scrub(b"first half eyJ0eXAiOiJK").unwrap(), b"first half (redacted)");
        assert_eq!(r.scrub(b"(OiJSUzI1NiJ9)").unwrap(), b"((redacted))");
        assert_eq!(r.scrub(b"pin7 pin7").unwrap(), b"(redacted) (redacted)");
        assert_eq!(r.scrub(b"AUTHENTICATE failed."), None);
    }

    #[test]
    fn a_cut_through_a_secret_shows_no_part_of_it() {
        let mut r = Redactor::new();
        r.add(b"eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9");
        r.add(b"pin7");
        for secret in [&b"eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9"[..], b"pin7"] {
            for shown in 1..secret.len() {
                let text = [&vec![b'.'; 200 - shown][..], secret].concat();
                let whole = [&vec![b'.'; 200 - shown][..], b"(redacted)"].concat();
                assert_eq!(r.excerpt(&text).as_bytes(), &whole[..whole.len().min(200)], "{shown}");
            }
        }
        assert_eq!(r.excerpt(&vec![b'x'; 5_000]).len(), 200);
    }

    #[test]
    fn terminal_controls_do_not_get_through() {
        // INJ-20
        let shown = printable(b"a\x1b]0;x\x07b\r\n\xff\xc2\x9b\xe2\x80\xaec");
        assert_eq!(shown, "a\\u{1b}]0;x\\u{7}b\\r\\n\\xff\\u{9b}\\u{202e}c");
        assert!(printable(&vec![b'x'; 5_000]).len() < 1_010);
    }
}
