//! The device sign-in (RFC 8628), hostile cases AU-16 to AU-23.

use std::time::Duration;

use postkey_auth::{Class, Client, DeviceRequest, Endpoints, Error, Flow, Registration};

use crate::support::*;

fn device_code(
    interval: u64,
    expires_in: u64,
) -> Result<postkey_auth::http::HttpResponse, postkey_auth::http::HttpError> {
    let body = serde_json::json!({
        "user_code": "ABCD12345", "device_code": "DC", "verification_uri": "https://microsoft.com/devicelogin",
        "expires_in": expires_in, "interval": interval, "message": "Open https://microsoft.com/devicelogin and type ABCD12345."
    });
    answer(200, body.to_string())
}

#[tokio::test]
async fn au_16_pending_is_polled_until_the_person_is_done() {
    let (clock, scopes) = (FakeClock::new(), imap_scopes());
    let pending = (0..5).map(|_| refusal("authorization_pending", 70016));
    let http = FakeHttp::answering(
        std::iter::once(device_code(5, 900)).chain(pending).chain([granted("AT", "RT", 3600)]),
    );
    let client = client(&http, &clock);
    let code = client.device_start(&scopes).await.unwrap();
    let tokens = client.device_finish(&code).await.unwrap();
    assert_eq!(tokens.access_token.expose(), "AT");
    assert_eq!(tokens.refresh_token.unwrap().expose(), "RT");
    assert_eq!(clock.waited_seconds(), [5; 6]);
    let seen = http.seen();
    assert_eq!(seen[0].url, "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/devicecode");
    assert_eq!(seen[0].form["scope"], "offline_access https://outlook.office.com/IMAP.AccessAsUser.All");
    assert_eq!(seen[1].url, "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token");
    assert_eq!(seen[1].form["grant_type"], "urn:ietf:params:oauth:grant-type:device_code");
    assert_eq!((seen[1].form["device_code"].as_str(), seen[1].form["client_id"].as_str()), ("DC", "CLIENT"));
}

#[tokio::test]
async fn au_17_every_slow_down_adds_five_seconds_for_good() {
    let clock = FakeClock::new();
    let http = FakeHttp::answering([
        device_code(5, 900),
        plain_refusal("slow_down"),
        plain_refusal("authorization_pending"),
        plain_refusal("slow_down"),
        plain_refusal("authorization_pending"),
        granted("AT", "", 3600),
    ]);
    let client = client(&http, &clock);
    let code = client.device_start(&imap_scopes()).await.unwrap();
    client.device_finish(&code).await.unwrap();
    assert_eq!(clock.waited_seconds(), [5, 10, 10, 15, 15]);
}

#[tokio::test]
async fn au_19_a_code_ends_and_is_not_polled_afterwards() {
    let clock = FakeClock::new();
    let pending = (0..100).map(|_| plain_refusal("authorization_pending"));
    let http = FakeHttp::answering(std::iter::once(device_code(5, 12)).chain(pending));
    let client = client(&http, &clock);
    let code = client.device_start(&imap_scopes()).await.unwrap();
    assert!(matches!(client.device_finish(&code).await, Err(Error::CodeExpired)));
    assert_eq!(clock.waited_seconds(), [5, 5, 2]);
    assert_eq!(http.seen().len(), 4);
}

#[tokio::test]
async fn au_21_trouble_on_the_way_is_waited_out_ever_longer() {
    let clock = FakeClock::new();
    let http = FakeHttp::answering([
        device_code(5, 900),
        reset(),
        reset(),
        throttled(503, None),
        plain_refusal("authorization_pending"),
        granted("AT", "", 3600),
    ]);
    let client = client(&http, &clock);
    let code = client.device_start(&imap_scopes()).await.unwrap();
    assert!(client.device_finish(&code).await.is_ok());
    assert_eq!(clock.waited_seconds(), [5, 10, 20, 40, 5]);
}

#[tokio::test]
async fn au_21_pauses_stay_within_a_minute() {
    let clock = FakeClock::new();
    let http = FakeHttp::answering(std::iter::once(device_code(60, 900)).chain((0..40).map(|_| reset())));
    let client = client(&http, &clock);
    let code = client.device_start(&imap_scopes()).await.unwrap();
    assert!(matches!(client.device_finish(&code).await, Err(Error::CodeExpired)));
    assert!(clock.waits().iter().all(|wait| *wait <= Duration::from_secs(60)));
}

#[tokio::test]
async fn au_22_a_token_of_another_type_ends_the_sign_in() {
    let clock = FakeClock::new();
    let http = FakeHttp::answering([
        device_code(5, 900),
        answer(200, r#"{"token_type":"DPoP","access_token":"AT"}"#),
    ]);
    let client = client(&http, &clock);
    let code = client.device_start(&imap_scopes()).await.unwrap();
    assert!(matches!(client.device_finish(&code).await, Err(Error::TokenType { found }) if found == "DPoP"));
}

#[tokio::test]
async fn au_23_every_refusal_has_its_type() {
    for (body, expected) in [
        (plain_refusal("access_denied"), "declined"),
        (plain_refusal("authorization_declined"), "declined"),
        (refusal("access_denied", 65004), "declined"),
        (plain_refusal("expired_token"), "expired"),
        (refusal("invalid_grant", 70019), "expired"),
        (refusal("bad_verification_code", 70018), "refused"),
        (refusal("invalid_grant", 53003), "refused"),
        (refusal("invalid_client", 7000218), "refused"),
    ] {
        let clock = FakeClock::new();
        let http = FakeHttp::answering([device_code(5, 900), body]);
        let client = client(&http, &clock);
        let code = client.device_start(&imap_scopes()).await.unwrap();
        let found = match client.device_finish(&code).await {
            Err(Error::Declined(_)) => "declined",
            Err(Error::CodeExpired) => "expired",
            Err(Error::Refused(_)) => "refused",
            other => panic!("{other:?}"),
        };
        assert_eq!(found, expected, "{:?}", http.seen().last());
    }
}

#[tokio::test]
async fn an_error_with_status_200_is_an_error_here_too() {
    let clock = FakeClock::new();
    let body = r#"{"error":"invalid_client","error_description":"AADSTS7000218: x","error_codes":[7000218]}"#;
    let client = client(&FakeHttp::answering([answer(200, body)]), &clock);
    let error = client.device_start(&imap_scopes()).await.unwrap_err();
    assert_eq!(error.class(), Class::ConfigError);
    assert!(error.to_string().contains("Allow public client flows"), "{error}");
}

#[tokio::test]
async fn nothing_is_sent_where_it_cannot_work() {
    let (clock, http) = (FakeClock::new(), FakeHttp::answering([]));
    let google = client_of(
        "google",
        postkey_auth::Registration::with_secret("C", wire::Secret::from("s"), ""),
        &http,
        &clock,
    );
    let error = google.device_start(&["https://mail.google.com/".to_owned()]).await.unwrap_err();
    assert!(matches!(error, Error::Unsupported { flow: Flow::Device, .. }), "{error}");
    assert!(error.to_string().contains("no mail scope"), "{error}");
    let bare = client(&http, &clock).device_start(&["IMAP.AccessAsUser.All".to_owned()]).await.unwrap_err();
    assert!(matches!(bare, Error::Setting { setting: "scope", .. }), "{bare}");
    assert!(http.seen().is_empty());
}

#[tokio::test]
async fn the_language_is_asked_for_as_the_provider_wants_it() {
    let (clock, scopes) = (FakeClock::new(), imap_scopes());
    let challenge = r#"{"access_token":{}}"#;
    let request =
        DeviceRequest { language: Some("de-DE"), claims: Some(challenge), ..DeviceRequest::new(&scopes) };
    let http = FakeHttp::answering([device_code(5, 900)]);
    client(&http, &clock).device_begin(&request).await.unwrap();
    let seen = &http.seen()[0];
    assert!(seen.url.ends_with("/oauth2/v2.0/devicecode?mkt=de-DE"), "{}", seen.url);
    assert_eq!(seen.form["claims"], challenge);
    assert!(!seen.form.contains_key("ui_locales"));

    let http = FakeHttp::answering([device_code(5, 900)]);
    let endpoints = Endpoints::new(None, "https://idp.example/t", Some("https://idp.example/d")).unwrap();
    let generic =
        Client::with_clock(endpoints, Registration::public("C", ""), http.clone(), FakeClock::new());
    generic.device_begin(&request).await.unwrap();
    let seen = &http.seen()[0];
    assert_eq!((seen.url.as_str(), seen.form["ui_locales"].as_str()), ("https://idp.example/d", "de-DE"));

    for language in ["", "de DE", "de&x=y", "a-very-long-language-tag-that-is-none-at-all"] {
        let request = DeviceRequest { language: Some(language), ..DeviceRequest::new(&scopes) };
        let error = client(&http, &clock).device_begin(&request).await.unwrap_err();
        assert!(matches!(error, Error::Setting { setting: "language", .. }), "{language}: {error}");
    }
}

#[tokio::test]
async fn the_old_name_of_the_page_is_read() {
    let body = r#"{"user_code":"AB","device_code":"DC","verification_url":"https://idp.example/device"}"#;
    let http = FakeHttp::answering([answer(200, body)]);
    let code = client(&http, &FakeClock::new()).device_start(&imap_scopes()).await.unwrap();
    assert_eq!(code.verification_uri, "https://idp.example/device");
}

#[tokio::test]
async fn au_20_a_page_that_is_not_https_is_not_shown() {
    for page in
        ["http://evil.example/device", "javascript:alert(1)", "file:///etc/passwd", "", "//evil.example"]
    {
        let body = serde_json::json!({"user_code": "AB", "device_code": "DC", "verification_uri": page});
        let http = FakeHttp::answering([answer(200, body.to_string())]);
        let error = client(&http, &FakeClock::new()).device_start(&imap_scopes()).await.unwrap_err();
        assert!(matches!(error, Error::Response { .. }), "{page}: {error}");
    }
}

#[tokio::test]
async fn an_expired_code_is_followed_by_a_fresh_one() {
    let clock = FakeClock::new();
    let http = FakeHttp::answering([
        device_code(5, 900),
        plain_refusal("expired_token"),
        device_code(5, 900),
        granted("AT", "", 3600),
    ]);
    let (client, scopes) = (client(&http, &clock), imap_scopes());
    let code = client.device_start(&scopes).await.unwrap();
    let error = client.device_finish(&code).await.unwrap_err();
    assert!(matches!(error, Error::CodeExpired) && error.class() == Class::SignInAgain, "{error}");
    let code = client.device_start(&scopes).await.unwrap();
    assert_eq!(client.device_finish(&code).await.unwrap().access_token.expose(), "AT");
}

#[tokio::test]
async fn polls_answered_with_status_200_are_read_by_their_error() {
    let clock = FakeClock::new();
    let http = FakeHttp::answering([
        device_code(5, 900),
        answer(200, r#"{"error":"authorization_pending"}"#),
        answer(200, r#"{"error":"slow_down"}"#),
        answer(200, r#"{"error":"authorization_declined"}"#),
    ]);
    let client = client(&http, &clock);
    let code = client.device_start(&imap_scopes()).await.unwrap();
    assert!(matches!(client.device_finish(&code).await, Err(Error::Declined(_))));
    assert_eq!(clock.waited_seconds(), [5, 5, 10]);
}

#[tokio::test]
async fn a_confidential_client_proves_itself_where_the_rfc_says_so() {
    let registration =
        || Registration::with_secret("C", wire::Secret::from("device-secret"), "contoso.example");
    let generic = Endpoints::new(None, "https://idp.example/t", Some("https://idp.example/d")).unwrap();
    for (endpoints, at_device) in [(Some(generic), true), (None, false)] {
        let (clock, http) =
            (FakeClock::new(), FakeHttp::answering([device_code(5, 900), granted("AT", "", 60)]));
        let client = match endpoints {
            Some(endpoints) => Client::with_clock(endpoints, registration(), http.clone(), clock),
            None => client_of("microsoft", registration(), &http, &clock),
        };
        let code = client.device_start(&imap_scopes()).await.unwrap();
        client.device_finish(&code).await.unwrap();
        let forms = http.forms();
        assert_eq!(forms[0].contains_key("client_secret"), at_device);
        assert!(forms.iter().all(|form| form["client_id"] == "C"));
        assert_eq!(forms[1]["client_secret"], "device-secret");
    }
}
