//! Whether a file or folder is its owner's alone (AU-41).

use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{FileType, fstat};
use rustix::process::geteuid;

use super::{StoreError, Unsafe};

/// Checks what is behind an open descriptor, so that nothing can be swapped between check and use.
pub(super) fn check(file: impl AsFd, expected: FileType, path: &Path) -> Result<(), StoreError> {
    let stat = fstat(file).map_err(|errno| io("examine", path, errno))?;
    let refuse = |reason| Err(StoreError::Unsafe { path: path.to_owned(), reason });
    if FileType::from_raw_mode(stat.st_mode) != expected {
        return refuse(Unsafe::Kind);
    }
    if stat.st_uid != geteuid().as_raw() {
        return refuse(Unsafe::Owner(stat.st_uid));
    }
    let mode = mode(&stat);
    if mode & 0o077 != 0 {
        return refuse(Unsafe::Mode(mode));
    }
    Ok(())
}

/// The same for a systemd credential: it may be the superuser's, and its group's bits are the mask of an access control
/// list that lets the service read it.
pub(super) fn check_credential(file: impl AsFd, path: &Path) -> Result<(), StoreError> {
    let stat = fstat(file).map_err(|errno| io("examine", path, errno))?;
    let refuse = |reason| Err(StoreError::Unsafe { path: path.to_owned(), reason });
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return refuse(Unsafe::Kind);
    }
    if stat.st_uid != geteuid().as_raw() && stat.st_uid != 0 {
        return refuse(Unsafe::Owner(stat.st_uid));
    }
    let mode = mode(&stat);
    if mode & 0o027 != 0 {
        return refuse(Unsafe::Mode(mode));
    }
    Ok(())
}

#[allow(clippy::useless_conversion, reason = "the type is narrower on some systems")]
fn mode(stat: &rustix::fs::Stat) -> u32 {
    u32::from(rustix::fs::Mode::from_raw_mode(stat.st_mode).bits()) & 0o7777
}

/// The system's refusal to open something, with the symbolic link told apart.
pub(super) fn open_error(action: &'static str, path: &Path, errno: rustix::io::Errno) -> StoreError {
    // O_NOFOLLOW answers ELOOP; with O_DIRECTORY some systems answer ENOTDIR.
    let link = std::fs::symlink_metadata(path).is_ok_and(|data| data.file_type().is_symlink());
    if link {
        return StoreError::Unsafe { path: path.to_owned(), reason: Unsafe::Symlink };
    }
    if errno == rustix::io::Errno::NOTDIR {
        return StoreError::Unsafe { path: path.to_owned(), reason: Unsafe::Kind };
    }
    io(action, path, errno)
}

pub(super) fn io(action: &'static str, path: &Path, errno: rustix::io::Errno) -> StoreError {
    StoreError::Io { action, path: path.to_owned(), source: errno.into() }
}
