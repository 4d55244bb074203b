//! From the session into the folder.

use imap_proto::types::{Flag, FlagSet};
use postkey::{MessageMeta, MessageSink};

use super::Progress;
use crate::{Delivery, Error, Flags, Folder, Meta};

/// Writes messages into a folder as they arrive.
pub(super) struct Sink<'a> {
    pub(super) folder: &'a mut Folder,
    pub(super) progress: &'a mut dyn Progress,
    /// The message being written.
    pub(super) delivery: Option<Delivery>,
    /// Messages that this folder refused for a reason of their own.
    pub(super) refused: Vec<(u32, String)>,
}

impl MessageSink for Sink<'_> {
    type Error = Error;

    fn begin(&mut self, meta: MessageMeta<'_>) -> Result<bool, Error> {
        if self.folder.contains(meta.uid) {
            return Ok(false);
        }
        self.delivery = Some(self.folder.begin(Meta {
            uid: meta.uid,
            internal_date: meta.internal_date,
            flags: meta.flags.map(flags).unwrap_or_default(),
            expected_len: Some(meta.len),
        })?);
        Ok(true)
    }

    fn chunk(&mut self, octets: &[u8]) -> Result<(), Error> {
        if let Some(delivery) = &mut self.delivery {
            delivery.write(octets)?;
            self.progress.octets(octets.len() as u64);
        }
        Ok(())
    }

    fn end(&mut self, meta: MessageMeta<'_>) -> Result<(), Error> {
        if let Some(mut delivery) = self.delivery.take() {
            // Servers are free to tell date and flags behind the body.
            delivery.describe(meta.internal_date, meta.flags.map(flags).unwrap_or_default());
            match self.folder.finish(delivery) {
                Ok(()) => self.progress.message(),
                Err(e) if e.kind() == crate::Kind::Message => self.refused.push((meta.uid, e.to_string())),
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    fn abandon(&mut self) {
        self.delivery = None;
    }
}

/// The flags that a Maildir can keep.
pub(super) fn flags(set: &FlagSet<'_>) -> Flags {
    let mut flags = Flags::NONE;
    for (flag, here) in [
        (Flag::Seen, Flags::SEEN),
        (Flag::Answered, Flags::ANSWERED),
        (Flag::Flagged, Flags::FLAGGED),
        (Flag::Deleted, Flags::DELETED),
        (Flag::Draft, Flags::DRAFT),
    ] {
        if set.contains(&flag) {
            flags |= here;
        }
    }
    if set.has_keyword("$Forwarded") || set.has_keyword("Forwarded") {
        flags |= Flags::FORWARDED;
    }
    flags
}
