//! The certificate authority the sandbox makes for itself, and the server certificate it signs.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;

use crate::StartError;

/// What TLS needs: the CA for clients to trust and the configuration for the listeners.
pub(crate) struct Tls {
    /// PEM of the CA certificate.
    pub(crate) ca_pem: String,
    /// For HTTPS.
    pub(crate) http: Arc<ServerConfig>,
    /// For the mail protocols: no ALPN.
    pub(crate) mail: Arc<ServerConfig>,
}

/// Days a certificate stays valid: what every verifier accepts from a private CA.
const DAYS: u64 = 397;

/// Makes a CA and a certificate for `localhost`, `127.0.0.1` and `::1`.
pub(crate) fn make() -> Result<Tls, StartError> {
    let error = |e: rcgen::Error| StartError::Certificate(e.to_string());
    let ca_key = KeyPair::generate().map_err(error)?;
    let mut ca = CertificateParams::default();
    ca.distinguished_name.push(DnType::CommonName, "postkey sandbox CA");
    ca.distinguished_name.push(DnType::OrganizationName, "postkey sandbox (pretend, for tests)");
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages =
        vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    let lifetime = || {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let epoch = rcgen::date_time_ymd(1970, 1, 1);
        let day = Duration::from_secs(86_400);
        (epoch + now.saturating_sub(day), epoch + (now + day * (DAYS as u32 - 1)))
    };
    (ca.not_before, ca.not_after) = lifetime();
    let ca_cert = ca.self_signed(&ca_key).map_err(error)?;

    let names = ["localhost", "127.0.0.1", "::1"].map(String::from);
    let mut server = CertificateParams::new(names).map_err(error)?;
    server.distinguished_name.push(DnType::CommonName, "localhost");
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // Strict verifiers (Python 3.13's default, for one) want the authority key identifier.
    server.use_authority_key_identifier_extension = true;
    (server.not_before, server.not_after) = lifetime();
    let key = KeyPair::generate().map_err(error)?;
    let issuer = Issuer::from_params(&ca, &ca_key);
    let cert = server.signed_by(&key, &issuer).map_err(error)?;

    let config = |alpn: &[&[u8]]| -> Result<Arc<ServerConfig>, StartError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let error = |e: rustls::Error| StartError::Certificate(e.to_string());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(error)?
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
            .map_err(error)?;
        config.alpn_protocols = alpn.iter().map(|p| p.to_vec()).collect();
        Ok(Arc::new(config))
    };
    Ok(Tls { ca_pem: ca_cert.pem(), http: config(&[b"http/1.1"])?, mail: config(&[])? })
}
