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
