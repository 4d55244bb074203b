//! Behaviour, seen from the disk: what is there after whatever happened.

mod faults;
mod folders;
mod generations;
mod kill;
mod mail_programs;
mod order;
mod sessions;
mod space;
mod storing;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::file_name::FileId;
use crate::*;

/// A message on the pretend server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Message {
    pub(super) flags: Flags,
    pub(super) date: i64,
    pub(super) body: Vec<u8>,
}

/// One folder of the pretend server.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) uid_validity: u32,
    pub(super) messages: BTreeMap<u32, Message>,
}

impl Server {
    pub(super) fn new(uid_validity: u32, uids: impl IntoIterator<Item = u32>) -> Self {
        Self { uid_validity, messages: uids.into_iter().map(|uid| (uid, message(uid))).collect() }
    }

    /// As after a restore from backup: the same messages, other UIDs.
    pub(super) fn renumbered(&self, uid_validity: u32) -> Self {
        let messages = self.messages.iter().map(|(uid, message)| (uid * 2 + 1, message.clone())).collect();
        Self { uid_validity, messages }
    }
}

/// A message that is different for each number; some empty, some larger than the buffer, some odd.
pub(super) fn message(number: u32) -> Message {
    let flags = match number % 4 {
        0 => Flags::NONE,
        1 => Flags::SEEN,
        2 => Flags::SEEN | Flags::ANSWERED,
        _ => Flags::FLAGGED,
    };
    let size = match number % 11 {
        // FS-15: nothing at all; only the first message may be, or two would be equal
        0 if number == 11 => 0,
        7 => 70_000,
        9 => 200_000,
        n => 300 * n as usize + 40,
    };
    let head = format!("Message-ID: <{number}@example.org>\r\nX: \0 \r lone\n\r\n");
    let mut body: Vec<u8> = head
        .bytes()
        .chain((number..).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).take(size))
        .collect();
    body.truncate(size);
    Message { flags, date: 1_500_000_000 + i64::from(number), body }
}

/// Downloads what is missing and brings flags up to date, as a client does.
pub(super) fn sync(maildir: &Maildir, name: &FolderName, server: &Server) -> Result<Committed> {
    let mut folder = maildir.folder(name)?;
    folder.begin_generation(server.uid_validity)?;
    let mut first = None;
    for (uid, message) in &server.messages {
        let result = if folder.contains(*uid) {
            folder.set_flags(*uid, message.flags).map(|_| ())
        } else {
            store(&mut folder, *uid, message)
        };
        if let Err(error) = result {
            first.get_or_insert(error);
            if folder.flush().is_err() {
                break;
            }
        }
    }
    let closed = folder.close();
    match first {
        Some(error) => Err(error),
        None => closed,
    }
}

pub(super) fn store(folder: &mut Folder, uid: u32, message: &Message) -> Result<()> {
    let mut delivery = folder.begin(Meta {
        flags: message.flags,
        internal_date: Some(message.date),
        expected_len: (!uid.is_multiple_of(3)).then_some(message.body.len() as u64),
        ..Meta::new(uid)
    })?;
    let piece = [7, 40_001, 80_001][uid as usize % 3];
    for chunk in message.body.chunks(piece.max(message.body.len() / 50)) {
        delivery.write(chunk)?;
    }
    folder.finish(delivery)
}

pub(super) fn options(durability: Durability) -> Options {
    Options { durability, batch_messages: 5, ..Options::default() }
}

/// A place to store; in memory where that is possible, because some tests open it thousands of times.
pub(super) fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// A message file as it lies on disk.
#[derive(Debug)]
pub(super) struct OnDisk {
    pub(super) path: PathBuf,
    pub(super) in_new: bool,
    pub(super) id: FileId,
    pub(super) flags: Flags,
    pub(super) modified: i64,
    pub(super) body: Vec<u8>,
}

pub(super) fn on_disk(folder: &Path) -> Vec<OnDisk> {
    let mut all = Vec::new();
    for part in ["cur", "new"] {
        let Ok(dir) = fs::read_dir(folder.join(part)) else { continue };
        for entry in dir {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().as_encoded_bytes().to_vec();
            let (id, flags) = FileId::parse(&name).unwrap_or_else(|| panic!("{path:?}"));
            let body = fs::read(&path).unwrap();
            let modified = fs::metadata(&path).unwrap().mtime();
            all.push(OnDisk { in_new: part == "new", id, flags, modified, body, path });
        }
    }
    all
}

/// Whole messages only, each once. With `complete`, all that the server has, with its flags and dates.
pub(super) fn check(folder: &Path, ever: &[&Server], complete: Option<&Server>) {
    let mut by_body: BTreeMap<Vec<u8>, OnDisk> = BTreeMap::new();
    for file in on_disk(folder) {
        let known = ever.iter().any(|server| server.messages.values().any(|m| m.body == file.body));
        assert!(known, "{:?} is no message of the server: {} bytes", file.path, file.body.len());
        assert_eq!(file.id.size, file.body.len() as u64);
        let path = file.path.clone();
        if let Some(other) = by_body.insert(file.body.clone(), file) {
            panic!("{:?} and {path:?} are the same message", other.path);
        }
    }
    let Some(server) = complete else { return };
    for (uid, message) in &server.messages {
        let file = by_body.get(&message.body).unwrap_or_else(|| panic!("message {uid} is missing"));
        assert_eq!(file.flags, message.flags, "flags of {uid}");
        assert_eq!(file.modified, message.date, "date of {uid}");
    }
    let left: Vec<_> = fs::read_dir(folder.join("tmp")).unwrap().map(|e| e.unwrap().path()).collect();
    assert!(left.is_empty(), "left in tmp: {left:?}");
}
