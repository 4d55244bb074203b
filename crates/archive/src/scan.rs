//! Reading the directories, and making the journal's picture agree with them.

use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{AtFlags, Dir, FileType};
use rustix::io::Errno;

use crate::Flags;
use crate::dirs::{Dirs, join, open_dir};
use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::file_name::{FileId, Place, is_tmp_name};
use crate::state::{Entry, Generation, State};

/// A message file of ours.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) id: FileId,
    pub(crate) place: Place,
    /// The whole name, if another program has added something to it.
    pub(crate) odd: Option<Box<[u8]>>,
}

impl Found {
    /// What makes two files the same message.
    fn key(&self) -> (u32, u32, u32) {
        key(&self.id)
    }
}

fn key(id: &FileId) -> (u32, u32, u32) {
    (id.generation, id.uid_validity, id.uid)
}

/// All message files of ours, sorted by generation and UID; of two for one message the one in `cur`.
pub(crate) fn scan(dirs: &Dirs) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    for in_new in [true, false] {
        let dir = if in_new { &dirs.new } else { &dirs.cur };
        for_each_name(dir.as_fd(), |name| {
            let Some((id, flags)) = FileId::parse(name) else { return };
            let place = if in_new { Place::NEW } else { Place::cur(flags) };
            let odd = (id.name(place).as_bytes() != name).then(|| name.into());
            found.push(Found { id, place, odd });
        })
        .map_err(|errno| Error::disk("read the directory", &dirs.path, errno))?;
    }
    found.sort_by_key(|found| (found.key(), found.place.in_new()));
    found.dedup_by_key(|found| found.key());
    Ok(found)
}

fn for_each_name(dir: BorrowedFd<'_>, mut f: impl FnMut(&[u8])) -> rustix::io::Result<()> {
    for entry in Dir::read_from(dir)? {
        f(entry?.file_name().to_bytes());
    }
    Ok(())
}

/// Removes what an interrupted run left in `tmp`: our own files, nobody else's.
pub(crate) fn clean_tmp(disk: &Disk, dirs: &Dirs) -> Result<()> {
    let failed = |errno| Error::disk("clean up", dirs.path.join("tmp"), errno);
    let mut left = Vec::new();
    for_each_name(dirs.tmp.as_fd(), |name| {
        if is_tmp_name(name) {
            left.push(name.to_vec());
        }
    })
    .map_err(failed)?;
    for name in left {
        match disk.unlink(dirs.tmp.as_fd(), &name) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(failed(errno)),
        }
    }
    Ok(())
}

/// What looking at the directories changed.
#[derive(Default)]
pub(crate) struct Changes {
    /// Messages that are there but were not in the journal.
    pub(crate) adopted: Vec<(u32, Entry)>,
    /// Messages whose file is elsewhere, or no longer there, or there again.
    pub(crate) moved: Vec<(u32, Flags, Place)>,
    /// The journal knew nothing of the generation that the files are of.
    pub(crate) generation: Option<Generation>,
}

impl Changes {
    pub(crate) fn is_empty(&self) -> bool {
        self.adopted.is_empty() && self.moved.is_empty() && self.generation.is_none()
    }
}

/// Makes `state` agree with the files found. Names with additions are kept in `odd_names`.
pub(crate) fn reconcile(
    disk: &Disk,
    dirs: &Dirs,
    state: &mut State,
    odd_names: &mut std::collections::BTreeMap<u32, Box<[u8]>>,
    found: &[Found],
) -> Changes {
    let mut changes = Changes::default();
    // sorted by generation: the last file is of the latest one
    let latest = found
        .last()
        .map(|found| Generation { number: found.id.generation, uid_validity: found.id.uid_validity });
    if let Some(latest) = latest
        && state.generation.is_none_or(|known| known.number < latest.number)
    {
        *state = State { generation: Some(latest), ..State::default() };
        changes.generation = Some(latest);
    }
    let Some(generation) = state.generation else { return changes };

    odd_names.clear();
    let look_up = |id: &FileId| {
        let at = found.binary_search_by_key(&key(id), Found::key).ok()?;
        found.get(at)
    };
    let uids: Vec<u32> = state.entries.keys().copied().collect();
    for uid in uids {
        let Some(entry) = state.entries.get(&uid).copied() else { continue };
        let place = match look_up(&state.file(uid, &entry)) {
            Some(found) => {
                if let Some(name) = &found.odd {
                    odd_names.insert(uid, name.clone());
                }
                found.place
            }
            None => entry.place.gone(),
        };
        if place != entry.place {
            changes.moved.push((uid, entry.flags, place));
            state.entries.insert(uid, Entry { place, ..entry });
        }
    }
    let first = (generation.number, generation.uid_validity, 0);
    let start = found.partition_point(|found| found.key() < first);
    for file in found.get(start..).unwrap_or_default() {
        let uid = file.id.uid;
        if file.id.generation != generation.number || file.id.uid_validity != generation.uid_validity {
            continue;
        }
        if state.entries.contains_key(&uid) || !is_whole(disk, dirs, file) {
            continue;
        }
        let (flags, place) = (file.place.flags(), file.place);
        let entry = Entry { time: file.id.time, size: file.id.size, flags, place };
        if let Some(name) = &file.odd {
            odd_names.insert(uid, name.clone());
        }
        state.entries.insert(uid, entry);
        changes.adopted.push((uid, entry));
    }
    changes
}

/// Whether a file that the journal does not know has the size that its name says. If not, it is what a crash of
/// the system left of a message that was never flushed ([`Durability::None`](crate::Durability::None)); it is moved
/// out of the way, not deleted, and the message is fetched again.
fn is_whole(disk: &Disk, dirs: &Dirs, file: &Found) -> bool {
    let canonical = file.id.name(file.place);
    let name = file.odd.as_deref().unwrap_or(canonical.as_bytes());
    let dir = dirs.of(file.place);
    let Ok(stat) = rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) else { return false };
    let regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    if regular && u64::try_from(stat.st_size) == Ok(file.id.size) {
        return true;
    }
    if regular {
        set_aside(disk, dirs, dir, name);
    }
    false
}

const ASIDE: &[u8] = b"postkey.damaged";

fn set_aside(disk: &Disk, dirs: &Dirs, dir: BorrowedFd<'_>, name: &[u8]) {
    let _ = disk.make_dir(dirs.folder.as_fd(), ASIDE);
    if let Ok(aside) = open_dir(dirs.folder.as_fd(), ASIDE) {
        let _ = disk.rename(dir, name, aside.as_fd(), name);
    }
}

/// For error messages: where a file is.
pub(crate) fn path_of(dirs: &Dirs, place: Place, name: &[u8]) -> std::path::PathBuf {
    join(&dirs.path.join(if place.in_new() { "new" } else { "cur" }), name)
}
