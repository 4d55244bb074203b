//! `[store]`: where tokens are kept, and where the key of the store is.

use std::fmt;
use std::path::PathBuf;

use auth::store::age::Recipient;
use serde::Deserialize;

use super::load::Source;
use super::secret::SecretRef;
use super::{Config, base, paths};
use crate::exit::Result;

/// `[store]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    /// What holds the tokens; files if absent.
    #[serde(default)]
    kind: Kind,
    /// Which keyring, with `kind = "keyring"`.
    keyring: Option<Keyring>,
    /// Where the key is, with `kind = "files"`.
    key: Option<Key>,
}

/// What holds the tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    #[default]
    Files,
    Keyring,
    Memory,
}

/// A keyring of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Keyring {
    /// GNOME Keyring, KWallet, KeePassXC: what answers on the session's D-Bus.
    SecretService,
    /// The kernel's, which a reboot empties.
    Keyutils,
}

/// `key = { … }`: one of the first six.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    file: Option<PathBuf>,
    command: Option<String>,
    env: Option<String>,
    keyring: Option<Keyring>,
    credential: Option<String>,
    age: Option<PathBuf>,
    /// What opens the age file, besides or instead of a passphrase.
    identity: Option<PathBuf>,
    /// The age file's, or with `identity` that of the SSH key.
    passphrase: Option<SecretRef>,
    /// Who else can open the age file.
    #[serde(default)]
    recipients: Vec<String>,
}

impl Keyring {
    /// As it is written.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::SecretService => "secret-service",
            Self::Keyutils => "keyutils",
        }
    }
}

/// Where tokens are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a folder of encrypted files.
    Files {
        /// The folder.
        folder: PathBuf,
        /// Its key.
        key: KeyPlace,
    },
    /// In a keyring.
    Keyring {
        /// Which one.
        keyring: Keyring,
        /// The folder of locks.
        locks: PathBuf,
    },
    /// In this process.
    Memory,
}

/// Where a key is. Paths are whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyPlace {
    File(PathBuf),
    Secret(SecretRef),
    Keyring(Keyring),
    Credential(String),
    Age { file: PathBuf, identity: Option<PathBuf>, passphrase: Option<SecretRef>, recipients: Vec<String> },
}

impl fmt::Display for KeyPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "the file {}", path.display()),
            Self::Secret(reference) => reference.fmt(f),
            Self::Keyring(keyring) => write!(f, "the keyring {}", keyring.name()),
            Self::Credential(name) => write!(f, "the systemd credential {name}"),
            Self::Age { file, identity: Some(identity), .. } => {
                write!(f, "the age file {}, opened by {}", file.display(), identity.display())
            }
            Self::Age { file, passphrase: Some(passphrase), .. } => {
                write!(f, "the age file {}, opened by the passphrase from {passphrase}", file.display())
            }
            Self::Age { file, .. } => write!(f, "the age file {}", file.display()),
        }
    }
}

impl KeyPlace {
    /// As in the configuration: `file`, `age`, `keyring`, `credential`, `env`, `command`.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::File(_) | Self::Secret(SecretRef::File(_)) => "file",
            Self::Secret(SecretRef::Env(_)) => "env",
            Self::Secret(SecretRef::Command(_)) => "command",
            Self::Keyring(_) => "keyring",
            Self::Credential(_) => "credential",
            Self::Age { .. } => "age",
        }
    }
}

const KEYS: &str = "write one of { file = \"PATH\" }, { command = \"…\" }, { env = \"VARIABLE\" }, { keyring = \"secret-service\" }, \
     { credential = \"NAME\" }, { age = \"PATH\", identity = \"PATH\" }, { age = \"PATH\", passphrase = { … } }";

impl Table {
    /// What cannot be meant is refused when the file is read.
    pub(super) fn check(&self, source: &Source) -> Result<()> {
        let wrong = |key: &str, what: &str, advice: &str| Err(source.mistake(&["store", key], what, advice));
        match self.kind {
            Kind::Keyring if self.keyring.is_none() => {
                return wrong(
                    "kind",
                    "which keyring?",
                    "add a line: keyring = \"secret-service\", or \"keyutils\"",
                );
            }
            Kind::Files | Kind::Memory if self.keyring.is_some() => {
                let advice = "write kind = \"keyring\" for tokens in the keyring, or key = { keyring = \"…\" } for the key alone";
                return wrong("keyring", "this is for kind = \"keyring\"", advice);
            }
            Kind::Keyring | Kind::Memory if self.key.is_some() => {
                return wrong(
                    "key",
                    "this is for kind = \"files\"",
                    "remove it: this kind of store needs no key",
                );
            }
            _ => {}
        }
        let Some(key) = &self.key else { return Ok(()) };
        let sources = [
            key.file.is_some(),
            key.command.is_some(),
            key.env.is_some(),
            key.keyring.is_some(),
            key.credential.is_some(),
            key.age.is_some(),
        ];
        if sources.iter().filter(|given| **given).count() != 1 {
            return wrong("key", "a key comes from one place", KEYS);
        }
        let openers = key.identity.is_some() || key.passphrase.is_some();
        match key.age {
            Some(_) if !openers => wrong("key", "what opens the age file is missing", KEYS),
            Some(_) if key.identity.is_none() && !key.recipients.is_empty() => {
                let advice = "name an identity instead of the passphrase: age wraps by a passphrase or for recipients, not for both";
                wrong("key", "recipients go with an identity", advice)
            }
            None if openers || !key.recipients.is_empty() => {
                wrong("key", "identity, passphrase and recipients go with age", KEYS)
            }
            _ => Ok(()),
        }
    }
}

impl Config {
    /// Where tokens are kept.
    pub(crate) fn store(&self) -> Result<Place> {
        let (state, table) = (self.state_dir()?, &self.file.store);
        let from = |path: &PathBuf| paths::from(base(&self.source.path), path);
        match (table.kind, table.keyring) {
            (Kind::Memory, _) => return Ok(Place::Memory),
            (Kind::Keyring, Some(keyring)) => {
                return Ok(Place::Keyring { keyring, locks: state.join("tokens.locks") });
            }
            _ => {}
        }
        let plain = || KeyPlace::File(state.join("tokens.key"));
        let key = table.key.as_ref().map_or_else(plain, |key| match key {
            Key { file: Some(path), .. } => KeyPlace::File(from(path)),
            Key { command: Some(command), .. } => KeyPlace::Secret(SecretRef::Command(command.clone())),
            Key { env: Some(name), .. } => KeyPlace::Secret(SecretRef::Env(name.clone())),
            Key { keyring: Some(keyring), .. } => KeyPlace::Keyring(*keyring),
            Key { credential: Some(name), .. } => KeyPlace::Credential(name.clone()),
            Key { age: Some(path), .. } => KeyPlace::Age {
                file: from(path),
                identity: key.identity.as_ref().map(from),
                passphrase: key.passphrase.clone(),
                recipients: key.recipients.clone(),
            },
            _ => plain(),
        });
        Ok(Place::Files { folder: state.join("tokens"), key })
    }

    /// Those who can open the age file besides its owner. Not understood before they are needed: that takes a library which no
    /// other way to the key has a use for.
    pub(crate) fn recipients(&self, texts: &[String]) -> Result<Vec<Recipient>> {
        let parse = |text: &String| {
            let wrong = |error: auth::store::StoreError| {
                self.source.mistake(&["store", "key"], &error.to_string(), "correct recipients")
            };
            text.parse().map_err(wrong)
        };
        texts.iter().map(parse).collect()
    }

    /// Fetches a secret that `[store]` refers to.
    pub(crate) fn fetch(&self, reference: &SecretRef, field: &str) -> Result<wire::Secret> {
        reference.fetch(field, base(&self.source.path))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn config(store: &str) -> Result<Config> {
        Config::of_text(Path::new("/etc/postkey/c.toml"), format!("state_dir = \"/s\"\n{store}"))
    }

    fn key(text: &str) -> KeyPlace {
        match config(&format!("[store]\nkey = {text}\n")).unwrap().store().unwrap() {
            Place::Files { folder, key } => {
                assert_eq!(folder, Path::new("/s/tokens"));
                key
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn without_a_word_tokens_are_in_files_and_the_key_beside_them() {
        let expected =
            Place::Files { folder: "/s/tokens".into(), key: KeyPlace::File("/s/tokens.key".into()) };
        for text in ["", "[store]\n", "[store]\nkind = \"files\"\n"] {
            assert_eq!(config(text).unwrap().store().unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn every_place_of_the_key_is_understood() {
        assert_eq!(key("{ file = \"k\" }"), KeyPlace::File("/etc/postkey/k".into()));
        assert_eq!(key("{ command = \"pass k\" }"), KeyPlace::Secret(SecretRef::Command("pass k".into())));
        assert_eq!(key("{ env = \"K\" }"), KeyPlace::Secret(SecretRef::Env("K".into())));
        assert_eq!(key("{ keyring = \"secret-service\" }"), KeyPlace::Keyring(Keyring::SecretService));
        assert_eq!(key("{ credential = \"k\" }"), KeyPlace::Credential("k".into()));
        let recipient = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";
        let age = key(&format!("{{ age = \"/k.age\", identity = \"id\", recipients = [\"{recipient}\"] }}"));
        let expected = KeyPlace::Age {
            file: "/k.age".into(),
            identity: Some("/etc/postkey/id".into()),
            passphrase: None,
            recipients: vec![recipient.into()],
        };
        assert_eq!(age, expected);
        let KeyPlace::Age { passphrase, identity: None, .. } =
            key("{ age = \"k\", passphrase = { env = \"P\" } }")
        else {
            panic!()
        };
        assert_eq!(passphrase, Some(SecretRef::Env("P".into())));
    }

    #[test]
    fn tokens_can_be_in_a_keyring_or_nowhere() {
        let keyring =
            config("[store]\nkind = \"keyring\"\nkeyring = \"keyutils\"\n").unwrap().store().unwrap();
        assert_eq!(keyring, Place::Keyring { keyring: Keyring::Keyutils, locks: "/s/tokens.locks".into() });
        assert_eq!(config("[store]\nkind = \"memory\"\n").unwrap().store().unwrap(), Place::Memory);
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_its_place() {
        for (text, words) in [
            ("kind = \"keyring\"", "which keyring?"),
            ("keyring = \"keyutils\"", "kind = \"keyring\""),
            ("kind = \"memory\"\nkey = { file = \"k\" }", "kind = \"files\""),
            ("key = {}", "one place"),
            ("key = { file = \"k\", env = \"K\" }", "one place"),
            ("key = { age = \"k\" }", "what opens the age file is missing"),
            ("key = { file = \"k\", identity = \"i\" }", "go with age"),
            (
                "key = { age = \"k\", passphrase = { env = \"P\" }, recipients = [\"age1x\"] }",
                "go with an identity",
            ),
            ("key = { age = \"k\", passphrase = \"hunter2\" }", "does not belong into this file"),
            ("key = { keyring = \"login\" }", "secret-service"),
            ("kidn = \"files\"", "there is no setting `kidn` in [store]"),
        ] {
            refused(&config(&format!("[store]\n{text}\n")).unwrap_err(), words);
        }
    }

    fn refused(failure: &crate::exit::Failure, words: &str) {
        assert!(failure.message.contains(words), "{words}: {}", failure.message);
        assert!(failure.message.starts_with("/etc/postkey/c.toml:"), "{}", failure.message);
        assert!(!format!("{failure:?}").contains("hunter2"));
    }

    #[test]
    fn a_recipient_that_is_none_is_refused_with_its_place_when_it_is_needed() {
        let text = "[store]\nkey = { age = \"k\", identity = \"i\", recipients = [\"age1x\"] }\n";
        let config = config(text).unwrap();
        let Place::Files { key: KeyPlace::Age { recipients, .. }, .. } = config.store().unwrap() else {
            panic!()
        };
        refused(&config.recipients(&recipients).unwrap_err(), "a recipient is written as");
    }
}
