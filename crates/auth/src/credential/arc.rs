//! The key file by which the agent of Azure Arc knows that its caller may act for the machine.
//!
//! Whoever listens at the agent's address names the file, and gets what is in it: so it must lie in the agent's own folder, be
//! called as the agent calls it, be a file of its own and be short.

use std::path::{Component, Path};

use wire::Secret;

use crate::Error;

/// Where the agent keeps them on Linux.
pub(super) const KEYS: &str = "/var/opt/azcmagent/tokens";
/// Longest one, in octets.
#[cfg(unix)]
const LONGEST: u64 = 4096;

/// Reads the key that a challenge (RFC 7617 §2, with a path as the realm) names; it must be in the folder `keys`.
pub(super) fn key(challenge: &str, keys: &Path) -> Result<Secret, Error> {
    let path = realm(challenge)
        .ok_or_else(|| Error::response("it asks for no key file (WWW-Authenticate: Basic realm=…)"))?;
    let name = name(path, keys).ok_or_else(|| {
        wrong("it asks for a file that is no key file of the agent; that file was not read")
    })?;
    let text = read(keys, name)?;
    let text = text.expose().trim_ascii();
    // It becomes a header line.
    if text.is_empty() || !text.bytes().all(|byte| (0x20..=0x7e).contains(&byte)) {
        return Err(wrong("the key file holds no key"));
    }
    Ok(Secret::from(text))
}

fn wrong(reason: impl Into<String>) -> Error {
    Error::setting("managed identity", reason)
}

/// The realm of a Basic challenge. Realms in use are paths and never have quotes or commas inside.
fn realm(challenge: &str) -> Option<&str> {
    let (scheme, parameter) = challenge.trim().split_once(' ')?;
    let (name, value) = parameter.trim().split_once('=')?;
    let named = scheme.eq_ignore_ascii_case("basic") && name.trim().eq_ignore_ascii_case("realm");
    let value = value.trim();
    let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    (named && !value.is_empty()).then_some(value)
}

/// The file's name, if `path` is that of a key file in `keys`, to the letter.
fn name<'p>(path: &'p str, keys: &Path) -> Option<&'p str> {
    let name = path.strip_prefix(keys.to_str()?)?.strip_prefix('/')?;
    let stem = name.strip_suffix(".key")?;
    let letters =
        !stem.is_empty() && stem.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let one = matches!(Path::new(name).components().collect::<Vec<_>>()[..], [Component::Normal(_)]);
    (letters && one).then_some(name)
}

#[cfg(unix)]
fn read(keys: &Path, name: &str) -> Result<Secret, Error> {
    use std::io::Read as _;

    use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, openat};
    use zeroize::Zeroizing;

    let failed = |what: &str, errno: rustix::io::Errno| {
        let hint = if errno == rustix::io::Errno::ACCESS {
            " (its readers are members of the group himds)"
        } else {
            ""
        };
        wrong(format!("{what} cannot be opened: {}{hint}", std::io::Error::from(errno)))
    };
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let folder = openat(CWD, keys, flags | OFlags::DIRECTORY, Mode::empty())
        .map_err(|errno| failed(&format!("the folder {}", keys.display()), errno))?;
    let file = openat(&folder, name, flags, Mode::empty()).map_err(|errno| failed("the key file", errno))?;
    // What was opened is what is looked at: nothing can be put in its place in between.
    let status = fstat(&file).map_err(|errno| failed("the key file", errno))?;
    if FileType::from_raw_mode(status.st_mode) != FileType::RegularFile || status.st_nlink != 1 {
        return Err(wrong(
            "what it asks for is no file of its own but a link, a folder or a device; it was not read",
        ));
    }
    let mut text = Zeroizing::new(String::with_capacity(usize::try_from(LONGEST).unwrap_or_default() + 1));
    std::fs::File::from(file)
        .take(LONGEST + 1)
        .read_to_string(&mut text)
        .map_err(|error| wrong(format!("the key file cannot be read: {error}")))?;
    if text.len() as u64 > LONGEST {
        return Err(wrong(format!("the key file is longer than {LONGEST} octets; it was not sent")));
    }
    Ok(Secret::from(text.as_str()))
}

#[cfg(not(unix))]
fn read(_: &Path, _: &str) -> Result<Secret, Error> {
    Err(wrong("Azure Arc is supported on Linux only"))
}
