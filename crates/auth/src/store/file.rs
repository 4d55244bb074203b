//! Tokens in a folder: one encrypted file per entry.

use std::fmt;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, fsync, openat, renameat, unlinkat};
use rustix::io::Errno;
use zeroize::Zeroizing;

use super::folder::Folder;
use super::key::{self, Key};
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
    folder: Folder,
    sealer: Sealer,
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileStore").field("path", &self.folder.path()).finish_non_exhaustive()
    }
}

impl FileStore {
    /// Opens the store in `path`, which is created (with its parents, for the owner alone) if it does not
    /// exist.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unsafe`] for a folder or key file that is a link, another user's, or open to others;
    /// [`StoreError::KeyUnavailable`], [`StoreError::KeyDamaged`], [`StoreError::Keyring`]; [`StoreError::Io`].
    pub fn open(path: impl Into<PathBuf>, key: &KeySource) -> Result<Self, StoreError> {
        Self::open_with(path.into(), |folder| {
            key.key(|| Ok(!folder.digests("token")?.is_empty()), || folder.alone())
        })
    }

    /// What the store in `path`, under the key in a file, holds of an entry; for whoever only looks: nothing is made, and a damaged
    /// entry stays where it is. `None` also if there is no store.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), and [`StoreError::Corrupt`].
    pub fn peek(
        path: impl Into<PathBuf>,
        key_file: &Path,
        entry: &EntryKey,
    ) -> Result<Option<Record>, StoreError> {
        let Some(folder) = Folder::existing(path.into())? else { return Ok(None) };
        let Some(key) = key::file::read(key_file)? else { return Ok(None) };
        let found = Self { folder, sealer: Sealer::new(&key)? }.read(&entry.digest())?;
        Ok(found.map(|(_, record)| record))
    }

    /// The store in `path` under the key that `key` gives.
    pub(super) fn open_with(
        path: PathBuf,
        key: impl FnOnce(&Folder) -> Result<Key, StoreError>,
    ) -> Result<Self, StoreError> {
        let folder = Folder::open(path)?;
        let sealer = Sealer::new(&*key(&folder)?)?;
        Ok(Self { folder, sealer })
    }

    /// The store's folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Whether every entry was written under this key. Damaged entries say nothing about that.
    pub(super) fn recognises_all(&self) -> Result<(), StoreError> {
        for digest in self.folder.digests("token")? {
            let Some(octets) = self.octets(&digest)? else { continue };
            if let Err(reason @ Unreadable::WrongKey) = self.sealer.recognise(&octets) {
                return Err(self.unreadable(&digest, &reason));
            }
        }
        Ok(())
    }

    fn file(&self, name: &str, flags: OFlags, action: &'static str) -> Result<Option<File>, StoreError> {
        let path = self.path().join(name);
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
        self.octets_in(Folder::name(digest, "token"))
    }

    fn octets_in(&self, name: String) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let Some(file) = self.file(&name, OFlags::RDONLY, "open")? else { return Ok(None) };
        let io = |source| StoreError::Io { action: "read", path: self.path().join(&name), source };
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
        let path = self.path().join(Folder::name(digest, "token"));
        match reason {
            Unreadable::Corrupt => StoreError::Corrupt { path, set_aside: None },
            Unreadable::WrongKey => StoreError::WrongKey { path },
            Unreadable::Version(found) => StoreError::Version { path, found: *found },
        }
    }

    /// Moves a damaged entry out of the way, under its lock, and says where.
    fn set_aside(&self, digest: &[u8; 32]) -> Option<PathBuf> {
        let (from, to) = (Folder::name(digest, "token"), Folder::name(digest, "corrupt"));
        renameat(&self.folder, &from, &self.folder, &to).ok()?;
        Some(self.path().join(to))
    }

    /// Finishes what a killed writer had written and not yet put in its place: its refresh token may be the only one
    /// that still works. Under the lock a whole entry in the temporary file is always the later one; reserved room and
    /// half an entry do not open.
    fn finish(&self, digest: &[u8; 32]) -> Result<(), StoreError> {
        let temporary = Folder::name(digest, "tmp");
        let Ok(Some(mut octets)) = self.octets_in(temporary.clone()) else { return Ok(()) };
        let Ok((_, left)) = self.sealer.open(digest, &mut octets) else { return Ok(()) };
        let obtained = |record: &Record| record.tokens.as_ref().map(|tokens| tokens.obtained_at);
        match self.read(digest) {
            // A folder restored from a backup can hold anything.
            Ok(Some((_, stored))) if obtained(&stored) > obtained(&left) => return Ok(()),
            Ok(_) => {}
            Err(StoreError::Corrupt { .. }) => {
                self.set_aside(digest);
            }
            Err(error) => return Err(error),
        }
        let file = self.temporary(&temporary)?;
        self.put(&file, &temporary, digest)
    }

    /// Makes a written temporary file durable and the entry.
    fn put(&self, file: &File, temporary: &str, digest: &[u8; 32]) -> Result<(), StoreError> {
        let io = |source| StoreError::Io { action: "write", path: self.path().join(temporary), source };
        file.sync_all().map_err(io)?;
        let name = Folder::name(digest, "token");
        renameat(&self.folder, temporary, &self.folder, &name)
            .map_err(|errno| owner::io("replace", &self.path().join(&name), errno))?;
        self.sync_folder()
    }

    fn unlink(&self, name: &str) -> Result<bool, StoreError> {
        match unlinkat(&self.folder, name, AtFlags::empty()) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(errno) => Err(owner::io("remove", &self.path().join(name), errno)),
        }
    }

    fn sync_folder(&self) -> Result<(), StoreError> {
        fsync(&self.folder).map_err(|errno| owner::io("make durable", self.path(), errno))
    }

    /// Opens the entry's temporary file; under the lock there is one writer, so one name is enough, and what
    /// a killed writer left is overwritten by the next.
    fn temporary(&self, name: &str) -> Result<File, StoreError> {
        let flags = OFlags::WRONLY | OFlags::CREATE;
        self.file(name, flags, "create")?
            .ok_or_else(|| owner::io("create", &self.path().join(name), Errno::NOENT))
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
        self.folder.try_lock(&key.digest())
    }

    fn load_locked(&self, _lock: &Lock, key: &EntryKey) -> Result<Option<Record>, StoreError> {
        let digest = key.digest();
        self.finish(&digest)?;
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
        let name = Folder::name(&digest, "tmp");
        let mut file = self.temporary(&name)?;
        let written = file.set_len(0).and_then(|()| file.write_all(&vec![0; length]));
        written.map_err(|source| {
            // The room is better free than held by half a file.
            let _ = self.unlink(&name);
            StoreError::Io { action: "make room for", path: self.path().join(&name), source }
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
        let temporary = Folder::name(&digest, "tmp");
        let io = |source| StoreError::Io { action: "write", path: self.path().join(&temporary), source };
        let mut file = self.temporary(&temporary)?;
        // Cut to length first, written over the reserved room then: a full disk cannot come between, and the one
        // write leaves a whole entry behind even if this process ends right after it.
        file.set_len(sealed.len() as u64).map_err(io)?;
        file.write_all(&sealed).map_err(io)?;
        self.put(&file, &temporary, &digest)
    }

    fn remove(&self, _lock: &Lock, key: &EntryKey) -> Result<bool, StoreError> {
        let digest = key.digest();
        self.unlink(&Folder::name(&digest, "tmp"))?;
        self.unlink(&Folder::name(&digest, "corrupt"))?;
        let removed = self.unlink(&Folder::name(&digest, "token"))?;
        self.sync_folder()?;
        Ok(removed)
    }

    fn list(&self) -> Result<Listing, StoreError> {
        let mut listing = Listing::default();
        for digest in self.folder.digests("token")? {
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
