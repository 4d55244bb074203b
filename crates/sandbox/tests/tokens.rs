//! Client credentials, passwords, refreshes; signatures and claims; outages.

mod common;

use std::time::{Duration, Instant};

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use common::{json as body, *};
use postkey_sandbox::{ANA, CallError, DAEMON_APP, Fault, RequestKind, Rotation, Rule, Sandbox, TokenSpec};
use serde_json::{Value, json};

fn daemon(sandbox: &Sandbox) -> (String, String) {
    let app = sandbox.app(DAEMON_APP).unwrap();
    (app.id().to_owned(), app.secret().unwrap().expose().to_owned())
}

async fn refresh(sandbox: &Sandbox, token_text: &str, scope: &str) -> (u16, Value) {
    let mut form = vec![
        ("client_id", sandbox.public_client_id()),
        ("grant_type", "refresh_token"),
        ("refresh_token", token_text),
    ];
    if !scope.is_empty() {
        form.push(("scope", scope));
    }
    token(sandbox, &form).await
}

#[tokio::test]
async fn starts_fast() {
    let begin = Instant::now();
    let sandbox = Sandbox::start().await.unwrap();
    println!("started in {:?}", begin.elapsed());
    let begin = Instant::now();
    sandbox.kid();
    println!("signing key there after another {:?}", begin.elapsed());
}

/// What a stranger needs to check a signature is in the JWKS alone (RFC 7517, RFC 7518 section 6.3).
#[tokio::test]
async fn the_published_key_verifies_the_tokens() {
    let sandbox = Sandbox::start().await.unwrap();
    let url = format!("{}/v2.0/.well-known/openid-configuration", sandbox.authority());
    let discovery: Value = body(http(&sandbox).get(url).send().await.unwrap()).await;
    assert_eq!(discovery["issuer"], format!("{}/v2.0", sandbox.authority()));
    let jwks = http(&sandbox).get(discovery["jwks_uri"].as_str().unwrap()).send().await.unwrap();
    let jwks = body(jwks).await;
    let token = sandbox.issue_token(&TokenSpec::user(ANA)).unwrap();
    let (signed, signature) = token.expose().rsplit_once('.').unwrap();
    let header = Base64UrlUnpadded::decode_vec(signed.split('.').next().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    assert_eq!((header["typ"].as_str(), header["alg"].as_str()), (Some("JWT"), Some("RS256")));
    assert_eq!(header["kid"], sandbox.kid());
    assert_eq!(header["x5t"], header["kid"]);
    let keys = jwks["keys"].as_array().unwrap();
    let key = keys.iter().find(|k| k["kid"] == header["kid"]).unwrap();
    let part = |name: &str| Base64UrlUnpadded::decode_vec(key[name].as_str().unwrap()).unwrap();
    let public = RsaPublicKeyComponents { n: part("n"), e: part("e") };
    let signature = Base64UrlUnpadded::decode_vec(signature).unwrap();
    public.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature).unwrap();
    assert!(public.verify(&RSA_PKCS1_2048_8192_SHA256, b"something else", &signature).is_err());
    // The PEM holds the same modulus.
    let pem = sandbox.public_key_pem();
    let body: String = pem.lines().filter(|l| !l.starts_with('-')).collect();
    let der = Base64::decode_vec(&body).unwrap();
    assert!(der.windows(256).any(|w| w == part("n")));
    // x5t is the SHA-1 of the certificate in x5c.
    let cert = Base64::decode_vec(key["x5c"][0].as_str().unwrap()).unwrap();
    let sha1 = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, &cert);
    assert_eq!(Base64UrlUnpadded::encode_string(sha1.as_ref()), header["x5t"].as_str().unwrap());
}

#[tokio::test]
async fn discovery_of_every_tenant_form() {
    let sandbox = Sandbox::builder().http_port(0).start().await.unwrap();
    let base = sandbox.base_url();
    let consumers = postkey_sandbox::CONSUMERS_TENANT;
    for (form, issuer) in [
        ("common", "{tenantid}"),
        ("organizations", "{tenantid}"),
        ("consumers", consumers),
        (consumers, consumers),
        (sandbox.tenant_id(), sandbox.tenant_id()),
        ("contoso.example", sandbox.tenant_id()),
        ("Contoso.onmicrosoft.com", sandbox.tenant_id()),
    ] {
        let url = format!("{base}/{form}/v2.0/.well-known/openid-configuration");
        let doc: Value = body(http(&sandbox).get(url).send().await.unwrap()).await;
        assert_eq!(doc["issuer"], format!("{base}/{issuer}/v2.0"), "{form}");
        assert!(doc["device_authorization_endpoint"].as_str().unwrap().ends_with("/oauth2/v2.0/devicecode"));
    }
    let url = format!("{base}/fabrikam.example/v2.0/.well-known/openid-configuration");
    let answer = http(&sandbox).get(url).send().await.unwrap();
    assert_eq!(answer.status(), 400);
    assert_eq!(code(&body(answer).await), 90002);
    // The listener without TLS speaks of itself.
    let plain = sandbox.plain_base_url().unwrap();
    let url = format!("{plain}/common/v2.0/.well-known/openid-configuration");
    let doc: Value = body(http(&sandbox).get(url).send().await.unwrap()).await;
    assert_eq!(doc["token_endpoint"], format!("{plain}/common/oauth2/v2.0/token"));
    for path in ["common/oauth2/nativeclient", "error?code=50011", "ca.pem", "", "common/oauth2/v2.0/logout"]
    {
        let status = http(&sandbox).get(format!("{base}/{path}")).send().await.unwrap().status();
        assert_eq!(status, 200, "{path}");
    }
    assert_eq!(http(&sandbox).get(format!("{base}/nowhere")).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn client_credentials() {
    let sandbox = Sandbox::start().await.unwrap();
    let (id, secret) = daemon(&sandbox);
    let scope = "https://outlook.office365.com/.default";
    let form = [
        ("client_id", id.as_str()),
        ("client_secret", secret.as_str()),
        ("grant_type", "client_credentials"),
        ("scope", scope),
    ];
    let (status, body) = token(&sandbox, &form).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(body["expires_in"], 3599);
    assert!(body.get("refresh_token").is_none() && body.get("id_token").is_none());
    let claims = claims(body["access_token"].as_str().unwrap());
    assert_eq!(claims["aud"], "https://outlook.office365.com");
    assert_eq!(claims["roles"], json!(["IMAP.AccessAsApp", "POP.AccessAsApp", "SMTP.SendAsApp"]));
    assert_eq!(claims["oid"], claims["sub"]);
    assert_eq!(claims["oid"], sandbox.app(DAEMON_APP).unwrap().service_principal_id());
    assert!(claims.get("upn").is_none() && claims.get("scp").is_none());

    for (tenant, change, status, number) in [
        ("common", ("scope", scope), 400, 50059),
        ("organizations", ("scope", scope), 400, 50059),
        ("", ("scope", "https://outlook.office365.com/IMAP.AccessAsApp"), 400, 1002012),
        ("", ("scope", "https://nowhere.example/.default"), 400, 500011),
        ("", ("client_secret", "wrong"), 401, 7000215),
        ("", ("client_secret", ""), 401, 7000218),
        ("", ("client_id", "00000000-0000-0000-0000-00000000000a"), 400, 700016),
        ("", ("scope", ""), 400, 900144),
        ("", ("grant_type", "magic"), 400, 70003),
        ("", ("grant_type", ""), 400, 900144),
        // Two ways of showing who it is.
        ("", ("client_assertion", "e.y.J"), 400, 9002313),
    ] {
        let mut form: Vec<(&str, &str)> = form.to_vec();
        form.retain(|(n, _)| *n != change.0);
        form.push(change);
        let tenant = if tenant.is_empty() { sandbox.tenant_id() } else { tenant };
        let (got, body) = post(&sandbox, &format!("{tenant}/oauth2/v2.0/token"), &form).await;
        assert_eq!((got, code(&body)), (status, number), "{change:?}: {body}");
    }
    // A parameter given twice makes the request malformed (RFC 6749 section 3.2).
    let mut twice: Vec<(&str, &str)> = form.to_vec();
    twice.push(("scope", scope));
    assert_eq!(code(&token(&sandbox, &twice).await.1), 9002313);
    // By HTTP Basic, encoded as RFC 6749 section 2.3.1 wants and raw as some clients do.
    let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    for password in [encoded, secret] {
        let url = format!("{}/oauth2/v2.0/token", sandbox.authority());
        let form = [("grant_type", "client_credentials"), ("scope", scope)];
        let answer =
            http(&sandbox).post(url).basic_auth(&id, Some(password)).form(&form).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    }
}

#[tokio::test]
async fn an_app_without_roles_gets_a_token_without_roles() {
    let sandbox = Sandbox::start().await.unwrap();
    let app = sandbox.app("Daemon without roles").unwrap();
    let form = [
        ("client_id", app.id()),
        ("client_secret", app.secret().unwrap().expose()),
        ("grant_type", "client_credentials"),
        ("scope", "https://outlook.office365.com/.default"),
    ];
    let (status, body) = token(&sandbox, &form).await;
    assert_eq!(status, 200);
    assert!(claims(body["access_token"].as_str().unwrap()).get("roles").is_none());
}

#[tokio::test]
async fn passwords() {
    let sandbox = Sandbox::start().await.unwrap();
    let ana = password(&sandbox, ANA);
    let mia = password(&sandbox, "mia@contoso.example");
    let id = sandbox.public_client_id();
    let tenant = sandbox.tenant_id().to_owned();
    let ask = |tenant: String, user: &'static str, password: String, scope: &'static str| {
        let sandbox = &sandbox;
        async move {
            let form = [
                ("client_id", id),
                ("grant_type", "password"),
                ("username", user),
                ("password", password.as_str()),
                ("scope", scope),
            ];
            let (status, body) = post(sandbox, &format!("{tenant}/oauth2/v2.0/token"), &form).await;
            (status, code(&body), body)
        }
    };
    assert_eq!(ask(tenant.clone(), ANA, ana.clone(), IMAP).await.1, 65001, "nobody has consented");
    sandbox.grant_admin_consent(id).unwrap();
    let (status, _, body) = ask("organizations".into(), ANA, ana.clone(), "offline_access openid").await;
    assert_eq!(status, 200, "{body}");
    assert!(body["refresh_token"].is_string() && body["id_token"].is_string());
    assert_eq!(ask("common".into(), ANA, ana.clone(), IMAP).await.1, 9001023);
    assert_eq!(ask(tenant.clone(), ANA, "wrong".into(), IMAP).await.1, 50126);
    assert_eq!(ask(tenant.clone(), "nobody@contoso.example", "x".into(), IMAP).await.1, 50034);
    let (_, number, body) = ask(tenant, "mia@contoso.example", mia, IMAP).await;
    assert_eq!((number, body["suberror"].as_str()), (50076, Some("basic_action")));
}

#[tokio::test]
async fn refreshing_like_entra() {
    let sandbox = Sandbox::start().await.unwrap();
    let first = refresh_token(&sandbox).await;
    let (status, body) = refresh(&sandbox, &first, IMAP).await;
    assert_eq!(status, 200, "{body}");
    let second = body["refresh_token"].as_str().unwrap().to_owned();
    assert_ne!(first, second);
    // The old one goes on working; no scope means the same as before.
    let (status, body) = refresh(&sandbox, &first, "").await;
    assert_eq!(status, 200);
    assert_eq!(claims(body["access_token"].as_str().unwrap())["aud"], "https://outlook.office.com");
    assert_eq!(sandbox.requests(RequestKind::Refresh), 2);

    let (_, body) = refresh(&sandbox, &second, "https://outlook.office.com/SMTP.Send").await;
    assert_eq!((code(&body), body["suberror"].as_str()), (65001, Some("consent_required")));
    let (_, body) = refresh(&sandbox, &second, &format!("{IMAP} User.Read")).await;
    assert_eq!(code(&body), 28000);
    let (_, body) = refresh(&sandbox, "1.Anonsense", IMAP).await;
    assert_eq!((code(&body), body["error"].as_str()), (70000, Some("invalid_grant")));

    sandbox.revoke_sessions(ANA).unwrap();
    let (_, body) = refresh(&sandbox, &second, IMAP).await;
    assert_eq!((code(&body), body["suberror"].as_str()), (50173, Some("bad_token")));
}

#[tokio::test]
async fn refreshing_after_ninety_days() {
    let sandbox = Sandbox::start().await.unwrap();
    let token_text = refresh_token(&sandbox).await;
    sandbox.advance(Duration::from_secs(90 * 86_400 + 1));
    let (_, body) = refresh(&sandbox, &token_text, IMAP).await;
    assert_eq!(code(&body), 700082);
}

#[tokio::test]
async fn strict_rotation_revokes_the_family() {
    let sandbox = Sandbox::builder().rotation(Rotation::Strict).start().await.unwrap();
    let first = refresh_token(&sandbox).await;
    // A refusal that is not about the token does not use it up.
    assert_eq!(code(&refresh(&sandbox, &first, "https://outlook.office.com/SMTP.Send").await.1), 65001);
    let (status, body) = refresh(&sandbox, &first, IMAP).await;
    assert_eq!(status, 200);
    let second = body["refresh_token"].as_str().unwrap().to_owned();
    let other_family = refresh_token(&sandbox).await;
    assert_eq!(code(&refresh(&sandbox, &first, IMAP).await.1), 50173);
    assert_eq!(code(&refresh(&sandbox, &second, IMAP).await.1), 50173);
    assert_eq!(refresh(&sandbox, &other_family, IMAP).await.0, 200);
}

#[tokio::test]
async fn faults_of_the_token_endpoint() {
    let sandbox = Sandbox::start().await.unwrap();
    let rt = refresh_token(&sandbox).await;
    sandbox.inject(Rule::new(Fault::ExpiresIn(1)).times(1));
    let (_, body) = refresh(&sandbox, &rt, IMAP).await;
    let access = claims(body["access_token"].as_str().unwrap());
    assert_eq!(body["expires_in"], 1);
    assert_eq!(access["exp"].as_u64().unwrap() - access["iat"].as_u64().unwrap(), 1);

    sandbox.inject(Rule::new(Fault::ExpiresInString).times(1));
    assert!(refresh(&sandbox, &rt, IMAP).await.1["expires_in"].is_string());
    sandbox.inject(Rule::new(Fault::NoRefreshToken).times(1));
    assert!(refresh(&sandbox, &rt, IMAP).await.1.get("refresh_token").is_none());
    sandbox.inject(Rule::new(Fault::ErrorWithStatus200).times(1));
    let (status, body) = refresh(&sandbox, "1.Anonsense", IMAP).await;
    assert_eq!((status, body["error"].as_str()), (200, Some("invalid_grant")));
    sandbox.inject(Rule::new(Fault::CrlfDescriptions).times(1));
    let (_, body) = refresh(&sandbox, "1.Anonsense", IMAP).await;
    assert!(body["error_description"].as_str().unwrap().contains("\r\nTrace ID: "));
    let fault =
        Fault::Refuse { error: "invalid_grant", code: 53003, status: 400, suberror: Some("message_only") };
    sandbox.inject(Rule::new(fault).times(1));
    let (_, body) = refresh(&sandbox, &rt, IMAP).await;
    assert_eq!((code(&body), body["suberror"].as_str()), (53003, Some("message_only")));

    let url = format!("{}/oauth2/v2.0/token", sandbox.authority());
    let form =
        [("grant_type", "refresh_token"), ("client_id", sandbox.public_client_id()), ("refresh_token", &rt)];
    let send = || http(&sandbox).post(&url).form(&form).send();
    sandbox.inject(Rule::new(Fault::TooManyRequests(Some(7))).times(1));
    let answer = send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["retry-after"].to_str().unwrap()), (429, "7"));
    sandbox.inject(Rule::new(Fault::TooManyRequests(None)).times(1));
    assert!(!send().await.unwrap().headers().contains_key("retry-after"));
    sandbox.inject(Rule::new(Fault::Unavailable).times(1));
    let answer = send().await.unwrap();
    assert_eq!(answer.status(), 503);
    assert!(answer.text().await.unwrap().starts_with("<!DOCTYPE html>"));
    sandbox.inject(Rule::new(Fault::Reset).times(1));
    let error = send().await.unwrap_err();
    assert!(format!("{error:?}").contains("ConnectionReset"), "{error:?}");
    sandbox.inject(Fault::Unavailable);
    sandbox.clear_faults();
    assert_eq!(send().await.unwrap().status(), 200);
}

/// The shape that Entra gives it, with the headers that go with it.
#[tokio::test]
async fn error_bodies() {
    let sandbox = Sandbox::start().await.unwrap();
    let url = format!("{}/oauth2/v2.0/token", sandbox.authority());
    let mine = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
    let form =
        [("grant_type", "refresh_token"), ("client_id", sandbox.public_client_id()), ("refresh_token", "x")];
    let answer = http(&sandbox).post(url).header("client-request-id", mine).form(&form).send().await.unwrap();
    assert_eq!(answer.status(), 400);
    let header = |n: &str| answer.headers()[n].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "application/json; charset=utf-8");
    assert_eq!(header("cache-control"), "no-store, no-cache");
    assert_eq!(header("client-request-id"), mine);
    let trace = header("x-ms-request-id");
    let body = body(answer).await;
    assert_eq!(
        (body["trace_id"].as_str(), body["correlation_id"].as_str()),
        (Some(trace.as_str()), Some(mine))
    );
    let description = body["error_description"].as_str().unwrap();
    let tail = format!(
        " Trace ID: {trace} Correlation ID: {mine} Timestamp: {}",
        body["timestamp"].as_str().unwrap()
    );
    assert!(description.starts_with("AADSTS70000: ") && description.ends_with(&tail), "{description}");
    assert_eq!(body["error_codes"], json!([70000]));
    assert_eq!(body["error_uri"], format!("{}/error?code=70000", sandbox.base_url()));
    assert_eq!(body["timestamp"].as_str().unwrap().len(), 20);
}

#[tokio::test]
async fn tokens_to_order() {
    let sandbox = Sandbox::builder()
        .local_validation_claims()
        .issuer("https://issuer.example/x")
        .start()
        .await
        .unwrap();
    let issue = |spec: TokenSpec| claims(sandbox.issue_token(&spec).unwrap().expose());
    let plain = issue(TokenSpec::user(ANA));
    assert_eq!(
        (plain["iss"].as_str(), plain["email"].as_str()),
        (Some("https://issuer.example/x"), Some(ANA))
    );
    assert_eq!(plain["azp"], sandbox.public_client_id());
    let lapsed = issue(TokenSpec::user(ANA).lifetime(-60));
    assert!(lapsed["iat"].as_u64() < lapsed["exp"].as_u64());
    assert!(lapsed["exp"].as_u64() < plain["iat"].as_u64());
    let future = issue(TokenSpec::user(ANA).not_before(600));
    assert!(future["nbf"].as_u64() > plain["nbf"].as_u64());
    let odd = issue(
        TokenSpec::user(ANA)
            .issuer("https://evil.example/")
            .audience("https://graph.microsoft.com")
            .permissions(&["SMTP.Send"])
            .claim("email", Value::Null)
            .claim("x", json!(1)),
    );
    assert_eq!(odd["iss"], "https://evil.example/");
    assert_eq!(
        (odd["aud"].as_str(), odd["scp"].as_str()),
        (Some("https://graph.microsoft.com"), Some("SMTP.Send"))
    );
    assert!(odd.get("email").is_none() && odd["x"] == 1);
    for size in [2000, 8300, 20_000] {
        let token = sandbox.issue_token(&TokenSpec::user(ANA).pad_to(size)).unwrap();
        assert!((size..size + 100).contains(&token.len()), "{size}: {}", token.len());
    }
    let app = issue(TokenSpec::app_only(&daemon(&sandbox).0));
    assert_eq!(app["roles"][0], "IMAP.AccessAsApp");
    let unknown = sandbox.issue_token(&TokenSpec::user("x@y.example")).unwrap_err();
    assert_eq!(unknown, CallError::UnknownUser("x@y.example".into()));
}

/// LG-06: nothing secret in what a handle prints.
#[tokio::test]
async fn no_secret_in_debug() {
    let sandbox = Sandbox::start().await.unwrap();
    let rt = refresh_token(&sandbox).await;
    let (_, secret) = daemon(&sandbox);
    let shown = format!("{sandbox:?}");
    for planted in [rt, secret, password(&sandbox, ANA)] {
        assert!(!shown.contains(&planted), "{planted}");
    }
}

#[tokio::test]
async fn dropping_stops_it() {
    let sandbox = Sandbox::start().await.unwrap();
    let http = http(&sandbox);
    let url = format!("{}/", sandbox.base_url());
    assert_eq!(http.get(&url).send().await.unwrap().status(), 200);
    drop(sandbox);
    tokio::task::yield_now().await;
    assert!(http.get(&url).send().await.is_err());
}
