//! Federated assertions: files, GitHub Actions, managed identities, the caller.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use postkey_auth::credential::{GitHubActions, ManagedIdentity};
use postkey_auth::http::{HttpError, HttpResponse, Method};
use postkey_auth::{Assertion, Class, Error, Registration, Tokens};
use wire::Secret;

use crate::support::*;

fn good(subject: &str) -> String {
    jwt(&serde_json::json!({"iss": "https://cluster.example", "sub": subject, "exp": NOW + 3600}))
}

/// Signs in with `assertion`; `answers` are those of its source, before the token endpoint's.
async fn sign_in(
    assertion: &Assertion,
    answers: Vec<Result<HttpResponse, HttpError>>,
) -> (Result<Tokens, Error>, Vec<Seen>) {
    let (clock, http) =
        (FakeClock::new(), FakeHttp::answering(answers.into_iter().chain([granted("AT", "", 3599)])));
    let registration = Registration::with_assertion("CLIENT", assertion.clone(), "contoso.example");
    let result = client_of("microsoft", registration, &http, &clock).client_credentials(&app_scopes()).await;
    (result, http.seen())
}

async fn refused(assertion: &Assertion, answers: Vec<Result<HttpResponse, HttpError>>) -> (String, Class) {
    let (result, seen) = sign_in(assertion, answers).await;
    let error = result.unwrap_err();
    assert!(matches!(error, Error::Assertion { .. }), "{error:?}");
    assert!(
        !seen.iter().any(|seen| seen.url.contains("/token") && seen.method == Method::Post),
        "nothing was sent"
    );
    (error.to_string(), error.class())
}

#[tokio::test]
async fn a_file_is_read_for_every_request() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let assertion = Assertion::file(&path);
    for subject in ["one", "two"] {
        std::fs::write(&path, format!("{}\n", good(subject))).unwrap();
        let (result, seen) = sign_in(&assertion, vec![]).await;
        result.unwrap();
        let form = &seen[0].form;
        assert_eq!(form["client_assertion"], good(subject));
        assert_eq!(form["client_assertion_type"], "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        assert!(!form.contains_key("client_secret"));
    }
}

#[tokio::test]
async fn what_cannot_be_an_assertion_is_not_sent() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let assertion = Assertion::file(&path);
    let (shown, class) = refused(&assertion, vec![]).await;
    assert!(shown.contains("cannot be read") && shown.contains("token"), "{shown}");
    assert_eq!(class, Class::ConfigError);
    let ended = jwt(&serde_json::json!({"exp": NOW - 1000}));
    let long = format!("a.{}.b", "x".repeat(64 * 1024));
    for (content, words) in [
        ("", "nothing in it"),
        ("hunter2-canary", "not a JSON Web Token"),
        ("a.b.c\nGET / HTTP/1.1", "not a JSON Web Token"),
        (&long, "not a JSON Web Token"),
        (&ended, "1000 s ago"),
    ] {
        std::fs::write(&path, content).unwrap();
        let (shown, _) = refused(&assertion, vec![]).await;
        assert!(shown.contains(words) && !shown.contains("hunter2"), "{shown}");
    }
    let barely = jwt(&serde_json::json!({"exp": NOW - 200}));
    std::fs::write(&path, &barely).unwrap();
    assert!(sign_in(&assertion, vec![]).await.0.is_ok(), "clocks differ by a little");
    std::fs::write(&path, [0xff, 0xfe]).unwrap();
    refused(&assertion, vec![]).await;
    let (shown, _) = refused(&Assertion::file(folder.path()), vec![]).await;
    assert!(shown.contains("not a regular file"), "a folder, a pipe, a device: {shown}");
}

#[tokio::test]
async fn github_actions_is_asked_for_the_right_audience() {
    let environment = |name: &str| {
        Some(match name {
            "ACTIONS_ID_TOKEN_REQUEST_URL" => "https://pipelines.example/token?api-version=2.0".to_owned(),
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN" => "job-token-canary".to_owned(),
            _ => return None,
        })
    };
    let source = GitHubActions::from_environment(environment).unwrap();
    let assertion = Assertion::GitHubActions(source.clone());
    let body = serde_json::json!({"count": 1, "value": good("repo:x")}).to_string();
    let (result, seen) = sign_in(&assertion, vec![answer(200, body)]).await;
    result.unwrap();
    assert_eq!(
        (seen[0].method, seen[0].url.as_str()),
        (
            Method::Get,
            "https://pipelines.example/token?api-version=2.0&audience=api%3A%2F%2FAzureADTokenExchange"
        )
    );
    assert_eq!(seen[0].authorization.as_deref(), Some("Bearer job-token-canary"));
    assert_eq!(seen[1].form["client_assertion"], good("repo:x"));
    assert!(!format!("{assertion:?} {source:?} {assertion}").contains("canary"));

    let echo = serde_json::json!({"error": "invalid", "error_description": "job-token-canary is wrong"});
    for (reply, expected) in [
        (answer(401, echo.to_string()), Class::ConfigError),
        (answer(200, "{}"), Class::Peer),
        (answer(302, ""), Class::Peer),
        (throttled(503, None), Class::RetryLater),
        (reset(), Class::RetryLater),
    ] {
        let (shown, class) = refused(&assertion, vec![reply]).await;
        assert_eq!(class, expected, "{shown}");
        assert!(shown.contains("GitHub Actions") && !shown.contains("canary"), "{shown}");
    }
    let error = GitHubActions::from_environment(|_| None).unwrap_err();
    assert!(error.to_string().contains("id-token: write"), "{error}");
    let plain = GitHubActions::new("http://pipelines.example/", Secret::from("x"));
    assert!(matches!(plain, Err(Error::InsecureUrl { .. })));
}

#[tokio::test]
async fn the_metadata_service_is_asked_as_azure_wants_it() {
    let source = ManagedIdentity::from_environment(|_| None).unwrap().with_client_id("IDENTITY");
    let assertion = Assertion::ManagedIdentity(source);
    let body = serde_json::json!({"access_token": good("mi"), "expires_in": "3599", "token_type": "Bearer"});
    let (result, seen) = sign_in(&assertion, vec![answer(200, body.to_string())]).await;
    result.unwrap();
    assert_eq!(
        seen[0].url,
        "http://169.254.169.254/metadata/identity/oauth2/token?resource=api%3A%2F%2FAzureADTokenExchange&client_id=IDENTITY&api-version=2018-02-01"
    );
    assert_eq!((seen[0].method, seen[0].headers["metadata"].as_str()), (Method::Get, "true"));
    assert_eq!(seen[1].form["client_assertion"], good("mi"));
    for (status, expected) in [(404, Class::RetryLater), (410, Class::RetryLater), (500, Class::RetryLater)] {
        assert_eq!(refused(&assertion, vec![answer(status, "")]).await.1, expected);
    }
    let none = r#"{"error":"invalid_request","error_description":"Identity not found"}"#;
    let (shown, class) = refused(&assertion, vec![answer(400, none)]).await;
    assert!(shown.contains("Identity not found") && shown.contains("managed identity"), "{shown}");
    assert_eq!(class, Class::ConfigError);
}

/// In App Service and Functions it is on a link-local address, in Container Apps on loopback.
#[tokio::test]
async fn an_identity_endpoint_gets_its_header() {
    for place in ["http://127.0.0.1:41567/MSI/token/", "http://169.254.129.5:8081/msi/token"] {
        let environment = |name: &str| {
            Some(match name {
                "IDENTITY_ENDPOINT" => place.to_owned(),
                "IDENTITY_HEADER" => "header-canary".to_owned(),
                _ => return None,
            })
        };
        let assertion = Assertion::ManagedIdentity(ManagedIdentity::from_environment(environment).unwrap());
        let body = serde_json::json!({"access_token": good("app"), "expires_on": "1586984735"});
        let (result, seen) = sign_in(&assertion, vec![answer(200, body.to_string())]).await;
        result.unwrap();
        let asked = format!("{place}?resource=api%3A%2F%2FAzureADTokenExchange&api-version=2019-08-01");
        assert_eq!(seen[0].url, asked);
        assert_eq!(seen[0].headers["x-identity-header"], "header-canary");
        assert!(!format!("{assertion:?}").contains("canary"));
    }
}

#[test]
fn au_26_plain_http_is_for_loopback_and_identity_services_of_the_host_alone() {
    for address in ["http://10.0.0.1/msi", "http://identity.example/", "http://169.253.169.254/"] {
        let endpoint = ManagedIdentity::endpoint(address, Secret::from("x"));
        assert!(matches!(endpoint, Err(Error::InsecureUrl { .. })), "{address}");
    }
    for address in ["http://10.0.0.1/", "http://169.254.169.254/", "http://169.254.129.2:8081/"] {
        let token = postkey_auth::Endpoints::new(None, address, None);
        assert!(matches!(token, Err(Error::InsecureUrl { .. })), "{address}");
    }
}

#[tokio::test]
async fn the_caller_is_asked_for_every_request() {
    let asked = Arc::new(AtomicU32::new(0));
    let count = asked.clone();
    let assertion = Assertion::from_fn("the vault", move || {
        let number = count.fetch_add(1, Ordering::SeqCst);
        Ok(Secret::from(good(&number.to_string())))
    });
    for number in ["0", "1"] {
        let (result, seen) = sign_in(&assertion, vec![]).await;
        result.unwrap();
        assert_eq!(seen[0].form["client_assertion"], good(number));
    }
    let later = Assertion::from_async("the command", || {
        Box::pin(async {
            tokio::task::yield_now().await;
            Err("it ended with status 3\u{1b}[2J".to_owned())
        })
    });
    let (shown, class) = refused(&later, vec![]).await;
    assert!(shown.contains("the command: it ended with status 3 [2J"), "{shown}");
    assert_eq!((class, asked.load(Ordering::SeqCst)), (Class::ConfigError, 2));
}

#[test]
fn the_environment_names_the_source() {
    let github =
        [("ACTIONS_ID_TOKEN_REQUEST_URL", "https://g.example/"), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "t")];
    let azure = [("IDENTITY_ENDPOINT", "http://localhost:1/"), ("IDENTITY_HEADER", "h")];
    let file = [
        ("AZURE_FEDERATED_TOKEN_FILE", "/var/run/secrets/token"),
        ("IDENTITY_ENDPOINT", "http://localhost:1/"),
    ];
    let with = |variables: &[(&str, &str)]| {
        let variables: BTreeMap<String, String> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Assertion::from_environment(|name| variables.get(name).cloned())
    };
    assert!(matches!(with(&github), Ok(Assertion::GitHubActions(_))));
    assert!(matches!(with(&azure), Ok(Assertion::ManagedIdentity(_))));
    assert!(matches!(with(&file), Ok(Assertion::File(path)) if path.ends_with("token")));
    for wrong in [&github[..1], &[], &[("AZURE_FEDERATED_TOKEN_FILE", "")]] {
        assert!(matches!(with(wrong), Err(Error::Setting { setting: "assertion", .. })), "{wrong:?}");
    }
}
