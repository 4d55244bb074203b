//! Messages on their way in.

use wire::{InBuf, line, literal};

use super::error::Fault;
use super::event::Event;
use super::{After, Current, Phase, Reply, Server};
use crate::error::Misuse;

/// Longest line behind a message that is read to its end, in octets. All it should be is CRLF.
const BEHIND: usize = 64 << 10;

impl Server {
    /// Takes the message of the APPEND, asking for it where the client waits for that.
    ///
    /// # Errors
    /// [`Misuse::State`] when no APPEND is to be decided on, [`Misuse::Over`].
    pub fn accept_body(&mut self) -> Result<(), Misuse> {
        self.may_speak()?;
        match self.take_phase() {
            Phase::Deciding(current, message) => {
                if !message.non_sync {
                    self.go_ahead();
                }
                self.phase = Phase::Body(current, literal::Countdown::new(message.len));
                Ok(())
            }
            other => {
                self.phase = other;
                Err(Misuse::State)
            }
        }
    }

    /// Looks for octets of the message, or goes on behind it.
    pub(super) fn read_body(&mut self, current: Current, left: literal::Countdown, input: &InBuf) -> bool {
        if left.is_done() {
            self.phase = Phase::Behind(current);
            return true;
        }
        let available = left.within(input.len());
        self.phase =
            if available == 0 { Phase::Body(current, left) } else { Phase::Chunk(current, left, available) };
        available > 0
    }

    pub(super) fn read_behind(&mut self, current: Current, input: &mut InBuf) -> bool {
        match self.framer.line(input.unread(), BEHIND) {
            Ok(None) => {
                self.phase = Phase::Behind(current);
                return false;
            }
            Ok(Some(end)) => {
                let rest = line::content(input.unread().get(..end).unwrap_or_default());
                let unasked = unasked(rest);
                let is_end = rest.is_empty();
                input.consume(end);
                self.ready = Some(if is_end {
                    Event::BodyEnd
                } else {
                    let closes = unasked.is_some_and(|len| len > self.discardable());
                    Event::BadCommand { tag: current.tag.clone(), fault: Fault::BehindMessage, closes }
                });
                self.phase = Phase::Answering(Current { unasked, ..current });
            }
            Err(limit) => self.give_up(current, limit),
        }
        true
    }

    /// Lets a message go past that nobody wants.
    pub(super) fn discard(&mut self, mut left: literal::Countdown, reply: Reply, input: &mut InBuf) -> bool {
        let n = left.within(input.len());
        left.take(n);
        input.consume(n);
        let done = left.is_done();
        self.phase = if done { Phase::DiscardingLine(reply) } else { Phase::Discarding(left, reply) };
        done
    }

    /// Lets the rest of its line go past, and any message that this announces in turn; then replies.
    pub(super) fn discard_line(&mut self, mut reply: Reply, input: &mut InBuf) -> bool {
        match self.framer.line(input.unread(), BEHIND) {
            Ok(None) => {
                self.phase = Phase::DiscardingLine(reply);
                return false;
            }
            Ok(Some(end)) => {
                let more = unasked(line::content(input.unread().get(..end).unwrap_or_default()));
                input.consume(end);
                match more {
                    Some(len) if len <= self.discardable() => {
                        self.phase = Phase::Discarding(literal::Countdown::new(len), reply);
                    }
                    Some(_) => {
                        reply.after = After::Close;
                        self.say(reply);
                    }
                    None => self.say(reply),
                }
            }
            Err(_) => {
                reply.after = After::Close;
                self.say(reply);
            }
        }
        true
    }
}

/// The length of what follows a line unasked.
fn unasked(line: &[u8]) -> Option<u64> {
    match literal::announced(line) {
        Ok(announced) => announced.filter(|a| a.non_sync).map(|a| a.len),
        Err(literal::Overflow) => Some(u64::MAX),
    }
}
