//! Every system call that changes the disk, each in one function.
//!
//! In tests a probe is asked before each call; it records the order, makes the call fail, or kills the process
//! there. That is how "stopped at any step" and "no space at any step" are tested. Outside tests it costs nothing.

use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, Mode, OFlags, Timespec, Timestamps};
use rustix::io::Errno;

pub(crate) type Result<T> = std::result::Result<T, Errno>;

/// What a call does; the name given along with it says to what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(not(test), allow(dead_code, reason = "only the probe of the tests reads it"))]
pub(crate) enum Op {
    MakeDir,
    Create,
    Write,
    Times,
    Rename,
    Unlink,
    SyncData,
    SyncFile,
    SyncDir,
    Append,
    Truncate,
}

#[cfg(test)]
pub(crate) type Probe = dyn Fn(Op, &[u8]) -> Result<()> + Send + Sync;

#[derive(Clone, Default)]
pub(crate) struct Disk {
    #[cfg(test)]
    pub(crate) probe: Option<std::sync::Arc<Probe>>,
}

impl std::fmt::Debug for Disk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Disk")
    }
}

impl Disk {
    #[cfg(test)]
    fn before(&self, op: Op, name: &[u8]) -> Result<()> {
        self.probe.as_ref().map_or(Ok(()), |probe| probe(op, name))
    }

    #[cfg(not(test))]
    #[inline(always)]
    #[allow(clippy::unnecessary_wraps, reason = "the tests' twin fails")]
    fn before(&self, _: Op, _: &[u8]) -> Result<()> {
        Ok(())
    }

    /// A directory for its owner only.
    pub(crate) fn make_dir(&self, dir: BorrowedFd<'_>, name: &[u8]) -> Result<()> {
        self.before(Op::MakeDir, name)?;
        rustix::fs::mkdirat(dir, name, Mode::RWXU)
    }

    /// A new file for its owner only; it must not be there yet.
    pub(crate) fn create(&self, dir: BorrowedFd<'_>, name: &[u8]) -> Result<OwnedFd> {
        self.before(Op::Create, name)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        rustix::fs::openat(dir, name, flags, Mode::RUSR | Mode::WUSR)
    }

    /// Writes `head`, then `tail`, both whole, in as few calls as possible.
    pub(crate) fn write(&self, file: BorrowedFd<'_>, head: &[u8], tail: &[u8]) -> Result<()> {
        self.before(Op::Write, b"")?;
        let (mut head, mut tail) = (head, tail);
        while !head.is_empty() || !tail.is_empty() {
            let result = if head.is_empty() {
                rustix::io::write(file, tail)
            } else if tail.is_empty() {
                rustix::io::write(file, head)
            } else {
                rustix::io::writev(file, &[std::io::IoSlice::new(head), std::io::IoSlice::new(tail)])
            };
            let n = match result {
                Ok(0) => return Err(Errno::IO),
                Ok(n) => n,
                Err(Errno::INTR) => continue,
                Err(errno) => return Err(errno),
            };
            let of_head = n.min(head.len());
            head = head.get(of_head..).unwrap_or_default();
            tail = tail.get(n.saturating_sub(of_head)..).unwrap_or_default();
        }
        Ok(())
    }

    /// Sets the modification time; the access time stays.
    pub(crate) fn set_modified(&self, file: BorrowedFd<'_>, unix_seconds: i64) -> Result<()> {
        self.before(Op::Times, b"")?;
        let last_access = Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_OMIT };
        let last_modification = Timespec { tv_sec: unix_seconds, tv_nsec: 0 };
        rustix::fs::futimens(file, &Timestamps { last_access, last_modification })
    }

    pub(crate) fn rename(
        &self,
        from: BorrowedFd<'_>,
        old: &[u8],
        to: BorrowedFd<'_>,
        new: &[u8],
    ) -> Result<()> {
        self.before(Op::Rename, new)?;
        rustix::fs::renameat(from, old, to, new)
    }

    pub(crate) fn unlink(&self, dir: BorrowedFd<'_>, name: &[u8]) -> Result<()> {
        self.before(Op::Unlink, name)?;
        rustix::fs::unlinkat(dir, name, AtFlags::empty())
    }

    /// Everything written so far to the file system that `dir` is on reaches the disk. Linux only: `false` means
    /// that nothing happened and each file must be synced by itself.
    pub(crate) fn sync_data(&self, dir: BorrowedFd<'_>) -> Result<bool> {
        self.before(Op::SyncData, b"")?;
        #[cfg(target_os = "linux")]
        {
            match rustix::fs::syncfs(dir) {
                Ok(()) => Ok(true),
                Err(Errno::NOSYS | Errno::INVAL | Errno::OPNOTSUPP) => Ok(false),
                Err(errno) => Err(errno),
            }
        }
        #[cfg(not(target_os = "linux"))]
        {
            let _ = dir;
            Ok(false)
        }
    }

    /// One file's content and size reach the disk.
    pub(crate) fn sync_file(&self, file: BorrowedFd<'_>, name: &[u8]) -> Result<()> {
        self.before(Op::SyncFile, name)?;
        #[cfg(not(target_vendor = "apple"))]
        return rustix::fs::fdatasync(file);
        #[cfg(target_vendor = "apple")]
        return rustix::fs::fsync(file);
    }

    /// A directory's entries reach the disk.
    pub(crate) fn sync_dir(&self, dir: BorrowedFd<'_>, name: &[u8]) -> Result<()> {
        self.before(Op::SyncDir, name)?;
        match rustix::fs::fsync(dir) {
            // some network file systems cannot; their renames are durable when they return
            Err(Errno::INVAL) => Ok(()),
            other => other,
        }
    }

    /// Appends to a file opened for appending.
    pub(crate) fn append(&self, file: BorrowedFd<'_>, bytes: &[u8]) -> Result<()> {
        self.before(Op::Append, bytes)?;
        self.write(file, bytes, b"")
    }

    pub(crate) fn truncate(&self, file: BorrowedFd<'_>, len: u64) -> Result<()> {
        self.before(Op::Truncate, b"")?;
        rustix::fs::ftruncate(file, len)
    }
}
