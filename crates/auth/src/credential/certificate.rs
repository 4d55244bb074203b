//! A certificate with its private key, from PEM or PKCS#12.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use p12_keystore::Pkcs12Archive;
use serde_json::Map;
use wire::Secret;
use x509_parser::parse_x509_certificate;
use zeroize::Zeroizing;

use super::SignatureAlgorithm;
use super::key::{Claims, SigningKey};
use crate::Error;
use crate::error::text;

/// Longest file read, in octets.
const LONGEST: usize = 1024 * 1024;
/// The algorithm of an RSA key in a certificate (RFC 8017 appendix C).
const RSA: &str = "1.2.840.113549.1.1.1";
/// Life of a client assertion, in seconds.
const LIFE: u64 = 600;

/// A certificate and the key that belongs to it: the credential of an application that has no secret.
///
/// Register the certificate, without its key, at the provider; compare the thumbprint shown there with
/// [`sha1`](Self::sha1) or [`sha256`](Self::sha256). Cloning is cheap. Prints without the key.
#[derive(Clone)]
pub struct Certificate {
    parts: Arc<Parts>,
    algorithm: SignatureAlgorithm,
    x5c: bool,
}

struct Parts {
    key: SigningKey,
    /// DER: its own first, then those of its issuers as far as they came with it, but for a root.
    chain: Vec<Vec<u8>>,
    sha1: Vec<u8>,
    sha256: Vec<u8>,
    subject: String,
    not_before: u64,
    not_after: u64,
}

impl Certificate {
    /// Reads PEM or PKCS#12, whichever `octets` are.
    ///
    /// # Errors
    ///
    /// As [`from_pem`](Self::from_pem) and [`from_pfx`](Self::from_pfx).
    pub fn from_octets(octets: &[u8], passphrase: Option<&Secret>) -> Result<Self, Error> {
        // PKCS#12 is DER and begins with the octet of a SEQUENCE.
        if octets.first() == Some(&0x30) {
            let none = Secret::default();
            return Self::from_pfx(octets, passphrase.unwrap_or(&none));
        }
        Self::from_pem(octets, passphrase)
    }

    /// Reads PEM: at least one certificate, and one private key as PKCS#8, encrypted PKCS#8 or PKCS#1, in any
    /// order. Of several certificates the one that belongs to the key counts. Where certificate and key are in
    /// two files, join them.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if there is no certificate or not exactly one key, if they do not belong together, if
    /// the key is not RSA, or if the passphrase does not open it.
    pub fn from_pem(pem: &[u8], passphrase: Option<&Secret>) -> Result<Self, Error> {
        fits(pem)?;
        let blocks = pem::parse_many(pem).map_err(|_| wrong("it is not PEM"))?;
        let mut certificates = Vec::new();
        let mut keys = Vec::new();
        for block in blocks {
            let tag = block.tag().to_owned();
            let der = Zeroizing::new(block.into_contents());
            match tag.as_str() {
                "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => certificates.push(der.to_vec()),
                "PRIVATE KEY" => keys.push(SigningKey::from_pkcs8(&der)),
                "RSA PRIVATE KEY" => keys.push(SigningKey::from_pkcs1(&der)),
                "ENCRYPTED PRIVATE KEY" => keys.push(SigningKey::from_encrypted(&der, passphrase)),
                "EC PRIVATE KEY" | "DSA PRIVATE KEY" => {
                    keys.push(Err("the private key is not RSA, and no provider takes another".into()));
                }
                _ => {}
            }
        }
        let [key] = <[_; 1]>::try_from(keys)
            .map_err(|keys| wrong(format!("it holds {} private keys; it must hold one", keys.len())))?;
        Self::joined(key.map_err(wrong)?, &certificates)
    }

    /// Reads PKCS#12 (RFC 7292), as Windows and Azure Key Vault export it.
    ///
    /// # Errors
    ///
    /// As [`from_pem`](Self::from_pem).
    pub fn from_pfx(der: &[u8], passphrase: &Secret) -> Result<Self, Error> {
        fits(der)?;
        let archive = Pkcs12Archive::from_pkcs12(der, passphrase.expose()).map_err(|error| {
            wrong(format!(
                "it is not PKCS#12, is damaged, or the passphrase is wrong ({})",
                text::plain(&error.to_string())
            ))
        })?;
        let [key] = <[_; 1]>::try_from(archive.keys)
            .map_err(|keys| wrong(format!("it holds {} private keys; it must hold one", keys.len())))?;
        let certificates: Vec<Vec<u8>> = archive.certs.iter().map(|bag| bag.cert.as_der().to_vec()).collect();
        Self::joined(SigningKey::from_pkcs8(key.key.as_der()).map_err(wrong)?, &certificates)
    }

    /// Finds the certificate of `key`.
    fn joined(key: SigningKey, certificates: &[Vec<u8>]) -> Result<Self, Error> {
        if certificates.is_empty() {
            return Err(wrong("it holds a private key but no certificate"));
        }
        for der in certificates {
            let (_, certificate) = parse_x509_certificate(der)
                .map_err(|_| wrong("it holds something that is called a certificate and is none"))?;
            let public = certificate.public_key();
            if public.algorithm.algorithm.to_id_string() != RSA
                || *public.subject_public_key.data != *key.public_key()
            {
                continue;
            }
            let validity = certificate.validity();
            let seconds = |time: x509_parser::time::ASN1Time| u64::try_from(time.timestamp()).unwrap_or(0);
            let hash = |algorithm: &'static Algorithm| digest(algorithm, der).as_ref().to_vec();
            let parts = Parts {
                key,
                chain: chain(der, certificates),
                sha1: hash(&SHA1_FOR_LEGACY_USE_ONLY),
                sha256: hash(&SHA256),
                subject: text::plain(&certificate.subject().to_string()),
                not_before: seconds(validity.not_before),
                not_after: seconds(validity.not_after),
            };
            return Ok(Self { parts: Arc::new(parts), algorithm: SignatureAlgorithm::default(), x5c: false });
        }
        Err(wrong(
            "its private key belongs to none of its certificates; take both from the same pair (the server \
             would answer AADSTS700027)",
        ))
    }

    /// With another signature algorithm: [`SignatureAlgorithm::Rs256`] for old set-ups.
    #[must_use]
    pub fn with_algorithm(self, algorithm: SignatureAlgorithm) -> Self {
        Self { algorithm, ..self }
    }

    /// With itself, and with the certificates of its issuers as far as the file held them, in every assertion (`x5c`, RFC 7515
    /// §4.1.6): for registrations that trust a subject name and an issuer instead of one certificate, so that a renewed one
    /// needs no new registration.
    #[must_use]
    pub fn with_x5c(self) -> Self {
        Self { x5c: true, ..self }
    }

    /// When it begins to be valid, in seconds since 1970.
    pub fn not_before(&self) -> u64 {
        self.parts.not_before
    }

    /// When it ends, in seconds since 1970; from then on the provider refuses it.
    pub fn not_after(&self) -> u64 {
        self.parts.not_after
    }

    /// Whom it names (RFC 4514).
    pub fn subject(&self) -> &str {
        &self.parts.subject
    }

    /// The SHA-1 thumbprint as portals show it: 40 capital hexadecimal digits.
    pub fn sha1(&self) -> String {
        hexadecimal(&self.parts.sha1)
    }

    /// The SHA-256 thumbprint: 64 capital hexadecimal digits.
    pub fn sha256(&self) -> String {
        hexadecimal(&self.parts.sha256)
    }

    /// A client assertion (RFC 7523 §3) for `audience`, the token endpoint, issued at `now`.
    pub(crate) fn assertion(&self, client_id: &str, audience: &str, now: u64) -> Result<Secret, Error> {
        let claims = Claims { issuer: client_id, subject: client_id, audience, issued_at: now, life: LIFE };
        let (name, thumbprint) = match self.algorithm {
            SignatureAlgorithm::Ps256 => ("x5t#S256", &self.parts.sha256),
            SignatureAlgorithm::Rs256 => ("x5t", &self.parts.sha1),
        };
        let mut header = Map::new();
        header.insert(name.into(), Base64UrlUnpadded::encode_string(thumbprint).into());
        if self.x5c {
            // Padded and of the other alphabet, unlike everything else in a JWS.
            let chain: Vec<String> = self.parts.chain.iter().map(|der| Base64::encode_string(der)).collect();
            header.insert("x5c".into(), chain.into());
        }
        self.parts.key.jwt(self.algorithm, header, claims.members()?)
    }

    pub(super) fn distinction(&self) -> Vec<u8> {
        let mut octets = self.parts.sha256.clone();
        octets.extend_from_slice(self.algorithm.name().as_bytes());
        if self.x5c {
            octets.extend_from_slice(b"x5c");
        }
        octets
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("subject", &self.parts.subject)
            .field("sha256", &self.sha256())
            .field("algorithm", &self.algorithm)
            .field("x5c", &self.x5c)
            .finish_non_exhaustive()
    }
}

/// `own` and, among `others`, the issuer of each, up to one that is its own issuer: whoever trusts a root has it.
fn chain(own: &[u8], others: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut chain = vec![own.to_vec()];
    while let Some(last) = chain.last().filter(|_| chain.len() <= others.len()) {
        let Ok((_, last)) = parse_x509_certificate(last) else { break };
        let issuer = others.iter().find(|der| {
            parse_x509_certificate(der).is_ok_and(|(_, other)| {
                other.subject() == last.issuer() && other.issuer() != other.subject() && !chain.contains(der)
            })
        });
        match issuer {
            Some(issuer) => chain.push(issuer.clone()),
            None => break,
        }
    }
    chain
}

fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02X}")).collect()
}

fn fits(octets: &[u8]) -> Result<(), Error> {
    if octets.len() > LONGEST { Err(wrong(format!("it is longer than {LONGEST} octets"))) } else { Ok(()) }
}

fn wrong(reason: impl Into<String>) -> Error {
    Error::setting("certificate", reason)
}
