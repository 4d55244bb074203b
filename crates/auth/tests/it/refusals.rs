//! What a refused or failed renewal leaves behind, hostile cases AU-32 and AU-33.

use postkey_auth::http::{HttpError, HttpResponse};
use postkey_auth::store::{MemoryStore, Renewal, Wanted, access_token};
use postkey_auth::{Class, Error, Registration, SignIn};
use wire::{Secret, SecretBytes};

use crate::flight::{signed_in, stored, wanted};
use crate::support::*;

#[tokio::test]
async fn au_32_a_refused_refresh_keeps_what_is_stored_and_is_remembered_for_a_minute() {
    let (store, clock) = (MemoryStore::default(), FakeClock::new());
    let http = FakeHttp::answering([refusal("invalid_grant", 700082), refusal("invalid_grant", 700082)]);
    let before = signed_in(&store, &clock, 60).await;
    let client = client(&http, &clock);
    clock.advance(61);
    for _ in 0..5 {
        match access_token(&store, &client, &wanted(&client)).await {
            Err(Error::SignInAgain(reason)) => {
                assert!(matches!(*reason, SignIn::Refused(refusal) if refusal.codes == [700082]));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(http.seen().len(), 1, "the refusal is remembered");
    assert_eq!(stored(&store, &client).tokens.unwrap(), before, "nothing was blanked");
    clock.advance(60);
    assert!(access_token(&store, &client, &wanted(&client)).await.is_err());
    assert_eq!(http.seen().len(), 2, "and forgotten after a minute");
}

#[tokio::test]
async fn a_new_sign_in_or_another_secret_makes_the_refusal_forgotten() {
    let (store, clock) = (MemoryStore::default(), FakeClock::new());
    let http = FakeHttp::answering([refusal("invalid_client", 7000215)]);
    let client = daemon(&http, &clock);
    let wanted = Wanted::new("daemon", &client, app_scopes(), Renewal::ClientCredentials);
    for _ in 0..2 {
        let error = access_token(&store, &client, &wanted).await.unwrap_err();
        assert_eq!(error.class(), Class::ConfigError);
    }
    assert_eq!(http.seen().len(), 1);
    let registration =
        Registration::with_secret("CLIENT", Secret::from("the right secret"), "contoso.example");
    let http = FakeHttp::answering([granted("AT", "", 3600)]);
    let corrected = client_of("microsoft", registration, &http, &clock);
    let wanted = Wanted::new("daemon", &corrected, app_scopes(), Renewal::ClientCredentials);
    assert_eq!(access_token(&store, &corrected, &wanted).await.unwrap().token.expose(), "AT");
}

#[tokio::test]
async fn au_33_passing_trouble_is_retried_with_growing_random_pauses() {
    let (store, clock) = (MemoryStore::default(), FakeClock::new());
    let http = FakeHttp::answering([
        throttled(500, None),
        reset(),
        refusal("temporarily_unavailable", 90033),
        granted("AT-1", "RT-1", 3600),
    ]);
    signed_in(&store, &clock, 60).await;
    let client = client(&http, &clock);
    clock.advance(61);
    assert_eq!(access_token(&store, &client, &wanted(&client)).await.unwrap().token.expose(), "AT-1");
    let waits = clock.waits();
    assert_eq!(waits.len(), 3);
    for (wait, most) in waits.iter().zip([1000, 2000, 4000]) {
        assert!((most / 2..=most).contains(&wait.as_millis()), "{waits:?}");
    }
}

#[tokio::test]
async fn au_33_retry_after_is_obeyed_as_seconds_and_as_date() {
    for (value, expected) in [("7", 7), ("Mon, 21 Sep 2026 14:14:33 GMT", 12)] {
        let (store, clock) = (MemoryStore::default(), FakeClock::new());
        let http = FakeHttp::answering([throttled(429, Some(value)), granted("AT-1", "RT-1", 3600)]);
        signed_in(&store, &clock, 60).await;
        let client = client(&http, &clock);
        clock.advance(61);
        access_token(&store, &client, &wanted(&client)).await.unwrap();
        assert_eq!(clock.waited_seconds(), [expected], "{value}");
    }
}

/// 429, 503 and `temporarily_unavailable` in its three forms, each with this `Retry-After`.
fn troubles(retry_after: &str) -> Vec<Result<HttpResponse, HttpError>> {
    let html = "<html>busy</html>";
    let oauth = r#"{"error":"temporarily_unavailable","error_description":"AADSTS90033: simulated."}"#;
    let plain = r#"{"error":"temporarily_unavailable"}"#;
    [(429, html), (503, html), (503, oauth), (429, plain), (400, plain), (400, oauth)]
        .map(|(status, body)| {
            let retry_after = Some(retry_after.to_owned());
            Ok(HttpResponse {
                status,
                retry_after,
                body: SecretBytes::new(body.into()),
                ..HttpResponse::default()
            })
        })
        .into()
}

#[tokio::test]
async fn au_33_every_kind_of_trouble_has_its_retry_after_obeyed() {
    // The date is 12 s after the moment of the request.
    for (value, expected) in [("7", 7), ("Mon, 21 Sep 2026 14:14:33 GMT", 12)] {
        for trouble in troubles(value) {
            let shown = format!("{value} {trouble:?}");
            let (store, clock) = (MemoryStore::default(), FakeClock::new());
            let http = FakeHttp::answering([trouble, granted("AT-1", "RT-1", 3600)]);
            signed_in(&store, &clock, 60).await;
            let client = client(&http, &clock);
            clock.advance(61);
            access_token(&store, &client, &wanted(&client)).await.unwrap();
            assert_eq!(clock.waited_seconds(), [expected], "{shown}");
        }
    }
}

#[tokio::test]
async fn au_33_a_long_retry_after_of_any_kind_silences_everybody_and_blanks_nothing() {
    for (value, silence) in [("100", 100), ("Mon, 21 Sep 2026 14:16:01 GMT", 100)] {
        for trouble in troubles(value) {
            let shown = format!("{value} {trouble:?}");
            let (store, clock) = (MemoryStore::default(), FakeClock::new());
            let http = FakeHttp::answering([trouble, granted("AT-1", "RT-1", 3600)]);
            let before = signed_in(&store, &clock, 60).await;
            let client = client(&http, &clock);
            clock.advance(61);
            for wait in [0, 1, silence - 2] {
                clock.advance(wait);
                let error = access_token(&store, &client, &wanted(&client)).await.unwrap_err();
                assert_eq!(error.class(), Class::RetryLater, "{shown}");
                assert_eq!(stored(&store, &client).tokens.as_ref(), Some(&before), "{shown}");
            }
            assert_eq!((http.seen().len(), clock.waits().len()), (1, 0), "{shown}");
            clock.advance(1);
            assert!(access_token(&store, &client, &wanted(&client)).await.is_ok(), "{shown}");
        }
    }
}

#[tokio::test]
async fn whatever_fails_the_stored_tokens_stay() {
    type Script = fn() -> Vec<Result<HttpResponse, HttpError>>;
    let failures: [Script; 9] = [
        || vec![refusal("invalid_grant", 700082)],
        || vec![refusal("invalid_client", 7000215)],
        || vec![refusal("interaction_required", 50076)],
        || vec![plain_refusal("access_denied")],
        || vec![answer(200, "{}")],
        || vec![answer(200, "<html>sign in to the hotel's network</html>")],
        || vec![answer(302, "")],
        || (0..4).map(|_| throttled(500, None)).collect(),
        || (0..4).map(|_| reset()).collect(),
    ];
    for failure in failures {
        let shown = format!("{:?}", failure());
        let (store, clock) = (MemoryStore::default(), FakeClock::new());
        let before = signed_in(&store, &clock, 60).await;
        let http = FakeHttp::answering(failure());
        let client = client(&http, &clock);
        clock.advance(61);
        assert!(access_token(&store, &client, &wanted(&client)).await.is_err(), "{shown}");
        assert_eq!(stored(&store, &client).tokens, Some(before), "{shown}");
    }
}

#[tokio::test]
async fn au_33_a_long_retry_after_is_obeyed_by_everybody_up_to_a_cap() {
    for (value, silence) in [("120", 120), ("315360000", 300), ("99999999999999999999999", 300)] {
        let (store, clock) = (MemoryStore::default(), FakeClock::new());
        let http = FakeHttp::answering([throttled(429, Some(value)), granted("AT-1", "RT-1", 3600)]);
        signed_in(&store, &clock, 60).await;
        let client = client(&http, &clock);
        clock.advance(61);
        let error = access_token(&store, &client, &wanted(&client)).await.unwrap_err();
        assert_eq!(error.class(), Class::RetryLater);
        assert!(clock.waits().is_empty(), "nobody sleeps that long");
        clock.advance(silence - 1);
        assert!(access_token(&store, &client, &wanted(&client)).await.is_err());
        assert_eq!(http.seen().len(), 1);
        clock.advance(1);
        assert!(access_token(&store, &client, &wanted(&client)).await.is_ok(), "{value}");
    }
}

#[tokio::test]
async fn while_renewal_fails_for_now_a_token_with_life_left_is_used() {
    let (store, clock) = (MemoryStore::default(), FakeClock::new());
    let http = FakeHttp::answering((0..4).map(|_| throttled(503, None)));
    signed_in(&store, &clock, 3600).await;
    let client = client(&http, &clock);
    clock.advance(3600 - 200);
    for _ in 0..3 {
        let issued = access_token(&store, &client, &wanted(&client)).await.unwrap();
        assert_eq!(issued.token.expose(), "AT-0");
        assert!(matches!(issued.warning.as_deref(), Some(Error::Status { status: 503, .. })));
    }
    assert_eq!(http.seen().len(), 4, "the trouble is remembered too");
}

#[tokio::test]
async fn a_detected_loop_is_not_fed() {
    let (store, clock) = (MemoryStore::default(), FakeClock::new());
    let http = FakeHttp::answering([refusal("invalid_request", 50196)]);
    signed_in(&store, &clock, 60).await;
    let client = client(&http, &clock);
    clock.advance(61);
    assert!(access_token(&store, &client, &wanted(&client)).await.is_err());
    clock.advance(299);
    assert!(access_token(&store, &client, &wanted(&client)).await.is_err());
    assert_eq!(http.seen().len(), 1);
}
