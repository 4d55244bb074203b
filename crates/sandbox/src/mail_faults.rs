//! Misbehaviour of a mail server on demand: what is switched on, whatever the protocol.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Faults in force, in the order in which they were switched on.
#[derive(Debug)]
pub(crate) struct MailFaults<F>(Mutex<VecDeque<F>>);

impl<F> Default for MailFaults<F> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<F: PartialEq> MailFaults<F> {
    pub(crate) fn inject(&self, fault: F) {
        self.lock().push_back(fault);
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    /// Whether this fault is switched on; it stays.
    pub(crate) fn has(&self, fault: &F) -> bool {
        self.lock().contains(fault)
    }

    /// Takes the first fault that `fits`: it is used up.
    pub(crate) fn take(&self, fits: impl Fn(&F) -> bool) -> Option<F> {
        let mut faults = self.lock();
        let at = faults.iter().position(fits)?;
        faults.remove(at)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<F>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
