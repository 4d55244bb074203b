//! The key in the platform's keyring.

use std::fmt;

use super::{Key, decode, encode, unavailable};
use crate::store::StoreError;
use crate::store::keyring::Keyring;

/// A key in an item of a keyring.
#[derive(Debug, Clone)]
pub struct KeyringKey {
    keyring: Keyring,
    item: String,
}

impl KeyringKey {
    /// The item called `item`: one name for each store, such as its folder.
    pub fn new(keyring: Keyring, item: impl Into<String>) -> Self {
        Self { keyring, item: item.into() }
    }

    pub(super) fn read(&self) -> Result<Option<Key>, StoreError> {
        let Some(text) = self.keyring.get(&self.item)? else { return Ok(None) };
        match decode(text.trim_ascii()) {
            Some(key) => Ok(Some(key)),
            None => Err(unavailable(format!("what is in {self} is no key; it is left as it is"))),
        }
    }

    pub(super) fn create(&self, key: &Key) -> Result<(), StoreError> {
        self.keyring.set(&self.item, encode(key).trim().as_bytes())
    }
}

impl fmt::Display for KeyringKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the item {:?} of {}", self.item, self.keyring)
    }
}
