//! What a grant yields.

use wire::Secret;

use crate::identity::{Claims, Identity};

/// The tokens of one grant. Prints with every token redacted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tokens {
    /// The access token; opaque to everybody but the mail server.
    pub access_token: Secret,
    /// The refresh token, if one was granted.
    pub refresh_token: Option<Secret>,
    /// The OpenID Connect id_token, if one was granted.
    pub id_token: Option<Secret>,
    /// When the answer was received, in seconds since 1970.
    pub obtained_at: u64,
    /// When the access token ends, in seconds since 1970.
    pub expires_at: u64,
    /// The scopes granted; those requested if the server named none.
    pub scope: Vec<String>,
    /// The token type as the server spelt it; always some spelling of Bearer.
    pub token_type: String,
}

impl Tokens {
    /// An access token from elsewhere, without a refresh token, good from `obtained_at` to `expires_at`.
    pub fn bearer(access_token: Secret, obtained_at: u64, expires_at: u64) -> Self {
        Self {
            access_token,
            refresh_token: None,
            id_token: None,
            obtained_at,
            expires_at,
            scope: Vec::new(),
            token_type: "Bearer".into(),
        }
    }

    /// Seconds the access token was issued for.
    pub fn life(&self) -> u64 {
        self.expires_at.saturating_sub(self.obtained_at)
    }

    /// Seconds the access token is still good for at `now`. Zero if the clock stands before the moment of
    /// issue by more than five minutes: a clock that was set back says nothing about the token's end.
    pub fn remaining(&self, now: u64) -> u64 {
        if now.saturating_add(300) < self.obtained_at {
            return 0;
        }
        self.expires_at.saturating_sub(now)
    }

    /// Who signed in, as far as the tokens tell: from the id_token, else from the access token if that can be
    /// read. For display and for noticing a sign-in with the wrong account, never for authorisation: no
    /// signature is checked.
    pub fn identity(&self) -> Option<Identity> {
        let decode = |token: &Secret| Claims::decode(token).map(|claims| claims.identity());
        let named = |identity: &Identity| identity.username.is_some() || identity.object_id.is_some();
        self.id_token
            .as_ref()
            .and_then(decode)
            .filter(named)
            .or_else(|| decode(&self.access_token).filter(named))
    }
}
