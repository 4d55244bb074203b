//! Keyrings: the key in one, and the tokens themselves. Against keyring-core's mock, and against the kernel's.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use keyring_core::mock;
use postkey_auth::store::{
    EntryKey, FileStore, KeySource, Keyring, KeyringKey, KeyringStore, Record, Renewal, StoreError,
    TokenStore, Unsafe, Wanted, access_token, save,
};
use postkey_auth::{Error, Tokens};
use wire::Secret;

use crate::keys::{Place, put};
use crate::support::*;

struct Mock {
    keyring: Keyring,
    store: Arc<mock::Store>,
}

impl Mock {
    fn new() -> Self {
        let store = mock::Store::new().unwrap();
        Self { keyring: Keyring::new(store.clone(), "the mock keyring"), store }
    }

    /// The item whose name ends so.
    fn item(&self, end: &str) -> Arc<mock::Cred> {
        let mut items = self.store.inner.lock().unwrap();
        items.get_mut().iter().find(|item| item.specifiers.1.ends_with(end)).unwrap().clone()
    }

    fn secret(&self, end: &str) -> Option<Vec<u8>> {
        self.item(end).inner.lock().unwrap().get_mut().secret.clone()
    }

    fn replace(&self, end: &str, secret: &[u8]) {
        self.item(end).inner.lock().unwrap().get_mut().secret = Some(secret.to_vec());
    }

    fn refuse_next(&self, end: &str) {
        self.item(end).set_error(keyring_core::Error::NoStorageAccess("it is locked".into()));
    }
}

/// The kernel's keyring, if this machine lets programs use it; containers often do not.
fn kernel(test: &str) -> Option<Keyring> {
    // A process without a session of its own shares one with all of its user, which some machines do not let it write. This
    // one ends with the test, so that nothing stays in the kernel.
    let session = linux_keyutils::KeyRingIdentifier::Session;
    let _ = linux_keyutils::KeyRing::from_special_id(session, true);
    let keyring = Keyring::keyutils().ok().filter(|keyring| {
        let folder = tempfile::tempdir().unwrap();
        let probe = KeySource::Keyring(KeyringKey::new(keyring.clone(), unique()));
        FileStore::open(folder.path().join("store"), &probe).is_ok()
    });
    if keyring.is_none() {
        let line = format!("{test}: no kernel keyring here\n");
        eprint!("skipped: {line}");
        if let Some(log) = std::env::var_os("POSTKEY_SKIPPED") {
            use std::io::Write;
            fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(log)
                .unwrap()
                .write_all(line.as_bytes())
                .unwrap();
        }
    }
    keyring
}

/// A name that no other test and no earlier run has: what is in the kernel stays for a while.
fn unique() -> String {
    static SERIAL: AtomicU64 = AtomicU64::new(0);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
    format!("test {now} {} {}", std::process::id(), SERIAL.fetch_add(1, Ordering::Relaxed))
}

fn key_in(keyring: &Keyring, item: &str) -> KeySource {
    KeySource::Keyring(KeyringKey::new(keyring.clone(), item))
}

#[test]
fn a_key_in_a_keyring_is_made_once_and_opens_the_store_again() {
    let mut keyrings = vec![Mock::new().keyring];
    keyrings.extend(kernel("a_key_in_a_keyring_is_made_once_and_opens_the_store_again"));
    for keyring in keyrings {
        let (place, item) = (Place::new(), unique());
        let source = key_in(&keyring, &item);
        let key = put(&FileStore::open(place.path("store"), &source).unwrap(), "ana");
        let again = FileStore::open(place.path("store"), &source).unwrap();
        assert!(again.load(&key).unwrap().is_some(), "{keyring}");
        // Under another name there is no key, and this store has entries.
        let error = FileStore::open(place.path("store"), &key_in(&keyring, &unique())).unwrap_err();
        assert!(error.to_string().contains("does not exist, yet the store holds entries"), "{error}");
    }
}

#[test]
fn many_first_starts_at_once_agree_on_one_key_in_a_keyring() {
    let (mock, place) = (Mock::new(), Place::new());
    let (start, source) = (std::sync::Barrier::new(8), key_in(&mock.keyring, "key"));
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (path, source, start) = (place.path("store"), &source, &start);
            scope.spawn(move || {
                start.wait();
                put(&FileStore::open(path, source).unwrap(), &format!("account {thread}"));
            });
        }
    });
    let listing = FileStore::open(place.path("store"), &source).unwrap().list().unwrap();
    assert_eq!((listing.entries.len(), listing.problems.len()), (8, 0));
}

#[test]
fn au_43_a_keyring_that_is_locked_or_holds_something_else_costs_nothing() {
    let (mock, place) = (Mock::new(), Place::new());
    let source = key_in(&mock.keyring, "key");
    let key = put(&FileStore::open(place.path("store"), &source).unwrap(), "ana");
    mock.refuse_next("key");
    let error = FileStore::open(place.path("store"), &source).unwrap_err();
    assert!(matches!(error, StoreError::Keyring { .. }), "{error}");
    assert!(error.to_string().contains("the mock keyring cannot be read: it is locked"), "{error}");
    let kept = mock.secret("key").unwrap();
    mock.replace("key", b"something-canary");
    let error = FileStore::open(place.path("store"), &source).unwrap_err();
    assert!(
        matches!(error, StoreError::KeyUnavailable { .. }) && !error.to_string().contains("canary"),
        "{error}"
    );
    assert_eq!(mock.secret("key").unwrap(), b"something-canary");
    mock.replace("key", &kept);
    assert!(FileStore::open(place.path("store"), &source).unwrap().load(&key).unwrap().is_some());
}

fn store(place: &Place, keyring: &Keyring) -> KeyringStore {
    KeyringStore::open(place.path("locks"), keyring.clone()).unwrap()
}

#[test]
fn tokens_in_a_keyring_are_found_again_by_their_name_alone() {
    let mut keyrings = vec![Mock::new().keyring];
    keyrings.extend(kernel("tokens_in_a_keyring_are_found_again_by_their_name_alone"));
    for keyring in keyrings {
        let place = Place::new();
        let (ana, bob) = (unique(), unique());
        let keys = [put(&store(&place, &keyring), &ana), put(&store(&place, &keyring), &bob)];
        let again = store(&place, &keyring);
        for (key, account) in keys.iter().zip([&ana, &bob]) {
            let tokens = again.load(key).unwrap().unwrap().tokens.unwrap();
            assert_eq!(tokens.access_token.expose(), format!("AT-canary-{account}"));
        }
        let mut expected = keys.to_vec();
        expected.sort();
        assert_eq!(again.list().unwrap().entries, expected);
        for key in &keys {
            let lock = again.try_lock(key).unwrap().unwrap();
            again.reserve(&lock, key).unwrap();
            assert!(again.load(key).unwrap().is_some(), "{keyring}: making room changes nothing");
            assert!(again.remove(&lock, key).unwrap());
            assert!(!again.remove(&lock, key).unwrap());
        }
        assert!(again.list().unwrap().entries.is_empty());
        // The folder of locks holds nothing worth stealing.
        for file in fs::read_dir(place.path("locks")).unwrap() {
            assert_eq!(file.unwrap().metadata().unwrap().len(), 0);
        }
        assert!(!format!("{again:?}").contains("canary"));
    }
}

#[test]
fn a_keyrings_store_excludes_a_second_holder() {
    let (mock, place) = (Mock::new(), Place::new());
    let (one, two) = (store(&place, &mock.keyring), store(&place, &mock.keyring));
    let (ana, bob) = (entry("ana"), entry("bob"));
    let held = one.try_lock(&ana).unwrap().unwrap();
    assert!(two.try_lock(&ana).unwrap().is_none());
    assert!(two.try_lock(&bob).unwrap().is_some());
    drop(held);
    assert!(two.try_lock(&ana).unwrap().is_some());
}

#[test]
fn au_41_a_folder_of_locks_that_others_can_reach_is_refused() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let (mock, place) = (Mock::new(), Place::new());
    let open = || KeyringStore::open(place.path("locks"), mock.keyring.clone());
    put(&open().unwrap(), "ana");
    let (locks, kept) = (place.path("locks"), place.path("kept"));
    fs::set_permissions(&locks, fs::Permissions::from_mode(0o770)).unwrap();
    assert!(matches!(open(), Err(StoreError::Unsafe { reason: Unsafe::Mode(0o770), .. })));
    fs::set_permissions(&locks, fs::Permissions::from_mode(0o700)).unwrap();
    fs::rename(&locks, &kept).unwrap();
    symlink(&kept, &locks).unwrap();
    assert!(matches!(open(), Err(StoreError::Unsafe { reason: Unsafe::Symlink, .. })));
}

fn name_of(mock: &Mock, key: &EntryKey, place: &Place) -> String {
    // The lock's file has the item's name.
    drop(store(place, &mock.keyring).try_lock(key).unwrap());
    let locks = fs::read_dir(place.path("locks")).unwrap().map(|file| file.unwrap().path());
    let stem = |path: std::path::PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let mut names = locks.map(stem).filter(|name| {
        let mut items = mock.store.inner.lock().unwrap();
        items.get_mut().iter().any(|item| item.specifiers.1 == *name)
    });
    names.next().unwrap()
}

#[test]
fn au_42_a_damaged_item_is_set_aside_and_reported_once_and_others_stay_readable() {
    let (mock, place) = (Mock::new(), Place::new());
    let store = store(&place, &mock.keyring);
    let ana = put(&store, "ana");
    let name = name_of(&mock, &ana, &place);
    let bob = put(&store, "bob");
    let good = mock.secret(&name).unwrap();
    for damaged in [&good[..good.len() / 2], b"".as_slice(), b"postkey-1.e30", b"nonsense"] {
        mock.replace(&name, damaged);
        let error = store.load(&ana).unwrap_err();
        let StoreError::Corrupt { set_aside: Some(_), .. } = &error else { panic!("{error:?}") };
        assert!(error.to_string().contains(".corrupt"), "{error}");
        assert_eq!(mock.secret(&format!("{name}.corrupt")).unwrap(), damaged);
        assert_eq!(store.load(&ana).unwrap(), None, "reported once, then simply not there");
        assert!(store.load(&bob).unwrap().is_some());
        put(&store, "ana");
    }
    mock.replace(&name, b"postkey-7.e30");
    assert!(matches!(store.load(&ana), Err(StoreError::Version { found: 7, .. })));
    let lock = store.try_lock(&ana).unwrap().unwrap();
    assert!(matches!(store.save(&lock, &ana, &Record::default()), Err(StoreError::Version { .. })));
    assert_eq!(mock.secret(&name).unwrap(), b"postkey-7.e30");
}

#[tokio::test]
async fn a_keyring_that_takes_nothing_spends_no_refresh_token() {
    let (mock, place, clock) = (Mock::new(), Place::new(), FakeClock::new());
    let http = FakeHttp::answering([granted("AT-1", "RT-1", 3600)]);
    let client = client(&http, &clock);
    let store = store(&place, &mock.keyring);
    let wanted = Wanted::new("ana", &client, imap_scopes(), Renewal::Refresh);
    let mut tokens = Tokens::bearer(Secret::from("AT-0"), 1, 2);
    tokens.refresh_token = Some(Secret::from("RT-0"));
    save(&store, &wanted.key, tokens, &clock).await.unwrap();
    let name = name_of(&mock, &wanted.key, &place);
    // The probe's item is there from the first time on.
    let lock = store.try_lock(&wanted.key).unwrap().unwrap();
    store.reserve(&lock, &wanted.key).unwrap();
    drop(lock);
    mock.refuse_next(&format!("{name}.tmp"));
    let error = access_token(&store, &client, &wanted).await.unwrap_err();
    assert!(matches!(error, Error::Store(StoreError::Keyring { .. })), "{error}");
    assert!(http.seen().is_empty(), "nobody was asked");
    // From within a runtime, too: the keyring has a thread of its own.
    assert_eq!(access_token(&store, &client, &wanted).await.unwrap().token.expose(), "AT-1");
    let stored = store.load(&wanted.key).unwrap().unwrap().tokens.unwrap();
    assert_eq!(stored.refresh_token.unwrap().expose(), "RT-1");
}
