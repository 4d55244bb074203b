//! Throw-away certificates.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rcgen::{KeyUsagePurpose, date_time_ymd};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

/// A server's certificate and the authority that signed it, all in PEM.
#[derive(Clone, Debug)]
pub struct Tls {
    /// The authority's certificate: what a client must trust.
    pub ca_pem: String,
    /// The server's certificate.
    pub cert_pem: String,
    /// The server's private key, PKCS #8. It protects nothing outside a test.
    pub key_pem: String,
}

impl Tls {
    /// Valid for `localhost`, `127.0.0.1` and `::1`.
    pub fn localhost() -> Self {
        Self::valid_for(&["localhost", "127.0.0.1", "::1"])
    }

    /// Valid for these names and addresses only.
    pub fn valid_for(names: &[&str]) -> Self {
        Self::issue(names, 4096)
    }

    /// For `localhost`, but its time is over (it ended with the year 2020).
    pub fn expired() -> Self {
        Self::issue(&["localhost", "127.0.0.1", "::1"], 2021)
    }

    fn issue(names: &[&str], until_year: i32) -> Self {
        let key_of = || KeyPair::generate().expect("P-256 keys are supported");
        let mut ca = CertificateParams::default();
        ca.distinguished_name.push(DnType::CommonName, "postkey test authority");
        ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        (ca.not_before, ca.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(4096, 1, 1));
        let ca_key = key_of();
        let ca_cert = ca.self_signed(&ca_key).expect("the authority's parameters are valid");

        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut server = CertificateParams::new(names).expect("the names are valid");
        server.distinguished_name.push(DnType::CommonName, "postkey test server");
        server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        server.use_authority_key_identifier_extension = true; // strict verifiers ask for it
        (server.not_before, server.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(until_year, 1, 1));
        let key = key_of();
        let cert = server
            .signed_by(&key, &Issuer::from_params(&ca, &ca_key))
            .expect("the server's parameters are valid");
        Self { ca_pem: ca_cert.pem(), cert_pem: cert.pem(), key_pem: key.serialize_pem() }
    }

    /// For a server of ours.
    pub fn server_config(&self) -> Arc<ServerConfig> {
        let cert = CertificateDer::from_pem_slice(self.cert_pem.as_bytes()).expect("our own PEM");
        let key = PrivateKeyDer::from_pem_slice(self.key_pem.as_bytes()).expect("our own PEM");
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![cert], key));
        Arc::new(config.expect("a certificate with its own key"))
    }

    /// For a plain client in a test: trusts this authority and nothing else.
    pub fn client_config(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        let ca = CertificateDer::from_pem_slice(self.ca_pem.as_bytes()).expect("our own PEM");
        roots.add(ca).expect("our own authority");
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider has the default versions");
        Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
    }
}
