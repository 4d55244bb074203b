//! Every fault, switched on through the control endpoint and seen, and gone with the next request.
//!
//! One test per row; `every_fault_has_a_row` holds the table against the list that the sandbox itself gives.

mod common;

use std::time::Duration;

use common::*;
use postkey_sandbox::{ANA, DAEMON_APP, Fault, RequestKind, Sandbox};
use serde_json::{Value, json};

/// A sandbox and what a client has of it already: a refresh token, consent.
struct World {
    sandbox: Sandbox,
    refresh: String,
}

impl World {
    async fn new() -> Self {
        let sandbox = Sandbox::start().await.unwrap();
        let refresh = refresh_token(&sandbox).await;
        Self { sandbox, refresh }
    }

    /// Switches a fault on for the next request that it touches.
    async fn inject(&self, name: &str, value: &Value) {
        let body = json!({"fault": name, "value": value, "times": 1}).to_string();
        let url = format!("{}/sandbox/faults", self.sandbox.base_url());
        let request = http(&self.sandbox).post(&url).header("content-type", "application/json").body(body);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
    }

    async fn in_force(&self) -> Value {
        let url = format!("{}/sandbox/faults", self.sandbox.base_url());
        json(http(&self.sandbox).get(url).send().await.unwrap()).await["in_force"].take()
    }

    fn token_url(&self) -> String {
        format!("{}/oauth2/v2.0/token", self.sandbox.authority())
    }

    /// A refresh, as the HTTP client sees it.
    async fn raw(&self) -> Result<reqwest::Response, reqwest::Error> {
        let form = [
            ("client_id", self.sandbox.public_client_id()),
            ("grant_type", "refresh_token"),
            ("refresh_token", &self.refresh),
            ("scope", IMAP),
        ];
        http(&self.sandbox).post(self.token_url()).form(&form).send().await
    }

    async fn refreshed(&self, scope: &str) -> Value {
        let form = [
            ("client_id", self.sandbox.public_client_id()),
            ("grant_type", "refresh_token"),
            ("refresh_token", &self.refresh),
            ("scope", scope),
        ];
        token(&self.sandbox, &form).await.1
    }

    /// A code redeemed, with a nonce.
    async fn redeemed(&self) -> Value {
        let landed = walk(&self.sandbox, &[("nonce", "n0nce")]).await;
        redeem(&self.sandbox, &landed["code"], &[]).await.1
    }

    async fn app_only(&self) -> Value {
        let app = self.sandbox.app(DAEMON_APP).unwrap();
        let form = [
            ("client_id", app.id()),
            ("client_secret", app.secret().unwrap().expose()),
            ("grant_type", "client_credentials"),
            ("scope", "https://outlook.office365.com/.default"),
        ];
        token(&self.sandbox, &form).await.1
    }

    /// The device endpoint's answer.
    async fn device(&self) -> Value {
        let form = [("client_id", self.sandbox.public_client_id()), ("scope", IMAP)];
        post(&self.sandbox, "common/oauth2/v2.0/devicecode", &form).await.1
    }

    /// The error of a poll for a device that the user has approved; null if it worked.
    async fn poll(&self, device: &Value) -> Value {
        let form = [
            ("client_id", self.sandbox.public_client_id()),
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("device_code", device["device_code"].as_str().unwrap()),
        ];
        post(&self.sandbox, "common/oauth2/v2.0/token", &form).await.1["error"].take()
    }

    async fn approved(&self) -> Value {
        let device = self.device().await;
        self.sandbox.approve_device(device["user_code"].as_str().unwrap(), ANA).await.unwrap();
        device
    }

    async fn discovery(&self) -> Value {
        let url = format!("{}/v2.0/.well-known/openid-configuration", self.sandbox.authority());
        json(http(&self.sandbox).get(url).send().await.unwrap()).await
    }
}

fn access(body: &Value) -> Value {
    claims(body["access_token"].as_str().unwrap())
}

/// What one request shows, as JSON: once with the fault, once without.
macro_rules! seen {
    ($($test:ident $name:literal $value:expr, |$world:ident| $see:expr => $with:expr, $without:expr;)*) => {
        $(
            #[tokio::test]
            async fn $test() {
                let world = World::new().await;
                world.inject($name, &json!($value)).await;
                assert_eq!(world.in_force().await, json!([$name]));
                let seen: Value = { let $world = &world; $see };
                assert_eq!(seen, json!($with), "with the fault");
                assert_eq!(world.in_force().await, json!([]), "it is used up");
                let seen: Value = { let $world = &world; $see };
                assert_eq!(seen, json!($without), "without it");
            }
        )*

        #[test]
        fn every_fault_has_a_row() {
            let mut rows = vec![$($name),*];
            let mut names = Fault::NAMES.to_vec();
            rows.sort_unstable();
            names.sort_unstable();
            assert_eq!(rows, names);
        }
    };
}

/// Status and one header of an answer.
macro_rules! header {
    ($world:ident, $name:literal, $show:expr) => {{
        let answer = $world.raw().await.unwrap();
        let header = answer.headers().get($name).map(|v| v.to_str().unwrap().to_owned());
        json!([answer.status().as_u16(), header.map($show)])
    }};
}

seen! {
    expires_in "expires-in" 1, |w| w.refreshed(IMAP).await["expires_in"].take() => 1, 4123;
    expires_in_string "expires-in-string" (), |w| w.refreshed(IMAP).await["expires_in"].take() => "4123", 4123;
    no_refresh_token "no-refresh-token" (),
        |w| w.refreshed(IMAP).await["refresh_token"].is_string().into() => false, true;
    no_id_token "no-id-token" (), |w| w.refreshed(IMAP).await["id_token"].is_string().into() => false, true;
    opaque_access_token "opaque-access-token" (),
        |w| w.refreshed(IMAP).await["access_token"].as_str().unwrap().contains('.').into() => false, true;
    no_roles "no-roles" (), |w| access(&w.app_only().await)["roles"].is_array().into() => false, true;
    exact_scopes "exact-scopes" (), |w| {
        // Two permissions are consented to, one is asked for.
        let two = format!("openid offline_access {IMAP} https://outlook.office.com/SMTP.Send");
        walk(&w.sandbox, &[("scope", &two)]).await;
        access(&w.refreshed(IMAP).await)["scp"].take()
    } => "IMAP.AccessAsUser.All", "IMAP.AccessAsUser.All SMTP.Send";
    another_user "another-user" "bjorn@contoso.example",
        |w| access(&w.refreshed(IMAP).await)["upn"].take() => "bjorn@contoso.example", ANA;
    wrong_nonce "wrong-nonce" (), |w| {
        let body = w.redeemed().await;
        (claims(body["id_token"].as_str().unwrap())["nonce"] == "n0nce").into()
    } => false, true;
    id_token_issuer "id-token-issuer" "https://evil.example", |w| {
        let issuer = claims(w.refreshed(IMAP).await["id_token"].as_str().unwrap())["iss"].take();
        json!(issuer.as_str().unwrap().replace(&w.sandbox.authority(), "AUTHORITY"))
    } => "https://evil.example", "AUTHORITY/v2.0";
    claims_challenge "claims-challenge" "c1", |w| {
        let body = w.refreshed(IMAP).await;
        json!([body["error_codes"][0], body["error"], body["claims"]])
    } => [json!(50076), json!("interaction_required"),
          json!(r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}}}"#)], [Value::Null, Value::Null, Value::Null];
    assertions_once "assertions-once" (), |w| {
        let daemon = w.sandbox.app(DAEMON_APP).unwrap().id();
        let assertion = w.sandbox.workload_token(&postkey_sandbox::WorkloadToken::new(postkey_sandbox::WORKLOAD_SUBJECT));
        let form = [
            ("client_id", daemon),
            ("grant_type", "client_credentials"),
            ("scope", "https://outlook.office365.com/.default"),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", assertion.expose()),
        ];
        let first = token(&w.sandbox, &form).await.0;
        json!([first, token(&w.sandbox, &form).await.0])
    } => [200, 401], [200, 200];
    pending "pending" (), |w| { let d = w.approved().await; w.poll(&d).await } => "authorization_pending", ();
    slow_down "slow-down" (), |w| { let d = w.approved().await; w.poll(&d).await } => "slow_down", ();
    device_declined "device-declined" (),
        |w| { let d = w.approved().await; w.poll(&d).await } => "authorization_declined", ();
    device_access_denied "device-access-denied" (),
        |w| { let d = w.approved().await; w.poll(&d).await } => "access_denied", ();
    device_expired "device-expired" (), |w| { let d = w.approved().await; w.poll(&d).await } => "expired_token", ();
    device_endpoint_refuses "device-endpoint-refuses" (),
        |w| w.device().await["error"].take() => "invalid_request", ();
    verification_url "verification-url" (), |w| {
        let device = w.device().await;
        json!([device["verification_url"].is_string(), device["verification_uri"].is_string()])
    } => [true, false], [false, true];
    plain_verification_uri "plain-verification-uri" (), |w| {
        let device = w.device().await;
        let (uri, message) = (device["verification_uri"].as_str().unwrap(), device["message"].as_str().unwrap());
        assert!(message.contains(uri));
        uri.starts_with("http://").into()
    } => true, false;
    device_code_lifetime "device-code-lifetime" 30, |w| w.device().await["expires_in"].take() => 30, 900;
    device_interval "device-interval" 1, |w| w.device().await["interval"].take() => 1, 5;
    error_with_status_200 "error-with-status-200" (), |w| {
        let form = [("client_id", w.sandbox.public_client_id()), ("grant_type", "refresh_token"), ("refresh_token", "x")];
        let (status, body) = token(&w.sandbox, &form).await;
        json!([status, body["error"]])
    } => [json!(200), json!("invalid_grant")], [json!(400), json!("invalid_grant")];
    crlf_descriptions "crlf-descriptions" (), |w| {
        let form = [("client_id", w.sandbox.public_client_id()), ("grant_type", "refresh_token"), ("refresh_token", "x")];
        let body = token(&w.sandbox, &form).await.1;
        body["error_description"].as_str().unwrap().contains("\r\nTrace ID: ").into()
    } => true, false;
    too_many_requests "too-many-requests" 7,
        |w| header!(w, "retry-after", |v| v) => [json!(429), json!("7")], [json!(200), Value::Null];
    too_many_requests_until "too-many-requests-until" 120,
        |w| header!(w, "retry-after", |v| v.ends_with(" GMT") && v.contains(", ")) => [json!(429), json!(true)],
            [json!(200), Value::Null];
    unavailable "unavailable" (),
        |w| header!(w, "content-type", |v| v) => [json!(503), json!("text/html")],
            [json!(200), json!("application/json; charset=utf-8")];
    not_json "not-json" (),
        |w| header!(w, "content-type", |v| v) => [json!(200), json!("text/html")],
            [json!(200), json!("application/json; charset=utf-8")];
    reset "reset" (), |w| match w.raw().await {
        Ok(answer) => json!(answer.status().as_u16()),
        Err(error) => json!(format!("{error:?}").contains("ConnectionReset")),
    } => true, 200;
    delay "delay" 600_000, |w| {
        // The answer is a long time away, or here at once.
        match tokio::time::timeout(Duration::from_millis(300), w.raw()).await {
            Err(_) => json!("waits"),
            Ok(answer) => json!(answer.unwrap().status().as_u16()),
        }
    } => "waits", 200;
    redirect "redirect" (), |w| {
        let before = w.sandbox.requests(RequestKind::OtherPath);
        let seen = header!(w, "location", |v| v.replace(&w.sandbox.base_url(), "BASE"));
        assert_eq!(w.sandbox.requests(RequestKind::OtherPath), before, "a client that does not follow");
        seen
    } => [json!(307), json!("BASE/elsewhere")], [json!(200), Value::Null];
    oversized "oversized" 2_000_000,
        |w| (w.raw().await.unwrap().bytes().await.unwrap().len() >= 2_000_000).into() => true, false;
    endless "endless" (), |w| {
        // More than any buffer between the two, and no end in sight.
        let mut answer = w.raw().await.unwrap();
        let mut got = 0;
        while let Some(chunk) = answer.chunk().await.unwrap() {
            got += chunk.len();
            if got > 32 << 20 {
                break;
            }
        }
        (got > 32 << 20).into()
    } => true, false;
    refuse "refuse" json!({"error": "invalid_grant", "code": 53003, "suberror": "message_only"}), |w| {
        let body = w.refreshed(IMAP).await;
        json!([body["error_codes"][0], body["suberror"]])
    } => [json!(53003), json!("message_only")], [Value::Null, Value::Null];
    discovery_issuer "discovery-issuer" "https://evil.example", |w| {
        let issuer = w.discovery().await["issuer"].take();
        json!(issuer.as_str().unwrap().replace(&w.sandbox.authority(), "AUTHORITY"))
    } => "https://evil.example", "AUTHORITY/v2.0";
    plain_endpoints "plain-endpoints" (),
        |w| w.discovery().await["token_endpoint"].as_str().unwrap().starts_with("http:").into() => true, false;
    error_page "error-page" 50011, |w| {
        let params = [
            ("client_id", w.sandbox.public_client_id()),
            ("response_type", "code"),
            ("redirect_uri", "http://localhost:1"),
            ("scope", IMAP),
        ];
        let answer = http(&w.sandbox).get(authorize(&w.sandbox, "common", &params)).send().await.unwrap();
        let status = answer.status().as_u16();
        json!([status, answer.text().await.unwrap().contains("AADSTS50011")])
    } => [json!(400), json!(true)], [json!(200), json!(false)];
    sign_in_refused "sign-in-refused" 53003, |w| {
        let landed = walk(&w.sandbox, &[]).await;
        let number = landed.get("error_description").and_then(|text| text.split(':').next());
        json!([landed.get("error"), number, landed.contains_key("code")])
    } => [json!("access_denied"), json!("AADSTS53003"), json!(false)], [Value::Null, Value::Null, json!(true)];
    wrong_state "wrong-state" (), |w| (walk(&w.sandbox, &[]).await["state"] == "st4te").into() => false, true;
    no_state "no-state" (), |w| walk(&w.sandbox, &[]).await.contains_key("state").into() => false, true;
    no_code "no-code" (), |w| walk(&w.sandbox, &[]).await.contains_key("code").into() => false, true;
    foreign_code "foreign-code" (), |w| {
        let landed = walk(&w.sandbox, &[]).await;
        json!(code(&redeem(&w.sandbox, &landed["code"], &[]).await.1))
    } => 70000, 0;
    wrong_iss "wrong-iss" (), |w| json!(walk(&w.sandbox, &[]).await.get("iss"))
        => "https://another-provider.example/v2.0", Value::Null;
}

/// The challenge ends when somebody signs in with the claims that it asked for, and not before.
#[tokio::test]
async fn a_claims_challenge_is_met_by_a_sign_in_with_these_claims() {
    let world = World::new().await;
    world.sandbox.inject(Fault::ClaimsChallenge("c1".into()));
    let challenge = world.refreshed(IMAP).await;
    assert_eq!(challenge["suberror"], "basic_action");
    let asked = challenge["claims"].as_str().unwrap();
    let plain = walk(&world.sandbox, &[]).await;
    assert_eq!(code(&redeem(&world.sandbox, &plain["code"], &[]).await.1), 50076);
    let landed = walk(&world.sandbox, &[("claims", asked)]).await;
    let (status, body) = redeem(&world.sandbox, &landed["code"], &[]).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(access(&body)["acrs"], json!(["c1"]));
    // The refresh token remembers how its user signed in.
    let form = [
        ("client_id", world.sandbox.public_client_id()),
        ("grant_type", "refresh_token"),
        ("refresh_token", body["refresh_token"].as_str().unwrap()),
    ];
    assert_eq!(token(&world.sandbox, &form).await.0, 200);
    assert_eq!(code(&world.refreshed(IMAP).await), 50076, "the old one is still refused");
    let params = [
        ("client_id", world.sandbox.public_client_id()),
        ("response_type", "code"),
        ("redirect_uri", "http://localhost:1"),
        ("scope", IMAP),
        ("claims", "no JSON"),
    ];
    let answer = http(&world.sandbox).get(authorize(&world.sandbox, "common", &params)).send().await.unwrap();
    assert!(common::landed(&answer).1["error_description"].starts_with("AADSTS90013: "));
}

#[tokio::test]
async fn a_fault_for_one_user_leaves_the_others_alone() {
    let world = World::new().await;
    let rule = |user: &str| json!({"fault": "no-refresh-token", "user": user}).to_string();
    let url = format!("{}/sandbox/faults", world.sandbox.base_url());
    let send = |body: String, kind: &'static str| {
        http(&world.sandbox).post(&url).header("content-type", kind).body(body).send()
    };
    assert_eq!(send(rule("bjorn@contoso.example"), "application/json").await.unwrap().status(), 200);
    assert!(world.refreshed(IMAP).await["refresh_token"].is_string());
    assert_eq!(
        send(rule("ANA@contoso.example"), "application/json; charset=utf-8").await.unwrap().status(),
        200
    );
    assert!(world.refreshed(IMAP).await["refresh_token"].is_null());
    // What a page of some web site could send without asking is not taken.
    assert_eq!(send(rule(ANA), "text/plain").await.unwrap().status(), 415);
    assert_eq!(send("{}".to_owned(), "application/json").await.unwrap().status(), 400);
    assert_eq!(http(&world.sandbox).delete(&url).send().await.unwrap().status(), 200);
    assert_eq!(world.in_force().await, json!([]));
    assert!(world.refreshed(IMAP).await["refresh_token"].is_string());
}

/// An opaque token is opaque to the client only.
#[tokio::test]
async fn an_opaque_token_opens_the_mailbox() {
    let world = World::new().await;
    world.sandbox.inject(Fault::OpaqueAccessToken);
    let body = world.refreshed(IMAP).await;
    let token = body["access_token"].as_str().unwrap();
    assert!(!token.contains('.'));
    let (mut client, _) = imap::Raw::connect(&world.sandbox).await;
    let answer = client.run(&format!("AUTHENTICATE XOAUTH2 {}", imap::xoauth2(ANA, token))).await;
    assert!(answer.is_ok(), "{answer:?}");
}
