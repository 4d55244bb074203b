//! The platform's keyrings, through `keyring-core`.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use keyring_core::api::CredentialStore;
use keyring_core::{Entry, Error};
use zeroize::Zeroizing;

use super::StoreError;

/// What every item is filed under.
const SERVICE: &str = "postkey";
/// How long a keyring may take: a person may have to unlock it.
const PATIENCE: Duration = Duration::from_secs(120);

/// A keyring of this machine.
///
/// Its methods block, at most for two minutes, on a thread of their own; they can be called from asynchronous
/// code of any runtime.
#[derive(Clone)]
pub struct Keyring {
    store: Arc<CredentialStore>,
    name: &'static str,
}

impl Keyring {
    /// The Secret Service on the session's D-Bus: GNOME Keyring, KWallet, KeePassXC.
    ///
    /// # Errors
    ///
    /// [`StoreError::Keyring`] if there is no session bus or no such service on it.
    #[cfg(target_os = "linux")]
    pub fn secret_service() -> Result<Self, StoreError> {
        let name = "the Secret Service";
        let connect = || {
            let store: Arc<CredentialStore> = zbus_secret_service_keyring_store::Store::new()?;
            Ok(store)
        };
        Ok(Self { store: patiently(name, "be reached", connect)?, name })
    }

    /// The kernel's key retention service (keyrings(7)): in memory only. It is empty after a reboot and, by the
    /// kernel's default, three days after its last use; a user without privileges has room for 20,000 octets. As the place
    /// of a key it makes the store as short-lived as that. Programs share it within a login session; some containers
    /// forbid it where there is none (`keyctl session` makes one).
    ///
    /// # Errors
    ///
    /// [`StoreError::Keyring`] if the kernel has no keyrings.
    #[cfg(target_os = "linux")]
    pub fn keyutils() -> Result<Self, StoreError> {
        let name = "the kernel's keyring";
        let connect = || {
            let store: Arc<CredentialStore> = linux_keyutils_keyring_store::Store::new()?;
            Ok(store)
        };
        Ok(Self { store: patiently(name, "be reached", connect)?, name })
    }

    /// Any other that speaks the interface of `keyring-core`; `name` says in errors what it is.
    pub fn new(store: Arc<CredentialStore>, name: &'static str) -> Self {
        Self { store, name }
    }

    /// Reads an item; `None` if there is none.
    pub(super) fn get(&self, item: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        self.with(item, "be read", |entry| match entry.get_secret() {
            Ok(secret) => Ok(Some(Zeroizing::new(secret))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(error),
        })
    }

    /// Writes an item.
    pub(super) fn set(&self, item: &str, secret: &[u8]) -> Result<(), StoreError> {
        let secret = Zeroizing::new(secret.to_vec());
        self.with(item, "be written", move |entry| entry.set_secret(&secret))
    }

    /// Deletes an item; says whether there was one.
    pub(super) fn delete(&self, item: &str) -> Result<bool, StoreError> {
        self.with(item, "be changed", |entry| match entry.delete_credential() {
            Ok(()) => Ok(true),
            Err(Error::NoEntry) => Ok(false),
            Err(error) => Err(error),
        })
    }

    fn with<T: Send + 'static>(
        &self,
        item: &str,
        action: &'static str,
        work: impl FnOnce(Entry) -> keyring_core::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (store, item) = (Arc::clone(&self.store), item.to_owned());
        patiently(self.name, action, move || work(store.build(SERVICE, &item, None)?))
    }
}

/// A thread of its own: a keyring asks whom it likes for as long as it likes, and some bring a runtime that does not
/// start within another.
fn patiently<T: Send + 'static>(
    name: &'static str,
    action: &'static str,
    work: impl FnOnce() -> keyring_core::Result<T> + Send + 'static,
) -> Result<T, StoreError> {
    let failed = |reason: String| StoreError::Keyring { name, action, reason };
    let (tell, hear) = channel();
    std::thread::Builder::new()
        .name("keyring".into())
        .spawn(move || {
            let _ = tell.send(work());
        })
        .map_err(|error| failed(error.to_string()))?;
    match hear.recv_timeout(PATIENCE) {
        Ok(done) => done.map_err(|error| failed(reason(&error))),
        Err(RecvTimeoutError::Timeout) => {
            Err(failed(format!("nobody unlocked it within {} s", PATIENCE.as_secs())))
        }
        Err(RecvTimeoutError::Disconnected) => Err(failed("its driver crashed".into())),
    }
}

/// What `error` says, without what was read.
fn reason(error: &Error) -> String {
    match error {
        Error::PlatformFailure(error) | Error::NoStorageAccess(error) => error.to_string(),
        Error::BadEncoding(_) | Error::BadDataFormat(..) => "what it holds cannot be decoded".into(),
        Error::TooLong(what, most) => format!("{what} is longer than the {most} octets it takes"),
        Error::Ambiguous(items) => format!("{} of its items have the same name", items.len()),
        other => other.to_string(),
    }
}

impl fmt::Display for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Keyring").field(&self.name).finish()
    }
}
