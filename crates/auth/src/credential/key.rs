//! RSA keys, and what they sign: JSON Web Tokens in compact form (RFC 7515 §3.1).

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair};
use base64ct::{Base64UrlUnpadded, Encoding};
use pkcs8::EncryptedPrivateKeyInfoRef;
use pkcs8::pkcs5::pbes2::Kdf;
use serde_json::{Map, Value};
use wire::Secret;

use super::SignatureAlgorithm;
use crate::Error;

/// Most rounds of a key derivation that are worked through; files in use have 2048 to 600 000.
const MOST_ROUNDS: u32 = 10_000_000;
/// Most memory that scrypt may ask for, in octets.
const MOST_MEMORY: u64 = 256 * 1024 * 1024;

/// An RSA private key.
pub(super) struct SigningKey(RsaKeyPair);

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(wire::REDACTED)
    }
}

impl SigningKey {
    /// Reads PKCS#8 (RFC 5958).
    pub(super) fn from_pkcs8(der: &[u8]) -> Result<Self, String> {
        RsaKeyPair::from_pkcs8(der).map(Self).map_err(|rejected| unusable(&rejected))
    }

    /// Reads PKCS#1 (RFC 8017 appendix A.1.2).
    pub(super) fn from_pkcs1(der: &[u8]) -> Result<Self, String> {
        RsaKeyPair::from_der(der).map(Self).map_err(|rejected| unusable(&rejected))
    }

    /// Reads encrypted PKCS#8 (RFC 5958 §3 with RFC 8018).
    pub(super) fn from_encrypted(der: &[u8], passphrase: Option<&Secret>) -> Result<Self, String> {
        let Some(passphrase) = passphrase else {
            return Err("the private key is encrypted; give its passphrase".into());
        };
        let unknown = "the private key is encrypted in a way that is not known here; write it anew with \
                       `openssl pkcs8 -topk8 -v2 aes-256-cbc`";
        let info = EncryptedPrivateKeyInfoRef::try_from(der).map_err(|_| unknown)?;
        let parameters = info.encryption_algorithm.pbes2().ok_or(unknown)?;
        let bearable = match &parameters.kdf {
            Kdf::Pbkdf2(parameters) => parameters.iteration_count <= MOST_ROUNDS,
            Kdf::Scrypt(parameters) => {
                let memory = parameters.cost_parameter.saturating_mul(u64::from(parameters.block_size) * 128);
                memory <= MOST_MEMORY && parameters.parallelization <= 16
            }
            _ => return Err(unknown.into()),
        };
        if !bearable {
            return Err("its key derivation asks for more work than any honest file does".into());
        }
        let plain = info
            .decrypt(passphrase.expose())
            .map_err(|_| "the passphrase does not open the private key, or the file is damaged")?;
        Self::from_pkcs8(plain.as_bytes())
    }

    /// The public half, as PKCS#1.
    pub(super) fn public_key(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }

    /// Signs `claims` under `header`, to which `alg` and `typ` are added: a JWS in compact form.
    pub(super) fn jwt(
        &self,
        algorithm: SignatureAlgorithm,
        mut header: Map<String, Value>,
        claims: Map<String, Value>,
    ) -> Result<Secret, Error> {
        header.insert("alg".into(), algorithm.name().into());
        header.insert("typ".into(), "JWT".into());
        let encoded =
            |members| Base64UrlUnpadded::encode_string(Value::Object(members).to_string().as_bytes());
        let mut token = format!("{}.{}", encoded(header), encoded(claims));
        let signature = self
            .sign(algorithm, token.as_bytes())
            .ok_or_else(|| Error::setting("certificate", "its private key cannot sign"))?;
        token.push('.');
        token.push_str(&Base64UrlUnpadded::encode_string(&signature));
        Ok(Secret::from(token))
    }

    fn sign(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Option<Vec<u8>> {
        let padding = match algorithm {
            SignatureAlgorithm::Ps256 => &RSA_PSS_SHA256,
            SignatureAlgorithm::Rs256 => &RSA_PKCS1_SHA256,
        };
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0.sign(padding, &SystemRandom::new(), message, &mut signature).ok()?;
        Some(signature)
    }
}

fn unusable(rejected: &aws_lc_rs::error::KeyRejected) -> String {
    format!("the private key cannot be used ({rejected}); it must be RSA of 2048 to 8192 bits")
}

/// The claims of an assertion (RFC 7523 §3); times in seconds.
pub(super) struct Claims<'a> {
    pub(super) issuer: &'a str,
    pub(super) subject: &'a str,
    pub(super) audience: &'a str,
    /// Since 1970.
    pub(super) issued_at: u64,
    pub(super) life: u64,
}

impl Claims<'_> {
    /// As JSON members, with a fresh `jti`, so that no assertion can be used twice.
    pub(super) fn members(&self) -> Result<Map<String, Value>, Error> {
        let mut members = Map::new();
        for (name, value) in [("iss", self.issuer), ("sub", self.subject), ("aud", self.audience)] {
            members.insert(name.into(), value.into());
        }
        members.insert("jti".into(), identifier()?.into());
        for name in ["iat", "nbf"] {
            members.insert(name.into(), self.issued_at.into());
        }
        members.insert("exp".into(), self.issued_at.saturating_add(self.life).into());
        Ok(members)
    }
}

/// A random UUID (RFC 9562 §5.4).
fn identifier() -> Result<String, Error> {
    let mut random = [0; 16];
    aws_lc_rs::rand::fill(&mut random)
        .map_err(|_| Error::setting("assertion", "this system gives no random numbers"))?;
    let number = u128::from_be_bytes(random) & !(0xf000 << 64 | 0xc << 60) | 0x4000 << 64 | 0x8 << 60;
    let hex = format!("{number:032x}");
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| hex.get(range).unwrap_or_default());
    Ok(parts.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_random_uuids() {
        let (one, two) = (identifier().unwrap(), identifier().unwrap());
        assert_ne!(one, two);
        for id in [one, two] {
            let bytes = id.as_bytes();
            assert_eq!((id.len(), bytes[14], [8, 13, 18, 23].map(|at| bytes[at])), (36, b'4', [b'-'; 4]));
            assert!(b"89ab".contains(&bytes[19]), "{id}");
        }
    }
}
