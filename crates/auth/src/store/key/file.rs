//! The key in a file.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, fsync, linkat, openat, unlinkat};
use rustix::io::Errno;
use zeroize::Zeroizing;

use super::{Key, LENGTH, decode, unavailable};
use crate::store::entry::hex;
use crate::store::{StoreError, owner};

pub(in crate::store) fn read(path: &Path) -> Result<Option<Key>, StoreError> {
    let Some(text) = octets(path, 256)? else { return Ok(None) };
    match decode(text.trim_ascii()) {
        Some(key) => Ok(Some(key)),
        None => {
            Err(unavailable(format!("{} does not hold {} hexadecimal digits", path.display(), 2 * LENGTH)))
        }
    }
}

/// The first octets, at most `most`, of a file that is its owner's alone; `None` if it does not exist.
pub(in crate::store) fn octets(path: &Path, most: u64) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = match openat(CWD, path, flags, Mode::empty()) {
        Ok(file) => file,
        Err(Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(owner::open_error("open the key file", path, errno)),
    };
    owner::check(&file, FileType::RegularFile, path)?;
    slurp(File::from(file), path, most).map(Some)
}

/// The first octets of an open file.
pub(super) fn slurp(file: File, path: &Path, most: u64) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    let io = |source| StoreError::Io { action: "read the key file", path: path.to_owned(), source };
    let length = file.metadata().map_err(io)?.len().min(most);
    // Room for all of it at once, and one octet more so that the end is seen without growing.
    let mut text = Zeroizing::new(Vec::with_capacity(usize::try_from(length).unwrap_or_default() + 1));
    file.take(most).read_to_end(&mut text).map_err(io)?;
    Ok(text)
}

/// Makes the file whole or not at all: written under a name of its own, then linked. Whoever comes second
/// uses the first one's key.
pub(super) fn create(path: &Path, content: &[u8]) -> Result<(), StoreError> {
    let io = |action| move |source| StoreError::Io { action, path: path.to_owned(), source };
    let mut name = [0; 8];
    aws_lc_rs::rand::fill(&mut name).map_err(|_| StoreError::Cipher)?;
    let mut new = path.as_os_str().to_owned();
    new.push(format!(".{}.tmp", hex(&name)));
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = openat(CWD, &new, flags, Mode::RUSR | Mode::WUSR)
        .map_err(|errno| owner::open_error("create the key file", path, errno))?;
    let mut file = File::from(file);
    let written = file.write_all(content).and_then(|()| file.sync_all()).map_err(io("write the key file"));
    let linked = written.and_then(|()| match linkat(CWD, &new, CWD, path, AtFlags::empty()) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(errno) => Err(owner::open_error("create the key file", path, errno)),
    });
    // The temporary name is of no use to anybody, whether or not the link was made.
    let _ = unlinkat(CWD, &new, AtFlags::empty());
    linked?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    openat(CWD, folder, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .and_then(fsync)
        .map_err(|errno| owner::io("make durable the folder of", path, errno))
}
