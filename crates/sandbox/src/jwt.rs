//! Signing keys, the JWKS and signed tokens (RFC 7515, RFC 7517): RS256 only, as Entra does.

use std::sync::{Arc, OnceLock};

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey};
use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use serde_json::{Map, Value, json};

use wire::Secret;

use crate::StartError;

/// An RSA key that signs tokens, with the certificate that names it.
pub(crate) struct SigningKey {
    pair: KeyPair,
    certificate: Vec<u8>,
    kid: String,
}

/// A key that all sandboxes of this process share, made once: RSA generation takes far longer than everything else at start.
pub(crate) struct Shared {
    key: OnceLock<Arc<SigningKey>>,
    /// The common name in its certificate.
    name: &'static str,
}

impl Shared {
    const fn new(name: &'static str) -> Self {
        Self { key: OnceLock::new(), name }
    }

    /// The key; blocks until it is there.
    pub(crate) fn get(&self) -> Arc<SigningKey> {
        self.key
            .get_or_init(|| {
                let pair = KeyPair::generate(KeySize::Rsa2048).expect("the crypto library makes RSA keys");
                let key = SigningKey::from_pair(pair, self.name);
                Arc::new(key.expect("a fresh key can sign its own certificate"))
            })
            .clone()
    }

    /// The key if it is there already. Where nobody was given the key, nothing can be signed with it.
    pub(crate) fn ready(&self) -> Option<Arc<SigningKey>> {
        self.key.get().cloned()
    }

    /// Starts making the key on a thread of its own.
    pub(crate) fn begin(&'static self) {
        if self.key.get().is_none() {
            std::thread::spawn(|| drop(self.get()));
        }
    }

    /// The key, without blocking the executor.
    pub(crate) async fn get_async(&'static self) -> Arc<SigningKey> {
        match self.ready() {
            Some(key) => key,
            None => tokio::task::spawn_blocking(|| self.get()).await.unwrap_or_else(|_| self.get()),
        }
    }
}

/// Signs the tenant's tokens.
pub(crate) static TOKENS: Shared = Shared::new("accounts of the postkey sandbox");

/// Whose certificate [`Certificate::sandbox`](crate::Certificate::sandbox) is.
pub(crate) static CLIENTS: Shared = Shared::new("a client of the postkey sandbox");

/// Signs the tokens of outside issuers that federated credentials trust.
pub(crate) static WORKLOADS: Shared = Shared::new("workloads of the postkey sandbox");

/// The key of the service accounts of the Google-like token endpoint.
pub(crate) static SERVICE_ACCOUNTS: Shared = Shared::new("service accounts of the postkey sandbox");

impl SigningKey {
    /// A given key: PKCS#8, as PEM or DER.
    pub(crate) fn from_pkcs8(key: &[u8]) -> Result<Self, StartError> {
        let error = |e: &dyn std::fmt::Display| StartError::SigningKey(e.to_string());
        let der = match std::str::from_utf8(key).ok().filter(|t| t.contains("-----BEGIN")) {
            Some(pem) => {
                let body: String = pem.lines().filter(|l| !l.starts_with("-----")).map(str::trim).collect();
                Base64::decode_vec(&body).map_err(|e| error(&e))?
            }
            None => key.to_vec(),
        };
        Self::from_pair(KeyPair::from_pkcs8(&der).map_err(|e| error(&e))?, TOKENS.name)
    }

    fn from_pair(pair: KeyPair, name: &str) -> Result<Self, StartError> {
        let error = |e: &dyn std::fmt::Display| StartError::SigningKey(e.to_string());
        let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|e| error(&e))?;
        let key = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(
            &der.as_ref().to_vec().into(),
            &rcgen::PKCS_RSA_SHA256,
        )
        .map_err(|e| error(&e))?;
        let mut params = rcgen::CertificateParams::default();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let certificate = params.self_signed(&key).map_err(|e| error(&e))?.der().to_vec();
        let kid = Base64UrlUnpadded::encode_string(digest(&SHA1_FOR_LEGACY_USE_ONLY, &certificate).as_ref());
        Ok(Self { pair, certificate, kid })
    }

    /// The key id: the certificate's SHA-1 thumbprint, as with Entra.
    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }

    /// The public key as PEM (SubjectPublicKeyInfo).
    pub(crate) fn public_pem(&self) -> String {
        let der = self.pair.public_key().as_der().expect("a public key can be encoded");
        pem("PUBLIC KEY", der.as_ref())
    }

    /// The self-signed certificate, DER.
    pub(crate) fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// The self-signed certificate as PEM.
    pub(crate) fn certificate_pem(&self) -> String {
        pem("CERTIFICATE", &self.certificate)
    }

    /// The private key as PEM (PKCS#8).
    pub(crate) fn private_pem(&self) -> Secret {
        let der: Pkcs8V1Der<'_> = self.pair.as_der().expect("a key that was made or read can be written");
        Secret::from(pem("PRIVATE KEY", der.as_ref()))
    }

    /// The JWKS document (RFC 7517 section 5); `issuer` goes into each key as Entra does.
    pub(crate) fn jwks(&self, issuer: &str) -> Value {
        let public = self.pair.public_key();
        let number = |n: &[u8]| Base64UrlUnpadded::encode_string(n);
        json!({"keys": [{
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid, "x5t": self.kid,
            "n": number(public.modulus().big_endian_without_leading_zero()),
            "e": number(public.exponent().big_endian_without_leading_zero()),
            "x5c": [Base64::encode_string(&self.certificate)],
            "issuer": issuer,
        }]})
    }

    /// Signs the claims: `{typ: JWT, alg: RS256, kid, x5t}`.
    pub(crate) fn sign(&self, claims: &Map<String, Value>) -> String {
        let header = json!({"typ": "JWT", "alg": "RS256", "x5t": self.kid, "kid": self.kid});
        let mut token = Base64UrlUnpadded::encode_string(header.to_string().as_bytes());
        token.push('.');
        token.push_str(&Base64UrlUnpadded::encode_string(
            Value::Object(claims.clone()).to_string().as_bytes(),
        ));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), token.as_bytes(), &mut signature)
            .expect("an RSA key of 2048 bits or more signs");
        token.push('.');
        token.push_str(&Base64UrlUnpadded::encode_string(&signature));
        token
    }

    /// The claims of a token that this key signed; `None` for anything else.
    pub(crate) fn verify(&self, token: &str) -> Option<Map<String, Value>> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (_, claims) = signed.split_once('.')?;
        let signature = Base64UrlUnpadded::decode_vec(signature).ok()?;
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.pair.public_key().as_ref());
        public.verify(signed.as_bytes(), &signature).ok()?;
        match serde_json::from_slice(&Base64UrlUnpadded::decode_vec(claims).ok()?).ok()? {
            Value::Object(claims) => Some(claims),
            _ => None,
        }
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// PEM (RFC 7468), 64 characters to the line.
fn pem(label: &str, der: &[u8]) -> String {
    let text = Base64::encode_string(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    for line in text.as_bytes().chunks(64) {
        pem.push_str(std::str::from_utf8(line).unwrap_or_default());
        pem.push('\n');
    }
    pem.push_str(&format!("-----END {label}-----\n"));
    pem
}

/// base64url(SHA-256(text)): PKCE's S256 (RFC 7636 section 4.2) and pairwise subjects.
pub(crate) fn s256(text: &str) -> String {
    Base64UrlUnpadded::encode_string(digest(&SHA256, text.as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pkce_vector_of_rfc_7636_appendix_b() {
        assert_eq!(
            s256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }

    #[test]
    fn signs_and_refuses_forgeries() {
        let key = TOKENS.get();
        let Value::Object(claims) = json!({"sub": "x", "exp": 5}) else { panic!() };
        let token = key.sign(&claims);
        assert_eq!(key.verify(&token), Some(claims));
        let mut forged: Vec<&str> = token.split('.').collect();
        let other = Base64UrlUnpadded::encode_string(br#"{"sub":"y","exp":5}"#);
        forged[1] = &other;
        assert_eq!(key.verify(&forged.join(".")), None);
        assert_eq!(key.verify("EwBAAl3B"), None);
        assert_eq!(key.verify("..."), None);
    }

    #[test]
    fn a_given_key_is_used_and_rubbish_is_refused() {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        let text = Base64::encode_string(der.as_ref());
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n");
        let (a, b) =
            (SigningKey::from_pkcs8(der.as_ref()).unwrap(), SigningKey::from_pkcs8(pem.as_bytes()).unwrap());
        assert_eq!(a.public_pem(), b.public_pem());
        assert!(
            SigningKey::from_pkcs8(b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----").is_err()
        );
        assert!(SigningKey::from_pkcs8(b"").is_err());
    }
}
