//! The token endpoint: who asks, with what, and how it may fail.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Extension, Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use wire::Secret;

use crate::count::RequestKind;
use crate::directory::{App, AppKind};
use crate::fault::{Fault, Who};
use crate::http::Base;
use crate::idp::Idp;
use crate::idp::assertion::Assertion;
use crate::idp::params::{Params, basic};
use crate::idp::refusal::{Refusal, json_response};
use crate::idp::tables::DeviceState;
use crate::idp::tenant::Tenant;
use crate::jwt::SigningKey;
use crate::net::Resetter;

const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// What a client showed of itself: the claim `appidacr`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// Nothing: it is a public client.
    Nothing,
    /// Its secret.
    Secret,
    /// An assertion, its own or an outside issuer's.
    Assertion,
}

/// A token request of a client that may make one.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) tenant: Tenant,
    pub(crate) app: &'a App,
    pub(crate) proof: Proof,
    pub(crate) who: &'a Who,
    pub(crate) params: &'a Params,
    /// The URL under which the sandbox was reached.
    pub(crate) base: &'a str,
    pub(crate) key: &'a SigningKey,
}

/// The token endpoint.
pub(crate) async fn token(
    State(idp): State<Arc<Idp>>,
    Extension(Base(base)): Extension<Base>,
    Extension(resetter): Extension<Resetter>,
    Path(tenant): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let params = Params::new(query.as_deref(), &body);
    idp.count(match params.get("grant_type") {
        Some("authorization_code") => RequestKind::AuthorizationCode,
        Some("refresh_token") => RequestKind::Refresh,
        Some("client_credentials") => RequestKind::ClientCredentials,
        Some("password") => RequestKind::Password,
        Some(DEVICE_GRANT | "device_code") => RequestKind::DevicePoll,
        _ => RequestKind::OtherGrant,
    });
    let basic = basic(&headers);
    let named =
        basic.as_ref().map(|(id, ..)| id.clone()).or_else(|| params.get("client_id").map(str::to_owned));
    // An assertion says who it is by itself (RFC 7521 section 4.2).
    let asserted = || Some(Assertion::parse(params.get("client_assertion")?)?.text("sub").to_owned());
    let client = named.or_else(asserted).unwrap_or_default();
    let who = Who { client, user: idp.user_of(&params) };
    let trace = idp.trace(&headers, &who);
    if let Some(response) = idp.outage(&who, &resetter, &trace, &base).await {
        return response;
    }
    let secrets: Vec<Secret> = match basic {
        Some((_, decoded, raw)) => vec![decoded.into(), raw.into()],
        None => params.get("client_secret").map(Secret::from).into_iter().collect(),
    };
    let key = idp.mint.key_async().await;
    match idp.grant(&tenant, &who, &secrets, &params, &base, &key) {
        Ok(body) => json_response(200, &body, &trace),
        Err(refusal) => idp.refuse(&refusal, &who, &trace, &base),
    }
}

impl Idp {
    fn grant(
        &self,
        tenant: &str,
        who: &Who,
        secrets: &[Secret],
        params: &Params,
        base: &str,
        key: &SigningKey,
    ) -> Result<serde_json::Value, Refusal> {
        let tenant = Tenant::parse(&self.directory, tenant)?;
        if params.repeated {
            return Err(Refusal::malformed());
        }
        let client = who.client.as_str();
        let grant = params.get("grant_type").ok_or_else(|| Refusal::missing("grant_type"))?;
        if params.get("resource").is_some() {
            return Err(Refusal::resource_parameter());
        }
        if client.is_empty() {
            return Err(Refusal::missing("client_id"));
        }
        match (grant, tenant) {
            ("client_credentials", Tenant::Common | Tenant::Organizations | Tenant::Consumers) => {
                return Err(Refusal::no_tenant());
            }
            ("password", Tenant::Common | Tenant::Consumers) => return Err(Refusal::password_not_here()),
            _ => {}
        }
        let app =
            self.directory.app(client).ok_or_else(|| Refusal::unknown_app(client, &self.directory.domain))?;
        tenant.admits(app)?;
        let injected = self.faults.take(who, |f| match f {
            Fault::Refuse { error, code, status, suberror } => Some((*error, *code, *status, *suberror)),
            _ => None,
        });
        if let Some((error, code, status, suberror)) = injected {
            let mut refusal = Refusal::new(status, error, code, "A fault was injected.");
            refusal.suberror = suberror;
            return Err(refusal);
        }
        let without_redirect = matches!(grant, "password" | "device_code" | DEVICE_GRANT);
        let asserted = params.get("client_assertion").is_some();
        let proof = authenticate(app, secrets, asserted, grant, without_redirect)?;
        if proof == Proof::Assertion {
            self.check_assertion(app, tenant, who, params, base)?;
        }
        let request = Request { tenant, app, proof, who, params, base, key };
        match grant {
            "authorization_code" => self.by_code(&request),
            "refresh_token" => self.by_refresh(&request),
            "client_credentials" => self.by_client(&request),
            "password" => self.by_password(&request),
            DEVICE_GRANT | "device_code" => self.by_device(&request),
            other => Err(Refusal::unsupported_grant(other)),
        }
    }

    /// The user whom a token request is for, as far as what it shows is known here.
    fn user_of(&self, params: &Params) -> Option<String> {
        let tables = self.tables();
        match params.get("grant_type")? {
            "authorization_code" => tables.codes.get(params.get("code")?).map(|code| code.user.clone()),
            "refresh_token" => {
                tables.refresh.get(params.get("refresh_token")?).map(|token| token.user.clone())
            }
            "password" => params.get("username").map(str::to_owned),
            DEVICE_GRANT | "device_code" => match &tables.devices.get(params.get("device_code")?)?.state {
                DeviceState::Approved(user) => Some(user.clone()),
                _ => None,
            },
            _ => None,
        }
    }
}

/// Client authentication: who must, who must not. An assertion is still to be checked.
fn authenticate(
    app: &App,
    secrets: &[Secret],
    asserted: bool,
    grant: &str,
    without_redirect: bool,
) -> Result<Proof, Refusal> {
    if app.kind == AppKind::Public {
        if !secrets.is_empty() || asserted {
            return Err(Refusal::secret_from_public());
        }
        // Nothing but the switch says that this client is public when no redirect URI is part of the grant.
        if grant == "client_credentials" || (without_redirect && !app.public_flows) {
            return Err(Refusal::no_secret());
        }
        return Ok(Proof::Nothing);
    }
    match (asserted, secrets.is_empty()) {
        // RFC 6749 section 2.3: not more than one way at a time.
        (true, false) => return Err(Refusal::malformed()),
        (true, true) => return Ok(Proof::Assertion),
        (false, true) if without_redirect && app.public_flows => return Ok(Proof::Nothing),
        (false, true) => return Err(Refusal::no_secret()),
        (false, false) => {}
    }
    if app.secret.as_ref().is_some_and(|secret| secrets.contains(secret)) {
        Ok(Proof::Secret)
    } else if app.expired_secrets.iter().any(|secret| secrets.contains(secret)) {
        Err(Refusal::expired_secret(app))
    } else {
        Err(Refusal::wrong_secret(app))
    }
}
