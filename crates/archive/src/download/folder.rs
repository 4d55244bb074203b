//! One folder: what is new in it, and getting that.

use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use imap_proto::types::{Date, Mailbox, SearchKey, UidSet};
use postkey::{Examined, FetchError, Folder as Listed, Imap};

use super::report::{FolderReport, Missing, Why};
use super::sink::{Sink, flags};
use super::{Error, Plan, Progress};
use crate::{FlagUpdate, Flags, Folder, FolderName, Maildir};

/// Messages that did not come with the others are asked for alone, up to so many.
const ALONE: usize = 1_000;

/// One folder of one run.
pub(super) struct FolderRun<'a> {
    listed: &'a Listed,
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
    pub(super) fn open(maildir: &Maildir, listed: &'a Listed) -> Result<Self, crate::Error> {
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
        let mailbox: &Mailbox<'static> = &self.listed.mailbox;
        let examined = match imap.examine(mailbox).await {
            Ok(examined) => examined,
            Err(postkey::Error::NoFolder { reply, .. } | postkey::Error::Refused { reply, .. }) => {
                self.report.failed = Some(Why::Refused(reply.to_string()));
                return Ok(());
            }
            Err(e) => return Err(e.into()),
        };
        self.generation(&examined)?;
        let before = self.folder.len() as u64;
        self.list(imap, &examined, plan).await?;
        if !self.listed_once {
            self.report.already = before;
            self.listed_once = true;
        }
        progress.folder(&self.listed.name, self.wanted.len() as u64, before);
        self.fetch(imap, plan, progress).await?;
        let complete = self.wanted.is_empty() && self.report.missing.is_empty() && plan.since.is_none();
        if let Some(mod_seq) = self.mod_seq.filter(|_| complete) {
            self.folder.set_mod_seq(mod_seq);
        }
        Ok(())
    }

    /// Tells the archive which UIDs these are.
    fn generation(&mut self, examined: &Examined) -> Result<(), Error> {
        self.report.unstable = examined.uid_validity.is_none();
        let validity = match examined.uid_validity {
            Some(v) => v,
            // UIDs that may mean something else tomorrow: a generation of their own each time, and messages are
            // recognised by content.
            None if self.listed_once => return Ok(()),
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
        self.folder.begin_generation(validity)?;
        Ok(())
    }

    /// Finds out what there is: new UIDs, changed flags.
    async fn list(&mut self, imap: &mut Imap, examined: &Examined, plan: &Plan) -> Result<(), Error> {
        self.mod_seq = examined.highest_mod_seq;
        let known = self.folder.mod_seq();
        if known.is_some() && known == examined.highest_mod_seq && plan.since.is_none() {
            // Nothing has changed since everything was stored (RFC 7162).
            return Ok(());
        }
        if examined.exists == 0 {
            return Ok(());
        }
        // With a remembered mod-sequence the server names the changes, otherwise it lists everything.
        let since = known.filter(|_| examined.highest_mod_seq.is_some() && plan.since.is_none());
        let mut changed: Vec<(u32, Flags)> = Vec::new();
        let (folder, wanted) = (&self.folder, &mut self.wanted);
        imap.flags(since, |uid, set| {
            let now = flags(set);
            match folder.flags(uid) {
                _ if !folder.contains(uid) => {
                    wanted.insert(uid);
                }
                Some(before) if before != now => changed.push((uid, now)),
                _ => {}
            }
        })
        .await?;
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
        let mut per_command = plan.per_command.max(1);
        loop {
            let given_up: BTreeSet<u32> = self.report.missing.iter().map(|m| m.uid).collect();
            let mut ask: Vec<u32> =
                self.wanted.iter().copied().filter(|uid| !given_up.contains(uid)).collect();
            if per_command == 1 {
                for uid in ask.split_off(ask.len().min(ALONE)) {
                    self.report.missing.push(Missing { uid, why: Why::NotGiven });
                }
            }
            if ask.is_empty() {
                return Ok(());
            }
            // Alone means one at a time: a server that tells no UID can then only mean that one.
            let depth = if per_command == 1 { 1 } else { plan.depth };
            let refused = self.fetch_sets(imap, &ask, per_command, depth, progress).await?;
            let folder = &self.folder;
            self.wanted.retain(|uid| !folder.contains(*uid));
            if per_command == 1 {
                for uid in ask.into_iter().filter(|uid| self.wanted.contains(uid)) {
                    let why = refused.iter().find(|(u, _)| *u == uid).map(|(_, why)| why.clone());
                    self.report.missing.push(Missing { uid, why: why.unwrap_or(Why::NotGiven) });
                }
                return Ok(());
            }
            per_command = 1;
        }
    }

    async fn fetch_sets(
        &mut self,
        imap: &mut Imap,
        ask: &[u32],
        per_command: usize,
        depth: usize,
        progress: &mut dyn Progress,
    ) -> Result<Vec<(u32, Why)>, Error> {
        let sets = ask.chunks(per_command).filter_map(|c| UidSet::from_sorted(c.iter().copied()).ok());
        let mut sink = Sink { folder: &mut self.folder, progress, delivery: None, refused: Vec::new() };
        let result = imap.download(sets, depth, &mut sink).await;
        let mut why: Vec<(u32, Why)> =
            sink.refused.drain(..).map(|(uid, text)| (uid, Why::Archive(text))).collect();
        match result {
            Ok(outcome) => {
                if let ([uid], Some(reply)) = (outcome.missing.as_slice(), outcome.refusals.first()) {
                    why.push((*uid, Why::Refused(reply.to_string())));
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
