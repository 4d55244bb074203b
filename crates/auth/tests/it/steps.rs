//! Refusals without a reason: which request it was, and what that usually means there.

use postkey_auth::discovery::{IssuerRule, discover};
use postkey_auth::{Assertion, Authorize, Callback, Class, Error, Registration, ServiceAccount, Step};
use wire::Secret;

use crate::support::*;

const EMPTY: &[u8] = b" \r\n";
const PAGE: &[u8] = b"<html>forbidden by the proxy</html>";

/// The error of the request of `step` that is answered with this status and body.
async fn refused(step: Step, status: u16, body: &[u8]) -> Error {
    let (clock, http) = (FakeClock::new(), FakeHttp::answering([answer(status, body)]));
    let public = client(&http, &clock);
    let result = match step {
        Step::Code => {
            let scopes = imap_scopes();
            let (_, pending) = public.code_begin(&Authorize::new("http://localhost:1/", &scopes)).unwrap();
            let query = format!("code=C&state={}", pending.state.expose());
            public.code_finish(pending, Callback::from_query(&query).unwrap()).await.map(drop)
        }
        Step::Refresh => public.refresh(&Secret::from("RT"), &imap_scopes()).await.map(drop),
        Step::Application => daemon(&http, &clock).client_credentials(&app_scopes()).await.map(drop),
        Step::Password => {
            public.password("ana@contoso.example", &Secret::from("pw"), &imap_scopes()).await.map(drop)
        }
        Step::ServiceAccount => {
            let key = serde_json::json!({
                "type": "service_account", "client_email": "m@p.example", "private_key_id": "K",
                "private_key": String::from_utf8(fixture("key.pem")).unwrap(),
            });
            let account = ServiceAccount::from_json(key.to_string().as_bytes()).unwrap();
            let client = client_of("google", Registration::service_account(account), &http, &clock);
            client.jwt_bearer(&["https://mail.google.com/".to_owned()]).await.map(drop)
        }
        Step::DeviceCode => public.device_start(&imap_scopes()).await.map(drop),
        Step::DevicePoll => {
            let body = r#"{"device_code":"D","user_code":"U","verification_uri":"https://id.example/","expires_in":900}"#;
            let asked = FakeHttp::answering([answer(200, body)]);
            let code = client(&asked, &clock).device_start(&imap_scopes()).await.unwrap();
            public.device_poll(&code).await.map(drop)
        }
        Step::Discovery => discover(&http, "https://id.example", IssuerRule::Exact).await.map(drop),
        Step::Assertion => {
            let github =
                postkey_auth::credential::GitHubActions::new("https://p.example/", Secret::from("t"))
                    .unwrap();
            let registration =
                Registration::with_assertion("CLIENT", Assertion::GitHubActions(github), "contoso.example");
            client_of("microsoft", registration, &http, &clock)
                .client_credentials(&app_scopes())
                .await
                .map(drop)
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(http.seen().len(), 1, "{step:?}");
    result.unwrap_err()
}

#[tokio::test]
async fn every_request_says_which_one_it_was() {
    for (step, words, refusal) in [
        (Step::Code, "redeeming the code", Class::SignInAgain),
        (Step::Refresh, "redeeming the refresh token", Class::SignInAgain),
        (Step::Application, "the application's own", Class::ConfigError),
        (Step::Password, "signing in by password", Class::UserAccount),
        (Step::ServiceAccount, "the service account's assertion", Class::ConfigError),
        (Step::DeviceCode, "asking for a device code", Class::ConfigError),
        (Step::DevicePoll, "whether the device sign-in is finished", Class::SignInAgain),
        (Step::Discovery, "the discovery document", Class::Peer),
    ] {
        let error = refused(step, 400, EMPTY).await;
        let shown = error.to_string();
        assert!(shown.contains(words) && shown.contains("HTTP 400 with nothing else"), "{shown}");
        assert_eq!(error.class(), refusal, "{shown}");
        match error {
            Error::Status { step: named, status: 400, empty: true, retry_after: None } => {
                assert_eq!(named, step);
            }
            other => panic!("{other:?}"),
        }
        // A page in its place says nothing about the request, and none of it is shown.
        let error = refused(step, 400, PAGE).await;
        let shown = error.to_string();
        assert!(
            matches!(error, Error::Status { empty: false, .. }) && error.class() == Class::Peer,
            "{error:?}"
        );
        assert!(shown.contains(words) && !shown.contains("html") && !shown.contains("proxy>"), "{shown}");
        assert_eq!(refused(step, 503, EMPTY).await.class(), Class::RetryLater);
        let shown = refused(step, 200, EMPTY).await.to_string();
        assert!(shown.contains(words) && shown.contains("empty body"), "{shown}");
    }
}

/// The service that lends an assertion is another one, and the error says so.
#[tokio::test]
async fn a_service_that_lends_no_assertion_is_named() {
    for (status, class) in [(401, Class::ConfigError), (403, Class::ConfigError), (500, Class::RetryLater)] {
        match refused(Step::Assertion, status, EMPTY).await {
            Error::Assertion { from, reason, class: found } => {
                assert!(
                    from.contains("GitHub Actions") && reason.contains(&status.to_string()),
                    "{from}: {reason}"
                );
                assert_eq!(found, class);
            }
            other => panic!("{other:?}"),
        }
    }
}
