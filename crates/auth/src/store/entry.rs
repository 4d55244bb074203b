//! What a store holds, and under which name.

use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use wire::Secret;
#[cfg(unix)]
use zeroize::Zeroizing;

#[cfg(unix)]
use super::StoreError;
use crate::error::{Error, Refusal, Step};
use crate::scope::is_identity;
use crate::{Endpoints, Registration, Tokens};

/// The name of an entry. Two sign-ins that differ in any part never share tokens (AU-45).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EntryKey {
    /// The account's name in the configuration.
    pub account: String,
    /// The token endpoint.
    pub authority: String,
    /// The client id.
    pub client_id: String,
    /// The scopes that open the resource, in lower case, sorted, with blanks between.
    pub resource: String,
}

impl EntryKey {
    /// The name for tokens of `account` from these endpoints for these scopes. Order and letter case of the
    /// scopes do not count, nor do those for identity and refresh.
    pub fn new(account: &str, endpoints: &Endpoints, registration: &Registration, scopes: &[String]) -> Self {
        let mut resource: Vec<String> = scopes
            .iter()
            .filter(|scope| !is_identity(scope))
            .map(|scope| scope.to_ascii_lowercase())
            .collect();
        resource.sort();
        resource.dedup();
        Self {
            account: account.to_owned(),
            authority: endpoints.authority().to_owned(),
            client_id: registration.client_id.clone(),
            resource: resource.join(" "),
        }
    }

    /// SHA-256 over the parts, each with its length, so that no two names run into one.
    pub(super) fn digest(&self) -> [u8; 32] {
        let parts = [&self.account, &self.authority, &self.client_id, &self.resource];
        hash("postkey entry 1", parts.iter().map(|part| part.as_bytes()))
    }
}

/// SHA-256 of a label and parts, each preceded by its length.
pub(super) fn hash<'a>(label: &str, parts: impl Iterator<Item = &'a [u8]>) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    context.update(label.as_bytes());
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let mut digest = [0; 32];
    for (to, from) in digest.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    digest
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is stored for one entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// The tokens; none after an application's first request was refused.
    pub tokens: Option<Tokens>,
    /// The last refusal, so that many processes do not repeat what was refused a moment ago.
    pub failure: Option<Failure>,
}

/// A refusal worth remembering for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Failure {
    /// When it came, in seconds since 1970.
    pub at: u64,
    /// Until when it is not worth asking again.
    pub until: u64,
    /// What the server said.
    pub cause: Cause,
    /// What was refused: a digest of refresh token and credential. With another secret or after a new sign-in
    /// the refusal says nothing.
    pub(super) tried: String,
}

/// The kinds of refusal that are remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Cause {
    /// An OAuth error.
    Refused(Refusal),
    /// An HTTP error without an OAuth answer.
    Status {
        /// The request that was refused.
        #[serde(default = "Step::refresh")]
        step: Step,
        /// HTTP status.
        status: u16,
        /// Whether it came without a body.
        #[serde(default)]
        empty: bool,
        /// The server's wish to wait, in seconds.
        retry_after: Option<u64>,
    },
    /// Less was granted than mail needs.
    Scope {
        /// Scopes not granted.
        missing: Vec<String>,
        /// Scopes granted.
        granted: Vec<String>,
    },
}

impl Cause {
    /// The part of `error` that can be remembered.
    pub(super) fn of(error: &Error) -> Option<Self> {
        Some(match error {
            Error::Refused(refusal) | Error::Declined(refusal) => Self::Refused(Refusal::clone(refusal)),
            Error::Status { step, status, empty, retry_after } => {
                Self::Status { step: *step, status: *status, empty: *empty, retry_after: *retry_after }
            }
            Error::ScopeMismatch { missing, granted } => {
                Self::Scope { missing: missing.clone(), granted: granted.clone() }
            }
            _ => return None,
        })
    }

    pub(super) fn error(&self) -> Error {
        match self.clone() {
            Self::Refused(refusal) => Error::Refused(Box::new(refusal)),
            Self::Status { step, status, empty, retry_after } => {
                Error::Status { step, status, empty, retry_after }
            }
            Self::Scope { missing, granted } => Error::ScopeMismatch { missing, granted },
        }
    }
}

/// A digest of what a renewal presents to the server.
pub(super) fn tried(refresh_token: Option<&Secret>, registration: &Registration) -> String {
    let token = refresh_token.map(Secret::expose).unwrap_or_default();
    let credential = registration.credential.distinction();
    let digest = hash("postkey tried 1", [token.as_bytes(), credential.expose()].into_iter());
    hex(digest.get(..16).unwrap_or_default())
}

/// [`Record`] with its entry, as it is written.
#[derive(Serialize, Deserialize)]
pub(super) struct Stored {
    pub(super) entry: EntryKey,
    tokens: Option<StoredTokens>,
    failure: Option<Failure>,
}

#[derive(Serialize, Deserialize)]
struct StoredTokens {
    #[serde(with = "secret")]
    access_token: Secret,
    #[serde(with = "optional_secret", default)]
    refresh_token: Option<Secret>,
    #[serde(with = "optional_secret", default)]
    id_token: Option<Secret>,
    obtained_at: u64,
    expires_at: u64,
    scope: Vec<String>,
    token_type: String,
}

impl Stored {
    pub(super) fn new(entry: &EntryKey, record: &Record) -> Self {
        let tokens = record.tokens.clone().map(|tokens| StoredTokens {
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token,
            id_token: tokens.id_token,
            obtained_at: tokens.obtained_at,
            expires_at: tokens.expires_at,
            scope: tokens.scope,
            token_type: tokens.token_type,
        });
        Self { entry: entry.clone(), tokens, failure: record.failure.clone() }
    }

    /// The JSON text, with `spare` octets of room behind it.
    #[cfg(unix)]
    pub(super) fn json(&self, spare: usize) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        // Room for everything at once: growing would leave plaintext behind in freed memory.
        let secrets = self.tokens.as_ref().map_or(0, |tokens| {
            let optional = |secret: &Option<Secret>| secret.as_ref().map_or(0, Secret::len);
            tokens.access_token.len() + optional(&tokens.refresh_token) + optional(&tokens.id_token)
        });
        let mut body = Zeroizing::new(Vec::with_capacity(16 * 1024 + 2 * secrets + spare));
        serde_json::to_writer(&mut *body, self).map_err(|_| StoreError::Cipher)?;
        body.reserve_exact(spare);
        Ok(body)
    }

    pub(super) fn into_record(self) -> Record {
        let tokens = self.tokens.map(|tokens| Tokens {
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token,
            id_token: tokens.id_token,
            obtained_at: tokens.obtained_at,
            expires_at: tokens.expires_at,
            scope: tokens.scope,
            token_type: tokens.token_type,
        });
        Record { tokens, failure: self.failure }
    }
}

/// Writes a secret as text; for the sealed file only.
mod secret {
    use serde::{Deserialize, Deserializer, Serializer};
    use wire::Secret;

    pub(super) fn serialize<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(secret.expose())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        String::deserialize(deserializer).map(Secret::from)
    }
}

/// The same, for a secret that may be absent.
mod optional_secret {
    use serde::{Deserialize, Deserializer, Serializer};
    use wire::Secret;

    pub(super) fn serialize<S: Serializer>(
        secret: &Option<Secret>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match secret {
            Some(secret) => serializer.serialize_some(secret.expose()),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Secret>, D::Error> {
        Option::<String>::deserialize(deserializer).map(|secret| secret.map(Secret::from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(account: &str, tenant: &str, client: &str, scopes: &[&str]) -> EntryKey {
        let registration = Registration::public(client, tenant);
        let endpoints = crate::Provider::builtin("microsoft").unwrap().endpoints(&registration).unwrap();
        let scopes: Vec<String> = scopes.iter().map(|&scope| scope.to_owned()).collect();
        EntryKey::new(account, &endpoints, &registration, &scopes)
    }

    #[test]
    fn au_45_every_part_of_the_name_counts_and_the_order_of_scopes_does_not() {
        let base = key("a", "t", "c", &["https://x/Y", "https://x/Z"]);
        let same = key("a", "t", "c", &["https://x/z", "offline_access", "https://x/Y", "openid"]);
        assert_eq!(base.digest(), same.digest());
        for other in [
            key("b", "t", "c", &["https://x/Y", "https://x/Z"]),
            key("a", "u", "c", &["https://x/Y", "https://x/Z"]),
            key("a", "t", "d", &["https://x/Y", "https://x/Z"]),
            key("a", "t", "c", &["https://x/Y"]),
        ] {
            assert_ne!(base.digest(), other.digest());
        }
    }

    #[test]
    fn a_status_that_was_remembered_before_it_had_a_step_is_one_of_a_renewal() {
        let before = r#"{"Status":{"status":400,"retry_after":7}}"#;
        let cause: Cause = serde_json::from_str(before).unwrap();
        let expected = Cause::Status { step: Step::Refresh, status: 400, empty: false, retry_after: Some(7) };
        assert_eq!(cause, expected);
    }

    #[test]
    fn parts_do_not_run_into_one_another() {
        let parts = |list: [&str; 2]| hash("l", list.map(str::as_bytes).into_iter());
        assert_ne!(parts(["ab", "c"]), parts(["a", "bc"]));
    }
}
