//! Access tokens and id_tokens: the claims Exchange Online's tokens carry, and what a mail server makes of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value, json};
use wire::Secret;

use crate::clock::Clock;
use crate::directory::{App, AppKind, Directory, User, UserKind};
use crate::jwt::{SigningKey, TOKENS, s256};
use crate::{guid, random};

/// Seconds an access token lives when nothing else was asked for: near Entra's average.
pub const DEFAULT_LIFETIME: u64 = 4123;

/// Seconds an app-only access token lives when nothing else was asked for.
pub const APP_ONLY_LIFETIME: u64 = 3599;

/// A token to issue without any sign-in: for tests of what a mail server does with it.
///
/// ```no_run
/// # async fn demo() -> Result<(), Box<dyn std::error::Error>> {
/// use postkey_sandbox::{Sandbox, TokenSpec};
/// let sandbox = Sandbox::start().await?;
/// let expired = sandbox.issue_token(&TokenSpec::user("ana@contoso.example").lifetime(-60))?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct TokenSpec {
    pub(crate) user: Option<String>,
    pub(crate) client_id: Option<String>,
    pub(crate) permissions: Option<Vec<String>>,
    pub(crate) lifetime: Option<i64>,
    pub(crate) issuer: Option<String>,
    pub(crate) audience: Option<String>,
    pub(crate) not_before: Option<i64>,
    pub(crate) pad_to: Option<usize>,
    pub(crate) claims: Map<String, Value>,
}

impl TokenSpec {
    fn new(user: Option<&str>, client_id: Option<&str>) -> Self {
        Self {
            user: user.map(str::to_owned),
            client_id: client_id.map(str::to_owned),
            permissions: None,
            lifetime: None,
            issuer: None,
            audience: None,
            not_before: None,
            pad_to: None,
            claims: Map::new(),
        }
    }

    /// A delegated token of this user, for the default public client, with the IMAP, POP and SMTP permissions.
    pub fn user(upn: &str) -> Self {
        Self::new(Some(upn), None)
    }

    /// An app-only token of this client, with the application permissions it was granted.
    pub fn app_only(client_id: &str) -> Self {
        Self::new(None, Some(client_id))
    }

    /// The client it was issued to.
    #[must_use]
    pub fn client(mut self, client_id: &str) -> Self {
        self.client_id = Some(client_id.to_owned());
        self
    }

    /// The permissions in `scp` (delegated) or `roles` (app-only); none at all removes the claim.
    #[must_use]
    pub fn permissions(mut self, names: &[&str]) -> Self {
        self.permissions = Some(names.iter().map(|n| (*n).to_owned()).collect());
        self
    }

    /// Seconds from now to `exp`; negative for a token that has expired already.
    #[must_use]
    pub fn lifetime(mut self, seconds: i64) -> Self {
        self.lifetime = Some(seconds);
        self
    }

    /// Another `iss`.
    #[must_use]
    pub fn issuer(mut self, issuer: &str) -> Self {
        self.issuer = Some(issuer.to_owned());
        self
    }

    /// Another `aud`.
    #[must_use]
    pub fn audience(mut self, audience: &str) -> Self {
        self.audience = Some(audience.to_owned());
        self
    }

    /// Seconds from now to `nbf` and `iat`; positive for a token that is not valid yet.
    #[must_use]
    pub fn not_before(mut self, seconds: i64) -> Self {
        self.not_before = Some(seconds);
        self
    }

    /// Makes the token at least this many octets long, as group-heavy tenants do.
    #[must_use]
    pub fn pad_to(mut self, octets: usize) -> Self {
        self.pad_to = Some(octets);
        self
    }

    /// Adds or replaces a claim; `null` removes it.
    #[must_use]
    pub fn claim(mut self, name: &str, value: Value) -> Self {
        self.claims.insert(name.to_owned(), value);
        self
    }
}

/// What an access token says to a mail server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Access {
    /// The user's UPN; `None` for app-only tokens.
    pub(crate) upn: Option<String>,
    /// The client the token was issued to.
    pub(crate) client_id: String,
    /// The permissions: `scp` split at blanks, or `roles`.
    pub(crate) permissions: Vec<String>,
    /// Unix seconds at which it ends.
    pub(crate) expires: u64,
}

/// Why a mail server does not take a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Denied {
    /// Not signed by this tenant, or no token at all.
    Unknown,
    /// Its time has passed.
    Expired,
    /// Its time has not come.
    NotYet,
    /// For another resource.
    Audience,
    /// From another issuer.
    Issuer,
}

/// Hosts under which Exchange Online is known as a resource; the first is what tokens of users name.
pub(crate) const EXCHANGE: [&str; 4] = [
    "https://outlook.office.com",
    "https://outlook.office365.com",
    "https://ps.outlook.com",
    "00000002-0000-0ff1-ce00-000000000000",
];

/// Issues tokens and takes them apart again. No `Debug`: it keeps opaque tokens.
pub(crate) struct Mint {
    pub(crate) clock: Clock,
    /// `iss` of access tokens of the work tenant.
    pub(crate) issuer: String,
    /// Whether access tokens carry `email` and `azp`, which real ones do not.
    pub(crate) local_validation_claims: bool,
    key: Option<Arc<SigningKey>>,
    opaque: Mutex<HashMap<String, Map<String, Value>>>,
}

/// Opaque tokens kept; older ones are forgotten when they have expired.
const MAX_OPAQUE: usize = 10_000;

impl Mint {
    /// A mint with its own key, or the shared one.
    pub(crate) fn new(clock: Clock, issuer: String, key: Option<Arc<SigningKey>>, local: bool) -> Self {
        if key.is_none() {
            TOKENS.begin();
        }
        Self { clock, issuer, local_validation_claims: local, key, opaque: Mutex::default() }
    }

    /// The signing key; blocks while it is being made.
    pub(crate) fn key(&self) -> Arc<SigningKey> {
        self.key.clone().unwrap_or_else(|| TOKENS.get())
    }

    /// The signing key, without blocking the executor.
    pub(crate) async fn key_async(&self) -> Arc<SigningKey> {
        match &self.key {
            Some(key) => Arc::clone(key),
            None => TOKENS.get_async().await,
        }
    }

    /// The claims of an access token for `user` (or for `app` itself), for `lifetime` seconds from now.
    pub(crate) fn access_claims(
        &self,
        directory: &Directory,
        user: Option<&User>,
        app: &App,
        audience: &str,
        permissions: &[String],
        lifetime: i64,
    ) -> Map<String, Value> {
        let now = i64::try_from(self.clock.now()).unwrap_or(i64::MAX);
        let tenant = user.map_or(directory.tenant_id.as_str(), |u| directory.tenant_of(u));
        let mut claims = Map::new();
        let mut put = |name: &str, value: Value| drop(claims.insert(name.to_owned(), value));
        put("aud", audience.into());
        put("iss", self.issuer.replace(&directory.tenant_id, tenant).into());
        put("iat", now.into());
        put("nbf", now.into());
        put("exp", now.saturating_add(lifetime).into());
        put("appid", app.client_id.clone().into());
        put("appidacr", if app.kind == AppKind::Public { "0" } else { "1" }.into());
        put("app_displayname", app.name.clone().into());
        put("tid", tenant.into());
        put("uti", random::base64url(16).into());
        put("ver", "1.0".into());
        match user {
            Some(user) => {
                let oid = user.object_id();
                put("oid", oid.clone().into());
                put("sub", s256(&format!("{} {oid}", app.client_id)).into());
                put("idtyp", "user".into());
                put("name", user.name.clone().into());
                put("upn", user.upn.clone().into());
                put("unique_name", user.upn.clone().into());
                put("puid", user.puid().into());
                if !permissions.is_empty() {
                    put("scp", permissions.join(" ").into());
                }
            }
            None => {
                let oid = app.service_principal_id();
                put("oid", oid.clone().into());
                put("sub", oid.into());
                put("idtyp", "app".into());
                if !permissions.is_empty() {
                    put("roles", permissions.into());
                }
            }
        }
        if self.local_validation_claims {
            put("azp", app.client_id.clone().into());
            put("email", user.map_or_else(|| app.client_id.clone(), |u| u.upn.clone()).into());
        }
        claims
    }

    /// Turns claims into a token: a JWT, or an opaque one for personal accounts.
    pub(crate) fn seal(
        &self,
        key: &SigningKey,
        claims: Map<String, Value>,
        kind: Option<UserKind>,
    ) -> String {
        if kind != Some(UserKind::Personal) {
            return key.sign(&claims);
        }
        self.opaque(claims)
    }

    /// An opaque token, as Microsoft's personal accounts get.
    pub(crate) fn opaque(&self, claims: Map<String, Value>) -> String {
        // Opaque tickets use the base64 alphabet with `+` and `/` and no dots.
        let token = format!("EwB{}==", random::base64url(1050).replace('-', "+").replace('_', "/"));
        self.keep_opaque(&token, claims);
        token
    }

    /// Lets a token that says nothing by itself stand for these claims.
    pub(crate) fn keep_opaque(&self, token: &str, claims: Map<String, Value>) {
        let mut opaque = self.opaque.lock().unwrap_or_else(PoisonError::into_inner);
        if opaque.len() >= MAX_OPAQUE {
            let now = self.clock.now();
            opaque.retain(|_, c| c.get("exp").and_then(Value::as_u64).is_some_and(|e| e > now));
        }
        opaque.insert(token.to_owned(), claims);
    }

    /// A v2-shaped id_token.
    pub(crate) fn id_token(
        &self,
        key: &SigningKey,
        directory: &Directory,
        user: &User,
        app: &App,
        issuer: &str,
        nonce: Option<&str>,
    ) -> String {
        let now = self.clock.now();
        let oid = user.object_id();
        let mut claims = json!({
            "aud": app.client_id, "iss": issuer, "iat": now, "nbf": now, "exp": now.saturating_add(3600),
            "name": user.name, "preferred_username": user.upn, "email": user.upn, "oid": oid,
            "sub": s256(&format!("{} {oid}", app.client_id)), "tid": directory.tenant_of(user),
            "login_hint": s256(&format!("hint {oid}")), "uti": random::base64url(16), "ver": "2.0",
        });
        if let (Some(nonce), Some(claims)) = (nonce, claims.as_object_mut()) {
            claims.insert("nonce".to_owned(), nonce.into());
        }
        match claims {
            Value::Object(claims) => key.sign(&claims),
            _ => String::new(),
        }
    }

    /// Issues what the spec says.
    pub(crate) fn issue(
        &self,
        directory: &Directory,
        spec: &TokenSpec,
        user: Option<&User>,
        app: &App,
    ) -> Secret {
        let default = match user {
            Some(_) => {
                ["IMAP.AccessAsUser.All", "POP.AccessAsUser.All", "SMTP.Send"].map(String::from).to_vec()
            }
            None => app.roles.clone(),
        };
        let permissions = spec.permissions.clone().unwrap_or(default);
        let host = if user.is_some() { EXCHANGE[0] } else { EXCHANGE[1] };
        let audience = spec.audience.as_deref().unwrap_or(host);
        let lifetime = if user.is_some() { DEFAULT_LIFETIME } else { APP_ONLY_LIFETIME };
        let lifetime = spec.lifetime.unwrap_or(lifetime as i64);
        let mut claims = self.access_claims(directory, user, app, audience, &permissions, lifetime);
        if let Some(issuer) = &spec.issuer {
            claims.insert("iss".to_owned(), issuer.as_str().into());
        }
        let now = i64::try_from(self.clock.now()).unwrap_or(i64::MAX);
        // A token that has expired was also issued before it expired.
        let begin = spec.not_before.or((lifetime < 0).then(|| lifetime.saturating_sub(3600)));
        if let Some(begin) = begin {
            claims.insert("nbf".to_owned(), now.saturating_add(begin).into());
            claims.insert("iat".to_owned(), now.saturating_add(begin).into());
        }
        for (name, value) in &spec.claims {
            if value.is_null() {
                claims.remove(name);
            } else {
                claims.insert(name.clone(), value.clone());
            }
        }
        let key = self.key();
        if let Some(target) = spec.pad_to {
            let bare = key.sign(&claims).len();
            // Group ids are what makes real tokens long: 36 characters, quotes and a comma, times 4/3.
            let groups = target.saturating_sub(bare).div_ceil(52);
            let ids: Vec<String> = (0..groups).map(|n| guid::named("group", &n.to_string())).collect();
            if !ids.is_empty() {
                claims.insert("groups".to_owned(), ids.into());
            }
        }
        Secret::from(self.seal(&key, claims, user.map(|u| u.kind)))
    }

    /// What a mail server learns from a token.
    pub(crate) fn examine(&self, directory: &Directory, token: &str) -> Result<Access, Denied> {
        let known = self.opaque.lock().unwrap_or_else(PoisonError::into_inner).get(token).cloned();
        let claims = known.or_else(|| self.key().verify(token)).ok_or(Denied::Unknown)?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let now = self.clock.now();
        let expires = claims.get("exp").and_then(Value::as_i64).ok_or(Denied::Unknown)?;
        let expires = u64::try_from(expires).unwrap_or(0);
        if expires <= now {
            return Err(Denied::Expired);
        }
        if claims.get("nbf").and_then(Value::as_u64).is_some_and(|nbf| nbf > now) {
            return Err(Denied::NotYet);
        }
        let audience = text("aud").unwrap_or_default();
        if !EXCHANGE.contains(&audience.trim_end_matches('/')) {
            return Err(Denied::Audience);
        }
        let tenants = [directory.tenant_id.as_str(), crate::directory::CONSUMERS_TENANT];
        let issuers = tenants.map(|t| self.issuer.replace(&directory.tenant_id, t));
        if !issuers.iter().any(|i| Some(i.as_str()) == text("iss")) {
            return Err(Denied::Issuer);
        }
        let permissions = match (text("scp"), claims.get("roles").and_then(Value::as_array)) {
            (Some(scp), _) => scp.split_whitespace().map(str::to_owned).collect(),
            (None, Some(roles)) => roles.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            (None, None) => Vec::new(),
        };
        let client_id = text("appid").unwrap_or_default().to_owned();
        Ok(Access { upn: text("upn").map(str::to_owned), client_id, permissions, expires })
    }
}
