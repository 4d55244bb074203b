//! Storing: from a message that begins to a batch that is on the disk.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Folder;
use crate::Durability;
use crate::commit::{Job, Pending, commit, publish};
use crate::delivery::{BUFFER, Delivery, Meta};
use crate::error::{Error, Result};
use crate::file_name::Place;
use crate::journal::record;
use crate::matcher::Matcher;
use crate::scan::scan;
use crate::shared::{Committed, lock};
use crate::state::Entry;

impl Folder {
    /// Begins to store a message. Several may be on their way at the same time.
    ///
    /// # Errors
    /// [`Error::AlreadyStored`]; [`Error::NotCommitted`] if earlier messages failed in the background (this one can
    /// be begun again at once); [`Error::Stopped`]; [`Error::Misuse`] without a generation or for UID 0.
    pub fn begin(&mut self, meta: Meta) -> Result<Delivery> {
        self.report()?;
        let Some(generation) = self.state.generation else {
            return Err(Error::Misuse("begin_generation must be called before messages are stored"));
        };
        if meta.uid == 0 {
            return Err(Error::Misuse("0 is not a UID"));
        }
        if self.contains(meta.uid) {
            return Err(Error::AlreadyStored { uid: meta.uid });
        }
        self.mark_opened()?;
        if generation.number > 1 && self.matcher.is_none() {
            self.matcher = Some(Matcher::new(scan(&self.shared.dirs)?, &self.state));
        }
        let hash = self.matcher.as_ref().is_some_and(|matcher| !matcher.is_empty());
        let mut buf = std::mem::take(&mut self.spare);
        buf.clear();
        Ok(Delivery::new(Arc::clone(&self.shared), generation, meta, buf, hash))
    }

    /// Accepts a message that is whole. It is stored with the next batch.
    ///
    /// # Errors
    /// [`Error::Length`] if it is shorter than announced; [`Error::AlreadyStored`]; [`Error::Disk`]: then this
    /// message is discarded. [`Error::NotCommitted`] is about the messages that it names; this one is accepted unless it is
    /// among them.
    pub fn finish(&mut self, mut delivery: Delivery) -> Result<()> {
        if !Arc::ptr_eq(&delivery.shared, &self.shared) || Some(delivery.generation) != self.state.generation
        {
            return Err(Error::Misuse(
                "a message must be finished in the folder and generation it was begun in",
            ));
        }
        let meta = delivery.meta;
        delivery.check()?;
        if self.contains(meta.uid) {
            return Err(Error::AlreadyStored { uid: meta.uid });
        }
        if let Some(hash) = delivery.hash()
            && self.claim(&meta, delivery.written(), hash.as_ref())?
        {
            drop(delivery);
            return self.hand_over_if_full();
        }
        let (size, time) = (delivery.written(), delivery.time);
        let (sequence, spare) = delivery.complete()?;
        if spare.capacity() <= 2 * BUFFER {
            self.spare = spare;
        }
        let entry = Entry { time, size, flags: meta.flags, place: Place::of_arrival(meta.flags) };
        let pending = Pending { sequence, uid: meta.uid, entry };
        if self.shared.durability == Durability::None {
            if let Err(error) = publish(&self.shared, self.state.generation, &pending) {
                self.shared.discard(sequence);
                return Err(error);
            }
        } else {
            let (low, high) = self.unsettled.unwrap_or((meta.uid, meta.uid));
            self.unsettled = Some((low.min(meta.uid), high.max(meta.uid)));
        }
        self.state.entries.insert(meta.uid, entry);
        self.batch.messages.push(pending);
        self.batch.bytes = self.batch.bytes.saturating_add(size);
        self.hand_over_if_full()
    }

    /// Hands what was accepted to the background thread without waiting for it. Useful between many small folders,
    /// which then share one flush of the disk; their `close` comes later.
    ///
    /// # Errors
    /// As [`flush`](Self::flush), about earlier batches.
    pub fn hand_over(&mut self) -> Result<()> {
        if !self.batch.is_empty() {
            let mut batch = std::mem::take(&mut self.batch);
            batch.generation = self.state.generation;
            batch.published = self.shared.durability == Durability::None;
            let job = Job { shared: Arc::clone(&self.shared), batch };
            match &self.target.committer {
                Some(committer) => committer.submit(job)?,
                None => commit(vec![job]),
            }
        }
        self.report()
    }

    /// Waits until everything accepted so far is stored, and says how much that was since the last flush.
    ///
    /// # Errors
    /// [`Error::NotCommitted`] names the messages that are not stored; the others are.
    pub fn flush(&mut self) -> Result<Committed> {
        self.settle()?;
        if std::mem::take(&mut self.mod_seq_changed)
            && let Some(mod_seq) = self.state.mod_seq
        {
            self.mark_opened()?;
            let mut records = Vec::new();
            record::put_mod_seq(&mut records, mod_seq);
            self.append(&records)?;
        }
        Ok(std::mem::take(&mut lock(&self.shared.outcome).committed))
    }

    /// As [`flush`](Self::flush), and notes that the folder was left in order, so that the next opening need not
    /// read the directories.
    ///
    /// # Errors
    /// As [`flush`](Self::flush).
    pub fn close(mut self) -> Result<Committed> {
        self.settle()?;
        let committed = std::mem::take(&mut lock(&self.shared.outcome).committed);
        let mut records = Vec::new();
        if self.mod_seq_changed
            && let Some(mod_seq) = self.state.mod_seq
        {
            record::put_mod_seq(&mut records, mod_seq);
        }
        if self.opened || !records.is_empty() {
            // a delivery may still be open, or have left its file behind: then the next opening has to clean up
            if !self.shared.untidy.load(Ordering::Acquire) && Arc::strong_count(&self.shared) == 1 {
                record::put_closed(&mut records, self.shared.dirs.times()?);
            }
            if self.worth_rewriting() {
                self.rewrite(&records)?;
            } else {
                self.append(&records)?;
            }
        }
        Ok(committed)
    }

    /// Reports what failed in the background, and forgets the messages concerned.
    pub(super) fn report(&mut self) -> Result<()> {
        if self.shared.failed.swap(false, Ordering::AcqRel) {
            let mut outcome = lock(&self.shared.outcome);
            let mut uids = std::mem::take(&mut outcome.lost);
            if let Some(error) = outcome.error.take() {
                uids.sort_unstable();
                for uid in &uids {
                    self.state.entries.remove(uid);
                    self.state.origins.remove(uid);
                }
                return Err(Error::NotCommitted { uids, source: Box::new(error) });
            }
        }
        if self.shared.stopped.load(Ordering::Acquire) {
            return Err(Error::Stopped { path: self.shared.dirs.path.clone() });
        }
        Ok(())
    }

    /// Commits everything and waits for it.
    pub(super) fn settle(&mut self) -> Result<()> {
        let handed = self.hand_over();
        if let Some(committer) = &self.target.committer {
            committer.wait()?;
        }
        self.unsettled = None;
        match (handed, self.report()) {
            (Ok(()), then) => then,
            // both are about earlier batches: one error for all
            (Err(Error::NotCommitted { mut uids, source }), Err(Error::NotCommitted { uids: more, .. })) => {
                uids.extend(more);
                uids.sort_unstable();
                Err(Error::NotCommitted { uids, source })
            }
            (first, _) => first,
        }
    }

    pub(super) fn hand_over_if_full(&mut self) -> Result<()> {
        let options = &self.target.options;
        let changes = self.batch.messages.len() + self.batch.flags.len() + self.batch.matched.len();
        if changes >= options.batch_messages.max(1) || self.batch.bytes >= options.batch_bytes {
            return self.hand_over();
        }
        self.report()
    }
}
