//! Which UID of the archive a message of the maildrop has: POP3 knows messages by strings, the archive by numbers.
//!
//! ```text
//! postkey.uidl = line(postkey-uidl 1 VALIDITY) *line(UID TIME KEY)
//! line(text)   = crc32 of text in 8 hexadecimal digits, space, text, LF
//! KEY          = "u:" unique-id | "h:" SHA-256 of the message, where it has no unique-id of its own
//! ```
//!
//! A line is on disk before the message it is about. So a message that is stored has its line, and after a crash it is neither
//! downloaded twice nor taken for another. If the file is lost or damaged all the same, a new one with another
//! validity begins, which makes the archive recognise messages by their content.

use std::collections::HashMap;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::dirs::{join, read_file, wrong_type};
use crate::disk::Disk;
use crate::journal::replace;
use crate::{Error, Result};

const NAME: &[u8] = b"postkey.uidl";
const HEAD: &str = "postkey-uidl 1 ";

/// A message that has been seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) uid: u32,
    /// When it was first seen, in seconds since 1970.
    pub(super) since: u64,
}

/// All messages that have been seen in this maildrop.
#[derive(Debug)]
pub(super) struct Uidls {
    disk: Disk,
    path: PathBuf,
    file: OwnedFd,
    validity: u32,
    known: HashMap<String, Known>,
    next: u32,
}

/// The content of the file.
#[derive(Debug, Default, PartialEq, Eq)]
struct Content {
    validity: u32,
    known: HashMap<String, Known>,
    /// How many octets can be kept.
    good: usize,
}

impl Uidls {
    /// Opens the file of a folder's directory, or makes it. `other_than` is the validity that a new one must not have, `now` is in seconds
    /// since 1970.
    pub(super) fn open(path: &Path, other_than: Option<u32>, now: u64) -> Result<Self> {
        let disk = Disk::default();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = rustix::fs::open(path, flags, Mode::empty())
            .map_err(|errno| Error::disk("open the directory", path, errno))?;
        let found = read_file(dir.as_fd(), NAME, path)?;
        let kept = found.as_deref().and_then(|bytes| load(bytes).map(|content| (bytes, content)));
        let content = match kept {
            Some((bytes, content)) if content.good == bytes.len() => content,
            // The last line was being written when something went wrong: nothing is stored under it.
            Some((bytes, content)) => {
                write(&disk, &dir, path, bytes.get(..content.good).unwrap_or_default())?;
                content
            }
            None => {
                let validity = u32::try_from(now % (1 << 31)).unwrap_or(1).max(1);
                let validity = if other_than == Some(validity) { validity + 1 } else { validity };
                write(&disk, &dir, path, line(&format!("{HEAD}{validity}")).as_bytes())?;
                Content { validity, ..Content::default() }
            }
        };
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&dir, NAME, flags, Mode::empty()).map_err(|errno| match errno {
            Errno::LOOP => wrong_type(&join(path, NAME), "a regular file"),
            errno => Error::disk("open", join(path, NAME), errno),
        })?;
        let next = content.known.values().map(|k| k.uid).max().unwrap_or(0).saturating_add(1);
        let Content { validity, known, .. } = content;
        Ok(Self { disk, path: path.to_path_buf(), file, validity, known, next })
    }

    /// What stands for UIDVALIDITY.
    pub(super) fn validity(&self) -> u32 {
        self.validity
    }

    /// UIDs up to this one are taken.
    pub(super) fn reserve(&mut self, uid: u32) {
        self.next = self.next.max(uid.saturating_add(1));
    }

    pub(super) fn get(&self, key: &str) -> Option<Known> {
        self.known.get(key).copied()
    }

    /// All of them, in no order.
    pub(super) fn all(&self) -> impl Iterator<Item = Known> + '_ {
        self.known.values().copied()
    }

    /// A UID that nothing has.
    pub(super) fn fresh(&mut self) -> Result<u32> {
        let uid = self.next;
        // What comes after the last one would be taken for a message that is there.
        self.next = uid.checked_add(1).ok_or(Error::Misuse("there are no more UIDs in this folder"))?;
        Ok(uid)
    }

    /// Notes messages; on disk when this returns.
    pub(super) fn note(&mut self, new: &[(String, Known)]) -> Result<()> {
        if new.is_empty() {
            return Ok(());
        }
        let mut lines = String::new();
        for (key, known) in new {
            lines.push_str(&line(&format!("{} {} {key}", known.uid, known.since)));
        }
        let written = self.disk.append(self.file.as_fd(), lines.as_bytes());
        let synced = written.and_then(|()| self.disk.sync_file(self.file.as_fd(), NAME));
        synced.map_err(|errno| Error::disk("write", join(&self.path, NAME), errno))?;
        self.known.extend(new.iter().cloned());
        Ok(())
    }
}

fn write(disk: &Disk, dir: &OwnedFd, path: &Path, bytes: &[u8]) -> Result<()> {
    replace(disk, dir.as_fd(), NAME, bytes, true)
        .map_err(|errno| Error::disk("write", join(path, NAME), errno))
}

fn line(text: &str) -> String {
    format!("{:08x} {text}\n", crc32fast::hash(text.as_bytes()))
}

/// The text of a line, if it is whole.
fn text(line: &str) -> Option<&str> {
    let (crc, text) = line.split_at_checked(8)?;
    let text = text.strip_prefix(' ')?;
    (crc == format!("{:08x}", crc32fast::hash(text.as_bytes()))).then_some(text)
}

/// Reads the file; `None` when it is damaged elsewhere than at its end.
fn load(bytes: &[u8]) -> Option<Content> {
    let mut content = Content::default();
    for (n, octets) in bytes.split_inclusive(|o| *o == b'\n').enumerate() {
        let last = content.good + octets.len() == bytes.len();
        let text = std::str::from_utf8(octets).ok().and_then(|l| l.strip_suffix('\n')).and_then(text);
        match text {
            None if last && n > 0 => break,
            None => return None,
            Some(text) if n == 0 => {
                content.validity = text.strip_prefix(HEAD)?.parse().ok().filter(|v| *v > 0)?;
            }
            Some(text) => {
                let mut parts = text.splitn(3, ' ');
                let uid = parts.next()?.parse().ok().filter(|uid| *uid > 0)?;
                let since = parts.next()?.parse().ok()?;
                content.known.insert(parts.next()?.to_owned(), Known { uid, since });
            }
        }
        content.good += octets.len();
    }
    (content.good > 0).then_some(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(uid: u32) -> Known {
        Known { uid, since: 1_700_000_000 }
    }

    #[test]
    fn what_was_noted_is_there_again_and_a_torn_line_costs_only_itself() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("postkey.uidl");
        let mut uidls = Uidls::open(dir.path(), None, 1_700_000_000).unwrap();
        assert_eq!(uidls.validity(), 1_700_000_000);
        assert_eq!((uidls.fresh().unwrap(), uidls.fresh().unwrap()), (1, 2));
        uidls.note(&[("u:a b".into(), known(1)), ("h:00ff".into(), known(2))]).unwrap();
        drop(uidls);
        let whole = std::fs::read(&file).unwrap();
        // However much of the last line is missing.
        let second_line_ends = whole.iter().enumerate().filter(|(_, o)| **o == b'\n').nth(1).unwrap().0 + 1;
        for cut in second_line_ends..whole.len() {
            std::fs::write(&file, &whole[..cut]).unwrap();
            let mut uidls = Uidls::open(dir.path(), None, 5).unwrap();
            assert_eq!(uidls.validity(), 1_700_000_000);
            assert_eq!((uidls.get("u:a b"), uidls.get("h:00ff")), (Some(known(1)), None), "cut at {cut}");
            uidls.note(&[("u:new".into(), known(7))]).unwrap();
            let again = Uidls::open(dir.path(), None, 5).unwrap();
            assert_eq!(again.get("u:new"), Some(known(7)));
        }
    }

    #[test]
    fn damage_begins_a_new_validity() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("postkey.uidl");
        let mut uidls = Uidls::open(dir.path(), None, 1_000).unwrap();
        uidls.note(&[("u:a".into(), known(1)), ("u:b".into(), known(2))]).unwrap();
        drop(uidls);
        let whole = std::fs::read(&file).unwrap();
        for at in 0..whole.len() - 30 {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            std::fs::write(&file, &bytes).unwrap();
            let uidls = Uidls::open(dir.path(), Some(1_000), 1_000).unwrap();
            let survived = uidls.validity() == 1_000;
            assert!(survived || uidls.validity() == 1_001, "octet {at}");
            // Whatever is still believed is true.
            for (key, uid) in [("u:a", 1), ("u:b", 2)] {
                assert!(uidls.get(key).is_none_or(|k| k.uid == uid));
            }
            assert!(!survived || uidls.get("u:a").is_some(), "octet {at}");
        }
    }

    #[test]
    fn a_link_in_its_place_is_not_followed() {
        // FS: the target's owner may be somebody else's victim.
        let dir = tempfile::tempdir().unwrap();
        let elsewhere = dir.path().join("elsewhere");
        std::fs::write(&elsewhere, "mine").unwrap();
        std::os::unix::fs::symlink(&elsewhere, dir.path().join("postkey.uidl")).unwrap();
        assert!(matches!(Uidls::open(dir.path(), None, 1), Err(Error::WrongType { .. })));
        assert_eq!(std::fs::read(&elsewhere).unwrap(), b"mine");
    }
}
