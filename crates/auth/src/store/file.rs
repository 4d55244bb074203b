//! Tokens in a folder: one encrypted file per entry.

use std::fmt;
use std::fs::{DirBuilder, File};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, FlockOperation, Mode, OFlags, flock, fsync, openat, renameat, unlinkat,
};
use rustix::io::Errno;
use zeroize::Zeroizing;

use super::entry::hex;
use super::seal::{Sealer, Unreadable};
use super::{EntryKey, KeySource, Listing, Lock, Record, StoreError, TokenStore, owner};

/// No entry is longer; a longer file is not one of ours.
const LONGEST: u64 = 1024 * 1024;
/// Room kept for a new entry beyond the size of the old one, in octets.
const GROWTH: usize = 16 * 1024;

/// A store in a folder that only its owner can enter.
///
/// Every entry `NAME.token` (NAME is a digest and says nothing) has beside it `NAME.lock`, which is never
/// deleted so that all processes lock the same file; `NAME.tmp` while it is being written; and `NAME.corrupt`
/// if it was found damaged. The folder is opened once and everything is reached through that descriptor,
/// without following links.
pub struct FileStore {
    folder: OwnedFd,
    path: PathBuf,
    sealer: Sealer,
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileStore").field("path", &self.path).finish_non_exhaustive()
    }
}

impl FileStore {
    /// Opens the store in `path`, which is created (with its parents, for the owner alone) if it does not
    /// exist.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unsafe`] for a folder or key file that is a link, another user's, or open to others;
    /// [`StoreError::KeyUnavailable`]; [`StoreError::Io`].
    pub fn open(path: impl Into<PathBuf>, key: &KeySource) -> Result<Self, StoreError> {
        let path = path.into();
        if let Err(source) = DirBuilder::new().recursive(true).mode(0o700).create(&path) {
            // A dangling link or a file in its place is named as such by the checks below.
            if std::fs::symlink_metadata(&path).is_err() {
                return Err(StoreError::Io { action: "create the token store's folder", path, source });
            }
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = openat(CWD, &path, flags, Mode::empty())
            .map_err(|errno| owner::open_error("open the token store's folder", &path, errno))?;
        owner::check(&folder, FileType::Directory, &path)?;
        let key = key.key(|| Ok(!digests(&folder, &path)?.is_empty()))?;
        let sealer = Sealer::new(&key)?;
        Ok(Self { folder, path, sealer })
    }

    /// The store's folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn name(digest: &[u8; 32], suffix: &str) -> String {
        format!("{}.{suffix}", hex(digest))
    }

    fn file(&self, name: &str, flags: OFlags, action: &'static str) -> Result<Option<File>, StoreError> {
        let path = self.path.join(name);
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = match openat(&self.folder, name, flags, Mode::RUSR | Mode::WUSR) {
            Ok(file) => file,
            Err(Errno::NOENT) if !flags.contains(OFlags::CREATE) => return Ok(None),
            Err(errno) => return Err(owner::open_error(action, &path, errno)),
        };
        owner::check(&file, FileType::RegularFile, &path)?;
        Ok(Some(File::from(file)))
    }

    /// The octets of an entry's file.
    fn octets(&self, digest: &[u8; 32]) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let name = Self::name(digest, "token");
        let Some(file) = self.file(&name, OFlags::RDONLY, "open")? else { return Ok(None) };
        let io = |source| StoreError::Io { action: "read", path: self.path.join(&name), source };
        let length = file.metadata().map_err(io)?.len().min(LONGEST);
        let mut octets = Zeroizing::new(Vec::with_capacity(usize::try_from(length).unwrap_or_default() + 1));
        file.take(LONGEST).read_to_end(&mut octets).map_err(io)?;
        Ok(Some(octets))
    }

    fn read(&self, digest: &[u8; 32]) -> Result<Option<(EntryKey, Record)>, StoreError> {
        let Some(mut octets) = self.octets(digest)? else { return Ok(None) };
        match self.sealer.open(digest, &mut octets) {
            Ok(found) => Ok(Some(found)),
            Err(reason) => Err(self.unreadable(digest, &reason)),
        }
    }

    fn unreadable(&self, digest: &[u8; 32], reason: &Unreadable) -> StoreError {
        let path = self.path.join(Self::name(digest, "token"));
        match reason {
            Unreadable::Corrupt => StoreError::Corrupt { path, set_aside: None },
            Unreadable::WrongKey => StoreError::WrongKey { path },
            Unreadable::Version(found) => StoreError::Version { path, found: *found },
        }
    }

    /// Moves a damaged entry out of the way, under its lock, and says where.
    fn set_aside(&self, digest: &[u8; 32]) -> Option<PathBuf> {
        let (from, to) = (Self::name(digest, "token"), Self::name(digest, "corrupt"));
        renameat(&self.folder, &from, &self.folder, &to).ok()?;
        Some(self.path.join(to))
    }

    fn unlink(&self, name: &str) -> Result<bool, StoreError> {
        match unlinkat(&self.folder, name, AtFlags::empty()) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(errno) => Err(owner::io("remove", &self.path.join(name), errno)),
        }
    }

    fn sync_folder(&self) -> Result<(), StoreError> {
        fsync(&self.folder).map_err(|errno| owner::io("make durable", &self.path, errno))
    }

    /// Opens the entry's temporary file; under the lock there is one writer, so one name is enough, and what
    /// a killed writer left is overwritten by the next.
    fn temporary(&self, name: &str) -> Result<File, StoreError> {
        let flags = OFlags::WRONLY | OFlags::CREATE;
        self.file(name, flags, "create")?
            .ok_or_else(|| owner::io("create", &self.path.join(name), Errno::NOENT))
    }
}

impl TokenStore for FileStore {
    fn load(&self, key: &EntryKey) -> Result<Option<Record>, StoreError> {
        let digest = key.digest();
        match self.read(&digest) {
            // Only under the lock is it certain that nobody is just replacing the damaged file by a good one.
            Err(StoreError::Corrupt { path, set_aside }) => match self.try_lock(key) {
                Ok(Some(lock)) => self.load_locked(&lock, key),
                _ => Err(StoreError::Corrupt { path, set_aside }),
            },
            found => Ok(found?.map(|(_, record)| record)),
        }
    }

    fn try_lock(&self, key: &EntryKey) -> Result<Option<Lock>, StoreError> {
        let name = Self::name(&key.digest(), "lock");
        let refused = |errno: Errno| StoreError::Lock {
            reason: format!(
                "{}: {errno}; the token store must be in a folder on this machine that can be written",
                self.path.join(&name).display()
            ),
        };
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&self.folder, &name, flags, Mode::RUSR | Mode::WUSR).map_err(|errno| {
            match owner::open_error("open", &self.path.join(&name), errno) {
                error @ StoreError::Unsafe { .. } => error,
                _ => refused(errno),
            }
        })?;
        owner::check(&file, FileType::RegularFile, &self.path.join(&name))?;
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Some(Lock::new(file))),
                Err(Errno::WOULDBLOCK) => return Ok(None),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(refused(errno)),
            }
        }
    }

    fn load_locked(&self, _lock: &Lock, key: &EntryKey) -> Result<Option<Record>, StoreError> {
        let digest = key.digest();
        match self.read(&digest) {
            Err(StoreError::Corrupt { path, .. }) => {
                Err(StoreError::Corrupt { path, set_aside: self.set_aside(&digest) })
            }
            found => Ok(found?.map(|(_, record)| record)),
        }
    }

    fn reserve(&self, _lock: &Lock, key: &EntryKey) -> Result<(), StoreError> {
        let digest = key.digest();
        let length = self.octets(&digest)?.map_or(0, |octets| octets.len()).saturating_add(GROWTH);
        let name = Self::name(&digest, "tmp");
        let mut file = self.temporary(&name)?;
        let written = file.set_len(0).and_then(|()| file.write_all(&vec![0; length]));
        written.map_err(|source| {
            // The room is better free than held by half a file.
            let _ = self.unlink(&name);
            StoreError::Io { action: "make room for", path: self.path.join(&name), source }
        })
    }

    fn save(&self, _lock: &Lock, key: &EntryKey, record: &Record) -> Result<(), StoreError> {
        let digest = key.digest();
        if let Some(octets) = self.octets(&digest)?
            && let Err(reason) = self.sealer.recognise(&octets)
        {
            match reason {
                Unreadable::Corrupt if self.set_aside(&digest).is_some() => {}
                _ => return Err(self.unreadable(&digest, &reason)),
            }
        }
        let sealed = self.sealer.seal(key, record)?;
        let (temporary, name) = (Self::name(&digest, "tmp"), Self::name(&digest, "token"));
        let io = |source| StoreError::Io { action: "write", path: self.path.join(&temporary), source };
        let mut file = self.temporary(&temporary)?;
        // Written over the reserved room first, cut to length afterwards: a full disk cannot come between.
        file.write_all(&sealed).map_err(io)?;
        file.set_len(sealed.len() as u64).map_err(io)?;
        file.sync_all().map_err(io)?;
        renameat(&self.folder, &temporary, &self.folder, &name)
            .map_err(|errno| owner::io("replace", &self.path.join(&name), errno))?;
        self.sync_folder()
    }

    fn remove(&self, _lock: &Lock, key: &EntryKey) -> Result<bool, StoreError> {
        let digest = key.digest();
        self.unlink(&Self::name(&digest, "tmp"))?;
        self.unlink(&Self::name(&digest, "corrupt"))?;
        let removed = self.unlink(&Self::name(&digest, "token"))?;
        self.sync_folder()?;
        Ok(removed)
    }

    fn list(&self) -> Result<Listing, StoreError> {
        let mut listing = Listing::default();
        for digest in digests(&self.folder, &self.path)? {
            match self.read(&digest) {
                Ok(Some((key, _))) => listing.entries.push(key),
                Ok(None) => {}
                Err(problem) => listing.problems.push(problem),
            }
        }
        listing.entries.sort();
        Ok(listing)
    }
}

/// The entries in a folder, by name.
fn digests(folder: &OwnedFd, path: &Path) -> Result<Vec<[u8; 32]>, StoreError> {
    let io = |errno| owner::io("list", path, errno);
    let mut found = Vec::new();
    for file in Dir::read_from(folder).map_err(io)? {
        let file = file.map_err(io)?;
        if let Some(digest) = file.file_name().to_bytes().strip_suffix(b".token").and_then(unhex) {
            found.push(digest);
        }
    }
    Ok(found)
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
