//! The password grant.

use postkey_auth::{Class, Error, PASSWORD_WARNING, PasswordFailure, Registration};
use wire::Secret;

use crate::support::*;

fn password() -> Secret {
    Secret::from("Canary&pass word+1")
}

#[tokio::test]
async fn user_and_password_are_sent_and_a_refresh_token_comes_back() {
    let (clock, http) = (FakeClock::new(), FakeHttp::answering([granted("AT", "RT", 3600)]));
    let tokens =
        client(&http, &clock).password("ana@contoso.example", &password(), &imap_scopes()).await.unwrap();
    assert_eq!(tokens.refresh_token.unwrap().expose(), "RT");
    let form = &http.forms()[0];
    for (name, value) in [
        ("grant_type", "password"),
        ("client_id", "CLIENT"),
        ("username", "ana@contoso.example"),
        ("password", "Canary&pass word+1"),
        ("scope", "offline_access https://outlook.office.com/IMAP.AccessAsUser.All"),
    ] {
        assert_eq!(form[name], value, "{name}");
    }
}

#[tokio::test]
async fn every_reason_to_fail_has_its_type() {
    use PasswordFailure::{
        Expired, Federated, Locked, PersonalAccount, Policy, Registration, SecondFactor, Wrong,
    };
    for (code, failure, class) in [
        (50076, SecondFactor, Class::SignInAgain),
        (50079, SecondFactor, Class::SignInAgain),
        (50158, SecondFactor, Class::SignInAgain),
        (50056, Federated, Class::SignInAgain),
        (50020, PersonalAccount, Class::UserAccount),
        (500201, PersonalAccount, Class::UserAccount),
        (50034, PersonalAccount, Class::UserAccount),
        (50126, Wrong, Class::UserAccount),
        (50055, Expired, Class::UserAccount),
        (50053, Locked, Class::UserAccount),
        (53003, Policy, Class::AdminAction),
        (7000218, Registration, Class::ConfigError),
    ] {
        let (clock, http) = (FakeClock::new(), FakeHttp::answering([refusal("invalid_grant", code)]));
        let result = client(&http, &clock).password("ana", &password(), &imap_scopes()).await;
        let error = result.unwrap_err();
        assert_eq!(error.class(), class, "{error}");
        assert_eq!(error.refusal().unwrap().codes, [code]);
        let shown = error.to_string();
        assert!(shown.contains(&failure.to_string()) && shown.contains("c-1"), "{shown}");
        assert!(matches!(error, Error::Password { failure: found, .. } if found == failure), "{error:?}");
    }
    let (clock, http) = (FakeClock::new(), FakeHttp::answering([refusal("invalid_grant", 65001)]));
    let error = client(&http, &clock).password("ana", &password(), &imap_scopes()).await.unwrap_err();
    assert!(matches!(error, Error::Refused(_)), "consent has nothing to do with passwords: {error:?}");
}

#[tokio::test]
async fn nothing_is_sent_where_it_cannot_work() {
    let (clock, http) = (FakeClock::new(), FakeHttp::answering([]));
    let with = |provider, tenant| client_of(provider, Registration::public("C", tenant), &http, &clock);
    for tenant in ["common", "consumers", "Consumers"] {
        let error = with("microsoft", tenant).password("a", &password(), &imap_scopes()).await.unwrap_err();
        assert!(matches!(error, Error::Setting { setting: "tenant", .. }), "{error}");
    }
    let error = with("outlook-com", "").password("a", &password(), &imap_scopes()).await.unwrap_err();
    assert!(matches!(&error, Error::Unsupported { reason, .. } if reason.contains("Personal")), "{error}");
    let error = with("fastmail", "").password("a", &password(), &["x".to_owned()]).await.unwrap_err();
    assert!(matches!(error, Error::Unsupported { .. }), "{error}");
    let microsoft = client(&http, &clock);
    for wrong in ["", "secret\n", " secret"] {
        let error = microsoft.password("a", &Secret::from(wrong), &imap_scopes()).await.unwrap_err();
        assert!(matches!(error, Error::Setting { setting: "password", .. }), "{error}");
    }
    for wrong in ["", "a\r\nb"] {
        let error = microsoft.password(wrong, &password(), &imap_scopes()).await.unwrap_err();
        assert!(matches!(error, Error::Setting { setting: "user", .. }), "{error}");
    }
    for scopes in [&[][..], &["IMAP.AccessAsUser.All".to_owned()]] {
        let error = microsoft.password("a", &password(), scopes).await.unwrap_err();
        assert!(matches!(error, Error::Setting { setting: "scope", .. }), "{error}");
    }
    assert!(http.seen().is_empty());
    assert!(PASSWORD_WARNING.contains("multi-factor") && PASSWORD_WARNING.contains("federated"));
}

#[tokio::test]
async fn lg_04_a_password_that_comes_back_is_not_shown() {
    let body = serde_json::json!({
        "error": "invalid_grant",
        "error_description": "AADSTS50126: Canary&pass word+1 is not the password, nor is Canary%26pass+word%2B1.",
    });
    let (clock, http) = (FakeClock::new(), FakeHttp::answering([answer(400, body.to_string())]));
    let error = client(&http, &clock).password("ana", &password(), &imap_scopes()).await.unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("Canary") && shown.contains("[redacted]"), "{shown}");
}
