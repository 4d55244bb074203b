//! Tokens kept between runs, shared by threads and processes.
//!
//! A store holds one [`Record`] per [`EntryKey`]. [`access_token`] is the way to a token: it reads without a
//! lock, and only when the token is near its end takes the entry's lock, reads again, refreshes once, writes,
//! and then returns. Methods of a store block for as long as the disk needs, waits for locks excepted: those
//! are the caller's.

#[cfg(all(unix, feature = "age"))]
pub mod age;
mod entry;
mod error;
#[cfg(unix)]
mod file;
mod flight;
#[cfg(unix)]
mod folder;
#[cfg(unix)]
mod key;
#[cfg(all(unix, feature = "keyring"))]
mod keyring;
#[cfg(all(unix, feature = "keyring"))]
mod keyring_store;
mod lent;
mod memory;
#[cfg(unix)]
mod owner;
mod renewal;
#[cfg(unix)]
mod seal;
#[cfg(all(unix, feature = "age"))]
mod transfer;

pub use entry::{Cause, EntryKey, Failure, Record};
pub use error::{StoreError, Unsafe};
#[cfg(unix)]
pub use file::FileStore;
pub use flight::{Issued, Source, Wanted, access_token, cached, remove, save};
#[cfg(all(unix, feature = "age"))]
pub use key::AgeKey;
#[cfg(all(unix, feature = "keyring"))]
pub use key::KeyringKey;
#[cfg(unix)]
pub use key::{KeySource, rewrap};
#[cfg(all(unix, feature = "keyring"))]
pub use keyring::Keyring;
#[cfg(all(unix, feature = "keyring"))]
pub use keyring_store::KeyringStore;
pub use lent::access_token_by;
pub use memory::MemoryStore;
pub use renewal::{Policy, Renewal};
#[cfg(all(unix, feature = "age"))]
pub use transfer::{export, import, restore};

/// Exclusive hold on one entry; dropping it lets go.
pub struct Lock {
    _held: Box<dyn Send + Sync>,
}

impl Lock {
    /// Wraps whatever lets go of the lock when it is dropped.
    pub fn new(held: impl Send + Sync + 'static) -> Self {
        Self { _held: Box::new(held) }
    }
}

impl std::fmt::Debug for Lock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lock")
    }
}

/// What [`TokenStore::list`] found.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Listing {
    /// The entries that can be read.
    pub entries: Vec<EntryKey>,
    /// What is wrong with the others.
    pub problems: Vec<StoreError>,
}

/// A place for tokens.
///
/// What implementations promise: a reader sees a whole record or none; `save` has returned only when the
/// record would survive a loss of power; a record that cannot be read is never overwritten or deleted without
/// a trace; locks exclude threads of one process as well as processes, and end with their holder.
pub trait TokenStore: Send + Sync {
    /// Reads a record, without a lock.
    ///
    /// # Errors
    ///
    /// Any [`StoreError`]; [`StoreError::Corrupt`] after the record was set aside.
    fn load(&self, key: &EntryKey) -> Result<Option<Record>, StoreError>;

    /// Takes the entry's lock if it is free; `None` if somebody holds it. Does not wait.
    ///
    /// # Errors
    ///
    /// [`StoreError::Lock`] if there can be no locks here.
    fn try_lock(&self, key: &EntryKey) -> Result<Option<Lock>, StoreError>;

    /// Reads a record under its lock.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    fn load_locked(&self, lock: &Lock, key: &EntryKey) -> Result<Option<Record>, StoreError>;

    /// Makes sure, before a refresh token is spent, that the new one can be written.
    ///
    /// # Errors
    ///
    /// Any [`StoreError`].
    fn reserve(&self, lock: &Lock, key: &EntryKey) -> Result<(), StoreError>;

    /// Replaces the record, durably and at once.
    ///
    /// # Errors
    ///
    /// Any [`StoreError`]; the old record is then still there, unless the new one is found whole by the next to take the
    /// lock.
    fn save(&self, lock: &Lock, key: &EntryKey, record: &Record) -> Result<(), StoreError>;

    /// Deletes the record; says whether there was one.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`].
    fn remove(&self, lock: &Lock, key: &EntryKey) -> Result<bool, StoreError>;

    /// Every entry.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`] if the store cannot be read at all.
    fn list(&self) -> Result<Listing, StoreError>;
}
