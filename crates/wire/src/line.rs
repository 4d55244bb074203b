//! Finding the ends of lines, looking at every octet once.

use memchr::memchr;

/// Finds the next line end in a growing buffer without looking at any octet twice.
///
/// A line ends at LF; whether a CR stands before it is for the caller to judge ([`content`]). A CR alone ends
/// nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct LineScanner {
    scanned: usize,
}

impl LineScanner {
    /// Continues the search in `unread`, which must begin where it began at the last call and may have grown.
    ///
    /// Returns the position behind the LF and forgets it, so that the next call starts a new line at the position
    /// the caller gives it.
    pub fn line_end(&mut self, unread: &[u8]) -> Option<usize> {
        self.next_from(unread, 0)
    }

    /// Like [`line_end`](Self::line_end) for a line that starts at `from` in `unread`.
    pub fn next_from(&mut self, unread: &[u8], from: usize) -> Option<usize> {
        let start = self.scanned.max(from);
        match memchr(b'\n', unread.get(start..).unwrap_or_default()) {
            Some(at) => {
                self.scanned = 0;
                Some(start.saturating_add(at).saturating_add(1))
            }
            None => {
                self.scanned = unread.len();
                None
            }
        }
    }

    /// Starts over: the buffer's head has moved.
    pub fn reset(&mut self) {
        self.scanned = 0;
    }
}

/// A line without its CRLF (or bare LF).
pub fn content(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_octet_is_scanned_once() {
        let mut scanner = LineScanner::default();
        let text = b"* OK a long line that comes in small pieces\r\n* next";
        for n in 0..44 {
            assert_eq!(scanner.line_end(&text[..n]), None);
            assert_eq!(scanner.scanned, n);
        }
        assert_eq!(scanner.line_end(text), Some(45));
        assert_eq!(content(&text[..45]), b"* OK a long line that comes in small pieces");
        assert_eq!(scanner.next_from(text, 45), None);
    }

    #[test]
    fn a_bare_cr_ends_nothing_and_a_bare_lf_ends_a_line() {
        let mut scanner = LineScanner::default();
        assert_eq!(scanner.line_end(b"a\rb\nc"), Some(4));
        assert_eq!(content(b"a\rb\n"), b"a\rb");
        assert_eq!(content(b"x\r\r\n"), b"x\r");
    }
}
