//! The assertions of postkey, judged by PyJWT: an application's certificate, a Google service account.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;

use auth::credential::SignatureAlgorithm;
use auth::http::{Http, HttpError, HttpRequest, HttpResponse};
use auth::provider::Access;
use auth::{Certificate, Client, Protocol, Provider, Registration, ServiceAccount};
use postkey_peers::{Program, available};
use serde_json::{Value, json};
use wire::{Secret, SecretBytes};

const ENTRA: &str = "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token";
const GOOGLE: &str = "https://oauth2.googleapis.com/token";

fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/auth/tests/data/credentials");
    std::fs::read(folder.join(name)).unwrap()
}

fn text(name: &str) -> String {
    String::from_utf8(fixture(name)).unwrap()
}

/// Grants everything and keeps the forms.
#[derive(Default)]
struct Keeper(Mutex<Vec<Vec<(String, String)>>>);

impl Http for Keeper {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let form = url::form_urlencoded::parse(request.body.expose()).into_owned().collect();
        self.0.lock().unwrap().push(form);
        let body = br#"{"token_type":"Bearer","access_token":"AT","expires_in":60}"#.to_vec();
        Ok(HttpResponse { status: 200, body: SecretBytes::new(body), ..HttpResponse::default() })
    }
}

/// What `registration` sends as the form's `field`.
async fn sent(provider: &str, registration: Registration, field: &str) -> String {
    let (provider, http) = (Provider::builtin(provider).unwrap(), Keeper::default());
    let endpoints = provider.endpoints(&registration).unwrap();
    let client = Client::new(endpoints, registration, &http);
    if field == "assertion" {
        let scopes = provider.scopes_for(&[Protocol::Imap], Access::Delegated).unwrap();
        client.jwt_bearer(&scopes).await.unwrap();
    } else {
        let scopes = provider.scopes_for(&[Protocol::Imap], Access::AppOnly).unwrap();
        client.client_credentials(&scopes).await.unwrap();
    }
    let form = http.0.lock().unwrap().remove(0);
    form.into_iter().find(|(name, _)| name == field).unwrap().1
}

async fn client_assertion(certificate: Certificate) -> String {
    let registration = Registration::with_certificate("CLIENT", certificate, "contoso.example");
    sent("microsoft", registration, "client_assertion").await
}

/// PyJWT's word on each case.
fn judged(cases: &[Value]) -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/verify_assertion.py");
    let mut python = Command::new(Program::PyJwt.find().unwrap())
        .arg(script)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(json!(cases).to_string().as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

fn case(assertion: &str, certificate: &str, algorithm: &str, audience: &str) -> Value {
    json!({"assertion": assertion, "certificate": text(certificate), "algorithm": algorithm, "audience": audience})
}

#[tokio::test]
async fn client_assertions_of_every_file_form_verify() {
    if !available("client_assertions_of_every_file_form_verify", &[Program::PyJwt]) {
        return;
    }
    let pass = Secret::from("opensesame");
    let pem = |key| [fixture("certificate.pem"), fixture(key)].concat();
    let files = [
        pem("key.pem"),
        pem("key-pkcs1.pem"),
        pem("key-encrypted.pem"),
        fixture("modern.pfx"),
        fixture("legacy.pfx"),
    ];
    for (algorithm, name, thumbprint) in
        [(SignatureAlgorithm::Ps256, "PS256", "x5t#S256"), (SignatureAlgorithm::Rs256, "RS256", "x5t")]
    {
        let mut cases = Vec::new();
        for file in &files {
            let certificate = Certificate::from_octets(file, Some(&pass)).unwrap().with_algorithm(algorithm);
            cases.push(case(&client_assertion(certificate).await, "certificate.pem", name, ENTRA));
        }
        for verdict in judged(&cases) {
            assert_eq!(verdict.get("refused"), None, "{verdict}");
            let (header, claims) = (&verdict["header"], &verdict["claims"]);
            assert_eq!(header[thumbprint], verdict[thumbprint], "{verdict}");
            assert_eq!((&header["alg"], header.as_object().unwrap().len()), (&name.into(), 3));
            assert_eq!((&claims["iss"], &claims["sub"]), (&"CLIENT".into(), &"CLIENT".into()));
        }
    }
}

#[tokio::test]
async fn a_certificate_that_goes_along_verifies() {
    if !available("a_certificate_that_goes_along_verifies", &[Program::PyJwt]) {
        return;
    }
    let pem = [fixture("other-certificate.pem"), fixture("certificate.pem"), fixture("key.pem")].concat();
    let assertion = client_assertion(Certificate::from_pem(&pem, None).unwrap().with_x5c()).await;
    let cases =
        ["certificate.pem", "other-certificate.pem"].map(|name| case(&assertion, name, "PS256", ENTRA));
    let verdicts = judged(&cases);
    assert_eq!(verdicts[0]["header"]["x5c"].as_array().map(Vec::len), Some(1), "{}", verdicts[0]);
    assert_eq!(verdicts[0]["header"]["x5t#S256"], verdicts[0]["x5t#S256"]);
    assert_eq!(verdicts[1]["refused"], "another certificate");
}

#[tokio::test]
async fn a_service_accounts_assertion_verifies() {
    if !available("a_service_accounts_assertion_verifies", &[Program::PyJwt]) {
        return;
    }
    let json = json!({"type": "service_account", "client_email": "m@p.example", "private_key": text("key.pem"), "private_key_id": "K"});
    let account = ServiceAccount::from_json(json.to_string().as_bytes()).unwrap().acting_for("ana@w.example");
    let assertion = sent("google", Registration::service_account(account), "assertion").await;
    let verdict = judged(&[case(&assertion, "certificate.pem", "RS256", GOOGLE)]).remove(0);
    assert_eq!(verdict["claims"]["sub"], "ana@w.example", "{verdict}");
    assert_eq!(verdict["header"]["kid"], "K");
}

#[tokio::test]
async fn pyjwt_would_notice() {
    if !available("pyjwt_would_notice", &[Program::PyJwt]) {
        return;
    }
    let pem = [fixture("certificate.pem"), fixture("key.pem")].concat();
    let good = client_assertion(Certificate::from_pem(&pem, None).unwrap()).await;
    let cases = [
        (case(&good, "other-certificate.pem", "PS256", ENTRA), "InvalidSignatureError"),
        (case(&good, "certificate.pem", "RS256", ENTRA), "InvalidAlgorithmError"),
        (case(&good, "certificate.pem", "PS256", GOOGLE), "InvalidAudienceError"),
    ];
    let verdicts = judged(&cases.clone().map(|(case, _)| case));
    for (verdict, (_, expected)) in verdicts.iter().zip(cases) {
        assert_eq!(verdict["refused"], expected);
    }
}
