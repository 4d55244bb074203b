//! Directories, opened once and then used by descriptor, so that nothing planted later is followed.

use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::journal::record::DirTimes;

/// A directory and its three parts.
pub(crate) struct Dirs {
    pub(crate) folder: OwnedFd,
    pub(crate) cur: OwnedFd,
    pub(crate) new: OwnedFd,
    pub(crate) tmp: OwnedFd,
    /// For messages to people.
    pub(crate) path: PathBuf,
    /// The file system.
    pub(crate) device: u64,
}

impl Dirs {
    /// Opens `cur`, `new` and `tmp` below a directory, making what is missing.
    pub(crate) fn open(disk: &Disk, folder: OwnedFd, path: PathBuf, owner: Owner) -> Result<Self> {
        let part = |name: &str| open_or_make(disk, folder.as_fd(), name.as_bytes(), &path.join(name), owner);
        let (cur, new, tmp) = (part("cur")?, part("new")?, part("tmp")?);
        let device = stat(tmp.as_fd(), &path)?.st_dev;
        Ok(Self { folder, cur, new, tmp, path, device })
    }

    /// The directory that a file at this place is in.
    pub(crate) fn of(&self, place: crate::file_name::Place) -> BorrowedFd<'_> {
        if place.in_new() { self.new.as_fd() } else { self.cur.as_fd() }
    }

    pub(crate) fn times(&self) -> Result<DirTimes> {
        let time = |dir: &OwnedFd| stat(dir.as_fd(), &self.path).map(|stat| modified(&stat));
        Ok(DirTimes { cur: time(&self.cur)?, new: time(&self.new)? })
    }
}

/// Whose directories are accepted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Owner {
    Anybody,
    User(u32),
}

impl Owner {
    pub(crate) fn check(self, stat: &Stat, path: &Path) -> Result<()> {
        match self {
            Self::User(user) if stat.st_uid != user => {
                Err(Error::NotOwner { path: path.to_path_buf(), owner: stat.st_uid, user })
            }
            _ => Ok(()),
        }
    }
}

pub(crate) fn open_dir(parent: BorrowedFd<'_>, name: &[u8]) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(parent, name, flags, Mode::empty())
}

/// Opens a directory, not through a symbolic link, or makes it.
pub(crate) fn open_or_make(
    disk: &Disk,
    parent: BorrowedFd<'_>,
    name: &[u8],
    path: &Path,
    owner: Owner,
) -> Result<OwnedFd> {
    let mut opened = open_dir(parent, name);
    if matches!(opened, Err(Errno::NOENT)) {
        match disk.make_dir(parent, name) {
            Ok(()) | Err(Errno::EXIST) => opened = open_dir(parent, name),
            Err(errno) => return Err(Error::disk("make the directory", path, errno)),
        }
    }
    match opened {
        Ok(dir) => {
            owner.check(&stat(dir.as_fd(), path)?, path)?;
            Ok(dir)
        }
        Err(Errno::LOOP | Errno::NOTDIR) => Err(wrong_type(path, "a directory")),
        Err(errno) => Err(Error::disk("open the directory", path, errno)),
    }
}

pub(crate) fn wrong_type(path: &Path, expected: &'static str) -> Error {
    Error::WrongType { path: path.to_path_buf(), expected }
}

pub(crate) fn stat(file: BorrowedFd<'_>, path: &Path) -> Result<Stat> {
    rustix::fs::fstat(file).map_err(|errno| Error::disk("look at", path, errno))
}

pub(crate) fn is_regular(file: BorrowedFd<'_>) -> rustix::io::Result<bool> {
    Ok(FileType::from_raw_mode(rustix::fs::fstat(file)?.st_mode) == FileType::RegularFile)
}

#[allow(clippy::unnecessary_cast, reason = "the widths differ between systems")]
fn modified(stat: &Stat) -> (i64, u64) {
    (stat.st_mtime as i64, stat.st_mtime_nsec as u64)
}

/// Reads a small file without following a link; `None` if it is not there.
pub(crate) fn read_file(dir: BorrowedFd<'_>, name: &[u8], path: &Path) -> Result<Option<Vec<u8>>> {
    let path = join(path, name);
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let failed = |errno| Error::disk("read", &path, errno);
    let file = match rustix::fs::openat(dir, name, flags, Mode::empty()) {
        Ok(file) => file,
        Err(Errno::NOENT) => return Ok(None),
        Err(Errno::LOOP) => return Err(wrong_type(&path, "a regular file")),
        Err(errno) => return Err(failed(errno)),
    };
    if !is_regular(file.as_fd()).map_err(failed)? {
        return Err(wrong_type(&path, "a regular file"));
    }
    crate::journal::read(file.as_fd()).map(Some).map_err(failed)
}

/// A path for messages to people.
pub(crate) fn join(path: &Path, name: &[u8]) -> PathBuf {
    path.join(OsStr::from_bytes(name))
}
