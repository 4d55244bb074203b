//! The identity that Azure lends to what runs there.

use std::fmt;
use std::path::PathBuf;

use serde_json::{Map, Value};
use url::Url;
use wire::Secret;

use super::{TOKEN_EXCHANGE_AUDIENCE, arc};
use crate::endpoints::{checked, checked_nearby, is_loopback, shown};
use crate::http::{Http, HttpRequest, HttpResponse, METADATA_HOST};
use crate::response::{members, take_secret};
use crate::{Error, Step};

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
    /// The agent of Azure Arc on a machine that is elsewhere: it proves its callers by a file that they must be able to read.
    Arc { url: Url, keys: PathBuf },
}

impl ManagedIdentity {
    fn at(place: Place) -> Self {
        Self { place, audience: TOKEN_EXCHANGE_AUDIENCE.into(), client_id: None }
    }

    /// By the instance metadata service of virtual machines.
    pub fn imds() -> Self {
        Self::at(Place::Imds)
    }

    /// By the endpoint that App Service, Functions and Container Apps name in `IDENTITY_ENDPOINT`; `header` is
    /// `IDENTITY_HEADER`.
    ///
    /// # Errors
    ///
    /// [`Error::InsecureUrl`] for http outside loopback and IPv4 link-local addresses, [`Error::Setting`] if it is no
    /// address.
    pub fn endpoint(url: &str, header: Secret) -> Result<Self, Error> {
        Ok(Self::at(Place::Endpoint { url: checked_nearby("identity endpoint", url)?, header }))
    }

    /// By the agent of Azure Arc on this machine, at the address of `IDENTITY_ENDPOINT`. The agent names a key file in
    /// `/var/opt/azcmagent/tokens`, which members of the group `himds` can read; no other file is ever read for it, and what
    /// is in it goes back to that address only. Linux only.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if it is no address on loopback.
    pub fn arc(url: &str) -> Result<Self, Error> {
        Self::arc_with_keys(url, arc::KEYS.into())
    }

    fn arc_with_keys(url: &str, keys: PathBuf) -> Result<Self, Error> {
        let url = checked("identity endpoint", url)?;
        if !is_loopback(&url) {
            let reason = "the agent of Azure Arc is on this machine; its address must be one of loopback";
            return Err(Error::setting("identity endpoint", reason));
        }
        Ok(Self::at(Place::Arc { url, keys }))
    }

    /// What the environment names: with `IDENTITY_ENDPOINT` and `IDENTITY_HEADER` the endpoint, with `IDENTITY_ENDPOINT` and
    /// `IMDS_ENDPOINT` the agent of Azure Arc, else the instance metadata service. `variable` looks a variable up.
    ///
    /// # Errors
    ///
    /// As [`endpoint`](Self::endpoint) and [`arc`](Self::arc), and [`Error::Setting`] for a place that is none of these, such
    /// as Service Fabric.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let there = |name: &str| variable(name).filter(|value| !value.is_empty());
        let Some(url) = there("IDENTITY_ENDPOINT") else { return Ok(Self::imds()) };
        if there("IDENTITY_SERVER_THUMBPRINT").is_some() {
            return Err(Error::setting(
                "identity endpoint",
                "IDENTITY_SERVER_THUMBPRINT is set: this is Service Fabric, whose managed identities are not supported; use a \
                 certificate, or an assertion from a file or command",
            ));
        }
        match (there("IDENTITY_HEADER"), there("IMDS_ENDPOINT")) {
            (Some(header), _) => Self::endpoint(&url, Secret::from(header)),
            (None, Some(_)) => Self::arc(&url),
            (None, None) => Err(Error::setting(
                "identity endpoint",
                "IDENTITY_ENDPOINT is set, but neither IDENTITY_HEADER (App Service, Functions, Container Apps) nor \
                 IMDS_ENDPOINT (Azure Arc) is; see what sets it",
            )),
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

    /// The question, to a service that has versions.
    fn question(&self, url: Url, version: &str) -> HttpRequest {
        let mut query = vec![("resource", self.audience.as_str())];
        if let Some(id) = &self.client_id {
            query.push(("client_id", id));
        }
        query.push(("api-version", version));
        HttpRequest::to_identity_service(url, &query)
    }

    pub(super) async fn fetch<H: Http>(&self, http: &H, now: u64) -> Result<Secret, Error> {
        let metadata = || Secret::from("true");
        match &self.place {
            Place::Imds => {
                let url = Url::parse(&format!("http://{METADATA_HOST}/metadata/identity/oauth2/token"))
                    .map_err(|error| Error::setting("identity endpoint", error.to_string()))?;
                let question = self.question(url, "2018-02-01").with_header("metadata", metadata());
                token(read(&http.send(question).await?, &[], now)?)
            }
            Place::Endpoint { url, header } => {
                let question = self.question(url.clone(), "2019-08-01");
                let question = question.with_header("x-identity-header", header.clone());
                token(read(&http.send(question).await?, std::slice::from_ref(header), now)?)
            }
            Place::Arc { url, keys } => {
                let question =
                    || self.question(url.clone(), "2020-06-01").with_header("metadata", metadata());
                let challenge = http.send(question()).await?;
                if challenge.status != 401 {
                    read(&challenge, &[], now)?;
                    // Whoever answers at once has not seen that we may read the key, and need not be the agent.
                    return Err(Error::response("it came without a question for the key file"));
                }
                let key = arc::key(challenge.www_authenticate.as_deref().unwrap_or_default(), keys)?;
                let authorization = Secret::from(format!("Basic {}", key.expose()));
                let question = question().with_header("authorization", authorization);
                let mut answer = read(&http.send(question).await?, std::slice::from_ref(&key), now)?;
                self.confirmed(&mut answer)?;
                token(answer)
            }
        }
    }

    /// An agent that knows of one identity only gives its token whichever is asked for.
    fn confirmed(&self, answer: &mut Map<String, Value>) -> Result<(), Error> {
        let Some(asked) = &self.client_id else { return Ok(()) };
        match answer.get("client_id").and_then(Value::as_str) {
            Some(given) if given.eq_ignore_ascii_case(asked) => Ok(()),
            _ => Err(Error::setting(
                "managed identity",
                format!(
                    "the agent does not confirm that its token is that of {asked}; it may know the machine's own identity \
                     only: leave the client id empty, or update the agent"
                ),
            )),
        }
    }
}

fn read(answer: &HttpResponse, secrets: &[Secret], now: u64) -> Result<Map<String, Value>, Error> {
    // While the service is being set up or updated it answers 404 or 410.
    if matches!(answer.status, 404 | 410) {
        return Err(Error::Status { step: Step::Assertion, status: 503, empty: true, retry_after: None });
    }
    members(Step::Assertion, answer, secrets, now)
}

fn token(mut answer: Map<String, Value>) -> Result<Secret, Error> {
    take_secret(&mut answer, "access_token").ok_or_else(|| Error::response("it holds no access_token"))
}

impl fmt::Display for ManagedIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Imds => f.write_str("the managed identity of this machine"),
            Place::Endpoint { url, .. } => write!(f, "the managed identity at {}", shown(url)),
            Place::Arc { url, .. } => write!(f, "the managed identity of Azure Arc at {}", shown(url)),
        }?;
        match &self.client_id {
            Some(id) => write!(f, " with client id {id}"),
            None => Ok(()),
        }
    }
}

#[cfg(all(test, unix))]
mod tests;
