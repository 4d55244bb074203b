//! How an application proves itself to the token endpoint.

mod algorithm;
mod arc;
mod assertion;
mod certificate;
mod github_actions;
mod key;
mod managed_identity;
mod service_account;

pub use algorithm::SignatureAlgorithm;
pub use assertion::{Assertion, AssertionFuture, TOKEN_EXCHANGE_AUDIENCE};
pub use certificate::Certificate;
pub use github_actions::GitHubActions;
pub use managed_identity::ManagedIdentity;
pub use service_account::ServiceAccount;

use wire::{Secret, SecretBytes};

/// How the application proves itself to the token endpoint.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum Credential {
    /// A public client: nothing to prove (desktop and device sign-in).
    #[default]
    Public,
    /// A client secret (RFC 6749 §2.3.1).
    Secret(Secret),
    /// A certificate whose key signs an assertion for every request (RFC 7523 §2.2).
    Certificate(Certificate),
    /// An assertion that somebody else makes: a cluster, a build service, a managed identity (RFC 7523 §2.2).
    Assertion(Assertion),
    /// A Google service account: it signs its own grants (RFC 7523 §2.1) and serves no other.
    ServiceAccount(ServiceAccount),
}

impl Credential {
    /// What tells this credential from another, for a digest: with another one a refusal says nothing. Holds
    /// the secret itself where there is one.
    pub(crate) fn distinction(&self) -> SecretBytes {
        SecretBytes::new(match self {
            Self::Public => Vec::new(),
            Self::Secret(secret) => secret.expose().as_bytes().to_vec(),
            Self::Certificate(certificate) => certificate.distinction(),
            Self::Assertion(assertion) => assertion.to_string().into_bytes(),
            Self::ServiceAccount(account) => account.distinction(),
        })
    }
}
