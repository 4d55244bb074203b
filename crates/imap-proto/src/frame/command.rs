//! Frames of what a client sends.

use wire::{Limit, line, literal};

pub(crate) use wire::literal::Announced;

/// What a client may send at this point, in octets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// One command without its literals.
    pub(crate) line: usize,
    /// An AUTHENTICATE command: it can carry a token.
    pub(crate) sasl_line: usize,
    /// All literals of one command together, the message of APPEND not counted.
    pub(crate) literal: u64,
    /// Number of literals in one command.
    pub(crate) literals: u32,
    /// Longest literal the client may send without being asked; `None`: not even an empty one.
    pub(crate) rush: Option<u64>,
}

/// What stands at the head of the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framed {
    /// Nothing complete yet.
    More,
    /// The client waits to be asked for a literal that has been found acceptable.
    GoAhead,
    /// A whole command of `len` octets, its literals in place. That of APPEND ends behind the announcement of its
    /// message.
    Command { len: usize, message: Option<Announced>, kind: Kind },
}

/// What framing must know of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Append,
    Authenticate,
    Other,
}

/// A command that is not read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) reason: Reason,
    /// Where the next command begins; `None` when there is no telling.
    pub(crate) end: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    Limit(Limit),
    /// A literal came unasked where that is not allowed, or is too long for it (RFC 7888).
    Rush,
    /// A literal announced more octets than a number can hold.
    LiteralLength,
}

/// Octets in which a tag and the name of a command must stand to be recognised.
const START: usize = 300;

/// Finds commands in a growing buffer; looks at every octet once.
#[derive(Debug, Default)]
pub(crate) struct CommandFramer {
    lines: line::LineScanner,
    /// Octets at the head that belong to the command for certain: complete lines and their literals.
    at: usize,
    literals: u32,
    literal_octets: usize,
    kind: Option<Kind>,
}

impl CommandFramer {
    /// Looks for the next command in `unread`, which begins where the last one ended.
    pub(crate) fn next(&mut self, unread: &[u8], bounds: &Bounds) -> Result<Framed, Broken> {
        loop {
            if unread.len() < self.at {
                return Ok(Framed::More);
            }
            let from = self.at;
            let Some(end) = self.lines.next_from(unread, from) else {
                let kind = self.kind.unwrap_or_else(|| classify(unread).0);
                self.check_length(kind, unread.len(), bounds)?;
                return Ok(Framed::More);
            };
            let line = line::content(unread.get(from..end).unwrap_or_default());
            let (kind, arguments) = match self.kind {
                Some(kind) => (kind, None),
                None => {
                    let (kind, arguments) = classify(line);
                    (kind, Some(arguments))
                }
            };
            self.kind = Some(kind);
            self.check_length(kind, end, bounds)?;
            self.at = end;
            let Some(announced) = announcement(line, end)? else {
                self.reset();
                return Ok(Framed::Command { len: end, message: None, kind });
            };
            if announced.non_sync && bounds.rush.is_none_or(|max| announced.len > max) {
                return Err(Broken { reason: Reason::Rush, end: None });
            }
            // APPEND has two places for a literal: its mailbox, which is the first argument, and its message.
            if kind == Kind::Append && arguments != Some(announced.start) {
                self.reset();
                return Ok(Framed::Command { len: end, message: Some(announced), kind });
            }
            self.count(announced, end, bounds)?;
            if !announced.non_sync {
                return Ok(Framed::GoAhead);
            }
        }
    }

    /// Looks for the end of one line of at most `max` octets: a SASL response, `DONE`, the end of an APPEND.
    pub(crate) fn line(&mut self, unread: &[u8], max: usize) -> Result<Option<usize>, Limit> {
        let end = self.lines.line_end(unread);
        if end.unwrap_or(unread.len()) > max {
            return Err(Limit::Line);
        }
        Ok(end)
    }

    /// Starts over: the buffer's head has moved.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }

    fn count(&mut self, a: Announced, end: usize, bounds: &Bounds) -> Result<(), Broken> {
        // Whoever waits to be asked sends nothing when refused, so the next command is behind this line.
        let end = (!a.non_sync).then_some(end);
        let broken = |limit| Broken { reason: Reason::Limit(limit), end };
        self.literals = self.literals.saturating_add(1);
        if self.literals > bounds.literals {
            return Err(broken(Limit::Literals));
        }
        if a.len.saturating_add(self.literal_octets as u64) > bounds.literal {
            return Err(broken(Limit::Literal));
        }
        let len = usize::try_from(a.len).map_err(|_| broken(Limit::Literal))?;
        self.at = self.at.saturating_add(len);
        self.literal_octets = self.literal_octets.saturating_add(len);
        Ok(())
    }

    fn check_length(&self, kind: Kind, len: usize, bounds: &Bounds) -> Result<(), Broken> {
        let max = if kind == Kind::Authenticate { bounds.sasl_line } else { bounds.line };
        if len.saturating_sub(self.literal_octets) > max {
            return Err(Broken { reason: Reason::Limit(Limit::Line), end: None });
        }
        Ok(())
    }
}

/// The announcement at the end of a command's line that ends at `end` in the buffer.
fn announcement(line: &[u8], end: usize) -> Result<Option<Announced>, Broken> {
    let found = literal::announced(line).map_err(|literal::Overflow| Broken {
        reason: Reason::LiteralLength,
        end: Some(end).filter(|_| !line.ends_with(b"+}")),
    })?;
    // A string stands behind a space or a parenthesis. Octets that come unasked are a literal wherever they are
    // announced: were they read as commands, one end would have smuggled them past the other.
    Ok(found.filter(|a| {
        let before = a.start.checked_sub(1).and_then(|i| line.get(i));
        a.non_sync || before.is_none_or(|c| matches!(c, b' ' | b'('))
    }))
}

/// The kind of a command by its first line, which may be incomplete, and where its arguments begin.
///
/// Only so much of it is looked at as a tag and a name can fill, because it is asked again whenever more arrives.
fn classify(line: &[u8]) -> (Kind, usize) {
    let line = line.get(..line.len().min(START)).unwrap_or_default();
    let tag = memchr::memchr(b' ', line).map_or(line.len(), |i| i.saturating_add(1));
    let rest = line.get(tag..).unwrap_or_default();
    let name = rest.get(..memchr::memchr(b' ', rest).unwrap_or(rest.len())).unwrap_or_default();
    let arguments = tag.saturating_add(name.len()).saturating_add(1);
    let is = |word: &[u8]| name.eq_ignore_ascii_case(word);
    let kind = match () {
        () if is(b"APPEND") => Kind::Append,
        () if is(b"AUTHENTICATE") => Kind::Authenticate,
        () => Kind::Other,
    };
    (kind, arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { line: 100, sasl_line: 1_000, literal: 50, literals: 3, rush: Some(20) };

    /// All steps with the octets arriving one by one.
    fn steps(text: &[u8]) -> alloc::vec::Vec<Result<Framed, Broken>> {
        let mut framer = CommandFramer::default();
        let mut out = alloc::vec::Vec::new();
        let mut head = 0;
        for n in 1..=text.len() {
            loop {
                match framer.next(&text[head..n], &BOUNDS) {
                    Ok(Framed::More) => break,
                    Ok(Framed::Command { len, message, kind }) => {
                        out.push(Ok(Framed::Command { len, message, kind }));
                        head += len;
                        if head == n {
                            break;
                        }
                    }
                    other => {
                        out.push(other);
                        if other.is_err() {
                            return out;
                        }
                    }
                }
            }
        }
        out
    }

    fn command(len: usize) -> Result<Framed, Broken> {
        Ok(Framed::Command { len, message: None, kind: Kind::Other })
    }

    #[test]
    fn the_login_of_rfc_3501_section_4_3_is_asked_for_twice() {
        let text = b"A001 LOGIN {11}\r\nFRED FOOBAR {7}\r\nfat man\r\n";
        assert_eq!(steps(text), [Ok(Framed::GoAhead), Ok(Framed::GoAhead), command(text.len())]);
    }

    #[test]
    fn unasked_literals_need_no_go_ahead_and_end_with_their_command() {
        let text = b"A001 LOGIN {11+}\r\nFRED FOOBAR {7+}\r\nfat\nman\r\nA002 NOOP\r\n";
        assert_eq!(steps(text), [command(text.len() - 11), command(11)]);
    }

    #[test]
    fn the_mailbox_of_append_may_be_a_literal_and_its_message_is_another() {
        let head = b"A1 APPEND {5+}\r\nINBOX (\\Seen) {310}\r\n";
        // Positions count from behind the mailbox: there the rest of the line begins.
        let message = Announced { len: 310, non_sync: false, binary: false, start: 9 };
        assert_eq!(
            steps(head),
            [Ok(Framed::Command { len: head.len(), message: Some(message), kind: Kind::Append })]
        );
        let text = b"a append Drafts ~{7+}\r\n";
        let message = Announced { len: 7, non_sync: true, binary: true, start: 16 };
        assert_eq!(
            steps(text),
            [Ok(Framed::Command { len: text.len(), message: Some(message), kind: Kind::Append })]
        );
    }

    #[test]
    fn a_literal_beyond_the_bounds_is_never_asked_for() {
        // SV-06, SV-12
        let refused = |text: &[u8]| steps(text).last().copied().map(Result::unwrap_err);
        let limit = |limit, end| Some(Broken { reason: Reason::Limit(limit), end });
        assert_eq!(refused(b"a LOGIN {400000000}\r\n"), limit(Limit::Literal, Some(21)));
        assert_eq!(refused(b"a LOGIN {51}\r\n"), limit(Limit::Literal, Some(14)));
        assert_eq!(refused(b"a X {20+}\r\n01234567890123456789 {40}\r\n"), limit(Limit::Literal, Some(38)));
        assert_eq!(refused(b"a X {1}\r\nx {1}\r\nx {1}\r\nx {1}\r\n"), limit(Limit::Literals, Some(30)));
        assert_eq!(refused(b"a LOGIN {21+}\r\n"), Some(Broken { reason: Reason::Rush, end: None }));
        let endless = Some(Broken { reason: Reason::LiteralLength, end: None });
        assert_eq!(refused(b"a LOGIN {99999999999999999999999+}\r\n"), endless);
    }

    #[test]
    fn only_authenticate_may_be_long() {
        // SV-07
        let long = |head: &str, n: usize| alloc::format!("{head}{}\r\n", "x".repeat(n)).into_bytes();
        let too_long = Err(Broken { reason: Reason::Limit(Limit::Line), end: None });
        assert_eq!(steps(&long("a NOOP", 92)).len(), 1);
        assert_eq!(steps(&long("a NOOP", 93)), [too_long]);
        assert!(steps(&long("a authenticate XOAUTH2 ", 900))[0].is_ok());
        assert_eq!(steps(&long("a AUTHENTICATE XOAUTH2 ", 1_000)), [too_long]);
    }

    #[test]
    fn what_only_looks_like_an_announcement_is_none() {
        assert_eq!(steps(b"a SELECT x{3}\r\n"), [command(15)]);
        // Announced as unasked it is taken as it was meant.
        assert_eq!(steps(b"a SELECT x{3+}\r\na b\r\n"), [command(21)]);
    }
}
