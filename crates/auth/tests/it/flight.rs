//! One refresh for all, hostile cases AU-30, AU-35, AU-39, AU-40.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use postkey_auth::http::{Http, HttpError, HttpRequest, HttpResponse};
use postkey_auth::store::{
    EntryKey, FileStore, KeySource, Listing, Lock, MemoryStore, Record, Renewal, Source, StoreError,
    TokenStore, Wanted, access_token, cached, remove, save,
};
use postkey_auth::{Class, Client, Clock, Error, Registration, SignIn, SystemClock, Tokens};
use wire::{Secret, SecretBytes};

use crate::support::*;

pub(crate) fn wanted(client: &TestClient) -> Wanted {
    Wanted::new("ana", client, imap_scopes(), Renewal::Refresh)
}

/// Signs in: the first answer of a script becomes the stored tokens.
pub(crate) async fn signed_in(store: &MemoryStore, clock: &Arc<FakeClock>, life: u64) -> Tokens {
    let http = FakeHttp::answering([granted("AT-0", "RT-0", life)]);
    let client = client(&http, clock);
    let tokens = client.refresh(&Secret::from("RT-first"), &imap_scopes()).await.unwrap();
    save(store, &wanted(&client).key, tokens.clone(), clock).await.unwrap();
    tokens
}

pub(crate) fn stored(store: &impl TokenStore, client: &TestClient) -> Record {
    store.load(&wanted(client).key).unwrap().unwrap()
}

#[tokio::test]
async fn a_fresh_token_is_returned_without_a_request() {
    let (store, clock, http) = (MemoryStore::default(), FakeClock::new(), FakeHttp::answering([]));
    signed_in(&store, &clock, 3600).await;
    let client = client(&http, &clock);
    clock.advance(3600 - 301);
    let issued = access_token(&store, &client, &wanted(&client)).await.unwrap();
    assert_eq!((issued.token.expose(), issued.source), ("AT-0", Source::Stored));
    assert!(cached(&store, &wanted(&client), clock.now()).unwrap().is_some());
    assert!(http.seen().is_empty());
}

#[tokio::test]
async fn a_token_near_its_end_is_renewed_once() {
    let (store, clock) = (MemoryStore::default(), FakeClock::new());
    let http = FakeHttp::answering([granted("AT-1", "RT-1", 3600)]);
    signed_in(&store, &clock, 3600).await;
    let client = client(&http, &clock);
    clock.advance(3600 - 300);
    assert!(cached(&store, &wanted(&client), clock.now()).unwrap().is_none());
    for source in [Source::Renewed, Source::Stored] {
        let issued = access_token(&store, &client, &wanted(&client)).await.unwrap();
        assert_eq!((issued.token.expose(), issued.source), ("AT-1", source));
    }
    assert_eq!(http.forms().len(), 1);
    assert_eq!(http.forms()[0]["refresh_token"], "RT-0");
    assert_eq!(stored(&store, &client).tokens.unwrap().refresh_token.unwrap().expose(), "RT-1");
}

#[tokio::test]
async fn who_signed_in_stays_known_when_a_refresh_does_not_say() {
    let (store, clock) = (MemoryStore::default(), FakeClock::new());
    let http = FakeHttp::answering([granted("AT-1", "RT-1", 3600)]);
    let mut tokens = signed_in(&store, &clock, 60).await;
    // {"preferred_username":"ana@contoso.example"}
    tokens.id_token = Some(Secret::from("e30.eyJwcmVmZXJyZWRfdXNlcm5hbWUiOiJhbmFAY29udG9zby5leGFtcGxlIn0.s"));
    let client = client(&http, &clock);
    save(&store, &wanted(&client).key, tokens, &clock).await.unwrap();
    clock.advance(61);
    access_token(&store, &client, &wanted(&client)).await.unwrap();
    let identity = stored(&store, &client).tokens.unwrap().identity().unwrap();
    assert_eq!(identity.username.as_deref(), Some("ana@contoso.example"));
}

#[tokio::test]
async fn a_caller_can_ask_for_more_life_but_not_for_the_impossible() {
    let (store, clock) = (MemoryStore::default(), FakeClock::new());
    let http = FakeHttp::answering([granted("AT-1", "RT-1", 3600)]);
    signed_in(&store, &clock, 3600).await;
    let client = client(&http, &clock);
    let mut wanted = wanted(&client);
    wanted.min_remaining = Some(Duration::from_secs(7200));
    assert_eq!(access_token(&store, &client, &wanted).await.unwrap().token.expose(), "AT-0");
    clock.advance(1801);
    assert_eq!(access_token(&store, &client, &wanted).await.unwrap().token.expose(), "AT-1");
}

#[tokio::test]
async fn a_token_that_the_mail_server_refused_is_renewed_by_the_first_who_says_so() {
    let (store, clock) = (MemoryStore::default(), FakeClock::new());
    let http = FakeHttp::answering([granted("AT-1", "RT-1", 3600)]);
    let old = signed_in(&store, &clock, 3600).await;
    let client = client(&http, &clock);
    let mut wanted = wanted(&client);
    wanted.rejected = Some(old.access_token);
    for _ in 0..3 {
        assert_eq!(access_token(&store, &client, &wanted).await.unwrap().token.expose(), "AT-1");
    }
    assert_eq!(http.seen().len(), 1);
}

#[tokio::test]
async fn a_token_with_no_life_at_all_is_still_handed_out_once() {
    let (store, clock) = (MemoryStore::default(), FakeClock::new());
    let http = FakeHttp::answering([granted("AT-1", "RT-1", 0)]);
    signed_in(&store, &clock, 0).await;
    let client = client(&http, &clock);
    assert_eq!(access_token(&store, &client, &wanted(&client)).await.unwrap().token.expose(), "AT-1");
}

#[tokio::test]
async fn without_tokens_only_a_sign_in_helps() {
    let (store, clock, http) = (MemoryStore::default(), FakeClock::new(), FakeHttp::answering([]));
    let client = client(&http, &clock);
    match access_token(&store, &client, &wanted(&client)).await {
        Err(Error::SignInAgain(reason)) => assert_eq!(*reason, SignIn::Never { account: "ana".into() }),
        other => panic!("{other:?}"),
    }
    let mut tokens = signed_in(&store, &clock, 60).await;
    tokens.refresh_token = None;
    save(&store, &wanted(&client).key, tokens, &clock).await.unwrap();
    clock.advance(61);
    match access_token(&store, &client, &wanted(&client)).await {
        Err(Error::SignInAgain(reason)) => {
            assert_eq!(*reason, SignIn::NoRefreshToken { account: "ana".into() });
        }
        other => panic!("{other:?}"),
    }
    assert!(http.seen().is_empty());
}

#[tokio::test]
async fn an_application_asks_again_in_place_of_a_refresh() {
    let (store, clock) = (MemoryStore::default(), FakeClock::new());
    let http = FakeHttp::answering([granted("AT-1", "", 3599), granted("AT-2", "", 3599)]);
    let client = daemon(&http, &clock);
    let wanted = Wanted::new("daemon", &client, app_scopes(), Renewal::ClientCredentials);
    for expected in ["AT-1", "AT-1"] {
        assert_eq!(access_token(&store, &client, &wanted).await.unwrap().token.expose(), expected);
    }
    clock.advance(3599);
    assert_eq!(access_token(&store, &client, &wanted).await.unwrap().token.expose(), "AT-2");
    assert!(http.forms().iter().all(|form| form["grant_type"] == "client_credentials"));
}

/// A store that fails or tells when it is told to.
#[derive(Default)]
struct Unruly {
    inner: MemoryStore,
    no_save: AtomicBool,
    no_reserve: AtomicBool,
    no_lock: AtomicBool,
    calls: Mutex<Vec<&'static str>>,
}

impl Unruly {
    fn call(&self, name: &'static str, fail: &AtomicBool) -> Result<(), StoreError> {
        self.calls.lock().unwrap().push(name);
        if !fail.load(Ordering::SeqCst) {
            return Ok(());
        }
        match name {
            "lock" => Err(StoreError::Lock { reason: "no locks here".into() }),
            _ => Err(StoreError::Io {
                action: "write",
                path: "tokens".into(),
                source: std::io::ErrorKind::StorageFull.into(),
            }),
        }
    }
}

impl TokenStore for Unruly {
    fn load(&self, key: &EntryKey) -> Result<Option<Record>, StoreError> {
        self.inner.load(key)
    }
    fn try_lock(&self, key: &EntryKey) -> Result<Option<Lock>, StoreError> {
        self.call("lock", &self.no_lock)?;
        self.inner.try_lock(key)
    }
    fn load_locked(&self, lock: &Lock, key: &EntryKey) -> Result<Option<Record>, StoreError> {
        self.inner.load_locked(lock, key)
    }
    fn reserve(&self, lock: &Lock, key: &EntryKey) -> Result<(), StoreError> {
        self.call("reserve", &self.no_reserve)?;
        self.inner.reserve(lock, key)
    }
    fn save(&self, lock: &Lock, key: &EntryKey, record: &Record) -> Result<(), StoreError> {
        self.call("save", &self.no_save)?;
        self.inner.save(lock, key, record)
    }
    fn remove(&self, lock: &Lock, key: &EntryKey) -> Result<bool, StoreError> {
        self.inner.remove(lock, key)
    }
    fn list(&self) -> Result<Listing, StoreError> {
        self.inner.list()
    }
}

#[tokio::test]
async fn au_30_a_rotated_refresh_token_is_stored_before_the_access_token_is_handed_out() {
    let (store, clock) = (Unruly::default(), FakeClock::new());
    let http = FakeHttp::answering([granted("AT-1", "RT-1", 3600), granted("AT-2", "RT-2", 60)]);
    signed_in(&store.inner, &clock, 60).await;
    let client = client(&http, &clock);
    clock.advance(61);
    access_token(&store, &client, &wanted(&client)).await.unwrap();
    assert_eq!(*store.calls.lock().unwrap(), ["lock", "reserve", "save"]);
    clock.advance(3600);
    store.no_save.store(true, Ordering::SeqCst);
    let error = access_token(&store, &client, &wanted(&client)).await.unwrap_err();
    assert!(matches!(error, Error::NotSaved(StoreError::Io { .. })), "{error}");
    assert_eq!(stored(&store, &client).tokens.unwrap().refresh_token.unwrap().expose(), "RT-1");
}

#[tokio::test]
async fn au_39_a_store_that_cannot_be_written_spends_no_refresh_token() {
    for fault in ["lock", "reserve"] {
        let (store, clock, http) = (Unruly::default(), FakeClock::new(), FakeHttp::answering([]));
        signed_in(&store.inner, &clock, 3600).await;
        let client = client(&http, &clock);
        match fault {
            "lock" => store.no_lock.store(true, Ordering::SeqCst),
            _ => store.no_reserve.store(true, Ordering::SeqCst),
        }
        clock.advance(3600 - 100);
        let issued = access_token(&store, &client, &wanted(&client)).await.unwrap();
        assert_eq!(issued.token.expose(), "AT-0", "usable for what is left");
        assert!(matches!(issued.warning.as_deref(), Some(Error::Store(_))));
        clock.advance(100);
        let error = access_token(&store, &client, &wanted(&client)).await.unwrap_err();
        assert!(matches!(error, Error::Store(_)), "{error}");
        assert_eq!(error.class(), Class::Local);
        assert!(http.seen().is_empty());
    }
}

#[tokio::test]
async fn au_39_what_is_not_lost_is_handed_out_with_a_warning() {
    let (store, clock) = (Unruly::default(), FakeClock::new());
    store.no_save.store(true, Ordering::SeqCst);
    let http = FakeHttp::answering([granted("AT-1", "", 3600)]);
    let client = daemon(&http, &clock);
    let wanted = Wanted::new("daemon", &client, app_scopes(), Renewal::ClientCredentials);
    let issued = access_token(&store, &client, &wanted).await.unwrap();
    assert_eq!(issued.token.expose(), "AT-1");
    assert!(matches!(issued.warning.as_deref(), Some(Error::Store(_))));
}

#[tokio::test]
async fn a_lock_that_is_never_let_go_is_an_error_in_the_end() {
    let (store, clock, http) = (MemoryStore::default(), FakeClock::new(), FakeHttp::answering([]));
    signed_in(&store, &clock, 60).await;
    let client = client(&http, &clock);
    clock.advance(61);
    let _held = store.try_lock(&wanted(&client).key).unwrap().unwrap();
    let error = access_token(&store, &client, &wanted(&client)).await.unwrap_err();
    assert!(matches!(error, Error::Store(StoreError::Lock { .. })), "{error}");
    assert!(http.seen().is_empty());
}

/// A server that answers slowly enough for everybody to arrive.
#[derive(Default)]
struct Slow {
    requests: AtomicUsize,
    gate: Option<tokio::sync::Semaphore>,
}

impl Http for Slow {
    async fn send(&self, _request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let serial = self.requests.fetch_add(1, Ordering::SeqCst) + 1;
        match &self.gate {
            Some(gate) => gate.acquire().await.unwrap().forget(),
            None => tokio::time::sleep(Duration::from_millis(50)).await,
        }
        granted(&format!("AT-{serial}"), &format!("RT-{serial}"), 3600)
    }
}

fn file_store(folder: &std::path::Path) -> FileStore {
    FileStore::open(folder, &KeySource::Bytes(SecretBytes::new(vec![5; 32]))).unwrap()
}

fn slow_client(http: Arc<Slow>) -> Client<Arc<Slow>> {
    let registration = Registration::public("CLIENT", "contoso.example");
    let endpoints = postkey_auth::Provider::builtin("microsoft").unwrap().endpoints(&registration).unwrap();
    Client::new(endpoints, registration, http)
}

async fn expired(store: &FileStore, client: &Client<Arc<Slow>>) -> Wanted {
    let wanted = Wanted::new("ana", client, imap_scopes(), Renewal::Refresh);
    let clock = FakeClock::new();
    let http = FakeHttp::answering([granted("AT-0", "RT-0", 1)]);
    let old = crate::support::client(&http, &clock)
        .refresh(&Secret::from("RT-first"), &imap_scopes())
        .await
        .unwrap();
    save(store, &wanted.key, old, &SystemClock).await.unwrap();
    wanted
}

#[test]
fn au_35_eight_threads_make_one_request() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let http = Arc::new(Slow::default());
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // SystemClock says 2026 or later, or whatever the machine believes; the stored token ended in any case.
    let wanted = runtime().block_on(expired(&file_store(&path), &slow_client(http.clone())));
    let start = Arc::new(std::sync::Barrier::new(8));
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let (path, http, wanted, start) = (path.clone(), http.clone(), wanted.clone(), start.clone());
            std::thread::spawn(move || {
                // A store of its own for each: threads exclude one another by the file, as processes do.
                let store = file_store(&path);
                start.wait();
                runtime().block_on(access_token(&store, &slow_client(http), &wanted)).unwrap()
            })
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap().token.expose(), "AT-1");
    }
    assert_eq!(http.requests.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn au_35_tasks_that_share_a_store_make_one_request() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(file_store(&folder.path().join("store")));
    let http = Arc::new(Slow::default());
    let wanted = expired(&store, &slow_client(http.clone())).await;
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let (store, client, wanted) = (store.clone(), slow_client(http.clone()), wanted.clone());
            tokio::spawn(async move { access_token(&*store, &client, &wanted).await.unwrap() })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().token.expose(), "AT-1");
    }
    assert_eq!(http.requests.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn au_40_a_sign_out_during_a_refresh_is_not_undone() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(file_store(&folder.path().join("store")));
    let http = Arc::new(Slow { gate: Some(tokio::sync::Semaphore::new(0)), ..Slow::default() });
    let client = slow_client(http.clone());
    let wanted = expired(&store, &client).await;
    let refresh = tokio::spawn({
        let (store, wanted) = (store.clone(), wanted.clone());
        async move { access_token(&*store, &client, &wanted).await }
    });
    while http.requests.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let sign_out = tokio::spawn({
        let (store, key) = (store.clone(), wanted.key.clone());
        async move { remove(&*store, &key, &SystemClock).await.unwrap() }
    });
    tokio::task::yield_now().await;
    http.gate.as_ref().unwrap().add_permits(1);
    assert!(refresh.await.unwrap().is_ok());
    assert!(sign_out.await.unwrap());
    assert_eq!(store.load(&wanted.key).unwrap(), None);
    let late = access_token(&*store, &slow_client(http), &wanted).await.unwrap_err();
    assert!(matches!(late, Error::SignInAgain(_)));
}
