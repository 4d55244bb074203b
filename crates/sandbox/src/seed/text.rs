//! Prose, and the encodings it travels in.

use base64ct::{Base64, Encoding};

use crate::seed::rng::Rng;
use crate::seed::words::Language;

/// About `target` octets of prose in lines that end with CRLF; the lines are short unless `flowed`.
pub(crate) fn prose(rng: &mut Rng, language: &Language, target: usize, flowed: bool) -> String {
    let mut out = String::with_capacity(target + 64);
    let mut line = 0;
    let mut sentence = 3 + rng.below(12);
    while out.len() < target {
        let word = rng.pick(language.words);
        out.push_str(word);
        line += word.len() + 1;
        sentence = sentence.saturating_sub(1);
        if sentence == 0 {
            out.push_str(language.stop);
            sentence = 3 + rng.below(14);
        } else {
            out.push(' ');
        }
        if !flowed && line > 66 {
            out.truncate(out.trim_end().len());
            out.push_str("\r\n");
            line = 0;
            if rng.percent(12) {
                out.push_str("\r\n");
            }
        }
    }
    out.truncate(out.trim_end().len());
    out.push_str("\r\n");
    out
}

/// A short line of prose without a line break.
pub(crate) fn phrase(rng: &mut Rng, language: &Language, words: usize) -> String {
    let chosen: Vec<&str> = (0..words).map(|_| *rng.pick(language.words)).collect();
    chosen.join(" ")
}

/// Text as ISO-8859-1; what does not fit becomes `?`.
pub(crate) fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()
}

/// Quoted-printable (RFC 2045 section 6.7); the input's CRLFs stay line breaks.
pub(crate) fn quoted_printable(data: &[u8]) -> String {
    let mut out = String::with_capacity(data.len() + data.len() / 8);
    let mut column = 0;
    let mut octets = data.iter().copied().peekable();
    while let Some(b) = octets.next() {
        if b == b'\r' && octets.peek() == Some(&b'\n') {
            octets.next();
            out.push_str("\r\n");
            column = 0;
            continue;
        }
        let at_end = matches!(octets.peek(), None | Some(b'\r'));
        let literal = matches!(b, b'!'..=b'<' | b'>'..=b'~') || (matches!(b, b' ' | b'\t') && !at_end);
        let width = if literal { 1 } else { 3 };
        if column + width > 75 {
            out.push_str("=\r\n");
            column = 0;
        }
        if literal {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("={b:02X}"));
        }
        column += width;
    }
    out
}

/// Base64 in lines of 76 characters (RFC 2045 section 6.8).
pub(crate) fn base64_lines(data: &[u8]) -> String {
    let mut out = String::with_capacity(data.len() * 3 / 2);
    for chunk in data.chunks(57) {
        out.push_str(&Base64::encode_string(chunk));
        out.push_str("\r\n");
    }
    out
}

/// Characters of a base64 line (RFC 2045 section 6.8).
const LINE: usize = 76;

/// Lines of noise drawn before they are used again.
const POOL: usize = 64;

/// Base64 lines of about `octets` octets of noise that begin as the given file type does.
///
/// Characters are drawn directly, and after the first lines only the start of each: a message of many megabytes
/// must not take long even in a build without optimisation.
pub(crate) fn noise_base64(rng: &mut Rng, start: &str, octets: usize) -> Vec<u8> {
    let total = octets.div_ceil(3).max(1) * 4;
    let mut out = Vec::with_capacity(total + total / 38 + 2);
    let mut left = total;
    while left > 0 {
        let width = left.min(LINE);
        let line = out.len();
        // The beginning of an old line, if there are enough to choose from.
        let fresh = if line >= POOL * (LINE + 2) && width == LINE {
            let from = rng.below(POOL) * (LINE + 2);
            out.extend_from_within(from..from + LINE);
            10
        } else {
            out.resize(line + width, b'A');
            width
        };
        draw(rng, &mut out[line..line + fresh]);
        out.extend_from_slice(b"\r\n");
        left -= width;
    }
    for (to, from) in out.iter_mut().zip(start.bytes()) {
        *to = from;
    }
    // The last group ends in padding, and the bits it covers are zero.
    let end = out.len() - 2;
    out[end - 2..end].copy_from_slice(b"A=");
    out
}

/// Fills with characters of the base64 alphabet.
fn draw(rng: &mut Rng, to: &mut [u8]) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for ten in to.chunks_mut(10) {
        let mut bits = rng.draw();
        for c in ten {
            *c = ALPHABET[(bits & 63) as usize];
            bits >>= 6;
        }
    }
}

/// Header text: as it is if ASCII, else as encoded words (RFC 2047), B or Q, at most 75 characters each.
pub(crate) fn encoded_words(text: &str, q: bool) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut chunk = String::new();
    let flush = |chunk: &mut String, out: &mut String| {
        if !out.is_empty() {
            out.push_str("\r\n ");
        }
        if q {
            out.push_str("=?utf-8?Q?");
            for b in chunk.bytes() {
                match b {
                    b' ' => out.push('_'),
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => out.push(char::from(b)),
                    _ => out.push_str(&format!("={b:02X}")),
                }
            }
        } else {
            out.push_str("=?UTF-8?B?");
            out.push_str(&Base64::encode_string(chunk.as_bytes()));
        }
        out.push_str("?=");
        chunk.clear();
    };
    // 20 octets are at most 60 characters in Q and 28 in B; a character is never cut.
    for c in text.chars() {
        if chunk.len() + c.len_utf8() > 20 {
            flush(&mut chunk, &mut out);
        }
        chunk.push(c);
    }
    flush(&mut chunk, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 2045 section 6.7.
    #[test]
    fn quoted_printable_of_rfc_2045() {
        let text = "Now's the time for all folk to come to the aid of their country.";
        let out = quoted_printable(text.as_bytes());
        assert!(out.split("=\r\n").all(|l| l.len() <= 76));
        assert_eq!(out.replace("=\r\n", ""), text);
        assert_eq!(quoted_printable("é= \r\nx\t".as_bytes()), "=C3=A9=3D=20\r\nx=09");
    }

    #[test]
    fn noise_is_valid_base64() {
        for octets in [30, 57, 58, 1000, 10_000] {
            let lines = noise_base64(&mut Rng::new(&[1]), "JVBERi0x", octets);
            let text: String = String::from_utf8(lines).unwrap().lines().collect();
            let decoded = Base64::decode_vec(&text).unwrap();
            assert!(decoded.len().abs_diff(octets) <= 3, "{octets}: {}", decoded.len());
        }
    }

    #[test]
    fn encoded_words_are_short_and_whole() {
        let text = "Überblick über die größten Änderungen 山田";
        for q in [false, true] {
            for word in encoded_words(text, q).split("\r\n ") {
                assert!(word.len() <= 75 && word.is_ascii(), "{word}");
                let payload = word.split('?').nth(3).unwrap();
                if !q {
                    assert!(String::from_utf8(Base64::decode_vec(payload).unwrap()).is_ok());
                }
            }
        }
        assert_eq!(encoded_words("plain", true), "plain");
    }
}
