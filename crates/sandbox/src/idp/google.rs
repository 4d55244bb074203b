//! A token endpoint as Google's for service accounts: the JWT bearer grant (RFC 7523 section 2.1) with delegation by `sub`.
//!
//! It has errors of its own, without AADSTS numbers; its tokens open the mailboxes of the same tenant.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Value, json};

use crate::count::RequestKind;
use crate::directory::{App, UserKind};
use crate::fault::{Fault, Who};
use crate::http::Base;
use crate::idp::Idp;
use crate::idp::assertion::Assertion;
use crate::idp::params::Params;
use crate::idp::refusal::json_response;
use crate::jwt::SERVICE_ACCOUNTS;
use crate::net::Resetter;
use crate::random;
use crate::service_account::{GOOGLE_MAIL_SCOPE, ServiceAccount};
use crate::token::EXCHANGE;

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// The address that assertions made for the real endpoint name.
const REAL_ENDPOINT: &str = "https://oauth2.googleapis.com/token";

/// Seconds an access token lives, and the longest an assertion may.
const LIFETIME: u64 = 3599;
const LONGEST: u64 = 3600;

/// Seconds by which the client's clock may be wrong.
const SKEW: u64 = 300;

/// `error` and `error_description`.
type Refused = (&'static str, &'static str);

/// `/google/token`.
pub(crate) async fn token(
    State(idp): State<Arc<Idp>>,
    Extension(Base(base)): Extension<Base>,
    Extension(resetter): Extension<Resetter>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    idp.count(RequestKind::ServiceAccount);
    let params = Params::new(None, &body);
    let text = params.get("assertion").unwrap_or_default();
    let assertion = Assertion::parse(text);
    let named = |name: &str| assertion.as_ref().map_or("", |a| a.text(name)).to_owned();
    let who = Who { client: named("iss"), user: Some(named("sub")).filter(|sub| !sub.is_empty()) };
    let trace = idp.trace(&headers, &who);
    if let Some(response) = idp.outage(&who, &resetter, &trace, &base).await {
        return response;
    }
    match idp.by_service_account(&params, assertion.as_ref(), &who, &base) {
        Ok(body) => json_response(200, &body, &trace),
        Err((error, description)) => {
            let status = if error == "unauthorized_client" { 401 } else { 400 };
            json_response(status, &json!({"error": error, "error_description": description}), &trace)
        }
    }
}

impl Idp {
    /// The service account of this name.
    pub(crate) fn service_account(&self, email: &str) -> Option<&ServiceAccount> {
        self.service_accounts.iter().find(|account| account.email.eq_ignore_ascii_case(email))
    }

    fn by_service_account(
        &self,
        params: &Params,
        assertion: Option<&Assertion<'_>>,
        who: &Who,
        base: &str,
    ) -> Result<Value, Refused> {
        if params.get("grant_type") != Some(JWT_BEARER) {
            return Err(("unsupported_grant_type", "Invalid grant_type"));
        }
        let assertion = assertion.ok_or(("invalid_grant", "Invalid JWT: Failed audience check."))?;
        let account = self
            .service_account(assertion.text("iss"))
            .ok_or(("invalid_grant", "Invalid grant: account not found"))?;
        let verified = SERVICE_ACCOUNTS.ready().is_some_and(|key| key.verify(assertion.whole()).is_some());
        if assertion.header("alg") != Some("RS256") || !verified {
            return Err(("invalid_grant", "Invalid JWT Signature."));
        }
        let here = format!("{base}/google/token");
        if !assertion.audiences().iter().any(|aud| *aud == here || *aud == REAL_ENDPOINT) {
            return Err(("invalid_grant", "Invalid JWT: Failed audience check."));
        }
        let now = self.clock.now();
        let (Some(from), Some(until)) = (assertion.time("iat"), assertion.time("exp")) else {
            return Err(("invalid_grant", "Invalid JWT: iat and exp are required."));
        };
        if from > now.saturating_add(SKEW)
            || until.saturating_add(SKEW) <= now
            || until.saturating_sub(from) > LONGEST
        {
            let text = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check \
                        your iat and exp values in the JWT claim.";
            return Err(("invalid_grant", text));
        }
        let scopes: Vec<&str> = assertion.text("scope").split_whitespace().collect();
        if scopes.is_empty() {
            return Err(("invalid_scope", "Empty or missing scope not allowed."));
        }
        let subject = assertion.text("sub");
        let user = if subject.is_empty() {
            // The account itself has no mailbox.
            None
        } else {
            if !scopes.iter().all(|scope| account.scopes.iter().any(|s| s == scope)) {
                let text = "Client is unauthorized to retrieve access tokens using this method, or client not authorized \
                            for any of the scopes requested.";
                return Err(("unauthorized_client", text));
            }
            let user =
                self.directory.user(subject).filter(|u| u.kind == UserKind::Work && u.blocked.is_none());
            Some(user.ok_or(("invalid_grant", "Invalid email or User ID"))?)
        };
        let lifetime = self
            .faults
            .take(who, |f| if let Fault::ExpiresIn(n) = f { Some(*n) } else { None })
            .unwrap_or(LIFETIME);
        let token = format!("ya29.c.{}", random::base64url(160));
        if let Some(user) = user {
            let mail = scopes.contains(&GOOGLE_MAIL_SCOPE);
            let permissions =
                ["IMAP.AccessAsUser.All", "POP.AccessAsUser.All", "SMTP.Send"].map(String::from);
            let permissions = if mail { &permissions[..] } else { &[] };
            let seconds = i64::try_from(lifetime).unwrap_or(i64::MAX);
            let app = App::public(&account.email).client_id(&account.email);
            let claims =
                self.mint.access_claims(&self.directory, Some(user), &app, EXCHANGE[0], permissions, seconds);
            self.mint.keep_opaque(&token, claims);
        }
        Ok(json!({"access_token": token, "expires_in": lifetime, "token_type": "Bearer"}))
    }
}
