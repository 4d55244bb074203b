//! A maildrop over POP3 into the INBOX of a Maildir++: what is new, once each, across interruptions.
//!
//! Messages are known by their unique-ids (UIDL), each of which gets a UID of the archive; the file that remembers which is
//! described in `uidls.rs`. A message without a unique-id of its own, because the server has none, gives the same to
//! several, or gives one that cannot be read, is downloaded every time and recognised by its content.
//!
//! A message is deleted from the server only if the plan says so, and only after it has been made durable here. Deletions are
//! carried out by the last command of a session; if the server does not carry them out, nothing is lost and
//! nothing is stored twice: the next run tries again.

mod sink;
#[cfg(test)]
mod tests;
mod uidls;

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::pin::{Pin, pin};

use postkey::{Credential, FetchError, Pop3, Pop3Message, Server};

use super::report::{FolderReport, Missing, Report, Why};
use super::{Ended, Error, Patience, Progress, now};
use crate::{Durability, Folder, FolderName, Maildir};
use sink::Sink;
use uidls::{Known, Uidls};

/// What stays on the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// Everything.
    #[default]
    All,
    /// What was first seen less than this long ago; the rest is deleted once it is stored.
    Days(u32),
}

/// What to download and how.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Plan {
    /// What stays on the server. Everything, unless changed.
    pub keep: Keep,
    /// The longest message that is taken, in octets; a longer one ends the session, or is left out if the server says its size. 4 GiB.
    pub max_message: u64,
    /// How often and after which waits to try again.
    pub patience: Patience,
}

impl Default for Plan {
    fn default() -> Self {
        Self { keep: Keep::All, max_message: u64::from(u32::MAX), patience: Patience::default() }
    }
}

/// One maildrop on one server, to be downloaded into one target.
#[derive(Debug)]
pub struct Download {
    server: Server,
    credential: Credential,
    plan: Plan,
}

impl Download {
    /// Downloads from `server` as `credential`.
    pub fn new(mut server: Server, credential: Credential, plan: Plan) -> Self {
        server.limits.body = plan.max_message;
        Self { server, credential, plan }
    }

    /// Runs until everything is stored, `cancel` completes, or it cannot go on.
    ///
    /// Whatever happens, every message that counts as stored in the report is on disk when this returns.
    ///
    /// A target without [`Durability::Full`] and a plan that deletes do not go together: that is [`crate::Error::Misuse`], and nothing is
    /// downloaded.
    pub async fn run(
        &self,
        maildir: &Maildir,
        progress: &mut dyn Progress,
        cancel: impl Future<Output = ()>,
    ) -> Ended {
        let mut report = Report::default();
        let error = self.inbox(maildir, progress, pin!(cancel), &mut report).await.err();
        Ended { report, error }
    }

    async fn inbox<C: Future<Output = ()>>(
        &self,
        maildir: &Maildir,
        progress: &mut dyn Progress,
        cancel: Pin<&mut C>,
        report: &mut Report,
    ) -> Result<(), Error> {
        if self.plan.keep != Keep::All && maildir.durability() != Durability::Full {
            let why = "messages are deleted from the server only if they are stored durably here; use full durability, or keep them";
            return Err(crate::Error::Misuse(why).into());
        }
        let mailbox = format!("pop3 {} {}", self.credential.user(), self.server.host).to_lowercase();
        maildir.bind(&wire::printable(mailbox.as_bytes()))?;
        let mut folder = maildir.folder(&FolderName::inbox())?;
        let mut uidls = Uidls::open(folder.path(), folder.uid_validity(), now())?;
        folder.begin_generation(uidls.validity())?;
        uidls.reserve(folder.uids().next_back().unwrap_or(0));
        let mut run = Run {
            download: self,
            progress,
            patience: self.plan.patience.clone(),
            cancel,
            folder,
            uidls,
            report: FolderReport { name: "INBOX".into(), ..FolderReport::default() },
            listed_once: false,
            opened: false,
            wanted: BTreeMap::new(),
        };
        run.progress.folders(&["INBOX"]);
        let result = run.everything().await;
        let (done, disk) = run.close();
        report.folders.push(done);
        match (result, disk) {
            // What the disk refused comes back from both; the first word says more.
            (Err(e @ Error::Archive(_)), _) => Err(e),
            (_, Some(e)) => Err(e.into()),
            (result, None) => result,
        }
    }
}

/// The state of one run.
struct Run<'a, C: Future<Output = ()>> {
    download: &'a Download,
    progress: &'a mut dyn Progress,
    patience: Patience,
    cancel: Pin<&'a mut C>,
    folder: Folder,
    uidls: Uidls,
    report: FolderReport,
    listed_once: bool,
    /// A session has been open: the account and the server are right, whatever happens now.
    opened: bool,
    /// Messages that the server has and that are not stored, by UID, as the last listing shows, and why not.
    wanted: BTreeMap<u32, Why>,
}

impl<C: Future<Output = ()>> Run<'_, C> {
    /// Over as many sessions as it takes.
    async fn everything(&mut self) -> Result<(), Error> {
        loop {
            let Download { server, credential, .. } = self.download;
            let opened = tokio::select! {
                biased;
                () = self.cancel.as_mut() => return Err(Error::Cancelled),
                opened = Pop3::open(server, credential) => opened,
            };
            let before = self.folder.len();
            let result = match opened {
                Ok(pop3) => {
                    self.opened = true;
                    self.session(pop3).await
                }
                Err(e) => Err(e.into()),
            };
            if self.folder.len() > before {
                self.patience.progress();
            }
            match result {
                Err(Error::Mail(e)) => {
                    self.patience.wait(e, self.opened, self.progress, self.cancel.as_mut()).await?;
                }
                result => return result,
            }
        }
    }

    /// One session from listing to QUIT.
    async fn session(&mut self, mut pop3: Pop3) -> Result<(), Error> {
        let listed = tokio::select! {
            biased;
            () = self.cancel.as_mut() => return Err(Error::Cancelled),
            listed = pop3.list() => listed?,
        };
        // Number in this session → UID here.
        let (mut uids, ask) = self.compare(&listed)?;
        let already = self.folder.len() as u64;
        if !self.listed_once {
            self.report.already = already;
            self.listed_once = true;
        }
        self.progress.folder("INBOX", ask.len() as u64, already);
        let mut sink = Sink {
            folder: &mut self.folder,
            uidls: &mut self.uidls,
            progress: &mut *self.progress,
            uids: &mut uids,
            delivery: None,
            hasher: None,
            refused: Vec::new(),
        };
        let result = tokio::select! {
            biased;
            () = self.cancel.as_mut() => Err(Error::Cancelled),
            result = pop3.retrieve(ask, &mut sink) => result.map_err(|e| match e {
                FetchError::Mail(e) => Error::from(e),
                FetchError::Sink(e) => Error::from(e),
            }),
        };
        let refused: Vec<(u32, Why)> =
            sink.refused.drain(..).map(|(uid, text)| (uid, Why::Archive(text))).collect();
        self.wanted.extend(refused);
        let folder = &self.folder;
        self.wanted.retain(|uid, _| !folder.contains(*uid));
        for (number, reply) in result?.refused {
            let why = Why::Refused(reply.to_string());
            match uids.get(&number) {
                Some(uid) => {
                    self.wanted.insert(*uid, why);
                }
                // It never got a UID.
                None => self.report.missing.push(Missing { uid: 0, why }),
            }
        }
        self.delete(pop3, &uids).await
    }

    /// Compares what the server lists with what is stored: the UIDs of the messages that have one, and the numbers to ask for.
    fn compare(&mut self, listed: &[Pop3Message]) -> Result<(HashMap<u32, u32>, Vec<u32>), Error> {
        let mut times: HashMap<&str, u32> = HashMap::new();
        for uidl in listed.iter().filter_map(|m| m.uidl.as_deref()) {
            *times.entry(uidl).or_default() += 1;
        }
        let (mut uids, mut ask, mut new) = (HashMap::new(), Vec::new(), Vec::new());
        let since = now();
        self.wanted.clear();
        self.report.missing.clear();
        self.report.unstable = false;
        for message in listed {
            let most = self.download.plan.max_message;
            let too_large = message.size.filter(|size| *size > most);
            let too_large = too_large.map(|size| {
                Why::Refused(format!("it has {size} octets, more than the {most} that are taken"))
            });
            let Some(uidl) = message.uidl.as_deref().filter(|uidl| times.get(uidl) == Some(&1)) else {
                // PO-03: it is known by its content, which has to be looked at.
                self.report.unstable = true;
                match too_large {
                    Some(why) => self.report.missing.push(Missing { uid: 0, why }),
                    None => ask.push(message.number),
                }
                continue;
            };
            let key = format!("u:{uidl}");
            let uid = match self.uidls.get(&key) {
                Some(known) => known.uid,
                None => {
                    let uid = self.uidls.fresh()?;
                    new.push((key, Known { uid, since }));
                    uid
                }
            };
            uids.insert(message.number, uid);
            if !self.folder.contains(uid) {
                if too_large.is_none() {
                    ask.push(message.number);
                }
                self.wanted.insert(uid, too_large.unwrap_or(Why::NotReached));
            }
        }
        self.uidls.note(&new)?;
        Ok((uids, ask))
    }

    /// Deletes what is stored and old enough, and ends the session.
    async fn delete(&mut self, mut pop3: Pop3, uids: &HashMap<u32, u32>) -> Result<(), Error> {
        // Durable first. What is not durable afterwards is no longer contained.
        self.flush()?;
        let Keep::Days(days) = self.download.plan.keep else {
            let _ = pop3.quit().await;
            return Ok(());
        };
        let first_seen: HashMap<u32, u64> = self.uidls.all().map(|known| (known.uid, known.since)).collect();
        let latest = now().saturating_sub(u64::from(days).saturating_mul(24 * 60 * 60));
        let old = |uid: &u32| first_seen.get(uid).is_some_and(|since| *since <= latest);
        let mut due: Vec<u32> = uids
            .iter()
            .filter(|(_, uid)| self.folder.contains(**uid) && old(uid))
            .map(|(number, _)| *number)
            .collect();
        due.sort_unstable();
        if due.is_empty() {
            let _ = pop3.quit().await;
            return Ok(());
        }
        let all = due.len();
        let refused = pop3.delete_all(due).await?;
        // From here on the deletions may have been carried out: another session would not find out more than the next run does.
        match pop3.quit().await {
            Ok(()) => {
                self.report.deleted += (all - refused.len()) as u64;
                self.report.undeleted = refused.first().map(|(_, reply)| Why::Refused(reply.to_string()));
            }
            // PO-09
            Err(postkey::Error::Refused { reply, .. }) => {
                self.report.undeleted = Some(Why::Refused(reply.to_string()));
            }
            Err(e) => self.report.undeleted = Some(Why::Unknown(e.to_string())),
        }
        Ok(())
    }

    /// Makes what was accepted durable.
    fn flush(&mut self) -> Result<(), crate::Error> {
        let done = self.folder.flush()?;
        self.report.stored += done.messages;
        self.report.octets += done.bytes;
        self.report.recognised += done.matched;
        Ok(())
    }

    /// Makes everything durable and says what was done.
    fn close(mut self) -> (FolderReport, Option<crate::Error>) {
        let missing = self.wanted.iter().filter(|(uid, _)| !self.folder.contains(**uid));
        let missing: Vec<Missing> =
            missing.map(|(uid, why)| Missing { uid: *uid, why: why.clone() }).collect();
        self.report.missing.extend(missing);
        self.report.missing.sort_by_key(|m| m.uid);
        match self.folder.close() {
            Ok(done) => {
                self.report.stored += done.messages;
                self.report.octets += done.bytes;
                self.report.recognised += done.matched;
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
