//! What the user brings: the application's registration at the provider.

use wire::Secret;

/// How the application proves itself to the token endpoint.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum Credential {
    /// A public client: nothing to prove (desktop and device sign-in).
    #[default]
    Public,
    /// A client secret (RFC 6749 §2.3.1).
    Secret(Secret),
}

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
    /// A public client.
    pub fn public(client_id: impl Into<String>, tenant: impl Into<String>) -> Self {
        Self { client_id: client_id.into(), credential: Credential::Public, tenant: tenant.into() }
    }

    /// A confidential client with a secret.
    pub fn with_secret(client_id: impl Into<String>, secret: Secret, tenant: impl Into<String>) -> Self {
        Self { client_id: client_id.into(), credential: Credential::Secret(secret), tenant: tenant.into() }
    }
}
