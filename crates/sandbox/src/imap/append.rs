//! APPEND.

use std::num::NonZeroU32;

use imap_proto::types::{Code, DateTime, FlagSet, Mailbox, StatusKind};

use crate::imap::flags;
use crate::imap::session::Session;
use crate::mail::store::FolderId;
use crate::seed;
use crate::session::Step;

/// An APPEND on its way in.
pub(crate) struct Incoming {
    folder: FolderId,
    flags: seed::Flags,
    date: Option<DateTime>,
    octets: Vec<u8>,
}

impl Incoming {
    /// More of its octets.
    pub(crate) fn take(&mut self, octets: &[u8]) {
        self.octets.extend_from_slice(octets);
    }
}

impl Session {
    pub(crate) fn append(
        &mut self,
        mailbox: &Mailbox<'_>,
        flags: &FlagSet<'_>,
        date: Option<DateTime>,
    ) -> Step {
        if self.intercepted()? {
            return Ok(());
        }
        let folder = mailbox.decoded().and_then(|name| self.mailbox()?.find(&name));
        let Some(folder) = folder else {
            return self.no(Some(Code::TryCreate), "The mailbox does not exist.");
        };
        self.incoming = Some(Incoming { folder, flags: flags::from_client(flags), date, octets: Vec::new() });
        Ok(self.server.accept_body()?)
    }

    pub(crate) fn appended(&mut self) -> Step {
        let (Some(incoming), Some(store)) = (self.incoming.take(), self.mailbox()) else {
            return self.no(None, "APPEND failed.");
        };
        let now = i64::try_from(self.context.clock.now()).unwrap_or(0);
        let date = incoming.date.map_or(now, DateTime::to_unix);
        let added = store.append(incoming.folder, incoming.flags, date, incoming.octets);
        let Some((validity, uid)) = added else {
            return self.no(Some(Code::TryCreate), "The mailbox does not exist.");
        };
        self.news(true)?;
        let code = match (NonZeroU32::new(validity), NonZeroU32::new(uid)) {
            (Some(uid_validity), Some(uid)) => {
                Some(Code::AppendUid { uid_validity, uids: imap_proto::types::UidSet::single(uid) })
            }
            _ => None,
        };
        Ok(self.server.complete(StatusKind::Ok, code, "APPEND completed.")?)
    }
}
