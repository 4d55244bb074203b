//! Client authentication by certificate and by federated credential (RFC 7523), with assertions that these tests sign
//! themselves, and everything that can be wrong with them.

mod common;

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair};
use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use common::*;
use postkey_sandbox::{
    App, Certificate, DAEMON_APP, Fault, Federated, RequestKind, Rule, Sandbox, StartError, WEB_APP,
    WORKLOAD_SECRET, WORKLOAD_SUBJECT, WorkloadToken,
};
use serde_json::{Value, json};

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const DEFAULT: &str = "https://outlook.office365.com/.default";

fn der(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    Base64::decode_vec(&body).unwrap()
}

fn b64(octets: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(octets)
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}

struct Signer {
    pair: RsaKeyPair,
    certificate: Vec<u8>,
}

impl Signer {
    /// The key that the sandbox gives away.
    fn of(sandbox: &Sandbox) -> Self {
        let key = sandbox.client_key();
        let pair = RsaKeyPair::from_pkcs8(&der(key.private_key_pem().expose())).unwrap();
        Self { pair, certificate: der(key.certificate_pem()) }
    }

    fn sha256(&self) -> String {
        b64(digest(&SHA256, &self.certificate).as_ref())
    }

    fn sha1(&self) -> String {
        b64(digest(&SHA1_FOR_LEGACY_USE_ONLY, &self.certificate).as_ref())
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let mut token =
            format!("{}.{}", b64(header.to_string().as_bytes()), b64(claims.to_string().as_bytes()));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let algorithm = if header["alg"] == "PS256" { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
        self.pair.sign(algorithm, &SystemRandom::new(), token.as_bytes(), &mut signature).unwrap();
        token.push('.');
        token.push_str(&b64(&signature));
        token
    }

    fn modern(&self) -> Value {
        json!({"alg": "PS256", "typ": "JWT", "x5t#S256": self.sha256()})
    }
}

fn claims_of(sandbox: &Sandbox, client: &str) -> Value {
    let now = now();
    json!({
        "aud": format!("{}/oauth2/v2.0/token", sandbox.authority()), "iss": client, "sub": client,
        "jti": format!("{:?}", std::time::Instant::now()), "nbf": now, "iat": now, "exp": now + 600,
    })
}

async fn ask(sandbox: &Sandbox, client: &str, assertion: &str) -> (u16, Value) {
    let form = [
        ("client_id", client),
        ("grant_type", "client_credentials"),
        ("scope", DEFAULT),
        ("client_assertion_type", TYPE),
        ("client_assertion", assertion),
    ];
    token(sandbox, &form).await
}

/// A copy with some members replaced; `null` removes one.
fn with(value: &Value, changes: &[(&str, Value)]) -> Value {
    let mut value = value.clone();
    for (name, new) in changes {
        match new {
            Value::Null => drop(value.as_object_mut().unwrap().remove(*name)),
            new => value[*name] = new.clone(),
        }
    }
    value
}

#[tokio::test]
async fn a_certificate_signs_in_a_daemon() {
    let sandbox = Sandbox::start().await.unwrap();
    let id = sandbox.app(DAEMON_APP).unwrap().id();
    let signer = Signer::of(&sandbox);
    let claims = claims_of(&sandbox, id);
    for header in [
        signer.modern(),
        json!({"alg": "RS256", "typ": "JWT", "x5t": signer.sha1()}),
        // Old set-ups, and a library that pads thumbprints.
        json!({"alg": "RS256", "typ": "JWT", "x5t#S256": signer.sha256()}),
        json!({"alg": "PS256", "typ": "JWT", "x5t#S256": format!("{}=", signer.sha256())}),
    ] {
        let (status, body) = ask(&sandbox, id, &signer.sign(&header, &claims)).await;
        assert_eq!(status, 200, "{header}: {body}");
        let access = common::claims(body["access_token"].as_str().unwrap());
        assert_eq!((access["appid"].as_str(), access["appidacr"].as_str()), (Some(id), Some("2")));
        assert_eq!(access["roles"][0], "IMAP.AccessAsApp");
    }
    // Every address that means the tenant, and the issuer, which generic clients put there.
    for aud in [
        format!("{}/contoso.example/oauth2/v2.0/token", sandbox.base_url()),
        format!("{}/v2.0", sandbox.authority()),
    ] {
        let claims = with(&claims, &[("aud", json!([aud]))]);
        assert_eq!(ask(&sandbox, id, &signer.sign(&signer.modern(), &claims)).await.0, 200);
    }
    // The assertion says whose it is.
    let assertion = signer.sign(&signer.modern(), &claims);
    let form = [
        ("grant_type", "client_credentials"),
        ("scope", DEFAULT),
        ("client_assertion_type", TYPE),
        ("client_assertion", assertion.as_str()),
    ];
    assert_eq!(token(&sandbox, &form).await.0, 200);
}

#[tokio::test]
async fn everything_wrong_with_an_assertion_has_its_number() {
    let sandbox = Sandbox::start().await.unwrap();
    let id = sandbox.app(DAEMON_APP).unwrap().id();
    let signer = Signer::of(&sandbox);
    let (header, claims) = (signer.modern(), claims_of(&sandbox, id));
    let good = signer.sign(&header, &claims);
    assert_eq!(ask(&sandbox, id, &good).await.0, 200);
    let skewed = json!(now() + 250);
    let fine = signer.sign(&header, &with(&claims, &[("nbf", skewed.clone()), ("iat", skewed)]));
    assert_eq!(ask(&sandbox, id, &fine).await.0, 200, "a clock may be some minutes wrong");

    let claim = |changes: &[(&str, Value)]| signer.sign(&header, &with(&claims, changes));
    let head = |changes: &[(&str, Value)]| signer.sign(&with(&header, changes), &claims);
    let other = "00000000-0000-4000-8000-000000000000";
    let unknown = b64(digest(&SHA256, b"another certificate").as_ref());
    let cut = |text: &str| text.rsplit_once('.').unwrap().0.to_owned();
    for (why, assertion, number) in [
        ("a header without thumbprint", head(&[("x5t#S256", Value::Null)]), 50013),
        ("another thumbprint", head(&[("x5t#S256", json!(unknown))]), 700027),
        (
            "RS256's signature called PS256",
            {
                let rs =
                    signer.sign(&json!({"alg": "RS256", "typ": "JWT", "x5t#S256": signer.sha256()}), &claims);
                format!("{}.{}", cut(&good), rs.rsplit_once('.').unwrap().1)
            },
            700027,
        ),
        ("no algorithm at all", head(&[("alg", json!("none"))]), 50013),
        (
            "claims that were not signed",
            {
                let (signed, signature) = good.rsplit_once('.').unwrap();
                let forged = with(&claims, &[("jti", json!("another"))]);
                format!(
                    "{}.{}.{signature}",
                    signed.split_once('.').unwrap().0,
                    b64(forged.to_string().as_bytes())
                )
            },
            700027,
        ),
        (
            "for another endpoint",
            claim(&[("aud", json!("https://login.example/t/oauth2/v2.0/token"))]),
            700023,
        ),
        ("for nobody", claim(&[("aud", Value::Null)]), 700023),
        (
            "for another tenant form",
            {
                let aud = format!("{}/common/oauth2/v2.0/token", sandbox.base_url());
                claim(&[("aud", json!(aud))])
            },
            700023,
        ),
        ("of another app", claim(&[("iss", json!(other)), ("sub", json!(other))]), 700021),
        ("about another app", claim(&[("sub", json!(other))]), 700021),
        ("over", claim(&[("exp", json!(now() - 301))]), 700024),
        ("not yet", claim(&[("nbf", json!(now() + 400))]), 700024),
        ("without an end", claim(&[("exp", Value::Null)]), 50013),
        ("no JWT", "no.jwt".to_owned(), 50013),
    ] {
        let (status, body) = ask(&sandbox, id, &assertion).await;
        assert_eq!(
            (status, code(&body), body["error"].as_str()),
            (401, number, Some("invalid_client")),
            "{why}: {body}"
        );
    }
    let (_, body) = ask(&sandbox, id, &head(&[("x5t#S256", json!(unknown))])).await;
    let shown: String =
        digest(&SHA256, b"another certificate").as_ref().iter().map(|b| format!("{b:02X}")).collect();
    assert!(body["error_description"].as_str().unwrap().contains(&shown), "{body}");
}

#[tokio::test]
async fn requests_that_do_not_fit_together() {
    let sandbox = Sandbox::start().await.unwrap();
    let id = sandbox.app(DAEMON_APP).unwrap().id();
    let secret = sandbox.app(DAEMON_APP).unwrap().secret().unwrap().expose();
    let signer = Signer::of(&sandbox);
    let good = signer.sign(&signer.modern(), &claims_of(&sandbox, id));
    let base = [("client_id", id), ("grant_type", "client_credentials"), ("scope", DEFAULT)];
    for (extra, number) in [
        (vec![("client_assertion", good.as_str())], 900144),
        (vec![("client_assertion", good.as_str()), ("client_assertion_type", "urn:x")], 9002313),
        (
            vec![("client_assertion", &good), ("client_assertion_type", TYPE), ("client_secret", secret)],
            9002313,
        ),
        (vec![("client_secret", "Old~8Q+secret/of_the=daemon")], 7000222),
        (vec![("client_secret", "Old~8Q+secret/of_the=daemon!")], 7000215),
        (vec![], 7000218),
    ] {
        let (_, body) = token(&sandbox, &[&base[..], &extra].concat()).await;
        assert_eq!(code(&body), number, "{body}");
    }
    let public = sandbox.public_client_id();
    let (_, body) = ask(&sandbox, public, &signer.sign(&signer.modern(), &claims_of(&sandbox, public))).await;
    assert_eq!(code(&body), 700025);
    let nobody = "00000000-0000-4000-8000-000000000000";
    let (_, body) = ask(&sandbox, nobody, &signer.sign(&signer.modern(), &claims_of(&sandbox, nobody))).await;
    assert_eq!(code(&body), 700016);
}

#[tokio::test]
async fn certificates_from_elsewhere_and_expired_ones() {
    // As PEM, so that it is a certificate like any other to the second sandbox.
    let first = Sandbox::start().await.unwrap();
    let pem = first.client_key().certificate_pem().to_owned();
    let registered = App::daemon("Registered", "unused")
        .without_secret()
        .certificate(Certificate::from_pem(&pem).unwrap());
    let lapsed = App::daemon("Lapsed", "unused").certificate(Certificate::from_pem(&pem).unwrap().expired());
    let bare = App::daemon("Bare", "unused").without_secret();
    let ids = [&registered, &lapsed, &bare].map(|app| app.id().to_owned());
    let sandbox = Sandbox::builder().app(registered).app(lapsed).app(bare).start().await.unwrap();
    let signer = Signer::of(&sandbox);
    for (id, number) in ids.iter().zip([0, 700027, 700027]) {
        let (_, body) = ask(&sandbox, id, &signer.sign(&signer.modern(), &claims_of(&sandbox, id))).await;
        assert_eq!(code(&body), number, "{body}");
    }
    assert!(matches!(Certificate::from_pem("x"), Err(StartError::ClientCertificate(_))));
}

#[tokio::test]
async fn a_replay_is_taken_as_entra_does_or_refused_on_demand() {
    let sandbox = Sandbox::start().await.unwrap();
    let id = sandbox.app(DAEMON_APP).unwrap().id();
    let signer = Signer::of(&sandbox);
    let once =
        |jti: &str| signer.sign(&signer.modern(), &with(&claims_of(&sandbox, id), &[("jti", json!(jti))]));
    let good = once("a");
    assert_eq!(ask(&sandbox, id, &good).await.0, 200);
    assert_eq!(ask(&sandbox, id, &good).await.0, 200);
    sandbox.inject(Fault::AssertionsOnce);
    assert_eq!(code(&ask(&sandbox, id, &good).await.1), 50013, "it was seen before the fault was on");
    assert_eq!(ask(&sandbox, id, &once("b")).await.0, 200);
    assert_eq!(code(&ask(&sandbox, id, &once("b")).await.1), 50013, "another signature, the same jti");
    let nameless = signer.sign(&signer.modern(), &with(&claims_of(&sandbox, id), &[("jti", Value::Null)]));
    assert_eq!(code(&ask(&sandbox, id, &nameless).await.1), 50013);
}

#[tokio::test]
async fn a_web_application_redeems_and_refreshes_with_its_certificate() {
    let sandbox = Sandbox::start().await.unwrap();
    let id = sandbox.app(WEB_APP).unwrap().id();
    let signer = Signer::of(&sandbox);
    let assertion = signer.sign(&signer.modern(), &claims_of(&sandbox, id));
    let redirect = ("redirect_uri", "https://localhost:8443/callback");
    let landed = walk(&sandbox, &[("client_id", id), redirect]).await;
    let extra = [
        ("client_id", id),
        redirect,
        ("client_assertion_type", TYPE),
        ("client_assertion", assertion.as_str()),
    ];
    let (status, body) = redeem(&sandbox, &landed["code"], &extra).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(claims(body["access_token"].as_str().unwrap())["appidacr"], "2");
    let form = [
        ("client_id", id),
        ("grant_type", "refresh_token"),
        ("refresh_token", body["refresh_token"].as_str().unwrap()),
    ];
    assert_eq!(
        code(&token(&sandbox, &form).await.1),
        7000218,
        "a confidential client shows itself every time"
    );
    assert_eq!(token(&sandbox, &[&form[..], &extra[2..]].concat()).await.0, 200);
}

#[tokio::test]
async fn an_outside_issuer_stands_for_the_secret() {
    let github = "https://token.actions.githubusercontent.com";
    let subject = "repo:contoso/archive:ref:refs/heads/main";
    let app = App::daemon("Built elsewhere", "unused")
        .without_secret()
        .role("IMAP.AccessAsApp")
        .federated(Federated::new(github, subject));
    let from_github = app.id().to_owned();
    let sandbox = Sandbox::builder().app(app).start().await.unwrap();
    let daemon = sandbox.app(DAEMON_APP).unwrap().id();
    let bare = sandbox.app("Daemon without roles").unwrap().id();
    let cluster = || WorkloadToken::new(WORKLOAD_SUBJECT);
    let actions = || WorkloadToken::new(subject).issuer(github);
    for (why, id, assertion, number) in [
        ("the sandbox's own issuer", daemon, cluster(), 0),
        ("a well-known issuer", &*from_github, actions(), 0),
        ("an app that trusts nobody", bare, cluster(), 70021),
        ("another issuer", daemon, cluster().issuer("https://issuer.example"), 700211),
        ("an issuer that is nearly the same", &from_github, actions().issuer(&format!("{github}/")), 700211),
        ("another subject", daemon, WorkloadToken::new("system:serviceaccount:mail:Archive"), 700213),
        ("another audience", daemon, cluster().audience("sts.amazonaws.com"), 700212),
        ("an impostor", daemon, cluster().forged(), 50013),
        ("too late", daemon, cluster().lifetime(-400), 700024),
    ] {
        let (status, body) = ask(&sandbox, id, sandbox.workload_token(&assertion).expose()).await;
        assert_eq!((status, code(&body)), (if number == 0 { 200 } else { 401 }, number), "{why}: {body}");
        if number == 0 {
            let access = claims(body["access_token"].as_str().unwrap());
            assert_eq!((access["appid"].as_str(), access["appidacr"].as_str()), (Some(id), Some("2")));
        }
    }
    // What the issuer publishes verifies what it signs.
    let url = format!("{}/workload/.well-known/openid-configuration", sandbox.base_url());
    let document = json(http(&sandbox).get(url).send().await.unwrap()).await;
    let token = sandbox.workload_token(&cluster());
    assert_eq!(claims(token.expose())["iss"], document["issuer"]);
    let keys = json(http(&sandbox).get(document["jwks_uri"].as_str().unwrap()).send().await.unwrap()).await;
    let header = Base64UrlUnpadded::decode_vec(token.expose().split('.').next().unwrap()).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&header).unwrap()["kid"], keys["keys"][0]["kid"]);
    assert_ne!(keys["keys"][0]["kid"], sandbox.kid(), "another key than the tenant's");
}

/// GitHub Actions and Azure's managed identities, as a client of theirs meets them.
#[tokio::test]
async fn places_of_work_lend_tokens() {
    let sandbox = Sandbox::start().await.unwrap();
    let id = sandbox.app(DAEMON_APP).unwrap().id();
    let base = sandbox.base_url();
    let get = |path: &str, name: &'static str, value: &str| {
        http(&sandbox).get(format!("{base}/workload/{path}")).header(name, value).send()
    };
    let audience = "audience=api%3A%2F%2FAzureADTokenExchange";
    let bearer = format!("Bearer {WORKLOAD_SECRET}");
    let answer = get(&format!("github?api-version=2.0&{audience}"), "authorization", &bearer).await.unwrap();
    let lent = json(answer).await["value"].as_str().unwrap().to_owned();
    assert_eq!(ask(&sandbox, id, &lent).await.0, 200);
    let other = json(get("github", "authorization", &bearer).await.unwrap()).await;
    assert_eq!(
        code(&ask(&sandbox, id, other["value"].as_str().unwrap()).await.1),
        700212,
        "without an audience"
    );
    assert_eq!(get("github", "authorization", "Bearer wrong").await.unwrap().status(), 401);

    let resource = "resource=api%3A%2F%2FAzureADTokenExchange";
    let good = format!("identity?api-version=2019-08-01&{resource}");
    let body = json(get(&good, "x-identity-header", WORKLOAD_SECRET).await.unwrap()).await;
    assert_eq!(ask(&sandbox, id, body["access_token"].as_str().unwrap()).await.0, 200);
    for (path, secret, status) in [
        (good.as_str(), "wrong", 401),
        (&format!("identity?{resource}"), WORKLOAD_SECRET, 400),
        ("identity?api-version=2019-08-01", WORKLOAD_SECRET, 400),
        ("identity?api-version=2019-08-01&resource=https%3A%2F%2Fx", WORKLOAD_SECRET, 400),
    ] {
        assert_eq!(get(path, "x-identity-header", secret).await.unwrap().status(), status, "{path}");
    }
    assert_eq!(sandbox.requests(RequestKind::WorkloadToken), 8);
}

#[tokio::test]
async fn faults_may_be_meant_for_one_client_only() {
    let sandbox = Sandbox::start().await.unwrap();
    let id = sandbox.app(DAEMON_APP).unwrap().id();
    let signer = Signer::of(&sandbox);
    let good = signer.sign(&signer.modern(), &claims_of(&sandbox, id));
    sandbox.inject(Rule::new(Fault::NoRoles).client(sandbox.public_client_id()));
    let (_, body) = ask(&sandbox, id, &good).await;
    assert!(claims(body["access_token"].as_str().unwrap())["roles"].is_array());
}
