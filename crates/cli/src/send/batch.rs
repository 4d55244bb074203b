//! Messages that share a connection: the commands of one travel with the end of the one before.

use std::collections::VecDeque;

use postkey::smtp::{Envelope, Options, Outcome, Queue};
use postkey::{Error, Smtp};
use tokio::io::AsyncRead;

use super::deliver::{Manner, Stopped, Supply, ends_soon};
use super::job::{Again, Finished, Job};
use crate::mail::Access;
use crate::signals::Stop;

/// A run of messages over one session. It ends early when one is to be tried again: whatever made the server refuse it would
/// meet those behind it as well, and they wait with it.
pub(super) struct Batch<'a> {
    access: &'a Access,
    manner: &'a Manner,
    stop: &'a Stop,
    supply: &'a mut dyn Supply,
    /// When the session's token ends.
    token_ends: Option<u64>,
    /// Ready and not tried.
    pub(super) ready: VecDeque<Job>,
    /// Given to the session and not heard of, with their places there.
    out: VecDeque<(usize, Job)>,
    given: usize,
    /// To be tried again.
    pub(super) again: Vec<(Job, Again)>,
    /// Over.
    pub(super) finished: Vec<Finished>,
}

impl<'a> Batch<'a> {
    /// Begins with those that are `ready`, and goes on with what the supply has.
    pub(super) fn new(
        access: &'a Access,
        manner: &'a Manner,
        stop: &'a Stop,
        supply: &'a mut dyn Supply,
        ready: VecDeque<Job>,
    ) -> Self {
        Self {
            access,
            manner,
            stop,
            supply,
            token_ends: None,
            ready,
            out: VecDeque::new(),
            given: 0,
            again: Vec::new(),
            finished: Vec::new(),
        }
    }

    /// Sends them. Those that were not begun are [`ready`](Self::ready) afterwards.
    pub(super) async fn run(&mut self, session: &mut Smtp) {
        self.token_ends = session.token_expires_at();
        let sent = session.send_queue(self).await;
        let mut unheard = std::mem::take(&mut self.out).into_iter().map(|(_, job)| job);
        if let Err(error) = sent
            && let Some(job) = unheard.next()
        {
            self.failed(job, &error);
        }
        // In front of those that were ready, in their order.
        let behind = std::mem::take(&mut self.ready);
        self.ready = unheard.chain(behind).collect();
    }

    /// There is no session for them.
    pub(super) fn not_begun(&mut self, stopped: Stopped) {
        let Some(mut job) = self.ready.pop_front() else { return };
        match stopped {
            Stopped::By(failure) => {
                job.stopped(failure);
                self.finished.push(job.finish());
            }
            Stopped::Error(error) => self.failed(job, &error),
        }
    }

    /// A try of this message ended in an error.
    fn failed(&mut self, mut job: Job, error: &Error) {
        let again = job.failed(error, self.access.failed(error));
        self.sort(job, again);
    }

    fn sort(&mut self, job: Job, again: Option<Again>) {
        match again {
            Some(again) => self.again.push((job, again)),
            None => self.finished.push(job.finish()),
        }
    }

    /// Whether the session is to send no other message.
    fn is_over(&self) -> bool {
        !self.again.is_empty() || self.stop.is_requested() || ends_soon(self.token_ends)
    }

    fn take(&mut self) -> Option<Job> {
        if let Some(job) = self.ready.pop_front() {
            return Some(job);
        }
        loop {
            match self.supply.next(self.given > 0)? {
                Ok(job) => return Some(job),
                Err(finished) => self.finished.push(finished),
            }
        }
    }
}

impl Queue for Batch<'_> {
    fn next(&mut self) -> Option<(Envelope, Options)> {
        loop {
            if self.given > 0 && self.is_over() {
                return None;
            }
            let mut job = self.take()?;
            if let Err(error) = job.message.rewind() {
                self.failed(job, &Error::Source(error));
                continue;
            }
            let message = (job.envelope(self.manner), job.options(self.manner));
            self.out.push_back((self.given, job));
            self.given = self.given.saturating_add(1);
            return Some(message);
        }
    }

    fn source(&mut self, place: usize) -> Option<&mut (dyn AsyncRead + Unpin + Send)> {
        let (_, job) = self.out.iter_mut().find(|(at, _)| *at == place)?;
        Some(&mut job.message)
    }

    fn done(&mut self, place: usize, result: Result<Outcome, Error>) {
        let Some(at) = self.out.iter().position(|(at, _)| *at == place) else { return };
        let Some((_, mut job)) = self.out.remove(at) else { return };
        match result {
            Ok(outcome) => {
                let again = job.answered(outcome, self.manner.partial);
                self.sort(job, again);
            }
            Err(error) => self.failed(job, &error),
        }
    }
}
