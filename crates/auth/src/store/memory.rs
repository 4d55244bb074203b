//! A store that ends with its process.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{EntryKey, Listing, Lock, Record, StoreError, TokenStore};

/// Tokens in memory: for tests, and for programs that keep tokens somewhere of their own.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    records: Arc<Mutex<BTreeMap<EntryKey, Record>>>,
    held: Arc<Mutex<BTreeSet<EntryKey>>>,
}

struct Held {
    all: Arc<Mutex<BTreeSet<EntryKey>>>,
    key: EntryKey,
}

impl Drop for Held {
    fn drop(&mut self) {
        open(&self.all).remove(&self.key);
    }
}

/// The maps stay whole whatever a panicking holder did, so a poisoned lock is no reason to fail.
fn open<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl TokenStore for MemoryStore {
    fn load(&self, key: &EntryKey) -> Result<Option<Record>, StoreError> {
        Ok(open(&self.records).get(key).cloned())
    }

    fn try_lock(&self, key: &EntryKey) -> Result<Option<Lock>, StoreError> {
        let free = open(&self.held).insert(key.clone());
        Ok(free.then(|| Lock::new(Held { all: self.held.clone(), key: key.clone() })))
    }

    fn load_locked(&self, _lock: &Lock, key: &EntryKey) -> Result<Option<Record>, StoreError> {
        self.load(key)
    }

    fn reserve(&self, _lock: &Lock, _key: &EntryKey) -> Result<(), StoreError> {
        Ok(())
    }

    fn save(&self, _lock: &Lock, key: &EntryKey, record: &Record) -> Result<(), StoreError> {
        open(&self.records).insert(key.clone(), record.clone());
        Ok(())
    }

    fn remove(&self, _lock: &Lock, key: &EntryKey) -> Result<bool, StoreError> {
        Ok(open(&self.records).remove(key).is_some())
    }

    fn list(&self) -> Result<Listing, StoreError> {
        Ok(Listing { entries: open(&self.records).keys().cloned().collect(), problems: Vec::new() })
    }
}
