//! The octets of a message.

use alloc::format;
use alloc::vec::Vec;

use wire::{OutBuf, dot};

use super::queue::{Kind, Pending};
use super::transaction::{Chunks, Progress, Transaction};
use super::{Client, Event};
use crate::error::{Error, Misuse};
use crate::session::Dialect;
use crate::types::Transfer;

/// Octets that are encoded at a time.
const PIECE: usize = 16 << 10;

impl Client {
    /// Writes octets of the message that the server [wants](super::Event::WantsBody). Returns how many were taken: fewer than given when
    /// there is no room; drive the connection and go on with the rest.
    ///
    /// Dots are stuffed and chunks are counted here. A CR or LF that stands alone is treated as
    /// [`Body::bare_newline`](crate::types::Body::bare_newline) says.
    ///
    /// # Errors
    /// [`Misuse::NoBody`] when no message is wanted (any more: look for the event that says why), [`Misuse::BareNewline`],
    /// [`Misuse::Over`].
    pub fn write_body(&mut self, chunk: &[u8]) -> Result<usize, Misuse> {
        if self.end.is_over() {
            return Err(Misuse::Over);
        }
        self.rest();
        let (outbox, max, pipelined) = (self.outbox(), self.chunk(), self.pipelines_chunks());
        let Some(Pending { kind: Kind::Message(t), .. }) = self.in_flight.front_mut() else {
            return Err(Misuse::NoBody);
        };
        let mut taken = 0_usize;
        let mut rest = chunk;
        let result = loop {
            let room = match &mut t.progress {
                Progress::Data(_) => outbox.saturating_sub(self.out.len()),
                Progress::Bdat(chunks) if !chunks.ended => {
                    if chunks.pending.len() >= max && chunks.may_go(pipelined) && self.out.len() < outbox {
                        chunks.write(&mut self.out);
                    }
                    max.saturating_sub(chunks.pending.len())
                }
                _ => return Err(Misuse::NoBody),
            };
            let (piece, behind) = rest.split_at(rest.len().min(room).min(PIECE));
            if piece.is_empty() {
                break Ok(taken);
            }
            let encoded = match &mut t.progress {
                Progress::Data(encoder) => {
                    self.scratch.clear();
                    let encoded = encoder.write(piece, &mut self.scratch);
                    self.out.push(&self.scratch);
                    encoded
                }
                Progress::Bdat(Chunks { encoder: Some(encoder), pending, .. }) => {
                    encoder.write(piece, pending)
                }
                Progress::Bdat(Chunks { encoder: None, pending, .. }) => {
                    pending.extend_from_slice(piece);
                    Ok(())
                }
                _ => return Err(Misuse::NoBody),
            };
            if let Err(dot::Ambiguous { offset }) = encoded {
                break Err(Misuse::BareNewline { offset });
            }
            taken = taken.saturating_add(piece.len());
            rest = behind;
        };
        if result.is_err() {
            self.fail(Error::Aborted);
        }
        result
    }

    /// Ends the message: the final dot or the last chunk goes out together with what is still in the outbox.
    ///
    /// # Errors
    /// [`Misuse::NoBody`], [`Misuse::BareNewline`] (a CR was the last octet), [`Misuse::Over`].
    pub fn end_body(&mut self) -> Result<(), Misuse> {
        if self.end.is_over() {
            return Err(Misuse::Over);
        }
        self.rest();
        let pipelined = self.pipelines_chunks();
        let Some(Pending { kind: Kind::Message(t), .. }) = self.in_flight.front_mut() else {
            return Err(Misuse::NoBody);
        };
        let ended = match &mut t.progress {
            Progress::Data(encoder) => {
                self.scratch.clear();
                let ended = encoder.finish(&mut self.scratch);
                if ended.is_ok() {
                    self.out.push(&self.scratch);
                    t.complete(0, &self.out);
                }
                ended
            }
            Progress::Bdat(chunks) if !chunks.ended => {
                let ended = chunks.encoder.map_or(Ok(()), |e| e.finish(&mut chunks.pending));
                if ended.is_ok() {
                    chunks.ended = true;
                    t.write_last_chunk(pipelined, &mut self.out);
                }
                ended
            }
            _ => return Err(Misuse::NoBody),
        };
        if let Err(dot::Ambiguous { offset }) = ended {
            self.fail(Error::Aborted);
            return Err(Misuse::BareNewline { offset });
        }
        Ok(())
    }

    /// Gives the message up. The connection ends: after DATA there is no other way to keep the server from delivering what it has.
    ///
    /// # Errors
    /// [`Misuse::NoBody`] when no message is being written, [`Misuse::Over`].
    pub fn abort_body(&mut self) -> Result<(), Misuse> {
        if self.end.is_over() {
            return Err(Misuse::Over);
        }
        if !self.is_writing() {
            return Err(Misuse::NoBody);
        }
        self.fail(Error::Aborted);
        Ok(())
    }

    /// Whether a message is being written.
    pub(super) fn is_writing(&self) -> bool {
        match self.in_flight.front().map(|p| &p.kind) {
            Some(Kind::Message(t)) => match &t.progress {
                Progress::Data(_) => true,
                Progress::Bdat(chunks) => !chunks.ended,
                _ => false,
            },
            _ => false,
        }
    }

    /// Whether [`write_body`](Self::write_body) would take something.
    pub(super) fn has_room(&self) -> bool {
        let outbox = self.outbox();
        match self.in_flight.front().map(|p| &p.kind) {
            Some(Kind::Message(t)) => match &t.progress {
                Progress::Data(_) => self.out.len() < outbox,
                Progress::Bdat(chunks) => {
                    let full = chunks.pending.len() >= self.chunk();
                    !full || (chunks.may_go(self.pipelines_chunks()) && self.out.len() < outbox)
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// Octets in the outbox from which on a writer has to wait.
    pub(super) fn outbox(&self) -> usize {
        self.config.limits.outbox.max(1)
    }

    fn chunk(&self) -> usize {
        self.config.chunk.clamp(1 << 10, 1 << 20)
    }

    /// In LMTP the number of replies to the last chunk depends on whether the others were accepted, so each is waited for.
    pub(super) fn pipelines_chunks(&self) -> bool {
        self.pipelines() && self.config.dialect == Dialect::Smtp
    }

    /// The message may be written now.
    pub(super) fn invite(&mut self) {
        let Some(Pending { id, kind: Kind::Message(t) }) = self.in_flight.front_mut() else { return };
        t.progress = match t.transfer {
            Transfer::Data => Progress::Data(dot::Encoder::new(t.policy.unwrap_or_default())),
            Transfer::Bdat => Progress::Bdat(Chunks {
                encoder: t.policy.map(dot::Encoder::lines),
                pending: Vec::new(),
                unanswered: 0,
                ended: false,
            }),
        };
        self.ready.push_back(Event::WantsBody(*id));
    }
}

impl Chunks {
    /// Whether another chunk may be sent.
    pub(super) fn may_go(&self, pipelined: bool) -> bool {
        pipelined || self.unanswered == 0
    }

    fn write(&mut self, out: &mut OutBuf) {
        out.push(format!("BDAT {}\r\n", self.pending.len()).as_bytes());
        out.push(&self.pending);
        self.pending.clear();
        self.unanswered = self.unanswered.saturating_add(1);
    }
}

impl Transaction {
    /// Sends the last chunk, if the message is complete and it may go.
    pub(super) fn write_last_chunk(&mut self, pipelined: bool, out: &mut OutBuf) {
        let Progress::Bdat(chunks) = &mut self.progress else { return };
        if !chunks.ended || !chunks.may_go(pipelined) {
            return;
        }
        out.push(format!("BDAT {} LAST\r\n", chunks.pending.len()).as_bytes());
        out.push(&chunks.pending);
        let unanswered = chunks.unanswered;
        self.complete(unanswered, out);
    }

    /// The whole message is in the outbox.
    fn complete(&mut self, chunks: u32, out: &OutBuf) {
        let end = out.total_sent().saturating_add(out.len() as u64);
        self.progress = Progress::Outcome { end, chunks, replies: 0 };
    }
}
