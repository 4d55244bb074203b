//! One entry's refresh token, lent to another entry: at Microsoft it serves every resource that the person has consented to.

use super::{EntryKey, Issued, Listing, Lock, Record, StoreError, TokenStore, Wanted, access_token};
use crate::clock::Clock;
use crate::http::Http;
use crate::{Client, Error, Tokens};

/// An access token for another resource, or for fewer scopes, by the refresh token of the entry `lender`: the stored one of
/// `wanted`'s own entry, or a new one.
///
/// The refresh token stays with the lender alone. If the server replaces it, the new one is there, durably, before this
/// returns; meanwhile the lender's own renewal waits, as this does for it. A refusal is remembered with `wanted`'s entry
/// and says nothing about the lender.
///
/// # Errors
///
/// As [`access_token`].
pub async fn access_token_by<H: Http, C: Clock>(
    store: &(impl TokenStore + ?Sized),
    client: &Client<H, C>,
    lender: &EntryKey,
    wanted: &Wanted,
) -> Result<Issued, Error> {
    // Nobody can lend to himself: the lock would be taken twice.
    if *lender == wanted.key {
        return access_token(store, client, wanted).await;
    }
    access_token(&Lent { store, lender }, client, wanted).await
}

/// A store whose entries seem to have the lender's refresh token.
struct Lent<'a, S: ?Sized> {
    store: &'a S,
    lender: &'a EntryKey,
}

impl<S: TokenStore + ?Sized> Lent<'_, S> {
    /// `record` with the refresh token of `lender`, if there is any.
    fn lend(record: Option<Record>, lender: Option<Record>) -> Option<Record> {
        let refresh_token = lender.and_then(|lender| lender.tokens).and_then(|tokens| tokens.refresh_token);
        let Some(refresh_token) = refresh_token else { return record };
        let mut record = record.unwrap_or_default();
        let none = || Tokens::bearer(wire::Secret::default(), 0, 0);
        record.tokens.get_or_insert_with(none).refresh_token = Some(refresh_token);
        Some(record)
    }
}

impl<S: TokenStore + ?Sized> TokenStore for Lent<'_, S> {
    fn load(&self, key: &EntryKey) -> Result<Option<Record>, StoreError> {
        Ok(Self::lend(self.store.load(key)?, self.store.load(self.lender)?))
    }

    /// Both or none: whoever waits for the second with the first in hand could wait for ever.
    fn try_lock(&self, key: &EntryKey) -> Result<Option<Lock>, StoreError> {
        let Some(own) = self.store.try_lock(key)? else { return Ok(None) };
        let lender = self.store.try_lock(self.lender)?;
        Ok(lender.map(|lender| Lock::new((own, lender))))
    }

    fn load_locked(&self, lock: &Lock, key: &EntryKey) -> Result<Option<Record>, StoreError> {
        Ok(Self::lend(self.store.load_locked(lock, key)?, self.store.load_locked(lock, self.lender)?))
    }

    fn reserve(&self, lock: &Lock, key: &EntryKey) -> Result<(), StoreError> {
        self.store.reserve(lock, self.lender)?;
        self.store.reserve(lock, key)
    }

    /// The refresh token first: only it cannot be had again.
    fn save(&self, lock: &Lock, key: &EntryKey, record: &Record) -> Result<(), StoreError> {
        let mut record = record.clone();
        let refresh_token = record.tokens.as_mut().and_then(|tokens| tokens.refresh_token.take());
        if let Some(mut lender) = self.store.load_locked(lock, self.lender)?
            && let Some(tokens) = &mut lender.tokens
            && refresh_token.is_some()
            && tokens.refresh_token != refresh_token
        {
            tokens.refresh_token = refresh_token;
            self.store.save(lock, self.lender, &lender)?;
        }
        // What only carried the refresh token is nothing now.
        record.tokens = record.tokens.filter(|tokens| !tokens.access_token.is_empty());
        self.store.save(lock, key, &record)
    }

    fn remove(&self, lock: &Lock, key: &EntryKey) -> Result<bool, StoreError> {
        self.store.remove(lock, key)
    }

    fn list(&self) -> Result<Listing, StoreError> {
        self.store.list()
    }
}
