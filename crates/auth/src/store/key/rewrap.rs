//! The same key under another wrapping.

use std::path::Path;

use super::{KeySource, unavailable};
use crate::store::StoreError;
use crate::store::file::FileStore;

/// Carries the key of the store in `folder` from one source to another. The key stays the same, so no entry is
/// touched, and programs that run meanwhile are not disturbed. The old source stays as well: remove it once the
/// configuration names the new one, or keep it as a backup.
///
/// Before anything is written, the key from `from` is tried on every entry. A source that gives a key but cannot
/// take one ([`KeySource::Bytes`], [`KeySource::Credential`]) must already give the same key.
///
/// # Errors
///
/// [`StoreError::KeyUnavailable`] if `from` has no key, if `to` holds another one (which is left as it is), or if it
/// cannot take one; [`StoreError::WrongKey`] if `from` is not the key of the entries; [`StoreError::Unsafe`],
/// [`StoreError::Io`] and what else the two sources give.
pub fn rewrap(folder: &Path, from: &KeySource, to: &KeySource) -> Result<(), StoreError> {
    let missing = || unavailable(format!("{from} does not exist"));
    let key = from.read()?.ok_or_else(missing)?;
    FileStore::open_with(folder.to_owned(), |_| Ok(key.clone()))?.recognises_all()?;
    if to.read()?.is_none() {
        to.create(&key)?;
    }
    match to.read()? {
        Some(found) if found == key => Ok(()),
        Some(_) => Err(unavailable(format!(
            "{to} holds another key already; it is left as it is. Name another place, or remove that key if nothing \
             needs it"
        ))),
        None => Err(unavailable(format!("{to} vanished while it was made"))),
    }
}
