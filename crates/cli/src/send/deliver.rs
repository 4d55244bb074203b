//! Messages over one connection: opened when it is needed, tries and waits.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use postkey::smtp::{EhloName, ReversePath};
use postkey::{Error, Smtp};

use super::batch::Batch;
use super::job::{Again, Finished, Job};
use crate::exit::Failure;
use crate::mail::Access;
use crate::output::Out;
use crate::output::text::time;
use crate::signals::Stop;

/// A session whose token ends within this many seconds is replaced before more is asked of it.
const MARGIN: u64 = 60;

/// How messages are sent.
#[derive(Debug)]
pub(crate) struct Manner {
    /// The name for EHLO.
    pub(crate) ehlo_name: Option<EhloName>,
    /// The envelope sender.
    pub(crate) sender: ReversePath,
    /// Whether those who are accepted get it when others are refused.
    pub(crate) partial: bool,
    /// Whether line ends stay as they are.
    pub(crate) raw: bool,
    /// Whether long messages go by BDAT where the server offers it.
    pub(crate) chunking: bool,
    /// How often to try.
    pub(crate) tries: u32,
    /// The first wait between tries.
    pub(crate) wait: Duration,
}

/// Where messages come from, one after the other.
pub(crate) trait Supply {
    /// The next message, or what became of one that could not be prepared; `None` at the end. While the server waits for others
    /// (`is_busy`), also `None` if it would have to be waited for.
    fn next(&mut self, is_busy: bool) -> Option<Result<Job, Finished>>;
}

/// The session, opened when it is needed.
pub(crate) struct Delivery<'a> {
    access: &'a Access,
    manner: &'a Manner,
    stop: &'a Stop,
    out: Out,
    session: Option<Smtp>,
}

impl<'a> Delivery<'a> {
    /// Sends by this account.
    pub(crate) fn new(access: &'a Access, manner: &'a Manner, stop: &'a Stop, out: Out) -> Self {
        Self { access, manner, stop, out, session: None }
    }

    /// Sends all messages, trying again what may pass. Ends early when others would fail as the last one did.
    pub(crate) async fn send(mut self, supply: &mut dyn Supply) -> Vec<Finished> {
        let mut finished = Vec::new();
        let mut ready = VecDeque::new();
        loop {
            if ready.is_empty() {
                match supply.next(false) {
                    Some(Ok(job)) => ready.push_back(job),
                    Some(Err(unprepared)) => {
                        finished.push(unprepared);
                        continue;
                    }
                    None => break,
                }
            }
            let mut batch = Batch::new(self.access, self.manner, self.stop, supply, ready);
            match self.session().await {
                Ok(session) => {
                    batch.run(session).await;
                    self.drop_closed();
                }
                Err(stopped) => batch.not_begun(stopped),
            }
            let Batch { ready: left, again, finished: done, .. } = batch;
            ready = left;
            let mut over = done.iter().find_map(Finished::ends_all);
            finished.extend(done);
            // Those that are to be tried again go one by one, and before any other.
            for (job, again) in again {
                let done = match over {
                    Some(exit) => job.given_up(&again, exit),
                    None => self.insist(job, again).await,
                };
                over = over.or(done.ends_all());
                finished.push(done);
            }
            if over.is_some() {
                break;
            }
        }
        if let Some(session) = self.session {
            session.quit().await;
        }
        finished.sort_by_key(|message| message.place);
        finished
    }

    /// Tries a message again until it is over.
    async fn insist(&mut self, mut job: Job, mut again: Again) -> Finished {
        loop {
            tracing::info!("to be tried again: {}", again.why);
            self.out.remark(format!("{}; trying again in {}", again.why, time(again.after)));
            let waited = async {
                tokio::time::sleep(again.after).await;
                Ok(())
            };
            if let Err(failure) = self.stop.or(waited).await {
                job.stopped(failure);
                return job.finish();
            }
            again = match self.attempt(&mut job).await {
                Some(again) => again,
                None => return job.finish(),
            };
        }
    }

    async fn attempt(&mut self, job: &mut Job) -> Option<Again> {
        let (envelope, options) = (job.envelope(self.manner), job.options(self.manner));
        let sent = match self.session().await {
            Ok(session) => match job.message.rewind() {
                // From here on it is not interrupted: a message is sent, or it is not.
                Ok(message) => session.send(&envelope, message, &options).await,
                Err(error) => Err(Error::Source(error)),
            },
            Err(Stopped::By(failure)) => {
                job.stopped(failure);
                return None;
            }
            Err(Stopped::Error(error)) => Err(*error),
        };
        self.drop_closed();
        match sent {
            Ok(outcome) => job.answered(outcome, self.manner.partial),
            Err(error) => job.failed(&error, self.access.failed(&error)),
        }
    }

    /// A session that is over is of no use to the next message.
    fn drop_closed(&mut self) {
        self.session.take_if(|session| !session.is_open());
    }

    /// The session, opened if there is none or if its token is about to end.
    async fn session(&mut self) -> Result<&mut Smtp, Stopped> {
        if self.stop.is_requested() {
            return Err(Stopped::By(Failure::interrupted()));
        }
        let ends = self.session.as_ref().and_then(Smtp::token_expires_at);
        if ends_soon(ends)
            && let Some(old) = self.session.take()
        {
            old.quit().await;
        }
        let session = match self.session.take() {
            Some(session) => session,
            None => {
                let localhost = EhloName::address(IpAddr::V4(Ipv4Addr::LOCALHOST));
                let name = self.manner.ehlo_name.as_ref().unwrap_or(&localhost);
                let open = async { Ok(Smtp::open(&self.access.server, &self.access.credential, name).await) };
                self.stop
                    .or(open)
                    .await
                    .map_err(Stopped::By)?
                    .map_err(|error| Stopped::Error(Box::new(error)))?
            }
        };
        Ok(self.session.insert(session))
    }
}

/// Why there is no session.
pub(super) enum Stopped {
    By(Failure),
    Error(Box<Error>),
}

/// Whether a token that ends then is about to.
pub(super) fn ends_soon(at: Option<u64>) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    at.is_some_and(|at| at <= now.saturating_add(MARGIN))
}
