//! Endpoints shaped like Google's: a browser sign-in with consent, codes and refresh tokens, a device endpoint that gives nothing for
//! mail, and the JWT bearer grant of service accounts.
//!
//! They have errors of their own, without AADSTS numbers; their tokens open the mailboxes of the same tenant. Consent is per user
//! and client, and a refresh token comes only with it: `access_type=offline` and, for whoever has consented before,
//! `prompt=consent`. It does not rotate. A `scope` with a code or a refresh token is refused, because clients are told to leave it
//! out there; Google itself was not seen to be so strict.

mod authorize;
mod code;
mod device;
mod scope;
mod service_account;
mod token;

use std::collections::{BTreeSet, HashMap};

use crate::google_client::GoogleClient;
use crate::idp::Idp;
use crate::idp::tables::{Answer, Challenge};

pub(crate) use authorize::{consent, login, start};
pub(crate) use device::code as device_code;
pub(crate) use token::token;

/// `error` and `error_description`.
type Refused = (&'static str, &'static str);

/// A sign-in in progress.
#[derive(Clone)]
pub(crate) struct Flow {
    client_id: String,
    answer: Answer,
    scopes: BTreeSet<String>,
    /// `access_type=offline`.
    offline: bool,
    /// `prompt=consent`.
    ask_consent: bool,
    nonce: Option<String>,
    challenge: Option<Challenge>,
    user: Option<String>,
    expires: u64,
}

/// An authorisation code.
#[derive(Clone)]
pub(crate) struct Code {
    flow: Flow,
    user: String,
    /// Whether a refresh token is due.
    refresh: bool,
    expires: u64,
    used: bool,
}

/// A refresh token.
#[derive(Clone)]
pub(crate) struct RefreshToken {
    client_id: String,
    user: String,
    scopes: BTreeSet<String>,
    issued: u64,
    used: u64,
}

/// What changes. No `Debug`: keys are codes and tokens.
#[derive(Default)]
pub(crate) struct Tables {
    flows: HashMap<String, Flow>,
    codes: HashMap<String, Code>,
    refresh: HashMap<String, RefreshToken>,
    /// Browser sessions: cookie to UPN.
    sessions: HashMap<String, String>,
    /// What a user (UPN, lower case) allowed a client.
    grants: HashMap<(String, String), BTreeSet<String>>,
}

impl Tables {
    /// Every code and refresh token there is.
    pub(crate) fn handed_out(&self) -> impl Iterator<Item = &String> {
        self.codes.keys().chain(self.refresh.keys())
    }

    /// Ends a user's sessions and refresh tokens.
    pub(crate) fn revoke(&mut self, upn: &str) {
        self.sessions.retain(|_, user| !user.eq_ignore_ascii_case(upn));
        self.refresh.retain(|_, token| !token.user.eq_ignore_ascii_case(upn));
    }

    /// Forgets what has expired, once there is much of it.
    fn tidy(&mut self, now: u64) {
        if self.flows.len() > CROWDED {
            self.flows.retain(|_, flow| flow.expires > now);
        }
        if self.codes.len() > CROWDED {
            self.codes.retain(|_, code| code.expires > now);
        }
    }
}

/// Entries of one kind above which expired ones are dropped.
const CROWDED: usize = 1000;

impl Idp {
    fn google_client(&self, id: &str) -> Option<&GoogleClient> {
        self.google_clients.iter().find(|client| client.id == id)
    }
}
