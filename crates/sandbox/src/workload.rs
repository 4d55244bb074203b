//! Workload identity federation: outside issuers that an application trusts instead of a secret.

use serde_json::{Map, Value};
use wire::Secret;

use crate::clock::Clock;
use crate::jwt::WORKLOADS;
use crate::random;

/// The path of the sandbox's own outside issuer: a federated credential with this issuer means `{base URL}/workload`.
pub const WORKLOAD_ISSUER: &str = "/workload";

/// The audience Entra asks for in tokens of outside issuers.
pub const WORKLOAD_AUDIENCE: &str = "api://AzureADTokenExchange";

/// What the places of work want to see before they lend a token: `{base URL}/workload/github` as a bearer token, as GitHub Actions does
/// (`ACTIONS_ID_TOKEN_REQUEST_URL` and `…_TOKEN`), `{base URL}/workload/identity` in `X-IDENTITY-HEADER`, as Azure's managed identities
/// do (`IDENTITY_ENDPOINT` and `IDENTITY_HEADER`). The subject is [`WORKLOAD_SUBJECT`](crate::WORKLOAD_SUBJECT).
pub const WORKLOAD_SECRET: &str = "Wrk~8Q+secret/of_the=workload";

/// A federated identity credential: tokens of `issuer` for `subject` and `audience` stand for the application's secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Federated {
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) audience: String,
}

impl Federated {
    /// Trusts `issuer` to speak for `subject`, to the audience [`WORKLOAD_AUDIENCE`].
    pub fn new(issuer: &str, subject: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
            audience: WORKLOAD_AUDIENCE.to_owned(),
        }
    }

    /// Another audience.
    #[must_use]
    pub fn audience(mut self, audience: &str) -> Self {
        audience.clone_into(&mut self.audience);
        self
    }

    /// The subject that has to be in the token.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The issuer as tokens name it.
    pub(crate) fn issuer_at(&self, base: &str) -> String {
        if self.issuer.starts_with('/') { format!("{base}{}", self.issuer) } else { self.issuer.clone() }
    }
}

/// A token of an outside issuer, to be made without asking anybody. All outside issuers of a sandbox sign with one key.
#[derive(Clone, Debug)]
pub struct WorkloadToken {
    pub(crate) issuer: Option<String>,
    pub(crate) subject: String,
    pub(crate) audience: String,
    pub(crate) lifetime: i64,
    pub(crate) forged: bool,
}

impl WorkloadToken {
    /// For this subject, from [`WORKLOAD_ISSUER`], to [`WORKLOAD_AUDIENCE`], good for ten minutes.
    pub fn new(subject: &str) -> Self {
        Self {
            issuer: None,
            subject: subject.to_owned(),
            audience: WORKLOAD_AUDIENCE.to_owned(),
            lifetime: 600,
            forged: false,
        }
    }

    /// From another issuer, e.g. `https://token.actions.githubusercontent.com`.
    #[must_use]
    pub fn issuer(mut self, issuer: &str) -> Self {
        self.issuer = Some(issuer.to_owned());
        self
    }

    /// To another audience.
    #[must_use]
    pub fn audience(mut self, audience: &str) -> Self {
        audience.clone_into(&mut self.audience);
        self
    }

    /// Seconds from now to `exp`; negative for one that has expired already.
    #[must_use]
    pub fn lifetime(mut self, seconds: i64) -> Self {
        self.lifetime = seconds;
        self
    }

    /// Signed by somebody who is not the issuer.
    #[must_use]
    pub fn forged(mut self) -> Self {
        self.forged = true;
        self
    }

    /// Makes it; blocks for a moment if the key is not made yet.
    pub(crate) fn sign(&self, clock: &Clock, base: &str) -> Secret {
        let now = i64::try_from(clock.now()).unwrap_or(i64::MAX);
        let issuer = self.issuer.clone().unwrap_or_else(|| format!("{base}{WORKLOAD_ISSUER}"));
        // A token that has expired was also issued before it expired.
        let begin = now.saturating_add(self.lifetime.min(600).saturating_sub(600));
        let mut claims: Map<String, Value> = Map::new();
        let mut put = |name: &str, value: Value| drop(claims.insert(name.to_owned(), value));
        put("iss", issuer.into());
        put("sub", self.subject.clone().into());
        put("aud", self.audience.clone().into());
        put("iat", begin.into());
        put("nbf", begin.into());
        put("exp", now.saturating_add(self.lifetime).into());
        put("jti", random::base64url(16).into());
        let key = if self.forged { crate::jwt::CLIENTS.get() } else { WORKLOADS.get() };
        Secret::from(key.sign(&claims))
    }
}
