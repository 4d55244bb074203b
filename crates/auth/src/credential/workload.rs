//! Identities that a place of work lends to the programs that run there.

use std::fmt;

use url::Url;
use wire::Secret;

use crate::endpoints::{checked, shown};
use crate::http::{Http, HttpRequest};
use crate::response::{members, take_secret};
use crate::{Error, Step};

/// The audience that Entra's federated credentials expect, unless the registration names another one.
pub const TOKEN_EXCHANGE_AUDIENCE: &str = "api://AzureADTokenExchange";

/// The token service of a GitHub Actions job with the permission `id-token: write`.
#[derive(Debug, Clone)]
pub struct GitHubActions {
    url: Url,
    token: Secret,
    audience: String,
}

impl GitHubActions {
    /// The service that the job's environment names: `ACTIONS_ID_TOKEN_REQUEST_URL` and
    /// `ACTIONS_ID_TOKEN_REQUEST_TOKEN`. `variable` looks a variable up.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if one of them is missing, [`Error::InsecureUrl`] if the address is not https.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let wanted = |name: &str| {
            variable(name).filter(|value| !value.is_empty()).ok_or_else(|| {
                Error::setting(
                    "assertion",
                    format!(
                        "{name} is not set: this runs in no GitHub Actions job, or the job lacks the permission \
                         `id-token: write`"
                    ),
                )
            })
        };
        let url = wanted("ACTIONS_ID_TOKEN_REQUEST_URL")?;
        Self::new(&url, Secret::from(wanted("ACTIONS_ID_TOKEN_REQUEST_TOKEN")?))
    }

    /// The service at `url`, which takes `token`.
    ///
    /// # Errors
    ///
    /// [`Error::InsecureUrl`] or [`Error::Setting`] if the address cannot be used.
    pub fn new(url: &str, token: Secret) -> Result<Self, Error> {
        let url = checked("assertion endpoint", url)?;
        Ok(Self { url, token, audience: TOKEN_EXCHANGE_AUDIENCE.into() })
    }

    /// For another audience.
    #[must_use]
    pub fn with_audience(self, audience: impl Into<String>) -> Self {
        Self { audience: audience.into(), ..self }
    }

    pub(super) async fn fetch<H: Http>(&self, http: &H, now: u64) -> Result<Secret, Error> {
        let mut url = self.url.clone();
        url.query_pairs_mut().append_pair("audience", &self.audience);
        let authorization = Secret::from(format!("Bearer {}", self.token.expose()));
        let request = HttpRequest::get(url).with_header("authorization", authorization);
        let answer = http.send(request).await?;
        let mut members = members(Step::Assertion, &answer, std::slice::from_ref(&self.token), now)?;
        take_secret(&mut members, "value").ok_or_else(|| Error::response("it holds no value"))
    }
}

impl fmt::Display for GitHubActions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the token service of GitHub Actions for {}", self.audience)
    }
}

/// The managed identity of an Azure resource: a token service that is reached from that resource only.
#[derive(Debug, Clone)]
pub struct ManagedIdentity {
    place: Place,
    audience: String,
    client_id: Option<String>,
}

#[derive(Debug, Clone)]
enum Place {
    /// The instance metadata service of virtual machines, at its fixed link-local address.
    Imds,
    /// What `IDENTITY_ENDPOINT` and `IDENTITY_HEADER` name in App Service, Functions and Container Apps.
    Endpoint { url: Url, header: Secret },
}

impl ManagedIdentity {
    /// By the instance metadata service of virtual machines.
    pub fn imds() -> Self {
        Self { place: Place::Imds, audience: TOKEN_EXCHANGE_AUDIENCE.into(), client_id: None }
    }

    /// By the endpoint that App Service, Functions and Container Apps name in `IDENTITY_ENDPOINT`; `header` is
    /// `IDENTITY_HEADER`.
    ///
    /// # Errors
    ///
    /// [`Error::InsecureUrl`] for http outside loopback, [`Error::Setting`] if it is no address.
    pub fn endpoint(url: &str, header: Secret) -> Result<Self, Error> {
        let place = Place::Endpoint { url: checked("identity endpoint", url)?, header };
        Ok(Self { place, audience: TOKEN_EXCHANGE_AUDIENCE.into(), client_id: None })
    }

    /// The endpoint that the environment names, else the instance metadata service. `variable` looks a
    /// variable up.
    ///
    /// # Errors
    ///
    /// As [`endpoint`](Self::endpoint).
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        match (variable("IDENTITY_ENDPOINT"), variable("IDENTITY_HEADER")) {
            (Some(url), Some(header)) => Self::endpoint(&url, Secret::from(header)),
            _ => Ok(Self::imds()),
        }
    }

    /// The user-assigned identity with this client id, where the resource has several.
    #[must_use]
    pub fn with_client_id(self, client_id: impl Into<String>) -> Self {
        Self { client_id: Some(client_id.into()), ..self }
    }

    /// For another audience.
    #[must_use]
    pub fn with_audience(self, audience: impl Into<String>) -> Self {
        Self { audience: audience.into(), ..self }
    }

    pub(super) async fn fetch<H: Http>(&self, http: &H, now: u64) -> Result<Secret, Error> {
        let mut query = vec![("resource", self.audience.as_str())];
        if let Some(id) = &self.client_id {
            query.push(("client_id", id));
        }
        let (request, secrets) = match &self.place {
            Place::Imds => {
                query.push(("api-version", "2018-02-01"));
                let request = HttpRequest::instance_metadata("/metadata/identity/oauth2/token", &query)?;
                (request, Vec::new())
            }
            Place::Endpoint { url, header } => {
                query.push(("api-version", "2019-08-01"));
                let mut url = url.clone();
                url.query_pairs_mut().extend_pairs(&query);
                let request = HttpRequest::get(url).with_header("x-identity-header", header.clone());
                (request, vec![header.clone()])
            }
        };
        let answer = http.send(request).await?;
        // While the service is being set up or updated it answers 404 or 410.
        if matches!(answer.status, 404 | 410) {
            return Err(Error::Status { step: Step::Assertion, status: 503, empty: true, retry_after: None });
        }
        let mut members = members(Step::Assertion, &answer, &secrets, now)?;
        take_secret(&mut members, "access_token").ok_or_else(|| Error::response("it holds no access_token"))
    }
}

impl fmt::Display for ManagedIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Imds => f.write_str("the managed identity of this machine"),
            Place::Endpoint { url, .. } => write!(f, "the managed identity at {}", shown(url)),
        }?;
        match &self.client_id {
            Some(id) => write!(f, " with client id {id}"),
            None => Ok(()),
        }
    }
}
