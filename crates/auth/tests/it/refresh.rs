//! The refresh grant, hostile cases AU-25, AU-29, AU-31, AU-32.

use postkey_auth::store::{self, MemoryStore, Renewal, TokenStore as _, Wanted};
use postkey_auth::{Authorize, Class, Error};
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

#[tokio::test]
async fn scopes_can_be_narrowed_and_another_resource_asked_for() {
    let smtp = ["https://outlook.office.com/SMTP.Send".to_owned()];
    let other = ["https://outlook.office365.com/IMAP.AccessAsUser.All".to_owned()];
    for scopes in [&imap_scopes()[1..], &smtp, &other] {
        let body =
            serde_json::json!({"access_token": "AT2", "scope": scopes.join(" "), "refresh_token": "RT2"});
        let (clock, http) = (FakeClock::new(), FakeHttp::answering([answer(200, body.to_string())]));
        let tokens = client(&http, &clock).refresh(&Secret::from("RT1"), scopes).await.unwrap();
        assert_eq!(tokens.scope, scopes);
        assert_eq!(http.forms()[0]["scope"], scopes.join(" "));
    }
}

#[tokio::test]
async fn au_30_a_refresh_token_that_came_with_too_little_is_not_lost() {
    let narrowed = |refresh: &str| {
        let mut body =
            serde_json::json!({"access_token": "AT2", "scope": "https://outlook.office.com/SMTP.Send"});
        if !refresh.is_empty() {
            body["refresh_token"] = refresh.into();
        }
        answer(200, body.to_string())
    };
    let (clock, http) = (FakeClock::new(), FakeHttp::answering([narrowed("RT-canary")]));
    let error = client(&http, &clock).refresh(&Secret::from("RT1"), &imap_scopes()).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("RT-canary"));
    match error {
        Error::Unusable { reason, refresh_token, .. } => {
            assert!(matches!(*reason, Error::ScopeMismatch { .. }), "{reason:?}");
            assert_eq!(refresh_token.expose(), "RT-canary");
        }
        other => panic!("{other:?}"),
    }

    // Through the store: the old token is spent, so the next renewal must present the new one.
    for (answered, next) in [("RT2", "RT2"), ("", "RT1")] {
        let http = FakeHttp::answering([narrowed(answered), granted("AT3", "RT3", 3600)]);
        let (client, store) = (client(&http, &clock), MemoryStore::default());
        let wanted = Wanted::new("ana", &client, imap_scopes(), Renewal::Refresh);
        let old = FakeHttp::answering([granted("AT1", "RT1", 0)]);
        let first = self::client(&old, &clock).refresh(&Secret::from("x"), &imap_scopes()).await.unwrap();
        store::save(&store, &wanted.key, first, &clock).await.unwrap();
        let error = store::access_token(&store, &client, &wanted).await.unwrap_err();
        assert!(matches!(error, Error::ScopeMismatch { .. }), "{error}");
        let kept = store.load(&wanted.key).unwrap().unwrap().tokens.unwrap();
        assert_eq!(kept.refresh_token.unwrap().expose(), next);
        assert_eq!(kept.access_token.expose(), "AT1", "what was granted is not taken for what was asked");
        store::access_token(&store, &client, &wanted).await.unwrap_err();
        assert_eq!(http.seen().len(), 1, "the refusal is remembered");
        clock.advance(61);
        store::access_token(&store, &client, &wanted).await.unwrap();
        assert_eq!(http.forms()[1]["refresh_token"], next);
    }
}

#[tokio::test]
async fn a_challenge_leads_to_a_sign_in_that_answers_it() {
    let json = r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}}}"#;
    let body = serde_json::json!({"error": "interaction_required", "error_codes": [50076], "claims": json});
    let (clock, http) = (FakeClock::new(), FakeHttp::answering([answer(400, body.to_string())]));
    let client = client(&http, &clock);
    let (store, scopes) = (MemoryStore::default(), imap_scopes());
    let wanted = Wanted::new("ana", &client, scopes.clone(), Renewal::Refresh);
    let old = FakeHttp::answering([granted("AT1", "RT1", 0)]);
    let first = self::client(&old, &clock).refresh(&Secret::from("x"), &scopes).await.unwrap();
    store::save(&store, &wanted.key, first, &clock).await.unwrap();
    // The second time the refusal comes from the store.
    for _ in 0..2 {
        let error = store::access_token(&store, &client, &wanted).await.unwrap_err();
        assert!(matches!(error, Error::SignInAgain(_)), "{error}");
        let challenge = error.challenge().unwrap();
        assert_eq!((challenge.as_str(), challenge.contexts()), (json, vec!["c1".to_owned()]));
        let request =
            Authorize { claims: Some(challenge.as_str()), ..Authorize::new("http://localhost:1/", &scopes) };
        let (url, _) = client.code_begin(&request).unwrap();
        assert!(url.query_pairs().any(|(name, value)| name == "claims" && value == json));
    }
    assert_eq!(http.seen().len(), 1);
    assert_eq!(Error::CodeExpired.challenge(), None);
}
