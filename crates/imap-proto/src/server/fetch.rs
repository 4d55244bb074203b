//! FETCH data on its way out.

use core::num::NonZeroU32;

use wire::literal;

use super::{Phase, Server};
use crate::error::Misuse;
use crate::grammar::{Encoder, FetchWriter};
use crate::types::{BodyName, FetchData, Invalid};

/// FETCH data that has been begun.
#[derive(Debug)]
pub(super) struct Open {
    seq: NonZeroU32,
    /// There once the first item is.
    writer: Option<FetchWriter>,
    /// Octets of a body that are due.
    body: literal::Countdown,
}

impl Server {
    /// Begins FETCH data for the message with this sequence number: items and bodies follow in any order, then
    /// [`fetch_end`](Self::fetch_end). Nothing else can be sent meanwhile.
    ///
    /// # Errors
    /// As [`untagged`](Self::untagged).
    pub fn fetch_start(&mut self, seq: NonZeroU32) -> Result<(), Misuse> {
        self.may_speak()?;
        self.fetch = Some(Open { seq, writer: None, body: literal::Countdown::new(0) });
        Ok(())
    }

    /// Adds an item with its whole value.
    ///
    /// # Errors
    /// [`Misuse::State`] outside FETCH data or while octets of a body are due; [`Misuse::Invalid`] when the item cannot be
    /// written, and then it is left out.
    pub fn fetch_item(&mut self, item: &FetchData<'_>) -> Result<(), Misuse> {
        self.fetch_write(|writer, e| writer.item(item, e))
    }

    /// Announces a body of `len` octets; [`write_body`](Self::write_body) must bring exactly as many.
    ///
    /// `origin` is the first octet of a partial.
    ///
    /// # Errors
    /// As [`fetch_item`](Self::fetch_item).
    pub fn fetch_body(&mut self, name: &BodyName<'_>, origin: Option<u32>, len: u64) -> Result<(), Misuse> {
        self.fetch_write(|writer, e| writer.body_head(name, origin, len, e))?;
        if let Some(open) = &mut self.fetch {
            open.body = literal::Countdown::new(len);
        }
        Ok(())
    }

    /// Writes octets of the body. Returns how many were taken: fewer than given when the outbox is full; drive the
    /// connection and go on.
    ///
    /// # Errors
    /// [`Misuse::NoBody`] when more is given than was announced.
    pub fn write_body(&mut self, chunk: &[u8]) -> Result<usize, Misuse> {
        if chunk.len() as u64 > self.body_left() {
            return Err(Misuse::NoBody);
        }
        let n = chunk.len().min(self.room());
        self.push(chunk.get(..n).unwrap_or_default());
        if let Some(open) = &mut self.fetch {
            open.body.take(n);
        }
        Ok(n)
    }

    /// Octets of the announced body that are still due.
    pub fn body_left(&self) -> u64 {
        self.fetch.as_ref().map_or(0, |open| open.body.left())
    }

    /// Ends FETCH data.
    ///
    /// # Errors
    /// [`Misuse::State`] outside FETCH data, while octets of a body are due, or without any item. A body that cannot be brought to
    /// its announced length leaves only [`disconnect`](Self::disconnect).
    pub fn fetch_end(&mut self) -> Result<(), Misuse> {
        let open = self.open()?;
        match open.writer {
            Some(writer) => self.write(|e| {
                writer.end(e);
                Ok(())
            }),
            None => {
                self.fetch = Some(open);
                Err(Misuse::State)
            }
        }
    }

    fn fetch_write(
        &mut self,
        write: impl FnOnce(&mut FetchWriter, &mut Encoder) -> Result<(), Invalid>,
    ) -> Result<(), Misuse> {
        let mut open = self.open()?;
        let first = open.writer.is_none();
        let result = self.write(|e| {
            let writer = open.writer.get_or_insert_with(|| FetchWriter::start(open.seq, e));
            write(writer, e)
        });
        if first && result.is_err() {
            open.writer = None;
        }
        self.fetch = Some(open);
        result
    }

    /// Takes the FETCH data out, when it stands between two items.
    fn open(&mut self) -> Result<Open, Misuse> {
        if matches!(self.phase, Phase::Over | Phase::Failed(_)) {
            return Err(Misuse::Over);
        }
        self.fetch.take_if(|open| open.body.is_done()).ok_or(Misuse::State)
    }
}
