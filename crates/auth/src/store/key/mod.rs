//! Where the store's key comes from.
//!
//! The key itself never changes; what differs is where it lies and what wraps it. [`rewrap`] carries it from one
//! source to another. Only the source in use is touched: a plain file costs no more than reading it.

#[cfg(feature = "age")]
mod age;
mod credential;
pub(super) mod file;
#[cfg(feature = "keyring")]
mod keyring;
mod rewrap;

#[cfg(feature = "age")]
pub use age::AgeKey;
#[cfg(feature = "keyring")]
pub use keyring::KeyringKey;
pub use rewrap::rewrap;

use std::fmt;
use std::path::PathBuf;

use base64ct::{Base64, Encoding as _};
use wire::{Secret, SecretBytes};
use zeroize::Zeroizing;

use super::{Lock, StoreError};

/// Length of the key, in octets (AES-256).
pub(super) const LENGTH: usize = 32;

/// The store's key.
pub(super) type Key = Zeroizing<[u8; LENGTH]>;

/// A source of the 32-octet key.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum KeySource {
    /// A file with 64 hexadecimal digits that only its owner can read. If neither it nor any entry exists, it
    /// is made with a random key.
    File(PathBuf),
    /// The key itself, 32 octets, fetched by the caller (from a command, the environment).
    Bytes(SecretBytes),
    /// A file that the system's service manager gives: read-only, perhaps the superuser's, never made here.
    /// [`KeySource::credential`] finds it by its name.
    Credential(PathBuf),
    /// The same text as in [`KeySource::File`], wrapped by age. Made like that.
    #[cfg(feature = "age")]
    Age(AgeKey),
    /// The same text in an item of a keyring. Made like that.
    #[cfg(feature = "keyring")]
    Keyring(KeyringKey),
}

impl KeySource {
    /// The key written as 64 hexadecimal digits or as base64 of its 32 octets (44 characters); blanks around it do
    /// not count.
    ///
    /// # Errors
    ///
    /// [`StoreError::KeyUnavailable`] if it is neither.
    pub fn from_text(text: &Secret) -> Result<Self, StoreError> {
        let text = text.expose().trim();
        let key = decode(text.as_bytes()).or_else(|| {
            let mut key = Zeroizing::new([0; LENGTH]);
            let length = Base64::decode(text, &mut *key).ok()?.len();
            (length == LENGTH).then_some(key)
        });
        match key {
            Some(key) => Ok(Self::Bytes(SecretBytes::new(key.to_vec()))),
            None => Err(unavailable(
                "it is neither 64 hexadecimal digits nor base64 of 32 octets. A new one is made by: openssl rand -hex 32",
            )),
        }
    }

    /// The systemd credential `name` (systemd.exec(5), `LoadCredential=`, `LoadCredentialEncrypted=`): the file of that
    /// name in the folder that the variable `CREDENTIALS_DIRECTORY` names. It holds the 32 octets, or 64
    /// hexadecimal digits.
    ///
    /// # Errors
    ///
    /// [`StoreError::KeyUnavailable`] if the variable is not set or `name` is no file name.
    pub fn credential(name: &str) -> Result<Self, StoreError> {
        credential::find(name).map(Self::Credential)
    }

    /// The key. `used` says that entries exist already: then a missing key is an error and not a first start,
    /// because a new key would lock the entries for good (AU-43). `alone` keeps others from making a key at the
    /// same time, where the source itself cannot.
    pub(super) fn key(
        &self,
        used: impl FnOnce() -> Result<bool, StoreError>,
        alone: impl FnOnce() -> Result<Lock, StoreError>,
    ) -> Result<Key, StoreError> {
        if let Some(key) = self.read()? {
            return Ok(key);
        }
        let _alone = if self.is_exclusive() { None } else { Some(alone()?) };
        if let Some(key) = self.read()? {
            return Ok(key);
        }
        if used()? {
            return Err(unavailable(format!(
                "{self} does not exist, yet the store holds entries. Restore it; or, if it is lost, remove the store's \
                 folder and sign in again"
            )));
        }
        let mut key = Key::default();
        aws_lc_rs::rand::fill(&mut *key).map_err(|_| StoreError::Cipher)?;
        self.create(&key)?;
        self.read()?.ok_or_else(|| unavailable(format!("{self} vanished while it was made")))
    }

    /// Whether the second of two who make the key at the same time finds the first one's.
    fn is_exclusive(&self) -> bool {
        match self {
            #[cfg(feature = "keyring")]
            Self::Keyring(_) => false,
            _ => true,
        }
    }

    /// The key; `None` if there is none yet.
    fn read(&self) -> Result<Option<Key>, StoreError> {
        match self {
            Self::File(path) => file::read(path),
            Self::Bytes(bytes) => match <[u8; LENGTH]>::try_from(bytes.expose()) {
                Ok(key) => Ok(Some(Key::new(key))),
                Err(_) => Err(unavailable(format!("it has {} octets and must have {LENGTH}", bytes.len()))),
            },
            Self::Credential(path) => credential::read(path),
            #[cfg(feature = "age")]
            Self::Age(key) => key.read(),
            #[cfg(feature = "keyring")]
            Self::Keyring(key) => key.read(),
        }
    }

    /// Puts `key` there. One that is there already stays.
    fn create(&self, key: &Key) -> Result<(), StoreError> {
        match self {
            Self::File(path) => file::create(path, encode(key).as_bytes()),
            Self::Bytes(_) => Err(unavailable("there is none")),
            Self::Credential(path) => Err(unavailable(format!(
                "{} does not exist. The service manager has to provide it (LoadCredential=)",
                path.display()
            ))),
            #[cfg(feature = "age")]
            Self::Age(wrapped) => wrapped.create(key),
            #[cfg(feature = "keyring")]
            Self::Keyring(item) => item.create(key),
        }
    }
}

/// Where the key is, for errors.
impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) | Self::Credential(path) => write!(f, "{}", path.display()),
            Self::Bytes(_) => f.write_str("the key given by the caller"),
            #[cfg(feature = "age")]
            Self::Age(key) => write!(f, "{}", key.path().display()),
            #[cfg(feature = "keyring")]
            Self::Keyring(key) => write!(f, "{key}"),
        }
    }
}

pub(super) fn unavailable(reason: impl Into<String>) -> StoreError {
    StoreError::KeyUnavailable { reason: reason.into() }
}

/// The text form of a key: a line of hexadecimal digits.
fn encode(key: &Key) -> Zeroizing<String> {
    // Room for all of it at once: growing would leave digits behind in freed memory.
    let mut text = Zeroizing::new(String::with_capacity(2 * LENGTH + 1));
    for octet in key.iter() {
        for digit in [octet >> 4, octet & 15] {
            text.extend(char::from_digit(u32::from(digit), 16));
        }
    }
    text.push('\n');
    text
}

fn decode(text: &[u8]) -> Option<Key> {
    if text.len() != 2 * LENGTH {
        return None;
    }
    let mut key = Key::default();
    for (octet, pair) in key.iter_mut().zip(text.chunks_exact(2)) {
        let mut value = 0;
        for digit in pair {
            value = value * 16 + char::from(*digit).to_digit(16)?;
        }
        *octet = u8::try_from(value).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_written_as_hexadecimal_digits_and_read_back() {
        let key = Key::new(std::array::from_fn(|at| u8::try_from(at * 7 % 256).unwrap()));
        let text = encode(&key);
        assert!(text.starts_with("00070e15") && text.ends_with('\n') && text.len() == 65, "{}", *text);
        assert_eq!(decode(text.trim().as_bytes()), Some(key));
        assert_eq!(decode(b"00"), None);
    }

    #[test]
    fn a_key_from_elsewhere_is_hexadecimal_or_base64() {
        let expected = (0..32).collect::<Vec<u8>>();
        for text in [
            "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
            " 000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F\n",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        ] {
            match KeySource::from_text(&Secret::from(text)).unwrap() {
                KeySource::Bytes(bytes) => assert_eq!(bytes.expose(), expected, "{text}"),
                other => panic!("{other:?}"),
            }
        }
        for text in ["", "passphrase-canary", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==", &"0".repeat(63)]
        {
            let error = KeySource::from_text(&Secret::from(text)).unwrap_err();
            assert!(matches!(error, StoreError::KeyUnavailable { .. }), "{text}");
            assert!(!error.to_string().contains("canary"));
        }
    }
}
