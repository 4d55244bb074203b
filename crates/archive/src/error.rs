//! What can go wrong, and what to do about it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use crate::FolderName;

/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why an operation of the archive failed.
///
/// [`Error::kind`] sorts the variants by what the caller can do about them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process has the target open.
    #[error("{path} is in use by another process{}; wait until it has finished, or choose another target", by(.pid))]
    Locked {
        /// The target's root.
        path: PathBuf,
        /// The process that holds it, if its lock file says so.
        pid: Option<u32>,
    },
    /// The folder is already open in this process.
    #[error("the folder {name} is already open in this process; close it before opening it again")]
    FolderOpen {
        /// The folder.
        name: FolderName,
    },
    /// The directory belongs to somebody else, who could change what is written there.
    #[error(
        "{path} belongs to user {owner}, not to user {user} who is running this; choose a directory of your own, or allow it explicitly"
    )]
    NotOwner {
        /// The directory.
        path: PathBuf,
        /// Its owner's user id.
        owner: u32,
        /// The effective user id of this process.
        user: u32,
    },
    /// Everybody may write into the target's root.
    #[error(
        "{path} can be written by every user of this machine; choose a directory of your own, or take that right away with chmod o-w"
    )]
    WorldWritable {
        /// The directory.
        path: PathBuf,
    },
    /// The target holds another mailbox: UIDs of the two would be taken for each other's.
    #[error(
        "{path} holds the mailbox {stored}, not {asked}; choose another target. If it is the same mailbox by another name, \
         remove the file postkey.mailbox there"
    )]
    OtherMailbox {
        /// The target.
        path: PathBuf,
        /// Whose mail is in it.
        stored: String,
        /// Whose mail was to be written there.
        asked: String,
    },
    /// A symbolic link, a file or something else stands where a directory (or a regular file) belongs.
    #[error(
        "{path} is not {expected} but a symbolic link or something else, and is not followed; move it away"
    )]
    WrongType {
        /// What stands in the way.
        path: PathBuf,
        /// What belongs there.
        expected: &'static str,
    },
    /// The directory for a folder is taken by a different folder of the server.
    #[error(
        "the folder {name} cannot be stored: its directory {path} already holds the folder {other}; rename one of them on the server, or use another target"
    )]
    NameCollision {
        /// The folder asked for.
        name: FolderName,
        /// The folder that has the directory.
        other: FolderName,
        /// The directory.
        path: PathBuf,
    },
    /// A system call failed.
    #[error("cannot {what} {path}: {source}; {}", .reason.advice())]
    Disk {
        /// What was tried, as a verb.
        what: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The class of the failure.
        reason: Reason,
        /// What the system said.
        source: io::Error,
    },
    /// Messages that `finish` had accepted did not reach the disk. They are not in the folder; download them again.
    #[error("{} accepted earlier did not reach the disk and must be downloaded again: {source}", messages(.uids))]
    NotCommitted {
        /// The UIDs that are missing, ascending. Empty if only flag changes or the journal were affected.
        uids: Vec<u32>,
        /// The first failure.
        source: Box<Error>,
    },
    /// The folder's journal could not be written. What is on disk is consistent; open the folder again to go on.
    #[error(
        "the journal of {path} could not be written earlier, so nothing more is stored there; open the folder again when the cause is gone"
    )]
    Stopped {
        /// The folder's directory.
        path: PathBuf,
    },
    /// A message ended with more or fewer bytes than announced. It was discarded.
    #[error(
        "message {uid} has {actual} bytes where {expected} were announced; it was not stored, download it again"
    )]
    Length {
        /// The message.
        uid: u32,
        /// Bytes announced.
        expected: u64,
        /// Bytes seen.
        actual: u64,
    },
    /// The message is already in the folder, or accepted and on its way there.
    #[error("message {uid} is already stored in this folder; nothing was written")]
    AlreadyStored {
        /// The message.
        uid: u32,
    },
    /// A call that the folder's state does not allow: a mistake of the calling program.
    #[error("{0}")]
    Misuse(&'static str),
    /// The background thread that publishes messages is gone.
    #[error("the background thread that writes to disk has ended; open the target again")]
    CommitterGone,
}

/// What the caller can do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Somebody else is using the target or folder: try again later.
    Busy,
    /// The target is not safe to write to: choose another.
    Unsafe,
    /// The target holds another mailbox: choose another.
    OtherMailbox,
    /// Two folders would share one directory.
    NameCollision,
    /// No space left, or a quota is used up: make room, run again.
    NoSpace,
    /// Permission is missing, or the file system is read-only.
    Permission,
    /// A limit of the system was hit (open files, name length), or the file system cannot do what Maildir needs.
    Unsupported,
    /// The device or the system failed in another way.
    Io,
    /// One message was refused; others go on.
    Message,
    /// The calling program made a mistake.
    Misuse,
}

/// The class of a failed system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// ENOSPC.
    NoSpace,
    /// EDQUOT.
    Quota,
    /// EACCES or EPERM.
    Permission,
    /// EROFS.
    ReadOnly,
    /// EMFILE or ENFILE.
    TooManyFiles,
    /// ENAMETOOLONG.
    NameTooLong,
    /// EINVAL, ENOSYS or EOPNOTSUPP: the file system lacks something, for example colons in names.
    Unsupported,
    /// Anything else.
    Other,
}

impl Reason {
    pub(crate) fn of(errno: Errno) -> Self {
        match errno {
            Errno::NOSPC => Self::NoSpace,
            Errno::DQUOT => Self::Quota,
            Errno::ACCESS | Errno::PERM => Self::Permission,
            Errno::ROFS => Self::ReadOnly,
            Errno::MFILE | Errno::NFILE => Self::TooManyFiles,
            Errno::NAMETOOLONG => Self::NameTooLong,
            Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP => Self::Unsupported,
            _ => Self::Other,
        }
    }

    fn advice(self) -> &'static str {
        match self {
            Self::NoSpace => "make room on that file system and run again, nothing stored so far is lost",
            Self::Quota => {
                "your disk quota is used up; make room and run again, nothing stored so far is lost"
            }
            Self::Permission => "give yourself the right to write there, or choose another target",
            Self::ReadOnly => "the file system is read-only; remount it writable or choose another target",
            Self::TooManyFiles => "raise the limit on open files (ulimit -n) and run again",
            Self::NameTooLong => "choose a target with a shorter path or another file system",
            Self::Unsupported => {
                "the file system may not support what Maildir needs (colons in names, locks); choose another"
            }
            Self::Other => "check the disk and the system log, then run again",
        }
    }
}

impl Error {
    /// What the caller can do about it.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Locked { .. } | Self::FolderOpen { .. } => Kind::Busy,
            Self::NotOwner { .. } | Self::WorldWritable { .. } | Self::WrongType { .. } => Kind::Unsafe,
            Self::OtherMailbox { .. } => Kind::OtherMailbox,
            Self::NameCollision { .. } => Kind::NameCollision,
            Self::Disk { reason, .. } => match reason {
                Reason::NoSpace | Reason::Quota => Kind::NoSpace,
                Reason::Permission | Reason::ReadOnly => Kind::Permission,
                Reason::TooManyFiles | Reason::NameTooLong | Reason::Unsupported => Kind::Unsupported,
                Reason::Other => Kind::Io,
            },
            Self::NotCommitted { source, .. } => source.kind(),
            Self::Stopped { .. } | Self::CommitterGone => Kind::Io,
            Self::Length { .. } | Self::AlreadyStored { .. } => Kind::Message,
            Self::Misuse(_) => Kind::Misuse,
        }
    }

    pub(crate) fn disk(what: &'static str, path: impl AsRef<Path>, errno: Errno) -> Self {
        let path = path.as_ref().to_path_buf();
        Self::Disk { what, path, reason: Reason::of(errno), source: errno.into() }
    }
}

fn by(pid: &Option<u32>) -> String {
    pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
}

/// Names the messages; long lists are cut, the full list is in the variant.
fn messages(uids: &[u32]) -> impl fmt::Display {
    use fmt::Write as _;
    const SHOWN: usize = 10;
    let mut text = match uids.len() {
        0 => return "changes".to_owned(),
        1 => "message ".to_owned(),
        n => format!("{n} messages "),
    };
    for (i, uid) in uids.iter().take(SHOWN).enumerate() {
        let _ = write!(text, "{}{uid}", if i == 0 { "(UID " } else { ", " });
    }
    text.push_str(if uids.len() > SHOWN { ", …)" } else { ")" });
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_of_the_system_are_told_apart() {
        let kind = |errno| Error::disk("write", "/x", errno).kind();
        assert_eq!(kind(Errno::NOSPC), Kind::NoSpace);
        assert_eq!(kind(Errno::DQUOT), Kind::NoSpace);
        assert_eq!(kind(Errno::ACCESS), Kind::Permission);
        assert_eq!(kind(Errno::ROFS), Kind::Permission);
        assert_eq!(kind(Errno::MFILE), Kind::Unsupported);
        assert_eq!(kind(Errno::IO), Kind::Io);
        let source = Box::new(Error::disk("write", "/x", Errno::NOSPC));
        let error = Error::NotCommitted { uids: vec![4, 9], source };
        assert_eq!(error.kind(), Kind::NoSpace);
        let text = error.to_string();
        assert!(text.contains("2 messages (UID 4, 9)") && text.contains("make room"), "{text}");
    }
}
