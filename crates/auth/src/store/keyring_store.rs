//! Tokens in a keyring: one item per entry.
//!
//! ```text
//! "postkey-1."    format
//! base64          the JSON record with its entry
//! ```
//!
//! Text and not octets, because KWallet keeps only text. The keyring encrypts; what is checked here is that an item is
//! whole and belongs to its name.

use std::fmt;
use std::path::{Path, PathBuf};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use zeroize::Zeroizing;

use super::entry::{Stored, hex};
use super::folder::Folder;
use super::keyring::Keyring;
use super::{EntryKey, Listing, Lock, Record, StoreError, TokenStore};

/// What every format begins with, before its number and a full stop.
const MAGIC: &[u8] = b"postkey-";
const FORMAT: u8 = 1;
/// Room that a new entry is sure to have beyond the size of the old one, in octets. Less than in a folder: the
/// kernel's keyring gives a user 20,000 octets in all.
const GROWTH: usize = 1024;

/// A store in a keyring. Locks are files in a folder, as for [`FileStore`](super::FileStore), because keyrings have
/// none; the folder also tells which entries there are. It holds no secret.
///
/// What is promised beyond [`TokenStore`] depends on the keyring: how an item survives a loss of power, and for how
/// long it is kept ([`Keyring::keyutils`]: until the machine restarts).
pub struct KeyringStore {
    locks: Folder,
    keyring: Keyring,
}

impl fmt::Debug for KeyringStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyringStore")
            .field("keyring", &self.keyring)
            .field("locks", &self.locks.path())
            .finish()
    }
}

impl KeyringStore {
    /// Opens the store in `keyring` with its locks in the folder `locks`, which is created (with its parents, for the owner
    /// alone) if it does not exist. All programs that share the store must name the same folder.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unsafe`] for a folder that is a link, another user's, or open to others; [`StoreError::Io`].
    pub fn open(locks: impl Into<PathBuf>, keyring: Keyring) -> Result<Self, StoreError> {
        Ok(Self { locks: Folder::open(locks.into())?, keyring })
    }

    /// The folder of the locks.
    pub fn path(&self) -> &Path {
        self.locks.path()
    }

    fn read(&self, digest: &[u8; 32]) -> Result<Option<(EntryKey, Record)>, StoreError> {
        let item = hex(digest);
        let Some(text) = self.keyring.get(&item)? else { return Ok(None) };
        decode(digest, &text).map(Some).map_err(|reason| unreadable(&item, &reason))
    }

    /// Keeps what is damaged under another name, under its lock, and says where.
    fn set_aside(&self, digest: &[u8; 32]) -> Result<Option<PathBuf>, StoreError> {
        let (item, aside) = (hex(digest), Folder::name(digest, "corrupt"));
        let Some(text) = self.keyring.get(&item)? else { return Ok(None) };
        self.keyring.set(&aside, &text)?;
        self.keyring.delete(&item)?;
        Ok(Some(place(&aside)))
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Unreadable {
    Corrupt,
    Version(u8),
}

fn encode(key: &EntryKey, record: &Record) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    let json = Stored::new(key, record).json(0)?;
    let mut text = Zeroizing::new(Vec::with_capacity(MAGIC.len() + 4 + json.len().saturating_mul(2)));
    text.extend_from_slice(MAGIC);
    text.extend_from_slice(format!("{FORMAT}.").as_bytes());
    text.extend_from_slice(Zeroizing::new(Base64UrlUnpadded::encode_string(&json)).as_bytes());
    Ok(text)
}

fn decode(digest: &[u8; 32], text: &[u8]) -> Result<(EntryKey, Record), Unreadable> {
    let text = std::str::from_utf8(text.strip_prefix(MAGIC).ok_or(Unreadable::Corrupt)?);
    let (format, text) = text.ok().and_then(|text| text.split_once('.')).ok_or(Unreadable::Corrupt)?;
    match format.parse() {
        Ok(FORMAT) => {}
        Ok(other) => return Err(Unreadable::Version(other)),
        Err(_) => return Err(Unreadable::Corrupt),
    }
    let json = Zeroizing::new(Base64UrlUnpadded::decode_vec(text).map_err(|_| Unreadable::Corrupt)?);
    let stored: Stored = serde_json::from_slice(&json).map_err(|_| Unreadable::Corrupt)?;
    if stored.entry.digest() != *digest {
        return Err(Unreadable::Corrupt);
    }
    Ok((stored.entry.clone(), stored.into_record()))
}

/// An item as errors name it.
fn place(item: &str) -> PathBuf {
    PathBuf::from(format!("the keyring's item {item}"))
}

fn unreadable(item: &str, reason: &Unreadable) -> StoreError {
    match reason {
        Unreadable::Corrupt => StoreError::Corrupt { path: place(item), set_aside: None },
        Unreadable::Version(found) => StoreError::Version { path: place(item), found: *found },
    }
}

impl TokenStore for KeyringStore {
    fn load(&self, key: &EntryKey) -> Result<Option<Record>, StoreError> {
        match self.read(&key.digest()) {
            // Only under the lock is it certain that nobody is just replacing it by a good one.
            Err(StoreError::Corrupt { path, set_aside }) => match self.try_lock(key) {
                Ok(Some(lock)) => self.load_locked(&lock, key),
                _ => Err(StoreError::Corrupt { path, set_aside }),
            },
            found => Ok(found?.map(|(_, record)| record)),
        }
    }

    fn try_lock(&self, key: &EntryKey) -> Result<Option<Lock>, StoreError> {
        self.locks.try_lock(&key.digest())
    }

    fn load_locked(&self, _lock: &Lock, key: &EntryKey) -> Result<Option<Record>, StoreError> {
        let digest = key.digest();
        match self.read(&digest) {
            Err(StoreError::Corrupt { path, .. }) => {
                Err(StoreError::Corrupt { path, set_aside: self.set_aside(&digest)? })
            }
            found => Ok(found?.map(|(_, record)| record)),
        }
    }

    /// Keyrings cannot keep room. What can be seen is that one more item of the new size is taken at this moment: that the
    /// keyring is unlocked and not full.
    fn reserve(&self, _lock: &Lock, key: &EntryKey) -> Result<(), StoreError> {
        let digest = key.digest();
        let length = self.keyring.get(&hex(&digest))?.map_or(0, |text| text.len()).saturating_add(GROWTH);
        let probe = Folder::name(&digest, "tmp");
        let taken = self.keyring.set(&probe, &vec![b'0'; length]);
        self.keyring.delete(&probe)?;
        taken
    }

    fn save(&self, _lock: &Lock, key: &EntryKey, record: &Record) -> Result<(), StoreError> {
        let digest = key.digest();
        match self.read(&digest) {
            Ok(_) => {}
            Err(StoreError::Corrupt { .. }) => {
                self.set_aside(&digest)?;
            }
            Err(error) => return Err(error),
        }
        self.keyring.set(&hex(&digest), &encode(key, record)?)
    }

    fn remove(&self, _lock: &Lock, key: &EntryKey) -> Result<bool, StoreError> {
        let digest = key.digest();
        self.keyring.delete(&Folder::name(&digest, "corrupt"))?;
        self.keyring.delete(&hex(&digest))
    }

    /// Every entry that was ever locked in this folder and has an item.
    fn list(&self) -> Result<Listing, StoreError> {
        let mut listing = Listing::default();
        for digest in self.locks.digests("lock")? {
            match self.read(&digest) {
                Ok(Some((key, _))) => listing.entries.push(key),
                Ok(None) => {}
                // A keyring that does not answer has nothing wrong with any entry.
                Err(error @ StoreError::Keyring { .. }) => return Err(error),
                Err(problem) => listing.problems.push(problem),
            }
        }
        listing.entries.sort();
        Ok(listing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tokens;
    use wire::Secret;

    fn entry(account: &str) -> EntryKey {
        EntryKey {
            account: account.into(),
            authority: "https://login.example/token".into(),
            client_id: "c".into(),
            resource: "r".into(),
        }
    }

    #[test]
    fn what_is_written_is_read_by_its_name_alone() {
        let record = Record { tokens: Some(Tokens::bearer(Secret::from("t"), 1, 2)), failure: None };
        let (ana, bob) = (entry("ana"), entry("bob"));
        let text = encode(&ana, &record).unwrap();
        assert!(text.is_ascii());
        assert_eq!(decode(&ana.digest(), &text), Ok((ana, record)));
        assert_eq!(decode(&bob.digest(), &text), Err(Unreadable::Corrupt));
        assert_eq!(decode(&bob.digest(), b"postkey-9.e30"), Err(Unreadable::Version(9)));
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_damage_and_never_a_panic(octets: Vec<u8>, valid: bool) {
            let octets = if valid { [b"postkey-1.".as_slice(), &octets].concat() } else { octets };
            proptest::prop_assert_eq!(decode(&entry("ana").digest(), &octets), Err(Unreadable::Corrupt));
        }
    }
}
