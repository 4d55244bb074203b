//! The browser sign-in, hostile cases AU-05, AU-06, AU-15.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::digest::{SHA256, digest};
use base64ct::{Base64UrlUnpadded, Encoding};
use postkey_auth::{Authorize, Callback, Class, Error, Pending, Registration, ResponseMode};
use wire::Secret;

use crate::support::*;

const REDIRECT: &str = "http://localhost:43117/";

fn begin(client: &TestClient) -> (BTreeMap<String, String>, Pending) {
    let scopes = imap_scopes();
    let (url, pending) = client.code_begin(&Authorize::new(REDIRECT, &scopes)).unwrap();
    (url.query_pairs().into_owned().collect(), pending)
}

fn callback(pending: &Pending, more: &str) -> Callback {
    let state: String = url::form_urlencoded::byte_serialize(pending.state.expose().as_bytes()).collect();
    Callback::from_query(&format!("state={state}&{more}")).unwrap()
}

#[test]
fn pkce_is_that_of_rfc_7636_appendix_b() {
    let verifier = oauth2::PkceCodeVerifier::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned());
    let challenge = oauth2::PkceCodeChallenge::from_code_verifier_sha256(&verifier);
    assert_eq!(challenge.as_str(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    assert_eq!(challenge.method().as_str(), "S256");
}

#[tokio::test]
async fn au_15_challenge_and_verifier_belong_together_and_are_fresh() {
    let clock = FakeClock::new();
    let mut verifiers = BTreeSet::new();
    let mut states = BTreeSet::new();
    for _ in 0..16 {
        let http = FakeHttp::answering([granted("AT", "RT", 3600)]);
        let client = client(&http, &clock);
        let (query, pending) = begin(&client);
        assert_eq!(query["code_challenge_method"], "S256");
        states.insert(query["state"].clone());
        let answer = callback(&pending, "code=C");
        client.code_finish(pending, answer).await.unwrap();
        let verifier = http.forms()[0]["code_verifier"].clone();
        assert!((43..=128).contains(&verifier.len()));
        assert!(verifier.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b)));
        let challenge = Base64UrlUnpadded::encode_string(digest(&SHA256, verifier.as_bytes()).as_ref());
        assert_eq!(query["code_challenge"], challenge);
        verifiers.insert(verifier);
    }
    assert_eq!((verifiers.len(), states.len()), (16, 16));
    assert!(states.iter().all(|state| state.len() >= 22), "at least 128 bits");
}

#[tokio::test]
async fn the_requests_hold_what_entra_wants() {
    let (clock, http) = (FakeClock::new(), FakeHttp::answering([granted("AT", "RT", 3600)]));
    let client = client(&http, &clock);
    let scopes = imap_scopes();
    let request = Authorize {
        login_hint: Some("ana@contoso.example"),
        prompt: Some("select_account"),
        response_mode: ResponseMode::FormPost,
        ..Authorize::new(REDIRECT, &scopes)
    };
    let (url, pending) = client.code_begin(&request).unwrap();
    assert!(
        url.as_str().starts_with("https://login.microsoftonline.com/contoso.example/oauth2/v2.0/authorize?")
    );
    let query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "CLIENT"),
        ("redirect_uri", REDIRECT),
        ("scope", "offline_access https://outlook.office.com/IMAP.AccessAsUser.All"),
        ("response_mode", "form_post"),
        ("login_hint", "ana@contoso.example"),
        ("prompt", "select_account"),
        ("state", pending.state.expose()),
    ] {
        assert_eq!(query[name], value, "{name}");
    }
    let answer = callback(&pending, "code=0.A%2BB&session_state=x");
    client.code_finish(pending, answer).await.unwrap();
    let form = &http.forms()[0];
    for (name, value) in [
        ("grant_type", "authorization_code"),
        ("code", "0.A+B"),
        ("redirect_uri", REDIRECT),
        ("client_id", "CLIENT"),
        ("scope", "offline_access https://outlook.office.com/IMAP.AccessAsUser.All"),
    ] {
        assert_eq!(form[name], value, "{name}");
    }
    assert!(!form.contains_key("client_secret"), "a public client sends none (AADSTS700025)");
}

#[tokio::test]
async fn au_01_a_wrong_state_sends_nothing() {
    let (clock, http) = (FakeClock::new(), FakeHttp::answering([]));
    let client = client(&http, &clock);
    for answer in ["code=C&state=evil", "code=C"] {
        let (_, pending) = begin(&client);
        let error = client.code_finish(pending, Callback::from_query(answer).unwrap()).await.unwrap_err();
        assert!(matches!(error, Error::StateMismatch), "{error}");
    }
    assert!(http.seen().is_empty());
}

#[tokio::test]
async fn au_05_another_issuer_is_a_mix_up_and_sends_nothing() {
    let (clock, http) =
        (FakeClock::new(), FakeHttp::answering([granted("AT", "", 60), granted("AT", "", 60)]));
    let client = client(&http, &clock);
    for iss in [
        "https://evil.example/T/v2.0",
        "https://login.microsoftonline.com/v2.0",
        "https://login.microsoftonline.com/a/b/v2.0",
        "https://login.microsoftonline.com//v2.0",
        "https://login.microsoftonline.com.evil.example/T/v2.0",
    ] {
        let (_, pending) = begin(&client);
        let answer = callback(&pending, &format!("code=C&iss={iss}"));
        let error = client.code_finish(pending, answer).await.unwrap_err();
        assert!(matches!(error, Error::MixUp { .. }), "{iss}: {error}");
    }
    assert!(http.seen().is_empty());
    let (_, pending) = begin(&client);
    let answer = callback(&pending, "code=C&iss=https%3A%2F%2Flogin.microsoftonline.com%2F1234-tid%2Fv2.0");
    assert!(client.code_finish(pending, answer).await.is_ok());
}

#[tokio::test]
async fn a_sign_in_begun_elsewhere_is_a_mix_up() {
    let (clock, http) = (FakeClock::new(), FakeHttp::answering([]));
    let (_, pending) = begin(&client(&http, &clock));
    let other = client_of("microsoft", Registration::public("CLIENT", "other.example"), &http, &clock);
    let answer = callback(&pending, "code=C");
    assert!(matches!(other.code_finish(pending, answer).await, Err(Error::MixUp { .. })));
    assert!(http.seen().is_empty());
}

#[tokio::test]
async fn refusals_by_the_browser_are_typed() {
    let (clock, http) = (FakeClock::new(), FakeHttp::answering([]));
    let client = client(&http, &clock);
    let (_, pending) = begin(&client);
    let answer = callback(
        &pending,
        "error=access_denied&error_description=AADSTS65004%3A+declined&error_subcode=cancel",
    );
    assert!(matches!(client.code_finish(pending, answer).await, Err(Error::Declined(_))));
    let (_, pending) = begin(&client);
    let answer = callback(&pending, "error=consent_required&error_description=AADSTS90094%3A+admin");
    let error = client.code_finish(pending, answer).await.unwrap_err();
    assert_eq!(error.class(), Class::AdminAction);
}

#[test]
fn au_06_answers_that_cannot_be_meant_are_refused() {
    let long = format!("state=s&code={}", "x".repeat(64 * 1024));
    for query in [
        "code=a&code=b&state=s",
        "state=s&state=s&code=a",
        "state=s",
        "",
        "code=&state=s",
        "code=a&error=b",
        &long,
    ] {
        assert!(matches!(Callback::from_query(query), Err(Error::Callback { .. })), "{query:.40}");
    }
}

#[test]
fn a_pasted_address_is_read() {
    for address in [
        " https://login.microsoftonline.com/common/oauth2/nativeclient?code=C&state=S\n",
        "http://localhost:3017/?code=C&state=S",
        "http://localhost/#code=C&state=S",
    ] {
        let callback = Callback::from_address(address).unwrap();
        assert_eq!((callback.code.unwrap().expose(), callback.state.unwrap().expose()), ("C", "S"));
    }
    assert!(Callback::from_address("code=C").is_err());
}

#[tokio::test]
async fn providers_that_differ_get_what_they_want() {
    let clock = FakeClock::new();
    let secret = Secret::from("se:cret~+/=&1234");
    let http = FakeHttp::answering([granted("AT", "RT", 3600)]);
    let google = client_of("google", Registration::with_secret("G", secret.clone(), ""), &http, &clock);
    let scopes = ["https://mail.google.com/".to_owned()];
    let (url, pending) = google.code_begin(&Authorize::new("http://127.0.0.1:1/", &scopes)).unwrap();
    let query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
    assert_eq!((query["access_type"].as_str(), query["prompt"].as_str()), ("offline", "consent"));
    assert!(!query.contains_key("response_mode"));
    let answer = callback(&pending, "code=C&iss=https://accounts.google.com");
    google.code_finish(pending, answer).await.unwrap();
    let form = &http.forms()[0];
    assert_eq!(form["client_secret"], secret.expose());
    assert!(!form.contains_key("scope"), "Google wants none when a code is redeemed");

    let http = FakeHttp::answering([granted("AT", "RT", 3600)]);
    let yahoo = client_of("yahoo", Registration::with_secret("Y", secret.clone(), ""), &http, &clock);
    let scopes = ["mail-w".to_owned()];
    let (_, pending) = yahoo.code_begin(&Authorize::new("http://localhost:1/", &scopes)).unwrap();
    let answer = callback(&pending, "code=C");
    yahoo.code_finish(pending, answer).await.unwrap();
    let seen = &http.seen()[0];
    assert!(!seen.form.contains_key("client_secret"));
    // RFC 6749 section 2.3.1: form-encoded first, then joined, then Base64.
    let expected = base64ct::Base64::encode_string(b"Y:se%3Acret%7E%2B%2F%3D%261234");
    assert_eq!(seen.authorization.as_deref(), Some(format!("Basic {expected}").as_str()));
}

#[test]
fn redirect_addresses_are_https_or_loopback() {
    let (clock, http) = (FakeClock::new(), FakeHttp::answering([]));
    let client = client(&http, &clock);
    let scopes = imap_scopes();
    for good in
        ["http://localhost:1/", "http://127.0.0.1:3017/cb", "https://app.example/cb", "com.example.app:/cb"]
    {
        assert!(client.code_begin(&Authorize::new(good, &scopes)).is_ok(), "{good}");
    }
    for bad in ["http://app.example/cb", "localhost", "http://localhost/#x"] {
        assert!(client.code_begin(&Authorize::new(bad, &scopes)).is_err(), "{bad}");
    }
}
