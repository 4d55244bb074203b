//! The Google-like sign-in in the browser: consent, refresh tokens, and its own spelling of errors.

mod common;

use std::collections::HashMap;
use std::time::Duration;

use common::*;
use postkey_sandbox::{ANA, Fault, GOOGLE_MAIL_SCOPE, GoogleClient, RequestKind, Rule, Sandbox};
use serde_json::Value;
use url::Url;

const REDIRECT: &str = "http://127.0.0.1:50123/";
const BJORN: &str = "bjorn@contoso.example";

fn client(sandbox: &Sandbox) -> &GoogleClient {
    &sandbox.google_clients()[0]
}

/// The authorisation address; an empty value in `extra` takes a parameter away.
fn address(sandbox: &Sandbox, extra: &[(&str, &str)]) -> Url {
    let scope = format!("openid email {GOOGLE_MAIL_SCOPE}");
    let mut params = vec![
        ("client_id", client(sandbox).id()),
        ("response_type", "code"),
        ("redirect_uri", REDIRECT),
        ("scope", scope.as_str()),
        ("access_type", "offline"),
        ("prompt", "consent"),
        ("state", "st4te"),
        ("nonce", "n0nce"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    params.retain(|(name, _)| !extra.iter().any(|(other, _)| other == name));
    params.extend(extra.iter().filter(|(_, value)| !value.is_empty()));
    Url::parse_with_params(&format!("{}/o/oauth2/v2/auth", sandbox.google_authority()), params).unwrap()
}

/// Walks the pages as `user`, who accepts if asked; the parameters at the redirect address, and whether consent was asked for.
async fn walk_as(sandbox: &Sandbox, user: &str, extra: &[(&str, &str)]) -> (HashMap<String, String>, bool) {
    let next = sign_in(sandbox, address(sandbox, extra), user, &password(sandbox, user)).await;
    if next.status() == 302 {
        return (landed(&next).1, false);
    }
    let html = next.text().await.unwrap();
    assert!(html.contains("permanently delete all your email"), "{html}");
    (landed(&press(sandbox, &html, "accept").await).1, true)
}

async fn walk(sandbox: &Sandbox, extra: &[(&str, &str)]) -> HashMap<String, String> {
    walk_as(sandbox, ANA, extra).await.0
}

async fn ask(sandbox: &Sandbox, form: &[(&str, &str)], extra: &[(&str, &str)]) -> (u16, Value) {
    let secret = client(sandbox).secret().expose();
    let mut form = [&[("client_id", client(sandbox).id()), ("client_secret", secret)], form].concat();
    form.retain(|(name, _)| !extra.iter().any(|(other, _)| other == name));
    form.extend(extra.iter().filter(|(_, value)| !value.is_empty()));
    post(sandbox, "google/token", &form).await
}

async fn redeem(sandbox: &Sandbox, code: &str, extra: &[(&str, &str)]) -> (u16, Value) {
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    ask(sandbox, &form, extra).await
}

async fn refresh(sandbox: &Sandbox, token: &str, extra: &[(&str, &str)]) -> (u16, Value) {
    ask(sandbox, &[("grant_type", "refresh_token"), ("refresh_token", token)], extra).await
}

fn refused(answer: &(u16, Value)) -> (u16, &str, &str) {
    let text = |name: &str| answer.1[name].as_str().unwrap_or_default();
    (answer.0, text("error"), text("error_description"))
}

#[tokio::test]
async fn a_person_signs_in_and_the_tokens_are_googles() {
    let sandbox = Sandbox::start().await.unwrap();
    let landed = walk(&sandbox, &[]).await;
    assert_eq!((landed["state"].as_str(), landed["prompt"].as_str()), ("st4te", "consent"));
    assert!(landed["code"].starts_with("4/0A"), "{landed:?}");
    let (status, body) = redeem(&sandbox, &landed["code"], &[]).await;
    assert_eq!(status, 200, "{body}");
    assert!(body["access_token"].as_str().unwrap().starts_with("ya29."));
    assert!(body["refresh_token"].as_str().unwrap().starts_with("1//0"));
    assert_eq!((body["expires_in"].as_u64(), body["token_type"].as_str()), (Some(3599), Some("Bearer")));
    // Names are spelt out, whatever the request called them.
    let scope = format!("{GOOGLE_MAIL_SCOPE} https://www.googleapis.com/auth/userinfo.email openid");
    assert_eq!(body["scope"], scope);
    let id = claims(body["id_token"].as_str().unwrap());
    let aud = client(&sandbox).id();
    for (name, value) in
        [("iss", "https://accounts.google.com"), ("aud", aud), ("email", ANA), ("nonce", "n0nce")]
    {
        assert_eq!(id[name], value, "{name}");
    }
    assert_eq!(id["sub"].as_str().map(str::len), Some(21));
    assert_eq!(refused(&redeem(&sandbox, &landed["code"], &[]).await), (400, "invalid_grant", "Bad Request"));
    assert_eq!(sandbox.requests(RequestKind::AuthorizationCode), 2);
    // What it handed out is known to whoever searches logs for it.
    let known: Vec<String> = sandbox.handed_out().iter().map(|secret| secret.expose().to_owned()).collect();
    assert!(
        known.contains(&landed["code"])
            && known.iter().any(|secret| body["refresh_token"] == secret.as_str())
    );
}

#[tokio::test]
async fn a_refresh_token_comes_with_consent_and_offline_access_only() {
    let sandbox = Sandbox::start().await.unwrap();
    for (extra, asked, given) in [
        (&[("access_type", ""), ("prompt", "")][..], true, false),
        (&[("access_type", "online"), ("prompt", "consent")], true, false),
        (&[("prompt", "")], false, false),
        (&[("prompt", "select_account")], false, false),
        (&[], true, true),
    ] {
        let (landed, was_asked) = walk_as(&sandbox, ANA, extra).await;
        assert_eq!(was_asked, asked, "{extra:?}");
        let (status, body) = redeem(&sandbox, &landed["code"], &[]).await;
        assert_eq!((status, body["refresh_token"].is_string()), (200, given), "{extra:?}: {body}");
    }
    // Somebody else has not consented to anything yet.
    let (landed, asked) = walk_as(&sandbox, BJORN, &[("prompt", "")]).await;
    assert!(asked && redeem(&sandbox, &landed["code"], &[]).await.1["refresh_token"].is_string());
}

#[tokio::test]
async fn a_refresh_token_stays_until_it_is_revoked_or_half_a_year_old() {
    let sandbox = Sandbox::start().await.unwrap();
    let token = |body: &Value| body["refresh_token"].as_str().unwrap().to_owned();
    let first = token(&redeem(&sandbox, &walk(&sandbox, &[]).await["code"], &[]).await.1);
    for _ in 0..2 {
        sandbox.advance(Duration::from_secs(180 * 86_400));
        let (status, body) = refresh(&sandbox, &first, &[]).await;
        assert_eq!(
            (status, body["refresh_token"].is_null(), body["scope"].is_string()),
            (200, true, true),
            "{body}"
        );
    }
    assert_eq!(refused(&refresh(&sandbox, &first, &[("scope", GOOGLE_MAIL_SCOPE)]).await).1, "invalid_scope");
    let over = (400, "invalid_grant", "Token has been expired or revoked.");
    assert_eq!(refused(&refresh(&sandbox, "1//0nobody", &[]).await), over);
    sandbox.revoke_sessions(ANA).unwrap();
    assert_eq!(refused(&refresh(&sandbox, &first, &[]).await), over);
    let second = token(&redeem(&sandbox, &walk(&sandbox, &[]).await["code"], &[]).await.1);
    sandbox.advance(Duration::from_secs(181 * 86_400));
    assert_eq!(refused(&refresh(&sandbox, &second, &[]).await), over);
}

#[tokio::test]
async fn a_project_in_testing_lets_its_testers_in_for_a_week() {
    let trial = GoogleClient::desktop("Trial", "GOCSPX-trial").in_testing(&[ANA]);
    let sandbox = Sandbox::builder().google_client(trial).start().await.unwrap();
    assert_eq!(client(&sandbox).display_name(), "Trial");
    let page = sign_in(&sandbox, address(&sandbox, &[]), BJORN, &password(&sandbox, BJORN)).await;
    assert_eq!(page.status(), 403);
    assert!(page.text().await.unwrap().contains("Error 403: access_denied"));
    let (_, body) = redeem(&sandbox, &walk(&sandbox, &[]).await["code"], &[]).await;
    assert_eq!(body["refresh_token_expires_in"], 604_799);
    let token = body["refresh_token"].as_str().unwrap();
    sandbox.advance(Duration::from_secs(7 * 86_400 - 1));
    assert_eq!(refresh(&sandbox, token, &[]).await.0, 200);
    sandbox.advance(Duration::from_secs(1));
    assert_eq!(refused(&refresh(&sandbox, token, &[]).await).1, "invalid_grant");
}

#[tokio::test]
async fn nobody_is_sent_anywhere_by_a_request_that_cannot_be_meant() {
    let web = GoogleClient::web("Web", "GOCSPX-web").redirect("https://mail.contoso.example/callback");
    let id = web.id().to_owned();
    let sandbox = Sandbox::builder().google_client(web).start().await.unwrap();
    let desktop = sandbox.google_clients()[1].id().to_owned();
    for (extra, status, words) in [
        (&[("client_id", "nobody")][..], 401, "invalid_client"),
        (&[("client_id", id.as_str())], 400, "redirect_uri_mismatch"),
        (
            &[("client_id", &id), ("redirect_uri", "https://mail.contoso.example/callback/")],
            400,
            "redirect_uri_mismatch",
        ),
        (&[("client_id", &desktop), ("redirect_uri", "https://evil.example/")], 400, "redirect_uri_mismatch"),
        (
            &[("client_id", &desktop), ("redirect_uri", "http://127.0.0.1.evil.example/")],
            400,
            "redirect_uri_mismatch",
        ),
        (&[("client_id", &desktop), ("redirect_uri", "https://127.0.0.1/")], 400, "redirect_uri_mismatch"),
        (
            &[("client_id", &desktop), ("redirect_uri", "urn:ietf:wg:oauth:2.0:oob")],
            400,
            "redirect_uri_mismatch",
        ),
        (
            &[("client_id", &desktop), ("redirect_uri", "")],
            400,
            "Required parameter is missing: redirect_uri",
        ),
        (
            &[("client_id", &desktop), ("response_type", "")],
            400,
            "Required parameter is missing: response_type",
        ),
        (&[("client_id", &desktop), ("response_type", "token")], 400, "unsupported_response_type"),
        (&[("client_id", &desktop), ("scope", "")], 400, "Missing required parameter: scope"),
        (&[("client_id", &desktop), ("scope", "offline_access")], 400, "invalid_scope"),
        (&[("client_id", &desktop), ("scope", "https://mail.google.com")], 400, "invalid_scope"),
        (&[("client_id", &desktop), ("access_type", "always")], 400, "access_type"),
        (&[("client_id", &desktop), ("code_challenge", "short")], 400, "Invalid code_challenge"),
    ] {
        let answer = http(&sandbox).get(address(&sandbox, extra)).send().await.unwrap();
        assert_eq!(answer.status(), status, "{extra:?}");
        let html = answer.text().await.unwrap();
        assert!(html.contains("Access blocked") && html.contains(words), "{extra:?}: {html}");
    }
    for uri in ["http://localhost:1/any/path", "http://[::1]:8080/", "http://127.0.0.1/"] {
        let url = address(&sandbox, &[("client_id", &desktop), ("redirect_uri", uri)]);
        assert_eq!(http(&sandbox).get(url).send().await.unwrap().status(), 200, "{uri}");
    }
}

#[tokio::test]
async fn what_a_person_can_do_otherwise() {
    let sandbox = Sandbox::start().await.unwrap();
    let html =
        sign_in(&sandbox, address(&sandbox, &[]), ANA, &password(&sandbox, ANA)).await.text().await.unwrap();
    let (url, back) = landed(&press(&sandbox, &html, "cancel").await);
    assert!(url.as_str().starts_with(REDIRECT));
    assert_eq!(
        (back["error"].as_str(), back["state"].as_str(), back.len()),
        ("access_denied", "st4te", 2),
        "no more than that"
    );
    assert!(!html.contains("id=\"admin\""), "{html}");
    for (user, password, words) in [
        (ANA, "wrong", "Wrong password."),
        ("nobody@contoso.example", "x", "find your Google Account"),
        ("dora@outlook.example", "Sandbox-Dora-1", "find your Google Account"),
        ("locked@contoso.example", "Sandbox-Locked-1", "find your Google Account"),
    ] {
        let page = sign_in(&sandbox, address(&sandbox, &[]), user, password).await.text().await.unwrap();
        assert!(page.contains(words), "{user}: {page}");
    }
    let silent = http(&sandbox).get(address(&sandbox, &[("prompt", "none")])).send().await.unwrap();
    assert_eq!(landed(&silent).1["error"], "interaction_required");
}

#[tokio::test]
async fn a_session_is_remembered_and_is_not_that_of_the_tenant() {
    let sandbox = Sandbox::start().await.unwrap();
    let first = sign_in(&sandbox, address(&sandbox, &[]), ANA, &password(&sandbox, ANA)).await;
    let cookie = first.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    press(&sandbox, &first.text().await.unwrap(), "accept").await;
    let again = |url: Url, cookie: String| async {
        http(&sandbox).get(url).header("cookie", cookie).send().await.unwrap()
    };
    let silent = again(address(&sandbox, &[("prompt", "none")]), cookie.clone()).await;
    assert!(landed(&silent).1.contains_key("code"));
    let other =
        again(address(&sandbox, &[("login_hint", BJORN)]), cookie.clone()).await.text().await.unwrap();
    assert!(other.contains("name=\"passwd\"") && other.contains(BJORN), "{other}");
    let entra = authorize(
        &sandbox,
        sandbox.tenant_id(),
        &[
            ("client_id", sandbox.public_client_id()),
            ("response_type", "code"),
            ("redirect_uri", "http://localhost:1/"),
            ("scope", "openid"),
        ],
    );
    let page = again(entra, cookie).await;
    assert!(page.text().await.unwrap().contains("name=\"passwd\""), "another provider's session");
}

#[tokio::test]
async fn a_code_is_for_its_client_its_address_and_its_verifier() {
    let sandbox = Sandbox::builder()
        .google_client(GoogleClient::desktop("Other", "GOCSPX-other"))
        .start()
        .await
        .unwrap();
    let other = sandbox.google_clients()[1].clone();
    let code = walk(&sandbox, &[]).await["code"].clone();
    let mine = client(&sandbox).id().to_owned();
    assert_ne!(mine, other.id());
    for (extra, expected) in [
        (&[("client_secret", "")][..], (400, "invalid_request", "client_secret is missing.")),
        (&[("client_secret", "wrong")], (401, "invalid_client", "The provided client secret is invalid.")),
        (&[("client_id", "nobody")], (401, "invalid_client", "The OAuth client was not found.")),
        (&[("client_id", "")], (400, "invalid_request", "Could not determine client ID from request.")),
        (
            &[("client_id", other.id()), ("client_secret", other.secret().expose())],
            (401, "unauthorized_client", "Unauthorized"),
        ),
        (&[("redirect_uri", "http://127.0.0.1:50124/")], (400, "redirect_uri_mismatch", "Bad Request")),
        (&[("code_verifier", "")], (400, "invalid_grant", "Missing code verifier.")),
        (&[("code_verifier", CHALLENGE)], (400, "invalid_grant", "Invalid code verifier.")),
        (&[("code", "4/0Anobody")], (400, "invalid_grant", "Malformed auth code.")),
        (
            &[("scope", GOOGLE_MAIL_SCOPE)],
            (400, "invalid_request", "Parameter not allowed for this message type: scope"),
        ),
    ] {
        assert_eq!(refused(&redeem(&sandbox, &code, extra).await), expected, "{extra:?}");
    }
    let (status, body) = redeem(&sandbox, &code, &[]).await;
    assert_eq!(status, 200, "none of that used it up: {body}");
    let late = walk(&sandbox, &[]).await["code"].clone();
    sandbox.advance(Duration::from_secs(601));
    assert_eq!(refused(&redeem(&sandbox, &late, &[]).await).1, "invalid_grant");
}

#[tokio::test]
async fn devices_get_nothing_for_mail() {
    let sandbox = Sandbox::start().await.unwrap();
    let id = client(&sandbox).id();
    let device = async |scope: &str, id: &str| {
        let answer = post(&sandbox, "google/device/code", &[("client_id", id), ("scope", scope)]).await;
        let text = answer.1["error_description"].as_str().unwrap().to_owned();
        (answer.0, answer.1["error"].as_str().unwrap().to_owned(), text)
    };
    let (status, error, text) = device(&format!("email {GOOGLE_MAIL_SCOPE}"), id).await;
    assert_eq!((status, error.as_str()), (400, "invalid_scope"));
    assert_eq!(text, "Invalid device flow scope: https://mail.google.com/");
    let (status, error, text) = device("email", id).await;
    assert!(
        status == 401 && error == "invalid_client" && text.contains("TVs and Limited Input devices"),
        "{text}"
    );
}

#[tokio::test]
async fn faults_are_those_of_the_other_endpoints() {
    let sandbox = Sandbox::start().await.unwrap();
    let once = |fault: Fault| sandbox.inject(Rule::new(fault).times(1));
    once(Fault::WrongNonce);
    let (_, body) = redeem(&sandbox, &walk(&sandbox, &[]).await["code"], &[]).await;
    assert_ne!(claims(body["id_token"].as_str().unwrap())["nonce"], "n0nce");
    once(Fault::AnotherUser(BJORN.to_owned()));
    let (_, body) = redeem(&sandbox, &walk(&sandbox, &[]).await["code"], &[]).await;
    assert_eq!(claims(body["id_token"].as_str().unwrap())["email"], BJORN);
    once(Fault::NoRefreshToken);
    once(Fault::NoIdToken);
    once(Fault::ExpiresIn(7));
    let (_, body) = redeem(&sandbox, &walk(&sandbox, &[]).await["code"], &[]).await;
    assert!(
        body["refresh_token"].is_null() && body["id_token"].is_null() && body["expires_in"] == 7,
        "{body}"
    );
    once(Fault::SignInRefused(65004));
    assert_eq!(walk(&sandbox, &[]).await["error"], "access_denied");
    for (fault, name) in
        [(Fault::WrongState, "state"), (Fault::WrongIss, "iss"), (Fault::ForeignCode, "code")]
    {
        once(fault);
        let landed = walk(&sandbox, &[]).await;
        let spoilt = match name {
            "state" => landed["state"] != "st4te",
            "iss" => landed.contains_key("iss"),
            _ => redeem(&sandbox, &landed["code"], &[]).await.0 == 400,
        };
        assert!(spoilt, "{name}: {landed:?}");
    }
    once(Fault::TooManyRequests(Some(5)));
    assert_eq!(redeem(&sandbox, "x", &[]).await.0, 429);
}
