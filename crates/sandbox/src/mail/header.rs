//! Header fields of a message, by offsets (RFC 5322 section 2.2).

use std::ops::Range;

/// One field: its name and where its parts lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    /// From the first octet of the name to after the last line's end.
    pub(crate) whole: Range<usize>,
    pub(crate) name: Range<usize>,
    /// After the colon, without the last line's end; folds included.
    pub(crate) value: Range<usize>,
}

/// The end of the line that begins at `at`: after its LF, or the end of the data.
pub(crate) fn line_end(data: &[u8], at: usize) -> usize {
    let rest = data.get(at..).unwrap_or_default();
    rest.iter().position(|b| *b == b'\n').map_or(data.len(), |n| at + n + 1)
}

/// A line without CRLF or LF.
pub(crate) fn trim_line(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Where the header that begins at `range.start` ends: after the empty line, or at the end of the data.
pub(crate) fn header_end(data: &[u8], range: Range<usize>) -> usize {
    let mut at = range.start;
    while at < range.end {
        let end = line_end(data, at).min(range.end);
        if trim_line(data.get(at..end).unwrap_or_default()).is_empty() {
            return end;
        }
        at = end;
    }
    range.end
}

/// The fields of the header in `range`; lines that are no fields are left out.
pub(crate) fn fields(data: &[u8], range: Range<usize>) -> Vec<Field> {
    let mut out: Vec<Field> = Vec::new();
    let mut at = range.start;
    let mut continues = false;
    while at < range.end {
        let end = line_end(data, at).min(range.end);
        let raw = data.get(at..end).unwrap_or_default();
        let line = trim_line(raw);
        if line.is_empty() {
            break;
        }
        let stop = at + line.len();
        if matches!(line.first(), Some(b' ' | b'\t')) {
            if let (true, Some(last)) = (continues, out.last_mut()) {
                last.whole.end = end;
                last.value.end = stop;
            }
        } else if let Some(colon) = line.iter().position(|b| *b == b':') {
            // Blanks before the colon are obsolete syntax but they occur.
            let name = line.get(..colon).unwrap_or_default().trim_ascii_end();
            continues = !name.is_empty() && name.iter().all(|b| (33..127).contains(b));
            if continues {
                out.push(Field { whole: at..end, name: at..at + name.len(), value: at + colon + 1..stop });
            }
        } else {
            continues = false;
        }
        at = end;
    }
    out
}

/// The value of the first field of this name, unfolded and without blanks at its ends.
pub(crate) fn value(data: &[u8], range: Range<usize>, name: &str) -> Option<Vec<u8>> {
    fields(data, range)
        .into_iter()
        .find(|f| data.get(f.name.clone()).is_some_and(|n| n.eq_ignore_ascii_case(name.as_bytes())))
        .map(|f| unfold(data.get(f.value).unwrap_or_default()))
}

/// A value on one line: line ends are dropped, and octets that no IMAP string can hold.
pub(crate) fn unfold(value: &[u8]) -> Vec<u8> {
    let one: Vec<u8> = value.iter().copied().filter(|b| !matches!(b, b'\r' | b'\n' | 0)).collect();
    one.trim_ascii().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_blanks_and_rubbish() {
        let data = b"Subject: a\r\n b\r\n\tc\r\nrubbish line\r\n more rubbish\r\nX-Odd : d\r\n: none\r\n\r\nFrom: body\r\n";
        let end = header_end(data, 0..data.len());
        assert_eq!(&data[end..], b"From: body\r\n");
        let names: Vec<&[u8]> = fields(data, 0..end).into_iter().map(|f| &data[f.name]).collect();
        assert_eq!(names, [b"Subject".as_slice(), b"X-Odd"]);
        assert_eq!(value(data, 0..end, "subject").unwrap(), b"a b\tc");
        assert_eq!(value(data, 0..end, "x-odd").unwrap(), b"d");
        assert_eq!(value(data, 0..end, "from"), None);
    }

    #[test]
    fn headers_without_an_end_and_ends_without_a_header() {
        assert_eq!(header_end(b"A: b\r\nC: d", 0..10), 10);
        assert_eq!(header_end(b"\r\nbody", 0..6), 2);
        assert_eq!(header_end(b"", 0..0), 0);
        assert_eq!(header_end(b"A: b\n\nbody", 0..10), 6);
    }
}
