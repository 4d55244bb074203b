//! Sealing for people and machines by age (age-encryption.org/v1): who can open, and with what.
//!
//! Other programs of that format (`age`, `rage`) open what is sealed here, and the other way round. Plugins, tags and
//! post-quantum recipients are not supported.

use std::fmt;
use std::io::{Read, Write};
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use ::age::armor::{ArmoredReader, ArmoredWriter, Format};
use ::age::secrecy::SecretString;
use ::age::{Callbacks, DecryptError, Decryptor, Encryptor, scrypt, ssh, x25519};
use wire::Secret;
use zeroize::Zeroizing;

use super::StoreError;
use super::key::{file, unavailable};

/// Longest file with identities, in octets: an RSA key of 16384 bits has some 13 KiB.
const LONGEST: u64 = 64 * 1024;
/// Binary logarithm of scrypt's work for a passphrase, as the reference implementation has it: 256 MiB of memory, about a
/// second. A fixed one, because measuring the machine while it is busy gives anything.
const WORK: u8 = 18;
/// The most that is done to open: 1 GiB of memory, some seconds. A file that asks for more is refused.
const MOST_WORK: u8 = 20;

/// Somebody who will be able to open.
///
/// ```
/// use postkey_auth::store::age::Recipient;
///
/// let server: Recipient = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa".parse()?;
/// assert_eq!(server.to_string(), "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Recipient(Kind);

#[derive(Clone)]
enum Kind {
    X25519(x25519::Recipient),
    Ssh(ssh::Recipient),
    Passphrase(Secret),
}

impl Recipient {
    /// Everybody who knows the passphrase. It has to be the only recipient.
    pub fn passphrase(passphrase: &Secret) -> Self {
        Self(Kind::Passphrase(passphrase.clone()))
    }

    fn boxed(&self) -> Box<dyn ::age::Recipient> {
        match &self.0 {
            Kind::X25519(recipient) => Box::new(recipient.clone()),
            Kind::Ssh(recipient) => Box::new(recipient.clone()),
            Kind::Passphrase(passphrase) => {
                let mut recipient = scrypt::Recipient::new(secret(passphrase));
                recipient.set_work_factor(WORK);
                Box::new(recipient)
            }
        }
    }
}

/// `age1…`, or a line of an SSH public key (`ssh-ed25519 …`, `ssh-rsa …`, with or without a comment).
impl FromStr for Recipient {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        let text = text.trim();
        let refuse = |reason: &str| Err(StoreError::Transfer { reason: reason.into() });
        if text.starts_with("ssh-") || text.starts_with("ecdsa-") || text.starts_with("sk-") {
            return match text.parse() {
                Ok(recipient) => Ok(Self(Kind::Ssh(recipient))),
                Err(ssh::ParseRecipientKeyError::RsaModulusTooSmall) => {
                    refuse("the recipient's RSA key has less than 2048 bits, which is too weak")
                }
                Err(_) => refuse(
                    "of SSH public keys only ssh-ed25519 and ssh-rsa (2048 to 4096 bits) can be recipients",
                ),
            };
        }
        // The private key in the public one's place: it must not be repeated.
        if text.to_ascii_uppercase().starts_with("AGE-SECRET-KEY-") {
            return refuse("the recipient is a private key; give the public one, which begins with age1");
        }
        match text.parse() {
            Ok(recipient) => Ok(Self(Kind::X25519(recipient))),
            Err(_) => refuse("a recipient is written as age1…, ssh-ed25519 … or ssh-rsa …"),
        }
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::X25519(recipient) => recipient.fmt(f),
            Kind::Ssh(recipient) => recipient.fmt(f),
            Kind::Passphrase(_) => f.write_str("a passphrase"),
        }
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipient({self})")
    }
}

/// What opens: private keys, or a passphrase.
#[derive(Clone)]
pub struct Identity {
    keys: Vec<Arc<dyn ::age::Identity + Send + Sync>>,
    recipients: Vec<Recipient>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("for", &self.recipients).finish_non_exhaustive()
    }
}

impl Identity {
    /// A passphrase.
    pub fn passphrase(passphrase: &Secret) -> Self {
        let mut key = scrypt::Identity::new(secret(passphrase));
        key.set_max_work_factor(MOST_WORK);
        Self { keys: vec![Arc::new(key)], recipients: vec![Recipient::passphrase(passphrase)] }
    }

    /// The private keys in a file that is its owner's alone: lines `AGE-SECRET-KEY-1…` among comments (`#`), as
    /// age-keygen writes them, or one SSH key of type Ed25519 or RSA in the form of OpenSSH. `passphrase` is that of
    /// an encrypted SSH key.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unsafe`] if others can read it, [`StoreError::KeyUnavailable`] if it does not exist or is no such
    /// key, [`StoreError::Io`].
    pub fn file(path: &Path, passphrase: Option<&Secret>) -> Result<Self, StoreError> {
        let shown = path.display();
        let Some(octets) = file::octets(path, LONGEST)? else {
            return Err(unavailable(format!("the identity file {shown} does not exist")));
        };
        let text = std::str::from_utf8(&octets)
            .map_err(|_| unavailable(format!("the identity file {shown} is not text")))?;
        Self::from_text(text, passphrase)
            .map_err(|reason| unavailable(format!("the identity file {shown} cannot be used: {reason}")))
    }

    fn from_text(text: &str, passphrase: Option<&Secret>) -> Result<Self, String> {
        if text.trim_start().starts_with("-----BEGIN") {
            return Self::ssh(text.trim_start(), passphrase);
        }
        let mut identity = Self { keys: Vec::new(), recipients: Vec::new() };
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            // The line is not repeated: it may be half a key.
            let key: x25519::Identity =
                line.parse().map_err(|_| format!("line {} is no AGE-SECRET-KEY-1…", number + 1))?;
            identity.recipients.push(Recipient(Kind::X25519(key.to_public())));
            identity.keys.push(Arc::new(key));
        }
        if identity.keys.is_empty() {
            return Err("it holds no private key".into());
        }
        Ok(identity)
    }

    fn ssh(text: &str, passphrase: Option<&Secret>) -> Result<Self, String> {
        let key = ssh::Identity::from_buffer(text.as_bytes(), None)
            .map_err(|_| "it is no private key in the form of OpenSSH".to_owned())?;
        match &key {
            ssh::Identity::Unsupported(_) => {
                return Err("of SSH keys only Ed25519 and RSA in files can open, encrypted by aes-ctr or aes-gcm or not at \
                            all; keys in hardware and in the old PEM encryption cannot"
                    .into());
            }
            ssh::Identity::Encrypted(_) if passphrase.is_none() => {
                return Err("it is encrypted; give its passphrase too".into());
            }
            _ => {}
        }
        let recipient = ssh::Recipient::try_from(key.clone())
            .map_err(|_| "its public key is not one that can be a recipient".to_owned())?;
        let key = key.with_callbacks(Known(passphrase.cloned()));
        Ok(Self { keys: vec![Arc::new(key)], recipients: vec![Recipient(Kind::Ssh(recipient))] })
    }

    /// Who can open with this.
    pub fn recipients(&self) -> Vec<Recipient> {
        self.recipients.clone()
    }
}

/// Answers the question for a passphrase; nobody is there to be asked.
#[derive(Clone)]
struct Known(Option<Secret>);

impl Callbacks for Known {
    fn display_message(&self, _: &str) {}

    fn confirm(&self, _: &str, _: &str, _: Option<&str>) -> Option<bool> {
        None
    }

    fn request_public_string(&self, _: &str) -> Option<String> {
        None
    }

    fn request_passphrase(&self, _: &str) -> Option<SecretString> {
        self.0.as_ref().map(secret)
    }
}

fn secret(secret: &Secret) -> SecretString {
    SecretString::from(secret.expose().to_owned())
}

/// Why something does not open.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The identity is the wrong one, and what that means.
    Opener(&'static str),
    /// What is to be opened is damaged.
    Damaged,
}

/// Seals `content`, as octets or as text.
pub(super) fn seal(content: &[u8], recipients: &[Recipient], format: Format) -> Result<Vec<u8>, String> {
    if recipients.len() > 1 && recipients.iter().any(|recipient| matches!(recipient.0, Kind::Passphrase(_))) {
        // Found before scrypt's work is done for nothing.
        return Err("a passphrase has to be the only recipient".into());
    }
    let boxed: Vec<_> = recipients.iter().map(Recipient::boxed).collect();
    let encryptor =
        Encryptor::with_recipients(boxed.iter().map(|recipient| &**recipient as &dyn ::age::Recipient))
            .map_err(|error| match error {
                ::age::EncryptError::MissingRecipients => "there is no recipient".to_owned(),
                _ => "these recipients do not go together".to_owned(),
            })?;
    let broken = |error: std::io::Error| error.to_string();
    let mut sealed = Vec::new();
    let armor = ArmoredWriter::wrap_output(&mut sealed, format).map_err(broken)?;
    let mut writer = encryptor.wrap_output(armor).map_err(broken)?;
    writer.write_all(content).map_err(broken)?;
    writer.finish().and_then(ArmoredWriter::finish).map_err(broken)?;
    Ok(sealed)
}

/// Opens what was sealed in either form; more than `most` octets of content are damage.
pub(super) fn open(sealed: &[u8], identities: &[Identity], most: u64) -> Result<Zeroizing<Vec<u8>>, Trouble> {
    let decryptor = Decryptor::new_buffered(ArmoredReader::new(sealed)).map_err(|_| Trouble::Damaged)?;
    let keys = identities.iter().flat_map(|identity| &identity.keys);
    let reader =
        decryptor.decrypt(keys.map(|key| &**key as &dyn ::age::Identity)).map_err(|error| match error {
            DecryptError::NoMatchingKeys => {
                Trouble::Opener("it was sealed for others; name the identity it was sealed for")
            }
            DecryptError::DecryptionFailed => {
                Trouble::Opener("the passphrase is wrong, or the file is damaged")
            }
            DecryptError::KeyDecryptionFailed => Trouble::Opener("the passphrase of the SSH key is wrong"),
            DecryptError::ExcessiveWork { .. } => Trouble::Opener(
                "trying the passphrase would take more than 1 GiB of memory; seal it with less work, or the file is damaged",
            ),
            _ => Trouble::Damaged,
        })?;
    // Never longer than what it came from.
    let mut content = Zeroizing::new(Vec::with_capacity(sealed.len()));
    reader.take(most.saturating_add(1)).read_to_end(&mut content).map_err(|_| Trouble::Damaged)?;
    if content.len() as u64 > most {
        return Err(Trouble::Damaged);
    }
    Ok(content)
}
