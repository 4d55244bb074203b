//! Asking the server for a new token, with patience.

use std::time::Duration;

use wire::Secret;

use super::Wanted;
use crate::clock::Clock;
use crate::error::{Class, Error, SignIn};
use crate::http::Http;
use crate::identity::same_subject;
use crate::{Client, Tokens};

/// "Stop repeating this request": the one refusal that makes every further try worse.
pub(super) const LOOP_DETECTED: u32 = 50196;

/// How a token is renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Renewal {
    /// By the refresh token of a person's sign-in.
    Refresh,
    /// By asking again in the application's own name.
    ClientCredentials,
    /// By asking again as a service account.
    ServiceAccount,
}

/// Waits and repetitions of a renewal.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Policy {
    /// Longest wait for the entry's lock. Default 120 s: longer than a holder's own waits.
    pub lock_wait: Duration,
    /// Most requests for one renewal, where the trouble may pass. Default 4.
    pub attempts: u32,
    /// Pause after the first failure; doubles with each further one, with a random part. Default 1 s.
    pub pause: Duration,
    /// Longest pause between two requests. A server that asks for more is obeyed by giving up for now.
    /// Default 20 s.
    pub longest_pause: Duration,
    /// For how long a permanent refusal is remembered. Default 60 s.
    pub refusal_memory: Duration,
    /// Longest a server's `Retry-After` is obeyed by all processes. Default 300 s.
    pub retry_after_cap: Duration,
    /// For how long trouble without a `Retry-After` is remembered. Default 10 s.
    pub trouble_memory: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            lock_wait: Duration::from_secs(120),
            attempts: 4,
            pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(20),
            refusal_memory: Duration::from_secs(60),
            retry_after_cap: Duration::from_secs(300),
            trouble_memory: Duration::from_secs(10),
        }
    }
}

/// Renews `old` once, repeating the request where the trouble may pass.
pub(super) async fn renew<H: Http, C: Clock>(
    client: &Client<H, C>,
    wanted: &Wanted,
    old: Option<&Tokens>,
) -> Result<Tokens, Error> {
    let policy = &wanted.policy;
    let mut pause = policy.pause;
    let mut attempt = 1;
    loop {
        let spent = old.and_then(|tokens| Some((tokens, tokens.refresh_token.as_ref()?)));
        let result = match (wanted.renewal, spent) {
            (Renewal::ClientCredentials, _) => client.client_credentials(&wanted.scopes).await,
            (Renewal::ServiceAccount, _) => client.jwt_bearer(&wanted.scopes).await,
            (Renewal::Refresh, Some((old, token))) => refresh(client, &wanted.scopes, old, token).await,
            (Renewal::Refresh, None) => {
                let account = wanted.key.account.clone();
                Err(Error::SignInAgain(Box::new(SignIn::NoRefreshToken { account })))
            }
        };
        let error = match result {
            Ok(tokens) => return Ok(tokens),
            Err(error) => error,
        };
        let hopeless = error.refusal().is_some_and(|refusal| refusal.codes.contains(&LOOP_DETECTED));
        if attempt >= policy.attempts || error.class() != Class::RetryLater || hopeless {
            return Err(error);
        }
        let wait = match error.retry_after() {
            Some(seconds) => Duration::from_secs(seconds),
            None => jitter(pause),
        };
        if wait > policy.longest_pause {
            return Err(error);
        }
        client.clock().sleep(wait).await;
        pause = pause.saturating_mul(2).min(policy.longest_pause);
        attempt += 1;
    }
}

/// By the refresh token, which has to bring tokens of the same person: nothing of an answer that names somebody else is used or
/// kept, not even a refresh token, which would then bring more of theirs and may do so without saying whose.
async fn refresh<H: Http, C: Clock>(
    client: &Client<H, C>,
    scopes: &[String],
    old: &Tokens,
    refresh_token: &Secret,
) -> Result<Tokens, Error> {
    let answer = client.refresh(refresh_token, scopes).await;
    let named = match &answer {
        Ok(new) => new.id_token.as_ref(),
        Err(Error::Unusable { id_token, .. }) => id_token.as_ref(),
        Err(_) => None,
    };
    if same_subject(named, old.id_token.as_ref()) { answer } else { Err(Error::AnotherSubject) }
}

/// What of `old` is worth keeping after a renewal that failed with `error`: all of it, but for a refresh token
/// that the answer replaced although it was of no use otherwise.
pub(super) fn surviving(old: Option<&Tokens>, error: &Error) -> Option<Tokens> {
    let mut tokens = old.cloned()?;
    if let Error::Unusable { refresh_token, .. } = error {
        tokens.refresh_token = Some(refresh_token.clone());
    }
    Some(tokens)
}

/// From half of `pause` to all of it, so that processes which failed together do not come back together.
fn jitter(pause: Duration) -> Duration {
    let mut random = [0; 2];
    // Without randomness the pause is merely regular.
    let _ = aws_lc_rs::rand::fill(&mut random);
    let half = pause / 2;
    half + half.mul_f64(f64::from(u16::from_be_bytes(random)) / f64::from(u16::MAX))
}
