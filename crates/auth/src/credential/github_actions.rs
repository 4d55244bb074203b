//! The identity that GitHub lends to the jobs of its build service.

use std::fmt;

use url::Url;
use wire::Secret;

use super::TOKEN_EXCHANGE_AUDIENCE;
use crate::endpoints::checked;
use crate::http::{Http, HttpRequest};
use crate::response::{members, take_secret};
use crate::{Error, Step};

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
