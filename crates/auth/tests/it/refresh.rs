//! The refresh grant, hostile cases AU-25, AU-29, AU-31, AU-32.

use postkey_auth::{Class, Error};
use wire::Secret;

use crate::support::*;

#[tokio::test]
async fn a_refresh_asks_for_one_resource() {
    let (clock, http) = (FakeClock::new(), FakeHttp::answering([granted("AT2", "RT2", 3600)]));
    let tokens = client(&http, &clock).refresh(&Secret::from("RT1"), &imap_scopes()).await.unwrap();
    assert_eq!(tokens.refresh_token.unwrap().expose(), "RT2");
    let form = &http.forms()[0];
    assert_eq!((form["grant_type"].as_str(), form["refresh_token"].as_str()), ("refresh_token", "RT1"));
    let mixed =
        ["https://outlook.office.com/SMTP.Send", "https://graph.microsoft.com/Mail.Read"].map(str::to_owned);
    assert!(matches!(
        client(&http, &clock).refresh(&Secret::from("RT1"), &mixed).await,
        Err(Error::Setting { setting: "scope", .. })
    ));
    assert_eq!(http.seen().len(), 1);
}

#[tokio::test]
async fn au_29_without_a_new_refresh_token_the_old_one_stays() {
    for body in [
        r#"{"access_token":"AT2"}"#,
        r#"{"access_token":"AT2","refresh_token":""}"#,
        r#"{"access_token":"AT2","refresh_token":null}"#,
    ] {
        let (clock, http) = (FakeClock::new(), FakeHttp::answering([answer(200, body)]));
        let tokens = client(&http, &clock).refresh(&Secret::from("RT1"), &imap_scopes()).await.unwrap();
        assert_eq!(tokens.refresh_token.unwrap().expose(), "RT1");
    }
}

#[tokio::test]
async fn au_31_a_narrowed_scope_is_named() {
    for scope in ["", "https://outlook.office.com/SMTP.Send", "https://graph.microsoft.com/Mail.Read openid"]
    {
        let body =
            serde_json::json!({"access_token": "AT2", "token_type": "Bearer", "scope": scope}).to_string();
        let (clock, http) = (FakeClock::new(), FakeHttp::answering([answer(200, body)]));
        match client(&http, &clock).refresh(&Secret::from("RT1"), &imap_scopes()).await {
            Err(Error::ScopeMismatch { missing, .. }) => {
                assert_eq!(missing, ["https://outlook.office.com/IMAP.AccessAsUser.All"]);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn au_32_refusals_fall_into_their_classes() {
    let google =
        answer(400, r#"{"error":"invalid_grant","error_description":"Token has been expired or revoked."}"#);
    for (body, class) in [
        (refusal("invalid_grant", 700082), Class::SignInAgain),
        (refusal("invalid_grant", 50173), Class::SignInAgain),
        (refusal("invalid_grant", 70043), Class::SignInAgain),
        (refusal("invalid_grant", 50076), Class::SignInAgain),
        (refusal("interaction_required", 999999), Class::SignInAgain),
        (google, Class::SignInAgain),
        (refusal("invalid_client", 7000215), Class::ConfigError),
        (refusal("unauthorized_client", 700016), Class::ConfigError),
        (plain_refusal("invalid_client"), Class::ConfigError),
        (plain_refusal("unauthorized_client"), Class::ConfigError),
        (refusal("invalid_grant", 53003), Class::AdminAction),
        (refusal("invalid_grant", 50057), Class::UserAccount),
        (refusal("temporarily_unavailable", 90033), Class::RetryLater),
        (plain_refusal("temporarily_unavailable"), Class::RetryLater),
    ] {
        let (clock, http) = (FakeClock::new(), FakeHttp::answering([body]));
        let error = client(&http, &clock).refresh(&Secret::from("RT1"), &imap_scopes()).await.unwrap_err();
        assert_eq!(error.class(), class, "{error}");
    }
}

#[tokio::test]
async fn a_claims_challenge_is_handed_on() {
    let challenge = r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}}}"#;
    let body = serde_json::json!({"error": "interaction_required", "error_codes": [50076], "claims": challenge, "suberror": "basic_action"});
    let (clock, http) = (FakeClock::new(), FakeHttp::answering([answer(400, body.to_string())]));
    let error = client(&http, &clock).refresh(&Secret::from("RT1"), &imap_scopes()).await.unwrap_err();
    assert_eq!(error.refusal().unwrap().claims.as_deref(), Some(challenge));
}

#[tokio::test]
async fn au_25_a_redirect_is_not_followed() {
    let (clock, http) = (FakeClock::new(), FakeHttp::answering([answer(307, "")]));
    let error = client(&http, &clock).refresh(&Secret::from("RT1"), &imap_scopes()).await.unwrap_err();
    assert!(matches!(error, Error::Redirected { status: 307 }));
    assert_eq!(http.seen().len(), 1);
}
