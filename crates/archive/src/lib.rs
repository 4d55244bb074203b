//! Mail to disk: one mailbox to a Maildir++, durable and resumable.
//!
//! Two halves. The storing half, everything below, is synchronous, knows no protocol, and needs a Unix: whoever has messages
//! gives them to a [`Folder`]. The other half, [`download`], is the one caller most people want: a mailbox over IMAP or POP3, resumed,
//! reconnected, and reported.
//!
//! ```
//! # fn main() -> postkey_archive::Result<()> {
//! # let dir = tempfile::tempdir().unwrap();
//! # let root = dir.path().join("mail");
//! use postkey_archive::{Flags, FolderName, Maildir, Meta, Options};
//!
//! let maildir = Maildir::open(&root, Options::default())?;
//! let mut folder = maildir.folder(&FolderName::new("Archive/2024", Some('/')))?;
//! folder.begin_generation(1_700_000_000)?;          // the server's UIDVALIDITY
//! for (uid, body) in [(7, "Subject: a\r\n\r\n"), (9, "Subject: b\r\n\r\n")] {
//!     if !folder.contains(uid) {
//!         let mut message = folder.begin(Meta { flags: Flags::SEEN, ..Meta::new(uid) })?;
//!         message.write(body.as_bytes())?;          // as many pieces as there are
//!         folder.finish(message)?;
//!     }
//! }
//! let stored = folder.close()?;                     // now they are on disk
//! assert_eq!(stored.messages, 2);
//! # Ok(()) }
//! ```
//!
//! # What is promised
//!
//! * A message is in `cur` or `new` whole or not at all.
//! * It is there once, however often a download is repeated and wherever it was interrupted.
//! * When [`Folder::flush`] or [`Folder::close`] returns, what was accepted survives a power cut
//!   ([`Durability::Full`]); what does not is named in the error.
//! * Nothing is deleted, neither when the server deletes a message nor when UIDVALIDITY changes.
//! * Nothing is written outside the target, whatever the server calls its folders.
//!
//! # On disk
//!
//! ```text
//! target/                    INBOX, and below it:
//!   cur/ new/ tmp/           messages; the name is described in `file_name.rs`
//!   postkey.journal          which messages are stored
//!   postkey.uidl             after a download over POP3: which unique-id is which UID
//!   postkey.lock             locked while the target is open
//!   postkey.mailbox          whose mailbox this is
//!   .Archive.2024/           every other folder; how names become directories is described in `folder_dir.rs`
//!     cur/ new/ tmp/ maildirfolder postkey.journal
//!     postkey.folder         the folder's exact name
//! ```
//!
//! No file of ours begins with a dot, because in the root of a Maildir++ that would make it a folder. Directories
//! are 0700 and files 0600.
//!
//! A message without flags goes to `new`, one with flags to `cur`. Keywords have no letters in a Maildir and are not
//! kept, `$Forwarded` excepted. The bytes are those that the server sent: lines end in CRLF, which Dovecot and others
//! read as well as LF. The modification time is the internal date. Folder names are UTF-8 on disk; Dovecot must be told so
//! (`mail_location = maildir:PATH:UTF-8`).
//!
//! # How it works
//!
//! A message is written to `tmp` by the caller's thread, in a single write if it is small. Finished messages
//! collect in a batch. A full batch goes to one background thread, which flushes the file system once (`syncfs`),
//! renames all files, flushes the directories, and then appends to the folder's journal and flushes that, while the caller is
//! already downloading the next batch (`commit.rs`). One more full batch may wait; then the caller does.
//!
//! The journal is a cache of the directories that can be trusted if its last record says that the folder was closed
//! and neither `cur` nor `new` has changed since. Otherwise both are read, and because the name of a file says which
//! message it is, what is missing in the journal is added, be it everything. A journal that is damaged is copied
//! aside and rebuilt.
//!
//! When UIDVALIDITY changes, a new generation of UIDs begins. The files of the earlier ones stay where they are; a
//! message that arrives with the same content as one of them gets that file instead of a new one (`matcher.rs`).
//!
//! Directories are opened once, without following symbolic links, and used by descriptor.
//!
//! Every system call that changes the disk goes through `disk.rs`, where the tests watch it, make it fail, or kill
//! the process.

#![cfg(unix)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod commit;
mod committer;
mod delivery;
mod dirs;
mod disk;
pub mod download;
mod error;
mod file_name;
mod flags;
mod folder;
mod folder_dir;
mod folder_name;
mod journal;
mod matcher;
mod options;
mod scan;
mod shared;
mod state;
mod target;
#[cfg(test)]
mod tests;

pub use delivery::{Delivery, Meta};
pub use error::{Error, Kind, Reason, Result};
pub use flags::Flags;
pub use folder::{FlagUpdate, Folder, Generation};
pub use folder_name::FolderName;
pub use options::{Durability, Options};
pub use shared::Committed;
pub use target::Maildir;
