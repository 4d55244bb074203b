//! From the session into the folder.

use std::collections::HashMap;

use aws_lc_rs::digest::{Context, SHA256};
use postkey::NumberSink;

use super::uidls::{Known, Uidls};
use crate::download::{Progress, now};
use crate::{Delivery, Error, Folder, Meta};

/// Writes messages into a folder as they arrive.
pub(super) struct Sink<'a> {
    pub(super) folder: &'a mut Folder,
    pub(super) uidls: &'a mut Uidls,
    pub(super) progress: &'a mut dyn Progress,
    /// The UIDs of messages by their numbers; those known by their content get theirs here.
    pub(super) uids: &'a mut HashMap<u32, u32>,
    /// The message being written.
    pub(super) delivery: Option<Delivery>,
    /// Of a message that is known by its content.
    pub(super) hasher: Option<Context>,
    /// Messages that this folder refused for a reason of their own.
    pub(super) refused: Vec<(u32, String)>,
}

impl NumberSink for Sink<'_> {
    type Error = Error;

    fn begin(&mut self, number: u32) -> Result<bool, Error> {
        self.hasher = None;
        let uid = match self.uids.get(&number) {
            Some(uid) if self.folder.contains(*uid) => return Ok(false),
            Some(uid) => *uid,
            None => {
                self.hasher = Some(Context::new(&SHA256));
                self.uidls.fresh()?
            }
        };
        self.delivery = Some(self.folder.begin(Meta::new(uid))?);
        Ok(true)
    }

    fn chunk(&mut self, octets: &[u8]) -> Result<(), Error> {
        if let Some(delivery) = &mut self.delivery {
            if let Some(hasher) = &mut self.hasher {
                hasher.update(octets);
            }
            delivery.write(octets)?;
            self.progress.octets(octets.len() as u64);
        }
        Ok(())
    }

    fn end(&mut self, number: u32) -> Result<(), Error> {
        let Some(mut delivery) = self.delivery.take() else { return Ok(()) };
        if let Some(hasher) = self.hasher.take() {
            let key = hasher
                .finish()
                .as_ref()
                .iter()
                .fold(String::from("h:"), |key, octet| key + &format!("{octet:02x}"));
            match self.uidls.get(&key) {
                Some(known) => delivery.meta.uid = known.uid,
                None => {
                    // Before the message itself, like every line of that file.
                    self.uidls.note(&[(key, Known { uid: delivery.uid(), since: now() })])?;
                }
            }
            self.uids.insert(number, delivery.uid());
            if self.folder.contains(delivery.uid()) {
                return Ok(());
            }
        }
        let uid = delivery.uid();
        match self.folder.finish(delivery) {
            Ok(()) => self.progress.message(),
            Err(e) if e.kind() == crate::Kind::Message => self.refused.push((uid, e.to_string())),
            Err(e) => return Err(e),
        }
        Ok(())
    }

    fn abandon(&mut self) {
        self.delivery = None;
        self.hasher = None;
    }
}
