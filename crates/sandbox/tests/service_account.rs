//! The Google-like token endpoint: the JWT bearer grant of a service account that speaks for users of the domain.

mod common;

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use common::*;
use postkey_sandbox::{
    ANA, CallError, Fault, GOOGLE_MAIL_SCOPE, RequestKind, SERVICE_ACCOUNT, Sandbox, ServiceAccount,
};
use serde_json::{Value, json};

/// What a client makes of the key file, and nothing else.
struct Client {
    key: RsaKeyPair,
    file: Value,
}

impl Client {
    fn of(sandbox: &Sandbox, email: &str) -> Self {
        let file: Value = serde_json::from_str(sandbox.service_account_key(email).unwrap().expose()).unwrap();
        let pem = file["private_key"].as_str().unwrap();
        let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        Self { key: RsaKeyPair::from_pkcs8(&Base64::decode_vec(&body).unwrap()).unwrap(), file }
    }

    fn claims(&self) -> Value {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        json!({
            "iss": self.file["client_email"], "sub": ANA, "scope": GOOGLE_MAIL_SCOPE, "aud": self.file["token_uri"],
            "iat": now, "exp": now + 3600,
        })
    }

    fn sign(&self, claims: &Value) -> String {
        let b64 = |text: String| Base64UrlUnpadded::encode_string(text.as_bytes());
        let header = json!({"alg": "RS256", "typ": "JWT", "kid": self.file["private_key_id"]});
        let mut token = format!("{}.{}", b64(header.to_string()), b64(claims.to_string()));
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), token.as_bytes(), &mut signature).unwrap();
        token.push('.');
        token.push_str(&Base64UrlUnpadded::encode_string(&signature));
        token
    }

    async fn ask(&self, sandbox: &Sandbox, assertion: &str) -> (u16, Value) {
        let form = [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", assertion)];
        let answer =
            http(sandbox).post(self.file["token_uri"].as_str().unwrap()).form(&form).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, common::json(answer).await)
    }
}

fn with(claims: &Value, name: &str, value: Value) -> Value {
    let mut claims = claims.clone();
    claims[name] = value;
    claims
}

#[tokio::test]
async fn a_delegated_token_opens_the_users_mailbox() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox, SERVICE_ACCOUNT);
    let (status, body) = client.ask(&sandbox, &client.sign(&client.claims())).await;
    assert_eq!(
        (status, body["token_type"].as_str(), body["expires_in"].as_u64()),
        (200, Some("Bearer"), Some(3599))
    );
    assert!(body.get("refresh_token").is_none());
    assert_eq!(sandbox.requests(RequestKind::ServiceAccount), 1);
    let token = body["access_token"].as_str().unwrap();
    let (mut mail, _) = imap::Raw::connect(&sandbox).await;
    let answer = mail.run(&format!("AUTHENTICATE XOAUTH2 {}", imap::xoauth2(ANA, token))).await;
    assert!(answer.is_ok(), "{answer:?}");
    assert!(mail.run("SELECT INBOX").await.is_ok());
    let (mut mail, _) = imap::Raw::connect(&sandbox).await;
    let blob = imap::xoauth2("bjorn@contoso.example", token);
    let other = mail.run(&format!("AUTHENTICATE XOAUTH2 {blob}")).await.is_ok()
        && mail.run("SELECT INBOX").await.is_ok();
    assert!(!other, "another user's mailbox stays shut");
}

#[tokio::test]
async fn what_is_wrong_is_said_in_googles_words() {
    let narrow = ServiceAccount::new("narrow@p.iam.gserviceaccount.example")
        .delegated("https://www.googleapis.com/auth/drive");
    let sandbox = Sandbox::builder().service_account(narrow).start().await.unwrap();
    let client = Client::of(&sandbox, SERVICE_ACCOUNT);
    let claims = client.claims();
    let now = claims["iat"].as_u64().unwrap();
    let good = client.sign(&claims);
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (header, _) = signed.split_once('.').unwrap();
    let others = with(&claims, "sub", json!("bjorn@contoso.example")).to_string();
    let forged = format!("{header}.{}.{signature}", Base64UrlUnpadded::encode_string(others.as_bytes()));
    for (assertion, status, error, text) in [
        (forged, 400, "invalid_grant", "Invalid JWT Signature."),
        ("x".to_owned(), 400, "invalid_grant", "Invalid JWT"),
        (
            client.sign(&with(&claims, "iss", json!("nobody@p.example"))),
            400,
            "invalid_grant",
            "account not found",
        ),
        (
            client.sign(&with(&claims, "aud", json!("https://elsewhere.example"))),
            400,
            "invalid_grant",
            "audience",
        ),
        (client.sign(&with(&claims, "exp", json!(now + 3601))), 400, "invalid_grant", "short-lived"),
        (client.sign(&with(&claims, "iat", json!(now + 400))), 400, "invalid_grant", "short-lived"),
        (
            client.sign(&with(&with(&claims, "iat", json!(now - 4000)), "exp", json!(now - 400))),
            400,
            "invalid_grant",
            "short-lived",
        ),
        (client.sign(&with(&claims, "scope", json!(""))), 400, "invalid_scope", "scope"),
        (
            client.sign(&with(&claims, "scope", json!("https://www.googleapis.com/auth/drive"))),
            401,
            "unauthorized_client",
            "scopes requested",
        ),
        (
            client.sign(&with(&claims, "sub", json!("nobody@contoso.example"))),
            400,
            "invalid_grant",
            "Invalid email or User ID",
        ),
        (
            client.sign(&with(&claims, "sub", json!("dora@outlook.example"))),
            400,
            "invalid_grant",
            "Invalid email or User ID",
        ),
        (
            client.sign(&with(&claims, "iss", json!("narrow@p.iam.gserviceaccount.example"))),
            401,
            "unauthorized_client",
            "not authorized",
        ),
    ] {
        let (got, body) = client.ask(&sandbox, &assertion).await;
        assert_eq!((got, body["error"].as_str()), (status, Some(error)), "{text}: {body}");
        assert!(body["error_description"].as_str().unwrap().contains(text), "{text}: {body}");
        assert!(body.get("error_codes").is_none());
    }
    let missing = sandbox.service_account_key("nobody@p.example").unwrap_err();
    assert_eq!(missing, CallError::UnknownServiceAccount("nobody@p.example".into()));
}

#[tokio::test]
async fn without_a_subject_and_with_faults() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::of(&sandbox, SERVICE_ACCOUNT);
    let mut claims = client.claims();
    claims.as_object_mut().unwrap().remove("sub");
    let (status, body) = client.ask(&sandbox, &client.sign(&claims)).await;
    assert_eq!(status, 200);
    // A token for the account itself, which has no mailbox.
    let (mut mail, _) = imap::Raw::connect(&sandbox).await;
    let blob = imap::xoauth2(ANA, body["access_token"].as_str().unwrap());
    assert!(!mail.run(&format!("AUTHENTICATE XOAUTH2 {blob}")).await.is_ok());
    sandbox.inject(Fault::ExpiresIn(1));
    let assertion = client.sign(&client.claims());
    assert_eq!(client.ask(&sandbox, &assertion).await.1["expires_in"], 1);
    sandbox.inject(Fault::Unavailable);
    let url = client.file["token_uri"].as_str().unwrap();
    assert_eq!(http(&sandbox).post(url).body("").send().await.unwrap().status(), 503);
}
