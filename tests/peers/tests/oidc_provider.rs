//! Every grant that oidc-provider has, asked for by postkey: a certified authorisation server that is not ours judges what is sent, and
//! refuses what it should.

#[path = "support/home.rs"]
mod home;

use std::net::TcpListener;
use std::path::Path;
use std::thread;
use std::time::Duration;

use auth::discovery::{IssuerRule, Metadata, discover};
use auth::http::{ReqwestHttp, ReqwestOptions};
use auth::{Class, Client, Error, Provider, Registration};
use home::{Home, Ran, finish};
use postkey_peers::{OidcProvider, Program, available, node};
use serde_json::{Value, json};
use wire::Secret;

const ANA: &str = "ana@contoso.example";
const SECRET: &str = "a secret with % & + : in it";
const EVERYTHING: [&str; 4] = ["openid", "offline_access", "email", "mail"];

struct Scene {
    server: OidcProvider,
    metadata: Metadata,
    home: Home,
    runtime: tokio::runtime::Runtime,
}

fn fixture(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/auth/tests/data/credentials").join(name)
}

/// A registration of a program on people's machines.
fn native() -> Value {
    json!({
        "client_id": "native", "application_type": "native", "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
        "redirect_uris": ["http://localhost/", "http://localhost", "http://127.0.0.1/"], "response_types": ["code"],
    })
}

/// A registration of an application on its own, with this proof.
fn daemon(id: &str, method: &str, proof: &Value) -> Value {
    let mut client = json!({
        "client_id": id, "grant_types": ["client_credentials"], "redirect_uris": [], "response_types": [],
        "token_endpoint_auth_method": method,
    });
    client.as_object_mut().unwrap().extend(proof.as_object().unwrap().clone());
    client
}

impl Scene {
    fn set(test: &str, wishes: Value) -> Option<Self> {
        if !available(test, &[Program::Node, Program::Postkey]) {
            return None;
        }
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let server = OidcProvider::start(&wishes).unwrap();
        let metadata = runtime.block_on(discover(&http(), &server.issuer(), IssuerRule::Exact)).unwrap();
        Some(Self { server, metadata, home: Home::new(), runtime })
    }

    /// The account `ana`, which is `lines`, at this server as its own document describes it.
    fn account(&self, lines: &str) {
        let table = r#"
            title = "oidc-provider"
            authority = ""
            token = ""
            redirect_host = "localhost"
            mechanisms = ["XOAUTH2"]
            servers.imap = [{ host = "localhost", port = 993, tls = "implicit" }]
            scopes = { identity = ["openid", "email"], offline = ["offline_access"], imap = ["mail"], app_only = ["mail"] }
            # Without it, this server leaves offline_access out.
            quirks.authorize_parameters = [["prompt", "consent"]]
        "#;
        let mut provider = Provider::from_table("judge", &table.parse().unwrap()).unwrap();
        provider.quirks.form_post = true;
        let provider = self.metadata.applied_to(&provider);
        let provider =
            toml::Table::from_iter([("judge".to_owned(), toml::Value::try_from(provider).unwrap())]);
        let providers = toml::Table::from_iter([("providers".to_owned(), toml::Value::Table(provider))]);
        self.home.configure(&format!(
            "[accounts.ana]\nprovider = \"judge\"\nuser = \"{ANA}\"\n{lines}\n{}",
            toml::to_string(&providers).unwrap()
        ));
    }

    fn native(&self) {
        self.account("client_id = \"native\"");
    }

    /// A person who signs in as `user`; where they land.
    fn walk(&self, user: &str, url: &str, until: &str, third: &str) -> String {
        let person = Path::new(env!("CARGO_MANIFEST_DIR")).join("node/person.mjs");
        let output = node("walk.mjs")
            .unwrap()
            .args([url, until, third])
            .env("PERSON", format!("file://{}", person.display()))
            .env("SIGN_IN_USER", user)
            .env("SIGN_IN_PASSWORD", "any")
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn browser(&self, user: &str, third: &str) -> Ran {
        let args = ["login", "ana", "--flow", "browser"];
        self.home.browser(&args, |url| self.walk(user, url, "", third)).0
    }

    fn device(&self, third: impl FnOnce(&str) -> String) -> Ran {
        self.home.prompted(&["login", "ana", "--flow", "device"], |prompt| {
            let prompt = &prompt["device_sign_in"];
            let code = third(prompt["user_code"].as_str().unwrap());
            if !code.is_empty() {
                let page = prompt["verification_uri"].as_str().unwrap();
                self.walk(ANA, page, "", &code);
            }
            String::new()
        })
    }

    /// So many token requests of this grant were granted.
    #[track_caller]
    fn granted(&self, grant: &str, times: u64) {
        let counts = self.server.counts().unwrap();
        assert_eq!(counts["success"][grant].as_u64().unwrap_or(0), times, "{counts:#}");
        assert_eq!(counts["revoked"], 0, "{counts:#}");
    }

    fn token(&self) -> String {
        let ran = self.home.run(&["token", "ana"]).code(0);
        assert_eq!(ran.stderr, "");
        ran.stdout
    }

    /// postkey's library at this server.
    fn client(&self, id: &str) -> Client<ReqwestHttp> {
        Client::new(self.metadata.endpoints(), Registration::public(id, ""), http())
    }

    /// The tokens of somebody who signs in by device code, with the library.
    fn tokens(&self) -> auth::Tokens {
        let client = self.client("native");
        self.runtime.block_on(async {
            let code = client.device_start(&EVERYTHING.map(String::from)).await.unwrap();
            self.walk(ANA, &code.verification_uri, "", &code.user_code);
            client.device_finish(&code).await.unwrap()
        })
    }
}

fn http() -> ReqwestHttp {
    ReqwestHttp::new(&ReqwestOptions::default()).unwrap()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

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
    scene.browser("bjorn@contoso.example", "").code(28).says(&["bjorn@contoso.example signed in", ANA]);
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
    let port = free_port();
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

/// Turns the secret from the form into the header.
fn basic(home: &Home) {
    let path = home.path(".config/postkey/config.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let changed = text.replace("basic_auth = false", "basic_auth = true");
    assert_ne!(text, changed);
    std::fs::write(&path, changed).unwrap();
}

fn key_files(home: &Home) {
    let read = |name| std::fs::read_to_string(fixture(name)).unwrap();
    home.private("app.pem", &(read("certificate.pem") + &read("key.pem")));
}

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
    let tokens: Vec<String> = runs.into_iter().map(|run| finish(run).code(0).stdout).collect();
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
