//! UIDs and flags of a folder's messages.

use std::num::NonZeroU64;

use imap_proto::types::{Command, FetchData, FetchItem, FetchItems, FlagSet, SequenceSet};
use imap_proto::{CommandId, Event, Fetch};

use super::{Imap, accept};
use crate::error::Error;

impl Imap {
    /// UIDs and flags of all messages of the open folder, or of those that changed since a mod-sequence (RFC 7162).
    ///
    /// # Errors
    /// As every command.
    pub async fn flags(
        &mut self,
        changed_since: Option<u64>,
        each: impl FnMut(u32, &FlagSet<'_>),
    ) -> Result<(), Error> {
        let id = self.send_flags(changed_since)?;
        let mut listing = Listing::new(each);
        let completed = self
            .completed(id, |event| {
                listing.take(event);
                Ok(())
            })
            .await?;
        accept("UID FETCH", completed).map(drop)
    }

    pub(super) fn send_flags(&mut self, changed_since: Option<u64>) -> Result<CommandId, Error> {
        let items = FetchItems::List(vec![FetchItem::Flags]);
        let changed_since = changed_since.and_then(NonZeroU64::new);
        let command = Command::Fetch { uid: true, set: SequenceSet::all(), items, changed_since };
        Ok(self.client.send(&command)?)
    }
}

/// Puts UID and flags of a message together, in whichever order they come.
pub(super) struct Listing<F> {
    each: F,
    uid: Option<u32>,
    flags: Option<FlagSet<'static>>,
}

impl<F: FnMut(u32, &FlagSet<'_>)> Listing<F> {
    pub(super) fn new(each: F) -> Self {
        Self { each, uid: None, flags: None }
    }

    pub(super) fn take(&mut self, event: Event<'_>) {
        let Event::Fetch(fetch) = event else { return };
        match fetch {
            Fetch::Start(_) => (self.uid, self.flags) = (None, None),
            Fetch::Item(FetchData::Uid(uid)) => match self.flags.take() {
                Some(flags) => (self.each)(uid.get(), &flags),
                None => self.uid = Some(uid.get()),
            },
            // The usual order needs no copy of the flags.
            Fetch::Item(FetchData::Flags(flags)) => match self.uid.take() {
                Some(uid) => (self.each)(uid, &flags),
                None => self.flags = Some(flags.into_owned()),
            },
            _ => {}
        }
    }
}
