//! A mailbox from the outside: what tests put into it and compare with.

use std::sync::Arc;

use crate::CallError;
use crate::mail::store::Store;
use crate::seed::Flags;

/// A message of a [`Mailbox`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredMessage {
    /// Its UID.
    pub uid: u32,
    /// Its flags.
    pub flags: Flags,
    /// Its internal date, Unix seconds.
    pub internal_date: i64,
    /// The message itself.
    pub octets: Vec<u8>,
}

/// A user's mailbox, the same that IMAP shows. Changes appear to connected clients at once.
#[derive(Clone, Debug)]
pub struct Mailbox {
    store: Arc<Store>,
}

impl Mailbox {
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self { store }
    }

    /// The names of all folders in Unicode, `/` between levels, INBOX first.
    pub fn folders(&self) -> Vec<String> {
        self.store.list().into_iter().map(|l| l.name).collect()
    }

    /// UIDVALIDITY and the UIDs of a folder, ascending.
    ///
    /// # Errors
    /// There is no such folder.
    pub fn uids(&self, folder: &str) -> Result<(u32, Vec<u32>), CallError> {
        let id = self.folder(folder)?;
        let validity = self.store.status(id).map_or(0, |s| s.uid_validity);
        let known = self.store.snapshot(id).unwrap_or_default();
        Ok((validity, known.into_iter().map(|(uid, _)| uid).collect()))
    }

    /// One message; `None` if there is none with this UID.
    ///
    /// # Errors
    /// There is no such folder.
    pub fn message(&self, folder: &str, uid: u32) -> Result<Option<StoredMessage>, CallError> {
        let id = self.folder(folder)?;
        let (Some(meta), Some(message)) = (self.store.meta(id, uid), self.store.message(id, uid)) else {
            return Ok(None);
        };
        let octets = message.octets.clone();
        Ok(Some(StoredMessage { uid, flags: meta.flags, internal_date: meta.date, octets }))
    }

    /// Delivers a message and returns its UID.
    ///
    /// # Errors
    /// There is no such folder.
    pub fn deliver(&self, folder: &str, internal_date: i64, octets: &[u8]) -> Result<u32, CallError> {
        let id = self.folder(folder)?;
        let added = self.store.append(id, Flags::default(), internal_date, octets.to_vec());
        added.map(|(_, uid)| uid).ok_or_else(|| CallError::UnknownFolder(folder.to_owned()))
    }

    /// Removes a message, as another client would.
    ///
    /// # Errors
    /// There is no such folder.
    pub fn remove(&self, folder: &str, uid: u32) -> Result<(), CallError> {
        let id = self.folder(folder)?;
        let deleted = Flags { deleted: true, ..Flags::default() };
        self.store.store_flags(id, &[uid], crate::mail::store::Change::Add(deleted));
        self.store.expunge(id, Some(&[uid]));
        Ok(())
    }

    /// Creates a folder and those above it.
    ///
    /// # Errors
    /// There is one already, or the name cannot be one.
    pub fn create(&self, folder: &str) -> Result<(), CallError> {
        self.store.create(folder).map_err(|_| CallError::Refused(format!("cannot create {folder:?}")))
    }

    /// Gives a folder a new UIDVALIDITY and its messages new UIDs from 1: nothing a client knows of it is true any more.
    /// Whoever has it open is disconnected.
    ///
    /// # Errors
    /// There is no such folder.
    pub fn renumber(&self, folder: &str) -> Result<(), CallError> {
        let id = self.folder(folder)?;
        self.store.renumber(id);
        Ok(())
    }

    fn folder(&self, name: &str) -> Result<u64, CallError> {
        self.store.find(name).ok_or_else(|| CallError::UnknownFolder(name.to_owned()))
    }
}
