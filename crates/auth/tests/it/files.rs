//! The store on disk, hostile cases AU-41 to AU-46.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use postkey_auth::store::{
    EntryKey, FileStore, KeySource, MemoryStore, Record, Renewal, StoreError, TokenStore, Unsafe, Wanted,
};
use postkey_auth::{Registration, Tokens};
use proptest::prelude::*;
use wire::{Secret, SecretBytes};

use crate::support::*;

fn bytes(octet: u8) -> KeySource {
    KeySource::Bytes(SecretBytes::new(vec![octet; 32]))
}

fn key_of(account: &str, tenant: &str) -> EntryKey {
    let (clock, http) = (FakeClock::new(), FakeHttp::answering([]));
    let client = client_of("microsoft", Registration::public("CLIENT", tenant), &http, &clock);
    Wanted::new(account, &client, imap_scopes(), Renewal::Refresh).key
}

async fn tokens(access: &str, refresh: &str) -> Tokens {
    let (clock, http) = (FakeClock::new(), FakeHttp::answering([granted(access, refresh, 3600)]));
    client(&http, &clock).refresh(&Secret::from("RT-old"), &imap_scopes()).await.unwrap()
}

fn put(store: &FileStore, key: &EntryKey, tokens: Tokens) -> Result<(), StoreError> {
    let lock = store.try_lock(key)?.unwrap();
    store.save(&lock, key, &Record { tokens: Some(tokens), failure: None })
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn with_suffix(folder: &Path, suffix: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == suffix))
        .collect();
    found.sort();
    found
}

#[tokio::test]
async fn whoever_only_looks_makes_and_moves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (path, key_file) = (folder.path().join("store"), folder.path().join("key"));
    let ana = key_of("ana", "contoso.example");
    let peek = || FileStore::peek(&path, &key_file, &ana);
    assert_eq!(peek().unwrap(), None);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let store = FileStore::open(&path, &KeySource::File(key_file.clone())).unwrap();
    assert_eq!(peek().unwrap(), None);
    put(&store, &ana, tokens("A", "RT").await).unwrap();
    assert_eq!(peek().unwrap(), store.load(&ana).unwrap());
    assert!(peek().unwrap().is_some());
    // What `open` refuses is refused here too.
    for unsafe_place in [&path, &key_file] {
        let before = mode(unsafe_place);
        fs::set_permissions(unsafe_place, fs::Permissions::from_mode(before | 0o040)).unwrap();
        let error = peek().unwrap_err();
        assert!(matches!(error, StoreError::Unsafe { reason: Unsafe::Mode(_), .. }), "{error}");
        fs::set_permissions(unsafe_place, fs::Permissions::from_mode(before)).unwrap();
    }
    let [entry] = &with_suffix(&path, "token")[..] else { panic!() };
    let whole = fs::read(entry).unwrap();
    fs::write(entry, &whole[1..]).unwrap();
    assert!(matches!(peek().unwrap_err(), StoreError::Corrupt { set_aside: None, .. }));
    assert_eq!(fs::read(entry).unwrap(), &whole[1..]);
    fs::remove_file(&key_file).unwrap();
    assert!(peek().unwrap().is_none() && !key_file.exists());
}

#[tokio::test]
async fn what_is_stored_is_found_again_by_its_name_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/store");
    let store = FileStore::open(&path, &bytes(1)).unwrap();
    let (ana, bob) = (key_of("ana", "contoso.example"), key_of("bob", "contoso.example"));
    let ana_abroad = key_of("ana", "fabrikam.example");
    for (key, token) in [(&ana, "A"), (&bob, "B"), (&ana_abroad, "C")] {
        put(&store, key, tokens(token, "RT").await).unwrap();
    }
    let again = FileStore::open(&path, &bytes(1)).unwrap();
    for (key, token) in [(&ana, "A"), (&bob, "B"), (&ana_abroad, "C")] {
        assert_eq!(again.load(key).unwrap().unwrap().tokens.unwrap().access_token.expose(), token);
    }
    let listing = again.list().unwrap();
    assert_eq!((listing.entries.len(), listing.problems.len()), (3, 0));
    assert!(listing.entries.contains(&ana_abroad));
    assert_eq!(mode(&path), 0o700);
    for file in fs::read_dir(&path).unwrap() {
        let file = file.unwrap();
        assert_eq!(mode(&file.path()), 0o600, "{:?}", file.file_name());
        let name = file.file_name().into_string().unwrap();
        assert!(!name.contains("ana") && !name.contains("contoso"), "{name}");
    }
    let lock = again.try_lock(&ana).unwrap().unwrap();
    assert!(again.remove(&lock, &ana).unwrap());
    assert!(!again.remove(&lock, &ana).unwrap());
    assert_eq!(again.load(&ana).unwrap(), None);
}

fn refused(result: Result<FileStore, StoreError>) -> Unsafe {
    match result {
        Err(StoreError::Unsafe { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn au_41_a_folder_that_others_can_reach_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    fs::create_dir(&path).unwrap();
    for open in [0o750, 0o701, 0o777, 0o710] {
        fs::set_permissions(&path, fs::Permissions::from_mode(open)).unwrap();
        assert_eq!(refused(FileStore::open(&path, &bytes(1))), Unsafe::Mode(open));
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    assert!(FileStore::open(&path, &bytes(1)).is_ok());
    let link = folder.path().join("link");
    symlink(&path, &link).unwrap();
    assert_eq!(refused(FileStore::open(&link, &bytes(1))), Unsafe::Symlink);
    let dangling = folder.path().join("dangling");
    symlink(folder.path().join("nowhere"), &dangling).unwrap();
    assert_eq!(refused(FileStore::open(&dangling, &bytes(1))), Unsafe::Symlink);
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert_eq!(refused(FileStore::open(&file, &bytes(1))), Unsafe::Kind);
    if std::os::unix::fs::chown(&path, Some(12345), None).is_ok() {
        assert_eq!(refused(FileStore::open(&path, &bytes(1))), Unsafe::Owner(12345));
    }
}

#[tokio::test]
async fn au_41_an_entry_or_lock_that_others_can_reach_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let store = FileStore::open(&path, &bytes(1)).unwrap();
    let key = key_of("ana", "contoso.example");
    put(&store, &key, tokens("A", "R").await).unwrap();
    let (entry, lock) = (with_suffix(&path, "token").remove(0), with_suffix(&path, "lock").remove(0));
    for open in [0o644, 0o666, 0o640] {
        fs::set_permissions(&entry, fs::Permissions::from_mode(open)).unwrap();
        assert!(
            matches!(store.load(&key), Err(StoreError::Unsafe { reason: Unsafe::Mode(found), .. }) if found == open)
        );
    }
    fs::set_permissions(&entry, fs::Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(&lock, fs::Permissions::from_mode(0o666)).unwrap();
    assert!(matches!(store.try_lock(&key), Err(StoreError::Unsafe { .. })));
    fs::remove_file(&lock).unwrap();
    symlink("/dev/null", &lock).unwrap();
    assert!(matches!(store.try_lock(&key), Err(StoreError::Unsafe { reason: Unsafe::Symlink, .. })));
    let elsewhere = folder.path().join("elsewhere");
    fs::rename(&entry, &elsewhere).unwrap();
    symlink(&elsewhere, &entry).unwrap();
    assert!(matches!(store.load(&key), Err(StoreError::Unsafe { reason: Unsafe::Symlink, .. })));
    // The temporary file is not written through a link either.
    fs::remove_file(&entry).unwrap();
    fs::remove_file(&lock).unwrap();
    let target = folder.path().join("target");
    fs::write(&target, "precious").unwrap();
    symlink(&target, entry.with_extension("tmp")).unwrap();
    assert!(put(&store, &key, tokens("A", "R").await).is_err());
    assert_eq!(fs::read(&target).unwrap(), b"precious");
}

#[tokio::test]
async fn au_42_a_damaged_entry_is_set_aside_and_reported_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let store = FileStore::open(&path, &bytes(1)).unwrap();
    let key = key_of("ana", "contoso.example");
    put(&store, &key, tokens("A", "R").await).unwrap();
    let entry = with_suffix(&path, "token").remove(0);
    let good = fs::read(&entry).unwrap();
    let mut damage: Vec<Vec<u8>> =
        [0, 1, 20, 21, 33, 60, good.len() - 1].map(|at| good[..at].to_vec()).to_vec();
    for at in [0, 4, 5, 13, 21, 40, good.len() - 1] {
        let mut flipped = good.clone();
        flipped[at] ^= 0x10;
        damage.push(flipped);
    }
    for damaged in damage {
        fs::write(&entry, &damaged).unwrap();
        let error = store.load(&key).unwrap_err();
        let StoreError::Corrupt { set_aside: Some(kept), .. } = &error else { panic!("{error:?}") };
        assert_eq!(fs::read(kept).unwrap(), damaged);
        assert!(error.to_string().contains(".corrupt"));
        assert_eq!(store.load(&key).unwrap(), None, "reported once, then simply not there");
        put(&store, &key, tokens("A", "R").await).unwrap();
        assert!(store.load(&key).unwrap().is_some());
    }
}

#[tokio::test]
async fn au_42_while_somebody_writes_a_damaged_entry_stays_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let store = FileStore::open(&path, &bytes(1)).unwrap();
    let key = key_of("ana", "contoso.example");
    put(&store, &key, tokens("A", "R").await).unwrap();
    let entry = with_suffix(&path, "token").remove(0);
    fs::write(&entry, "damaged").unwrap();
    let held = store.try_lock(&key).unwrap().unwrap();
    assert!(matches!(store.load(&key), Err(StoreError::Corrupt { set_aside: None, .. })));
    assert_eq!(fs::read(&entry).unwrap(), b"damaged");
    drop(held);
    assert!(matches!(store.load(&key), Err(StoreError::Corrupt { set_aside: Some(_), .. })));
}

#[tokio::test]
async fn au_43_another_key_reads_nothing_and_overwrites_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let key = key_of("ana", "contoso.example");
    let store = FileStore::open(&path, &bytes(1)).unwrap();
    put(&store, &key, tokens("A", "R").await).unwrap();
    let other = FileStore::open(&path, &bytes(2)).unwrap();
    assert!(matches!(other.load(&key), Err(StoreError::WrongKey { .. })));
    assert!(matches!(put(&other, &key, tokens("B", "R").await), Err(StoreError::WrongKey { .. })));
    assert!(matches!(other.list().unwrap().problems[..], [StoreError::WrongKey { .. }]));
    assert!(store.load(&key).unwrap().is_some());
    for length in [0, 16, 31, 33] {
        let short = KeySource::Bytes(SecretBytes::new(vec![0; length]));
        assert!(matches!(FileStore::open(&path, &short), Err(StoreError::KeyUnavailable { .. })));
    }
}

#[tokio::test]
async fn au_43_a_key_file_is_made_once_and_never_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let (path, file) = (folder.path().join("store"), folder.path().join("key"));
    let source = KeySource::File(file.clone());
    let key = key_of("ana", "contoso.example");
    let store = FileStore::open(&path, &source).unwrap();
    assert_eq!(mode(&file), 0o600);
    assert_eq!(fs::read_to_string(&file).unwrap().trim().len(), 64);
    put(&store, &key, tokens("A", "R").await).unwrap();
    assert!(FileStore::open(&path, &source).unwrap().load(&key).unwrap().is_some());
    assert!(with_suffix(folder.path(), "tmp").is_empty());

    let kept = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    assert!(matches!(FileStore::open(&path, &source), Err(StoreError::KeyUnavailable { .. })));
    assert!(!file.exists(), "a new key would lock the old entries for good");
    for wrong in ["", "zz", &"0".repeat(63), &"0".repeat(65), &"g".repeat(64)] {
        fs::write(&file, wrong).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(FileStore::open(&path, &source), Err(StoreError::KeyUnavailable { .. })), "{wrong}");
    }
    fs::write(&file, kept).unwrap();
    assert!(FileStore::open(&path, &source).is_ok());
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(refused(FileStore::open(&path, &source)), Unsafe::Mode(0o644));
    let link = folder.path().join("link");
    symlink(&file, &link).unwrap();
    assert_eq!(refused(FileStore::open(&path, &KeySource::File(link))), Unsafe::Symlink);
}

#[test]
fn many_first_starts_at_once_agree_on_one_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let source = KeySource::File(folder.path().join("key"));
    let start = std::sync::Barrier::new(8);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (path, source, start) = (&path, &source, &start);
            scope.spawn(move || {
                start.wait();
                let store = FileStore::open(path, source).unwrap();
                let key = key_of(&format!("account {thread}"), "contoso.example");
                let lock = store.try_lock(&key).unwrap().unwrap();
                store.save(&lock, &key, &Record::default()).unwrap();
            });
        }
    });
    let listing = FileStore::open(&path, &source).unwrap().list().unwrap();
    assert_eq!((listing.entries.len(), listing.problems.len()), (8, 0));
}

#[tokio::test]
async fn au_44_an_entry_of_a_newer_program_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let store = FileStore::open(&path, &bytes(1)).unwrap();
    let key = key_of("ana", "contoso.example");
    put(&store, &key, tokens("A", "R").await).unwrap();
    let entry = with_suffix(&path, "token").remove(0);
    let mut newer = fs::read(&entry).unwrap();
    newer[4] = 9;
    // The check of the header, computed here from its description: a label, the length as 8 octets, the 13 octets.
    let mut checked = b"postkey header".to_vec();
    checked.extend_from_slice(&13u64.to_be_bytes());
    checked.extend_from_slice(&newer[..13]);
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &checked);
    newer[13..21].copy_from_slice(&digest.as_ref()[..8]);
    fs::write(&entry, &newer).unwrap();
    assert!(matches!(store.load(&key), Err(StoreError::Version { found: 9, .. })));
    assert!(matches!(put(&store, &key, tokens("B", "R").await), Err(StoreError::Version { .. })));
    assert_eq!(fs::read(&entry).unwrap(), newer);
}

#[tokio::test]
async fn au_45_entries_cannot_be_swapped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let store = FileStore::open(&path, &bytes(1)).unwrap();
    let (ana, bob) = (key_of("ana", "contoso.example"), key_of("bob", "contoso.example"));
    put(&store, &ana, tokens("A", "R").await).unwrap();
    put(&store, &bob, tokens("B", "R").await).unwrap();
    let [one, two] = &with_suffix(&path, "token")[..] else { panic!() };
    let aside = folder.path().join("aside");
    fs::rename(one, &aside).unwrap();
    fs::rename(two, one).unwrap();
    fs::rename(&aside, two).unwrap();
    assert!(matches!(store.load(&ana), Err(StoreError::Corrupt { .. })));
    assert!(matches!(store.load(&bob), Err(StoreError::Corrupt { .. })));
}

#[tokio::test]
async fn au_46_nothing_readable_is_left_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let store = FileStore::open(&path, &bytes(1)).unwrap();
    let key = key_of("ana", "contoso.example");
    put(&store, &key, tokens("ACCESS-canary-1", "REFRESH-canary-1").await).unwrap();
    let lock = store.try_lock(&key).unwrap().unwrap();
    store.reserve(&lock, &key).unwrap();
    assert_eq!(with_suffix(&path, "tmp").len(), 1, "as if killed before the new entry was written");
    for file in fs::read_dir(&path).unwrap() {
        let file = file.unwrap();
        assert_eq!(mode(&file.path()), 0o600);
        let octets = fs::read(file.path()).unwrap();
        for word in ["canary", "ana", "contoso", "CLIENT"] {
            assert!(
                !octets.windows(word.len()).any(|run| run == word.as_bytes()),
                "{word} in {:?}",
                file.file_name()
            );
        }
    }
    // The next writer takes the place over, and a shorter entry leaves no rest of a longer one.
    store.save(&lock, &key, &Record::default()).unwrap();
    assert!(with_suffix(&path, "tmp").is_empty());
    assert_eq!(store.load(&key).unwrap(), Some(Record::default()));
    store.reserve(&lock, &key).unwrap();
    store.remove(&lock, &key).unwrap();
    assert!(with_suffix(&path, "tmp").is_empty());
}

#[test]
fn au_38_what_a_killed_writer_wrote_whole_is_finished_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (folder.path().join("here"), folder.path().join("there"));
    let (store, other) =
        (FileStore::open(&here, &bytes(1)).unwrap(), FileStore::open(&there, &bytes(1)).unwrap());
    let (ana, bob) = (key_of("ana", "t"), key_of("bob", "t"));
    let at = |at: u64| Tokens::bearer(Secret::from(format!("AT-{at}")), at, at + 1);
    put(&store, &ana, at(10)).unwrap();
    let entry = with_suffix(&here, "token").remove(0);
    let sealed = |key: &EntryKey, tokens| {
        put(&other, key, tokens).unwrap();
        let file = with_suffix(&there, "token").remove(0);
        let octets = fs::read(&file).unwrap();
        fs::remove_file(file).unwrap();
        octets
    };
    let left = |octets: &[u8]| {
        let temporary = entry.with_extension("tmp");
        fs::write(&temporary, octets).unwrap();
        fs::set_permissions(temporary, fs::Permissions::from_mode(0o600)).unwrap();
    };
    let locked = || {
        let lock = store.try_lock(&ana).unwrap().unwrap();
        store.load_locked(&lock, &ana).unwrap().unwrap().tokens.unwrap().access_token.expose().to_owned()
    };
    let whole = sealed(&ana, at(11));
    // Half an entry, reserved room, another's entry, an older one, another key's: not it.
    left(&whole[..whole.len() - 1]);
    assert_eq!(locked(), "AT-10");
    left(&[&whole[..], &[0; 100]].concat());
    assert_eq!(locked(), "AT-10");
    for other in [sealed(&bob, at(12)), sealed(&ana, at(9))] {
        left(&other);
        assert_eq!(locked(), "AT-10");
    }
    left(&whole);
    assert_eq!(store.load(&ana).unwrap().unwrap().tokens.unwrap().access_token.expose(), "AT-10");
    assert_eq!(locked(), "AT-11");
    assert_eq!(store.load(&ana).unwrap().unwrap().tokens.unwrap().access_token.expose(), "AT-11");
    assert!(with_suffix(&here, "tmp").is_empty());
    // In place of a damaged one, too, which is kept.
    fs::write(&entry, "damaged").unwrap();
    left(&sealed(&ana, at(13)));
    assert_eq!(locked(), "AT-13");
    assert_eq!(fs::read(entry.with_extension("corrupt")).unwrap(), b"damaged");
}

#[test]
fn both_stores_exclude_a_second_holder() {
    let folder = tempfile::tempdir().unwrap();
    let files = FileStore::open(folder.path().join("store"), &bytes(1)).unwrap();
    let memory = MemoryStore::default();
    let (ana, bob) = (key_of("ana", "t"), key_of("bob", "t"));
    for store in [&files as &dyn TokenStore, &memory] {
        let held = store.try_lock(&ana).unwrap().unwrap();
        assert!(store.try_lock(&ana).unwrap().is_none());
        assert!(store.try_lock(&bob).unwrap().is_some());
        drop(held);
        assert!(store.try_lock(&ana).unwrap().is_some());
    }
}

/// A store with three entries, and the file of the first one.
fn three_entries(folder: &Path) -> (FileStore, [EntryKey; 3], PathBuf) {
    let store = FileStore::open(folder.join("store"), &bytes(1)).unwrap();
    let keys = ["ana", "bob", "eve"].map(|account| key_of(account, "t"));
    let mut first = None;
    for key in &keys {
        let tokens = Tokens::bearer(Secret::from(format!("AT of {}", key.account)), 1, 2);
        put(&store, key, tokens).unwrap();
        first.get_or_insert_with(|| with_suffix(&folder.join("store"), "token").remove(0));
    }
    (store, keys, first.unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn au_42_a_flipped_bit_anywhere_costs_one_entry_and_nothing_else(at: proptest::sample::Index, bit in 0..8u32, by_list: bool) {
        let folder = tempfile::tempdir().unwrap();
        let (store, [ana, bob, eve], file) = three_entries(folder.path());
        let mut octets = fs::read(&file).unwrap();
        let at = at.index(octets.len());
        octets[at] ^= 1 << bit;
        fs::write(&file, &octets).unwrap();
        if by_list {
            let listing = store.list().unwrap();
            prop_assert_eq!(&listing.entries, &[bob.clone(), eve.clone()]);
            let corrupt = matches!(&listing.problems[..], [StoreError::Corrupt { path, .. }] if *path == file);
            prop_assert!(corrupt, "{:?}", listing.problems);
        }
        match store.load(&ana) {
            Err(StoreError::Corrupt { path, set_aside: Some(kept) }) => {
                prop_assert_eq!(path, file);
                prop_assert_eq!(fs::read(kept).unwrap(), octets);
            }
            other => prop_assert!(false, "{at} {bit}: {other:?}"),
        }
        for key in [&bob, &eve] {
            let tokens = store.load(key).unwrap().unwrap().tokens.unwrap();
            let expected = format!("AT of {}", key.account);
            prop_assert_eq!(tokens.access_token.expose(), &expected);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_octets_in_an_entrys_place_are_an_error_and_never_a_panic(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let store = FileStore::open(&path, &bytes(1)).unwrap();
        let key = key_of("ana", "t");
        let lock = store.try_lock(&key).unwrap().unwrap();
        store.save(&lock, &key, &Record::default()).unwrap();
        drop(lock);
        fs::write(with_suffix(&path, "token").remove(0), &octets).unwrap();
        let corrupt = matches!(store.load(&key), Err(StoreError::Corrupt { .. }));
        prop_assert!(corrupt);
    }
}
