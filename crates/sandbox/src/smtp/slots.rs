//! How many connections a mailbox has for sending.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Connections that one mailbox may send on at the same time.
const LIMIT: usize = 3;

/// Connections per mailbox.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slots(Arc<Mutex<HashMap<String, usize>>>);

/// One connection's right to send, until it is dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    slots: Slots,
    mailbox: String,
}

impl Slots {
    /// Takes a slot of this mailbox, if one is free.
    pub(crate) fn take(&self, mailbox: &str) -> Option<Slot> {
        let mailbox = mailbox.to_lowercase();
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let n = taken.entry(mailbox.clone()).or_default();
        if *n >= LIMIT {
            return None;
        }
        *n += 1;
        Some(Slot { slots: self.clone(), mailbox })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.slots.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(n) = taken.get_mut(&self.mailbox) {
            *n = n.saturating_sub(1);
            if *n == 0 {
                taken.remove(&self.mailbox);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_per_mailbox_and_back_again() {
        let slots = Slots::default();
        let mut held: Vec<Slot> = (0..LIMIT).map(|_| slots.take("ana@contoso.example").unwrap()).collect();
        assert!(slots.take("ANA@contoso.example").is_none());
        assert!(slots.take("bjorn@contoso.example").is_some());
        held.pop();
        assert!(slots.take("ana@contoso.example").is_some());
        drop(held);
        assert!(slots.0.lock().unwrap().is_empty());
    }
}
