//! The mailboxes of the whole tenant.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::directory::User;
use crate::mail::store::Store;

/// Everybody's mailboxes, made when they are first opened.
#[derive(Debug)]
pub(crate) struct Stores {
    seed: u64,
    messages: usize,
    open: Mutex<HashMap<String, Arc<Store>>>,
}

impl Stores {
    /// Mailboxes of `messages` messages each, unless a user has another number.
    pub(crate) fn new(seed: u64, messages: usize) -> Self {
        Self { seed, messages, open: Mutex::default() }
    }

    /// The mailbox of a user.
    pub(crate) fn of(&self, user: &User) -> Arc<Store> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let store = open.entry(user.upn.to_lowercase()).or_insert_with(|| {
            let n = user.messages.unwrap_or(self.messages);
            Arc::new(Store::seeded(self.seed, &user.upn.to_lowercase(), n))
        });
        Arc::clone(store)
    }
}
