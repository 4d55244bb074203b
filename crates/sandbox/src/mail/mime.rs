//! The parts of a message, by offsets (RFC 2045, RFC 2046).
//!
//! Nothing is decoded. Every input is a message: what is not understood is a leaf.

use std::ops::Range;

use crate::mail::header::{header_end, line_end, trim_line, value};

/// Multiparts below this depth are leaves.
const MAX_DEPTH: usize = 64;

/// Parts of one message; what comes after is part of the last one.
const MAX_PARTS: usize = 10_000;

/// A parameter: name and value as they stand, quotes removed.
pub(crate) type Parameter = (Vec<u8>, Vec<u8>);

/// A part, or the whole message.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// The header with the empty line that ends it.
    pub(crate) header: Range<usize>,
    pub(crate) body: Range<usize>,
    pub(crate) media_type: Vec<u8>,
    pub(crate) subtype: Vec<u8>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) content: Content,
}

/// What a part holds.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// Anything else.
    Leaf,
    /// The parts of a multipart, at least one.
    Multipart(Vec<Part>),
    /// The message in a `message/rfc822`.
    Message(Box<Part>),
}

/// Takes a message apart.
pub(crate) fn parse(data: &[u8]) -> Part {
    let mut left = MAX_PARTS;
    part(data, 0..data.len(), 0, false, &mut left)
}

fn part(data: &[u8], range: Range<usize>, depth: usize, digest: bool, left: &mut usize) -> Part {
    *left = left.saturating_sub(1);
    let middle = header_end(data, range.clone());
    let (header, body) = (range.start..middle, middle..range.end);
    let content_type = value(data, header.clone(), "Content-Type").and_then(|v| media_type(&v));
    let default = || {
        let (kind, sub) = if digest { ("message", "rfc822") } else { ("text", "plain") };
        (kind.into(), sub.into(), Vec::new())
    };
    let (media_type, subtype, parameters): (Vec<u8>, Vec<u8>, Vec<Parameter>) =
        content_type.unwrap_or_else(default);
    let is = |m: &str, s: &str| {
        media_type.eq_ignore_ascii_case(m.as_bytes())
            && (s.is_empty() || subtype.eq_ignore_ascii_case(s.as_bytes()))
    };
    let mut content = Content::Leaf;
    let mut failed = false;
    if is("multipart", "") {
        let boundary = parameters.iter().find(|(n, _)| n.eq_ignore_ascii_case(b"boundary"));
        let ranges = match boundary {
            Some((_, boundary)) if depth < MAX_DEPTH && !boundary.is_empty() => {
                split(data, body.clone(), boundary, *left)
            }
            _ => Vec::new(),
        };
        let digest = is("multipart", "digest");
        failed = ranges.is_empty();
        if !failed {
            content = Content::Multipart(
                ranges.into_iter().map(|r| part(data, r, depth + 1, digest, left)).collect(),
            );
        }
    } else if is("message", "rfc822") {
        if depth < MAX_DEPTH {
            content = Content::Message(Box::new(part(data, body.clone(), depth + 1, false, left)));
        } else {
            failed = true;
        }
    }
    if failed {
        // A container without contents cannot be described as one.
        return Part {
            header,
            body,
            media_type: b"text".to_vec(),
            subtype: b"plain".to_vec(),
            parameters: Vec::new(),
            content,
        };
    }
    Part { header, body, media_type, subtype, parameters, content }
}

/// The ranges between the delimiter lines of `boundary`.
fn split(data: &[u8], body: Range<usize>, boundary: &[u8], most: usize) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut start: Option<usize> = None;
    let mut at = body.start;
    // The line end before a delimiter belongs to the delimiter.
    let before = |from: usize, at: usize| {
        let line = data.get(from..at).unwrap_or_default();
        from + trim_line(line).len()
    };
    while at < body.end {
        let end = line_end(data, at).min(body.end);
        let line = data.get(at..end).unwrap_or_default();
        if let Some(rest) = line.strip_prefix(b"--").and_then(|l| l.strip_prefix(boundary)) {
            let rest = trim_line(rest);
            let last = rest.strip_prefix(b"--").is_some_and(|r| r.trim_ascii().is_empty());
            if last || rest.trim_ascii().is_empty() {
                if let Some(start) = start {
                    out.push(start..before(start, at));
                }
                start = None;
                if last || out.len() >= most {
                    break;
                }
                start = Some(end);
            }
        }
        at = end;
    }
    if let Some(start) = start {
        out.push(start..body.end);
    }
    out
}

/// Type, subtype and parameters of a Content-Type value; `None` if it has no slash.
fn media_type(value: &[u8]) -> Option<(Vec<u8>, Vec<u8>, Vec<Parameter>)> {
    let mut scanner = Scanner { data: value, at: 0 };
    let kind = scanner.token()?;
    scanner.expect(b'/')?;
    let sub = scanner.token()?;
    Some((kind, sub, scanner.parameters()))
}

/// The value and parameters of a Content-Disposition.
pub(crate) fn disposition(value: &[u8]) -> Option<(Vec<u8>, Vec<Parameter>)> {
    let mut scanner = Scanner { data: value, at: 0 };
    let kind = scanner.token()?;
    Some((kind, scanner.parameters()))
}

struct Scanner<'a> {
    data: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.data.get(self.at).copied()
    }

    /// Skips blanks and comments (RFC 5322 section 3.2.2).
    fn blanks(&mut self) {
        let mut depth = 0usize;
        while let Some(b) = self.peek() {
            match b {
                b'(' => depth += 1,
                b')' if depth > 0 => depth -= 1,
                b'\\' if depth > 0 => self.at += 1,
                b' ' | b'\t' => {}
                _ if depth > 0 => {}
                _ => return,
            }
            self.at += 1;
        }
    }

    fn token(&mut self) -> Option<Vec<u8>> {
        self.blanks();
        let rest = self.data.get(self.at..)?;
        let special = |b: &u8| b"()<>@,;:\\\"/[]?= \t".contains(b) || *b < 32;
        let len = rest.iter().position(special).unwrap_or(rest.len());
        self.at += len;
        (len > 0).then(|| rest.get(..len).unwrap_or_default().to_vec())
    }

    fn expect(&mut self, wanted: u8) -> Option<()> {
        self.blanks();
        (self.peek() == Some(wanted)).then(|| self.at += 1)
    }

    fn parameters(&mut self) -> Vec<Parameter> {
        let mut out = Vec::new();
        while self.at < self.data.len() && out.len() < 100 {
            if self.expect(b';').is_none() {
                self.at += 1;
                continue;
            }
            let Some(name) = self.token() else { continue };
            if self.expect(b'=').is_none() {
                continue;
            }
            self.blanks();
            let value = if self.peek() == Some(b'"') { self.quoted() } else { self.loose() };
            out.push((name, value));
        }
        out
    }

    fn quoted(&mut self) -> Vec<u8> {
        self.at += 1;
        let mut out = Vec::new();
        while let Some(b) = self.peek() {
            self.at += 1;
            match b {
                b'"' => break,
                b'\\' => {
                    out.extend(self.peek());
                    self.at += 1;
                }
                _ => out.push(b),
            }
        }
        out
    }

    /// A value without quotes, as far as the next semicolon or blank: more is written than the grammar allows.
    fn loose(&mut self) -> Vec<u8> {
        let rest = self.data.get(self.at..).unwrap_or_default();
        let len = rest.iter().position(|b| matches!(b, b';' | b' ' | b'\t')).unwrap_or(rest.len());
        self.at += len;
        rest.get(..len).unwrap_or_default().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 2046 section 5.1.1.
    const RFC_2046: &[u8] = b"From: Nathaniel Borenstein <nsb@bellcore.com>\r\nMIME-Version: 1.0\r\n\
        Content-type: multipart/mixed; boundary=\"simple boundary\"\r\n\r\nThis is the preamble.\r\n\
        \r\n--simple boundary\r\n\r\nThis is implicitly typed plain US-ASCII text.\r\nIt does NOT end with a linebreak.\
        \r\n--simple boundary\r\nContent-type: text/plain; charset=us-ascii\r\n\r\nThis is explicitly typed.\r\n\
        It DOES end with a linebreak.\r\n\r\n--simple boundary--\r\n\r\nThis is the epilogue.\r\n";

    #[test]
    fn the_example_of_rfc_2046() {
        let message = parse(RFC_2046);
        let Content::Multipart(parts) = &message.content else { panic!("{message:?}") };
        let body = |i: usize| &RFC_2046[parts[i].body.clone()];
        assert_eq!(parts.len(), 2);
        assert!(body(0).ends_with(b"NOT end with a linebreak."));
        assert!(body(1).ends_with(b"DOES end with a linebreak.\r\n"));
        assert_eq!(parts[1].parameters, [(b"charset".to_vec(), b"us-ascii".to_vec())]);
        assert_eq!(&RFC_2046[parts[0].header.clone()], b"\r\n");
    }

    #[test]
    fn parameters_as_they_come() {
        let (kind, sub, p) = media_type(
            b"Text/(c)Plain ;charset = \"a\\\"b;c\" (comment \\) here); name=x@y z; =; broken; f*0=\"1\"",
        )
        .unwrap();
        assert_eq!((kind, sub), (b"Text".to_vec(), b"Plain".to_vec()));
        assert_eq!(p[0], (b"charset".to_vec(), b"a\"b;c".to_vec()));
        assert_eq!(p[1], (b"name".to_vec(), b"x@y".to_vec()));
        assert_eq!(p[2].0, b"f*0");
        assert!(media_type(b"text").is_none() && media_type(b"").is_none() && media_type(b"/x").is_none());
    }

    /// SV-16: ten thousand nested multiparts end in a leaf, quickly.
    #[test]
    fn nesting_ends_somewhere() {
        let mut text = String::new();
        for n in 0..10_000 {
            text.push_str(&format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n"));
        }
        let mut depth = 0;
        let mut at = &parse(text.as_bytes());
        while let Content::Multipart(parts) = &at.content {
            depth += 1;
            at = &parts[0];
        }
        assert_eq!(depth, MAX_DEPTH);
    }

    #[test]
    fn a_hundred_thousand_parts_are_not_all_kept() {
        let mut text = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n".to_vec();
        text.extend(b"--b\r\n\r\n".repeat(100_000));
        let Content::Multipart(parts) = parse(&text).content else { panic!() };
        assert!(parts.len() <= MAX_PARTS);
    }

    #[test]
    fn a_boundary_is_a_whole_line() {
        let text =
            b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n--bc\r\n--b \t\r\n\r\nx\r\n--b--";
        let Content::Multipart(parts) = parse(text).content else { panic!() };
        assert_eq!(parts.len(), 2);
        assert_eq!(&text[parts[0].body.clone()], b"--bc");
        assert_eq!(&text[parts[1].body.clone()], b"x");
    }
}
