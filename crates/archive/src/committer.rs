//! The background thread that commits batches while the caller downloads the next.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

use crate::commit::{Job, commit};
use crate::error::{Error, Result};
use crate::shared::lock;

/// A queue of batches and the thread that empties it.
///
/// The queue holds at most about one full batch besides the one being committed; many small ones (of folders with
/// few messages) fit and are then committed with one flush.
pub(crate) struct Committer {
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
    max_messages: usize,
    max_bytes: u64,
}

#[derive(Default)]
struct Queue {
    state: Mutex<QueueState>,
    changed: Condvar,
}

#[derive(Default)]
struct QueueState {
    jobs: VecDeque<Job>,
    messages: usize,
    bytes: u64,
    busy: bool,
    closing: bool,
    dead: bool,
}

impl Committer {
    pub(crate) fn start(max_messages: usize, max_bytes: u64) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::default());
        let theirs = Arc::clone(&queue);
        let thread =
            std::thread::Builder::new().name("postkey-archive".into()).spawn(move || run(&theirs))?;
        Ok(Self { queue, thread: Some(thread), max_messages, max_bytes })
    }

    /// Hands a batch over; waits while the queue is full.
    pub(crate) fn submit(&self, job: Job) -> Result<()> {
        let (messages, bytes) = (job.batch.messages.len(), job.batch.bytes);
        let mut state = lock(&self.queue.state);
        loop {
            if state.dead {
                return Err(Error::CommitterGone);
            }
            let fits = state.messages.saturating_add(messages) <= self.max_messages
                && state.bytes.saturating_add(bytes) <= self.max_bytes;
            if fits || state.jobs.is_empty() {
                break;
            }
            state = self.queue.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.messages = state.messages.saturating_add(messages);
        state.bytes = state.bytes.saturating_add(bytes);
        state.jobs.push_back(job);
        self.queue.changed.notify_all();
        Ok(())
    }

    /// Waits until everything handed over has been committed.
    pub(crate) fn wait(&self) -> Result<()> {
        let mut state = lock(&self.queue.state);
        while !state.jobs.is_empty() || state.busy {
            if state.dead {
                return Err(Error::CommitterGone);
            }
            state = self.queue.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }
}

impl Drop for Committer {
    /// Commits what is still queued, then ends the thread.
    fn drop(&mut self) {
        lock(&self.queue.state).closing = true;
        self.queue.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(queue: &Queue) {
    /// If a commit panics nobody may wait for it for ever.
    struct Dead<'a>(&'a Queue);
    impl Drop for Dead<'_> {
        fn drop(&mut self) {
            lock(&self.0.state).dead = true;
            self.0.changed.notify_all();
        }
    }
    let _dead = Dead(queue);
    let mut state = lock(&queue.state);
    loop {
        if !state.jobs.is_empty() {
            let jobs = state.jobs.drain(..).collect();
            (state.messages, state.bytes, state.busy) = (0, 0, true);
            drop(state);
            queue.changed.notify_all();
            commit(jobs);
            state = lock(&queue.state);
            state.busy = false;
            queue.changed.notify_all();
        } else if state.closing {
            return;
        } else {
            state = queue.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
