//! A Google service account (RFC 7523 §2.1 as Google has it).

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};
use wire::Secret;
use zeroize::Zeroizing;

use super::SignatureAlgorithm;
use super::key::{Claims, SigningKey};
use crate::Error;
use crate::error::text;
use crate::response::object;

/// Longest key file read, in octets.
const LONGEST: usize = 64 * 1024;
/// Life of the assertion, in seconds: the longest Google takes.
const LIFE: u64 = 3600;

/// A service account's key file, and the person it is to act for. Prints without the key.
#[derive(Clone)]
pub struct ServiceAccount {
    parts: Arc<Parts>,
    subject: Option<String>,
}

struct Parts {
    email: String,
    key_id: Option<String>,
    key: SigningKey,
}

impl ServiceAccount {
    /// Reads the JSON key file that the Google Cloud console hands out. Only `client_email`, `private_key` and
    /// `private_key_id` count; requests go where the provider says.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if it is no such file.
    pub fn from_json(json: &[u8]) -> Result<Self, Error> {
        if json.len() > LONGEST {
            return Err(wrong(format!("it is longer than {LONGEST} octets")));
        }
        let mut members = object(json).ok_or_else(|| wrong("it is not a JSON object"))?;
        if members.get("type").and_then(Value::as_str).is_some_and(|kind| kind != "service_account") {
            return Err(wrong(
                "its type is not service_account; create a key for a service account in the Google Cloud \
                 console and download it as JSON",
            ));
        }
        let mut take = |name: &str| match members.remove(name) {
            Some(Value::String(value)) if !value.is_empty() => Some(Zeroizing::new(value)),
            _ => None,
        };
        let email = take("client_email").ok_or_else(|| wrong("it holds no client_email"))?;
        let pem = take("private_key").ok_or_else(|| wrong("it holds no private_key"))?;
        let block = pem::parse(pem.as_bytes()).map_err(|_| wrong("its private_key is not PEM"))?;
        let rsa = block.tag() == "RSA PRIVATE KEY";
        let der = Zeroizing::new(block.into_contents());
        let key = if rsa { SigningKey::from_pkcs1(&der) } else { SigningKey::from_pkcs8(&der) };
        let parts = Parts {
            email: text::plain(&email),
            key_id: take("private_key_id").map(|id| id.to_string()),
            key: key.map_err(wrong)?,
        };
        Ok(Self { parts: Arc::new(parts), subject: None })
    }

    /// Acting for `person` of the Workspace domain, whose administrator has allowed that for the account's
    /// numeric client id and the scope (domain-wide delegation). Mail needs it: the account itself has no
    /// mailbox.
    #[must_use]
    pub fn acting_for(self, person: impl Into<String>) -> Self {
        Self { subject: Some(person.into()), ..self }
    }

    /// The account's own address.
    pub fn email(&self) -> &str {
        &self.parts.email
    }

    /// The person it acts for.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// The assertion that is the grant. Google takes no `nbf` amiss and needs no `jti`; both do no harm.
    pub(crate) fn assertion(&self, scopes: &[String], audience: &str, now: u64) -> Result<Secret, Error> {
        let email = self.email();
        let subject = self.subject().unwrap_or(email);
        let claims = Claims { issuer: email, subject, audience, issued_at: now, life: LIFE };
        let mut members = claims.members()?;
        members.insert("scope".into(), scopes.join(" ").into());
        let mut header = Map::new();
        if let Some(id) = &self.parts.key_id {
            header.insert("kid".into(), id.as_str().into());
        }
        self.parts.key.jwt(SignatureAlgorithm::Rs256, header, members)
    }

    pub(super) fn distinction(&self) -> Vec<u8> {
        [self.parts.key.public_key(), self.email().as_bytes(), self.subject().unwrap_or_default().as_bytes()]
            .concat()
    }
}

impl fmt::Debug for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceAccount")
            .field("email", &self.parts.email)
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

fn wrong(reason: impl Into<String>) -> Error {
    Error::setting("service account", reason)
}
