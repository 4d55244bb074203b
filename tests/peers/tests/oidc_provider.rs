//! Every sign-in of a person that oidc-provider has, asked for by postkey: a certified authorisation server that is not ours judges what is
//! sent, and refuses what it should.

#[path = "support/judge.rs"]
mod judge;
#[path = "support/oidc.rs"]
mod oidc;

use std::thread;
use std::time::Duration;

use auth::{Authorize, Client, Error, Registration};
use judge::http;
use oidc::{ANA, BJORN, EVERYTHING, SECRET, Scene, basic, daemon, fixture, key_files, native};
use postkey_peers::free_port;
use serde_json::{Value, json};

#[test]
fn browser() {
    let Some(scene) = Scene::set("browser", json!({"clients": [native()]})) else { return };
    scene.native();
    let ran = scene.browser(ANA, "").code(0);
    assert!(ran.stdout.contains(&format!("Signed in as {ANA}")), "{}", ran.stdout);
    assert!(!scene.token().trim().is_empty());
    scene.granted("authorization_code", 1);
    scene.granted("refresh_token", 0);
}

#[test]
fn somebody_else_in_the_browser() {
    let Some(scene) = Scene::set("somebody_else_in_the_browser", json!({"clients": [native()]})) else {
        return;
    };
    scene.native();
    scene.browser(BJORN, "").code(28).says(&["bjorn@contoso.example signed in", ANA]);
    scene.home.run(&["token", "ana"]).code(24);
}

#[test]
fn consent_that_is_denied() {
    let Some(scene) = Scene::set("consent_that_is_denied", json!({"clients": [native()]})) else { return };
    scene.native();
    scene.browser(ANA, "refuse").code(21).says(&["postkey login ana"]);
    scene.granted("authorization_code", 0);
    scene.home.run(&["token", "ana"]).code(24);
}

#[test]
fn paste() {
    let Some(scene) = Scene::set("paste", json!({"clients": [native()]})) else { return };
    scene.native();
    let ran = scene.home.prompted(&["login", "ana", "--flow", "paste"], |prompt| {
        let prompt = &prompt["paste_sign_in"];
        let (url, redirect) = (prompt["url"].as_str().unwrap(), prompt["redirect_uri"].as_str().unwrap());
        // The server's own addresses begin with this one, but for the slash.
        scene.walk(ANA, url, &format!("{redirect}/?"), "") + "\n"
    });
    assert_eq!(ran.code(0).json()["user"], ANA);
    assert!(!scene.token().trim().is_empty());
}

/// A confidential client with one redirect address, once with each proof.
#[test]
fn web_application() {
    let port = free_port().unwrap();
    let redirect = format!("http://localhost:{port}/done");
    let certificate = std::fs::read_to_string(fixture("certificate.pem")).unwrap();
    let client = |id: &str, method: &str, proof: Value| {
        let mut client = daemon(id, method, &proof);
        client["grant_types"] = json!(["authorization_code", "refresh_token"]);
        (client["redirect_uris"], client["response_types"]) = (json!([redirect]), json!(["code"]));
        client
    };
    let clients = [
        client("post", "client_secret_post", json!({"client_secret": SECRET})),
        client("basic", "client_secret_basic", json!({"client_secret": SECRET})),
        client("key", "private_key_jwt", json!({"certificate": certificate})),
    ];
    // The second token of each is a refreshed one.
    let wishes = json!({"clients": clients, "lives": [1, 3600, 1, 3600, 1, 3600]});
    let Some(scene) = Scene::set("web_application", wishes) else { return };
    scene.home.private("secret", SECRET);
    key_files(&scene.home);
    for (i, (id, proof)) in (1..).zip([
        ("post", "client_secret = { file = \"~/secret\" }"),
        ("basic", "client_secret = { file = \"~/secret\" }"),
        ("key", "certificate = { file = \"~/app.pem\" }"),
    ]) {
        let lines = format!("client_id = \"{id}\"\n{proof}\noauth = {{ redirect = \"{redirect}\" }}");
        scene.account(&lines);
        if id == "basic" {
            basic(&scene.home);
        }
        scene.browser(ANA, "").code(0);
        scene.granted("authorization_code", i);
        thread::sleep(Duration::from_millis(1500));
        scene.token();
        scene.granted("refresh_token", i);
    }
}

/// The library in a web application that owns its redirect address: two people at the same time, and one who would be another.
#[test]
fn web_application_of_its_own() {
    const REDIRECT: &str = "https://app.example/callback";
    let mut client = daemon("web", "client_secret_post", &json!({"client_secret": SECRET}));
    client["grant_types"] = json!(["authorization_code", "refresh_token"]);
    (client["redirect_uris"], client["response_types"]) = (json!([REDIRECT]), json!(["code"]));
    let Some(scene) = Scene::set("web_application_of_its_own", json!({"clients": [client]})) else { return };
    let registration = Registration::with_secret("web", SECRET.into(), "");
    let client = Client::new(scene.metadata.endpoints(), registration, http());
    let scopes = EVERYTHING.map(String::from);
    let mut request = Authorize::new(REDIRECT, &scopes);
    request.prompt = Some("consent");
    let begin = |user: &str| {
        let (url, kept) = client.begin(&request).unwrap();
        let landed = scene.walk(user, url.as_str(), REDIRECT, "");
        (kept, landed.split_once('?').unwrap().1.to_owned())
    };
    let (ana, bjorn) = (begin(ANA), begin(BJORN));
    scene.runtime.block_on(async {
        // The code of one in the session of the other, as it came and with the state made to fit: the verifier tells the server.
        let mixed = client.finish(ana.0.clone(), &bjorn.1).await;
        assert!(matches!(mixed, Err(Error::StateMismatch)), "{mixed:?}");
        let state = |query: &str| {
            let mut pairs = url::form_urlencoded::parse(query.as_bytes());
            pairs.find(|(name, _)| name == "state").unwrap().1.into_owned()
        };
        let forged = ana.1.replace(&state(&ana.1), &state(&bjorn.1));
        let error = client.finish(bjorn.0.clone(), &forged).await.unwrap_err();
        assert!(error.to_string().contains("invalid_grant"), "{error:?}");
        // This server names itself in every answer.
        let elsewhere = bjorn.1.replace("iss=http", "iss=https");
        let error = client.finish(bjorn.0.clone(), &elsewhere).await.unwrap_err();
        assert!(matches!(error, Error::MixUp { .. }), "{error:?}");
        let tokens = client.finish(bjorn.0, &bjorn.1).await.unwrap();
        assert_eq!(tokens.identity().unwrap().email.as_deref(), Some(BJORN));
    });
    // Whose code was tried elsewhere has to begin again.
    let ana = begin(ANA);
    let tokens = scene.runtime.block_on(client.finish(ana.0, &ana.1)).unwrap();
    assert_eq!(tokens.identity().unwrap().email.as_deref(), Some(ANA));
    assert!(tokens.refresh_token.is_some());
}

#[test]
fn device() {
    let Some(scene) = Scene::set("device", json!({"clients": [native()], "lives": [1, 3600]})) else {
        return;
    };
    scene.native();
    let ran = scene.device(str::to_owned).code(0);
    assert_eq!(ran.json()["user"], ANA);
    thread::sleep(Duration::from_millis(1500));
    assert!(!scene.token().trim().is_empty());
    scene.granted("refresh_token", 1);
}

#[test]
fn device_of_a_confidential_client() {
    let mut client = native();
    (client["token_endpoint_auth_method"], client["client_secret"]) =
        (json!("client_secret_post"), json!(SECRET));
    let Some(scene) = Scene::set("device_of_a_confidential_client", json!({"clients": [client]})) else {
        return;
    };
    scene.home.private("secret", SECRET);
    scene.account("client_id = \"native\"\nclient_secret = { file = \"~/secret\" }");
    scene.device(str::to_owned).code(0);
}

#[test]
fn device_that_is_refused() {
    let Some(scene) = Scene::set("device_that_is_refused", json!({"clients": [native()]})) else { return };
    scene.native();
    let ran = scene.home.prompted(&["login", "ana", "--flow", "device"], |prompt| {
        let prompt = &prompt["device_sign_in"];
        let code = prompt["user_code"].as_str().unwrap();
        let page = format!("{}?user_code={code}", prompt["verification_uri"].as_str().unwrap());
        scene.walk(ANA, &page, "", "refuse");
        String::new()
    });
    ran.code(22).says(&["postkey login ana"]);
    scene.home.run(&["token", "ana"]).code(24);
}

#[test]
fn device_code_that_runs_out() {
    let wishes = json!({"clients": [native()], "deviceLife": 2});
    let Some(scene) = Scene::set("device_code_that_runs_out", wishes) else { return };
    scene.native();
    scene.device(|_| String::new()).code(23).says(&["postkey login ana"]);
    // The server's own word, for a program whose clock is late.
    let client = scene.client("native");
    scene.runtime.block_on(async {
        let code = client.device_start(&EVERYTHING.map(String::from)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(2500)).await;
        assert!(matches!(client.device_poll(&code).await, Err(Error::CodeExpired)));
    });
}
