//! One folder: what is new in it, and getting that.

use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use imap_proto::types::{Date, FlagSet, SearchKey, UidSet};
use postkey::{Examined, FetchError, Folder as Entry, Imap, Listed};

use super::report::{FolderReport, Missing, Why};
use super::sink::{Sink, flags};
use super::{Error, Plan, Progress};
use crate::{FlagUpdate, Flags, Folder, FolderName, Generation, Maildir};

/// Messages that did not come with the others are asked for alone, up to so many.
const ALONE: usize = 1_000;

/// What the server said is in a folder.
#[derive(Default)]
struct Listing {
    flags: Vec<(u32, Flags)>,
    listed: Listed,
}

/// One folder of one run.
pub(super) struct FolderRun<'a> {
    listed: &'a Entry,
    folder: Folder,
    report: FolderReport,
    /// What the server has and is not stored, as far as is known.
    wanted: BTreeSet<u32>,
    /// The folder's mod-sequence, to be remembered once everything up to it is stored.
    mod_seq: Option<u64>,
    /// Its flags have been compared; a second session need not do so again.
    listed_once: bool,
}

impl<'a> FolderRun<'a> {
    pub(super) fn open(maildir: &Maildir, listed: &'a Entry) -> Result<Self, crate::Error> {
        let name = match listed.mailbox.decoded() {
            _ if listed.mailbox.is_inbox() => FolderName::inbox(),
            Some(name) => FolderName::new(&name, listed.delimiter),
            None => FolderName::undecoded(listed.mailbox.as_bytes(), listed.delimiter),
        };
        let folder = maildir.folder(&name)?;
        let report = FolderReport { name: listed.name.clone(), ..FolderReport::default() };
        Ok(Self { listed, folder, report, wanted: BTreeSet::new(), mod_seq: None, listed_once: false })
    }

    /// Messages in the folder, whoever stored them.
    pub(super) fn stored(&self) -> u64 {
        self.folder.len() as u64
    }

    /// As far as this session gets.
    pub(super) async fn step(
        &mut self,
        imap: &mut Imap,
        plan: &Plan,
        progress: &mut dyn Progress,
    ) -> Result<(), Error> {
        let Some(listing) = self.list(imap, plan).await? else { return Ok(()) };
        let before = self.folder.len() as u64;
        self.compare(imap, plan, listing).await?;
        if !self.listed_once {
            self.report.already = before;
            self.listed_once = true;
        }
        progress.folder(&self.listed.name, self.wanted.len() as u64, before);
        self.fetch(imap, plan, progress).await?;
        let complete = self.wanted.is_empty()
            && self.report.missing.is_empty()
            && self.report.failed.is_none()
            && plan.since.is_none();
        if let Some(mod_seq) = self.mod_seq.filter(|_| complete) {
            self.folder.set_mod_seq(mod_seq);
        }
        Ok(())
    }

    /// Opens the folder and lists what it has, or what has changed since everything in it was stored (RFC 7162). `None`: it cannot
    /// be opened, which the report says.
    async fn list(&mut self, imap: &mut Imap, plan: &Plan) -> Result<Option<Listing>, Error> {
        let mut known = self.folder.mod_seq().filter(|_| plan.since.is_none());
        loop {
            let mut listing = Listing::default();
            let each = |uid: u32, set: &FlagSet<'_>| listing.flags.push((uid, flags(set)));
            let (examined, listed) = match imap.examine_and_list(&self.listed.mailbox, known, each).await {
                Ok(found) => found,
                // A folder that keeps no mod-sequences any more refuses to be asked by one.
                Err(postkey::Error::Refused { command: "UID FETCH", .. }) if known.is_some() => {
                    known = None;
                    continue;
                }
                Err(e @ (postkey::Error::NoFolder { .. } | postkey::Error::Refused { .. }))
                    if !e.is_unreachable() =>
                {
                    self.report.failed = Some(Why::Refused(e.to_string()));
                    return Ok(None);
                }
                Err(e) => return Err(e.into()),
            };
            let renumbered = self.generation(&examined)?;
            // A mod-sequence that went back, or is gone, says nothing about what came meanwhile; nor does one of other UIDs.
            let went_back = known.is_some_and(|known| examined.highest_mod_seq.is_none_or(|now| now < known));
            if known.is_some() && (renumbered || went_back) {
                known = None;
                continue;
            }
            self.mod_seq = examined.highest_mod_seq;
            listing.listed = listed;
            return Ok(Some(listing));
        }
    }

    /// Tells the archive which UIDs these are; `true` when they are others than before.
    fn generation(&mut self, examined: &Examined) -> Result<bool, Error> {
        self.report.unstable = examined.uid_validity.is_none();
        let validity = match examined.uid_validity {
            Some(v) => v,
            // UIDs that may mean something else tomorrow: a generation of their own each time, and messages are
            // recognised by content.
            None if self.listed_once => return Ok(false),
            None => u32::try_from(
                SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |d| d.as_secs() % (1 << 31)),
            )
            .unwrap_or(1)
            .max(1),
        };
        if self.folder.uid_validity() != Some(validity) {
            self.wanted.clear();
            self.report.missing.clear();
        }
        Ok(self.folder.begin_generation(validity)? == Generation::Changed)
    }

    /// Compares what the server listed with what is stored: new UIDs, changed flags.
    async fn compare(&mut self, imap: &mut Imap, plan: &Plan, listing: Listing) -> Result<(), Error> {
        let Listing { flags, listed } = listing;
        // Also what an earlier session of this run wanted: it is listed again unless it has come or is gone.
        self.wanted.clear();
        let mut changed: Vec<(u32, Flags)> = Vec::new();
        for (uid, now) in flags {
            match self.folder.flags(uid) {
                _ if !self.folder.contains(uid) => {
                    self.wanted.insert(uid);
                }
                Some(before) if before != now => changed.push((uid, now)),
                _ => {}
            }
        }
        self.wanted.extend(listed.without_flags.iter().copied().filter(|uid| !self.folder.contains(*uid)));
        self.report.failed = (listed.unreadable > 0).then_some(Why::Unreadable(listed.unreadable));
        if let Some((year, month, day)) = plan.since {
            let day = Date::new(year, month, day)
                .map_err(|e| postkey::Error::from(imap_proto::Misuse::Invalid(e)))?;
            let found = imap.search(&SearchKey::Since(day)).await?;
            self.wanted.retain(|uid| found.contains(*uid));
        }
        let missing = std::mem::take(&mut self.report.missing);
        self.report.missing = missing.into_iter().filter(|m| self.wanted.contains(&m.uid)).collect();
        for (uid, now) in changed {
            if self.folder.set_flags(uid, now)? == FlagUpdate::Applied {
                self.report.flags += 1;
            }
        }
        Ok(())
    }

    /// Downloads what is wanted; what does not come with the others is asked for alone.
    async fn fetch(
        &mut self,
        imap: &mut Imap,
        plan: &Plan,
        progress: &mut dyn Progress,
    ) -> Result<(), Error> {
        for alone in [false, true] {
            let given_up: BTreeSet<u32> = self.report.missing.iter().map(|m| m.uid).collect();
            let mut ask: Vec<u32> =
                self.wanted.iter().copied().filter(|uid| !given_up.contains(uid)).collect();
            if alone && !ask.is_empty() {
                self.forget_expunged(imap, &mut ask).await?;
                for uid in ask.split_off(ask.len().min(ALONE)) {
                    self.report.missing.push(Missing { uid, why: Why::NotGiven });
                }
            }
            if ask.is_empty() {
                return Ok(());
            }
            // Alone means one at a time: a server that tells no UID can then only mean that one.
            let (per_command, depth) = if alone { (1, 1) } else { (plan.per_command.max(1), plan.depth) };
            let refused = self.fetch_sets(imap, &ask, per_command, depth, progress).await;
            let folder = &self.folder;
            self.wanted.retain(|uid| !folder.contains(*uid));
            let refused = refused?;
            if alone {
                let left: Vec<u32> = ask.into_iter().filter(|uid| self.wanted.contains(uid)).collect();
                for uid in left {
                    let why = refused.iter().find(|(u, _)| *u == uid).map(|(_, why)| why.clone());
                    self.report.missing.push(Missing { uid, why: why.unwrap_or(Why::NotGiven) });
                }
            }
        }
        Ok(())
    }

    /// What another client deleted during the run is not missing (DU-17).
    async fn forget_expunged(&mut self, imap: &mut Imap, ask: &mut Vec<u32>) -> Result<(), Error> {
        let mut there = BTreeSet::new();
        for some in commands(ask, usize::MAX) {
            let Ok(set) = UidSet::from_sorted(some.iter().copied()) else { return Ok(()) };
            match imap.flags_of(set, |uid, _| there.extend([uid])).await {
                Ok(listed) => there.extend(listed.without_flags),
                // A server that does not answer the question leaves it open.
                Err(postkey::Error::Refused { .. }) => return Ok(()),
                Err(e) => return Err(e.into()),
            }
        }
        let gone: BTreeSet<u32> = ask.iter().copied().filter(|uid| !there.contains(uid)).collect();
        ask.retain(|uid| !gone.contains(uid));
        self.wanted.retain(|uid| !gone.contains(uid));
        Ok(())
    }

    async fn fetch_sets(
        &mut self,
        imap: &mut Imap,
        ask: &[u32],
        per_command: usize,
        depth: usize,
        progress: &mut dyn Progress,
    ) -> Result<Vec<(u32, Why)>, Error> {
        let sets = commands(ask, per_command).filter_map(|c| UidSet::from_sorted(c.iter().copied()).ok());
        let mut sink = Sink { folder: &mut self.folder, progress, delivery: None, refused: Vec::new() };
        let result = imap.download(sets, depth, &mut sink).await;
        let mut why: Vec<(u32, Why)> =
            sink.refused.drain(..).map(|(uid, text)| (uid, Why::Archive(text))).collect();
        match result {
            Ok(outcome) => {
                for refusal in outcome.refusals {
                    let text = refusal.reply.to_string();
                    why.extend(refusal.uids.into_iter().map(|uid| (uid, Why::Refused(text.clone()))));
                }
                Ok(why)
            }
            Err(FetchError::Mail(e)) => Err(e.into()),
            Err(FetchError::Sink(e)) => Err(e.into()),
        }
    }

    /// Makes everything durable and says what was done.
    pub(super) fn close(mut self) -> (FolderReport, Option<crate::Error>) {
        let given_up: BTreeSet<u32> = self.report.missing.iter().map(|m| m.uid).collect();
        for uid in self.wanted.iter().filter(|uid| !given_up.contains(uid) && !self.folder.contains(**uid)) {
            self.report.missing.push(Missing { uid: *uid, why: Why::NotReached });
        }
        self.report.missing.sort_by_key(|m| m.uid);
        match self.folder.close() {
            Ok(done) => {
                self.report.stored = done.messages;
                self.report.octets = done.bytes;
                self.report.recognised = done.matched;
                (self.report, None)
            }
            Err(e) => {
                if let crate::Error::NotCommitted { uids, .. } = &e {
                    for uid in uids {
                        self.report.missing.push(Missing { uid: *uid, why: Why::Archive(e.to_string()) });
                    }
                }
                (self.report, Some(e))
            }
        }
    }
}

/// So many ranges go into one command at most: its line stays below what servers take (Exchange on premises: 10,240 octets).
const RANGES: usize = 250;

/// Cuts sorted UIDs into commands: by their number, and by the length of the line they make.
fn commands(mut uids: &[u32], most: usize) -> impl Iterator<Item = &[u32]> {
    std::iter::from_fn(move || {
        let mut ranges = 0;
        let mut previous = None;
        let fits = uids.iter().take(most).take_while(|uid| {
            ranges += usize::from(previous != uid.checked_sub(1));
            previous = Some(**uid);
            ranges <= RANGES
        });
        let (now, later) = uids.split_at(fits.count());
        uids = later;
        (!now.is_empty()).then_some(now)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_cut_by_number_and_by_the_length_of_their_line() {
        let row: Vec<u32> = (1..=5_000).collect();
        let sizes: Vec<usize> = commands(&row, 2_000).map(<[u32]>::len).collect();
        assert_eq!(sizes, [2_000, 2_000, 1_000]);
        let gaps: Vec<u32> = (1..=600).map(|n| n * 7).collect();
        let sizes: Vec<usize> = commands(&gaps, 2_000).map(<[u32]>::len).collect();
        assert_eq!(sizes, [250, 250, 100]);
        assert_eq!(commands(&gaps, 1).count(), 600);
        assert_eq!(commands(&[], 10).count(), 0);
        assert_eq!(commands(&[u32::MAX], 10).count(), 1);
    }
}
