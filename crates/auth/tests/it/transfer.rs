//! Tokens handed from one machine to another.

use postkey_auth::Tokens;
use postkey_auth::store::age::{Identity, Recipient};
use postkey_auth::store::{
    EntryKey, Failure, MemoryStore, Record, Renewal, StoreError, TokenStore, Wanted, access_token, export,
    import, restore,
};
use proptest::prelude::*;
use wire::Secret;

use crate::keys::{Place, RECIPIENT};
use crate::support::*;

fn record(at: u64, token: &str) -> Record {
    let mut tokens = Tokens::bearer(Secret::from(token), at, at + 3600);
    tokens.refresh_token = Some(Secret::from("RT-canary"));
    tokens.scope = imap_scopes();
    Record { tokens: Some(tokens), failure: None }
}

fn recipients() -> Vec<Recipient> {
    [RECIPIENT, include_str!("ssh/rsa.pub")].map(|text| text.parse().unwrap()).to_vec()
}

fn identity(place: &Place, name: &str) -> Identity {
    Identity::file(&place.path(name), None).unwrap()
}

fn sealed() -> (Vec<(EntryKey, Record)>, String) {
    let records =
        vec![(entry("ana"), record(100, "AT-canary-ana")), (entry("bob"), record(200, "AT-canary-bob"))];
    let text = export(&records, &recipients()).unwrap();
    (records, text)
}

#[test]
fn each_recipient_opens_what_was_sealed_and_nobody_else() {
    let place = Place::new();
    let (records, text) = sealed();
    assert!(text.starts_with("-----BEGIN AGE ENCRYPTED FILE-----\n"), "{text}");
    for word in ["canary", "ana", "contoso"] {
        assert!(!text.contains(word), "{word}");
    }
    for name in ["identity", "rsa"] {
        assert_eq!(import(&text, &[identity(&place, name)]).unwrap(), records, "{name}");
    }
    // One identity of several is enough, and blanks around the text do no harm.
    let both = [identity(&place, "ed25519"), identity(&place, "identity")];
    assert_eq!(import(&format!("\n  {}\r\n\r\n", text.trim()), &both).unwrap(), records);
    for others in [vec![identity(&place, "ed25519")], vec![]] {
        let error = import(&text, &others).unwrap_err();
        assert!(error.to_string().contains("sealed for others"), "{error}");
    }
    let passphrase = [Recipient::passphrase(&Secret::from("words"))];
    let text = export(&records, &passphrase).unwrap();
    assert_eq!(import(&text, &[Identity::passphrase(&Secret::from("words"))]).unwrap(), records);
    let shown =
        format!("{:?} {:?} {:?}", passphrase, identity(&place, "identity"), import(&text, &[]).unwrap_err());
    assert!(!shown.contains("words") && !shown.contains("SECRET"), "{shown}");
    assert!(!format!("{records:?}").contains("canary"));
}

#[test]
fn there_must_be_tokens_and_recipients() {
    let records = [(entry("ana"), record(1, "AT"))];
    for (records, recipients) in
        [(&records[..], vec![]), (&[], recipients()), (&[(entry("ana"), Record::default())], recipients())]
    {
        assert!(matches!(export(records, &recipients), Err(StoreError::Transfer { .. })));
    }
    let mixed = [Recipient::passphrase(&Secret::from("x")), RECIPIENT.parse().unwrap()];
    assert!(export(&records, &mixed).unwrap_err().to_string().contains("only recipient"));
}

#[tokio::test]
async fn a_refusal_stays_where_it_was_met() {
    let (store, clock) = (MemoryStore::default(), FakeClock::new());
    let http = FakeHttp::answering([refusal("invalid_grant", 700082)]);
    let client = client(&http, &clock);
    let wanted = Wanted::new("ana", &client, imap_scopes(), Renewal::Refresh);
    restore(&store, &wanted.key, record(1, "AT"), false, &clock).await.unwrap();
    access_token(&store, &client, &wanted).await.unwrap_err();
    let stored = store.load(&wanted.key).unwrap().unwrap();
    assert!(matches!(stored.failure, Some(Failure { .. })));
    let text = export(&[(wanted.key.clone(), stored)], &recipients()).unwrap();
    let opened = import(&text, &[identity(&Place::new(), "identity")]).unwrap();
    assert_eq!(opened, [(wanted.key, record(1, "AT"))]);
}

#[tokio::test]
async fn newer_tokens_are_kept_unless_told_otherwise() {
    let (store, clock, key) = (MemoryStore::default(), FakeClock::new(), entry("ana"));
    let held = |store: &MemoryStore| {
        store.load(&key).unwrap().unwrap().tokens.unwrap().access_token.expose().to_owned()
    };
    restore(&store, &key, record(100, "first"), false, &clock).await.unwrap();
    restore(&store, &key, record(200, "second"), false, &clock).await.unwrap();
    assert_eq!(held(&store), "second");
    match restore(&store, &key, record(199, "third"), false, &clock).await {
        Err(StoreError::Newer { account, stored: 200, offered: 199 }) => assert_eq!(account, "ana"),
        other => panic!("{other:?}"),
    }
    assert_eq!(held(&store), "second");
    restore(&store, &key, record(200, "fourth"), false, &clock).await.unwrap();
    restore(&store, &key, record(1, "fifth"), true, &clock).await.unwrap();
    assert_eq!(held(&store), "fifth");
}

#[test]
fn what_is_sealed_but_no_tokens_or_newer_is_named() {
    let place = Place::new();
    let recipient: age::x25519::Recipient = RECIPIENT.parse().unwrap();
    let open = |content: &str| {
        let text = age::encrypt_and_armor(&recipient, content.as_bytes()).unwrap();
        import(&text, &[identity(&place, "identity")]).unwrap_err().to_string()
    };
    assert!(open("{\"postkey_tokens\":2,\"records\":\"canary\"}").contains("format 2"));
    for strange in [
        "canary",
        "{}",
        "{\"postkey_tokens\":1}",
        "{\"postkey_tokens\":1,\"records\":[{\"entry\":\"canary\"}]}",
    ] {
        let error = open(strange);
        assert!(error.contains("something else") && !error.contains("canary"), "{error}");
    }
    for strange in ["", "canary", "-----BEGIN AGE ENCRYPTED FILE-----"] {
        let error = import(strange, &[identity(&place, "identity")]).unwrap_err().to_string();
        assert!(error.contains("copy the text again") && !error.contains("canary"), "{error}");
    }
    let long = "x".repeat(9 * 1024 * 1024);
    assert!(import(&long, &[]).unwrap_err().to_string().contains("more than"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn damaged_text_is_an_error_and_never_other_tokens(at: proptest::sample::Index, bit in 0..7u32) {
        let (records, text) = sealed();
        let mut octets = text.into_bytes();
        let at = at.index(octets.len());
        octets[at] ^= 1 << bit;
        let Ok(text) = String::from_utf8(octets) else { return Ok(()) };
        match import(&text, &[identity(&Place::new(), "identity")]) {
            Err(StoreError::Transfer { .. }) => {}
            // A blank more or less at the end is no damage.
            Ok(found) => prop_assert_eq!(found, records, "{}", at),
            other => prop_assert!(false, "{at}: {other:?}"),
        }
    }
}
