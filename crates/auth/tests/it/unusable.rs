//! Answers to a renewal that are of no use but for the refresh token in them: the old one is spent (AU-30).

use std::sync::Arc;

use postkey_auth::http::{HttpError, HttpResponse};
use postkey_auth::store::{
    EntryKey, Listing, Lock, MemoryStore, Record, Renewal, StoreError, TokenStore, Wanted, access_token, save,
};
use postkey_auth::{Class, Clock as _, Error, Tokens};
use serde_json::{Value, json};
use wire::Secret;

use crate::support::*;

const ANA: &str = "ana@contoso.example";

fn id_token(issuer: &str, subject: &str) -> String {
    jwt(&json!({"iss": issuer, "sub": subject, "preferred_username": ANA}))
}

/// What an answer is like, the members that make it so, and what tells the error.
type Reason = (&'static str, Value, fn(&Error) -> bool);

/// Every reason, as far as it is known.
fn reasons() -> Vec<Reason> {
    let response: fn(&Error) -> bool = |error| matches!(error, Error::Response { .. });
    let kind: fn(&Error) -> bool = |error| matches!(error, Error::TokenType { .. });
    let scope: fn(&Error) -> bool = |error| matches!(error, Error::ScopeMismatch { .. });
    vec![
        ("no access token", json!({"access_token": null}), response),
        ("an empty access token", json!({"access_token": ""}), response),
        ("an access token that is a number", json!({"access_token": 7}), response),
        ("an access token that ends a line", json!({"access_token": "A\r\nT"}), response),
        ("scope that is no text", json!({"scope": 7}), response),
        ("type DPoP", json!({"token_type": "DPoP"}), kind),
        ("a type that is a number", json!({"token_type": 7}), kind),
        ("too little", json!({"scope": "https://outlook.office.com/SMTP.Send"}), scope),
    ]
}

fn answered(refresh: Option<&str>, more: &Value) -> Result<HttpResponse, HttpError> {
    let mut body = json!({"token_type": "Bearer", "access_token": "AT-1", "expires_in": 3600});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    if let Some(token) = refresh {
        body["refresh_token"] = token.into();
    }
    answer(200, body.to_string())
}

fn wanted(client: &TestClient) -> Wanted {
    Wanted::new("ana", client, imap_scopes(), Renewal::Refresh)
}

/// Ana's tokens, whose access token has ended.
async fn signed_in(store: &impl TokenStore, clock: &Arc<FakeClock>) {
    let client = client(&FakeHttp::answering([]), clock);
    let mut tokens = Tokens::bearer(Secret::from("AT-0"), clock.now() - 3600, clock.now());
    tokens.refresh_token = Some(Secret::from("RT-0"));
    tokens.id_token = Some(Secret::from(id_token("https://id.example", "ana")));
    save(store, &wanted(&client).key, tokens, clock).await.unwrap();
}

fn kept(store: &impl TokenStore, client: &TestClient) -> Tokens {
    store.load(&wanted(client).key).unwrap().unwrap().tokens.unwrap()
}

#[tokio::test]
async fn whatever_is_wrong_the_rotated_refresh_token_is_kept_and_presented_next() {
    for (what, more, is) in reasons() {
        for (came, next) in [(Some("RT-1"), "RT-1"), (None, "RT-0")] {
            let (store, clock) = (MemoryStore::default(), FakeClock::new());
            signed_in(&store, &clock).await;
            let http = FakeHttp::answering([answered(came, &more), granted("AT-2", "RT-2", 3600)]);
            let client = client(&http, &clock);
            let error = access_token(&store, &client, &wanted(&client)).await.unwrap_err();
            assert!(is(&error), "{what}: {error:?}");
            let tokens = kept(&store, &client);
            assert_eq!(tokens.refresh_token.unwrap().expose(), next, "{what}");
            assert_eq!(tokens.access_token.expose(), "AT-0", "{what}: nothing else of the answer is kept");
            assert_eq!(tokens.id_token.unwrap().expose(), id_token("https://id.example", "ana"), "{what}");
            clock.advance(61);
            let issued = access_token(&store, &client, &wanted(&client)).await.unwrap();
            assert_eq!(issued.token.expose(), "AT-2", "{what}");
            let sent: Vec<String> = http.forms().iter().map(|form| form["refresh_token"].clone()).collect();
            assert_eq!(sent, ["RT-0", next], "{what}");
        }
    }
}

/// A life that is no number is no reason: something is assumed, and both tokens are kept.
#[tokio::test]
async fn a_life_that_is_nonsense_loses_nothing() {
    for life in [json!("soon"), json!(-5), json!(1e300), json!([1]), Value::Null] {
        let (store, clock) = (MemoryStore::default(), FakeClock::new());
        signed_in(&store, &clock).await;
        let http = FakeHttp::answering([answered(Some("RT-1"), &json!({"expires_in": life}))]);
        let client = client(&http, &clock);
        let issued = access_token(&store, &client, &wanted(&client)).await.unwrap();
        assert_eq!(issued.token.expose(), "AT-1");
        assert_eq!(kept(&store, &client).refresh_token.unwrap().expose(), "RT-1", "{life}");
    }
}

/// Without the store, the error brings it.
#[tokio::test]
async fn the_error_brings_it_and_shows_it_to_nobody() {
    for (what, more, is) in reasons() {
        let http = FakeHttp::answering([answered(Some("RT-canary"), &more)]);
        let client = client(&http, &FakeClock::new());
        let error = client.refresh(&Secret::from("RT-0"), &imap_scopes()).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("RT-canary"), "{what}");
        match &error {
            Error::Unusable { reason, refresh_token, .. } => {
                assert!(is(reason), "{what}: {reason:?}");
                assert_eq!(refresh_token.expose(), "RT-canary");
                assert_eq!((error.class(), error.to_string()), (reason.class(), reason.to_string()));
            }
            other => panic!("{what}: {other:?}"),
        }
    }
}

/// A refresh token that no request could hold is no successor.
#[tokio::test]
async fn a_successor_with_characters_that_no_token_holds_is_not_kept() {
    let (store, clock) = (MemoryStore::default(), FakeClock::new());
    signed_in(&store, &clock).await;
    let http = FakeHttp::answering([answered(Some("R\r\nT"), &json!({}))]);
    let client = client(&http, &clock);
    let error = access_token(&store, &client, &wanted(&client)).await.unwrap_err();
    assert!(matches!(error, Error::Response { .. }), "{error:?}");
    assert_eq!(kept(&store, &client).refresh_token.unwrap().expose(), "RT-0");
}

/// An answer that names somebody else is somebody else's: nothing of it is used or kept, whatever else is right or wrong with it. The
/// refresh token would bring more of theirs, and the next answer may not say whose they are.
#[tokio::test]
async fn nothing_of_somebody_elses_is_kept() {
    for id in [id_token("https://id.example", "bjorn"), id_token("https://evil.example", "ana")] {
        let all =
            reasons().into_iter().map(|(what, more, _)| (what, more)).chain([("nothing wrong", json!({}))]);
        for (what, mut more) in all {
            more["id_token"] = id.clone().into();
            let (store, clock) = (MemoryStore::default(), FakeClock::new());
            signed_in(&store, &clock).await;
            let http =
                FakeHttp::answering([answered(Some("RT-of-bjorn"), &more), granted("AT-2", "RT-2", 3600)]);
            let client = client(&http, &clock);
            let before = kept(&store, &client);
            let error = access_token(&store, &client, &wanted(&client)).await.unwrap_err();
            assert!(matches!(error, Error::AnotherSubject), "{what}: {error:?}");
            assert_eq!(error.class(), Class::SignInAgain);
            assert_eq!(kept(&store, &client), before, "{what}");
            // Where the old one is not spent, it goes on.
            access_token(&store, &client, &wanted(&client)).await.unwrap();
            assert_eq!(http.forms()[1]["refresh_token"], "RT-0");
        }
    }
}

/// Who signed in is not said by every answer, and then there is nothing to compare.
#[tokio::test]
async fn the_same_person_or_nobody_named_is_no_reason() {
    let own = id_token("https://id.example", "ana");
    for id in [own.as_str(), "opaque", "e30.e30.c2ln"] {
        let (store, clock) = (MemoryStore::default(), FakeClock::new());
        signed_in(&store, &clock).await;
        let client = client(&FakeHttp::answering([answered(Some("RT-1"), &json!({"id_token": id}))]), &clock);
        access_token(&store, &client, &wanted(&client)).await.unwrap();
        assert_eq!(kept(&store, &client).refresh_token.unwrap().expose(), "RT-1", "{id}");
    }
}

/// A store that cannot be written.
struct Full(MemoryStore);

impl TokenStore for Full {
    fn load(&self, key: &EntryKey) -> Result<Option<Record>, StoreError> {
        self.0.load(key)
    }
    fn try_lock(&self, key: &EntryKey) -> Result<Option<Lock>, StoreError> {
        self.0.try_lock(key)
    }
    fn load_locked(&self, lock: &Lock, key: &EntryKey) -> Result<Option<Record>, StoreError> {
        self.0.load_locked(lock, key)
    }
    fn reserve(&self, lock: &Lock, key: &EntryKey) -> Result<(), StoreError> {
        self.0.reserve(lock, key)
    }
    fn save(&self, _: &Lock, _: &EntryKey, _: &Record) -> Result<(), StoreError> {
        let source = std::io::ErrorKind::StorageFull.into();
        Err(StoreError::Io { action: "write", path: "tokens".into(), source })
    }
    fn remove(&self, lock: &Lock, key: &EntryKey) -> Result<bool, StoreError> {
        self.0.remove(lock, key)
    }
    fn list(&self) -> Result<Listing, StoreError> {
        self.0.list()
    }
}

#[tokio::test]
async fn a_successor_that_cannot_be_stored_is_reported() {
    for (what, more, is) in reasons() {
        for (came, lost) in [(Some("RT-1"), true), (None, false)] {
            let (memory, clock) = (MemoryStore::default(), FakeClock::new());
            signed_in(&memory, &clock).await;
            let client = client(&FakeHttp::answering([answered(came, &more)]), &clock);
            let error = access_token(&Full(memory), &client, &wanted(&client)).await.unwrap_err();
            assert_eq!(matches!(error, Error::NotSaved(_)), lost, "{what}: {error:?}");
            assert_eq!(is(&error), !lost, "{what}: {error:?}");
        }
    }
}
