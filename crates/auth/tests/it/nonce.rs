//! The nonce between a browser sign-in and its ID token (OpenID Connect Core 3.1.3.7 no. 11).

use std::collections::BTreeSet;

use postkey_auth::{Authorize, Class, Error, Provider, Registration, Tokens};
use proptest::prelude::*;
use sandbox::{ANA, Fault, RequestKind, Sandbox};
use serde_json::{Value, json};
use url::Url;
use wire::Secret;

use crate::against_sandbox;
use crate::browser::{Browser, user};
use crate::support::*;

fn scopes() -> Vec<String> {
    let mut scopes = imap_scopes();
    scopes.push("openid".to_owned());
    scopes
}

fn sent(url: &Url, name: &str) -> Option<String> {
    let mut values =
        url.query_pairs().filter(|(found, _)| found == name).map(|(_, value)| value.into_owned());
    let first = values.next();
    assert_eq!(values.next(), None, "{name} occurs twice");
    first
}

/// Begins a sign-in and answers it with what `id_token` makes of the nonce; `keep` may change what was kept in between.
async fn signed_in(
    id_token: impl FnOnce(&str) -> Option<String>,
    keep: impl FnOnce(Value) -> Value,
) -> Result<Tokens, Error> {
    let clock = FakeClock::new();
    let blank = client(&FakeHttp::answering([]), &clock);
    let scopes = scopes();
    let (url, kept) = blank.begin(&Authorize::new("https://app.example/cb", &scopes)).unwrap();
    let mut answer = json!({"token_type": "Bearer", "access_token": "AT", "refresh_token": "RT"});
    if let Some(token) = id_token(&sent(&url, "nonce").unwrap()) {
        answer["id_token"] = token.into();
    }
    let http = FakeHttp::answering([self::answer(200, answer.to_string())]);
    let kept = Secret::from(keep(serde_json::from_str(kept.expose()).unwrap()).to_string());
    let query = format!("code=C&state={}", sent(&url, "state").unwrap());
    let result = client(&http, &clock).finish(kept, &query).await;
    assert_eq!(http.seen().len(), 1, "an ID token comes from the token endpoint alone");
    result
}

fn blocking(
    id_token: impl FnOnce(&str) -> Option<String>,
    keep: impl FnOnce(Value) -> Value,
) -> Result<Tokens, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(signed_in(id_token, keep))
}

#[test]
fn every_sign_in_with_an_id_token_has_a_fresh_one_and_others_have_none() {
    let (clock, http) = (FakeClock::new(), FakeHttp::answering([]));
    let client = client(&http, &clock);
    let mut seen = BTreeSet::new();
    for _ in 0..16 {
        let (with, without) = (scopes(), imap_scopes());
        let (url, pending) = client.code_begin(&Authorize::new("http://localhost:1/", &with)).unwrap();
        let nonce = sent(&url, "nonce").unwrap();
        assert!(nonce.len() >= 22, "at least 128 bits: {nonce}");
        assert_ne!(nonce, pending.state.expose());
        assert!(!format!("{pending:?}").contains(&nonce));
        seen.insert(nonce);
        let (url, pending) = client.code_begin(&Authorize::new("http://localhost:1/", &without)).unwrap();
        assert_eq!(sent(&url, "nonce"), None);
        assert!(!pending.to_secret().expose().contains("nonce"));
    }
    assert_eq!(seen.len(), 16);
}

/// A server that wants one whatever is asked for is told so in its provider's table; a fixed one never takes the fresh one's place.
#[test]
fn a_fixed_one_gives_way() {
    let table = "like = \"microsoft\"\nquirks.authorize_parameters = [[\"nonce\", \"fixed\"]]";
    let provider = Provider::from_table("own", &table.parse().unwrap()).unwrap();
    let registration = Registration::public("CLIENT", "contoso.example");
    let client = postkey_auth::Client::with_clock(
        provider.endpoints(&registration).unwrap(),
        registration,
        FakeHttp::answering([]),
        FakeClock::new(),
    );
    let nonce = |scopes: &[String]| {
        sent(&client.code_begin(&Authorize::new("http://localhost:1/", scopes)).unwrap().0, "nonce").unwrap()
    };
    assert_eq!(nonce(&imap_scopes()), "fixed");
    assert_ne!(nonce(&scopes()), "fixed");
}

#[tokio::test]
async fn an_id_token_that_repeats_none_or_cannot_be_read_is_refused() {
    let readable = |nonce: Value| Some(jwt(&json!({"upn": ANA, "nonce": nonce})));
    let tokens = [
        Some(jwt(&json!({"upn": ANA}))),
        readable(Value::Null),
        readable(json!(7)),
        readable(json!("")),
        Some("opaque".to_owned()),
        Some("a.b.c.d.e".to_owned()),
        Some("e30.!!.e30".to_owned()),
    ];
    for token in tokens {
        let error = signed_in(|_| token.clone(), |kept| kept).await.unwrap_err();
        assert!(matches!(error, Error::NonceMismatch), "{token:?}: {error}");
        assert_eq!(error.class(), Class::SignInAgain);
    }
    // No ID token at all: the provider gives none for these scopes, and there is nothing to compare.
    signed_in(|_| None, |kept| kept).await.unwrap();
}

#[tokio::test]
async fn a_sign_in_that_was_kept_before_there_was_one_goes_on() {
    let without = |mut kept: Value| {
        assert!(kept.as_object_mut().unwrap().remove("nonce").is_some());
        kept
    };
    for token in [jwt(&json!({"upn": ANA})), jwt(&json!({"upn": ANA, "nonce": "another"}))] {
        signed_in(|_| Some(token), without).await.unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Only the very same text passes, also after a stay in a web application's session.
    #[test]
    fn only_the_same_text_passes(other in any::<String>(), cut in 1usize..22, kind in 0u8..6) {
        let made = std::cell::Cell::new(false);
        let result = blocking(
            |nonce| {
                let repeated = match kind {
                    0 => nonce.to_owned(),
                    1 => other.clone(),
                    2 => nonce[..cut.min(nonce.len() - 1)].to_owned(),
                    3 => format!("{nonce}{other}x"),
                    4 => format!("{nonce}\n"),
                    _ => format!(" {nonce}"),
                };
                made.set(repeated == nonce);
                Some(jwt(&json!({"upn": ANA, "nonce": repeated})))
            },
            |kept| kept,
        );
        prop_assert_eq!(made.get(), kind == 0);
        match result {
            Ok(_) => prop_assert!(made.get()),
            Err(Error::NonceMismatch) => prop_assert!(!made.get()),
            Err(other) => return Err(TestCaseError::fail(other.to_string())),
        }
    }
}

/// The attack that PKCE does not see: somebody takes the verifier's challenge out of an authorisation request, signs in with
/// it, and puts the code into Ana's sign-in. The server has nothing to compare her verifier with.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_without_a_challenge_that_is_put_into_another_sign_in() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = against_sandbox::client(&sandbox);
    let scopes = against_sandbox::scopes(&sandbox, &[postkey_auth::Protocol::Imap]);
    assert!(scopes.iter().any(|scope| scope == "openid"), "{scopes:?}");
    let request = Authorize::new("http://localhost:50123/", &scopes);
    let (url, kept) = client.begin(&request).unwrap();
    for (nonce, taken) in [(Some("bjorns"), false), (None, false), (sent(&url, "nonce").as_deref(), true)] {
        let mut forged = url.clone();
        let pairs =
            url.query_pairs().filter(|(name, _)| !name.starts_with("code_challenge") && name != "nonce");
        forged
            .query_pairs_mut()
            .clear()
            .extend_pairs(pairs)
            .extend_pairs(nonce.map(|nonce| ("nonce", nonce)));
        let ended =
            Browser::new(&sandbox).sign_in(forged.as_str(), user(&sandbox, "bjorn@contoso.example")).await;
        let result = client.finish(kept.clone(), ended.query().unwrap()).await;
        match result {
            Ok(_) => assert!(taken, "{nonce:?}"),
            Err(error) => assert!(!taken && matches!(error, Error::NonceMismatch), "{nonce:?}: {error}"),
        }
    }
    assert_eq!(sandbox.requests(RequestKind::AuthorizationCode), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_repeats_another() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = against_sandbox::client(&sandbox);
    let scopes = against_sandbox::scopes(&sandbox, &[postkey_auth::Protocol::Imap]);
    let mut browser = Browser::new(&sandbox);
    for wrong in [false, true] {
        let (url, kept) = client.begin(&Authorize::new("http://localhost:50123/", &scopes)).unwrap();
        let ended = browser.sign_in(url.as_str(), user(&sandbox, ANA)).await;
        if wrong {
            sandbox.inject(Fault::WrongNonce);
        }
        match client.finish(kept, ended.query().unwrap()).await {
            Ok(tokens) => {
                assert!(!wrong);
                let id = postkey_auth::Claims::decode(&tokens.id_token.unwrap()).unwrap();
                assert_eq!(id.text("nonce"), sent(&url, "nonce"));
            }
            Err(error) => assert!(wrong && matches!(error, Error::NonceMismatch), "{error}"),
        }
    }
}
