//! Where the store's key comes from.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, fsync, linkat, openat, unlinkat};
use wire::SecretBytes;
use zeroize::Zeroizing;

use super::entry::hex;
use super::{StoreError, owner};

/// Length of the key, in octets (AES-256).
const LENGTH: usize = 32;

/// A source of the 32-octet key.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum KeySource {
    /// A file with 64 hexadecimal digits that only its owner can read. If neither it nor any entry exists, it
    /// is made with a random key.
    File(PathBuf),
    /// The key itself, 32 octets, fetched by the caller (from a keyring, a command, the environment).
    Bytes(SecretBytes),
}

impl KeySource {
    /// The key. `used` says that entries exist already: then a missing file is an error and not a first
    /// start, because a new key would lock the entries for good (AU-43).
    pub(super) fn key(
        &self,
        used: impl FnOnce() -> Result<bool, StoreError>,
    ) -> Result<Zeroizing<[u8; LENGTH]>, StoreError> {
        match self {
            Self::Bytes(bytes) => match <[u8; LENGTH]>::try_from(bytes.expose()) {
                Ok(key) => Ok(Zeroizing::new(key)),
                Err(_) => Err(unavailable(format!("it has {} octets and must have {LENGTH}", bytes.len()))),
            },
            Self::File(path) => match read(path)? {
                Some(key) => Ok(key),
                None if used()? => Err(unavailable(format!(
                    "{} does not exist, yet the store holds entries. Restore the file; or, if it is lost, remove the \
                     store's folder and sign in again",
                    path.display()
                ))),
                None => {
                    create(path)?;
                    read(path)?
                        .ok_or_else(|| unavailable(format!("{} vanished while it was made", path.display())))
                }
            },
        }
    }
}

fn unavailable(reason: String) -> StoreError {
    StoreError::KeyUnavailable { reason }
}

fn read(path: &Path) -> Result<Option<Zeroizing<[u8; LENGTH]>>, StoreError> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = match openat(CWD, path, flags, Mode::empty()) {
        Ok(file) => file,
        Err(rustix::io::Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(owner::open_error("open the key file", path, errno)),
    };
    owner::check(&file, FileType::RegularFile, path)?;
    let mut text = Zeroizing::new(Vec::with_capacity(256));
    File::from(file).take(256).read_to_end(&mut text).map_err(|source| StoreError::Io {
        action: "read the key file",
        path: path.to_owned(),
        source,
    })?;
    match decode(text.trim_ascii()) {
        Some(key) => Ok(Some(key)),
        None => {
            Err(unavailable(format!("{} does not hold {} hexadecimal digits", path.display(), 2 * LENGTH)))
        }
    }
}

fn decode(text: &[u8]) -> Option<Zeroizing<[u8; LENGTH]>> {
    if text.len() != 2 * LENGTH {
        return None;
    }
    let mut key = Zeroizing::new([0; LENGTH]);
    for (octet, pair) in key.iter_mut().zip(text.chunks_exact(2)) {
        let mut value = 0;
        for digit in pair {
            value = value * 16 + char::from(*digit).to_digit(16)?;
        }
        *octet = u8::try_from(value).ok()?;
    }
    Some(key)
}

/// Makes the file whole or not at all: written under a name of its own, then linked. Whoever comes second
/// uses the first one's key.
fn create(path: &Path) -> Result<(), StoreError> {
    let io = |action| move |source| StoreError::Io { action, path: path.to_owned(), source };
    let mut random = Zeroizing::new([0; LENGTH]);
    let mut name = [0; 8];
    aws_lc_rs::rand::fill(&mut *random).map_err(|_| StoreError::Cipher)?;
    aws_lc_rs::rand::fill(&mut name).map_err(|_| StoreError::Cipher)?;
    let mut new = path.as_os_str().to_owned();
    new.push(format!(".{}.tmp", hex(&name)));
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = openat(CWD, &new, flags, Mode::RUSR | Mode::WUSR)
        .map_err(|errno| owner::open_error("create the key file", path, errno))?;
    let mut file = File::from(file);
    let text = Zeroizing::new(hex(&*random) + "\n");
    let written =
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(io("write the key file"));
    let linked = written.and_then(|()| match linkat(CWD, &new, CWD, path, AtFlags::empty()) {
        Ok(()) | Err(rustix::io::Errno::EXIST) => Ok(()),
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
