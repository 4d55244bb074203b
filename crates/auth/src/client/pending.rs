//! A sign-in that was begun and not yet answered.

use serde::{Deserialize, Serialize};
use wire::Secret;

use crate::Error;

/// The form of [`Pending::to_secret`].
const VERSION: u32 = 1;

/// A sign-in that was begun: what must be known when the answer comes. Consumed by the answer, so none can be
/// used twice.
#[derive(Debug)]
#[non_exhaustive]
pub struct Pending {
    /// The value that the answer must repeat.
    pub state: Secret,
    /// The redirect address that was sent.
    pub redirect_uri: String,
    /// When it was begun, in seconds since 1970.
    pub begun_at: u64,
    pub(super) verifier: Secret,
    /// What the ID token has to repeat, if one was asked for.
    pub(super) nonce: Option<Secret>,
    pub(super) scopes: Vec<String>,
    pub(super) token_endpoint: String,
}

/// [`Pending`] when it is written.
#[derive(Serialize)]
struct Kept<'a> {
    version: u32,
    begun_at: u64,
    state: &'a str,
    verifier: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    redirect_uri: &'a str,
    scopes: Vec<String>,
    token_endpoint: &'a str,
}

impl Pending {
    /// How long a sign-in may take, in seconds.
    pub const LIFE: u64 = 3600;

    /// As JSON, to be kept until the answer comes, where only this person's browser session can reach it: on
    /// the server under the session's id, or sealed in a cookie. Whoever has it and the code has the tokens.
    pub fn to_secret(&self) -> Secret {
        let kept = Kept {
            version: VERSION,
            begun_at: self.begun_at,
            state: self.state.expose(),
            verifier: self.verifier.expose(),
            nonce: self.nonce.as_ref().map(Secret::expose),
            redirect_uri: &self.redirect_uri,
            scopes: self.scopes.clone(),
            token_endpoint: &self.token_endpoint,
        };
        // Texts and numbers alone: there is nothing that JSON could not hold.
        Secret::from(serde_json::to_string(&kept).unwrap_or_default())
    }

    /// Reads [`to_secret`](Self::to_secret) back. Take it out of the session for this, so that a second answer
    /// finds nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Callback`] if it cannot be read or comes from another version of this crate.
    pub fn from_secret(kept: &Secret) -> Result<Self, Error> {
        let unreadable = Error::Callback { what: "what was kept of this sign-in cannot be read" };
        let Ok(kept) = serde_json::from_str::<Owned>(kept.expose()) else { return Err(unreadable) };
        if kept.version != VERSION || kept.state.is_empty() || kept.verifier.is_empty() {
            return Err(unreadable);
        }
        Ok(Self {
            state: Secret::from(kept.state),
            redirect_uri: kept.redirect_uri,
            begun_at: kept.begun_at,
            verifier: Secret::from(kept.verifier),
            nonce: kept.nonce.map(Secret::from),
            scopes: kept.scopes,
            token_endpoint: kept.token_endpoint,
        })
    }

    /// Whether an answer at `now` is in time. A start in the future was written under another clock.
    pub(super) fn is_fresh(&self, now: u64) -> bool {
        now <= self.begun_at.saturating_add(Self::LIFE) && self.begun_at <= now.saturating_add(300)
    }
}

/// [`Kept`] when it is read: its texts may hold escapes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Owned {
    version: u32,
    begun_at: u64,
    state: String,
    verifier: String,
    /// Sign-ins that were begun before there was one go on without.
    #[serde(default)]
    nonce: Option<String>,
    redirect_uri: String,
    scopes: Vec<String>,
    token_endpoint: String,
}
