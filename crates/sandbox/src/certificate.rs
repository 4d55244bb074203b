//! Certificates that clients sign their assertions with (RFC 7523).

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use base64ct::{Base64UrlUnpadded, Encoding};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, SignatureVerificationAlgorithm};
use webpki::EndEntityCert;
use webpki::aws_lc_rs::{RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256_LEGACY_KEY};
use wire::Secret;

use crate::StartError;
use crate::jwt::{CLIENTS, SigningKey};

/// A certificate registered for an application.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// `None` stands for the sandbox's own, which is made when somebody asks for it.
    der: Option<Vec<u8>>,
    pub(crate) expired: bool,
}

impl Certificate {
    /// The certificate in this PEM text, the first one if there are several; its key has to be RSA, 2048 bits or more.
    ///
    /// # Errors
    /// There is no such certificate in the text.
    pub fn from_pem(pem: &str) -> Result<Self, StartError> {
        let error = |e: &dyn std::fmt::Display| StartError::ClientCertificate(e.to_string());
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|e| error(&e))?;
        EndEntityCert::try_from(&der).map_err(|e| error(&e))?;
        Ok(Self { der: Some(der.to_vec()), expired: false })
    }

    /// The certificate whose private key [`Sandbox::client_key`](crate::Sandbox::client_key) gives away.
    pub fn sandbox() -> Self {
        Self { der: None, expired: false }
    }

    /// Its time is over, whatever it says itself: assertions are refused with AADSTS700027.
    #[must_use]
    pub fn expired(mut self) -> Self {
        self.expired = true;
        self
    }

    fn der(&self) -> Option<Vec<u8>> {
        match &self.der {
            Some(der) => Some(der.clone()),
            None => CLIENTS.ready().map(|key| key.certificate().to_vec()),
        }
    }

    /// Whether it is the one with this thumbprint: base64url of its SHA-256 (`x5t#S256`) or SHA-1 (`x5t`), padded or not.
    pub(crate) fn is(&self, thumbprint: Thumbprint<'_>) -> bool {
        let Some(der) = self.der() else { return false };
        let (algorithm, text) = match thumbprint {
            Thumbprint::Sha256(text) => (&SHA256, text),
            Thumbprint::Sha1(text) => (&SHA1_FOR_LEGACY_USE_ONLY, text),
        };
        Base64UrlUnpadded::encode_string(digest(algorithm, &der).as_ref()) == text.trim_end_matches('=')
    }

    /// Whether its key made this signature; `algorithm` is the header's `alg`.
    pub(crate) fn verifies(&self, algorithm: &str, signed: &[u8], signature: &[u8]) -> bool {
        let algorithm: &dyn SignatureVerificationAlgorithm = match algorithm {
            "PS256" => RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
            "RS256" => RSA_PKCS1_2048_8192_SHA256,
            _ => return false,
        };
        let Some(der) = self.der().map(CertificateDer::from) else { return false };
        EndEntityCert::try_from(&der)
            .is_ok_and(|certificate| certificate.verify_signature(algorithm, signed, signature).is_ok())
    }
}

/// Which certificate an assertion's header names.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Thumbprint<'a> {
    /// `x5t#S256`.
    Sha256(&'a str),
    /// `x5t`.
    Sha1(&'a str),
}

impl Thumbprint<'_> {
    /// Upper-case hexadecimal, as the portal shows thumbprints.
    pub(crate) fn hex(&self) -> String {
        let (Self::Sha256(text) | Self::Sha1(text)) = self;
        let octets = Base64UrlUnpadded::decode_vec(text.trim_end_matches('=')).unwrap_or_default();
        octets.iter().map(|b| format!("{b:02X}")).collect()
    }
}

/// A private key with its certificate: what a client needs to sign in with a certificate.
#[derive(Clone, Debug)]
pub struct ClientKey {
    pub(crate) certificate_pem: String,
    pub(crate) private_key_pem: Secret,
}

impl ClientKey {
    pub(crate) fn of(key: &SigningKey) -> Self {
        Self { certificate_pem: key.certificate_pem(), private_key_pem: key.private_pem() }
    }

    /// The certificate, PEM.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// The private key, PKCS#8 as PEM. It opens nothing but sandboxes of this process.
    pub fn private_key_pem(&self) -> &Secret {
        &self.private_key_pem
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rubbish_is_refused() {
        assert!(Certificate::from_pem("").is_err());
        assert!(
            Certificate::from_pem("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").is_err()
        );
    }

    #[test]
    fn a_certificate_is_known_by_its_thumbprints_and_verifies_its_key_only() {
        let key = CLIENTS.get();
        let certificate = Certificate::from_pem(&key.certificate_pem()).unwrap();
        assert!(
            certificate.is(Thumbprint::Sha1(key.kid()))
                && Certificate::sandbox().is(Thumbprint::Sha1(key.kid()))
        );
        assert!(certificate.is(Thumbprint::Sha1(&format!("{}=", key.kid()))));
        assert!(!certificate.is(Thumbprint::Sha256(key.kid())));
        let token = key.sign(&serde_json::Map::new());
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let signature = Base64UrlUnpadded::decode_vec(signature).unwrap();
        assert!(certificate.verifies("RS256", signed.as_bytes(), &signature));
        assert!(!certificate.verifies("PS256", signed.as_bytes(), &signature));
        assert!(!certificate.verifies("none", signed.as_bytes(), &signature));
        let other = Certificate::from_pem(&crate::jwt::TOKENS.get().certificate_pem()).unwrap();
        assert!(!other.verifies("RS256", signed.as_bytes(), &signature));
        assert_eq!(Thumbprint::Sha1("_-8").hex(), "FFEF");
    }
}
