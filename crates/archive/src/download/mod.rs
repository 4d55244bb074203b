//! A mailbox over IMAP into a Maildir++: what is new, once each, across interruptions.
//!
//! [`Download`] opens a session, walks the folders, asks each for the UIDs it has, downloads those that are not stored, and
//! follows changes of flags. When the session ends on the way, because the access token did, the server wanted to or the
//! network broke, it signs in again and goes on at the next UID.
//!
//! [`pop3`] does the same for a maildrop over POP3.
//!
//! The calls into the archive block the thread while they write; run it on a runtime of its own where that matters.

mod folder;
mod patience;
pub mod pop3;
mod report;
mod sink;

use std::collections::VecDeque;
use std::future::Future;
use std::pin::{Pin, pin};

use postkey::{Credential, Folder as Listed, Imap, Server};

pub use patience::Patience;
pub use report::{FolderReport, Missing, Report, Why};

use crate::Maildir;
use folder::FolderRun;

/// Which folders to download.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Selection {
    /// All that can be opened.
    #[default]
    All,
    /// These, by the names people read. One that is not there is an error, before anything is downloaded.
    Named(Vec<String>),
}

/// What to download and how.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Plan {
    /// Which folders.
    pub folders: Selection,
    /// Only messages that arrived on this day or later: year, month (1–12), day.
    pub since: Option<(u16, u8, u8)>,
    /// Messages asked for in one command, at most; fewer where their UIDs have many gaps. 2,000.
    pub per_command: usize,
    /// Commands in flight. 3.
    pub depth: usize,
    /// The longest message that is taken, in octets; a longer one ends the session. 4 GiB, the most that a literal of RFC 3501 can
    /// announce: it is streamed to disk, so that only the disk is the limit.
    pub max_message: u64,
    /// How often and after which waits to try again.
    pub patience: Patience,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            folders: Selection::All,
            since: None,
            per_command: 2_000,
            depth: 3,
            max_message: u64::from(u32::MAX),
            patience: Patience::default(),
        }
    }
}

/// Hears how it goes. All methods do nothing unless implemented.
pub trait Progress {
    /// The folders that will be downloaded, once they are known.
    fn folders(&mut self, names: &[&str]) {
        let _ = names;
    }

    /// A folder was opened: `new` messages are to be downloaded, `stored` are there already.
    fn folder(&mut self, name: &str, new: u64, stored: u64) {
        let _ = (name, new, stored);
    }

    /// Octets of a message have arrived.
    fn octets(&mut self, n: u64) {
        let _ = n;
    }

    /// A message is complete.
    fn message(&mut self) {}

    /// The session was lost and will be opened again after a wait.
    fn retry(&mut self, why: &postkey::Error, wait: std::time::Duration) {
        let _ = (why, wait);
    }
}

/// Hears nothing.
impl Progress for () {}

/// Why a download stopped as a whole. What was stored until then is stored, and the next run goes on from there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server's side: no session could be opened, or it was lost too often.
    #[error(transparent)]
    Mail(#[from] postkey::Error),
    /// The disk's side.
    #[error(transparent)]
    Archive(#[from] crate::Error),
    /// A folder was asked for that the server does not list.
    #[error("there is no folder \"{name}\" in this mailbox; it has: {}", .there.join(", "))]
    NoFolder {
        /// The name asked for.
        name: String,
        /// The folders that there are (the first fifty).
        there: Vec<String>,
    },
    /// The caller cancelled.
    #[error("cancelled; what was complete is stored")]
    Cancelled,
}

/// How a run ended: with what it did until then, and why it stopped if it did not finish.
#[derive(Debug)]
#[non_exhaustive]
pub struct Ended {
    /// What was done.
    pub report: Report,
    /// Why it stopped early.
    pub error: Option<Error>,
}

/// One mailbox on one server, to be downloaded into one target.
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
    pub async fn run(
        &self,
        maildir: &Maildir,
        progress: &mut dyn Progress,
        cancel: impl Future<Output = ()>,
    ) -> Ended {
        let mut report = Report::default();
        let mut run = Run {
            download: self,
            maildir,
            progress,
            imap: None,
            opened: false,
            patience: self.plan.patience.clone(),
            cancel: pin!(cancel),
        };
        let error = run.everything(&mut report).await.err();
        if let (None, Some(imap)) = (&error, run.imap.take()) {
            imap.leave().await;
        }
        Ended { report, error }
    }
}

/// The state of one run.
struct Run<'a, C: Future<Output = ()>> {
    download: &'a Download,
    maildir: &'a Maildir,
    progress: &'a mut dyn Progress,
    imap: Option<Imap>,
    /// A session has been open: the account and the server are right, whatever happens now.
    opened: bool,
    patience: Patience,
    cancel: Pin<&'a mut C>,
}

impl<C: Future<Output = ()>> Run<'_, C> {
    async fn everything(&mut self, report: &mut Report) -> Result<(), Error> {
        let Download { server, credential, .. } = self.download;
        // Not the port: it says nothing about whose mail it is.
        let mailbox = format!("imap {} {}", credential.user(), server.host).to_lowercase();
        self.maildir.bind(&wire::printable(mailbox.as_bytes()))?;
        let mut folders = self.select(report).await?;
        let names: Vec<&str> = folders.iter().map(|f| f.name.as_str()).collect();
        self.progress.folders(&names);
        while let Some(listed) = folders.pop_front() {
            let mut folder = match FolderRun::open(self.maildir, &listed) {
                Ok(folder) => folder,
                Err(e) if is_for_one_folder(&e) => {
                    report.folders.push(FolderReport::failed(&listed.name, Why::Archive(e.to_string())));
                    continue;
                }
                Err(e) => return Err(e.into()),
            };
            let result = self.folder(&mut folder).await;
            // Whatever was accepted is made durable before anything is said about it.
            let (done, disk) = folder.close();
            report.folders.push(done);
            match (result, disk) {
                // What the disk refused comes back from both; the first word says more.
                (Err(e @ Error::Archive(_)), _) => return Err(e),
                (_, Some(e)) => return Err(e.into()),
                (result, None) => result?,
            }
        }
        Ok(())
    }

    /// The folders to download, in the server's order.
    async fn select(&mut self, report: &mut Report) -> Result<VecDeque<Listed>, Error> {
        let all = loop {
            let imap = self.session().await?;
            match imap.folders().await {
                Ok(all) => break all,
                Err(e) => self.lost(e).await?,
            }
        };
        let Selection::Named(names) = &self.download.plan.folders else {
            let unreadable = self.imap.as_ref().map_or(0, Imap::unreadable_folders);
            if unreadable > 0 {
                report.folders.push(FolderReport::unreadable(unreadable));
            }
            return Ok(all.into_iter().filter(|f| f.selectable).collect());
        };
        let mut chosen = VecDeque::new();
        for name in names {
            let found = all
                .iter()
                .find(|f| f.name == *name || (f.mailbox.is_inbox() && name.eq_ignore_ascii_case("INBOX")));
            match found {
                Some(f) => chosen.push_back(f.clone()),
                None => {
                    let there = all.iter().take(50).map(|f| f.name.clone()).collect();
                    return Err(Error::NoFolder { name: wire::printable(name.as_bytes()), there });
                }
            }
        }
        Ok(chosen)
    }

    /// One folder to its end, over as many sessions as it takes.
    async fn folder(&mut self, folder: &mut FolderRun<'_>) -> Result<(), Error> {
        loop {
            let plan = &self.download.plan;
            self.session().await?;
            let Some(imap) = self.imap.as_mut() else { continue };
            let before = folder.stored();
            let step = folder.step(imap, plan, self.progress);
            let result = tokio::select! {
                biased;
                () = self.cancel.as_mut() => return Err(Error::Cancelled),
                result = step => result,
            };
            if folder.stored() > before {
                self.patience.progress();
            }
            match result {
                Ok(()) => return Ok(()),
                Err(Error::Mail(e)) => self.lost(e).await?,
                Err(e) => return Err(e),
            }
        }
    }

    /// The session, opened if there is none or if its token is about to end.
    async fn session(&mut self) -> Result<&mut Imap, Error> {
        let ending = self
            .imap
            .as_ref()
            .and_then(Imap::token_expires_at)
            .is_some_and(|at| at <= now().saturating_add(MARGIN));
        if ending && let Some(imap) = self.imap.take() {
            imap.logout().await;
        }
        while self.imap.is_none() {
            let opened = tokio::select! {
                biased;
                () = self.cancel.as_mut() => return Err(Error::Cancelled),
                opened = Imap::open(&self.download.server, &self.download.credential) => opened,
            };
            match opened {
                Ok(imap) => {
                    self.imap = Some(imap);
                    self.opened = true;
                }
                Err(e) => self.lost(e).await?,
            }
        }
        self.imap.as_mut().ok_or(Error::Cancelled)
    }

    /// The session is gone. Waits if another may do better, gives up otherwise.
    async fn lost(&mut self, error: postkey::Error) -> Result<(), Error> {
        self.imap = None;
        self.patience.wait(error, self.opened, self.progress, self.cancel.as_mut()).await
    }
}

/// A session whose token ends within this many seconds is replaced before more is asked of it.
const MARGIN: u64 = 60;

fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_secs())
}

/// Whether other folders may do better.
fn is_for_one_folder(error: &crate::Error) -> bool {
    matches!(error.kind(), crate::Kind::NameCollision)
}
