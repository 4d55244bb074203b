//! UIDs and flags of a folder's messages.

use std::num::NonZeroU64;

use imap_proto::types::{Command, FetchData, FetchItem, FetchItems, FlagSet, Response, SequenceSet, UidSet};
use imap_proto::{CommandId, Event, Fetch};

use super::{Imap, accept};
use crate::error::Error;

/// What a listing could not tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listed {
    /// Messages that are there and whose flags could not be read.
    pub without_flags: Vec<u32>,
    /// Messages that are there and of which not even the UID could be read.
    pub unreadable: u64,
}

impl Imap {
    /// UIDs and flags of all messages of the open folder, or of those that changed since a mod-sequence (RFC 7162).
    ///
    /// # Errors
    /// As every command.
    pub async fn flags(
        &mut self,
        changed_since: Option<u64>,
        each: impl FnMut(u32, &FlagSet<'_>),
    ) -> Result<Listed, Error> {
        let id = self.send_flags(SequenceSet::all(), changed_since)?;
        self.listing(id, each).await
    }

    /// UIDs and flags of those of these messages that are (still) in the open folder.
    ///
    /// # Errors
    /// As every command.
    pub async fn flags_of(
        &mut self,
        uids: UidSet,
        each: impl FnMut(u32, &FlagSet<'_>),
    ) -> Result<Listed, Error> {
        let set = SequenceSet::try_from(uids).map_err(imap_proto::Misuse::Invalid)?;
        let id = self.send_flags(set, None)?;
        self.listing(id, each).await
    }

    async fn listing(&mut self, id: CommandId, each: impl FnMut(u32, &FlagSet<'_>)) -> Result<Listed, Error> {
        let mut listing = Listing::new(self.exists, each);
        let completed = self.completed(id, |event| listing.take(event)).await?;
        accept("UID FETCH", completed)?;
        Ok(listing.listed)
    }

    pub(super) fn send_flags(
        &mut self,
        set: SequenceSet,
        changed_since: Option<u64>,
    ) -> Result<CommandId, Error> {
        let items = FetchItems::List(vec![FetchItem::Flags]);
        let changed_since = changed_since.and_then(NonZeroU64::new);
        let command = Command::Fetch { uid: true, set, items, changed_since };
        Ok(self.client.send(&command)?)
    }
}

/// A server may tell of so many messages more than it has announced: mail arrives meanwhile.
const SLACK: u64 = 100_000;

/// No folder has more messages than this, whatever is announced.
const MOST: u64 = 4_000_000;

/// Puts UID and flags of a message together, in whichever order they come.
pub(super) struct Listing<F> {
    each: F,
    uid: Option<u32>,
    flags: Option<FlagSet<'static>>,
    /// Messages that may still be told of.
    left: u64,
    pub(super) listed: Listed,
}

impl<F: FnMut(u32, &FlagSet<'_>)> Listing<F> {
    pub(super) fn new(exists: u32, each: F) -> Self {
        let left = u64::from(exists).min(MOST).saturating_add(SLACK);
        Self { each, uid: None, flags: None, left, listed: Listed::default() }
    }

    pub(super) fn take(&mut self, event: Event<'_>) -> Result<(), Error> {
        match event {
            Event::Data(data) => {
                if let Response::Exists(n) = *data {
                    self.left = self.left.max(u64::from(n).min(MOST).saturating_add(SLACK));
                }
            }
            // Nothing of it could be read; a message 0, as Courier has it, is none.
            Event::Malformed { raw, .. } if is_fetch(raw) => self.listed.unreadable += 1,
            Event::Fetch(Fetch::Abandoned) => match self.uid.take() {
                Some(uid) => self.listed.without_flags.push(uid),
                None => self.listed.unreadable += 1,
            },
            Event::Fetch(Fetch::Start(_)) => {
                (self.uid, self.flags) = (None, None);
                self.left = self.left.checked_sub(1).ok_or(TOO_MANY)?;
            }
            Event::Fetch(Fetch::Item(FetchData::Uid(uid))) => match self.flags.take() {
                Some(flags) => (self.each)(uid.get(), &flags),
                None => self.uid = Some(uid.get()),
            },
            // The usual order needs no copy of the flags.
            Event::Fetch(Fetch::Item(FetchData::Flags(flags))) => match self.uid.take() {
                Some(uid) => (self.each)(uid, &flags),
                None => self.flags = Some(flags.into_owned()),
            },
            _ => {}
        }
        Ok(())
    }
}

/// Whether this begins as FETCH data of a message does.
fn is_fetch(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"* ") else { return false };
    let digits = rest.iter().take_while(|c| c.is_ascii_digit()).count();
    let number_is_0 = rest[..digits].iter().all(|c| *c == b'0');
    let name = rest[digits..].trim_ascii_start();
    !number_is_0 && name.get(..5).is_some_and(|n| n.eq_ignore_ascii_case(b"FETCH"))
}

/// The server tells of more messages than there can be.
pub(super) const TOO_MANY: Error = Error::Protocol(imap_proto::Error::Limit(wire::Limit::Numbers));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_as_fetch_data() {
        for line in
            [&b"* 2 FETCH (UID 2 FLAGS (\\Seen caf\xc3\xa9))\r\n"[..], b"* 12 fetch junk", b"* 3  FETCH x"]
        {
            assert!(is_fetch(line), "{}", line.escape_ascii());
        }
        for line in [
            &b"* 0 FETCH (FLAGS ())\r\n"[..],
            b"* 0 EXPUNGE",
            b"* FETCH",
            b"* LIST",
            b"",
            b"2 FETCH",
            b"* 7 ",
        ] {
            assert!(!is_fetch(line), "{}", line.escape_ascii());
        }
    }
}
