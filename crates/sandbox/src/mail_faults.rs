//! Misbehaviour of a mail server on demand: what is switched on, whatever the protocol.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A fault, and how many opportunities it lets pass before.
#[derive(Debug)]
struct Waiting<F> {
    fault: F,
    passes: usize,
}

/// Faults in force, in the order in which they were switched on.
#[derive(Debug)]
pub(crate) struct MailFaults<F>(Mutex<VecDeque<Waiting<F>>>);

impl<F> Default for MailFaults<F> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<F: PartialEq> MailFaults<F> {
    pub(crate) fn inject(&self, fault: F) {
        self.inject_after(0, fault);
    }

    /// Switches a fault on that lets so many opportunities pass first.
    pub(crate) fn inject_after(&self, passes: usize, fault: F) {
        self.lock().push_back(Waiting { fault, passes });
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    /// Whether this fault is switched on; it stays.
    pub(crate) fn has(&self, fault: &F) -> bool {
        self.lock().iter().any(|waiting| waiting.passes == 0 && waiting.fault == *fault)
    }

    /// Takes the first fault that `fits`: it is used up.
    pub(crate) fn take(&self, fits: impl Fn(&F) -> bool) -> Option<F> {
        let mut faults = self.lock();
        let due = faults.iter().position(|waiting| waiting.passes == 0 && fits(&waiting.fault));
        for waiting in faults.iter_mut().filter(|waiting| fits(&waiting.fault)) {
            waiting.passes = waiting.passes.saturating_sub(1);
        }
        Some(faults.remove(due?)?.fault)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Waiting<F>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_lets_as_many_pass_as_it_is_told() {
        let faults = MailFaults::default();
        faults.inject_after(2, 'a');
        faults.inject('b');
        let take = |fault: char| faults.take(|f| *f == fault);
        assert_eq!([take('a'), take('b'), take('a')], [None, Some('b'), None]);
        assert!(!faults.has(&'b') && faults.has(&'a'), "it is due");
        assert_eq!([take('a'), take('a')], [Some('a'), None]);
    }
}
