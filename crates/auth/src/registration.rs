//! What the user brings: the application's registration at the provider.

use wire::Secret;

use crate::credential::{Assertion, Certificate, Credential, ServiceAccount};

/// An application registration.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Registration {
    /// The client id; not a secret.
    pub client_id: String,
    /// How the application proves itself.
    pub credential: Credential,
    /// The tenant: its id, one of its domains, or `common`, `organizations`, `consumers`. Empty means the
    /// provider's default; providers without tenants ignore it.
    pub tenant: String,
}

impl Registration {
    /// A client with any credential.
    pub fn new(client_id: impl Into<String>, credential: Credential, tenant: impl Into<String>) -> Self {
        Self { client_id: client_id.into(), credential, tenant: tenant.into() }
    }

    /// A public client.
    pub fn public(client_id: impl Into<String>, tenant: impl Into<String>) -> Self {
        Self::new(client_id, Credential::Public, tenant)
    }

    /// A confidential client with a secret.
    pub fn with_secret(client_id: impl Into<String>, secret: Secret, tenant: impl Into<String>) -> Self {
        Self::new(client_id, Credential::Secret(secret), tenant)
    }

    /// A confidential client with a certificate.
    pub fn with_certificate(
        client_id: impl Into<String>,
        certificate: Certificate,
        tenant: impl Into<String>,
    ) -> Self {
        Self::new(client_id, Credential::Certificate(certificate), tenant)
    }

    /// A confidential client for which somebody else makes assertions.
    pub fn with_assertion(
        client_id: impl Into<String>,
        assertion: Assertion,
        tenant: impl Into<String>,
    ) -> Self {
        Self::new(client_id, Credential::Assertion(assertion), tenant)
    }

    /// A Google service account. Its client id names the account and the person it acts for, so that the
    /// tokens of two persons are kept apart; it is never sent.
    pub fn service_account(account: ServiceAccount) -> Self {
        let client_id = match account.subject() {
            Some(person) => format!("{} for {person}", account.email()),
            None => account.email().to_owned(),
        };
        Self::new(client_id, Credential::ServiceAccount(account), "")
    }
}
