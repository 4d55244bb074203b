//! Follows FETCH data just closely enough to tell a message body from any other literal.

use wire::literal::Announced;

/// Reads each octet of `msg-att` once and remembers where in it the line stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Scanner {
    depth: u32,
    quoted: bool,
    escaped: bool,
    section: bool,
    /// The token in front of the one being read, as positions in the frame; only kept at depth 1.
    previous: (usize, usize),
    token: usize,
}

impl Scanner {
    /// Scans `frame[from..to]`, one line without its CRLF.
    pub(super) fn line(&mut self, frame: &[u8], from: usize, to: usize) {
        for (i, octet) in frame.iter().enumerate().take(to).skip(from) {
            if self.quoted {
                match octet {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.quoted = false,
                    _ => {}
                }
                continue;
            }
            match octet {
                b'"' => self.quoted = true,
                b'[' if self.depth == 1 => self.section = true,
                b']' => self.section = false,
                b'(' if !self.section => {
                    self.depth = self.depth.saturating_add(1);
                    self.token = i.saturating_add(1);
                }
                b')' if !self.section => self.depth = self.depth.saturating_sub(1),
                b' ' if self.depth == 1 && !self.section => {
                    if self.token < i {
                        self.previous = (self.token, i);
                    }
                    self.token = i.saturating_add(1);
                }
                _ => {}
            }
        }
        // A quoted string does not span lines; a broken one must not swallow what follows.
        self.quoted = false;
        self.escaped = false;
    }

    /// Whether the literal announced at the end of the line just scanned is the value of a body item.
    pub(super) fn is_body(&self, frame: &[u8], announced: Announced) -> bool {
        let (start, end) = self.previous;
        if self.depth != 1 || self.section || announced.start < end {
            return false;
        }
        let name = frame.get(start..end).unwrap_or_default();
        let starts = |p: &[u8]| name.get(..p.len()).is_some_and(|n| n.eq_ignore_ascii_case(p));
        starts(b"BODY[")
            || starts(b"BINARY[")
            || [&b"RFC822"[..], b"RFC822.HEADER", b"RFC822.TEXT"].iter().any(|n| name.eq_ignore_ascii_case(n))
    }

    /// The body has gone past and the frame begins anew behind it.
    pub(super) fn behind_body(&mut self) {
        self.previous = (0, 0);
        self.token = 0;
    }
}
