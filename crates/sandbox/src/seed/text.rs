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

/// Base64 lines of about `octets` octets of noise that begin as the given file type does.
///
/// Characters are drawn directly: for megabytes that is much cheaper than drawing octets and encoding them.
pub(crate) fn noise_base64(rng: &mut Rng, start: &str, octets: usize) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let total = octets.div_ceil(3).max(1) * 4;
    let mut out = Vec::with_capacity(total + total / 38 + 2);
    let mut given = start.bytes().filter(|b| *b != b'\r' && *b != b'\n');
    let (mut bits, mut left) = (0u64, 0);
    for i in 0..total {
        if i > 0 && i % 76 == 0 {
            out.extend_from_slice(b"\r\n");
        }
        let c = match given.next() {
            Some(c) => c,
            // The last group ends in padding whose bits are zero.
            None if i + 1 == total => b'=',
            None if i + 2 == total => b'A',
            None => {
                if left == 0 {
                    (bits, left) = (rng.draw(), 10);
                }
                let c = ALPHABET[(bits & 63) as usize];
                bits >>= 6;
                left -= 1;
                c
            }
        };
        out.push(c);
    }
    out.extend_from_slice(b"\r\n");
    out
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
        for octets in [1, 3, 57, 58, 1000] {
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
