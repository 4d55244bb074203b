//! The JWT bearer grant (RFC 7523 section 2.1) of a service account, with delegation by `sub`.

use serde_json::{Value, json};

use super::Refused;
use crate::directory::UserKind;
use crate::fault::Who;
use crate::idp::Idp;
use crate::idp::assertion::Assertion;
use crate::idp::params::Params;
use crate::jwt::SERVICE_ACCOUNTS;
use crate::random;
use crate::service_account::{GOOGLE_MAIL_SCOPE, ServiceAccount};

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// The address that assertions made for the real endpoint name.
const REAL_ENDPOINT: &str = "https://oauth2.googleapis.com/token";

/// Seconds that an assertion may live at most.
const LONGEST: u64 = 3600;

/// Seconds by which the client's clock may be wrong.
const SKEW: u64 = 300;

impl Idp {
    /// The service account of this name.
    pub(crate) fn service_account(&self, email: &str) -> Option<&ServiceAccount> {
        self.service_accounts.iter().find(|account| account.email.eq_ignore_ascii_case(email))
    }

    pub(super) fn by_service_account(
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
        let token = format!("ya29.c.{}", random::base64url(160));
        let mail = scopes.contains(&GOOGLE_MAIL_SCOPE);
        let lifetime = self.google_opens(&token, &account.email, who, user, mail);
        Ok(json!({"access_token": token, "expires_in": lifetime, "token_type": "Bearer"}))
    }
}
