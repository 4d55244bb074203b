//! FETCH and SEARCH.

use std::borrow::Cow;
use std::num::NonZeroU32;
use std::sync::Arc;

use imap_proto::types::{
    AString, BodyName, Code, DateTime, FetchData, FetchItem, FetchItems, Partial, Response, SearchData,
    SearchKey, Section, SectionText, SequenceSet, StatusKind,
};

use crate::count::RequestKind;
use crate::imap::fault::ImapFault;
use crate::imap::search::{Candidate, compile, ranges};
use crate::imap::session::Session;
use crate::imap::{describe, flags};
use crate::mail::section::{What, section};
use crate::mail::store::{Change, Message, Store};
use crate::seed::Flags;
use crate::session::{Over, Step};

/// Messages looked at before other connections get a turn.
const PATIENCE: usize = 64;

impl Session {
    pub(crate) async fn fetch(&mut self, uid: bool, set: &SequenceSet, items: FetchItems<'static>) -> Step {
        let name = if uid { "UID FETCH" } else { "FETCH" };
        let Some(items) = expand(items, uid) else { return self.say_bad("Command Argument Error. 11") };
        let (Some(store), Some(view)) = (self.mailbox(), &self.view) else { return Err(Over) };
        let folder = view.folder;
        let marks_seen = !view.read_only && items.iter().any(sets_seen);
        let needs_message = items.iter().any(needs_message);
        let targets = self.targets(uid, set);
        for (n, (seq, uid)) in targets.into_iter().enumerate() {
            self.room().await?;
            if n % PATIENCE == PATIENCE - 1 {
                tokio::task::yield_now().await;
            }
            if self.is_expired() {
                return self.expire();
            }
            let Some(mut meta) = store.meta(folder, uid) else { continue };
            if marks_seen && !meta.flags.seen {
                let seen = Flags { seen: true, ..Flags::default() };
                store.store_flags(folder, &[uid], Change::Add(seen));
                meta.flags.seen = true;
            }
            let message = if needs_message { store.message(folder, uid) } else { None };
            let Some(seq) = NonZeroU32::new(seq) else { continue };
            self.server.fetch_start(seq)?;
            for item in &items {
                self.item(item, folder, meta, message.as_ref(), &store).await?;
            }
            if marks_seen && !items.contains(&FetchItem::Flags) {
                self.item(&FetchItem::Flags, folder, meta, None, &store).await?;
            }
            self.server.fetch_end()?;
        }
        self.news(uid)?;
        self.ok(&format!("{} completed.", name.trim_start_matches("UID ")))
    }

    async fn item(
        &mut self,
        item: &FetchItem<'_>,
        folder: u64,
        meta: crate::mail::store::Meta,
        message: Option<&Arc<Message>>,
        store: &Store,
    ) -> Step {
        let value = match item {
            FetchItem::Uid => FetchData::Uid(NonZeroU32::new(meta.uid).ok_or(Over)?),
            FetchItem::Flags => {
                let recent = self.view.as_ref().is_some_and(|v| v.is_recent(meta.uid));
                if let Some(view) = &mut self.view {
                    view.told(meta.uid, meta.flags);
                }
                FetchData::Flags(flags::to_client(meta.flags, recent))
            }
            FetchItem::InternalDate => FetchData::InternalDate(DateTime::from_unix(meta.date, 0).ok()),
            FetchItem::Rfc822Size => {
                let size = match message {
                    Some(message) => message.octets.len() as u64,
                    None => u64::from(store.size(folder, meta.uid).unwrap_or(0)),
                };
                FetchData::Size(Some(size))
            }
            FetchItem::Envelope => {
                let Some(m) = message else { return Ok(()) };
                FetchData::Envelope(describe::envelope(&m.octets, &m.root))
            }
            FetchItem::Body | FetchItem::BodyStructure => {
                let Some(m) = message else { return Ok(()) };
                let extensible = *item == FetchItem::BodyStructure;
                FetchData::BodyStructure { body: describe::structure(&m.octets, &m.root), extensible }
            }
            FetchItem::BodySection { section, partial, .. } => {
                let Some(m) = message else { return Ok(()) };
                return self.body(BodyName::Section(section.clone()), section, *partial, m).await;
            }
            FetchItem::Rfc822 => {
                let Some(m) = message else { return Ok(()) };
                return self.body(BodyName::Rfc822, &Section::FULL, None, m).await;
            }
            FetchItem::Rfc822Header => {
                let Some(m) = message else { return Ok(()) };
                return self.body(BodyName::Rfc822Header, &Section::HEADER, None, m).await;
            }
            FetchItem::Rfc822Text => {
                let Some(m) = message else { return Ok(()) };
                return self.body(BodyName::Rfc822Text, &Section::TEXT, None, m).await;
            }
            _ => return Ok(()),
        };
        Ok(self.server.fetch_item(&value)?)
    }

    async fn body(
        &mut self,
        name: BodyName<'_>,
        wanted: &Section<'_>,
        partial: Option<Partial>,
        message: &Message,
    ) -> Step {
        self.context.counters.count(RequestKind::ImapBody);
        let origin = partial.map(|p| p.offset);
        let path: Vec<u32> = wanted.path().iter().map(|n| n.get()).collect();
        let names =
            |list: &[AString<'_>]| -> Vec<Vec<u8>> { list.iter().map(|n| n.as_bytes().to_vec()).collect() };
        let list;
        let text = match wanted.text() {
            SectionText::Full => What::Whole,
            SectionText::Header => What::Header,
            SectionText::Text => What::Text,
            SectionText::Mime => What::Mime,
            SectionText::HeaderFields(fields) => {
                list = names(fields);
                What::Fields(&list)
            }
            SectionText::HeaderFieldsNot(fields) => {
                list = names(fields);
                What::FieldsNot(&list)
            }
        };
        let Some(octets) = section(&message.octets, &message.root, &path, text) else {
            let data = FetchData::Body { name, origin, data: None };
            return Ok(self.server.fetch_item(&data)?);
        };
        let octets = match (&octets, partial) {
            (_, None) => octets,
            (Cow::Borrowed(o), Some(p)) => Cow::Borrowed(cut(o, p)),
            (Cow::Owned(o), Some(p)) => Cow::Owned(cut(o, p).to_vec()),
        };
        self.server.fetch_body(&name, origin, octets.len() as u64)?;
        let fault = self.context.faults.take(|f| match f {
            ImapFault::ExpireInBody(at) | ImapFault::ResetInBody(at) => octets.len() > *at as usize,
            _ => false,
        });
        let stop = match fault {
            Some(ImapFault::ExpireInBody(at) | ImapFault::ResetInBody(at)) => at as usize,
            _ => octets.len(),
        };
        let mut rest = octets.get(..stop).unwrap_or(&octets);
        while !rest.is_empty() {
            let n = self.server.write_body(rest)?;
            rest = rest.get(n..).unwrap_or_default();
            if !rest.is_empty() {
                self.room().await?;
                if self.is_expired() {
                    self.expire()?;
                    return Err(Over);
                }
            }
        }
        match fault {
            Some(ImapFault::ExpireInBody(_)) => {
                self.expire()?;
                Err(Over)
            }
            Some(ImapFault::ResetInBody(_)) => {
                // What was written so far goes out first; the stream resets when it is dropped.
                while !wire::Machine::output(&mut self.server).is_empty() {
                    if self.connection.drive(&mut self.server).await.is_err() {
                        break;
                    }
                }
                self.resetter.reset();
                Err(Over)
            }
            _ => Ok(()),
        }
    }

    pub(crate) async fn search(
        &mut self,
        uid: bool,
        charset: Option<AString<'static>>,
        key: SearchKey<'static>,
    ) -> Step {
        if charset.is_some_and(|c| !c.is("US-ASCII") && !c.is("UTF-8")) {
            let known = ["US-ASCII", "UTF-8"].into_iter().filter_map(|c| AString::try_from(c).ok()).collect();
            return self.no(Some(Code::BadCharset(known)), "The specified charset is not supported.");
        }
        let (Some(store), Some(view)) = (self.mailbox(), &self.view) else { return Err(Over) };
        let Some(test) = compile(key, view) else { return self.say_bad("Command Argument Error. 11") };
        let mut found = Vec::new();
        for (n, (seq, id)) in view.all().into_iter().enumerate() {
            if n % PATIENCE == PATIENCE - 1 {
                tokio::task::yield_now().await;
            }
            let Some(meta) = store.meta(view.folder, id) else { continue };
            if (Candidate { store: &store, view, seq, meta }).fits(&test) {
                found.extend(NonZeroU32::new(if uid { id } else { seq }));
            }
        }
        self.server.untagged(&Response::Search(SearchData::new(found, None)))?;
        self.news(uid)?;
        self.done("SEARCH")
    }

    /// The messages of a set, as sequence number and UID.
    pub(crate) fn targets(&self, uid: bool, set: &SequenceSet) -> Vec<(u32, u32)> {
        let Some(view) = &self.view else { return Vec::new() };
        if uid {
            view.by_uid(&ranges(set, view.last_uid().unwrap_or(0)))
        } else {
            view.by_seq(&ranges(set, view.len()))
        }
    }

    pub(crate) fn complete_with(&mut self, code: Option<Code<'_>>, command: &str) -> Step {
        Ok(self.server.complete(StatusKind::Ok, code, &format!("{command} completed."))?)
    }
}

/// The items of a macro, UID where its form of the command demands it; `None` for what this server does not know.
fn expand(items: FetchItems<'static>, uid: bool) -> Option<Vec<FetchItem<'static>>> {
    use FetchItem as F;
    let mut items = match items {
        FetchItems::Fast => vec![F::Flags, F::InternalDate, F::Rfc822Size],
        FetchItems::All => vec![F::Flags, F::InternalDate, F::Rfc822Size, F::Envelope],
        FetchItems::Full => vec![F::Flags, F::InternalDate, F::Rfc822Size, F::Envelope, F::Body],
        FetchItems::List(items) => items,
    };
    let known = |item: &F<'_>| !matches!(item, F::Binary { .. } | F::BinarySize(_) | F::ModSeq | F::Other(_));
    if items.is_empty() || !items.iter().all(known) {
        return None;
    }
    if uid && !items.contains(&F::Uid) {
        items.insert(0, F::Uid);
    }
    Some(items)
}

fn sets_seen(item: &FetchItem<'_>) -> bool {
    matches!(item, FetchItem::BodySection { peek: false, .. } | FetchItem::Rfc822 | FetchItem::Rfc822Text)
}

fn needs_message(item: &FetchItem<'_>) -> bool {
    !matches!(item, FetchItem::Uid | FetchItem::Flags | FetchItem::InternalDate | FetchItem::Rfc822Size)
}

/// The octets of a partial; none beyond the end.
fn cut(octets: &[u8], partial: Partial) -> &[u8] {
    let start = (partial.offset as usize).min(octets.len());
    let end = start.saturating_add(partial.length.get() as usize).min(octets.len());
    octets.get(start..end).unwrap_or_default()
}
