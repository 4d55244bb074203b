//! Files of a folder that get other names: flags that changed, and messages of earlier generations.

use rustix::io::Errno;

use super::{FlagUpdate, Folder};
use crate::error::{Error, Result};
use crate::file_name::{FileId, Place, other_letters};
use crate::scan::path_of;
use crate::state::Entry;
use crate::{Flags, Meta};

impl Folder {
    /// Notes the flags that the server has now, and renames the file accordingly. Letters of other programs
    /// (Dovecot's keywords) stay. Flags that a mail program has set here are overwritten, but only when the server's
    /// change.
    ///
    /// # Errors
    /// [`Error::Disk`] if the file cannot be renamed; [`Error::NotCommitted`], [`Error::Stopped`] as for
    /// [`begin`](Self::begin).
    pub fn set_flags(&mut self, uid: u32, flags: Flags) -> Result<FlagUpdate> {
        self.report()?;
        if self.flags(uid) == Some(flags) {
            return Ok(FlagUpdate::Unchanged);
        }
        if self.unsettled.is_some_and(|(low, high)| (low..=high).contains(&uid)) {
            self.settle()?;
        }
        let mut looked = false;
        loop {
            let Some(entry) = self.state.entries.get(&uid).copied() else { return Ok(FlagUpdate::NotStored) };
            let id = self.state.file(uid, &entry);
            self.mark_opened()?;
            let moved =
                if entry.place.is_gone() { None } else { self.move_file(uid, &id, entry.place, flags)? };
            if moved.is_none() && !entry.place.is_gone() && !looked {
                // a mail program has been here: see where everything is now, and try again
                self.settle()?;
                self.look()?;
                looked = true;
                continue;
            }
            let place = moved.unwrap_or(entry.place.gone());
            self.state.entries.insert(uid, Entry { flags, place, ..entry });
            self.batch.flags.push((uid, flags, place));
            self.batch.flags_asked += u64::from(moved.is_some());
            self.hand_over_if_full()?;
            return Ok(if moved.is_some() { FlagUpdate::Applied } else { FlagUpdate::Gone });
        }
    }

    /// Finds a message among the files of earlier generations; `true` if that is done.
    pub(super) fn claim(&mut self, meta: &Meta, size: u64, hash: &[u8]) -> Result<bool> {
        let Some(matcher) = &mut self.matcher else { return Ok(false) };
        let Some(file) = matcher.claim(&self.shared.dirs, size, hash) else { return Ok(false) };
        if let Some(name) = file.odd {
            self.odd_names.insert(meta.uid, name);
        }
        let place = match self.move_file(meta.uid, &file.id, file.place, meta.flags) {
            Ok(Some(place)) => place,
            Ok(None) => {
                self.odd_names.remove(&meta.uid);
                return Ok(false);
            }
            Err(error) => {
                // the file is still there to be claimed, by the next attempt
                self.odd_names.remove(&meta.uid);
                self.matcher = None;
                return Err(error);
            }
        };
        let entry = Entry { time: file.id.time, size, flags: meta.flags, place };
        self.state.entries.insert(meta.uid, entry);
        self.state.origins.insert(meta.uid, file.id);
        self.batch.matched.push((meta.uid, entry, file.id));
        Ok(true)
    }

    /// Renames a file so that its name has these flags; `None` if it is not there.
    pub(super) fn move_file(
        &mut self,
        uid: u32,
        id: &FileId,
        from: Place,
        flags: Flags,
    ) -> Result<Option<Place>> {
        // once in `cur` a message stays there: it is no longer new
        let to = if from.in_new() && flags.is_empty() { Place::NEW } else { Place::cur(flags) };
        let old = id.name(from);
        let odd = self.odd_names.get(&uid).cloned();
        let old = odd.as_deref().unwrap_or(old.as_bytes());
        let mut new = id.name(to).as_bytes().to_vec();
        if odd.is_some() && !to.in_new() {
            new.extend(other_letters(old));
        }
        let dirs = &self.shared.dirs;
        match self.shared.disk.rename(dirs.of(from), old, dirs.of(to), &new) {
            Ok(()) => {}
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(Error::disk("change the flags of", path_of(dirs, from, old), errno)),
        }
        self.batch.renamed = true;
        if id.name(to).as_bytes() == new {
            self.odd_names.remove(&uid);
        } else {
            self.odd_names.insert(uid, new.into());
        }
        Ok(Some(to))
    }
}
