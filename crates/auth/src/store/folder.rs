//! A folder that only its owner can enter: locks, one per entry, and the names of entries.

use std::fs::DirBuilder;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{CWD, Dir, FileType, FlockOperation, Mode, OFlags, flock, openat};
use rustix::io::Errno;

use super::entry::hex;
use super::{Lock, StoreError, owner};

/// How long to wait for another process that makes the key.
const PATIENCE: Duration = Duration::from_secs(150);

/// The folder, opened once; everything is reached through the descriptor, without following links.
pub(super) struct Folder {
    descriptor: OwnedFd,
    path: PathBuf,
}

impl AsFd for Folder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

impl Folder {
    /// Opens `path`, which is created (with its parents, for the owner alone) if it does not exist.
    pub(super) fn open(path: PathBuf) -> Result<Self, StoreError> {
        if let Err(source) = DirBuilder::new().recursive(true).mode(0o700).create(&path) {
            // A dangling link or a file in its place is named as such by the checks below.
            if std::fs::symlink_metadata(&path).is_err() {
                return Err(StoreError::Io { action: "create the token store's folder", path, source });
            }
        }
        Self::opened(open(&path)?, path)
    }

    /// Opens `path`; `None` if it does not exist.
    pub(super) fn existing(path: PathBuf) -> Result<Option<Self>, StoreError> {
        match open(&path) {
            Ok(descriptor) => Self::opened(descriptor, path).map(Some),
            Err(StoreError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn opened(descriptor: OwnedFd, path: PathBuf) -> Result<Self, StoreError> {
        owner::check(&descriptor, FileType::Directory, &path)?;
        Ok(Self { descriptor, path })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The name of an entry's file.
    pub(super) fn name(digest: &[u8; 32], suffix: &str) -> String {
        format!("{}.{suffix}", hex(digest))
    }

    /// Takes an entry's lock if it is free. Its file is never deleted, so that all processes lock the same one.
    pub(super) fn try_lock(&self, digest: &[u8; 32]) -> Result<Option<Lock>, StoreError> {
        let name = Self::name(digest, "lock");
        let path = self.path.join(&name);
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&self.descriptor, &name, flags, Mode::RUSR | Mode::WUSR).map_err(|errno| {
            match owner::open_error("open", &path, errno) {
                error @ StoreError::Unsafe { .. } => error,
                _ => refused(&path, errno),
            }
        })?;
        owner::check(&file, FileType::RegularFile, &path)?;
        try_flock(file, &path)
    }

    /// Holds off others who make the key for the first time, waiting for them if need be.
    pub(super) fn alone(&self) -> Result<Lock, StoreError> {
        let end = Instant::now() + PATIENCE;
        loop {
            // A descriptor of its own, so that the lock ends with it.
            if let Some(lock) = try_flock(open(&self.path)?, &self.path)? {
                return Ok(lock);
            }
            if Instant::now() >= end {
                let reason =
                    "another process has been making the store's key for minutes; see what it waits for";
                return Err(StoreError::Lock { reason: reason.into() });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The entries that have a file with this suffix.
    pub(super) fn digests(&self, suffix: &str) -> Result<Vec<[u8; 32]>, StoreError> {
        let io = |errno| owner::io("list", &self.path, errno);
        let mut found = Vec::new();
        for file in Dir::read_from(&self.descriptor).map_err(io)? {
            let file = file.map_err(io)?;
            let name = file.file_name().to_bytes().strip_suffix(suffix.as_bytes());
            if let Some(digest) = name.and_then(|name| unhex(name.strip_suffix(b".")?)) {
                found.push(digest);
            }
        }
        Ok(found)
    }
}

fn open(path: &Path) -> Result<OwnedFd, StoreError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(CWD, path, flags, Mode::empty())
        .map_err(|errno| owner::open_error("open the token store's folder", path, errno))
}

fn try_flock(file: OwnedFd, path: &Path) -> Result<Option<Lock>, StoreError> {
    loop {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(Some(Lock::new(file))),
            Err(Errno::WOULDBLOCK) => return Ok(None),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(refused(path, errno)),
        }
    }
}

fn refused(path: &Path, errno: Errno) -> StoreError {
    StoreError::Lock {
        reason: format!(
            "{}: {errno}; the token store must be in a folder on this machine that can be written",
            path.display()
        ),
    }
}

fn unhex(text: &[u8]) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (octet, pair) in digest.iter_mut().zip(text.chunks_exact(2)) {
        *octet = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(digest)
}
