//! From an account to an access token: the store, and what fills it.

use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use auth::store::age::Recipient;
use auth::store::{
    self, AgeKey, Cause, EntryKey, FileStore, Issued, KeySource, Listing, MemoryStore, Record, Renewal,
    StoreError, TokenStore, Wanted,
};
use auth::{Challenge, Clock as _, SystemClock, Tokens};
use postkey::{Ask, Token, TokenFuture, TokenSource};
use wire::Secret;

use crate::config::model::Flow;
use crate::config::store::{KeyPlace, Keyring, Place};
use crate::config::{Account, Config};
use crate::exit::{Exit, Failure, Result};
use crate::http::LazyHttp;

/// Nobody has consented to this permission (AADSTS65001).
const NO_CONSENT: u32 = 65001;

/// The store of the configuration.
pub(crate) struct Store(Box<dyn TokenStore>);

/// Opens the store; made on first use, for its owner alone.
pub(crate) fn open(config: &Config, account: &str) -> Result<Store> {
    let failed = |error| failed(error, account);
    Ok(Store(match config.store()? {
        Place::Files { folder, key } => {
            let key = key_source(config, key, &folder, account)?;
            Box::new(FileStore::open(folder, &key).map_err(failed)?)
        }
        Place::Keyring { keyring: which, locks } => keyring_store(which, locks).map_err(failed)?,
        Place::Memory => {
            static MEMORY: OnceLock<MemoryStore> = OnceLock::new();
            Box::new(MEMORY.get_or_init(MemoryStore::default).clone())
        }
    }))
}

/// Whether there is a store at all.
pub(crate) fn exists(config: &Config) -> Result<bool> {
    Ok(match config.store()? {
        Place::Files { folder, .. } => folder.is_dir(),
        Place::Keyring { locks, .. } => locks.is_dir(),
        Place::Memory => false,
    })
}

/// What is in the store, without making one.
pub(crate) fn list(config: &Config) -> Result<Listing> {
    if !exists(config)? {
        return Ok(Listing::default());
    }
    open(config, "")?.0.list().map_err(|error| failed(error, ""))
}

/// Carries the key of the store in `folder` from one place to another: see [`store::rewrap`].
pub(crate) fn carry(folder: &Path, from: &KeySource, to: &KeySource) -> Result<()> {
    store::rewrap(folder, from, to).map_err(|error| failed(error, ""))
}

/// The key's place as the store knows it. Secrets are fetched here, and only those that it needs.
pub(crate) fn key_source(config: &Config, key: KeyPlace, folder: &Path, account: &str) -> Result<KeySource> {
    let failed = |error| failed(error, account);
    match key {
        KeyPlace::File(path) => Ok(KeySource::File(path)),
        KeyPlace::Secret(reference) => {
            KeySource::from_text(&config.fetch(&reference, "the key of the token store")?).map_err(failed)
        }
        KeyPlace::Keyring(which) => keyring_key(which, &folder.display().to_string()).map_err(failed),
        KeyPlace::Credential(name) => KeySource::credential(&name).map_err(failed),
        KeyPlace::Age { file, identity, passphrase, recipients } => {
            let fetch = |reference| config.fetch(&reference, "the passphrase of the token store's key");
            let passphrase = passphrase.map(fetch).transpose()?;
            let key = match (identity, passphrase) {
                (Some(identity), passphrase) => AgeKey::with_identity(file, identity, passphrase),
                (None, passphrase) => AgeKey::with_passphrase(file, passphrase.unwrap_or_default()),
            };
            Ok(KeySource::Age(key.also_to(config.recipients(&recipients)?)))
        }
    }
}

#[cfg(all(feature = "keyring", target_os = "linux"))]
fn keyring(which: Keyring) -> Result<store::Keyring, StoreError> {
    match which {
        Keyring::SecretService => store::Keyring::secret_service(),
        Keyring::Keyutils => store::Keyring::keyutils(),
    }
}

/// One item for each store: folders have different keys.
#[cfg(all(feature = "keyring", target_os = "linux"))]
fn keyring_key(which: Keyring, folder: &str) -> Result<KeySource, StoreError> {
    Ok(KeySource::Keyring(store::KeyringKey::new(keyring(which)?, format!("key of {folder}"))))
}

#[cfg(all(feature = "keyring", target_os = "linux"))]
fn keyring_store(which: Keyring, locks: std::path::PathBuf) -> Result<Box<dyn TokenStore>, StoreError> {
    Ok(Box::new(store::KeyringStore::open(locks, keyring(which)?)?))
}

#[cfg(not(all(feature = "keyring", target_os = "linux")))]
fn keyring_key(_: Keyring, _: &str) -> Result<KeySource, StoreError> {
    Err(no_keyrings())
}

#[cfg(not(all(feature = "keyring", target_os = "linux")))]
fn keyring_store(_: Keyring, _: std::path::PathBuf) -> Result<Box<dyn TokenStore>, StoreError> {
    Err(no_keyrings())
}

#[cfg(not(all(feature = "keyring", target_os = "linux")))]
fn no_keyrings() -> StoreError {
    let reason = "this program was built without keyrings; name another place under [store]";
    StoreError::KeyUnavailable { reason: reason.into() }
}

fn failed(error: StoreError, account: &str) -> Failure {
    Failure::from_auth(&error.into(), account)
}

impl Account {
    /// The name of its tokens in the store.
    pub(crate) fn entry(&self) -> Result<EntryKey> {
        Ok(EntryKey::new(&self.name, &*self.endpoints()?, &self.registration(), &self.scopes()?))
    }

    fn wanted(&self) -> Result<Wanted> {
        let renewal = match self.flow {
            Some(Flow::ServiceAccount) => Renewal::ServiceAccount,
            _ if self.is_app() => Renewal::ClientCredentials,
            _ => Renewal::Refresh,
        };
        Ok(Wanted::of(self.entry()?, self.scopes()?, renewal))
    }

    /// The stored token if it is good enough: no network, no waiting, no secret fetched.
    pub(crate) fn stored(&self, store: &Store) -> Result<Option<Issued>> {
        store::cached(&*store.0, &self.wanted()?, SystemClock.now())
            .map_err(|error| failed(error, &self.name))
    }

    /// The same with the scopes of the token, looked up without making or moving anything, if the store is a folder whose key is a
    /// plain file: no library for any other place is touched.
    pub(crate) fn peeked(&self, config: &Config) -> Result<Option<(Issued, Vec<String>)>> {
        let Place::Files { folder, key: KeyPlace::File(key) } = config.store()? else { return Ok(None) };
        let wanted = self.wanted()?;
        let record = FileStore::peek(folder, &key, &wanted.key).map_err(|error| failed(error, &self.name))?;
        let issued = record.as_ref().and_then(|record| wanted.usable(record, SystemClock.now()));
        let scopes = record.and_then(|record| record.tokens).map(|tokens| tokens.scope);
        Ok(issued.zip(scopes))
    }

    /// A token that is good enough, renewed if need be.
    pub(crate) async fn renewed(&self, store: &Store) -> Result<Issued> {
        let client = self.client()?;
        store::access_token(&*store.0, &client, &self.wanted()?)
            .await
            .map_err(|error| Failure::from_auth(&error, &self.name))
    }

    /// The wish for a token of another resource, which the sign-in's refresh token can give. Nobody is asked yet: what cannot
    /// be is refused here, with the reason.
    pub(crate) fn other_resource(&self, scopes: &[String]) -> Result<Wanted> {
        let refuse = |what: &str, advice: &str| {
            Err(Failure::new(Exit::Usage, format!("account {:?} {what}", self.name), advice))
        };
        if !self.needs_sign_in() || self.is_app() {
            let advice = "use --scope with an account that a person signs in to";
            return refuse("has no refresh token that could give tokens for another resource", advice);
        }
        let endpoints = self.endpoints()?;
        if endpoints.quirks.omit_scope {
            let advice = "sign in for that permission: write scopes under oauth, in an account of its own";
            return refuse(
                "is at a provider whose refresh tokens give one kind of access token only",
                advice,
            );
        }
        endpoints.refreshable(scopes).map_err(|error| {
            let advice = "write the permissions of one resource, each with its address: --scope https://graph.microsoft.com/.default";
            Failure::new(Exit::Usage, error.to_string(), advice)
        })?;
        let key = EntryKey::new(&self.name, &endpoints, &self.registration(), scopes);
        if key.resource.is_empty() {
            let advice = "write a permission with its address: --scope https://graph.microsoft.com/.default";
            return refuse("was asked for a token of no resource", advice);
        }
        Ok(Wanted::of(key, scopes.to_vec(), Renewal::Refresh))
    }

    /// As [`stored`](Self::stored), for another resource.
    pub(crate) fn stored_for(&self, store: &Store, other: &Wanted) -> Result<Option<Issued>> {
        store::cached(&*store.0, other, SystemClock.now()).map_err(|error| failed(error, &self.name))
    }

    /// As [`renewed`](Self::renewed), for another resource.
    pub(crate) async fn renewed_for(&self, store: &Store, other: &Wanted) -> Result<Issued> {
        let (client, own) = (self.client()?, self.entry()?);
        let issued = store::access_token_by(&*store.0, &client, &own, other).await;
        issued.map_err(|error| {
            let failure = Failure::from_auth(&error, &self.name);
            match error.refusal() {
                // A sign-in for mail would ask for mail only.
                Some(refusal) if refusal.codes.contains(&NO_CONSENT) => failure
                    .advise("have an administrator grant the application that permission at the provider"),
                _ => failure,
            }
        })
    }

    /// As [`granted`](Self::granted), for another resource.
    pub(crate) fn granted_for(&self, store: &Store, other: &Wanted) -> Result<Option<Vec<String>>> {
        let record = store.0.load(&other.key).map_err(|error| failed(error, &self.name))?;
        Ok(record.and_then(|record| record.tokens).map(|tokens| tokens.scope))
    }

    /// Stores the tokens of a sign-in.
    pub(crate) async fn keep(&self, store: &Store, tokens: Tokens) -> Result<()> {
        store::save(&*store.0, &self.entry()?, tokens, &SystemClock)
            .await
            .map_err(|error| failed(error, &self.name))
    }

    /// What the store holds of it, good or not.
    pub(crate) fn record(&self, store: &Store) -> Result<Option<Record>> {
        store.0.load(&self.entry()?).map_err(|error| failed(error, &self.name))
    }

    /// Whether the store holds tokens of it, good or not.
    pub(crate) fn has_tokens(&self, store: &Store) -> Result<bool> {
        Ok(self.record(store)?.is_some_and(|record| record.tokens.is_some()))
    }

    /// Its stored tokens, sealed for others.
    pub(crate) fn export(&self, store: &Store, recipients: &[Recipient]) -> Result<Option<String>> {
        let Some(record) = self.record(store)?.filter(|record| record.tokens.is_some()) else {
            return Ok(None);
        };
        let sealed = store::export(&[(self.entry()?, record)], recipients);
        sealed.map(Some).map_err(|error| failed(error, &self.name))
    }

    /// Takes a record over; one that is newer stays unless it is to be overwritten.
    pub(crate) async fn restore(&self, store: &Store, record: &Record, overwrite: bool) -> Result<()> {
        store::restore(&*store.0, &self.entry()?, record.clone(), overwrite, &SystemClock)
            .await
            .map_err(|error| failed(error, &self.name))
    }

    /// The scopes of its stored tokens.
    pub(crate) fn granted(&self, store: &Store) -> Result<Option<Vec<String>>> {
        Ok(self.record(store)?.and_then(|record| record.tokens).map(|tokens| tokens.scope))
    }

    /// What the service demanded when it last refused a renewal.
    pub(crate) fn challenge(&self, store: &Store) -> Result<Option<Challenge>> {
        Ok(self.record(store)?.and_then(|record| match record.failure?.cause {
            Cause::Refused(refusal) => auth::Error::Refused(Box::new(refusal)).challenge(),
            _ => None,
        }))
    }

    /// Forgets its tokens, those for other resources too. Says whether there were any.
    pub(crate) async fn forget(&self, store: &Store) -> Result<bool> {
        let own = self.entry()?;
        let listing = store.0.list().map_err(|error| failed(error, &self.name))?;
        let same = |key: &&EntryKey| {
            (&key.account, &key.authority, &key.client_id) == (&own.account, &own.authority, &own.client_id)
        };
        for key in listing.entries.iter().filter(same).filter(|key| **key != own) {
            store::remove(&*store.0, key, &SystemClock).await.map_err(|error| failed(error, &self.name))?;
        }
        store::remove(&*store.0, &own, &SystemClock).await.map_err(|error| failed(error, &self.name))
    }
}

/// The tokens of an account for a mail session.
pub(crate) struct StoredTokens {
    account: Arc<Account>,
    store: Store,
    client: OnceLock<auth::Client<LazyHttp>>,
    /// The token given out last, to be renewed when the server refuses it.
    last: Mutex<Option<Secret>>,
}

impl StoredTokens {
    /// Tokens of `account` from `store`.
    pub(crate) fn new(account: Arc<Account>, store: Store) -> Self {
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
                let made = self.account.client().map_err(local)?;
                self.client.get_or_init(|| made)
            }
        };
        let mut wanted = self.account.wanted().map_err(local)?;
        if ask == Ask::Fresh {
            wanted.rejected = self.last().clone();
        }
        Ok(self.give(store::access_token(&*self.store.0, client, &wanted).await?))
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
