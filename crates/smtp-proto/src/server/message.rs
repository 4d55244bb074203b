//! Messages on their way in: where they end, and what is wrong with them.

use wire::dot::{self, Step};
use wire::{InBuf, literal};

use super::config::Newlines;
use super::error::{Error, MessageFault, Whence};
use super::event::Event;
use super::{Answer, Phase, Server};
use crate::session::{Dialect, State};
use crate::types::{BodyType, Capabilities};

/// Where the octets come from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    /// DATA.
    Data(dot::Decoder),
    /// A chunk of BDAT.
    Bdat {
        left: literal::Countdown,
        /// Its length.
        octets: u64,
        /// The message ends with it.
        last: bool,
    },
}

/// What is known of a message so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Incoming {
    octets: u64,
    fault: Option<MessageFault>,
    /// The chunk before ended in CR.
    cr: bool,
}

impl Incoming {
    /// How many octets of this stretch can be handed over. `open`: a CR at its end may be completed by the next chunk.
    fn take(&mut self, content: &[u8], newlines: Newlines, max: u64, open: bool) -> usize {
        let before = self.octets;
        self.octets = before.saturating_add(content.len() as u64);
        if self.fault.is_some() {
            return 0;
        }
        let room = usize::try_from(max.saturating_sub(before)).unwrap_or(usize::MAX);
        let after_cr = core::mem::take(&mut self.cr);
        let bare = match newlines {
            Newlines::Refuse => {
                self.cr = open && content.last() == Some(&b'\r');
                bare_newline(content, after_cr, open)
            }
            Newlines::Keep => None,
        };
        match bare {
            Some(at) if at <= room => {
                self.fault = Some(MessageFault::BareNewline);
                at
            }
            _ if content.len() > room => {
                self.fault = Some(MessageFault::TooLarge);
                room
            }
            _ => content.len(),
        }
    }
}

/// The first CR or LF that is not one of a pair.
fn bare_newline(content: &[u8], after_cr: bool, open: bool) -> Option<usize> {
    let mut from = 0_usize;
    if after_cr {
        if content.first() != Some(&b'\n') {
            return Some(0);
        }
        from = 1;
    }
    while let Some(at) = memchr::memchr2(b'\r', b'\n', content.get(from..)?) {
        let at = from.saturating_add(at);
        match content.get(at..).unwrap_or_default() {
            [b'\r', b'\n', ..] => from = at.saturating_add(2),
            [b'\r'] if open => return None,
            _ => return Some(at),
        }
    }
    None
}

impl Server {
    /// The largest message, in octets.
    pub(super) fn max_message(&self) -> u64 {
        let offered = self.offered.as_ref().and_then(Capabilities::size);
        self.config.limits.body.min(offered.unwrap_or(u64::MAX))
    }

    fn newlines(&self) -> Newlines {
        match self.transaction.body {
            Some(BodyType::BinaryMime) => Newlines::Keep,
            _ => self.config.newlines,
        }
    }

    /// Looks for octets of the message; `false` when more are needed.
    pub(super) fn read_body(&mut self, source: Source, input: &mut InBuf) -> bool {
        let more = match source {
            Source::Data(decoder) => self.read_data(decoder, input),
            Source::Bdat { left, octets, last } => self.read_chunk(left, octets, last, input),
        };
        if !more && input.is_closed() {
            self.fail(Error::Closed(Whence::Message));
            return true;
        }
        more
    }

    fn read_data(&mut self, mut decoder: dot::Decoder, input: &mut InBuf) -> bool {
        let (max, newlines) = (self.max_message(), self.newlines());
        loop {
            match decoder.step(input.unread()) {
                Step::Data { content, consumed } => {
                    let before = consumed.saturating_sub(content.len());
                    let len = self.transaction.incoming.take(content, newlines, max, false);
                    if len > 0 {
                        let behind = content.len().saturating_sub(len);
                        self.phase = Phase::Chunk(Source::Data(decoder), before, len, behind);
                        return true;
                    }
                    input.consume(consumed);
                }
                Step::End { consumed } => {
                    input.consume(consumed);
                    self.end_message();
                    return true;
                }
                Step::More => {
                    self.phase = Phase::Body(Source::Data(decoder));
                    return false;
                }
            }
        }
    }

    fn read_chunk(
        &mut self,
        mut left: literal::Countdown,
        octets: u64,
        last: bool,
        input: &mut InBuf,
    ) -> bool {
        let (max, newlines) = (self.max_message(), self.newlines());
        loop {
            if left.is_done() {
                self.end_chunk(octets, last);
                return true;
            }
            let unread = input.unread();
            let mut len = left.within(unread.len());
            let ends = left.left() == len as u64;
            if newlines == Newlines::Refuse && !ends && unread.get(..len).is_some_and(|c| c.ends_with(b"\r"))
            {
                // What it is depends on the next octet.
                len = len.saturating_sub(1);
            }
            if len == 0 {
                self.phase = Phase::Body(Source::Bdat { left, octets, last });
                return false;
            }
            left.take(len);
            let content = unread.get(..len).unwrap_or_default();
            let fine = self.transaction.incoming.take(content, newlines, max, ends && !last);
            if fine > 0 {
                let source = Source::Bdat { left, octets, last };
                self.phase = Phase::Chunk(source, 0, fine, len.saturating_sub(fine));
                return true;
            }
            input.consume(len);
        }
    }

    /// A chunk is complete.
    fn end_chunk(&mut self, octets: u64, last: bool) {
        if last {
            let incoming = &mut self.transaction.incoming;
            if incoming.cr && incoming.fault.is_none() {
                incoming.fault = Some(MessageFault::BareNewline);
            }
            return self.end_message();
        }
        let fault = self.transaction.incoming.fault;
        self.state = State::Chunks;
        self.ready = Some(Event::ChunkEnd { octets, fault });
        self.phase = Phase::Answering(Answer::Chunk { fine: fault.is_none() });
    }

    /// The message is complete.
    fn end_message(&mut self) {
        let Incoming { octets, fault, .. } = self.transaction.incoming;
        let due = match self.config.dialect {
            Dialect::Smtp => 1,
            Dialect::Lmtp => self.transaction.recipients.max(1),
        };
        self.ready = Some(Event::BodyEnd { octets, fault });
        self.phase = Phase::Answering(Answer::Message { fine: fault.is_none(), due });
    }
}
