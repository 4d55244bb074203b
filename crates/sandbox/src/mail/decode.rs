//! Text for searching: encoded words, transfer encodings and charsets undone as far as is useful.

use base64ct::{Base64, Encoding};

use crate::mail::header::value;
use crate::mail::mime::{Content, Part};

/// Decoded text of one part that a search looks at; more is not searched.
const MAX_TEXT: usize = 4 * 1024 * 1024;

/// Header text with encoded words (RFC 2047) decoded.
pub(crate) fn header_text(raw: &[u8]) -> String {
    let text = lossy(raw, "utf-8");
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    let mut after_word = false;
    while let Some(start) = rest.find("=?") {
        let (before, from) = rest.split_at(start);
        match encoded_word(from) {
            Some((word, len)) => {
                // Blanks between two encoded words do not count.
                if !(after_word && before.trim().is_empty()) {
                    out.push_str(before);
                }
                out.push_str(&word);
                rest = from.get(len..).unwrap_or_default();
                after_word = true;
            }
            None => {
                out.push_str(before);
                out.push_str("=?");
                rest = from.get(2..).unwrap_or_default();
                after_word = false;
            }
        }
    }
    out.push_str(rest);
    out
}

/// The encoded word at the start of `text` and its length.
fn encoded_word(text: &str) -> Option<(String, usize)> {
    let inner = text.strip_prefix("=?")?;
    let (charset, rest) = inner.split_once('?')?;
    let (encoding, rest) = rest.split_once('?')?;
    let (payload, _) = rest.split_once("?=")?;
    if charset.is_empty() || payload.contains(' ') || charset.len() > 40 {
        return None;
    }
    let octets = match encoding {
        "b" | "B" => base64(payload.as_bytes()),
        "q" | "Q" => quoted_printable(payload.replace('_', " ").as_bytes()),
        _ => return None,
    };
    let len = 2 + charset.len() + 1 + encoding.len() + 1 + payload.len() + 2;
    Some((lossy(&octets, charset.split('*').next().unwrap_or(charset)), len))
}

/// Octets as text: UTF-8, or ISO-8859-1 where that is said or UTF-8 does not fit.
fn lossy(octets: &[u8], charset: &str) -> String {
    let latin1 = || octets.iter().map(|b| char::from(*b)).collect();
    match charset.to_ascii_lowercase().as_str() {
        "iso-8859-1" | "windows-1252" | "latin1" => latin1(),
        _ => std::str::from_utf8(octets).map_or_else(|_| latin1(), str::to_owned),
    }
}

/// Whether the text of a message's parts contains `needle`, which is lower case.
pub(crate) fn body_contains(data: &[u8], part: &Part, needle: &str) -> bool {
    match &part.content {
        Content::Multipart(parts) => parts.iter().any(|p| body_contains(data, p, needle)),
        Content::Message(inner) => {
            let header = data.get(inner.header.clone()).unwrap_or_default();
            header_text(header).to_lowercase().contains(needle) || body_contains(data, inner, needle)
        }
        Content::Leaf if !part.media_type.eq_ignore_ascii_case(b"text") => false,
        Content::Leaf => leaf_text(data, part).to_lowercase().contains(needle),
    }
}

fn leaf_text(data: &[u8], part: &Part) -> String {
    let range = part.body.start..part.body.end.min(part.body.start + MAX_TEXT);
    let body = data.get(range).unwrap_or_default();
    let encoding = value(data, part.header.clone(), "Content-Transfer-Encoding").unwrap_or_default();
    let charset = part.parameters.iter().find(|(n, _)| n.eq_ignore_ascii_case(b"charset"));
    let charset = charset.map(|(_, v)| String::from_utf8_lossy(v).into_owned()).unwrap_or_default();
    match encoding.to_ascii_lowercase().as_slice() {
        b"base64" => lossy(&base64(body), &charset),
        b"quoted-printable" => lossy(&quoted_printable(body), &charset),
        _ => lossy(body, &charset),
    }
}

/// Base64 with anything that is not of its alphabet left out.
fn base64(text: &[u8]) -> Vec<u8> {
    let mut clean: Vec<u8> =
        text.iter().copied().filter(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/')).collect();
    clean.truncate(clean.len() / 4 * 4 + if clean.len() % 4 > 1 { clean.len() % 4 } else { 0 });
    while !clean.len().is_multiple_of(4) {
        clean.push(b'=');
    }
    let text = String::from_utf8(clean).unwrap_or_default();
    Base64::decode_vec(&text).unwrap_or_default()
}

/// Quoted-printable; what is no escape stays as it is.
fn quoted_printable(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(b) = text.get(at).copied() {
        let hex = |i: usize| text.get(i).and_then(|b| char::from(*b).to_digit(16));
        match (b, hex(at + 1), hex(at + 2)) {
            (b'=', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            (b'=', ..) if text.get(at + 1) == Some(&b'\n') => at += 2,
            (b'=', ..) if text.get(at + 1..at + 3) == Some(b"\r\n") => at += 3,
            _ => {
                out.push(b);
                at += 1;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::mime::parse;

    /// Examples of RFC 2047 section 8.
    #[test]
    fn encoded_words() {
        assert_eq!(
            header_text(b"=?US-ASCII?Q?Keith_Moore?= <moore@cs.utk.edu>"),
            "Keith Moore <moore@cs.utk.edu>"
        );
        assert_eq!(header_text(b"=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?="), "Keld Jørn Simonsen");
        assert_eq!(
            header_text(b"=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?= =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?="),
            "If you can read this you understand the example."
        );
        assert_eq!(header_text(b"(=?ISO-8859-1?Q?a?= b)"), "(a b)");
        assert_eq!(header_text(b"=?no end"), "=?no end");
        assert_eq!(header_text(b"Gr\xfc\xdfe"), "Grüße");
    }

    #[test]
    fn bodies_are_decoded_before_they_are_searched() {
        let message = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\
            Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
            Gr=C3=BC=\r\n=C3=9Fe\r\n--b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n\
            aGVsbG8gd29ybGQ=\r\n--b\r\nContent-Type: application/octet-stream\r\n\r\nbinary\r\n--b--\r\n";
        let part = parse(message);
        assert!(body_contains(message, &part, "grüße"));
        assert!(body_contains(message, &part, "hello world"));
        assert!(!body_contains(message, &part, "binary"));
        assert!(!body_contains(message, &part, "agvsbg8"));
    }
}
