//! STORE, COPY, MOVE and EXPUNGE.

use std::num::NonZeroU32;

use imap_proto::types::{
    Code, FetchData, FetchResponse, FlagSet, Mailbox, Response, SequenceSet, StatusKind, StatusResponse,
    StoreAction, Text, UidSet,
};

use crate::imap::flags;
use crate::imap::session::Session;
use crate::mail::store::Change;
use crate::session::{Over, Step};

impl Session {
    pub(crate) fn store_flags(
        &mut self,
        uid: bool,
        set: &SequenceSet,
        action: StoreAction,
        silent: bool,
        named: &FlagSet<'_>,
    ) -> Step {
        let (Some(store), Some(view)) = (self.mailbox(), &self.view) else { return Err(Over) };
        if view.read_only {
            return self.no(None, "The mailbox is read-only.");
        }
        let folder = view.folder;
        let named = flags::from_client(named);
        let change = match action {
            StoreAction::Replace => Change::Replace(named),
            StoreAction::Add => Change::Add(named),
            StoreAction::Remove => Change::Remove(named),
        };
        let uids: Vec<u32> = self.targets(uid, set).into_iter().map(|(_, uid)| uid).collect();
        for (id, now) in store.store_flags(folder, &uids, change) {
            let Some(view) = &mut self.view else { return Err(Over) };
            view.told(id, now);
            if silent {
                continue;
            }
            let recent = view.is_recent(id);
            let (Some(seq), Some(id)) = (view.seq(id).and_then(NonZeroU32::new), NonZeroU32::new(id)) else {
                continue;
            };
            let mut items = vec![FetchData::Flags(flags::to_client(now, recent))];
            if uid {
                items.push(FetchData::Uid(id));
            }
            self.server.untagged(&Response::Fetch(FetchResponse { seq, items }))?;
        }
        self.news(uid)?;
        self.done("STORE")
    }

    pub(crate) fn copy(&mut self, uid: bool, set: &SequenceSet, mailbox: &Mailbox<'_>, remove: bool) -> Step {
        let name = if remove { "MOVE" } else { "COPY" };
        let (Some(store), Some(view)) = (self.mailbox(), &self.view) else { return Err(Over) };
        let folder = view.folder;
        if remove && view.read_only {
            return self.no(None, "The mailbox is read-only.");
        }
        let Some(target) = mailbox.decoded().and_then(|n| store.find(&n)) else {
            return self.no(Some(Code::TryCreate), "The destination mailbox doesn't exist.");
        };
        let uids: Vec<u32> = self.targets(uid, set).into_iter().map(|(_, uid)| uid).collect();
        let Some((validity, pairs)) = store.copy(folder, &uids, target, remove) else {
            return self.no(None, &format!("{name} failed."));
        };
        let code = copied(validity, &pairs);
        if !remove {
            self.news(true)?;
            return self.complete_with(code, name);
        }
        // The new UIDs have to be known before the old messages are gone (RFC 6851 section 4.3).
        if let Some(code) = code {
            let text = Text::new(&b"Messages moved."[..]).map_err(|_| Over)?;
            let status = StatusResponse::untagged(StatusKind::Ok, text).with_code(code);
            self.server.untagged(&Response::Status(status))?;
        }
        self.news(true)?;
        self.done(name)
    }

    pub(crate) fn expunge(&mut self, set: Option<&SequenceSet>) -> Step {
        let (Some(store), Some(view)) = (self.mailbox(), &self.view) else { return Err(Over) };
        if view.read_only {
            return self.no(None, "The mailbox is read-only.");
        }
        let only: Option<Vec<u32>> =
            set.map(|s| self.targets(true, s).into_iter().map(|(_, uid)| uid).collect());
        store.expunge(view.folder, only.as_deref());
        self.news(true)?;
        self.done("EXPUNGE")
    }
}

fn copied(validity: u32, pairs: &[(u32, u32)]) -> Option<Code<'static>> {
    if pairs.is_empty() {
        return None;
    }
    Some(Code::CopyUid {
        uid_validity: NonZeroU32::new(validity)?,
        source: UidSet::from_sorted(pairs.iter().map(|(old, _)| *old)).ok()?,
        destination: UidSet::from_sorted(pairs.iter().map(|(_, new)| *new)).ok()?,
    })
}
