//! TLS settings: what is trusted, and what a failed handshake means.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, RootCertStore};

use crate::error::{Error, TlsHint};

/// The roots that a client trusts.
///
/// By default the Mozilla roots compiled in (`webpki-roots`); a platform store and extra authorities can be added or
/// take their place.
#[derive(Clone, Debug)]
pub struct Roots {
    store: RootCertStore,
}

impl Roots {
    /// Trusts nothing yet.
    pub fn none() -> Self {
        Self { store: RootCertStore::empty() }
    }

    /// Trusts the Mozilla roots that are compiled in.
    pub fn mozilla() -> Self {
        Self { store: webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect() }
    }

    /// Adds what the operating system trusts.
    ///
    /// # Errors
    /// [`Error::Roots`] when the store cannot be read or holds nothing usable.
    pub fn with_platform(mut self) -> Result<Self, Error> {
        let found = rustls_native_certs::load_native_certs();
        let (added, _) = self.store.add_parsable_certificates(found.certs);
        if added == 0 {
            let reason = found.errors.first().map_or_else(|| "it is empty".to_owned(), ToString::to_string);
            return Err(Error::Roots { origin: "the platform's store".into(), reason });
        }
        Ok(self)
    }

    /// Adds the certificates of a PEM file.
    ///
    /// # Errors
    /// [`Error::Roots`] when the file cannot be read or holds no certificate.
    pub fn with_ca_file(self, path: &Path) -> Result<Self, Error> {
        let origin = path.display().to_string();
        let pem = std::fs::read(path)
            .map_err(|e| Error::Roots { origin: origin.clone(), reason: e.to_string() })?;
        self.with_pem(&pem, &origin)
    }

    /// Adds the certificates of PEM text; `origin` names it in errors.
    ///
    /// # Errors
    /// [`Error::Roots`] when the text holds no certificate or a broken one.
    pub fn with_pem(mut self, pem: &[u8], origin: &str) -> Result<Self, Error> {
        let fail = |reason: String| Error::Roots { origin: origin.into(), reason };
        let certificates: Vec<_> =
            CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|e| fail(e.to_string()))?;
        if certificates.is_empty() {
            return Err(fail("there is no certificate in it".into()));
        }
        for certificate in certificates {
            self.store.add(certificate).map_err(|e| fail(e.to_string()))?;
        }
        Ok(self)
    }

    /// Client settings that trust these roots.
    pub fn client(self) -> Arc<ClientConfig> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap_or_else(|_| unreachable!("the provider supports TLS 1.2 and 1.3"))
            .with_root_certificates(self.store)
            .with_no_client_auth();
        Arc::new(config)
    }
}

/// The name a certificate must be for.
///
/// # Errors
/// [`Error::Tls`] when `host` is neither a DNS name nor an IP address.
pub fn server_name(host: &str) -> Result<ServerName<'static>, Error> {
    ServerName::try_from(host.trim_matches(['[', ']']).to_owned()).map_err(|_| Error::Tls {
        host: host.into(),
        reason: "the host is neither a DNS name nor an IP address".into(),
        hint: TlsHint::WrongName,
    })
}

/// Names what a failed handshake means.
pub(crate) fn handshake_error(host: &str, error: &io::Error) -> Error {
    let inner = error.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>());
    let hint = match inner {
        Some(rustls::Error::InvalidCertificate(c)) => match c {
            CertificateError::UnknownIssuer | CertificateError::BadSignature => TlsHint::UnknownIssuer,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                TlsHint::WrongName
            }
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => TlsHint::Dates,
            _ => TlsHint::None,
        },
        Some(rustls::Error::InvalidMessage(_)) => TlsHint::PlaintextPeer,
        _ => TlsHint::None,
    };
    let reason = match inner {
        Some(e) => e.to_string(),
        None if error.kind() == io::ErrorKind::UnexpectedEof => "the server closed the connection".into(),
        None => error.to_string(),
    };
    Error::Tls { host: host.into(), reason, hint }
}
