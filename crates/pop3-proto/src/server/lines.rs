//! Multi-line replies on their way out.

use wire::dot::{Ambiguous, Encoder};

use super::{Phase, Server};
use crate::error::Misuse;
use crate::grammar;
use crate::session::Lines;
use crate::types::{Entry, Reply};

/// How much of a message is encoded at a time, in octets. Stuffing and line ends can double it.
const PIECE: usize = 16 << 10;

/// The lines of a reply that has been begun.
pub(super) enum Writer {
    Message(Encoder),
    Listing(Lines),
}

impl Server {
    /// Answers a command that [brings lines](crate::types::Command::is_multi_line) with `+OK`. The lines follow:
    /// [`write_body`](Self::write_body) for RETR and TOP, [`entry`](Self::entry) for the others; then [`end`](Self::end).
    ///
    /// # Errors
    /// [`Misuse::State`] when no such command waits or the reply is `-ERR`; [`Misuse::Over`]; [`Misuse::Invalid`] when the reply
    /// cannot be written.
    pub fn start(&mut self, reply: &Reply<'_>) -> Result<(), Misuse> {
        self.may_speak()?;
        let lines = match &self.phase {
            Phase::Answering(current) => current.lines,
            _ => None,
        };
        let Some(lines) = lines.filter(|_| reply.is_ok()) else { return Err(Misuse::State) };
        self.write(reply)?;
        if let Phase::Answering(current) = self.take_phase() {
            let writer = match lines {
                Lines::Message => Writer::Message(Encoder::new(self.config.bare_newline)),
                listing => Writer::Listing(listing),
            };
            self.phase = Phase::Writing(current, writer);
        }
        Ok(())
    }

    /// Writes a line of a listing. It is taken whole; ask [`can_write`](Self::can_write) before.
    ///
    /// # Errors
    /// [`Misuse::State`] when no listing of this kind is being written; [`Misuse::Invalid`] when the line cannot be written,
    /// and then it is left out.
    pub fn entry(&mut self, entry: &Entry<'_>) -> Result<(), Misuse> {
        self.may_speak()?;
        let kind = match entry {
            Entry::Scan(_) => Lines::Scan,
            Entry::UniqueId(_) => Lines::UniqueIds,
            Entry::Capability(_) => Lines::Capabilities,
            Entry::Language(_) => Lines::Languages,
        };
        match &self.phase {
            Phase::Writing(_, Writer::Listing(lines)) if *lines == kind => {}
            _ => return Err(Misuse::State),
        }
        self.scratch.clear();
        grammar::write_entry(entry, &mut self.scratch).map_err(Misuse::Invalid)?;
        self.out.push(&self.scratch);
        Ok(())
    }

    /// Writes octets of a message as it is stored; line ends and dots are seen to. Returns how many were taken: fewer than given
    /// when the outbox is full; drive the connection and go on.
    ///
    /// # Errors
    /// [`Misuse::NoBody`] when no message is being written; [`Misuse::BareNewline`] where the
    /// [configuration](super::Config::bare_newline) refuses one. The reply can then not be brought to an end, so the
    /// connection is over.
    pub fn write_body(&mut self, chunk: &[u8]) -> Result<usize, Misuse> {
        self.may_speak()?;
        let outbox = self.config.limits.outbox.max(1);
        let Phase::Writing(_, Writer::Message(encoder)) = &mut self.phase else { return Err(Misuse::NoBody) };
        let mut taken = 0usize;
        while let Some(rest) = chunk.get(taken..).filter(|rest| !rest.is_empty()) {
            let n = rest.len().min(PIECE).min(outbox.saturating_sub(self.out.len()));
            if n == 0 {
                break;
            }
            self.scratch.clear();
            if let Err(ambiguous) = encoder.write(rest.get(..n).unwrap_or_default(), &mut self.scratch) {
                return Err(self.refuse(ambiguous));
            }
            self.out.push(&self.scratch);
            taken = taken.saturating_add(n);
        }
        Ok(taken)
    }

    /// Ends the lines with the dot, a missing CRLF before it included. The command is complete.
    ///
    /// # Errors
    /// [`Misuse::State`] when no lines are being written; [`Misuse::BareNewline`] as [`write_body`](Self::write_body).
    pub fn end(&mut self) -> Result<(), Misuse> {
        self.may_speak()?;
        match self.take_phase() {
            Phase::Writing(current, writer) => {
                self.scratch.clear();
                match writer {
                    Writer::Message(encoder) => {
                        if let Err(ambiguous) = encoder.finish(&mut self.scratch) {
                            return Err(self.refuse(ambiguous));
                        }
                    }
                    Writer::Listing(_) => self.scratch.extend_from_slice(b".\r\n"),
                }
                self.out.push(&self.scratch);
                self.finish(current, true);
                Ok(())
            }
            other => {
                self.phase = other;
                Err(Misuse::State)
            }
        }
    }

    fn refuse(&mut self, Ambiguous { offset }: Ambiguous) -> Misuse {
        self.disconnect();
        Misuse::BareNewline { offset }
    }
}
