//! From an account to an access token: the store, and what fills it.

use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use auth::store::{
    self, EntryKey, FileStore, Issued, KeySource, Record, Renewal, StoreError, TokenStore as _, Wanted,
};
use auth::{Clock as _, SystemClock, Tokens};
use postkey::{Ask, Token, TokenFuture, TokenSource};
use wire::Secret;

use crate::config::Account;
use crate::exit::{Failure, Result};
use crate::http::LazyHttp;

/// The store in a state folder: made on first use, for its owner alone.
pub(crate) fn open(state: &Path, account: &str) -> Result<FileStore> {
    FileStore::open(state.join("tokens"), &KeySource::File(state.join("tokens.key")))
        .map_err(|error| failed(error, account))
}

/// Whether there is a store at all.
pub(crate) fn exists(state: &Path) -> bool {
    state.join("tokens").is_dir()
}

fn failed(error: StoreError, account: &str) -> Failure {
    Failure::from_auth(&error.into(), account)
}

impl Account {
    /// The name of its tokens in the store.
    pub(crate) fn entry(&self) -> Result<EntryKey> {
        Ok(EntryKey::new(&self.name, &self.endpoints()?, &self.registration(), &self.scopes()?))
    }

    fn wanted(&self, client: &auth::Client<LazyHttp>) -> Result<Wanted> {
        let renewal = if self.is_app() { Renewal::ClientCredentials } else { Renewal::Refresh };
        Ok(Wanted::new(&self.name, client, self.scopes()?, renewal))
    }

    /// The stored token if it is good enough: no network, no waiting, no secret fetched.
    pub(crate) fn stored(&self, store: &FileStore) -> Result<Option<Issued>> {
        let wanted = self.wanted(&self.client(false)?)?;
        store::cached(store, &wanted, SystemClock.now()).map_err(|error| failed(error, &self.name))
    }

    /// A token that is good enough, renewed if need be.
    pub(crate) async fn renewed(&self, store: &FileStore) -> Result<Issued> {
        let client = self.client(true)?;
        let wanted = self.wanted(&client)?;
        store::access_token(store, &client, &wanted)
            .await
            .map_err(|error| Failure::from_auth(&error, &self.name))
    }

    /// Stores the tokens of a sign-in.
    pub(crate) async fn keep(&self, store: &FileStore, tokens: Tokens) -> Result<()> {
        store::save(store, &self.entry()?, tokens, &SystemClock)
            .await
            .map_err(|error| failed(error, &self.name))
    }

    /// What the store holds of it, good or not.
    pub(crate) fn record(&self, store: &FileStore) -> Result<Option<Record>> {
        store.load(&self.entry()?).map_err(|error| failed(error, &self.name))
    }

    /// Whether the store holds tokens of it, good or not.
    pub(crate) fn has_tokens(&self, store: &FileStore) -> Result<bool> {
        Ok(self.record(store)?.is_some_and(|record| record.tokens.is_some()))
    }

    /// The scopes of its stored tokens.
    pub(crate) fn granted(&self, store: &FileStore) -> Result<Option<Vec<String>>> {
        Ok(self.record(store)?.and_then(|record| record.tokens).map(|tokens| tokens.scope))
    }

    /// Forgets its tokens. Says whether there were any.
    pub(crate) async fn forget(&self, store: &FileStore) -> Result<bool> {
        store::remove(store, &self.entry()?, &SystemClock).await.map_err(|error| failed(error, &self.name))
    }
}

/// The tokens of an account for a mail session.
pub(crate) struct StoredTokens {
    account: Arc<Account>,
    store: FileStore,
    client: OnceLock<auth::Client<LazyHttp>>,
    /// The token given out last, to be renewed when the server refuses it.
    last: Mutex<Option<Secret>>,
}

impl StoredTokens {
    /// Tokens of `account` from `store`.
    pub(crate) fn new(account: Arc<Account>, store: FileStore) -> Self {
        Self { account, store, client: OnceLock::new(), last: Mutex::new(None) }
    }

    fn last(&self) -> std::sync::MutexGuard<'_, Option<Secret>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn get(&self, ask: Ask) -> Result<Token, postkey::Error> {
        let local = |failure: Failure| postkey::Error::TokenSource(failure.message);
        if ask == Ask::Valid
            && let Some(issued) = self.account.stored(&self.store).map_err(local)?
        {
            return Ok(self.give(issued));
        }
        let client = match self.client.get() {
            Some(client) => client,
            None => {
                let made = self.account.client(true).map_err(local)?;
                self.client.get_or_init(|| made)
            }
        };
        let mut wanted = self.account.wanted(client).map_err(local)?;
        if ask == Ask::Fresh {
            wanted.rejected = self.last().clone();
        }
        Ok(self.give(store::access_token(&self.store, client, &wanted).await?))
    }

    fn give(&self, issued: Issued) -> Token {
        if let Some(warning) = &issued.warning {
            tracing::warn!("the token was not renewed, the old one is used while it lasts: {warning}");
        }
        *self.last() = Some(issued.token.clone());
        Token { secret: issued.token, expires_at: Some(issued.expires_at) }
    }
}

impl TokenSource for StoredTokens {
    fn token(&self, ask: Ask) -> TokenFuture<'_> {
        Box::pin(self.get(ask))
    }
}

/// Tokens from elsewhere: a command, a file, a variable; asked for again whenever one is needed.
pub(crate) struct ForeignTokens(pub(crate) Arc<Account>);

impl ForeignTokens {
    fn get(&self) -> Result<Token, postkey::Error> {
        let Some(reference) = &self.0.token else {
            return Err(postkey::Error::TokenSource("there is no `token` in the configuration".into()));
        };
        let secret = self
            .0
            .fetch(reference, "token")
            .map_err(|failure| postkey::Error::TokenSource(failure.message))?;
        Ok(Token { secret, expires_at: None })
    }
}

impl TokenSource for ForeignTokens {
    fn token(&self, _: Ask) -> TokenFuture<'_> {
        Box::pin(std::future::ready(self.get()))
    }
}
