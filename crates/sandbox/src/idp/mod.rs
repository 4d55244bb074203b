//! The identity provider: endpoints shaped like Microsoft Entra ID's v2.0 ones.

mod admin;
mod assertion;
mod authorize;
mod claims;
mod control;
mod device;
mod discovery;
mod google;
mod grant;
mod outage;
mod page;
mod params;
mod refusal;
mod scope;
mod sign_in;
mod tables;
mod tenant;
mod token_endpoint;
mod workload;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::HeaderMap;
use axum::routing::{get, post};
use wire::Secret;

use crate::clock::Clock;
use crate::count::{Counters, RequestKind};
use crate::directory::{Directory, User};
use crate::fault::{Fault, Faults, Who};
use crate::google_client::GoogleClient;
use crate::guid;
use crate::idp::refusal::Trace;
use crate::idp::scope::Permission;
use crate::idp::tables::Tables;
use crate::service_account::ServiceAccount;
use crate::token::Mint;

pub(crate) use device::Verdict;

/// What a refresh does to the refresh token it was made with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rotation {
    /// A new one is issued and the old one stays valid, as Entra does.
    #[default]
    EntraLike,
    /// Each works once; using one again revokes all that descend from the same sign-in.
    Strict,
}

/// Who may consent to the mail permissions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConsentPolicy {
    /// Every user for themselves.
    #[default]
    Users,
    /// "Let Microsoft manage your consent settings": IMAP and POP need an administrator (AADSTS90094).
    ManagedByMicrosoft,
}

/// The longest request body read; nothing a client has to send comes near it.
const MAX_BODY: usize = 256 * 1024;

/// The identity provider's state, shared by its handlers.
pub(crate) struct Idp {
    pub(crate) clock: Clock,
    pub(crate) directory: Arc<Directory>,
    pub(crate) mint: Arc<Mint>,
    pub(crate) faults: Faults,
    pub(crate) counters: Arc<Counters>,
    pub(crate) rotation: Rotation,
    pub(crate) policy: ConsentPolicy,
    pub(crate) service_accounts: Vec<ServiceAccount>,
    pub(crate) google_clients: Vec<GoogleClient>,
    pub(crate) ca_pem: String,
    tables: Mutex<Tables>,
}

/// What a provider is made of.
pub(crate) struct Setup {
    pub(crate) directory: Arc<Directory>,
    pub(crate) mint: Arc<Mint>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) rotation: Rotation,
    pub(crate) policy: ConsentPolicy,
    pub(crate) service_accounts: Vec<ServiceAccount>,
    pub(crate) google_clients: Vec<GoogleClient>,
    pub(crate) ca_pem: String,
}

impl Idp {
    /// A provider for this tenant.
    pub(crate) fn new(setup: Setup) -> Self {
        let Setup { directory, mint, counters, rotation, policy, service_accounts, google_clients, ca_pem } =
            setup;
        let admin_consents =
            directory.apps.iter().filter(|a| a.admin_consented).map(|a| a.client_id.clone()).collect();
        let tables = Tables { admin_consents, ..Tables::default() };
        Self {
            clock: mint.clock.clone(),
            directory,
            mint,
            faults: Faults::default(),
            counters,
            rotation,
            policy,
            service_accounts,
            google_clients,
            ca_pem,
            tables: Mutex::new(tables),
        }
    }

    /// The routes.
    pub(crate) fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/", get(discovery::welcome))
            .route("/ca.pem", get(discovery::ca))
            .route("/{tenant}/v2.0/.well-known/openid-configuration", get(discovery::document))
            .route("/{tenant}/.well-known/openid-configuration", get(discovery::document))
            .route("/{tenant}/discovery/v2.0/keys", get(discovery::keys))
            .route("/{tenant}/discovery/instance", get(discovery::instance))
            .route("/{tenant}/userrealm/{user}", get(discovery::realm))
            .route("/{tenant}/oauth2/v2.0/authorize", get(authorize::start).post(authorize::start))
            .route("/{tenant}/oauth2/v2.0/token", post(token_endpoint::token))
            .route("/{tenant}/oauth2/v2.0/devicecode", post(device::start).get(device::start))
            .route("/{tenant}/oauth2/v2.0/logout", get(sign_in::logout).post(sign_in::logout))
            .route("/{tenant}/oauth2/nativeclient", get(discovery::native_client))
            .route("/{tenant}/adminconsent", get(admin::classic))
            .route("/{tenant}/v2.0/adminconsent", get(admin::v2))
            .route("/google/o/oauth2/v2/auth", get(google::start).post(google::start))
            .route("/google/token", post(google::token))
            .route("/google/device/code", post(google::device_code))
            .route("/workload/.well-known/openid-configuration", get(workload::document))
            .route("/workload/keys", get(workload::keys))
            .route("/workload/github", get(workload::github))
            .route("/workload/identity", get(workload::identity))
            .route("/sandbox/faults", get(control::faults).post(control::inject).delete(control::clear))
            .route("/devicelogin", get(device::page).post(device::page))
            .route("/link", get(device::page).post(device::page))
            .route("/login", post(sign_in::login))
            .route("/consent", post(sign_in::consent))
            .route("/error", get(discovery::error))
            .fallback(discovery::not_found)
            .layer(DefaultBodyLimit::max(MAX_BODY))
            .with_state(Arc::clone(self))
    }

    /// Every device code, authorisation code and refresh token there is.
    pub(crate) fn handed_out(&self) -> Vec<Secret> {
        let tables = self.tables();
        let devices = tables.devices.keys().chain(&tables.redeemed);
        let names = devices.chain(tables.codes.keys()).chain(tables.refresh.keys());
        let names = names.chain(tables.google.handed_out());
        names.map(|secret| Secret::from(secret.as_str())).collect()
    }

    /// The tables. Never held across an await.
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, kind: RequestKind) {
        self.counters.count(kind);
    }

    /// Ids for an answer; the correlation id is the client's, if it sent one.
    fn trace(&self, headers: &HeaderMap, who: &Who) -> Trace {
        let given =
            headers.get("client-request-id").and_then(|v| v.to_str().ok()).filter(|v| guid::is_guid(v));
        Trace {
            trace_id: guid::random(),
            correlation_id: given.map_or_else(guid::random, str::to_owned),
            now: self.clock.now(),
            crlf: self.faults.hits(who, &Fault::CrlfDescriptions),
        }
    }

    /// Records that a user lets a client do this.
    fn record_consent(
        &self,
        user: &User,
        client_id: &str,
        permissions: impl IntoIterator<Item = Permission>,
    ) {
        let key = (user.upn.to_lowercase(), client_id.to_owned());
        self.tables().consents.entry(key).or_default().extend(permissions);
    }

    /// What a client may do for a user: `wanted` and everything consented for the same resource, or `None`.
    fn consented(&self, user: &User, client_id: &str, wanted: &[Permission]) -> Option<Vec<Permission>> {
        let tables = self.tables();
        let own = tables.consents.get(&(user.upn.to_lowercase(), client_id.to_owned()));
        let by_admin = tables.admin_consents.contains(client_id);
        let covered = |p: &Permission| own.is_some_and(|c| c.contains(p));
        // Signing in alone needs consent as well: an entry must exist.
        if !by_admin && (own.is_none() || !wanted.iter().all(covered)) {
            return None;
        }
        let mut all: Vec<Permission> = wanted.to_vec();
        if let (Some(own), Some((resource, _))) = (own, wanted.first()) {
            all.extend(own.iter().filter(|(r, _)| r == resource));
        }
        all.sort_unstable();
        all.dedup();
        Some(all)
    }

    /// Lets a client do everything for everybody.
    pub(crate) fn admin_consent(&self, client_id: &str) {
        self.tables().admin_consents.insert(client_id.to_owned());
    }

    /// Ends all sessions of a user: refresh tokens are refused with AADSTS50173 from now on.
    pub(crate) fn revoke_sessions(&self, user: &User) {
        let mut tables = self.tables();
        tables.sessions.retain(|_, upn| !upn.eq_ignore_ascii_case(&user.upn));
        for token in tables.refresh.values_mut().filter(|t| t.user.eq_ignore_ascii_case(&user.upn)) {
            token.revoked = true;
        }
        tables.google.revoke(&user.upn);
    }
}
