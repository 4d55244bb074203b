//! Client credentials.

use postkey_auth::{Class, Error, Registration};
use wire::Secret;

use crate::support::*;

#[tokio::test]
async fn an_application_signs_in_with_its_secret() {
    let (clock, http) = (
        FakeClock::new(),
        FakeHttp::answering([answer(
            200,
            r#"{"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,"access_token":"AT"}"#,
        )]),
    );
    let tokens = daemon(&http, &clock).client_credentials(&app_scopes()).await.unwrap();
    assert_eq!((tokens.access_token.expose(), tokens.expires_at), ("AT", NOW + 3599));
    assert!(tokens.refresh_token.is_none());
    let form = &http.forms()[0];
    assert_eq!(form["grant_type"], "client_credentials");
    assert_eq!(form["scope"], "https://outlook.office365.com/.default");
    assert_eq!(form["client_secret"], "daemon-secret-0123456789");
}

#[tokio::test]
async fn what_cannot_work_is_refused_before_any_request() {
    let (clock, http) = (FakeClock::new(), FakeHttp::answering([]));
    for tenant in ["common", "organizations", "consumers", "Common", ""] {
        let registration = Registration::with_secret("C", Secret::from("secret"), tenant);
        let client = client_of("microsoft", registration, &http, &clock);
        let error = client.client_credentials(&app_scopes()).await.unwrap_err();
        assert!(matches!(error, Error::Setting { setting: "tenant", .. }), "{tenant}: {error}");
    }
    let error = daemon(&http, &clock).client_credentials(&imap_scopes()[1..]).await.unwrap_err();
    assert!(matches!(error, Error::Setting { setting: "scope", .. }), "{error}");
    let error = daemon(&http, &clock).client_credentials(&[]).await.unwrap_err();
    assert!(matches!(error, Error::Setting { setting: "scope", .. }), "{error}");
    let error = client(&http, &clock).client_credentials(&app_scopes()).await.unwrap_err();
    assert!(matches!(error, Error::Setting { setting: "client secret", .. }), "{error}");
    assert!(http.seen().is_empty());
}

#[tokio::test]
async fn refused_credentials_have_their_class_and_advice() {
    for (error, code, class, words) in [
        ("invalid_client", 7000215, Class::ConfigError, "Value"),
        ("invalid_client", 7000222, Class::SecretExpired, "new secret"),
        ("unauthorized_client", 700016, Class::ConfigError, "tenant"),
        ("invalid_request", 90002, Class::ConfigError, "tenant"),
        ("invalid_grant", 7000112, Class::AdminAction, "Enterprise applications"),
    ] {
        let (clock, http) = (FakeClock::new(), FakeHttp::answering([refusal(error, code)]));
        let error = daemon(&http, &clock).client_credentials(&app_scopes()).await.unwrap_err();
        assert_eq!(error.class(), class, "{error}");
        let shown = error.to_string();
        assert!(
            shown.contains(words) && shown.contains(&code.to_string()) && shown.contains("c-1"),
            "{shown}"
        );
    }
}
