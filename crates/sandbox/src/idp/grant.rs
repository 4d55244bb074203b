//! The grants, one function each, and the answer they share.

use serde_json::{Map, Value, json};
use wire::Secret;

use crate::directory::{App, User, UserKind};
use crate::fault::{Fault, Who};
use crate::idp::refusal::Refusal;
use crate::idp::scope::{Oidc, Permission, Resource, Scopes};
use crate::idp::sign_in::not_blocked;
use crate::idp::tables::{Challenge, DeviceState, REFRESH_LIFETIME, RefreshToken};
use crate::idp::token_endpoint::{Proof, Request};
use crate::idp::{Idp, Rotation};
use crate::jwt::s256;
use crate::random;
use crate::token::{APP_ONLY_LIFETIME, DEFAULT_LIFETIME};

/// What a user granted, ready to be turned into tokens.
struct Granted<'a> {
    user: &'a User,
    scopes: &'a Scopes,
    oidc: Oidc,
    nonce: Option<&'a str>,
    /// The authentication context of the sign-in.
    context: Option<&'a str>,
    /// The family of the refresh token used, if one was.
    family: Option<u64>,
}

impl Idp {
    /// `authorization_code` with PKCE.
    pub(crate) fn by_code(&self, request: &Request<'_>) -> Result<Value, Refusal> {
        let Request { tenant, app, params, .. } = *request;
        let text = params.get("code").ok_or_else(|| Refusal::missing("code"))?;
        let uri = params.get("redirect_uri").ok_or_else(|| Refusal::missing("redirect_uri"))?;
        let code = {
            let mut tables = self.tables();
            let code = tables.codes.get_mut(text).ok_or_else(Refusal::bad_grant)?;
            if code.client_id != app.client_id {
                return Err(Refusal::bad_grant());
            }
            if code.used {
                return Err(Refusal::code_used());
            }
            if code.expires <= self.clock.now() {
                return Err(Refusal::code_expired());
            }
            let user = self.directory.user(&code.user).ok_or_else(Refusal::bad_grant)?;
            if code.tenant != tenant && tenant.admits_user(app, user).is_err() {
                return Err(Refusal::code_of_other_tenant());
            }
            if code.redirect_uri != uri {
                return Err(Refusal::code_of_other_redirect(uri));
            }
            check_verifier(code.challenge.as_ref(), params.get("code_verifier"))?;
            code.used = true;
            code.clone()
        };
        let user = self.directory.user(&code.user).ok_or_else(Refusal::bad_grant)?;
        let asked = params.get("scope").map(|s| Scopes::parse(s, app)).transpose()?;
        let scopes = asked.as_ref().unwrap_or(&code.scopes);
        self.tokens(
            request,
            &Granted {
                user,
                scopes,
                oidc: code.scopes.oidc.or(scopes.oidc),
                nonce: code.nonce.as_deref(),
                context: code.context.as_deref(),
                family: None,
            },
        )
    }

    /// `urn:ietf:params:oauth:grant-type:device_code`.
    pub(crate) fn by_device(&self, request: &Request<'_>) -> Result<Value, Refusal> {
        let Request { tenant, app, params, .. } = *request;
        let code = params
            .get("device_code")
            .or_else(|| params.get("code"))
            .ok_or_else(|| Refusal::missing("device_code"))?;
        let device = self.poll_device(code, tenant, request.who, &app.client_id)?;
        let DeviceState::Approved(upn) = &device.state else { return Err(Refusal::pending()) };
        let user = self.directory.user(upn).ok_or_else(Refusal::bad_grant)?;
        let (scopes, context) = (&device.scopes, device.context.as_deref());
        let oidc = scopes.oidc;
        self.tokens(request, &Granted { user, scopes, oidc, nonce: None, context, family: None })
    }

    /// `refresh_token`.
    pub(crate) fn by_refresh(&self, request: &Request<'_>) -> Result<Value, Refusal> {
        let Request { tenant, app, params, .. } = *request;
        let text = params.get("refresh_token").ok_or_else(|| Refusal::missing("refresh_token"))?;
        let kept = self.tables().refresh.get(text).cloned();
        let kept = kept.ok_or_else(|| Refusal::bad_grant().suberror("bad_token"))?;
        if kept.client_id != app.client_id {
            return Err(Refusal::bad_grant().suberror("client_mismatch"));
        }
        if kept.revoked || self.tables().revoked_families.contains(&kept.family) {
            return Err(Refusal::revoked().suberror("bad_token"));
        }
        if kept.expires <= self.clock.now() {
            return Err(Refusal::refresh_inactive().suberror("bad_token"));
        }
        let user = self.directory.user(&kept.user).ok_or_else(Refusal::bad_grant)?;
        tenant.admits_user(app, user)?;
        not_blocked(user, app)?;
        let scopes = Scopes::parse(params.get("scope").unwrap_or(&kept.scope), app)?;
        let granted = Granted {
            user,
            scopes: &scopes,
            oidc: kept.oidc.or(scopes.oidc),
            nonce: None,
            context: kept.context.as_deref(),
            family: Some(kept.family),
        };
        // Everything that can be refused has to be refused before the token counts as used.
        scopes.one_resource()?;
        let permissions = self.allowed(request, &granted)?;
        if self.rotation == Rotation::Strict {
            let mut tables = self.tables();
            let used_before =
                tables.refresh.get_mut(text).is_none_or(|t| std::mem::replace(&mut t.used, true));
            if used_before {
                // The family, not its tokens: one may be in the making on another connection.
                tables.revoked_families.insert(kept.family);
                return Err(Refusal::revoked().suberror("bad_token"));
            }
        }
        self.issue(request, &granted, &permissions)
    }

    /// `password` (ROPC).
    pub(crate) fn by_password(&self, request: &Request<'_>) -> Result<Value, Refusal> {
        let Request { tenant, app, params, .. } = *request;
        let name = params.get("username").ok_or_else(|| Refusal::missing("username"))?;
        let password = params.get("password").ok_or_else(|| Refusal::missing("password"))?;
        let scope = params.get("scope").ok_or_else(|| Refusal::missing("scope"))?;
        let scopes = Scopes::parse(scope, app)?;
        scopes.one_resource()?;
        if self.directory.user(name).is_some_and(|user| user.federated || user.passwordless) {
            return Err(Refusal::no_password());
        }
        // Blanks at the ends are lost on the way to the password check, so such passwords fail.
        let user = self.authenticate(name, &Secret::from(password.trim()), tenant, app)?;
        if user.mfa {
            return Err(Refusal::mfa_needed().suberror("basic_action"));
        }
        let oidc = scopes.oidc;
        self.tokens(
            request,
            &Granted { user: &user, scopes: &scopes, oidc, nonce: None, context: None, family: None },
        )
    }

    /// `client_credentials`.
    pub(crate) fn by_client(&self, request: &Request<'_>) -> Result<Value, Refusal> {
        let Request { app, params, who, .. } = *request;
        let scope = params.get("scope").ok_or_else(|| Refusal::missing("scope"))?;
        let (resource, audience) = Scopes::app_only(scope)?;
        let granted = resource == Resource::Exchange && !self.faults.hits(who, &Fault::NoRoles);
        let roles: &[String] = if granted { &app.roles } else { &[] };
        let lifetime = self.lifetime(who, APP_ONLY_LIFETIME);
        let seconds = i64::try_from(lifetime).unwrap_or(i64::MAX);
        let mut claims = self.mint.access_claims(&self.directory, None, app, &audience, roles, seconds);
        tell_proof(&mut claims, request.proof);
        let mut body = json!({
            "token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime,
            "access_token": self.sealed(request, claims, None),
        });
        self.spell_lifetime(who, &mut body);
        Ok(body)
    }

    /// The permissions the token will carry, or AADSTS65001; or a claims challenge.
    fn allowed(&self, request: &Request<'_>, granted: &Granted<'_>) -> Result<Vec<Permission>, Refusal> {
        let app = request.app;
        let unmet = self.faults.take(request.who, |f| match f {
            Fault::ClaimsChallenge(context) if granted.context != Some(context.as_str()) => {
                Some(context.clone())
            }
            _ => None,
        });
        if let Some(context) = unmet {
            return Err(Refusal::claims_challenge(&context));
        }
        let (resource, _) = granted.scopes.one_resource()?;
        let mut wanted: Vec<Permission> =
            granted.scopes.permissions.iter().filter(|(r, _)| *r == resource).copied().collect();
        if granted.scopes.default {
            // `.default` means what was consented; the registration's list only matters for asking.
            wanted.retain(|p| self.consented(granted.user, &app.client_id, &[*p]).is_some());
            if wanted.is_empty() {
                return Err(Refusal::no_consent(app).suberror("consent_required"));
            }
        }
        let all = self
            .consented(granted.user, &app.client_id, &wanted)
            .ok_or_else(|| Refusal::no_consent(app).suberror("consent_required"))?;
        Ok(if self.faults.hits(request.who, &Fault::ExactScopes) { wanted } else { all })
    }

    fn tokens(&self, request: &Request<'_>, granted: &Granted<'_>) -> Result<Value, Refusal> {
        let permissions = self.allowed(request, granted)?;
        self.issue(request, granted, &permissions)
    }

    fn issue(
        &self,
        request: &Request<'_>,
        granted: &Granted<'_>,
        permissions: &[Permission],
    ) -> Result<Value, Refusal> {
        let Request { app, params, who, base, key, .. } = *request;
        let other = self.faults.take(who, |f| match f {
            Fault::AnotherUser(upn) => self.directory.user(upn),
            _ => None,
        });
        let user = other.unwrap_or(granted.user);
        let (_, audience) = granted.scopes.one_resource()?;
        let lifetime = self.lifetime(who, DEFAULT_LIFETIME);
        let seconds = i64::try_from(lifetime).unwrap_or(i64::MAX);
        let names: Vec<String> = permissions.iter().map(|(_, p)| (*p).to_owned()).collect();
        let mut claims = self.mint.access_claims(&self.directory, Some(user), app, audience, &names, seconds);
        tell_proof(&mut claims, request.proof);
        if let Some(context) = granted.context {
            claims.insert("acrs".to_owned(), json!([context]));
        }
        let mut scope: Vec<String> = names.iter().map(|n| format!("{audience}/{n}")).collect();
        let oidc = granted.oidc;
        for (asked, name) in [(oidc.openid, "openid"), (oidc.profile, "profile"), (oidc.email, "email")] {
            if asked {
                scope.push(name.to_owned());
            }
        }
        let mut body = json!({
            "token_type": "Bearer", "scope": scope.join(" "), "expires_in": lifetime, "ext_expires_in": lifetime,
            "access_token": self.sealed(request, claims, Some(user.kind)),
        });
        self.spell_lifetime(who, &mut body);
        let mut put = |name: &str, value: String| {
            if let Some(body) = body.as_object_mut() {
                body.insert(name.to_owned(), value.into());
            }
        };
        if oidc.offline_access && !self.faults.hits(who, &Fault::NoRefreshToken) {
            let scope =
                if permissions.is_empty() { "openid".to_owned() } else { resource_scopes(audience, &names) };
            put("refresh_token", self.new_refresh_token(app, user, granted, scope));
        }
        if oidc.openid && !self.faults.hits(who, &Fault::NoIdToken) {
            let issuer = self.faults.take(who, |f| match f {
                Fault::IdTokenIssuer(issuer) => Some(issuer.clone()),
                _ => None,
            });
            let issuer = issuer.unwrap_or_else(|| format!("{base}/{}/v2.0", self.directory.tenant_of(user)));
            let other = self.faults.hits(who, &Fault::WrongNonce).then(|| random::base64url(16));
            let nonce = other.as_deref().or(granted.nonce);
            put("id_token", self.mint.id_token(key, &self.directory, user, app, &issuer, nonce));
        }
        if params.get("client_info") == Some("1") {
            put("client_info", self.client_info(user));
        }
        Ok(body)
    }

    fn sealed(&self, request: &Request<'_>, claims: Map<String, Value>, kind: Option<UserKind>) -> String {
        if self.faults.hits(request.who, &Fault::OpaqueAccessToken) {
            return self.mint.opaque(claims);
        }
        self.mint.seal(request.key, claims, kind)
    }

    fn new_refresh_token(&self, app: &App, user: &User, granted: &Granted<'_>, scope: String) -> String {
        let text = format!("1.A{}", random::base64url(720));
        let now = self.clock.now();
        let mut tables = self.tables();
        tables.tidy(now);
        let family = granted.family.unwrap_or_else(|| {
            tables.families += 1;
            tables.families
        });
        let token = RefreshToken {
            client_id: app.client_id.clone(),
            user: user.upn.clone(),
            oidc: granted.oidc,
            scope,
            context: granted.context.map(str::to_owned),
            family,
            expires: now.saturating_add(REFRESH_LIFETIME),
            used: false,
            revoked: false,
        };
        tables.refresh.insert(text.clone(), token);
        text
    }

    fn lifetime(&self, who: &Who, usual: u64) -> u64 {
        self.faults.take(who, |f| if let Fault::ExpiresIn(n) = f { Some(*n) } else { None }).unwrap_or(usual)
    }

    fn spell_lifetime(&self, who: &Who, body: &mut Value) {
        if self.faults.hits(who, &Fault::ExpiresInString)
            && let Some(seconds) = body.get("expires_in").map(ToString::to_string)
            && let Some(body) = body.as_object_mut()
        {
            body.insert("expires_in".to_owned(), seconds.into());
        }
    }
}

/// The claim `appidacr`: how the client showed who it is.
fn tell_proof(claims: &mut Map<String, Value>, proof: Proof) {
    let text = match proof {
        Proof::Nothing => "0",
        Proof::Secret => "1",
        Proof::Assertion => "2",
    };
    claims.insert("appidacr".to_owned(), text.into());
}

fn resource_scopes(audience: &str, names: &[String]) -> String {
    names.iter().map(|n| format!("{audience}/{n}")).collect::<Vec<_>>().join(" ")
}

/// PKCE (RFC 7636 section 4.6).
fn check_verifier(challenge: Option<&Challenge>, verifier: Option<&str>) -> Result<(), Refusal> {
    match (challenge, verifier) {
        (None, _) => Ok(()),
        (Some(_), None) => Err(Refusal::bad_verifier()),
        (Some(challenge), Some(verifier)) => {
            let computed = if challenge.s256 { s256(verifier) } else { verifier.to_owned() };
            let same = Secret::from(computed) == Secret::from(challenge.text.as_str());
            if same { Ok(()) } else { Err(Refusal::bad_verifier()) }
        }
    }
}
