//! Where a reply ends.

use wire::line::LineScanner;

use crate::grammar::reply_line;
use crate::types::Reply;

/// Finds the end of a reply, looking at each octet once.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ReplyFramer {
    scanner: LineScanner,
    /// Where the line that is being read begins.
    at: usize,
    lines: usize,
}

/// Why there is no telling where the reply ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// One line is too long.
    Line,
    /// All lines together are too long, or too many.
    TooLong,
    /// The line between these positions is none of a reply.
    Syntax { from: usize, to: usize },
}

impl ReplyFramer {
    /// Continues in `unread`, which begins where the reply begins. Returns the length of the reply once all of it is there.
    pub(crate) fn next(&mut self, unread: &[u8], line: usize, total: usize) -> Result<Option<usize>, Broken> {
        loop {
            let Some(end) = self.scanner.next_from(unread, self.at) else {
                let partial = unread.len().saturating_sub(self.at);
                return if partial > line { Err(Broken::Line) } else { Ok(None) };
            };
            if end.saturating_sub(self.at) > line {
                return Err(Broken::Line);
            }
            let octets = unread.get(self.at..end).unwrap_or_default();
            let Some((_, last, _)) = reply_line(octets) else {
                return Err(Broken::Syntax { from: self.at, to: end });
            };
            self.lines = self.lines.saturating_add(1);
            if end > total || self.lines > Reply::LINES {
                return Err(Broken::TooLong);
            }
            if last {
                *self = Self::default();
                return Ok(Some(end));
            }
            self.at = end;
        }
    }
}
