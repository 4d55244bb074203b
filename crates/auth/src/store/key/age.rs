//! The key in a file that age encrypted.

use std::fmt;
use std::path::{Path, PathBuf};

use ::age::armor::Format;
use wire::Secret;

use super::{Key, decode, encode, file, unavailable};
use crate::store::StoreError;
use crate::store::age::{self, Identity, Recipient};

/// Longest wrapped key: a header with some dozens of recipients.
const LONGEST: u64 = 64 * 1024;

/// A key wrapped by age (age-encryption.org/v1), and what opens it.
///
/// The wrapped text is that of a plain key file: `age --decrypt` makes one from it.
#[derive(Clone)]
pub struct AgeKey {
    path: PathBuf,
    opener: Opener,
    recipients: Vec<Recipient>,
}

#[derive(Clone)]
enum Opener {
    Passphrase(Secret),
    Identity { path: PathBuf, passphrase: Option<Secret> },
}

impl fmt::Debug for AgeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgeKey").field("path", &self.path).finish_non_exhaustive()
    }
}

impl AgeKey {
    /// A key that a passphrase opens. Each opening takes about a second and 256 MiB of memory, by design (scrypt).
    pub fn with_passphrase(path: impl Into<PathBuf>, passphrase: Secret) -> Self {
        Self { path: path.into(), opener: Opener::Passphrase(passphrase), recipients: Vec::new() }
    }

    /// A key that the private key in the file `identity` opens: X25519 (`AGE-SECRET-KEY-1…`), or an SSH key of type
    /// Ed25519 or RSA, with its `passphrase` if it is encrypted itself.
    pub fn with_identity(
        path: impl Into<PathBuf>,
        identity: impl Into<PathBuf>,
        passphrase: Option<Secret>,
    ) -> Self {
        let opener = Opener::Identity { path: identity.into(), passphrase };
        Self { path: path.into(), opener, recipients: Vec::new() }
    }

    /// Lets others open the key as well, when it is made. Not together with a passphrase: age does not mix them.
    #[must_use]
    pub fn also_to(mut self, recipients: impl IntoIterator<Item = Recipient>) -> Self {
        self.recipients.extend(recipients);
        self
    }

    /// The wrapped key's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn identity(&self) -> Result<Identity, StoreError> {
        match &self.opener {
            Opener::Passphrase(passphrase) => Ok(Identity::passphrase(passphrase)),
            Opener::Identity { path, passphrase } => Identity::file(path, passphrase.as_ref()),
        }
    }

    pub(super) fn read(&self) -> Result<Option<Key>, StoreError> {
        let Some(wrapped) = file::octets(&self.path, LONGEST)? else { return Ok(None) };
        let text = age::open(&wrapped, &[self.identity()?], LONGEST).map_err(|trouble| match trouble {
            age::Trouble::Opener(reason) => unavailable(format!("{}: {reason}", self.path.display())),
            age::Trouble::Damaged => StoreError::KeyDamaged { path: self.path.clone() },
        })?;
        match decode(text.trim_ascii()) {
            Some(key) => Ok(Some(key)),
            None => Err(unavailable(format!("what is wrapped in {} is no key", self.path.display()))),
        }
    }

    pub(super) fn create(&self, key: &Key) -> Result<(), StoreError> {
        let mut recipients = self.recipients.clone();
        match &self.opener {
            Opener::Passphrase(_) if !recipients.is_empty() => {
                let reason = "a key is wrapped by a passphrase or for recipients, not for both";
                return Err(unavailable(reason));
            }
            Opener::Passphrase(passphrase) => recipients.push(Recipient::passphrase(passphrase)),
            Opener::Identity { .. } => recipients.extend(self.identity()?.recipients()),
        }
        let text = encode(key);
        let wrapped = age::seal(text.as_bytes(), &recipients, Format::Binary)
            .map_err(|reason| unavailable(format!("{} cannot be made: {reason}", self.path.display())))?;
        file::create(&self.path, &wrapped)
    }
}
