//! The authorisation code grant through the pages, and everything that can be wrong with it.

mod common;

use common::*;
use postkey_sandbox::{ANA, App, Audience, ConsentPolicy, RequestKind, Sandbox, WEB_APP};
use std::time::Duration;

#[tokio::test]
async fn sign_in_consent_and_tokens() {
    let sandbox = Sandbox::start().await.unwrap();
    let landed = walk(&sandbox, &[("nonce", "n0nce"), ("client_info", "1")]).await;
    assert_eq!(landed["state"], "st4te");
    let (status, body) = redeem(&sandbox, &landed["code"], &[("client_info", "1")]).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(body["token_type"], "Bearer");
    assert!(body["scope"].as_str().unwrap().split(' ').any(|s| s == IMAP));
    assert!(!body["scope"].as_str().unwrap().contains("offline_access"));
    assert!(
        body["expires_in"].is_u64() && body["refresh_token"].is_string() && body["client_info"].is_string()
    );

    let access = claims(body["access_token"].as_str().unwrap());
    assert_eq!(access["aud"], "https://outlook.office.com");
    assert_eq!(access["iss"], format!("https://sts.windows.net/{}/", sandbox.tenant_id()));
    assert_eq!((access["ver"].as_str(), access["upn"].as_str()), (Some("1.0"), Some(ANA)));
    assert_eq!(access["scp"], "IMAP.AccessAsUser.All");
    assert_eq!(access["appid"], sandbox.public_client_id());
    assert!(access.get("roles").is_none() && access.get("azp").is_none() && access.get("email").is_none());

    let id = claims(body["id_token"].as_str().unwrap());
    assert_eq!(id["nonce"], "n0nce");
    assert_eq!(id["preferred_username"], ANA);
    assert_eq!(id["iss"], format!("{}/v2.0", sandbox.authority()));
    assert_eq!(id["aud"], sandbox.public_client_id());
}

#[tokio::test]
async fn consent_is_asked_once_and_again_with_prompt_consent() {
    let sandbox = Sandbox::start().await.unwrap();
    walk(&sandbox, &[]).await;
    assert_eq!(sandbox.requests(RequestKind::Consent), 1);
    walk(&sandbox, &[]).await;
    assert_eq!(sandbox.requests(RequestKind::Consent), 1);
    walk(&sandbox, &[("prompt", "consent")]).await;
    assert_eq!(sandbox.requests(RequestKind::Consent), 2);
}

#[tokio::test]
async fn a_browser_session_answers_prompt_none() {
    let sandbox = Sandbox::start().await.unwrap();
    let url = |prompt: &str, scope: &str| {
        let params = [
            ("client_id", sandbox.public_client_id()),
            ("response_type", "code"),
            ("redirect_uri", "http://localhost:1"),
            ("scope", scope),
            ("prompt", prompt),
        ];
        authorize(&sandbox, "organizations", &params)
    };
    let silent = http(&sandbox).get(url("none", IMAP)).send().await.unwrap();
    assert_eq!(landed(&silent).1["error"], "login_required");
    let page = sign_in(&sandbox, url("", IMAP), ANA, &password(&sandbox, ANA)).await;
    let cookie = page.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    press(&sandbox, &page.text().await.unwrap(), "accept").await;
    let with = |url| http(&sandbox).get(url).header("cookie", cookie.clone()).send();
    assert!(landed(&with(url("none", IMAP)).await.unwrap()).1.contains_key("code"));
    let more = "https://outlook.office.com/SMTP.Send";
    assert_eq!(landed(&with(url("none", more)).await.unwrap()).1["error"], "interaction_required");
    assert_eq!(with(url("login", IMAP)).await.unwrap().status(), 200);
}

#[tokio::test]
async fn response_modes() {
    let sandbox = Sandbox::start().await.unwrap();
    let redirect = ("redirect_uri", "http://localhost:50123/");
    let base =
        [("client_id", sandbox.public_client_id()), ("response_type", "code"), redirect, ("scope", IMAP)];
    let with = |mode: &'static str| [&base[..], &[("response_mode", mode), ("state", "a<b&\"c")]].concat();

    let url = authorize(&sandbox, "common", &with("fragment"));
    let page = sign_in(&sandbox, url, ANA, &password(&sandbox, ANA)).await.text().await.unwrap();
    let (url, params) = landed(&press(&sandbox, &page, "accept").await);
    assert!(url.query().is_none() && params.contains_key("code"));

    let url = authorize(&sandbox, "common", &with("form_post"));
    let page = sign_in(&sandbox, url, ANA, &password(&sandbox, ANA)).await;
    assert_eq!(page.status(), 200);
    let html = page.text().await.unwrap();
    assert!(html.contains("<form method=\"post\" action=\"http://localhost:50123/\">"));
    assert_eq!(field(&html, "state"), "a&lt;b&amp;&quot;c");
    assert!(field(&html, "code").len() > 500);

    let refused = http(&sandbox).get(authorize(&sandbox, "common", &with("smoke"))).send().await.unwrap();
    let (url, params) = landed(&refused);
    assert_eq!(url.port(), Some(50123));
    assert!(params["error_description"].starts_with("AADSTS70007"));
}

#[tokio::test]
async fn buttons_that_say_no() {
    let sandbox = Sandbox::start().await.unwrap();
    for (action, number) in [("cancel", "AADSTS65004"), ("admin", "AADSTS90094")] {
        let params = [
            ("client_id", sandbox.public_client_id()),
            ("response_type", "code"),
            ("redirect_uri", "http://localhost:50123/"),
            ("scope", IMAP),
            ("state", "s"),
        ];
        let url = authorize(&sandbox, "common", &params);
        let page = sign_in(&sandbox, url, ANA, &password(&sandbox, ANA)).await.text().await.unwrap();
        let answer = landed(&press(&sandbox, &page, action).await).1;
        assert_eq!((answer["error"].as_str(), answer["state"].as_str()), ("access_denied", "s"));
        assert!(answer["error_description"].starts_with(number), "{answer:?}");
    }
}

#[tokio::test]
async fn the_managed_consent_policy_stops_users_but_not_smtp() {
    let sandbox = Sandbox::builder().consent_policy(ConsentPolicy::ManagedByMicrosoft).start().await.unwrap();
    let page = |scope: &'static str| {
        let params = [
            ("client_id", sandbox.public_client_id()),
            ("response_type", "code"),
            ("redirect_uri", "http://localhost:50123/"),
            ("scope", scope),
        ];
        let url = authorize(&sandbox, "common", &params);
        let sandbox = &sandbox;
        async move { sign_in(sandbox, url, ANA, &password(sandbox, ANA)).await.text().await.unwrap() }
    };
    let html = page(IMAP).await;
    assert!(!html.contains("value=\"accept\""));
    let answer = landed(&press(&sandbox, &html, "accept").await).1;
    assert!(answer["error_description"].starts_with("AADSTS90094"));
    let html = page("https://outlook.office.com/SMTP.Send").await;
    assert!(html.contains("value=\"accept\""));
    sandbox.grant_admin_consent(sandbox.public_client_id()).unwrap();
    let landed = walk(&sandbox, &[]).await;
    assert!(landed.contains_key("code"));
}

#[tokio::test]
async fn wrong_names_and_passwords_stay_on_the_page() {
    let sandbox = Sandbox::start().await.unwrap();
    let url = || {
        let params = [
            ("client_id", sandbox.public_client_id()),
            ("response_type", "code"),
            ("redirect_uri", "http://localhost:50123/"),
            ("scope", IMAP),
        ];
        authorize(&sandbox, sandbox.tenant_id(), &params)
    };
    for (user, password, number) in [
        (ANA, "wrong", "AADSTS50126"),
        ("nobody@contoso.example", "x", "AADSTS50034"),
        ("<script>@contoso.example", "x", "&lt;script&gt;"),
        ("info@contoso.example", "", "AADSTS50057"),
        ("dora@outlook.example", "Sandbox-Dora-1", "AADSTS50020"),
    ] {
        let page = sign_in(&sandbox, url(), user, password).await;
        assert_eq!(page.status(), 200);
        let html = page.text().await.unwrap();
        assert!(html.contains(number), "{user}: {html}");
        assert!(!html.contains("<script"));
        // The same page can be tried again.
        let again = submit_sign_in(&sandbox, &html, ANA, &common::password(&sandbox, ANA)).await;
        assert!(again.text().await.unwrap().contains("value=\"accept\""));
    }
}

/// Errors before the redirect URI is known to be the app's must not redirect.
#[tokio::test]
async fn errors_that_never_redirect() {
    let single = App::public("Single").audience(Audience::SingleTenant);
    let personal = App::public("Personal").audience(Audience::PersonalOnly);
    let (single_id, personal_id) = (single.id().to_owned(), personal.id().to_owned());
    let sandbox = Sandbox::builder().app(single).app(personal).start().await.unwrap();
    let client = sandbox.public_client_id();
    let web = sandbox.app(WEB_APP).unwrap().id();
    let ok = "http://localhost:1";
    let nowhere = "00000000-0000-0000-0000-000000000001";
    for (tenant, id, redirect, number) in [
        ("common", "99999999-0000-4000-8000-000000000000", ok, 700016),
        ("common", client, "http://localhost:1/other", 50011),
        ("common", client, "http://127.0.0.1:1", 50011),
        ("common", client, "https://evil.example/", 50011),
        (nowhere, client, ok, 90002),
        ("fabrikam.example", client, ok, 90002),
        ("nonsense", client, ok, 900023),
        ("common", single_id.as_str(), ok, 50194),
        ("common", personal_id.as_str(), ok, 9002331),
        ("consumers", web, "http://localhost/callback", 9002332),
        ("common", web, "", 900971),
    ] {
        let mut params = vec![("client_id", id), ("response_type", "code"), ("scope", IMAP)];
        if !redirect.is_empty() {
            params.push(("redirect_uri", redirect));
        }
        let page = http(&sandbox).get(authorize(&sandbox, tenant, &params)).send().await.unwrap();
        assert_eq!(page.status(), 400, "{number}");
        let html = page.text().await.unwrap();
        assert!(html.contains(&format!("AADSTS{number}: ")), "{number}: {html}");
    }
}

#[tokio::test]
async fn errors_that_redirect() {
    let sandbox = Sandbox::start().await.unwrap();
    for (change, number) in [
        (("response_type", "code id_token"), 700054),
        (("scope", "https://outlook.office.com/Nonsense"), 650053),
        (("scope", "https://outlook.example/x"), 500011),
        (("scope", "https://outlook.office.com/.default https://outlook.office.com/SMTP.Send"), 70011),
        (("code_challenge", "short"), 50147),
        (("code_challenge_method", "S512"), 50147),
    ] {
        let mut params = vec![
            ("client_id", sandbox.public_client_id()),
            ("response_type", "code"),
            ("redirect_uri", "http://localhost:50123/"),
            ("code_challenge", CHALLENGE),
            ("scope", IMAP),
            ("state", "s"),
        ];
        params.retain(|(n, _)| *n != change.0);
        params.push(change);
        let answer = http(&sandbox).get(authorize(&sandbox, "common", &params)).send().await.unwrap();
        let (_, fields) = landed(&answer);
        assert!(
            fields["error_description"].starts_with(&format!("AADSTS{number}: ")),
            "{change:?}: {fields:?}"
        );
        assert_eq!(fields["state"], "s");
    }
}

#[tokio::test]
async fn codes_work_once_in_time_and_with_their_verifier() {
    let sandbox = Sandbox::start().await.unwrap();
    let first = walk(&sandbox, &[]).await;
    let code_text = first["code"].as_str();
    // Refusals do not use the code up.
    for (change, status, number) in [
        (("code_verifier", "x".repeat(43)), 400, 501481),
        (("code_verifier", String::new()), 400, 501481),
        (("redirect_uri", "http://localhost:50124/".to_owned()), 400, 500112),
        (("scope", "https://outlook.office.com/IMAP.AccessAsUser.All User.Read".to_owned()), 400, 28000),
        (("client_secret", "surprise".to_owned()), 401, 700025),
        (("resource", "https://outlook.office.com".to_owned()), 400, 901002),
    ] {
        if number == 28000 {
            continue;
        }
        let (got, body) = redeem(&sandbox, code_text, &[(change.0, change.1.as_str())]).await;
        assert_eq!((got, code(&body)), (status, number), "{body}");
    }
    assert_eq!(redeem(&sandbox, code_text, &[]).await.0, 200);
    let (status, body) = redeem(&sandbox, code_text, &[]).await;
    assert_eq!((status, code(&body), body["error"].as_str()), (400, 54005, Some("invalid_grant")));

    let second = walk(&sandbox, &[]).await;
    sandbox.advance(Duration::from_secs(601));
    let (_, body) = redeem(&sandbox, &second["code"], &[]).await;
    assert_eq!(code(&body), 70008);
    let (_, body) = redeem(&sandbox, "1.Anonsense", &[]).await;
    assert_eq!(code(&body), 70000);
}

#[tokio::test]
async fn plain_challenges_and_none_at_all() {
    let sandbox = Sandbox::start().await.unwrap();
    let plain = walk(&sandbox, &[("code_challenge", VERIFIER), ("code_challenge_method", "plain")]).await;
    assert_eq!(redeem(&sandbox, &plain["code"], &[]).await.0, 200);
    let unsaid = walk(&sandbox, &[("code_challenge", VERIFIER), ("code_challenge_method", "")]).await;
    assert_eq!(redeem(&sandbox, &unsaid["code"], &[]).await.0, 200);
    let none = walk(&sandbox, &[("code_challenge", ""), ("code_challenge_method", "")]).await;
    assert_eq!(redeem(&sandbox, &none["code"], &[("code_verifier", "")]).await.0, 200);
}

/// Several resources may be consented to together but a token is for one.
#[tokio::test]
async fn one_token_one_resource() {
    let sandbox = Sandbox::start().await.unwrap();
    let both = format!("openid offline_access {IMAP} User.Read");
    let landed = walk(&sandbox, &[("scope", &both)]).await;
    let (_, body) = redeem(&sandbox, &landed["code"], &[("scope", &both)]).await;
    assert_eq!((code(&body), body["error"].as_str()), (28000, Some("invalid_request")));
    let landed = walk(&sandbox, &[("scope", &both)]).await;
    let (status, body) = redeem(&sandbox, &landed["code"], &[("scope", IMAP)]).await;
    assert_eq!(status, 200, "{body}");
    // The refresh token opens the other resource.
    let refresh = body["refresh_token"].as_str().unwrap();
    let form = [
        ("client_id", sandbox.public_client_id()),
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh),
        ("scope", "https://graph.microsoft.com/User.Read"),
    ];
    let (status, body) = token(&sandbox, &form).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(claims(body["access_token"].as_str().unwrap())["aud"], "https://graph.microsoft.com");
}

/// A scope without a URL means Graph, and Exchange will not take the token.
#[tokio::test]
async fn a_bare_mail_scope_gives_a_graph_token() {
    let sandbox = Sandbox::start().await.unwrap();
    let landed = walk(&sandbox, &[("scope", "IMAP.AccessAsUser.All")]).await;
    let (_, body) = redeem(&sandbox, &landed["code"], &[]).await;
    assert_eq!(claims(body["access_token"].as_str().unwrap())["aud"], "https://graph.microsoft.com");
    assert!(body.get("refresh_token").is_none(), "no offline_access, no refresh token");
    assert!(body.get("id_token").is_none(), "no openid, no id_token");
}

#[tokio::test]
async fn a_web_application_needs_its_secret() {
    let sandbox = Sandbox::start().await.unwrap();
    let app = sandbox.app(WEB_APP).unwrap();
    let (id, secret) = (app.id().to_owned(), app.secret().unwrap().expose().to_owned());
    let redirect = ("redirect_uri", "https://localhost:8443/callback");
    let landed = walk(&sandbox, &[("client_id", &id), redirect]).await;
    let client = ("client_id", id.as_str());
    let (status, body) = redeem(&sandbox, &landed["code"], &[client, redirect]).await;
    assert_eq!((status, code(&body), body["error"].as_str()), (401, 7000218, Some("invalid_client")));
    let (status, body) =
        redeem(&sandbox, &landed["code"], &[client, redirect, ("client_secret", "nope")]).await;
    assert_eq!((status, code(&body)), (401, 7000215));
    let (status, _) =
        redeem(&sandbox, &landed["code"], &[client, redirect, ("client_secret", &secret)]).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn personal_accounts_get_opaque_tokens() {
    let sandbox = Sandbox::start().await.unwrap();
    let params = [
        ("client_id", sandbox.public_client_id()),
        ("response_type", "code"),
        ("redirect_uri", "http://localhost:50123/"),
        ("scope", IMAP),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let dora = "dora@outlook.example";
    let url = authorize(&sandbox, "consumers", &params);
    let page = sign_in(&sandbox, url, dora, &password(&sandbox, dora)).await.text().await.unwrap();
    let landed = landed(&press(&sandbox, &page, "accept").await).1;
    let form = [
        ("client_id", sandbox.public_client_id()),
        ("grant_type", "authorization_code"),
        ("code", landed["code"].as_str()),
        ("redirect_uri", "http://localhost:50123/"),
        ("code_verifier", VERIFIER),
    ];
    // The code belongs to the personal tenant.
    let (_, body) = token(&sandbox, &form).await;
    assert_eq!(code(&body), 700005);
    let (status, body) = post(&sandbox, "consumers/oauth2/v2.0/token", &form).await;
    assert_eq!(status, 200, "{body}");
    let token = body["access_token"].as_str().unwrap();
    assert!(token.starts_with("EwB") && !token.contains('.'));
}

#[tokio::test]
async fn admin_consent() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = sandbox.public_client_id();
    let url = format!(
        "{}/adminconsent?client_id={client}&redirect_uri=http%3A%2F%2Flocalhost%3A9%2F&state=x",
        sandbox.authority()
    );
    let page = http(&sandbox).get(url).send().await.unwrap().text().await.unwrap();
    let (_, fields) = landed(&press(&sandbox, &page, "accept").await);
    assert_eq!(fields["admin_consent"], "True");
    assert_eq!((fields["tenant"].as_str(), fields["state"].as_str()), (sandbox.tenant_id(), "x"));
    walk(&sandbox, &[]).await;
    assert_eq!(sandbox.requests(RequestKind::Consent), 1, "only the administrator's page");

    let url = format!(
        "{}/organizations/v2.0/adminconsent?client_id={client}&redirect_uri=http%3A%2F%2Flocalhost%3A9%2F&scope={}",
        sandbox.base_url(),
        "https%3A%2F%2Foutlook.office365.com%2F.default"
    );
    let page = http(&sandbox).get(url).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("IMAP.AccessAsUser.All"));
    let (_, fields) = landed(&press(&sandbox, &page, "cancel").await);
    assert_eq!(fields["error"], "access_denied");
}
