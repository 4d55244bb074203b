//! What the identity provider remembers while it runs.
//!
//! Nothing here has a `Debug`: keys and values are codes and tokens.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::idp::google;
use crate::idp::refusal::Refusal;
use crate::idp::scope::{Oidc, Permission, Scopes};
use crate::idp::tenant::Tenant;

/// Seconds a started sign-in may take.
pub(crate) const FLOW_LIFETIME: u64 = 3600;

/// Seconds an authorisation code lives.
pub(crate) const CODE_LIFETIME: u64 = 600;

/// Seconds a device code lives.
pub(crate) const DEVICE_LIFETIME: u64 = 900;

/// Seconds between polls that the device endpoint asks for.
pub(crate) const DEVICE_INTERVAL: u64 = 5;

/// Seconds after which an unused refresh token is refused.
pub(crate) const REFRESH_LIFETIME: u64 = 90 * 86_400;

/// How the answer of the authorisation endpoint travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResponseMode {
    Query,
    Fragment,
    FormPost,
}

/// What a sign-in is for.
#[derive(Clone)]
pub(crate) enum Purpose {
    /// An authorisation code for a redirect URI.
    Code {
        answer: Answer,
        nonce: Option<String>,
        challenge: Option<Challenge>,
        client_info: bool,
        /// The authentication context asked for by `claims`.
        context: Option<String>,
    },
    /// Approval of a device.
    Device { device_code: String },
    /// Consent for the whole tenant.
    AdminConsent { answer: Option<Answer>, scope: Option<String> },
}

/// Where an answer of the authorisation endpoint goes.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) redirect_uri: String,
    pub(crate) mode: ResponseMode,
    pub(crate) state: Option<String>,
}

/// A PKCE challenge (RFC 7636).
#[derive(Clone)]
pub(crate) struct Challenge {
    pub(crate) text: String,
    pub(crate) s256: bool,
}

/// A sign-in in progress.
#[derive(Clone)]
pub(crate) struct Flow {
    pub(crate) tenant: Tenant,
    pub(crate) client_id: String,
    pub(crate) scopes: Scopes,
    pub(crate) purpose: Purpose,
    pub(crate) user: Option<String>,
    pub(crate) ask_consent: bool,
    pub(crate) expires: u64,
}

/// An authorisation code.
#[derive(Clone)]
pub(crate) struct Code {
    pub(crate) tenant: Tenant,
    pub(crate) client_id: String,
    pub(crate) user: String,
    pub(crate) redirect_uri: String,
    pub(crate) scopes: Scopes,
    pub(crate) nonce: Option<String>,
    pub(crate) challenge: Option<Challenge>,
    pub(crate) context: Option<String>,
    pub(crate) expires: u64,
    pub(crate) used: bool,
}

/// How far a device sign-in has come.
#[derive(Clone)]
pub(crate) enum DeviceState {
    Waiting,
    Approved(String),
    Refused(Refusal),
}

/// A device code.
#[derive(Clone)]
pub(crate) struct Device {
    pub(crate) user_code: String,
    pub(crate) tenant: Tenant,
    pub(crate) client_id: String,
    pub(crate) scopes: Scopes,
    pub(crate) context: Option<String>,
    pub(crate) expires: u64,
    pub(crate) state: DeviceState,
}

/// A refresh token.
#[derive(Clone)]
pub(crate) struct RefreshToken {
    pub(crate) client_id: String,
    pub(crate) user: String,
    pub(crate) oidc: Oidc,
    /// The `scope` used if a refresh request has none.
    pub(crate) scope: String,
    /// The authentication context of the sign-in.
    pub(crate) context: Option<String>,
    pub(crate) family: u64,
    pub(crate) expires: u64,
    pub(crate) used: bool,
    pub(crate) revoked: bool,
}

/// Everything that changes.
#[derive(Default)]
pub(crate) struct Tables {
    pub(crate) flows: HashMap<String, Flow>,
    pub(crate) codes: HashMap<String, Code>,
    pub(crate) devices: HashMap<String, Device>,
    /// Device codes that were redeemed, for [`Sandbox::handed_out`](crate::Sandbox::handed_out).
    pub(crate) redeemed: Vec<String>,
    pub(crate) refresh: HashMap<String, RefreshToken>,
    /// Browser sessions: cookie to UPN.
    pub(crate) sessions: HashMap<String, String>,
    /// What a user (UPN, lower case) allowed a client.
    pub(crate) consents: HashMap<(String, String), BTreeSet<Permission>>,
    /// Clients an administrator allowed for everybody.
    pub(crate) admin_consents: HashSet<String>,
    pub(crate) families: u64,
    /// Client assertions that were taken: client id and `jti`, with their end.
    pub(crate) assertions: HashMap<(String, String), u64>,
    /// Families of refresh tokens in which one was used twice.
    pub(crate) revoked_families: HashSet<u64>,
    /// What the Google-like endpoints remember.
    pub(crate) google: google::Tables,
}

/// Entries of one kind above which expired ones are dropped.
const CROWDED: usize = 1000;

impl Tables {
    /// Forgets what has expired, once there is much of it.
    pub(crate) fn tidy(&mut self, now: u64) {
        // Expired codes are kept for a while: they are answered differently from unknown ones.
        let past = |expires: u64| expires.saturating_add(3600) < now;
        if self.flows.len() > CROWDED {
            self.flows.retain(|_, f| f.expires > now);
        }
        if self.codes.len() > CROWDED {
            self.codes.retain(|_, c| !past(c.expires));
        }
        if self.devices.len() > CROWDED {
            self.devices.retain(|_, d| !past(d.expires));
        }
        if self.assertions.len() > CROWDED {
            self.assertions.retain(|_, expires| !past(*expires));
        }
        if self.refresh.len() > CROWDED * 10 {
            self.refresh.retain(|_, r| !past(r.expires));
        }
    }
}
