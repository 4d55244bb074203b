//! Frames of what a server sends.

use wire::{Limit, Limits, line, literal};

use super::fetch::Scanner;

/// Shortest stretch of a number list that is handed out before its line is complete, in octets.
const PIECE: usize = 4096;

/// What stands at the head of the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framed {
    /// Nothing complete yet.
    More,
    /// A whole response of `len` octets, its literals in place.
    Response { len: usize, kind: Kind },
    /// A stretch of FETCH data of `len` octets that ends with the response or right behind the announcement of a
    /// body literal.
    Fetch { len: usize, first: bool, last: bool },
    /// A stretch of a number list, cut at a space or at the end of the line.
    Numbers { len: usize, first: bool, last: bool },
}

/// Which rule a response belongs to, as far as framing must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `response-tagged`.
    Tagged,
    /// `resp-cond-state`, `resp-cond-bye` or `resp-cond-auth`, untagged.
    Status,
    /// `continue-req`.
    Continue,
    /// Any other untagged response.
    Data,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Start,
    Response(Kind),
    Fetch,
    Numbers,
}

/// Finds the frames in a growing buffer; looks at every octet once.
#[derive(Debug)]
pub(crate) struct Framer {
    lines: line::LineScanner,
    mode: Mode,
    /// Octets at the head that belong to the frame for certain: complete lines and their literals.
    at: usize,
    literals: u32,
    /// Octets of the response that have been handed out in earlier frames.
    earlier: usize,
    first: bool,
    fetch: Scanner,
    /// Octets of literals in this response, which do not count as line.
    literal_octets: usize,
    /// Octets of an incomplete number list that have been searched for a blank to cut at.
    searched: usize,
}

/// What cannot be framed: there is no telling where the next response begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    Limit(Limit),
    /// A literal announced more octets than a number can hold.
    LiteralLength,
}

impl Framer {
    pub(crate) fn new() -> Self {
        Self {
            lines: line::LineScanner::default(),
            mode: Mode::Start,
            at: 0,
            literals: 0,
            earlier: 0,
            first: true,
            fetch: Scanner::default(),
            literal_octets: 0,
            searched: 0,
        }
    }

    /// Looks for the next frame in `unread`, which begins where the last frame ended.
    pub(crate) fn next(
        &mut self,
        unread: &[u8],
        limits: &Limits,
        authenticated: bool,
    ) -> Result<Framed, Broken> {
        loop {
            if unread.len() < self.at {
                return Ok(Framed::More);
            }
            let Some(end) = self.lines.next_from(unread, self.at) else {
                // An incomplete first line is judged anew each time there is more of it.
                let mode = if self.mode == Mode::Start { classify(unread) } else { self.mode };
                self.check_length(mode, unread.len(), limits, authenticated)?;
                if mode == Mode::Numbers {
                    // Only what is new: a list without a blank may be long, and come octet by octet.
                    let from = self.searched.max(PIECE).min(unread.len());
                    let blank = memchr::memrchr(b' ', unread.get(from..).unwrap_or_default());
                    if let Some(space) = blank {
                        self.mode = mode;
                        return Ok(self.numbers(from.saturating_add(space).saturating_add(1), false));
                    }
                    self.searched = unread.len();
                }
                return Ok(Framed::More);
            };
            if self.mode == Mode::Start {
                self.mode = classify(unread.get(..end).unwrap_or_default());
            }
            self.check_length(self.mode, end, limits, authenticated)?;
            let from = self.at;
            let line = line::content(unread.get(from..end).unwrap_or_default());
            let stop = from.saturating_add(line.len());
            self.at = end;
            match self.mode {
                Mode::Numbers => return Ok(self.numbers(end, true)),
                Mode::Response(kind) => {
                    let may_have_literal = match kind {
                        Kind::Data => true,
                        Kind::Continue => false,
                        Kind::Tagged | Kind::Status => code_is_open(unread.get(..stop).unwrap_or_default()),
                    };
                    match self.announced(line).map_err(|_| Broken::LiteralLength)? {
                        Some(a) if may_have_literal => self.inline(a, limits, authenticated)?,
                        _ => {
                            self.reset();
                            return Ok(Framed::Response { len: end, kind });
                        }
                    }
                }
                Mode::Fetch => {
                    self.fetch.line(unread, from, stop);
                    match self.announced(line).map_err(|_| Broken::LiteralLength)? {
                        Some(mut a) => {
                            a.start = a.start.saturating_add(from);
                            if self.fetch.is_body(unread, a) {
                                let (max, limit) = if authenticated {
                                    (limits.body, Limit::Body)
                                } else {
                                    (limits.pre_auth_literal, Limit::Literal)
                                };
                                if a.len > max {
                                    return Err(Broken::Limit(limit));
                                }
                                self.count_literal(limits)?;
                                let first = core::mem::replace(&mut self.first, false);
                                self.earlier = self.earlier.saturating_add(end);
                                self.at = 0;
                                self.fetch.behind_body();
                                return Ok(Framed::Fetch { len: end, first, last: false });
                            }
                            self.inline(a, limits, authenticated)?;
                        }
                        None => {
                            let first = self.first;
                            self.reset();
                            return Ok(Framed::Fetch { len: end, first, last: true });
                        }
                    }
                }
                Mode::Start => return Ok(Framed::More),
            }
        }
    }

    fn announced(&self, line: &[u8]) -> Result<Option<literal::Announced>, literal::Overflow> {
        let found = literal::announced(line)?;
        // A literal stands where a string may stand: behind a space, an opening parenthesis or nothing.
        Ok(found.filter(|a| {
            a.start.checked_sub(1).is_none_or(|i| line.get(i).is_some_and(|c| matches!(c, b' ' | b'(')))
        }))
    }

    fn count_literal(&mut self, limits: &Limits) -> Result<(), Broken> {
        self.literals = self.literals.saturating_add(1);
        if self.literals > limits.literals { Err(Broken::Limit(Limit::Literals)) } else { Ok(()) }
    }

    /// A literal that stays inside the response.
    fn inline(&mut self, a: literal::Announced, limits: &Limits, authenticated: bool) -> Result<(), Broken> {
        let max = if authenticated { limits.literal } else { limits.pre_auth_literal };
        if a.len > max {
            return Err(Broken::Limit(Limit::Literal));
        }
        self.count_literal(limits)?;
        let len = usize::try_from(a.len).map_err(|_| Broken::LiteralLength)?;
        self.at = self.at.saturating_add(len);
        self.literal_octets = self.literal_octets.saturating_add(len);
        Ok(())
    }

    fn numbers(&mut self, len: usize, last: bool) -> Framed {
        let first = core::mem::replace(&mut self.first, false);
        if last {
            self.reset();
        } else {
            self.earlier = self.earlier.saturating_add(len);
            self.at = 0;
            self.searched = 0;
            self.lines.reset();
        }
        Framed::Numbers { len, first, last }
    }

    fn check_length(
        &self,
        mode: Mode,
        len: usize,
        limits: &Limits,
        authenticated: bool,
    ) -> Result<(), Broken> {
        let max = match mode {
            _ if !authenticated => limits.pre_auth_line,
            Mode::Fetch | Mode::Numbers => limits.long_line,
            Mode::Start | Mode::Response(_) => limits.line,
        };
        // Literals of a plain response have their own limits, but together they must fit the buffer too.
        let line = len.saturating_add(self.earlier).saturating_sub(self.literal_octets.min(len));
        if line > max || len > limits.long_line.max(max) {
            return Err(Broken::Limit(Limit::Line));
        }
        Ok(())
    }

    fn reset(&mut self) {
        let lines = core::mem::take(&mut self.lines);
        *self = Self::new();
        self.lines = lines;
    }
}

/// Decides by the first octets of a response, which may be incomplete.
fn classify(start: &[u8]) -> Mode {
    let Some(rest) = start.strip_prefix(b"* ") else {
        return Mode::Response(match start.first() {
            Some(b'+') => Kind::Continue,
            Some(b'*') => Kind::Data,
            _ => Kind::Tagged,
        });
    };
    let digits = rest.iter().take_while(|c| c.is_ascii_digit()).count();
    if digits > 0 {
        let name = rest.get(digits..).unwrap_or_default().trim_ascii_start();
        return if is_word(name, b"FETCH") { Mode::Fetch } else { Mode::Response(Kind::Data) };
    }
    if is_word(rest, b"SEARCH") || is_word(rest, b"SORT") {
        return Mode::Numbers;
    }
    let status = [&b"OK"[..], b"NO", b"BAD", b"BYE", b"PREAUTH"].iter().any(|w| is_word(rest, w));
    Mode::Response(if status { Kind::Status } else { Kind::Data })
}

fn is_word(text: &[u8], word: &[u8]) -> bool {
    text.get(..word.len()).is_some_and(|w| w.eq_ignore_ascii_case(word))
        && text.get(word.len()).is_none_or(|c| matches!(c, b' ' | b'\r' | b'\n' | b'('))
}

/// Whether a status line stands inside its `resp-text-code`: only there can a literal be.
fn code_is_open(frame: &[u8]) -> bool {
    let rest = frame.strip_prefix(b"* ").unwrap_or(frame);
    let mut words = rest.splitn(3, |c| *c == b' ');
    let first = words.next().unwrap_or_default();
    let is_status =
        |w: &[u8]| [&b"OK"[..], b"NO", b"BAD", b"BYE", b"PREAUTH"].iter().any(|s| w.eq_ignore_ascii_case(s));
    let text = if is_status(first) {
        rest.get(first.len().saturating_add(1)..).unwrap_or_default()
    } else {
        words.nth(1).unwrap_or_default()
    };
    text.first() == Some(&b'[') && memchr::memchr(b']', text).is_none()
}
