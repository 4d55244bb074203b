//! The whole target: one mailbox, many folders.

use std::collections::HashSet;
use std::fmt;
use std::io::Write as _;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rustix::fs::{AtFlags, Dir, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use crate::committer::Committer;
use crate::dirs::{Dirs, Owner, join, open_dir, open_or_make, read_file, stat, wrong_type};
use crate::error::{Error, Result};
use crate::folder::Folder;
use crate::folder_dir;
use crate::shared::lock;
use crate::{Durability, FolderName, Options, journal};

/// The lock of the whole target. Like all our files it does not begin with a dot: in the root of a Maildir++ that
/// would make it a folder.
const LOCK: &[u8] = b"postkey.lock";

/// A Maildir++ on disk that one mailbox is stored in, locked for this process.
///
/// The lock is let go when this and all its folders are dropped; batches handed over are committed before.
pub struct Maildir {
    target: Arc<Target>,
}

pub(crate) struct Target {
    /// First, so that it is dropped first: it finishes its work while the lock is still held.
    pub(crate) committer: Option<Committer>,
    pub(crate) options: Options,
    root: OwnedFd,
    path: PathBuf,
    owner: Owner,
    open: Arc<Mutex<HashSet<Vec<u8>>>>,
    _lock: Lock,
}

/// The lock of the target. Let go explicitly: a child process that was just forked has the descriptor too, and would
/// keep the lock until it executes its program.
struct Lock(OwnedFd);

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = rustix::fs::flock(&self.0, FlockOperation::Unlock);
    }
}

/// Takes a folder off the list of open ones when it is dropped.
pub(crate) struct OpenMark {
    open: Arc<Mutex<HashSet<Vec<u8>>>>,
    directory: Vec<u8>,
}

impl Drop for OpenMark {
    fn drop(&mut self) {
        lock(&self.open).remove(&self.directory);
    }
}

/// The file that says whose mailbox it is.
const MAILBOX: &str = "postkey.mailbox";
/// The same on its way.
const MAILBOX_NEW: &str = "postkey.mailbox.new";

impl Maildir {
    /// Opens the target, or makes it, readable by its owner only.
    ///
    /// # Errors
    /// [`Error::Locked`] at once if another process has it open; [`Error::NotOwner`] and [`Error::WorldWritable`]
    /// if others could change what is written there; [`Error::Disk`].
    pub fn open(root: &Path, options: Options) -> Result<Self> {
        let failed = |what, errno| Error::disk(what, root, errno);
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(root).map_err(|error| {
            if error.kind() == std::io::ErrorKind::AlreadyExists {
                return wrong_type(root, "a directory");
            }
            failed("make the directory", Errno::from_io_error(&error).unwrap_or(Errno::IO))
        })?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir =
            rustix::fs::open(root, flags, Mode::empty()).map_err(|e| failed("open the directory", e))?;
        let owner = if options.accept_other_owner {
            Owner::Anybody
        } else {
            Owner::User(rustix::process::geteuid().as_raw())
        };
        let seen = stat(dir.as_fd(), root)?;
        owner.check(&seen, root)?;
        if Mode::from_raw_mode(seen.st_mode).contains(Mode::WOTH) && !options.accept_other_owner {
            return Err(Error::WorldWritable { path: root.to_path_buf() });
        }
        let lock = take_lock(&dir, root)?;
        let committer = match options.durability {
            Durability::Full => {
                let started = Committer::start(options.batch_messages.max(1), options.batch_bytes);
                Some(started.map_err(|error| {
                    failed("start a thread for", Errno::from_io_error(&error).unwrap_or(Errno::AGAIN))
                })?)
            }
            Durability::None => None,
        };
        let target = Target {
            committer,
            options,
            root: dir,
            path: root.to_path_buf(),
            owner,
            open: Arc::default(),
            _lock: lock,
        };
        Ok(Self { target: Arc::new(target) })
    }

    /// The target's root.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.target.path
    }

    /// Says whose mailbox is stored here, in words that stay the same from run to run. The first time it is written down
    /// (`postkey.mailbox`); after that another mailbox is refused, because its UIDs would be taken for those that are stored.
    ///
    /// # Errors
    /// [`Error::OtherMailbox`]; [`Error::Disk`].
    pub fn bind(&self, mailbox: &str) -> Result<()> {
        let path = self.target.path.join(MAILBOX);
        let failed = |what, error: &std::io::Error| {
            Error::disk(what, &path, Errno::from_io_error(error).unwrap_or(Errno::IO))
        };
        match std::fs::read_to_string(&path) {
            Ok(stored) if stored.trim_end() == mailbox => Ok(()),
            Ok(stored) => Err(Error::OtherMailbox {
                path: self.target.path.clone(),
                stored: stored.trim_end().escape_debug().to_string(),
                asked: mailbox.to_owned(),
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let new = self.target.path.join(MAILBOX_NEW);
                let write = || {
                    let mut options = std::fs::OpenOptions::new();
                    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&new)?;
                    file.write_all(format!("{mailbox}\n").as_bytes())?;
                    if self.target.options.durability == Durability::Full {
                        file.sync_all()?;
                    }
                    std::fs::rename(&new, &path)
                };
                write().map_err(|e| failed("write", &e))
            }
            Err(error) => Err(failed("read", &error)),
        }
    }

    /// What must have happened here before a message counts as stored.
    #[must_use]
    pub fn durability(&self) -> Durability {
        self.target.options.durability
    }

    /// Opens a folder, or makes it. A folder can be open once at a time.
    ///
    /// Fast if the folder was closed properly and nobody has touched it since: then only its journal is read.
    ///
    /// # Errors
    /// [`Error::FolderOpen`]; [`Error::NameCollision`]; [`Error::WrongType`] and [`Error::NotOwner`] if something
    /// was planted where the folder's directories belong; [`Error::Disk`].
    pub fn folder(&self, name: &FolderName) -> Result<Folder> {
        let (directory, dir, path) = self.directory(name)?;
        let mark = self.mark(name, directory)?;
        let dirs = Dirs::open(&self.target.options.disk, dir, path, self.target.owner)?;
        Folder::open(Arc::clone(&self.target), name.clone(), dirs, mark)
    }

    /// The folders that are stored here, sorted by name.
    ///
    /// # Errors
    /// [`Error::Disk`] if the root cannot be read.
    pub fn folders(&self) -> Result<Vec<FolderName>> {
        let failed = |errno| Error::disk("read the directory", &self.target.path, errno);
        let root = self.target.root.as_fd();
        let mut folders = Vec::new();
        let has_journal =
            |dir: &OwnedFd| rustix::fs::statat(dir, journal::NAME, AtFlags::SYMLINK_NOFOLLOW).is_ok();
        if has_journal(&self.target.root) {
            folders.push(FolderName::inbox());
        }
        for entry in Dir::read_from(root).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_bytes();
            if !name.starts_with(b".") || name == b"." || name == b".." {
                continue;
            }
            let Ok(dir) = open_dir(root, name) else { continue };
            let path = join(&self.target.path, name);
            let record = read_file(dir.as_fd(), folder_dir::RECORD, &path).ok().flatten();
            match record.as_deref().and_then(folder_dir::read_record) {
                Some(folder) => folders.push(folder),
                None if has_journal(&dir) => folders.extend(folder_dir::decode(name)),
                None => {}
            }
        }
        folders.sort();
        Ok(folders)
    }

    /// The folder's directory: its name, opened, and its path.
    fn directory(&self, name: &FolderName) -> Result<(Vec<u8>, OwnedFd, PathBuf)> {
        let root = self.target.root.as_fd();
        let Some(plain) = folder_dir::encode(name) else {
            let dir = open_dir(root, b".")
                .map_err(|errno| Error::disk("open the directory", &self.target.path, errno))?;
            return Ok((Vec::new(), dir, self.target.path.clone()));
        };
        let hashed = folder_dir::encode_hashed(name);
        let mut taken = None;
        for directory in [plain, hashed] {
            let path = join(&self.target.path, &directory);
            let dir = open_or_make(&self.target.options.disk, root, &directory, &path, self.target.owner)?;
            let record = read_file(dir.as_fd(), folder_dir::RECORD, &path)?;
            match record.as_deref().and_then(folder_dir::read_record) {
                Some(other) if other != *name => {
                    taken = Some(Error::NameCollision { name: name.clone(), other, path });
                    continue;
                }
                Some(_) => {}
                None => self.claim(&dir, name, &path)?,
            }
            return Ok((directory, dir, path));
        }
        Err(taken.unwrap_or(Error::Misuse("a folder needs a directory")))
    }

    /// Marks a directory as this folder's.
    fn claim(&self, dir: &OwnedFd, name: &FolderName, path: &Path) -> Result<()> {
        const MARK: &[u8] = b"maildirfolder";
        let disk = &self.target.options.disk;
        match disk.create(dir.as_fd(), MARK) {
            Ok(_) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(Error::disk("make", join(path, MARK), errno)),
        }
        // on Linux the flush of the first batch takes care of it
        let durable = self.target.options.durability == Durability::Full && !cfg!(target_os = "linux");
        journal::replace(disk, dir.as_fd(), folder_dir::RECORD, &folder_dir::record(name), durable)
            .map_err(|errno| Error::disk("make", join(path, folder_dir::RECORD), errno))?;
        if durable {
            disk.sync_dir(self.target.root.as_fd(), b"root")
                .map_err(|errno| Error::disk("flush to disk", &self.target.path, errno))?;
        }
        Ok(())
    }

    fn mark(&self, name: &FolderName, directory: Vec<u8>) -> Result<OpenMark> {
        let open = &self.target.open;
        if lock(open).contains(&directory)
            && let Some(committer) = &self.target.committer
        {
            // perhaps it was dropped and only its last batch is still on the way
            committer.wait()?;
        }
        if !lock(open).insert(directory.clone()) {
            return Err(Error::FolderOpen { name: name.clone() });
        }
        Ok(OpenMark { open: Arc::clone(open), directory })
    }
}

impl fmt::Debug for Maildir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Maildir").field("path", &self.target.path).finish_non_exhaustive()
    }
}

fn take_lock(root: &OwnedFd, path: &Path) -> Result<Lock> {
    let lock_path = join(path, LOCK);
    let failed = |errno| Error::disk("lock", &lock_path, errno);
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = match rustix::fs::openat(root, LOCK, flags, Mode::RUSR | Mode::WUSR) {
        Ok(file) => file,
        Err(Errno::LOOP) => return Err(wrong_type(&lock_path, "a regular file")),
        Err(errno) => return Err(failed(errno)),
    };
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {
            // who holds it is only for people: not worth failing for
            let _ = rustix::fs::ftruncate(&file, 0);
            let _ = rustix::io::write(&file, format!("{}\n", std::process::id()).as_bytes());
            Ok(Lock(file))
        }
        Err(Errno::WOULDBLOCK) => {
            let mut text = [0; 16];
            let length = rustix::io::read(&file, &mut text[..]).unwrap_or(0);
            let text = text.get(..length).and_then(|text| std::str::from_utf8(text).ok());
            let pid = text.and_then(|text| text.trim().parse().ok());
            Err(Error::Locked { path: path.to_path_buf(), pid })
        }
        Err(errno) => Err(failed(errno)),
    }
}
