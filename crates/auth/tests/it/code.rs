//! The browser sign-in, hostile cases AU-05, AU-06, AU-15.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::digest::{SHA256, digest};
use base64ct::{Base64UrlUnpadded, Encoding};
use postkey_auth::{Authorize, Callback, Class, Client, Error, Pending, Registration, ResponseMode};
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

#[tokio::test]
async fn a_sign_in_can_be_kept_as_a_secret_and_taken_up_again() {
    let (clock, http) = (FakeClock::new(), FakeHttp::answering([granted("AT", "RT", 3600)]));
    let client = client(&http, &clock);
    let scopes = imap_scopes();
    let (url, kept) = client.begin(&Authorize::new("https://app.example/oauth/callback", &scopes)).unwrap();
    let query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
    assert_eq!(format!("{kept:?}"), "[redacted]");
    let members: serde_json::Value = serde_json::from_str(kept.expose()).unwrap();
    assert_eq!((members["version"].as_u64(), members["begun_at"].as_u64()), (Some(1), Some(NOW)));
    client.finish(kept, &format!("code=C&state={}", query["state"])).await.unwrap();
    let form = &http.forms()[0];
    let challenge =
        Base64UrlUnpadded::encode_string(digest(&SHA256, form["code_verifier"].as_bytes()).as_ref());
    assert_eq!(challenge, query["code_challenge"]);
    assert_eq!(form["redirect_uri"], "https://app.example/oauth/callback");
    assert_eq!(form["scope"], scopes.join(" "));
}

#[tokio::test]
async fn what_was_kept_too_long_or_is_something_else_is_refused() {
    let (clock, http) = (FakeClock::new(), FakeHttp::answering([granted("AT", "", 60)]));
    let client = client(&http, &clock);
    let (_, pending) = begin(&client);
    let (kept, query) = (pending.to_secret(), format!("code=C&state={}", pending.state.expose()));
    let newer = kept.expose().replace("\"version\":1", "\"version\":2");
    let more = kept.expose().replace("\"version\":1", "\"version\":1,\"admin\":true");
    for wrong in ["", "{}", "[]", "null", &newer, &more, &kept.expose()[1..]] {
        let result = client.finish(Secret::from(wrong), &query).await;
        assert!(matches!(result, Err(Error::Callback { .. })), "{wrong}: {result:?}");
    }
    // Written under a clock that stands ten minutes later.
    let later = kept.expose().replace(&NOW.to_string(), &(NOW + 600).to_string());
    assert!(matches!(client.finish(Secret::from(later), &query).await, Err(Error::Callback { .. })));
    clock.advance(Pending::LIFE + 1);
    assert!(matches!(client.finish(kept.clone(), &query).await, Err(Error::Callback { .. })));
    assert!(http.seen().is_empty());
    let fresh = kept.expose().replace(&NOW.to_string(), &(NOW + 1).to_string());
    client.finish(Secret::from(fresh), &query).await.unwrap();
}

#[tokio::test]
async fn a_callback_from_another_origin_is_refused() {
    let (clock, http) = (FakeClock::new(), FakeHttp::answering([]));
    let client = client(&http, &clock);
    let scopes = imap_scopes();
    let native = "https://login.microsoftonline.com/common/oauth2/nativeclient";
    for (redirect, places) in [
        (
            native,
            &[
                "https://evil.example/common/oauth2/nativeclient",
                "https://login.microsoftonline.com/common/x",
            ][..],
        ),
        (
            "http://localhost:3017/cb",
            &["http://localhost:3018/cb", "http://localhost:3017/", "https://localhost:3017/cb"],
        ),
        ("http://localhost", &["http://127.0.0.1/", "http://localhost/x", "http://localhost:81/"]),
    ] {
        for place in places {
            let (_, pending) = client.code_begin(&Authorize::new(redirect, &scopes)).unwrap();
            let address = format!("{place}?code=C&state={}", pending.state.expose());
            let callback = Callback::from_address(&address).unwrap();
            let error = client.code_finish(pending, callback).await.unwrap_err();
            assert!(matches!(error, Error::Callback { .. }), "{redirect} {place}: {error}");
        }
    }
    assert!(http.seen().is_empty());
}

#[tokio::test]
async fn a_pasted_address_finishes_the_sign_in_it_belongs_to() {
    for (redirect, place) in [
        (REDIRECT, "http://localhost:43117/"),
        ("http://localhost", "http://localhost/"),
        ("http://localhost:3017/a/b", "HTTP://LOCALHOST:3017/a/b"),
        (
            "https://login.microsoftonline.com/common/oauth2/nativeclient",
            "https://login.microsoftonline.com/common/oauth2/nativeclient",
        ),
    ] {
        let (clock, http) = (FakeClock::new(), FakeHttp::answering([granted("AT", "RT", 60)]));
        let (client, scopes) = (client(&http, &clock), imap_scopes());
        let (_, pending) = client.code_begin(&Authorize::new(redirect, &scopes)).unwrap();
        let address = format!(" {place}?code=C&state={}\n", pending.state.expose());
        client.code_finish(pending, Callback::from_address(&address).unwrap()).await.unwrap();
        assert_eq!(http.forms()[0]["redirect_uri"], redirect);
    }
}

#[tokio::test]
async fn a_confidential_client_proves_itself_when_it_redeems_a_code() {
    let secret = Registration::with_secret("WEB", Secret::from("web-secret~+/"), "contoso.example");
    let certificate = Registration::with_certificate("WEB", certificate(), "contoso.example");
    for (registration, sent, not) in
        [(secret, "client_secret", "client_assertion"), (certificate, "client_assertion", "client_secret")]
    {
        let (clock, http) = (FakeClock::new(), FakeHttp::answering([granted("AT", "RT", 60)]));
        let client = client_of("microsoft", registration, &http, &clock);
        let (query, pending) = begin(&client);
        assert!(!query.contains_key(sent), "never by the browser");
        let answer = callback(&pending, "code=C");
        client.code_finish(pending, answer).await.unwrap();
        let form = &http.forms()[0];
        assert!(form.contains_key(sent) && !form.contains_key(not) && form.contains_key("code_verifier"));
    }
}

#[test]
fn languages_are_asked_for_by_their_standard_name() {
    let (clock, http) = (FakeClock::new(), FakeHttp::answering([]));
    let scopes = imap_scopes();
    let request = Authorize { languages: Some("de-DE en"), ..Authorize::new(REDIRECT, &scopes) };
    let (url, _) = client(&http, &clock).code_begin(&request).unwrap();
    assert!(url.query_pairs().any(|(name, value)| name == "ui_locales" && value == "de-DE en"));
}

#[tokio::test]
async fn au_05_an_answer_without_an_issuer_is_refused_where_every_answer_has_one() {
    let (clock, http) = (FakeClock::new(), FakeHttp::answering([granted("AT", "", 60)]));
    let mut endpoints = client(&http, &clock).endpoints().clone();
    endpoints.quirks.names_issuer = true;
    let client = Client::with_clock(endpoints, Registration::public("CLIENT", ""), http.clone(), clock);
    let (_, pending) = begin(&client);
    let answer = callback(&pending, "code=C");
    let error = client.code_finish(pending, answer).await.unwrap_err();
    assert!(matches!(error, Error::MixUp { .. }) && http.seen().is_empty(), "{error}");
    let (_, pending) = begin(&client);
    let answer = callback(&pending, "code=C&iss=https://login.microsoftonline.com/T/v2.0");
    client.code_finish(pending, answer).await.unwrap();
}
