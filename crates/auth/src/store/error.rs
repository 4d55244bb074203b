//! What can be wrong with a store.

use std::io;
use std::path::PathBuf;

/// Why a file or folder is not trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unsafe {
    /// It is a symbolic link.
    #[error("it is a symbolic link")]
    Symlink,
    /// It belongs to another user.
    #[error("it belongs to user {0}, not to the user this program runs as")]
    Owner(u32),
    /// Others may read or write it.
    #[error("others have access to it (mode {0:04o}); take it away with chmod go-rwx")]
    Mode(u32),
    /// It is neither a plain file nor, where one is needed, a folder.
    #[error("it is not the kind of file expected here")]
    Kind,
}

/// A failure of the token store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A file or folder that somebody else could read or replace (AU-41).
    #[error("the token store does not use {}: {reason}.", path.display())]
    Unsafe {
        /// The file or folder.
        path: PathBuf,
        /// Why it is not trusted.
        reason: Unsafe,
    },
    /// There is no key to open the store with (AU-43).
    #[error("the token store's key is not available: {reason}.")]
    KeyUnavailable {
        /// What is missing and what to do.
        reason: String,
    },
    /// The store's key is there, but damaged. It is left as it is, and so is every entry.
    #[error(
        "the store's key {} is damaged; it is left as it is, and so are the entries. Restore it from a backup; or, if it \
         is lost, remove the store's folder and sign in again.", path.display()
    )]
    KeyDamaged {
        /// The key's file.
        path: PathBuf,
    },
    /// A keyring does not do what is asked.
    #[error("{name} cannot {action}: {reason}. See that it runs and is unlocked.")]
    Keyring {
        /// Which one.
        name: &'static str,
        /// What was tried.
        action: &'static str,
        /// Its answer.
        reason: String,
    },
    /// Sealed tokens cannot be made or opened. Nothing was changed.
    #[error("the sealed tokens cannot be used: {reason}.")]
    Transfer {
        /// Why, and what to do.
        reason: String,
    },
    /// The store holds tokens that are newer than those to be restored. They were kept.
    #[error(
        "the store holds newer tokens of account {account:?}, which were kept. Overwrite them on purpose if the others \
         are meant."
    )]
    Newer {
        /// The account.
        account: String,
        /// When the stored ones were obtained, in seconds since 1970.
        stored: u64,
        /// When those to be restored were obtained, in seconds since 1970.
        offered: u64,
    },
    /// The entry was written under another key. It is left as it is (AU-43).
    #[error(
        "{} was encrypted under another key; it is left as it is. Give the right key, or remove the file \
         and sign in again.", path.display()
    )]
    WrongKey {
        /// The entry's file.
        path: PathBuf,
    },
    /// The entry is damaged (AU-42).
    #[error("{} is damaged and cannot be read{}. Sign in again.", path.display(), kept(set_aside.as_ref()))]
    Corrupt {
        /// The entry's file.
        path: PathBuf,
        /// Where the damaged file is now, if it could be set aside.
        set_aside: Option<PathBuf>,
    },
    /// The entry was written by a newer program (AU-44). It is left as it is.
    #[error(
        "{} has format {found}, which this program does not know; it is left as it is. Use the newer \
         program.", path.display()
    )]
    Version {
        /// The entry's file.
        path: PathBuf,
        /// The format's number.
        found: u8,
    },
    /// The entry's lock could not be taken (AU-39).
    #[error("the token store's lock cannot be taken: {reason}.")]
    Lock {
        /// Why, and what to do.
        reason: String,
    },
    /// The system refused to read or write.
    #[error("cannot {action} {}: {source}.", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// No randomness, or the cipher failed: nothing was written.
    #[error("the token could not be encrypted; nothing was written. This points at a broken system.")]
    Cipher,
}

fn kept(set_aside: Option<&PathBuf>) -> String {
    set_aside.map(|path| format!("; it was kept as {}", path.display())).unwrap_or_default()
}
