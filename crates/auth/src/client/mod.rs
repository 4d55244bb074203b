//! The requests of OAuth 2.0, each a method.

mod app;
mod code;
mod device;
mod form;
mod jwt_bearer;
mod nonce;
mod password;
mod pending;
mod refresh;
mod web;

pub use code::{Authorize, Callback, ResponseMode};
pub use device::{DeviceCode, DeviceRequest, Poll, Poller};
pub use password::PASSWORD_WARNING;
pub use pending::Pending;

use base64ct::{Base64, Encoding};
use serde_json::{Map, Value};
use url::Url;
use url::form_urlencoded::byte_serialize;
use wire::Secret;

use self::form::Form;
use crate::clock::{Clock, SystemClock};
use crate::http::{Http, HttpRequest};
use crate::response::{self, Unusable};
use crate::{Credential, Endpoints, Error, Registration, Step, Tokens, scope};

/// The type of a client assertion (RFC 7523 §2.2).
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Speaks OAuth 2.0 to one authorisation server on behalf of one registration.
#[derive(Debug, Clone)]
pub struct Client<H, C = SystemClock> {
    endpoints: Endpoints,
    registration: Registration,
    http: H,
    clock: C,
}

impl<H: Http> Client<H> {
    /// A client on the system's clock.
    pub fn new(endpoints: Endpoints, registration: Registration, http: H) -> Self {
        Self::with_clock(endpoints, registration, http, SystemClock)
    }
}

impl<H: Http, C: Clock> Client<H, C> {
    /// A client on another clock.
    pub fn with_clock(endpoints: Endpoints, registration: Registration, http: H, clock: C) -> Self {
        Self { endpoints, registration, http, clock }
    }

    /// Where it sends its requests.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// On whose behalf.
    pub fn registration(&self) -> &Registration {
        &self.registration
    }

    /// The clock it was given.
    pub fn clock(&self) -> &C {
        &self.clock
    }

    /// Refuses scopes that this server would misunderstand, before anything is sent.
    fn check_scopes(&self, scopes: &[String]) -> Result<(), Error> {
        if self.endpoints.quirks.scope_names_resource {
            scope::one_resource(scopes)
        } else {
            scope::well_formed(scopes)
        }
    }

    /// Posts to the token endpoint, with the client's credential, and reads tokens.
    async fn token(&self, step: Step, form: Form, requested: &[String]) -> Result<Tokens, Unusable> {
        let (form, basic) = self.authenticated(form).await?;
        let members = self.post(step, &self.endpoints.token, form, basic).await?;
        response::tokens(members, requested, self.clock.now())
    }

    /// Adds the client's id and credential (RFC 6749 §2.3): to the form, or as a header beside it.
    async fn authenticated(&self, mut form: Form) -> Result<(Form, Option<Secret>), Error> {
        form = form.field("client_id", &self.registration.client_id);
        let mut basic = None;
        match &self.registration.credential {
            Credential::Secret(secret) if self.endpoints.quirks.basic_auth => {
                form.remember(secret);
                basic = Some(self.basic(secret));
            }
            Credential::Secret(secret) => form = form.secret("client_secret", secret),
            Credential::Certificate(certificate) => {
                let (id, audience) = (&self.registration.client_id, self.endpoints.token.as_str());
                let assertion = certificate.assertion(id, audience, self.clock.now())?;
                form = form.field("client_assertion_type", ASSERTION).secret("client_assertion", &assertion);
            }
            Credential::Assertion(source) => {
                let assertion = source.fetch(&self.http, self.clock.now()).await?;
                form = form.field("client_assertion_type", ASSERTION).secret("client_assertion", &assertion);
            }
            Credential::ServiceAccount(_) => {
                return Err(Error::setting(
                    "flow",
                    "a service account signs in by itself only; use the flow for service accounts",
                ));
            }
            Credential::Public => {}
        }
        Ok((form, basic))
    }

    async fn post(
        &self,
        step: Step,
        url: &Url,
        form: Form,
        basic: Option<Secret>,
    ) -> Result<Map<String, Value>, Error> {
        let (body, secrets) = form.into_parts();
        let mut request = HttpRequest::form(url.clone(), body);
        if let Some(value) = basic {
            request.headers.push(("authorization", value));
        }
        let answer = self.http.send(request).await?;
        response::members(step, &answer, &secrets, self.clock.now())
    }

    /// HTTP Basic as RFC 6749 §2.3.1 has it: both parts form-encoded first.
    fn basic(&self, secret: &Secret) -> Secret {
        let mut pair = String::new();
        pair.extend(byte_serialize(self.registration.client_id.as_bytes()));
        pair.push(':');
        pair.extend(byte_serialize(secret.expose().as_bytes()));
        let pair = Secret::from(pair);
        Secret::from(format!("Basic {}", Base64::encode_string(pair.expose().as_bytes())))
    }
}
