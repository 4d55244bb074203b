//! oidc-provider judges what postkey does with tokens and without people: refresh, client credentials, discovery.

#[path = "support/judge.rs"]
mod judge;
#[path = "support/oidc.rs"]
mod oidc;

use std::thread;
use std::time::Duration;

use auth::discovery::{IssuerRule, discover};
use auth::{Class, Error};
use judge::http;
use oidc::{ANA, EVERYTHING, SECRET, Scene, basic, daemon, fixture, key_files, native};
use postkey_peers::home::finish;
use serde_json::json;
use wire::Secret;

/// The token family of a program whose processes all want a token at the same time.
#[test]
fn eight_processes_and_one_refresh() {
    let wishes = json!({"clients": [native()], "lives": [1, 1, 3600]});
    let Some(scene) = Scene::set("eight_processes_and_one_refresh", wishes) else { return };
    scene.native();
    scene.browser(ANA, "").code(0);
    thread::sleep(Duration::from_millis(1500));
    scene.token();
    scene.granted("refresh_token", 1);
    thread::sleep(Duration::from_millis(1500));
    let runs: Vec<_> = (0..8).map(|_| scene.home.command(&["token", "ana"]).spawn().unwrap()).collect();
    let tokens: Vec<String> = runs.into_iter().map(|run| finish(run, String::new()).code(0).stdout).collect();
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    scene.granted("refresh_token", 2);
    assert_eq!(scene.server.counts().unwrap()["errors"], json!([]));
}

/// Nobody is asked a second time about a session that has ended, and signing in again mends it.
#[test]
fn session_that_was_revoked() {
    let wishes = json!({"clients": [native()], "lives": [1, 3600]});
    let Some(scene) = Scene::set("session_that_was_revoked", wishes) else { return };
    scene.native();
    scene.browser(ANA, "").code(0);
    scene.server.revoke().unwrap();
    thread::sleep(Duration::from_millis(1500));
    for _ in 0..2 {
        scene.home.run(&["token", "ana"]).code(24).says(&["invalid_grant", "postkey login ana"]);
    }
    assert_eq!(scene.server.counts().unwrap()["errors"].as_array().unwrap().len(), 1);
    scene.browser(ANA, "").code(0);
    scene.token();
}

#[test]
fn refresh() {
    let Some(scene) = Scene::set("refresh", json!({"clients": [native()]})) else { return };
    let (client, scopes) = (scene.client("native"), EVERYTHING.map(String::from));
    let first = scene.tokens();
    let first_refresh = first.refresh_token.clone().unwrap();
    scene.runtime.block_on(async {
        let second = client.refresh(&first_refresh, &scopes).await.unwrap();
        let second_refresh = second.refresh_token.clone().unwrap();
        assert_ne!(second_refresh, first_refresh, "it rotates");
        // Fewer scopes than were granted.
        let third = client.refresh(&second_refresh, &["mail".into()]).await.unwrap();
        assert_eq!(third.scope, ["mail"]);
        let third_refresh = third.refresh_token.clone().unwrap();
        // The server does judge: a token that was rotated away ends the whole family.
        let reused = client.refresh(&first_refresh, &scopes).await.unwrap_err();
        assert_eq!(reused.class(), Class::SignInAgain, "{reused:?}");
        assert_eq!(scene.server.counts().unwrap()["revoked"], 1);
        client.refresh(&third_refresh, &scopes).await.unwrap_err();
    });
}

/// Client credentials, with every proof, and with the wrong ones.
#[test]
fn application() {
    let certificate = json!({"certificate": std::fs::read_to_string(fixture("certificate.pem")).unwrap()});
    let pinned = |alg: &str| {
        let mut proof = certificate.clone();
        proof["token_endpoint_auth_signing_alg"] = json!(alg);
        proof
    };
    let clients = [
        daemon("post", "client_secret_post", &json!({"client_secret": SECRET})),
        daemon("basic", "client_secret_basic", &json!({"client_secret": SECRET})),
        daemon("ps256", "private_key_jwt", &pinned("PS256")),
        daemon("rs256", "private_key_jwt", &pinned("RS256")),
    ];
    let Some(scene) = Scene::set("application", json!({"clients": clients})) else { return };
    scene.home.private("secret", SECRET);
    scene.home.private("wrong", "another secret");
    key_files(&scene.home);
    let secret = "flow = \"app\"\nclient_secret = { file = \"~/secret\" }";
    let wrong = "flow = \"app\"\nclient_secret = { file = \"~/wrong\" }";
    let ps256 = "flow = \"certificate\"\ncertificate = { file = \"~/app.pem\" }";
    let rs256 = "flow = \"certificate\"\ncertificate = { file = \"~/app.pem\", algorithm = \"RS256\" }";
    let login = |id: &str, lines: &str| {
        scene.account(&format!("client_id = \"{id}\"\n{lines}"));
        if id == "basic" {
            basic(&scene.home);
        }
        scene.home.run(&["login", "ana"])
    };
    for (i, (id, lines)) in
        (1..).zip([("post", secret), ("basic", secret), ("ps256", ps256), ("rs256", rs256)])
    {
        login(id, lines).code(0);
        assert!(!scene.token().trim().is_empty());
        scene.granted("client_credentials", i);
    }
    for (id, lines) in [
        ("post", wrong),
        ("basic", wrong),
        ("nobody", secret),
        ("nobody", ps256),
        ("ps256", rs256),
        ("rs256", ps256),
        ("ps256", secret),
    ] {
        let ran = login(id, lines).code(20).says(&["invalid_client"]);
        assert!(!ran.stderr.contains(SECRET), "{}", ran.stderr);
    }
    scene.granted("client_credentials", 4);
}

/// It has no password grant, and says so.
#[test]
fn password_grant_that_is_not_there() {
    let Some(scene) = Scene::set("password_grant_that_is_not_there", json!({"clients": [native()]})) else {
        return;
    };
    let (client, scopes, password) = (scene.client("native"), ["mail".into()], Secret::from("any"));
    let error = scene.runtime.block_on(client.password(ANA, &password, &scopes)).unwrap_err();
    assert!(error.to_string().contains("unsupported_grant_type"), "{error:?}");
}

/// Another issuer's document is refused.
#[test]
fn the_document_of_another_issuer() {
    let Some(scene) = Scene::set("the_document_of_another_issuer", json!({"clients": [native()]})) else {
        return;
    };
    let other = scene.server.issuer().replace("localhost", "127.0.0.1");
    let found = scene.runtime.block_on(discover(&http(), &other, IssuerRule::Exact));
    assert!(matches!(found, Err(Error::Setting { setting: "issuer", .. })), "{found:?}");
}
