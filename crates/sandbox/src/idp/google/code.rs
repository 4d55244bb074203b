//! Codes and refresh tokens for access tokens.

use serde_json::{Value, json};
use wire::Secret;

use super::{Code, GoogleClient, RefreshToken, Refused, scope};
use crate::directory::{App, User};
use crate::fault::{Fault, Who};
use crate::idp::Idp;
use crate::idp::params::Params;
use crate::jwt::{SigningKey, s256};
use crate::random;
use crate::token::EXCHANGE;

/// Seconds an access token lives.
pub(super) const LIFETIME: u64 = 3599;
const DAY: u64 = 24 * 60 * 60;
/// Seconds without use after which a refresh token ends: six months.
const UNUSED: u64 = 181 * DAY;
/// Seconds a refresh token lives while the project is in testing.
const TESTING: u64 = 7 * DAY;
/// What stands in ID tokens.
const ISSUER: &str = "https://accounts.google.com";

/// Who redeems, for what.
pub(super) struct Grant<'a> {
    pub(super) client: &'a GoogleClient,
    pub(super) who: &'a Who,
    pub(super) params: &'a Params,
    pub(super) key: &'a SigningKey,
}

impl Idp {
    /// The client, if its secret is right: also a desktop application has to send it.
    pub(super) fn google_authenticate(&self, id: &str, secrets: &[Secret]) -> Result<&GoogleClient, Refused> {
        if id.is_empty() {
            return Err(("invalid_request", "Could not determine client ID from request."));
        }
        let client = self.google_client(id).ok_or(("invalid_client", "The OAuth client was not found."))?;
        if secrets.is_empty() {
            return Err(("invalid_request", "client_secret is missing."));
        }
        if !secrets.contains(&client.secret) {
            return Err(("invalid_client", "The provided client secret is invalid."));
        }
        Ok(client)
    }

    /// Whom a code or refresh token is for.
    pub(super) fn google_user_of(&self, params: &Params) -> Option<String> {
        let tables = self.tables();
        match params.get("grant_type")? {
            "authorization_code" => {
                tables.google.codes.get(params.get("code")?).map(|code| code.user.clone())
            }
            _ => tables.google.refresh.get(params.get("refresh_token")?).map(|token| token.user.clone()),
        }
    }

    pub(super) fn google_code(&self, grant: &Grant<'_>) -> Result<Value, Refused> {
        let params = grant.params;
        if params.get("scope").is_some() {
            return Err(("invalid_request", "Parameter not allowed for this message type: scope"));
        }
        let text = params.get("code").ok_or(("invalid_request", "Missing required parameter: code"))?;
        let uri = params
            .get("redirect_uri")
            .ok_or(("invalid_request", "Missing required parameter: redirect_uri"))?;
        let code = {
            let mut tables = self.tables();
            let code = tables.google.codes.get_mut(text).ok_or(("invalid_grant", "Malformed auth code."))?;
            if code.flow.client_id != grant.client.id {
                return Err(("unauthorized_client", "Unauthorized"));
            }
            if code.used || code.expires <= self.clock.now() {
                return Err(("invalid_grant", "Bad Request"));
            }
            if code.flow.answer.redirect_uri != uri {
                return Err(("redirect_uri_mismatch", "Bad Request"));
            }
            verified(code, params.get("code_verifier"))?;
            code.used = true;
            code.clone()
        };
        let user = self.directory.user(&code.user).ok_or(("invalid_grant", "Bad Request"))?;
        let scopes = &code.flow.scopes;
        let mut body = self.google_tokens(grant, user, scopes, code.flow.nonce.as_deref());
        if code.refresh && !self.faults.hits(grant.who, &Fault::NoRefreshToken) {
            let now = self.clock.now();
            let token = RefreshToken {
                client_id: grant.client.id.clone(),
                user: user.upn.clone(),
                scopes: scopes.clone(),
                issued: now,
                used: now,
            };
            let text = format!("1//0{}", random::base64url(80));
            self.tables().google.refresh.insert(text.clone(), token);
            put(&mut body, "refresh_token", text.into());
            if grant.client.testers.is_some() {
                put(&mut body, "refresh_token_expires_in", (TESTING - 1).into());
            }
        }
        Ok(body)
    }

    /// The refresh token stays as it is, and does not come again.
    pub(super) fn google_refresh(&self, grant: &Grant<'_>) -> Result<Value, Refused> {
        let params = grant.params;
        if params.get("scope").is_some() {
            return Err(("invalid_scope", "Bad Request"));
        }
        let text = params
            .get("refresh_token")
            .ok_or(("invalid_request", "Missing required parameter: refresh_token"))?;
        let over = ("invalid_grant", "Token has been expired or revoked.");
        let now = self.clock.now();
        let token = {
            let mut tables = self.tables();
            let token = tables.google.refresh.get_mut(text).ok_or(over)?;
            if token.client_id != grant.client.id {
                return Err(("unauthorized_client", "Unauthorized"));
            }
            let testing = grant.client.testers.is_some() && token.issued.saturating_add(TESTING) <= now;
            if testing || token.used.saturating_add(UNUSED) <= now {
                return Err(over);
            }
            token.used = now;
            token.clone()
        };
        let user = self.directory.user(&token.user).filter(|user| user.blocked.is_none());
        let user = user.ok_or(("invalid_grant", "Account has been deleted"))?;
        Ok(self.google_tokens(grant, user, &token.scopes, None))
    }

    fn google_tokens(
        &self,
        grant: &Grant<'_>,
        user: &User,
        scopes: &std::collections::BTreeSet<String>,
        nonce: Option<&str>,
    ) -> Value {
        let who = grant.who;
        let other = self.faults.take(who, |fault| match fault {
            Fault::AnotherUser(upn) => self.directory.user(upn),
            _ => None,
        });
        let user = other.unwrap_or(user);
        let access = format!("ya29.a0{}", random::base64url(160));
        let lifetime =
            self.google_opens(&access, &grant.client.id, who, Some(user), scope::opens_mail(scopes));
        let mut body = json!({
            "access_token": access, "expires_in": lifetime, "scope": scope::joined(scopes), "token_type": "Bearer",
        });
        if scope::is_openid(scopes) && !self.faults.hits(who, &Fault::NoIdToken) {
            let wrong = self.faults.hits(who, &Fault::WrongNonce).then(|| random::base64url(16));
            let nonce = wrong.as_deref().or(nonce);
            put(&mut body, "id_token", self.google_id_token(grant, user, scopes, nonce).into());
        }
        body
    }

    fn google_id_token(
        &self,
        grant: &Grant<'_>,
        user: &User,
        scopes: &std::collections::BTreeSet<String>,
        nonce: Option<&str>,
    ) -> String {
        let now = self.clock.now();
        let digits: String =
            user.object_id().bytes().map(|byte| char::from(b'0' + byte % 10)).take(20).collect();
        let mut claims = json!({
            "iss": ISSUER, "azp": grant.client.id, "aud": grant.client.id, "sub": format!("1{digits}"),
            "iat": now, "exp": now.saturating_add(3600),
        });
        if scope::names_address(scopes) {
            put(&mut claims, "email", user.upn.clone().into());
            put(&mut claims, "email_verified", true.into());
        }
        if let Some(nonce) = nonce {
            put(&mut claims, "nonce", nonce.into());
        }
        match claims {
            Value::Object(claims) => grant.key.sign(&claims),
            _ => String::new(),
        }
    }

    /// Lets an access token open what `user`'s mailbox is open for by mail, if it does; says for how many seconds it is good.
    pub(super) fn google_opens(
        &self,
        token: &str,
        client: &str,
        who: &Who,
        user: Option<&User>,
        mail: bool,
    ) -> u64 {
        let chosen =
            self.faults.take(who, |fault| if let Fault::ExpiresIn(n) = fault { Some(*n) } else { None });
        let lifetime = chosen.unwrap_or(LIFETIME);
        if let Some(user) = user {
            let permissions =
                ["IMAP.AccessAsUser.All", "POP.AccessAsUser.All", "SMTP.Send"].map(String::from);
            let permissions = if mail { &permissions[..] } else { &[] };
            let seconds = i64::try_from(lifetime).unwrap_or(i64::MAX);
            let app = App::public(client).client_id(client);
            let claims =
                self.mint.access_claims(&self.directory, Some(user), &app, EXCHANGE[0], permissions, seconds);
            self.mint.keep_opaque(token, claims);
        }
        lifetime
    }
}

fn put(body: &mut Value, name: &str, value: Value) {
    if let Some(body) = body.as_object_mut() {
        body.insert(name.to_owned(), value);
    }
}

/// PKCE (RFC 7636 section 4.6).
fn verified(code: &Code, verifier: Option<&str>) -> Result<(), Refused> {
    match (&code.flow.challenge, verifier) {
        (None, _) => Ok(()),
        (Some(_), None) => Err(("invalid_grant", "Missing code verifier.")),
        (Some(challenge), Some(verifier)) => {
            let computed = if challenge.s256 { s256(verifier) } else { verifier.to_owned() };
            let same = Secret::from(computed) == Secret::from(challenge.text.as_str());
            if same { Ok(()) } else { Err(("invalid_grant", "Invalid code verifier.")) }
        }
    }
}
