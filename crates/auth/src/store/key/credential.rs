//! The key as a systemd credential.

use std::fs::File;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;

use super::{Key, LENGTH, decode, file, unavailable};
use crate::store::{StoreError, owner};

/// Where systemd tells a service the folder of its credentials.
const FOLDER: &str = "CREDENTIALS_DIRECTORY";

pub(super) fn find(name: &str) -> Result<PathBuf, StoreError> {
    if name.is_empty() || name.contains('/') || matches!(name, "." | "..") {
        return Err(unavailable(format!("{name:?} is no name of a credential: give it without a path")));
    }
    match std::env::var_os(FOLDER) {
        Some(folder) if !folder.is_empty() => Ok(Path::new(&folder).join(name)),
        _ => Err(unavailable(format!(
            "{FOLDER} is not set, so there are no credentials here. Start this as a systemd service with \
             LoadCredential={name}:FILE or LoadCredentialEncrypted={name}:FILE"
        ))),
    }
}

pub(super) fn read(path: &Path) -> Result<Option<Key>, StoreError> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = match openat(CWD, path, flags, Mode::empty()) {
        Ok(file) => file,
        Err(Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(owner::open_error("open the credential", path, errno)),
    };
    owner::check_credential(&file, path)?;
    let octets = file::slurp(File::from(file), path, 256)?;
    if let Ok(key) = <[u8; LENGTH]>::try_from(octets.as_slice()) {
        return Ok(Some(Key::new(key)));
    }
    match decode(octets.trim_ascii()) {
        Some(key) => Ok(Some(key)),
        None => Err(unavailable(format!(
            "the credential {} holds neither {LENGTH} octets nor {} hexadecimal digits",
            path.display(),
            2 * LENGTH
        ))),
    }
}
