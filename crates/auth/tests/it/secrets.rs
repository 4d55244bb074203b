//! No secret in any Debug or Display, hostile cases LG-04, LG-06.

use std::fmt::Debug;

use base64ct::{Base64, Encoding};
use postkey_auth::http::{Http, HttpError, HttpRequest, HttpResponse};
use postkey_auth::loopback::Receiver;
use postkey_auth::store::{
    FileStore, KeySource, MemoryStore, Record, Renewal, TokenStore, Wanted, access_token, save,
};
use postkey_auth::{Assertion, Authorize, Callback, Client, Credential, Error, Registration, SystemClock};
use wire::{Secret, SecretBytes};

use crate::support::*;

const ACCESS: &str = "CanaryAccess.Q7mZ3xV9kL2p";
const REFRESH: &str = "CanaryRefresh.0-AXoAy8Wn4hTb6";
const CLIENT_SECRET: &str = "CanaryClient~Secret+/=9fK2d";
const CODE: &str = "CanaryCode.1-AVkAxx83ksP0qZ";
const DEVICE: &str = "CanaryDevice-BAQABAAEAAADz7";
const KEY: &str = "CanaryKey32octets-0123456789abcd";
const USER_CODE: &str = "CanaryUserCode";
const SECRETS: [&str; 7] = [ACCESS, REFRESH, CLIENT_SECRET, CODE, DEVICE, KEY, USER_CODE];

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// Fails if `shown` holds a secret or an eight-octet part of its beginning or end, in any of the usual forms.
fn clean(what: &str, shown: &str) {
    for secret in SECRETS {
        let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let mut forms = vec![secret.to_owned(), encoded, hex(secret)];
        forms.extend((0..3).map(|skip| {
            let inner = &secret[skip..];
            Base64::encode_string(&inner.as_bytes()[..inner.len() / 3 * 3])
        }));
        for form in forms {
            // The word Canary alone would be everywhere: the ends are taken behind it.
            let head = if form.starts_with("Canary") { &form[..10] } else { &form[..8] };
            let tail = &form[form.len() - 8..];
            for part in [form.as_str(), head, tail] {
                assert!(!shown.contains(part), "{what} shows {part:?} of {secret:?}: {shown}");
            }
        }
    }
}

fn clean_debug(what: &str, value: &impl Debug) {
    clean(what, &format!("{value:?}"));
    clean(what, &format!("{value:#?}"));
}

fn clean_error(what: &str, error: &dyn std::error::Error) {
    let mut cause = Some(error);
    while let Some(current) = cause {
        clean(what, &current.to_string());
        clean(what, &format!("{current:?}"));
        cause = current.source();
    }
}

/// A server that answers every request with an error which repeats the request in every form it can think of.
struct Echo {
    status: u16,
    json: bool,
}

impl Http for Echo {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        clean_debug("HttpRequest", &request);
        let body = String::from_utf8(request.body.expose().to_vec()).unwrap();
        let headers: String =
            request.headers.iter().map(|(_, value)| value.expose().to_owned() + " ").collect();
        let decoded: String =
            url::form_urlencoded::parse(body.as_bytes()).map(|(_, value)| value.into_owned() + " ").collect();
        let encoded = Base64::encode_string(decoded.as_bytes());
        let cut: String =
            decoded.split(' ').map(|word| word.get(..14).unwrap_or(word).to_owned() + " ").collect();
        let echo = format!("{decoded} {body} {headers} {encoded} {} {cut}", hex(&decoded));
        let answer = if self.json {
            // Without a blank after the dots, so that the first sentence is all of it.
            serde_json::json!({
                "error": format!("invalid_grant {decoded}"), "error_description": echo, "suberror": echo,
                "trace_id": echo, "correlation_id": echo, "claims": echo,
            })
            .to_string()
        } else {
            echo
        };
        let response = HttpResponse {
            status: self.status,
            retry_after: Some(decoded.clone()),
            www_authenticate: Some(decoded),
            body: SecretBytes::new(answer.into_bytes()),
        };
        clean_debug("HttpResponse", &response);
        Ok(response)
    }
}

fn registration() -> Registration {
    Registration::with_secret("CLIENT", Secret::from(CLIENT_SECRET), "contoso.example")
}

fn echo_client(status: u16, json: bool, provider: &str) -> Client<Echo> {
    let endpoints = postkey_auth::Provider::builtin(provider).unwrap().endpoints(&registration()).unwrap();
    Client::new(endpoints, registration(), Echo { status, json })
}

/// A client whose assertion is a canary.
fn federated(status: u16, json: bool) -> Client<Echo> {
    let assertion = Assertion::from_fn("the test", || Ok(Secret::from(format!("{CODE}.{DEVICE}"))));
    let registration = Registration::with_assertion("CLIENT", assertion, "contoso.example");
    let endpoints = postkey_auth::Provider::builtin("microsoft").unwrap().endpoints(&registration).unwrap();
    Client::new(endpoints, registration, Echo { status, json })
}

#[tokio::test]
async fn lg_04_what_a_server_echoes_is_not_shown() {
    let scopes = imap_scopes();
    let device = serde_json::json!({
        "user_code": USER_CODE, "device_code": DEVICE, "verification_uri": "https://microsoft.com/devicelogin",
        "message": format!("type {USER_CODE}")
    });
    let http = FakeHttp::answering([answer(200, device.to_string())]);
    let code = client(&http, &FakeClock::new()).device_start(&scopes).await.unwrap();
    clean_debug("DeviceCode", &code);
    for (status, json) in [(400, true), (200, true), (500, true), (400, false), (200, false)] {
        let microsoft = echo_client(status, json, "microsoft");
        let store = MemoryStore::default();
        let wanted = Wanted::new("ana", &microsoft, scopes.clone(), Renewal::Refresh);
        let mut errors: Vec<Error> = vec![
            microsoft.refresh(&Secret::from(REFRESH), &scopes).await.unwrap_err(),
            microsoft.client_credentials(&app_scopes()).await.unwrap_err(),
            microsoft.device_poll(&code).await.unwrap_err(),
            microsoft.password("ana", &Secret::from(CODE), &scopes).await.unwrap_err(),
            federated(status, json).client_credentials(&app_scopes()).await.unwrap_err(),
            echo_client(status, json, "yahoo")
                .refresh(&Secret::from(REFRESH), &["mail-w".to_owned()])
                .await
                .unwrap_err(),
        ];
        let (_, pending) = microsoft.code_begin(&Authorize::new("http://localhost:1/", &scopes)).unwrap();
        let callback =
            Callback::from_query(&format!("code={CODE}&state={}", pending.state.expose())).unwrap();
        errors.push(microsoft.code_finish(pending, callback).await.unwrap_err());
        let old = FakeHttp::answering([granted(ACCESS, REFRESH, 0)]);
        let tokens = client(&old, &FakeClock::new()).refresh(&Secret::from("x"), &scopes).await.unwrap();
        save(&store, &wanted.key, tokens, &SystemClock).await.unwrap();
        let mut impatient = wanted.clone();
        impatient.policy.attempts = 1;
        errors.push(access_token(&store, &microsoft, &impatient).await.unwrap_err());
        for error in &errors {
            clean_error("Error", error);
        }
        clean_debug("Record", &store.load(&wanted.key).unwrap());
    }
}

#[tokio::test]
async fn lg_06_no_public_type_prints_a_secret() {
    let scopes = imap_scopes();
    let body = serde_json::json!({"token_type": "Bearer", "access_token": ACCESS, "refresh_token": REFRESH, "id_token": CODE});
    let http = FakeHttp::answering([answer(200, body.to_string())]);
    let client = client_of("microsoft", registration(), &http, &FakeClock::new());
    clean_debug("Client", &client);
    clean_debug("Registration", client.registration());
    clean_debug("Credential", &Credential::Secret(Secret::from(CLIENT_SECRET)));
    let tokens = client.refresh(&Secret::from("RT"), &scopes).await.unwrap();
    clean_debug("Tokens", &tokens);
    clean_debug("Record", &Record { tokens: Some(tokens.clone()), failure: None });

    let (url, pending) = client.code_begin(&Authorize::new("http://localhost:1/", &scopes)).unwrap();
    let state = pending.state.expose().to_owned();
    let shown = format!("{pending:?} {:?}", Receiver::new("/", 1, pending.state.clone()));
    assert!(!shown.contains(&state));
    assert!(!url.as_str().contains("verifier"));
    let callback =
        Callback::from_query(&format!("code={CODE}&state={state}&error_description={CODE}")).unwrap();
    clean_debug("Callback", &callback);
    assert!(!format!("{callback:?}").contains(&state));

    let folder = tempfile::tempdir().unwrap();
    let source = KeySource::Bytes(SecretBytes::new(KEY.as_bytes().to_vec()));
    clean_debug("KeySource", &source);
    let store = FileStore::open(folder.path().join("store"), &source).unwrap();
    clean_debug("FileStore", &store);
    let mut wanted = Wanted::new("ana", &client, scopes, Renewal::Refresh);
    wanted.rejected = Some(Secret::from(ACCESS));
    clean_debug("Wanted", &wanted);
    save(&store, &wanted.key, tokens, &SystemClock).await.unwrap();
    wanted.rejected = None;
    clean_debug("Issued", &access_token(&store, &client, &wanted).await.unwrap());
    for file in std::fs::read_dir(folder.path().join("store")).unwrap() {
        let octets = std::fs::read(file.unwrap().path()).unwrap();
        clean("a file", &String::from_utf8_lossy(&octets));
    }
}
