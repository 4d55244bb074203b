//! Google service accounts (JWT bearer, RFC 7523 §2.1).

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64ct::{Base64UrlUnpadded, Encoding};
use postkey_auth::provider::Flow;
use postkey_auth::store::{self, MemoryStore, Renewal, Wanted};
use postkey_auth::{Error, Registration, ServiceAccount};
use wire::Secret;
use x509_parser::parse_x509_certificate;

use crate::support::*;

fn key_file(key: &str) -> Vec<u8> {
    serde_json::json!({
        "type": "service_account",
        "project_id": "p",
        "private_key_id": "KEY-ID",
        "private_key": String::from_utf8(fixture(key)).unwrap(),
        "client_email": "mover@p.iam.gserviceaccount.com",
        "client_id": "1234567890",
        "token_uri": "https://elsewhere.example/token",
    })
    .to_string()
    .into_bytes()
}

fn account() -> ServiceAccount {
    ServiceAccount::from_json(&key_file("key.pem")).unwrap()
}

fn mail() -> Vec<String> {
    vec!["https://mail.google.com/".to_owned()]
}

#[tokio::test]
async fn the_assertion_is_what_google_wants() {
    let (clock, http) = (FakeClock::new(), FakeHttp::answering([granted("AT", "", 3599)]));
    let registration = Registration::service_account(account().acting_for("ana@workspace.example"));
    let tokens = client_of("google", registration, &http, &clock).jwt_bearer(&mail()).await.unwrap();
    assert_eq!((tokens.expires_at, tokens.refresh_token), (NOW + 3599, None));
    let seen = &http.seen()[0];
    assert_eq!(seen.url, "https://oauth2.googleapis.com/token", "not where the key file says");
    assert_eq!(seen.form.len(), 2, "{:?}", seen.form.keys());
    assert_eq!(seen.form["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer");
    let assertion = &seen.form["assertion"];
    assert_eq!(jwt_part(assertion, 0), serde_json::json!({"alg": "RS256", "typ": "JWT", "kid": "KEY-ID"}));
    let claims = jwt_part(assertion, 1);
    for (name, value) in [
        ("iss", "mover@p.iam.gserviceaccount.com"),
        ("sub", "ana@workspace.example"),
        ("scope", "https://mail.google.com/"),
        ("aud", "https://oauth2.googleapis.com/token"),
    ] {
        assert_eq!(claims[name], value, "{name}");
    }
    assert_eq!((claims["iat"].as_u64(), claims["exp"].as_u64()), (Some(NOW), Some(NOW + 3600)));
    let der = pem::parse(fixture("certificate.pem")).unwrap().into_contents();
    let (_, certificate) = parse_x509_certificate(&der).unwrap();
    let key = certificate.public_key().subject_public_key.data.to_vec();
    let (message, signature) = assertion.rsplit_once('.').unwrap();
    let signature = Base64UrlUnpadded::decode_vec(signature).unwrap();
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key).verify(message.as_bytes(), &signature).unwrap();
}

#[tokio::test]
async fn a_missing_delegation_is_a_matter_of_the_domain() {
    let body = r#"{"error":"unauthorized_client","error_description":"Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested."}"#;
    let (clock, http) = (FakeClock::new(), FakeHttp::answering([answer(401, body)]));
    let registration = Registration::service_account(account().acting_for("ana@workspace.example"));
    let error = client_of("google", registration, &http, &clock).jwt_bearer(&mail()).await.unwrap_err();
    assert!(error.to_string().contains("not authorized for any of the scopes"), "{error}");
}

#[tokio::test]
async fn it_is_renewed_by_asking_again_and_kept_apart_per_person() {
    let (clock, store) = (FakeClock::new(), MemoryStore::default());
    let mut keys = Vec::new();
    for person in ["ana@workspace.example", "bob@workspace.example"] {
        let http = FakeHttp::answering([granted("AT1", "", 3600), granted("AT2", "", 3600)]);
        let registration = Registration::service_account(account().acting_for(person));
        let client = client_of("google", registration, &http, &clock);
        let wanted = Wanted::new("mover", &client, mail(), Renewal::ServiceAccount);
        for token in ["AT1", "AT1", "AT2"] {
            let issued = store::access_token(&store, &client, &wanted).await.unwrap();
            assert_eq!(issued.token.expose(), token);
            if http.seen().len() == 1 && token == "AT1" {
                clock.advance(1700);
            }
        }
        assert_eq!(http.seen().len(), 2);
        keys.push(wanted.key);
    }
    assert_ne!(keys[0], keys[1]);
}

#[tokio::test]
async fn nothing_is_sent_where_it_cannot_work() {
    let (clock, http) = (FakeClock::new(), FakeHttp::answering([]));
    let google = client_of("google", Registration::service_account(account()), &http, &clock);
    assert!(matches!(google.jwt_bearer(&[]).await, Err(Error::Setting { setting: "scope", .. })));
    assert!(google.refresh(&Secret::from("RT"), &mail()).await.is_err(), "it has no other grant");
    let person = Registration::with_secret("G", Secret::from("s"), "");
    let error = client_of("google", person, &http, &clock).jwt_bearer(&mail()).await.unwrap_err();
    assert!(matches!(error, Error::Setting { setting: "service account", .. }), "{error}");
    let microsoft = client_of("microsoft", Registration::service_account(account()), &http, &clock);
    let error = microsoft.jwt_bearer(&app_scopes()).await.unwrap_err();
    assert!(matches!(error, Error::Unsupported { flow: Flow::ServiceAccount, .. }), "{error}");
    assert!(http.seen().is_empty());
}

#[test]
fn files_that_are_no_key_are_refused_and_nothing_is_printed() {
    let other = br#"{"type":"authorized_user","client_id":"x"}"#;
    let no_key = br#"{"type":"service_account","client_email":"a@b"}"#;
    let wrong_key = key_file("ec-key.pem");
    let long = vec![b' '; 65 * 1024];
    for json in [&b""[..], b"[]", b"{}", other, no_key, &wrong_key, &long] {
        let error = ServiceAccount::from_json(json).unwrap_err();
        assert!(matches!(error, Error::Setting { setting: "service account", .. }), "{error}");
    }
    assert!(ServiceAccount::from_json(&key_file("key-pkcs1.pem")).is_ok());
    let shown = format!("{:?}", account());
    assert!(shown.contains("mover@") && !shown.contains("KEY") && !shown.contains("BEGIN"), "{shown}");
}
