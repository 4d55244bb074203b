//! The lines behind a status line, streamed.

use alloc::borrow::Cow;

use wire::dot::{Decoder, Step};
use wire::line::{self, LineScanner};
use wire::{InBuf, Limit};

use super::Client;
use super::event::Event;
use crate::grammar::{self, ParseError, ParseErrorKind};
use crate::session::{Lines, State};
use crate::types::{Capabilities, Entry};

/// The event that the octets at the head of the buffer hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Current {
    None,
    /// Octets of a message behind `skip` octets of stuffing, `consumed` in all.
    Chunk {
        skip: usize,
        len: usize,
        consumed: usize,
    },
    /// A line of a listing, its end included.
    Entry {
        len: usize,
        lines: Lines,
    },
    /// The start of one that is too long.
    Overlong {
        len: usize,
    },
}

/// A multi-line reply that is being received.
#[derive(Debug)]
pub(super) struct Multi {
    lines: Lines,
    decoder: Decoder,
    scanner: LineScanner,
    /// Octets at the head of the buffer that the decoder has let through. Always less than a line and what arrived at once: an
    /// unfinished line never has a stuffed dot behind it, so they are as the server sent them.
    decoded: usize,
    /// Octets of content so far.
    octets: u64,
    /// The rest of a line that is too long is dropped.
    skipping: bool,
    /// Nothing of it is shown.
    hidden: bool,
    capabilities: Capabilities,
}

impl Multi {
    pub(super) fn new(lines: Lines, hidden: bool) -> Self {
        Self {
            lines,
            decoder: Decoder::new(),
            scanner: LineScanner::default(),
            decoded: 0,
            octets: 0,
            skipping: false,
            hidden,
            capabilities: Capabilities::default(),
        }
    }

    pub(super) fn lines(&self) -> Lines {
        self.lines
    }

    /// `n` octets of content leave the head of the buffer.
    fn pass(&mut self, n: usize) {
        self.decoded = self.decoded.saturating_sub(n);
        self.octets = self.octets.saturating_add(n as u64);
        self.scanner.reset();
    }
}

impl Client {
    /// Reads on. `Some(false)` when more octets are needed, `None` when the reply is complete.
    pub(super) fn receive_lines(&mut self, multi: &mut Multi, input: &mut InBuf) -> Option<bool> {
        if let Some(limit) = self.too_much(multi) {
            self.limit(limit);
            return Some(true);
        }
        if multi.lines == Lines::Message {
            self.receive_message(multi, input)
        } else {
            self.receive_line(multi, input)
        }
    }

    /// Which limit a reply goes beyond.
    fn too_much(&self, multi: &Multi) -> Option<Limit> {
        let limits = &self.config.limits;
        let (max, limit) = match multi.lines {
            Lines::Message | Lines::Scan | Lines::UniqueIds => (limits.body, Limit::Body),
            Lines::Capabilities | Lines::Languages if self.state <= State::Authorization => {
                (limits.pre_auth_total.saturating_sub(self.pre_auth), Limit::PreAuthTotal)
            }
            Lines::Capabilities | Lines::Languages => (limits.pre_auth_total, Limit::Lines),
        };
        (multi.octets > max).then_some(limit)
    }

    fn receive_message(&mut self, multi: &mut Multi, input: &mut InBuf) -> Option<bool> {
        match multi.decoder.step(input.unread()) {
            Step::Data { content, consumed } => {
                // Up to the limit and not an octet more, however it arrives.
                let room = self.config.limits.body.saturating_sub(multi.octets);
                let len = usize::try_from(room).unwrap_or(usize::MAX).min(content.len());
                multi.octets = multi.octets.saturating_add(content.len() as u64);
                if len > 0 {
                    self.current =
                        Current::Chunk { skip: consumed.saturating_sub(content.len()), len, consumed };
                }
                Some(true)
            }
            Step::End { consumed } => self.end(multi, input, consumed),
            Step::More => Some(false),
        }
    }

    fn receive_line(&mut self, multi: &mut Multi, input: &mut InBuf) -> Option<bool> {
        let max = self.config.limits.line.max(1);
        let region = input.unread().get(..multi.decoded).unwrap_or_default();
        match multi.scanner.line_end(region) {
            Some(end) if multi.skipping => {
                multi.skipping = false;
                multi.pass(end);
                input.consume(end);
                return Some(true);
            }
            Some(end) if end <= max => {
                let line = line::content(region.get(..end).unwrap_or_default());
                if multi.lines == Lines::Capabilities
                    && let Ok(capability) = grammar::capability(&self.clean(line))
                {
                    multi.capabilities.push(capability);
                }
                multi.pass(end);
                if multi.hidden {
                    input.consume(end);
                } else {
                    self.current = Current::Entry { len: end, lines: multi.lines };
                }
                return Some(true);
            }
            None if multi.skipping => {
                let n = multi.decoded;
                multi.pass(n);
                input.consume(n);
            }
            None if multi.decoded < max => {}
            // Longer than anything this protocol has. Its end is still to be found.
            _ if multi.lines == Lines::Capabilities => {
                self.limit(Limit::Line);
                return Some(true);
            }
            _ => {
                multi.skipping = true;
                multi.pass(max);
                if multi.hidden {
                    input.consume(max);
                } else {
                    self.current = Current::Overlong { len: max };
                }
                return Some(true);
            }
        }
        match multi.decoder.step(input.unread().get(multi.decoded..).unwrap_or_default()) {
            Step::Data { content, consumed } => {
                let (len, stuffing) = (content.len(), consumed.saturating_sub(content.len()));
                if multi.decoded == 0 {
                    input.consume(stuffing);
                }
                multi.decoded = multi.decoded.saturating_add(len);
                Some(true)
            }
            Step::End { consumed } => self.end(multi, input, consumed),
            Step::More => Some(false),
        }
    }

    fn end(&mut self, multi: &mut Multi, input: &mut InBuf, consumed: usize) -> Option<bool> {
        input.consume(consumed);
        if let Some(limit) = self.too_much(multi) {
            self.limit(limit);
            return None;
        }
        if self.state <= State::Authorization {
            self.pre_auth = self.pre_auth.saturating_add(multi.octets);
        }
        if multi.lines == Lines::Capabilities {
            self.capabilities = Some(core::mem::take(&mut multi.capabilities));
        }
        if let Some(pending) = self.queue.in_flight.pop_front() {
            self.settle();
            self.ready.push_back(Event::End(pending.id));
        }
        None
    }

    /// The event in the octets at the head of `input`.
    pub(super) fn take_current<'b>(&mut self, input: &'b InBuf) -> Option<Event<'b>> {
        let unread = input.unread();
        Some(match core::mem::replace(&mut self.current, Current::None) {
            Current::None => return None,
            Current::Chunk { skip, len, consumed } => {
                self.release = consumed;
                Event::Chunk(unread.get(skip..skip.saturating_add(len)).unwrap_or_default())
            }
            Current::Entry { len, lines } => {
                self.release = len;
                let raw = line::content(unread.get(..len).unwrap_or_default());
                match self.entry(lines, raw) {
                    Ok(entry) => Event::Entry(entry),
                    Err(error) => Event::Malformed { error, raw: self.clean(raw) },
                }
            }
            Current::Overlong { len } => {
                self.release = len;
                let error =
                    ParseError { rule: "line", offset: 0, kind: ParseErrorKind::TooLong { max: len } };
                Event::Malformed { error, raw: self.clean(unread.get(..len).unwrap_or_default()) }
            }
        })
    }

    /// Octets without this connection's credentials.
    fn clean<'b>(&self, octets: &'b [u8]) -> Cow<'b, [u8]> {
        self.redactor.scrub(octets).map_or(Cow::Borrowed(octets), Cow::Owned)
    }

    fn entry<'b>(&self, lines: Lines, line: &'b [u8]) -> Result<Entry<'b>, ParseError> {
        Ok(match lines {
            Lines::Message | Lines::Scan => Entry::Scan(grammar::scan_listing(line)?),
            // A unique-id must be what the server says, octet by octet: it is compared.
            Lines::UniqueIds => Entry::UniqueId(grammar::unique_id_listing(line)?),
            Lines::Capabilities | Lines::Languages => match self.clean(line) {
                Cow::Owned(clean) => words(lines, &clean)?.into_owned(),
                Cow::Borrowed(line) => words(lines, line)?,
            },
        })
    }
}

/// A line that is for people to read.
fn words(lines: Lines, line: &[u8]) -> Result<Entry<'_>, ParseError> {
    Ok(match lines {
        Lines::Languages => Entry::Language(grammar::language(line)?),
        _ => Entry::Capability(grammar::capability(line)?),
    })
}
