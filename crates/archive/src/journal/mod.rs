//! The journal of a folder: which messages are stored, so that nobody has to look.
//!
//! Append-only. Each record is checksummed; a tail that was cut short by a crash is dropped when the journal is
//! read. The last record of a folder that was closed says so: any other end means that the directories may hold
//! files which the journal does not know, and must be read.

pub(crate) mod record;
mod varint;

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::disk::Disk;
use crate::state::State;
use record::{DirTimes, Loading, MAGIC};

pub(crate) const NAME: &[u8] = b"postkey.journal";
const NEW_NAME: &[u8] = b"postkey.journal.new";
const DAMAGED_NAME: &[u8] = b"postkey.journal.damaged";

/// A journal that is open for appending.
pub(crate) struct Journal {
    file: OwnedFd,
    len: u64,
    /// A failed append could not be undone.
    broken: bool,
}

/// What reading a journal found.
pub(crate) struct Loaded {
    pub(crate) journal: Journal,
    pub(crate) state: State,
    /// The directories as they were at the clean end; `None` after any other end.
    pub(crate) closed: Option<DirTimes>,
    /// Whether there was a journal before.
    pub(crate) existed: bool,
}

/// How much of a journal can be believed.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) enum Tail {
    Whole,
    /// Cut short by a crash: nothing but one incomplete record is missing.
    Torn,
    /// Something else is wrong: there is more behind the first bad record, or this is no journal of this version.
    Damaged,
}

impl Journal {
    /// Opens the journal in `dir`, or makes one. A torn tail is cut off; a damaged journal is copied aside first.
    pub(crate) fn open(disk: &Disk, dir: BorrowedFd<'_>) -> Result<Loaded, Errno> {
        let flags = OFlags::RDWR | OFlags::APPEND | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(dir, NAME, flags | OFlags::NONBLOCK, Mode::RUSR | Mode::WUSR)?;
        if !crate::dirs::is_regular(file.as_fd())? {
            return Err(Errno::LOOP);
        }
        let bytes = read(file.as_fd())?;
        let (state, closed, good, tail) = load(&bytes);
        let mut journal = Self { file, len: good as u64, broken: false };
        if tail == Tail::Damaged {
            // for a person to look at; going on without the copy loses nothing that the files do not say
            let _ = replace(disk, dir, DAMAGED_NAME, &bytes, true);
        }
        if good < bytes.len() {
            disk.truncate(journal.file.as_fd(), good as u64)?;
        }
        if good == 0 {
            journal.append(disk, MAGIC)?;
        }
        Ok(Loaded { journal, state, closed, existed: !bytes.is_empty() })
    }

    /// Appends whole records. After a failure the journal is as it was before, or refuses everything further.
    pub(crate) fn append(&mut self, disk: &Disk, records: &[u8]) -> Result<(), Errno> {
        if self.broken {
            return Err(Errno::IO);
        }
        match disk.append(self.file.as_fd(), records) {
            Ok(()) => {
                self.len = self.len.saturating_add(records.len() as u64);
                Ok(())
            }
            Err(errno) => {
                self.broken = disk.truncate(self.file.as_fd(), self.len).is_err();
                Err(errno)
            }
        }
    }

    pub(crate) fn sync(&self, disk: &Disk) -> Result<(), Errno> {
        disk.sync_file(self.file.as_fd(), NAME)
    }

    /// Bytes in the file.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Puts a journal with just this content in place of the old one, at once.
    pub(crate) fn rewrite(&mut self, disk: &Disk, dir: BorrowedFd<'_>, records: &[u8]) -> Result<(), Errno> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(records);
        replace(disk, dir, NAME, &bytes, true)?;
        let flags = OFlags::RDWR | OFlags::APPEND | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match rustix::fs::openat(dir, NAME, flags, Mode::empty()) {
            Ok(file) => *self = Self { file, len: bytes.len() as u64, broken: false },
            // the old file is no longer reachable: what went there would be lost
            Err(errno) => {
                self.broken = true;
                return Err(errno);
            }
        }
        Ok(())
    }
}

/// Writes a whole file in place of `name`, so that when the process is killed there is either the old or the new
/// one; with `durable` also when the system goes down.
pub(crate) fn replace(
    disk: &Disk,
    dir: BorrowedFd<'_>,
    name: &[u8],
    bytes: &[u8],
    durable: bool,
) -> Result<(), Errno> {
    let result = (|| {
        let file = match disk.create(dir, NEW_NAME) {
            Err(Errno::EXIST) => {
                disk.unlink(dir, NEW_NAME)?;
                disk.create(dir, NEW_NAME)?
            }
            other => other?,
        };
        disk.write(file.as_fd(), bytes, b"")?;
        if durable {
            disk.sync_file(file.as_fd(), NEW_NAME)?;
        }
        disk.rename(dir, NEW_NAME, dir, name)?;
        if durable {
            disk.sync_dir(dir, name)?;
        }
        Ok(())
    })();
    if result.is_err() {
        let _ = disk.unlink(dir, NEW_NAME);
    }
    result
}

/// Reads a file from the start to its end.
pub(crate) fn read(file: BorrowedFd<'_>) -> Result<Vec<u8>, Errno> {
    let size = rustix::fs::fstat(file)?.st_size;
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0).min(1 << 26).saturating_add(1));
    let mut chunk = [0; 16 << 10];
    loop {
        let spare = bytes.capacity() - bytes.len();
        let read = if spare > chunk.len() {
            rustix::io::read(file, rustix::buffer::spare_capacity(&mut bytes))
        } else {
            rustix::io::read(file, &mut chunk)
                .inspect(|n| bytes.extend_from_slice(chunk.get(..*n).unwrap_or_default()))
        };
        match read {
            Ok(0) => return Ok(bytes),
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// What a journal's bytes say, and how many of them can be kept.
pub(crate) fn load(bytes: &[u8]) -> (State, Option<DirTimes>, usize, Tail) {
    let mut loading = Loading::default();
    let Some(mut rest) = bytes.strip_prefix(MAGIC) else {
        let tail = match bytes {
            [] => Tail::Whole,
            _ if MAGIC.starts_with(bytes) => Tail::Torn,
            _ => Tail::Damaged,
        };
        return (State::default(), None, 0, tail);
    };
    let mut tail = Tail::Whole;
    while !rest.is_empty() {
        let Some((payload, after)) = record::split(rest) else {
            tail = torn_or_damaged(rest);
            break;
        };
        if record::apply(payload, &mut loading).is_none() {
            tail = Tail::Damaged;
            break;
        }
        rest = after;
    }
    let (state, closed) = loading.finish();
    let closed = if tail == Tail::Whole { closed } else { None };
    (state, closed, bytes.len() - rest.len(), tail)
}

/// A crash leaves the last append incomplete: cut short, or (if the system went down) as long as it was to be but
/// partly zero. One append may be several records.
fn torn_or_damaged(rest: &[u8]) -> Tail {
    let length = rest.first_chunk::<4>().map_or(usize::MAX, |length| u32::from_le_bytes(*length) as usize);
    let behind = length.checked_add(8).and_then(|end| rest.get(end..)).unwrap_or_default();
    let whole_record_behind = record::split(behind).is_some();
    if whole_record_behind { Tail::Damaged } else { Tail::Torn }
}

#[cfg(test)]
mod tests;
