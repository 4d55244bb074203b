//! The grants, one function each, and the answer they share.

use serde_json::{Value, json};
use wire::Secret;

use crate::directory::{App, User};
use crate::fault::Fault;
use crate::idp::params::Params;
use crate::idp::refusal::Refusal;
use crate::idp::scope::{Oidc, Permission, Resource, Scopes};
use crate::idp::tables::{Challenge, DeviceState, REFRESH_LIFETIME, RefreshToken};
use crate::idp::tenant::Tenant;
use crate::idp::{Idp, Rotation};
use crate::jwt::{SigningKey, s256};
use crate::random;
use crate::token::{APP_ONLY_LIFETIME, DEFAULT_LIFETIME};

/// What a user granted, ready to be turned into tokens.
struct Granted<'a> {
    user: &'a User,
    app: &'a App,
    scopes: &'a Scopes,
    oidc: Oidc,
    nonce: Option<&'a str>,
    client_info: bool,
    /// The family of the refresh token used, if one was.
    family: Option<u64>,
}

impl Idp {
    /// `authorization_code` with PKCE.
    pub(crate) fn by_code(
        &self,
        tenant: Tenant,
        app: &App,
        params: &Params,
        base: &str,
        key: &SigningKey,
    ) -> Result<Value, Refusal> {
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
            &Granted {
                user,
                app,
                scopes,
                oidc: code.scopes.oidc.or(scopes.oidc),
                nonce: code.nonce.as_deref(),
                client_info: params.get("client_info") == Some("1"),
                family: None,
            },
            base,
            key,
        )
    }

    /// `urn:ietf:params:oauth:grant-type:device_code`.
    pub(crate) fn by_device(
        &self,
        tenant: Tenant,
        app: &App,
        params: &Params,
        base: &str,
        key: &SigningKey,
    ) -> Result<Value, Refusal> {
        let code = params
            .get("device_code")
            .or_else(|| params.get("code"))
            .ok_or_else(|| Refusal::missing("device_code"))?;
        let device = self.poll_device(code, tenant, &app.client_id)?;
        let DeviceState::Approved(upn) = &device.state else { return Err(Refusal::pending()) };
        let user = self.directory.user(upn).ok_or_else(Refusal::bad_grant)?;
        let client_info = params.get("client_info") == Some("1");
        let scopes = &device.scopes;
        let oidc = scopes.oidc;
        self.tokens(&Granted { user, app, scopes, oidc, nonce: None, client_info, family: None }, base, key)
    }

    /// `refresh_token`.
    pub(crate) fn by_refresh(
        &self,
        tenant: Tenant,
        app: &App,
        params: &Params,
        base: &str,
        key: &SigningKey,
    ) -> Result<Value, Refusal> {
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
        let scopes = Scopes::parse(params.get("scope").unwrap_or(&kept.scope), app)?;
        let granted = Granted {
            user,
            app,
            scopes: &scopes,
            oidc: kept.oidc.or(scopes.oidc),
            nonce: None,
            client_info: params.get("client_info") == Some("1"),
            family: Some(kept.family),
        };
        // Everything that can be refused has to be refused before the token counts as used.
        scopes.one_resource()?;
        self.allowed(&granted)?;
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
        self.tokens(&granted, base, key)
    }

    /// `password` (ROPC).
    pub(crate) fn by_password(
        &self,
        tenant: Tenant,
        app: &App,
        params: &Params,
        base: &str,
        key: &SigningKey,
    ) -> Result<Value, Refusal> {
        let name = params.get("username").ok_or_else(|| Refusal::missing("username"))?;
        let password = params.get("password").ok_or_else(|| Refusal::missing("password"))?;
        let scope = params.get("scope").ok_or_else(|| Refusal::missing("scope"))?;
        let scopes = Scopes::parse(scope, app)?;
        scopes.one_resource()?;
        let user = self.authenticate(name, &Secret::from(password), tenant, app)?;
        if user.mfa {
            return Err(Refusal::mfa_needed().suberror("basic_action"));
        }
        let granted = Granted {
            user: &user,
            app,
            scopes: &scopes,
            oidc: scopes.oidc,
            nonce: None,
            client_info: params.get("client_info") == Some("1"),
            family: None,
        };
        self.tokens(&granted, base, key)
    }

    /// `client_credentials`.
    pub(crate) fn by_client(&self, app: &App, params: &Params, key: &SigningKey) -> Result<Value, Refusal> {
        let scope = params.get("scope").ok_or_else(|| Refusal::missing("scope"))?;
        let (resource, audience) = Scopes::app_only(scope)?;
        let roles: &[String] = if resource == Resource::Exchange { &app.roles } else { &[] };
        let lifetime = self.lifetime(&app.client_id, APP_ONLY_LIFETIME);
        let seconds = i64::try_from(lifetime).unwrap_or(i64::MAX);
        let claims = self.mint.access_claims(&self.directory, None, app, &audience, roles, seconds);
        let mut body = json!({
            "token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime,
            "access_token": self.mint.seal(key, claims, None),
        });
        self.spell_lifetime(&app.client_id, &mut body);
        Ok(body)
    }

    /// The permissions the token will carry, or AADSTS65001.
    fn allowed(&self, granted: &Granted<'_>) -> Result<Vec<Permission>, Refusal> {
        let (resource, _) = granted.scopes.one_resource()?;
        let mut wanted: Vec<Permission> =
            granted.scopes.permissions.iter().filter(|(r, _)| *r == resource).copied().collect();
        if granted.scopes.default {
            // `.default` means what was consented; the registration's list only matters for asking.
            wanted.retain(|p| self.consented(granted.user, &granted.app.client_id, &[*p]).is_some());
            if wanted.is_empty() {
                return Err(Refusal::no_consent(granted.app).suberror("consent_required"));
            }
        }
        self.consented(granted.user, &granted.app.client_id, &wanted)
            .ok_or_else(|| Refusal::no_consent(granted.app).suberror("consent_required"))
    }

    fn tokens(&self, granted: &Granted<'_>, base: &str, key: &SigningKey) -> Result<Value, Refusal> {
        let (user, app) = (granted.user, granted.app);
        let client = app.client_id.as_str();
        let (_, audience) = granted.scopes.one_resource()?;
        let permissions = self.allowed(granted)?;
        let lifetime = self.lifetime(client, DEFAULT_LIFETIME);
        let seconds = i64::try_from(lifetime).unwrap_or(i64::MAX);
        let names: Vec<String> = permissions.iter().map(|(_, p)| (*p).to_owned()).collect();
        let claims = self.mint.access_claims(&self.directory, Some(user), app, audience, &names, seconds);
        let mut scope: Vec<String> = names.iter().map(|n| format!("{audience}/{n}")).collect();
        let oidc = granted.oidc;
        for (asked, name) in [(oidc.openid, "openid"), (oidc.profile, "profile"), (oidc.email, "email")] {
            if asked {
                scope.push(name.to_owned());
            }
        }
        let mut body = json!({
            "token_type": "Bearer", "scope": scope.join(" "), "expires_in": lifetime, "ext_expires_in": lifetime,
            "access_token": self.mint.seal(key, claims, Some(user.kind)),
        });
        self.spell_lifetime(client, &mut body);
        let mut put = |name: &str, value: String| {
            if let Some(body) = body.as_object_mut() {
                body.insert(name.to_owned(), value.into());
            }
        };
        if oidc.offline_access && !self.faults.hits(client, &Fault::NoRefreshToken) {
            let scope =
                if permissions.is_empty() { "openid".to_owned() } else { resource_scopes(audience, &names) };
            put("refresh_token", self.new_refresh_token(granted, scope));
        }
        if oidc.openid {
            let issuer = format!("{base}/{}/v2.0", self.directory.tenant_of(user));
            put("id_token", self.mint.id_token(key, &self.directory, user, app, &issuer, granted.nonce));
        }
        if granted.client_info {
            put("client_info", self.client_info(user));
        }
        Ok(body)
    }

    fn new_refresh_token(&self, granted: &Granted<'_>, scope: String) -> String {
        let text = format!("1.A{}", random::base64url(720));
        let now = self.clock.now();
        let mut tables = self.tables();
        tables.tidy(now);
        let family = granted.family.unwrap_or_else(|| {
            tables.families += 1;
            tables.families
        });
        let token = RefreshToken {
            client_id: granted.app.client_id.clone(),
            user: granted.user.upn.clone(),
            oidc: granted.oidc,
            scope,
            family,
            expires: now.saturating_add(REFRESH_LIFETIME),
            used: false,
            revoked: false,
        };
        tables.refresh.insert(text.clone(), token);
        text
    }

    fn lifetime(&self, client: &str, usual: u64) -> u64 {
        self.faults
            .take(client, |f| if let Fault::ExpiresIn(n) = f { Some(*n) } else { None })
            .unwrap_or(usual)
    }

    fn spell_lifetime(&self, client: &str, body: &mut Value) {
        if self.faults.hits(client, &Fault::ExpiresInString)
            && let Some(seconds) = body.get("expires_in").map(ToString::to_string)
            && let Some(body) = body.as_object_mut()
        {
            body.insert("expires_in".to_owned(), seconds.into());
        }
    }
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
