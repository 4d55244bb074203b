//! Secrets by reference: the configuration says where a secret is, never what it is.

use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::de::{Error as _, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use wire::Secret;
use zeroize::Zeroizing;

use super::{command, paths};
use crate::exit::{Exit, Failure, Result};

/// Longest secret taken from a file or a command, in octets: tokens of large tenants have some 16 KiB.
const LONGEST: u64 = 256 * 1024;

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SecretRef {
    /// In an environment variable.
    Env(String),
    /// In a file that only its owner can read.
    File(PathBuf),
    /// In what a command prints. The shell runs it.
    Command(String),
}

impl SecretRef {
    /// Fetches the secret. `field` says in errors what it is, `base` is the folder relative paths begin at.
    ///
    /// One line end after it is taken off.
    pub(crate) fn fetch(&self, field: &str, base: &Path) -> Result<Secret> {
        let secret = match self {
            Self::Env(name) => env(name, field)?,
            Self::File(path) => file(&paths::from(base, path), field)?,
            Self::Command(command) => command::run(command, field)?,
        };
        if secret.is_empty() {
            return Err(wrong(field, &format!("{self} gives nothing"), "put the secret there"));
        }
        Ok(secret)
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "the environment variable {name}"),
            Self::File(path) => write!(f, "the file {}", path.display()),
            Self::Command(command) => write!(f, "the command `{command}`"),
        }
    }
}

pub(super) fn wrong(field: &str, what: &str, advice: &str) -> Failure {
    Failure::new(Exit::Config, format!("{field} cannot be had: {what}"), advice)
}

fn env(name: &str, field: &str) -> Result<Secret> {
    match std::env::var(name) {
        Ok(value) => Ok(trimmed(value)),
        Err(std::env::VarError::NotPresent) => Err(wrong(
            field,
            &format!("the environment variable {name} is not set"),
            &format!("set {name} where postkey is started, or name a file or a command in the configuration"),
        )),
        Err(std::env::VarError::NotUnicode(_)) => {
            Err(wrong(field, &format!("the environment variable {name} is not text"), "set it to the secret"))
        }
    }
}

fn file(path: &Path, field: &str) -> Result<Secret> {
    let file = open_plain(path, field)?;
    private(&file.metadata().map_err(|error| unreadable(field, path, &error))?, path, field)?;
    read(file, field, &path.display().to_string())
}

/// What a file holds that only its owner can read, whatever octets those are: a key, a PKCS#12 file.
pub(super) fn octets(path: &Path, field: &str) -> Result<Zeroizing<Vec<u8>>> {
    let file = open_plain(path, field)?;
    let metadata = file.metadata().map_err(|error| unreadable(field, path, &error))?;
    private(&metadata, path, field)?;
    all_of(file, path, field)
}

/// The same for what everybody may read: a certificate.
pub(super) fn public_octets(path: &Path, field: &str) -> Result<Zeroizing<Vec<u8>>> {
    all_of(open_plain(path, field)?, path, field)
}

fn all_of(file: std::fs::File, path: &Path, field: &str) -> Result<Zeroizing<Vec<u8>>> {
    let mut octets = Zeroizing::new(Vec::new());
    file.take(LONGEST + 1).read_to_end(&mut octets).map_err(|error| unreadable(field, path, &error))?;
    if octets.len() as u64 > LONGEST {
        let what = format!("{} has more than {LONGEST} octets", path.display());
        return Err(wrong(field, &what, "name the file that holds it alone"));
    }
    Ok(octets)
}

fn unreadable(field: &str, path: &Path, error: &std::io::Error) -> Failure {
    wrong(field, &format!("{} cannot be read: {error}", path.display()), "check the path and who may read it")
}

/// Opens a plain file and nothing else: opening a pipe would wait for somebody to write to it.
fn open_plain(path: &Path, field: &str) -> Result<std::fs::File> {
    let failed = |error: std::io::Error| unreadable(field, path, &error);
    if std::fs::metadata(path).map_err(failed)?.is_file() {
        return std::fs::File::open(path).map_err(failed);
    }
    let what = format!("{} is not a plain file", path.display());
    Err(wrong(field, &what, "name a file that holds the secret alone"))
}

/// Refuses a file that others could have read: its secret is not one any more.
#[cfg(unix)]
fn private(metadata: &std::fs::Metadata, path: &Path, field: &str) -> Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    if metadata.mode() & 0o077 != 0 {
        return Err(wrong(
            field,
            &format!("others may read {} (mode {:04o})", path.display(), metadata.mode() & 0o7777),
            &format!(
                "run: chmod 600 {}   — and, if others use this machine, get a new secret",
                path.display()
            ),
        ));
    }
    Ok(())
}

#[cfg(not(unix))]
fn private(_: &std::fs::Metadata, _: &Path, _: &str) -> Result<()> {
    Ok(())
}

/// What is read from a file or a command, which `origin` names, as a secret.
pub(super) fn read(from: impl std::io::Read, field: &str, origin: &str) -> Result<Secret> {
    let mut text = String::new();
    from.take(LONGEST + 1)
        .read_to_string(&mut text)
        .map_err(|error| wrong(field, &format!("{origin} cannot be read: {error}"), "it must be text"))?;
    if text.len() as u64 > LONGEST {
        return Err(wrong(
            field,
            &format!("{origin} gives more than {LONGEST} octets"),
            "give the secret alone",
        ));
    }
    Ok(trimmed(text))
}

/// Without the line end that editors and `echo` leave behind; anything else belongs to the secret.
fn trimmed(mut text: String) -> Secret {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Secret::from(text)
}

/// What a secret in the file itself is answered with.
const LITERAL: &str = "a secret does not belong into this file, where backups and version control see it; put it into a \
    file of its own (mode 600) and write { file = \"PATH\" }, or { env = \"VARIABLE\" }, or { command = \"…\" }";

const KINDS: &[&str] = &["env", "file", "command"];

impl<'de> Deserialize<'de> for SecretRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reference;

        impl<'de> Visitor<'de> for Reference {
            type Value = SecretRef;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("{ env = \"VARIABLE\" }, { file = \"PATH\" } or { command = \"…\" }")
            }

            // The value is not repeated: it is the secret.
            fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<SecretRef, E> {
                Err(E::custom(LITERAL))
            }

            fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<SecretRef, E> {
                Err(E::custom(LITERAL))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SecretRef, A::Error> {
                let Some(kind) = map.next_key::<String>()? else {
                    return Err(A::Error::invalid_value(Unexpected::Other("an empty table"), &self));
                };
                let found = match kind.as_str() {
                    "env" => SecretRef::Env(map.next_value()?),
                    "file" => SecretRef::File(map.next_value()?),
                    "command" => SecretRef::Command(map.next_value()?),
                    other => return Err(A::Error::unknown_field(other, KINDS)),
                };
                if map.next_key::<String>()?.is_some() {
                    return Err(A::Error::custom(
                        "a secret comes from one place: env, file or command, not several",
                    ));
                }
                Ok(found)
            }
        }

        deserializer.deserialize_any(Reference)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Holder {
        secret: SecretRef,
    }

    #[test]
    fn a_secret_in_the_file_is_refused_and_not_repeated() {
        for literal in ["secret = \"hunter2-canary\"", "secret = 4711471147", "secret = [\"hunter2-canary\"]"]
        {
            let error = toml::from_str::<Holder>(literal).unwrap_err();
            assert!(
                !error.message().contains("hunter2") && !error.message().contains("4711"),
                "{}",
                error.message()
            );
        }
        let error = toml::from_str::<Holder>("secret = \"x\"").unwrap_err();
        assert!(error.message().contains("{ file ="), "{}", error.message());
    }

    #[test]
    fn a_reference_names_one_place() {
        let parsed: Holder = toml::from_str("secret = { command = \"pass show x\" }").unwrap();
        assert_eq!(parsed.secret, SecretRef::Command("pass show x".into()));
        assert!(toml::from_str::<Holder>("secret = { env = \"A\", file = \"b\" }").is_err());
        assert!(toml::from_str::<Holder>("secret = {}").is_err());
        let error = toml::from_str::<Holder>("secret = { evn = \"A\" }").unwrap_err();
        assert!(error.message().contains("`evn`"), "{}", error.message());
    }

    #[cfg(unix)]
    #[test]
    fn files_and_commands_give_secrets_without_the_line_end() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        std::fs::write(&path, "two words \r\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let fetch = |r: &SecretRef| r.fetch("client_secret", dir.path());
        assert_eq!(fetch(&SecretRef::File("s".into())).unwrap().expose(), "two words ");
        assert_eq!(fetch(&SecretRef::Command("printf 'a b'".into())).unwrap().expose(), "a b");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let failure = fetch(&SecretRef::File("s".into())).unwrap_err();
        assert_eq!(failure.exit, Exit::Config);
        assert!(failure.advice.contains("chmod 600") && failure.message.contains("0644"), "{failure:?}");
        for broken in ["exit 3", "true"] {
            let failure = fetch(&SecretRef::Command(broken.into())).unwrap_err();
            assert_eq!(failure.exit, Exit::Config, "{broken}");
        }
    }
}
