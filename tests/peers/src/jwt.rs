//! Tokens signed with a shared secret, for a [`crate::Dovecot`] that is tested or measured without an identity
//! provider.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use base64ct::{Base64, Base64UrlUnpadded, Encoding};

use crate::VerificationKey;

/// A signer of HS256 tokens (RFC 7518, section 3.2).
#[derive(Clone, Debug)]
pub struct Hs256 {
    secret: Vec<u8>,
}

impl Hs256 {
    /// The secret should have 32 octets or more.
    pub fn new(secret: &[u8]) -> Self {
        Self { secret: secret.to_vec() }
    }

    /// The key as Dovecot wants it: HMAC secrets in base64.
    pub fn verification_key(&self) -> VerificationKey {
        VerificationKey {
            alg: "HS256".into(),
            kid: "default".into(),
            key: Base64::encode_string(&self.secret),
        }
    }

    /// A good token for that user, from now on for `lifetime`.
    pub fn token(&self, issuer: &str, user: &str, lifetime: Duration) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.sign(&serde_json::json!({
            "iss": issuer, "sub": user, "email": user,
            "iat": now.as_secs().saturating_sub(10), "exp": (now + lifetime).as_secs(),
        }))
    }

    /// A token with exactly these claims, good or bad.
    pub fn sign(&self, claims: &serde_json::Value) -> String {
        let header = Base64UrlUnpadded::encode_string(br#"{"alg":"HS256","typ":"JWT"}"#);
        let claims = Base64UrlUnpadded::encode_string(claims.to_string().as_bytes());
        let signed = format!("{header}.{claims}");
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &self.secret), signed.as_bytes());
        format!("{signed}.{}", Base64UrlUnpadded::encode_string(tag.as_ref()))
    }
}
