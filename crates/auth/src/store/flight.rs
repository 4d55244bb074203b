//! The single flight: however many threads and processes want a token, one asks for it.

use std::time::Duration;

use wire::Secret;

use super::entry::{Cause, Failure, tried};
use super::renewal::{LOOP_DETECTED, renew, surviving};
use super::{EntryKey, Lock, Policy, Record, Renewal, StoreError, TokenStore};
use crate::clock::Clock;
use crate::error::{Class, Error, SignIn};
use crate::http::Http;
use crate::{Client, Tokens};

/// First and longest pause between two looks at a lock that somebody holds.
const LOCK_PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(100));
/// A wish for an access token.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Wanted {
    /// The entry.
    pub key: EntryKey,
    /// The scopes of the token.
    pub scopes: Vec<String>,
    /// How to renew it.
    pub renewal: Renewal,
    /// How long the token must still be good for; at most half of its whole life is demanded of any token.
    /// Default: 10 % of its life, at most 300 s.
    pub min_remaining: Option<Duration>,
    /// An access token that the mail server has refused although its time is not up: if the store still holds
    /// this one, it is renewed.
    pub rejected: Option<Secret>,
    /// Waits and repetitions.
    pub policy: Policy,
}

impl Wanted {
    /// The wish for `account`'s token from this client.
    pub fn new<H: Http, C: Clock>(
        account: &str,
        client: &Client<H, C>,
        scopes: Vec<String>,
        renewal: Renewal,
    ) -> Self {
        let key = EntryKey::new(account, client.endpoints(), client.registration(), &scopes);
        Self::of(key, scopes, renewal)
    }

    /// The wish for the token of an entry; enough without a client for [`cached`] and [`usable`](Self::usable).
    pub fn of(key: EntryKey, scopes: Vec<String>, renewal: Renewal) -> Self {
        Self { key, scopes, renewal, min_remaining: None, rejected: None, policy: Policy::default() }
    }

    /// The token of the entry's record, if it is good enough at `now`, in seconds since 1970.
    pub fn usable(&self, record: &Record, now: u64) -> Option<Issued> {
        let tokens = record.tokens.as_ref()?;
        let margin = match self.min_remaining {
            Some(margin) => margin.as_secs().min(tokens.life() / 2),
            None => (tokens.life() / 10).min(300),
        };
        (tokens.remaining(now) > margin).then(|| self.issue(tokens, Source::Stored)).flatten()
    }

    /// A token that is about to end, for when no better can be had.
    fn last_resort(&self, record: Option<&Record>, now: u64, warning: Error) -> Result<Issued, Error> {
        let tokens =
            record.and_then(|record| record.tokens.as_ref()).filter(|tokens| tokens.remaining(now) > 0);
        match tokens.and_then(|tokens| self.issue(tokens, Source::Stored)) {
            Some(issued) => Ok(Issued { warning: Some(Box::new(warning)), ..issued }),
            None => Err(warning),
        }
    }

    fn issue(&self, tokens: &Tokens, source: Source) -> Option<Issued> {
        if self.rejected.as_ref() == Some(&tokens.access_token) {
            return None;
        }
        let token = tokens.access_token.clone();
        Some(Issued { token, expires_at: tokens.expires_at, source, warning: None })
    }
}

/// Where a token came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// It was in the store.
    Stored,
    /// It was just issued.
    Renewed,
}

/// An access token, ready for use.
#[derive(Debug)]
#[non_exhaustive]
pub struct Issued {
    /// The token.
    pub token: Secret,
    /// When it ends, in seconds since 1970.
    pub expires_at: u64,
    /// Where it came from.
    pub source: Source,
    /// What went wrong without making the token useless: a renewal that can wait, a store that cannot be
    /// written.
    pub warning: Option<Box<Error>>,
}

/// The stored token, if it is good enough; never asks a server, never waits.
///
/// # Errors
///
/// Any [`StoreError`].
pub fn cached(
    store: &(impl TokenStore + ?Sized),
    wanted: &Wanted,
    now: u64,
) -> Result<Option<Issued>, StoreError> {
    Ok(store.load(&wanted.key)?.and_then(|record| wanted.usable(&record, now)))
}

/// A token that is good enough: the stored one, or a new one, for which the server is asked once however many
/// threads and processes want it at the same time. A rotated refresh token is on disk before this returns.
///
/// What a process that is killed at any moment can cost: nothing before the server has answered. Between the answer and
/// the one write that follows it (the disk is not waited for in between) there is a gap that no client can close: the new
/// refresh token is lost with the process. The next one presents the old refresh token. Entra and every server that
/// lets a refresh token work until its successor was used accept it; a server that lets it work once refuses, and that is
/// reported as [`Error::SignInAgain`]. A loss of power has the same effect until the disk has confirmed, and before that no
/// access token is handed out.
///
/// A refusal is remembered for a while and repeated to others without asking. It never changes the stored
/// tokens.
///
/// # Errors
///
/// [`Error::SignInAgain`] if only a person can help, [`Error::Refused`] for other refusals, [`Error::Store`]
/// and [`Error::NotSaved`] if the store fails, or what the exchange gives.
pub async fn access_token<H: Http, C: Clock>(
    store: &(impl TokenStore + ?Sized),
    client: &Client<H, C>,
    wanted: &Wanted,
) -> Result<Issued, Error> {
    let (key, clock) = (&wanted.key, client.clock());
    let seen = store.load(key)?;
    if let Some(issued) = settled(wanted, client, seen.as_ref())? {
        return Ok(issued);
    }
    let lock = match lock(store, key, clock, wanted.policy.lock_wait).await {
        Ok(lock) => lock,
        Err(error) => return wanted.last_resort(seen.as_ref(), clock.now(), error.into()),
    };
    // Whoever held the lock may have renewed the token, been refused, or signed out.
    let record = store.load_locked(&lock, key)?;
    if let Some(issued) = settled(wanted, client, record.as_ref())? {
        return Ok(issued);
    }
    // A refresh token may work once: make sure that its successor can be written before it is spent.
    if let Err(error) = store.reserve(&lock, key) {
        return wanted.last_resort(record.as_ref(), clock.now(), error.into());
    }
    let old = record.as_ref().and_then(|record| record.tokens.as_ref());
    match renew(client, wanted, old).await {
        Ok(new) => keep(store, &lock, wanted, old, new),
        Err(error) => {
            let noted = remember(store, &lock, client, wanted, record.as_ref(), &error);
            // With a rotated refresh token it is no longer the error's: it is in the store, or it is lost.
            let error = match (error, noted) {
                (Error::Unusable { .. }, Err(unwritten)) => return Err(Error::NotSaved(unwritten)),
                (Error::Unusable { reason, .. }, Ok(())) => *reason,
                (error, _) => error,
            };
            if error.class() == Class::RetryLater {
                return wanted.last_resort(record.as_ref(), clock.now(), error);
            }
            Err(sign_in_again(error, wanted.renewal))
        }
    }
}

/// Stores the tokens of a new sign-in, in place of whatever the entry held.
///
/// # Errors
///
/// Any [`StoreError`].
pub async fn save(
    store: &(impl TokenStore + ?Sized),
    key: &EntryKey,
    tokens: Tokens,
    clock: &impl Clock,
) -> Result<(), StoreError> {
    let lock = lock(store, key, clock, Policy::default().lock_wait).await?;
    store.save(&lock, key, &Record { tokens: Some(tokens), failure: None })
}

/// Signs out: deletes the entry, waiting for a renewal under way, which therefore cannot bring it back
/// (AU-40). Says whether there was an entry.
///
/// # Errors
///
/// Any [`StoreError`].
pub async fn remove(
    store: &(impl TokenStore + ?Sized),
    key: &EntryKey,
    clock: &impl Clock,
) -> Result<bool, StoreError> {
    let lock = lock(store, key, clock, Policy::default().lock_wait).await?;
    store.remove(&lock, key)
}

pub(super) async fn lock(
    store: &(impl TokenStore + ?Sized),
    key: &EntryKey,
    clock: &impl Clock,
    longest: Duration,
) -> Result<Lock, StoreError> {
    let mut pause = LOCK_PAUSES.0;
    let mut waited = Duration::ZERO;
    loop {
        if let Some(lock) = store.try_lock(key)? {
            return Ok(lock);
        }
        if waited >= longest {
            let reason = format!(
                "another process has held it for {} s; see what that process waits for",
                longest.as_secs()
            );
            return Err(StoreError::Lock { reason });
        }
        clock.sleep(pause).await;
        waited = waited.saturating_add(pause);
        pause = pause.saturating_mul(2).min(LOCK_PAUSES.1);
    }
}

/// What can be said without asking the server: a token that is good enough, that there is nothing to ask
/// with, or a refusal that is still remembered. `None` if the server has to be asked.
fn settled<H: Http, C: Clock>(
    wanted: &Wanted,
    client: &Client<H, C>,
    record: Option<&Record>,
) -> Result<Option<Issued>, Error> {
    let now = client.clock().now();
    if let Some(issued) = record.and_then(|record| wanted.usable(record, now)) {
        return Ok(Some(issued));
    }
    let tokens = record.and_then(|record| record.tokens.as_ref());
    let refresh_token = tokens.and_then(|tokens| tokens.refresh_token.as_ref());
    if wanted.renewal == Renewal::Refresh && refresh_token.is_none() {
        let account = wanted.key.account.clone();
        let reason =
            if tokens.is_none() { SignIn::Never { account } } else { SignIn::NoRefreshToken { account } };
        return Err(Error::SignInAgain(Box::new(reason)));
    }
    match record.and_then(|record| record.failure.as_ref()) {
        // A failure from the future was written under another clock and says nothing.
        Some(failure)
            if (failure.at..failure.until).contains(&now)
                && failure.tried == tried(refresh_token, client.registration()) =>
        {
            let error = failure.cause.error();
            if error.class() == Class::RetryLater {
                return wanted.last_resort(record, now, error).map(Some);
            }
            Err(sign_in_again(error, wanted.renewal))
        }
        _ => Ok(None),
    }
}

fn keep(
    store: &(impl TokenStore + ?Sized),
    lock: &Lock,
    wanted: &Wanted,
    old: Option<&Tokens>,
    mut new: Tokens,
) -> Result<Issued, Error> {
    if new.id_token.is_none() {
        // A refresh often brings none; who signed in stays the same.
        new.id_token = old.and_then(|tokens| tokens.id_token.clone());
    }
    let mut issued = Issued {
        token: new.access_token.clone(),
        expires_at: new.expires_at,
        source: Source::Renewed,
        warning: None,
    };
    let rotated = new.refresh_token != old.and_then(|tokens| tokens.refresh_token.clone());
    match store.save(lock, &wanted.key, &Record { tokens: Some(new), failure: None }) {
        Ok(()) => {}
        Err(error) if rotated => return Err(Error::NotSaved(error)),
        // Nothing is lost: the stored refresh token still works, or the application can simply ask again.
        Err(error) => issued.warning = Some(Box::new(error.into())),
    }
    Ok(issued)
}

/// Writes a refusal down beside the unchanged tokens, and a rotated refresh token that came with it, whatever the reason.
/// If that fails too, others will merely ask once more, unless there was such a token.
fn remember<H: Http, C: Clock>(
    store: &(impl TokenStore + ?Sized),
    lock: &Lock,
    client: &Client<H, C>,
    wanted: &Wanted,
    record: Option<&Record>,
    error: &Error,
) -> Result<(), StoreError> {
    let tokens = surviving(record.and_then(|record| record.tokens.as_ref()), error);
    let Some(cause) = Cause::of(error.reason()) else {
        return match error {
            // What was noted before was said of the token that is spent.
            Error::Unusable { .. } => store.save(lock, &wanted.key, &Record { tokens, failure: None }),
            _ => Ok(()),
        };
    };
    let policy = &wanted.policy;
    let hopeless = error.refusal().is_some_and(|refusal| refusal.codes.contains(&LOOP_DETECTED));
    let memory = match error.retry_after() {
        Some(seconds) => Duration::from_secs(seconds).min(policy.retry_after_cap),
        None if hopeless => policy.retry_after_cap,
        None if error.class() == Class::RetryLater => policy.trouble_memory,
        None => policy.refusal_memory,
    };
    let refresh_token = tokens.as_ref().and_then(|tokens| tokens.refresh_token.as_ref());
    let at = client.clock().now();
    let failure = Failure {
        at,
        until: at.saturating_add(memory.as_secs()),
        cause,
        tried: tried(refresh_token, client.registration()),
    };
    store.save(lock, &wanted.key, &Record { tokens, failure: Some(failure) })
}

/// A refused refresh token means a new sign-in; a refused secret or a policy does not.
fn sign_in_again(error: Error, renewal: Renewal) -> Error {
    match error {
        Error::Refused(refusal) if renewal == Renewal::Refresh && refusal.class() == Class::SignInAgain => {
            Error::SignInAgain(Box::new(SignIn::Refused(*refusal)))
        }
        other => other,
    }
}
