//! Where the store's key may lie: age files, systemd credentials, text from elsewhere; and moving it, AU-43.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use postkey_auth::Tokens;
use postkey_auth::store::age::Recipient;
use postkey_auth::store::{
    AgeKey, EntryKey, FileStore, KeySource, Record, StoreError, TokenStore, Unsafe, rewrap,
};
use proptest::prelude::*;
use wire::{Secret, SecretBytes};

use crate::support::*;

/// Made by age-keygen's rules for this test: a private key and its public one.
pub(crate) const IDENTITY: &str =
    "# a comment\nAGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33\n";
/// The public key of [`IDENTITY`].
pub(crate) const RECIPIENT: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";
const SSH: [(&str, &str); 4] = [
    ("ed25519", include_str!("ssh/ed25519")),
    ("rsa", include_str!("ssh/rsa")),
    ("locked", include_str!("ssh/locked")),
    ("ecdsa", include_str!("ssh/ecdsa")),
];
/// The passphrase of the SSH key `locked`.
const PASSPHRASE: &str = "correct horse";

/// A folder for a store with keys of all kinds beside it.
pub(crate) struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        place.private("identity", IDENTITY);
        for (name, key) in SSH {
            place.private(name, key);
        }
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn private(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    fn age(&self, identity: &str) -> AgeKey {
        AgeKey::with_identity(self.path("key.age"), self.path(identity), None)
    }

    fn open(&self, source: &KeySource) -> Result<FileStore, StoreError> {
        FileStore::open(self.path("store"), source)
    }
}

pub(crate) fn put(store: &dyn TokenStore, account: &str) -> EntryKey {
    let key = entry(account);
    let lock = store.try_lock(&key).unwrap().unwrap();
    let tokens = Tokens::bearer(Secret::from(format!("AT-canary-{account}")), 10, 20);
    store.save(&lock, &key, &Record { tokens: Some(tokens), failure: None }).unwrap();
    key
}

fn holds(store: &FileStore, account: &str) -> bool {
    store.load(&entry(account)).unwrap().is_some()
}

fn unavailable(result: Result<FileStore, StoreError>) -> String {
    match result {
        Err(StoreError::KeyUnavailable { reason }) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_kind_of_age_key_is_made_once_and_opens_the_store_again() {
    let passphrase = || Some(Secret::from(PASSPHRASE));
    type Make = fn(&Place) -> AgeKey;
    let kinds: [(&str, Make); 4] = [
        ("X25519", |place| place.age("identity")),
        ("ssh-ed25519", |place| place.age("ed25519")),
        ("ssh-rsa", |place| place.age("rsa")),
        ("passphrase", |place| {
            AgeKey::with_passphrase(place.path("key.age"), Secret::from("words of canary"))
        }),
    ];
    for (kind, make) in kinds {
        let place = Place::new();
        let source = KeySource::Age(make(&place));
        put(&place.open(&source).unwrap(), "ana");
        let wrapped = fs::read(place.path("key.age")).unwrap();
        assert!(wrapped.starts_with(b"age-encryption.org/v1\n"), "{kind}");
        assert_eq!(fs::metadata(place.path("key.age")).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(holds(&place.open(&source).unwrap(), "ana"), "{kind}");
        assert_eq!(fs::read(place.path("key.age")).unwrap(), wrapped, "{kind}: made once");
        // Nothing but the wrapped key tells what the key is.
        let shown = format!("{source:?} {source}");
        assert!(!shown.contains("canary"), "{shown}");
        // A missing key with entries is not a first start.
        fs::remove_file(place.path("key.age")).unwrap();
        assert!(
            unavailable(place.open(&source)).contains("key.age does not exist, yet the store holds entries")
        );
        assert!(!place.path("key.age").exists(), "{kind}");
    }
    let place = Place::new();
    let locked = |passphrase| {
        KeySource::Age(AgeKey::with_identity(place.path("key.age"), place.path("locked"), passphrase))
    };
    put(&place.open(&locked(passphrase())).unwrap(), "ana");
    assert!(holds(&place.open(&locked(passphrase())).unwrap(), "ana"));
    assert!(unavailable(place.open(&locked(None))).contains("encrypted; give its passphrase"));
    let wrong = Some(Secret::from("battery staple"));
    assert!(unavailable(place.open(&locked(wrong))).contains("passphrase of the SSH key is wrong"));
}

#[test]
fn au_43_another_identity_or_passphrase_is_refused_and_changes_nothing() {
    let place = Place::new();
    put(&place.open(&KeySource::Age(place.age("identity"))).unwrap(), "ana");
    let wrapped = fs::read(place.path("key.age")).unwrap();
    for other in ["ed25519", "rsa"] {
        let reason = unavailable(place.open(&KeySource::Age(place.age(other))));
        assert!(reason.contains("sealed for others"), "{reason}");
    }
    let passphrase = AgeKey::with_passphrase(place.path("key.age"), Secret::from("x"));
    unavailable(place.open(&KeySource::Age(passphrase)));
    assert!(unavailable(place.open(&KeySource::Age(place.age("ecdsa")))).contains("of SSH keys only"));
    assert!(
        unavailable(place.open(&KeySource::Age(place.age("nowhere")))).contains("nowhere does not exist")
    );
    place.private("garbage", "AGE-SECRET-KEY-1CANARY\n");
    let reason = unavailable(place.open(&KeySource::Age(place.age("garbage"))));
    assert!(reason.contains("line 1") && !reason.contains("CANARY"), "{reason}");
    assert_eq!(fs::read(place.path("key.age")).unwrap(), wrapped);
    assert!(holds(&place.open(&KeySource::Age(place.age("identity"))).unwrap(), "ana"));
}

#[test]
fn au_43_a_wrong_passphrase_is_refused() {
    let place = Place::new();
    let path = place.private("key.age", quick_passphrase("right", "07".repeat(32).as_bytes()));
    let source = |words: &str| KeySource::Age(AgeKey::with_passphrase(&path, Secret::from(words)));
    put(&place.open(&source("right")).unwrap(), "ana");
    assert!(unavailable(place.open(&source("wrong"))).contains("passphrase is wrong"));
    assert!(holds(&place.open(&source("right")).unwrap(), "ana"));
}

#[test]
fn a_passphrase_that_asks_for_too_much_memory_is_not_tried() {
    let place = Place::new();
    // The factor stands in the header in clear text: no need to do the work.
    let mut wrapped = quick_passphrase("p", b"");
    let header = wrapped
        .windows(3)
        .position(|run| {
            run == b" 1
"
        })
        .unwrap();
    wrapped.splice(header + 1..header + 2, *b"21");
    let source =
        KeySource::Age(AgeKey::with_passphrase(place.private("key.age", wrapped), Secret::from("p")));
    let reason = unavailable(place.open(&source));
    assert!(reason.contains("1 GiB"), "{reason}");
}

#[test]
fn several_recipients_open_one_key() {
    let place = Place::new();
    let recipients =
        [include_str!("ssh/ed25519.pub"), include_str!("ssh/rsa.pub"), include_str!("ssh/locked.pub")];
    let recipients = recipients.map(|line| line.parse::<Recipient>().unwrap());
    put(&place.open(&KeySource::Age(place.age("identity").also_to(recipients.clone()))).unwrap(), "ana");
    for identity in ["identity", "ed25519", "rsa"] {
        assert!(holds(&place.open(&KeySource::Age(place.age(identity))).unwrap(), "ana"), "{identity}");
    }
    let mixed = AgeKey::with_passphrase(place.path("other.age"), Secret::from("x")).also_to(recipients);
    let empty = FileStore::open(place.path("empty"), &KeySource::Age(mixed));
    assert!(unavailable(empty).contains("not for both"));
}

#[test]
fn recipients_are_public_keys() {
    for refused in [
        include_str!("ssh/ecdsa.pub"),
        IDENTITY.lines().nth(1).unwrap(),
        "age1canary",
        "ssh-ed25519 canary",
        "",
        "/home/ana/.ssh/id_ed25519.pub",
    ] {
        let error = refused.parse::<Recipient>().unwrap_err();
        assert!(matches!(error, StoreError::Transfer { .. }), "{refused}");
        assert!(!error.to_string().contains("GQ9778") && !error.to_string().contains("canary"), "{error}");
    }
    let recipient: Recipient = RECIPIENT.parse().unwrap();
    assert_eq!(recipient.to_string(), RECIPIENT);
}

#[test]
fn au_41_a_wrapped_key_or_identity_that_others_can_reach_is_refused() {
    let place = Place::new();
    let source = KeySource::Age(place.age("identity"));
    put(&place.open(&source).unwrap(), "ana");
    for name in ["key.age", "identity"] {
        let (path, kept) = (place.path(name), place.path("kept"));
        for open in [0o644, 0o660, 0o604] {
            fs::set_permissions(&path, fs::Permissions::from_mode(open)).unwrap();
            match place.open(&source) {
                Err(StoreError::Unsafe { reason: Unsafe::Mode(mode), path: found }) => {
                    assert_eq!((mode, &found), (open, &path));
                }
                other => panic!("{other:?}"),
            }
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::rename(&path, &kept).unwrap();
        symlink(&kept, &path).unwrap();
        let refused = place.open(&source);
        assert!(matches!(refused, Err(StoreError::Unsafe { reason: Unsafe::Symlink, .. })), "{refused:?}");
        fs::rename(&kept, &path).unwrap();
    }
    assert!(holds(&place.open(&source).unwrap(), "ana"));
}

#[test]
fn au_42_every_flipped_bit_of_a_wrapped_key_is_a_typed_error_and_costs_nothing() {
    let place = Place::new();
    let source = KeySource::Age(place.age("identity"));
    put(&place.open(&source).unwrap(), "ana");
    let wrapped = fs::read(place.path("key.age")).unwrap();
    for bit in 0..wrapped.len() * 8 {
        let mut flipped = wrapped.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        fs::write(place.path("key.age"), &flipped).unwrap();
        match place.open(&source) {
            Err(StoreError::KeyDamaged { path }) => assert_eq!(path, place.path("key.age")),
            Err(StoreError::KeyUnavailable { reason }) => assert!(reason.contains("key.age"), "{reason}"),
            other => panic!("bit {bit}: {other:?}"),
        }
        assert_eq!(fs::read(place.path("key.age")).unwrap(), flipped, "it is left as it is");
    }
    for length in 0..wrapped.len() {
        fs::write(place.path("key.age"), &wrapped[..length]).unwrap();
        assert!(matches!(place.open(&source), Err(StoreError::KeyDamaged { .. })), "{length}");
    }
    fs::write(place.path("key.age"), &wrapped).unwrap();
    assert!(holds(&place.open(&source).unwrap(), "ana"), "and the entries are still there");
}

/// An age file for a passphrase, with the lowest work factor: the usual one takes a second.
fn quick_passphrase(passphrase: &str, content: &[u8]) -> Vec<u8> {
    let mut recipient = age::scrypt::Recipient::new(passphrase.to_owned().into());
    recipient.set_work_factor(1);
    age::encrypt(&recipient, content).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn au_42_a_damaged_passphrase_key_is_a_typed_error(at: proptest::sample::Index, bit in 0..8u32) {
        let place = Place::new();
        let wrapped = quick_passphrase("p", "07".repeat(32).as_bytes());
        let path = place.private("key.age", &wrapped);
        let source = KeySource::Age(AgeKey::with_passphrase(&path, Secret::from("p")));
        prop_assert!(place.open(&source).is_ok());
        let mut flipped = wrapped.clone();
        let at = at.index(flipped.len());
        flipped[at] ^= 1 << bit;
        fs::write(&path, &flipped).unwrap();
        let refused = place.open(&source);
        prop_assert!(
            matches!(refused, Err(StoreError::KeyDamaged { .. } | StoreError::KeyUnavailable { .. })),
            "{at} {bit} {refused:?}"
        );
    }
}

fn credential(place: &Place, content: impl AsRef<[u8]>, mode: u32) -> KeySource {
    // Whoever is not the superuser cannot write over one that is read-only.
    let _ = fs::remove_file(place.path("credential"));
    let path = place.private("credential", content);
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    KeySource::Credential(path)
}

#[test]
fn a_systemd_credential_holds_octets_or_digits_and_is_never_made() {
    let place = Place::new();
    let missing = KeySource::Credential(place.path("credential"));
    assert!(unavailable(place.open(&missing)).contains("LoadCredential"));
    assert!(!place.path("credential").exists());
    // systemd gives 0400, or 0440 with an access control list.
    put(&place.open(&credential(&place, [7; 32], 0o400)).unwrap(), "ana");
    assert!(holds(&place.open(&credential(&place, "07".repeat(32) + "\n", 0o440)).unwrap(), "ana"));
    assert!(unavailable(place.open(&credential(&place, "canary", 0o400))).contains("neither 32 octets"));
    for open in [0o444, 0o460, 0o402] {
        let refused = place.open(&credential(&place, [7; 32], open));
        assert!(
            matches!(refused, Err(StoreError::Unsafe { reason: Unsafe::Mode(mode), .. }) if mode == open)
        );
    }
    let link = place.path("link");
    symlink(place.path("credential"), &link).unwrap();
    let refused = place.open(&KeySource::Credential(link));
    assert!(matches!(refused, Err(StoreError::Unsafe { reason: Unsafe::Symlink, .. })));
    for name in ["", "a/b", "..", "/etc/passwd"] {
        assert!(matches!(KeySource::credential(name), Err(StoreError::KeyUnavailable { .. })), "{name}");
    }
}

/// The plain file that every test of moving begins with, and its store with one entry.
fn plain(place: &Place) -> KeySource {
    let source = KeySource::File(place.path("plain"));
    put(&place.open(&source).unwrap(), "ana");
    source
}

fn entries(place: &Place) -> Vec<(PathBuf, Vec<u8>)> {
    let files = fs::read_dir(place.path("store")).unwrap().map(|file| file.unwrap().path());
    let mut entries: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|e| e == "token"))
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    entries.sort();
    entries
}

fn moved(place: &Place, from: &KeySource, to: &KeySource) -> Result<(), StoreError> {
    rewrap(&place.path("store"), from, to)
}

#[test]
fn a_key_moves_from_source_to_source_and_no_entry_is_touched() {
    let place = Place::new();
    let from = plain(&place);
    let before = entries(&place);
    let text = fs::read(place.path("plain")).unwrap();
    let age = KeySource::Age(place.age("ed25519"));
    moved(&place, &from, &age).unwrap();
    moved(&place, &from, &age).unwrap();
    assert!(holds(&place.open(&age).unwrap(), "ana"));
    let back = KeySource::File(place.path("back"));
    moved(&place, &age, &back).unwrap();
    assert_eq!(fs::read(place.path("back")).unwrap(), text);
    assert_eq!(entries(&place), before);
    // A source that cannot take a key is accepted if it gives the same one.
    let same = KeySource::from_text(&Secret::from(String::from_utf8(text).unwrap())).unwrap();
    moved(&place, &from, &same).unwrap();
    assert!(holds(&place.open(&same).unwrap(), "ana"));
}

#[test]
fn au_43_a_move_overwrites_no_other_key_and_begins_with_the_right_one() {
    let place = Place::new();
    let from = plain(&place);
    let other = KeySource::File(place.path("other"));
    FileStore::open(place.path("another store"), &other).unwrap();
    let kept = fs::read(place.path("other")).unwrap();
    let error = moved(&place, &from, &other).unwrap_err();
    assert!(error.to_string().contains("holds another key already; it is left as it is"), "{error}");
    assert_eq!(fs::read(place.path("other")).unwrap(), kept);
    let new = KeySource::Age(place.age("identity"));
    assert!(matches!(moved(&place, &other, &new), Err(StoreError::WrongKey { .. })));
    let missing = KeySource::File(place.path("nowhere"));
    assert!(matches!(moved(&place, &missing, &new), Err(StoreError::KeyUnavailable { .. })));
    let bytes = KeySource::Bytes(SecretBytes::new(vec![1; 32]));
    assert!(moved(&place, &from, &bytes).is_err());
    assert!(!place.path("key.age").exists());
    assert!(holds(&place.open(&from).unwrap(), "ana"));
}

#[test]
fn a_store_of_version_0_1_0_opens() {
    // Written by that version's program, signed in at its sandbox.
    let place = Place::new();
    let written = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/store-0.1.0");
    let key = place.private("key", fs::read(written.join("tokens.key")).unwrap());
    let store = place.open(&KeySource::File(key)).unwrap();
    for file in fs::read_dir(written.join("tokens")).unwrap() {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        place.private(&format!("store/{name}"), fs::read(file.path()).unwrap());
    }
    let listing = store.list().unwrap();
    assert!(listing.problems.is_empty(), "{:?}", listing.problems);
    let [entry] = &listing.entries[..] else { panic!("{listing:?}") };
    assert_eq!(
        (entry.account.as_str(), entry.resource.as_str()),
        ("ana", "https://outlook.office365.com/.default")
    );
    let tokens = store.load(entry).unwrap().unwrap().tokens.unwrap();
    let claims = postkey_auth::Claims::decode(&tokens.access_token).unwrap();
    assert!(format!("{claims:?}").contains("1b991d3f-23ec-8ef3-9b75-29347353c5aa"), "{claims:?}");
    assert!(tokens.refresh_token.is_none());
}
