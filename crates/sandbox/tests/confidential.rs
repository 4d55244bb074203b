//! Confidential web clients with one fixed redirect, the blank page of public ones, passwords and blocked accounts.

mod common;

use common::*;
use postkey_sandbox::{
    ANA, App, FILE_MOVER_APP, FILE_MOVER_REDIRECT, NATIVE_CLIENT, Sandbox, SignInRefusal, User,
};

async fn realm(sandbox: &Sandbox, user: &str) -> serde_json::Value {
    let url = format!("{}/common/userrealm/{user}?api-version=1.0", sandbox.base_url());
    json(http(sandbox).get(url).send().await.unwrap()).await
}

/// The file mover of the guides: a web registration on loopback with a secret, whatever its port, and its path to the letter.
#[tokio::test]
async fn a_fixed_redirect_on_loopback() {
    let deep = "http://localhost:3017/oauth/back";
    let app = App::web("Deep", "Dee~8Q+secret").redirect(deep);
    let deep_id = app.id().to_owned();
    let sandbox = Sandbox::builder().app(app).start().await.unwrap();
    let mover = sandbox.app(FILE_MOVER_APP).unwrap();
    let secret = mover.secret().unwrap().expose().to_owned();
    for (id, secret, given, good) in [
        (mover.id(), secret.as_str(), FILE_MOVER_REDIRECT, true),
        (mover.id(), &secret, "http://localhost:3017", true),
        (mover.id(), &secret, "http://localhost:3018/", true),
        (mover.id(), &secret, "http://localhost:3017/other", false),
        (mover.id(), &secret, "http://127.0.0.1:3017/", false),
        (mover.id(), &secret, "https://localhost:3017/", false),
        (&deep_id, "Dee~8Q+secret", deep, true),
        (&deep_id, "Dee~8Q+secret", "http://localhost:3017/oauth/Back", false),
        (&deep_id, "Dee~8Q+secret", "http://localhost:3017/oauth/back/", false),
    ] {
        let client = ("client_id", id);
        let redirect = ("redirect_uri", given);
        if good {
            let landed = walk(&sandbox, &[client, redirect]).await;
            let (_, body) = redeem(&sandbox, &landed["code"], &[client, redirect]).await;
            assert_eq!(code(&body), 7000218, "no secret");
            let (status, body) =
                redeem(&sandbox, &landed["code"], &[client, redirect, ("client_secret", secret)]).await;
            assert_eq!(status, 200, "{given}: {body}");
            assert_eq!(claims(body["access_token"].as_str().unwrap())["appidacr"], "1");
        } else {
            let params = [client, redirect, ("response_type", "code"), ("scope", IMAP)];
            let page =
                http(&sandbox).get(authorize(&sandbox, "organizations", &params)).send().await.unwrap();
            assert_eq!(page.status(), 400, "{given}");
            assert!(page.text().await.unwrap().contains("AADSTS50011: "), "{given}");
        }
    }
}

#[tokio::test]
async fn the_blank_page_ends_with_the_code_in_its_address() {
    let sandbox = Sandbox::start().await.unwrap();
    let here = format!("{}/common/oauth2/nativeclient", sandbox.base_url());
    for uri in [here.as_str(), NATIVE_CLIENT] {
        let landed = walk(&sandbox, &[("redirect_uri", uri)]).await;
        let (status, body) = redeem(&sandbox, &landed["code"], &[("redirect_uri", uri)]).await;
        assert_eq!(status, 200, "{uri}: {body}");
    }
    assert_eq!(http(&sandbox).get(&here).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn realms() {
    let sandbox = Sandbox::start().await.unwrap();
    assert_eq!(realm(&sandbox, ANA).await["account_type"], "Managed");
    assert_eq!(realm(&sandbox, "nobody@elsewhere.example").await["account_type"], "Unknown");
    let felix = realm(&sandbox, "felix@contoso.example").await;
    assert_eq!(
        (felix["account_type"].as_str(), felix["domain_name"].as_str()),
        (Some("Federated"), Some("contoso.example"))
    );
    assert!(felix["federation_active_auth_url"].as_str().unwrap().starts_with("https://sts."));
}

#[tokio::test]
async fn accounts_that_a_password_does_not_open() {
    let blocked = [
        ("disabled", SignInRefusal::Disabled, 50057, None),
        ("locked2", SignInRefusal::Locked, 50053, None),
        ("expired", SignInRefusal::PasswordExpired, 50055, Some("user_password_expired")),
        ("unregistered", SignInRefusal::MfaRegistration, 50079, Some("basic_action")),
        ("unassigned", SignInRefusal::NotAssigned, 50105, None),
        ("policy", SignInRefusal::ConditionalAccess, 53003, Some("message_only")),
    ];
    let mut builder = Sandbox::builder().user(User::work("blanks@contoso.example", "blank at the end "));
    for (name, why, ..) in blocked {
        builder = builder.user(User::work(&format!("{name}@contoso.example"), "pw").blocked(why));
    }
    let sandbox = builder.start().await.unwrap();
    let id = sandbox.public_client_id();
    sandbox.grant_admin_consent(id).unwrap();
    let ask = |user: String, password: String| {
        let sandbox = &sandbox;
        async move {
            let form = [
                ("client_id", id),
                ("grant_type", "password"),
                ("username", user.as_str()),
                ("password", password.as_str()),
                ("scope", IMAP),
            ];
            token(sandbox, &form).await.1
        }
    };
    for user in ["felix@contoso.example", "paula@contoso.example"] {
        assert_eq!(code(&ask(user.into(), password(&sandbox, user)).await), 50056, "{user}");
    }
    let locked = "locked@contoso.example";
    assert_eq!(code(&ask(locked.into(), password(&sandbox, locked)).await), 50053);
    assert_eq!(code(&ask("blanks@contoso.example".into(), "blank at the end ".into()).await), 50126);
    for (name, _, number, suberror) in blocked {
        let user = format!("{name}@contoso.example");
        let body = ask(user.clone(), "pw".into()).await;
        assert_eq!((code(&body), body["suberror"].as_str()), (number, suberror), "{body}");
        assert_eq!(
            code(&ask(user.clone(), "wrong".into()).await),
            50126,
            "the reason is for whoever knows the password"
        );
        let params = [
            ("client_id", id),
            ("response_type", "code"),
            ("redirect_uri", "http://localhost:1/"),
            ("scope", IMAP),
        ];
        let page = sign_in(&sandbox, authorize(&sandbox, "common", &params), &user, "pw").await;
        assert!(page.text().await.unwrap().contains(&format!("AADSTS{number}: ")), "{name}");
    }
}
