//! The grants that Glewlwyd has, asked for by postkey: a second authorisation server that is not ours, with the password grant and a real
//! `slow_down`, which oidc-provider lacks.

#[path = "support/judge.rs"]
mod judge;

use std::thread;
use std::time::Duration;

use auth::discovery::Metadata;
use auth::{Class, Client, Error, Poll, Poller, Registration, Step};
use judge::http;
use postkey_peers::home::{Home, Ran, finish};
use postkey_peers::{Glewlwyd, Program, available, free_port};
use wire::Secret;

const ANA: &str = "ana@contoso.example";
/// As `node/glewlwyd.mjs` registers them.
const PASSWORD: &str = "ana's password";
const SECRET: &str = "trusted's secret";

struct Scene {
    server: Glewlwyd,
    metadata: Metadata,
    home: Home,
    redirect: String,
    runtime: tokio::runtime::Runtime,
}

impl Scene {
    fn set(test: &str) -> Option<Self> {
        if !available(test, &[Program::Glewlwyd, Program::Node, Program::Postkey]) {
            return None;
        }
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let redirect = format!("http://localhost:{}/", free_port().unwrap());
        let server = Glewlwyd::start(&redirect).unwrap();
        let metadata = judge::metadata(&runtime, &server.issuer());
        let home = Home::new();
        home.private("secret", SECRET);
        home.private("password", PASSWORD);
        home.private("wrong", "something else");
        Some(Self { server, metadata, home, redirect, runtime })
    }

    /// The account `ana`, which is `lines`, at this server as its own document describes it.
    fn account(&self, lines: &str) {
        let table = r#"
            title = "Glewlwyd"
            authority = ""
            token = ""
            redirect_host = "localhost"
            mechanisms = ["XOAUTH2"]
            servers.imap = [{ host = "localhost", port = 993, tls = "implicit" }]
            scopes = { identity = ["openid"], imap = ["mail"], app_only = ["mail"] }
        "#;
        let lines = format!("user = \"ana\"\naliases = [\"{ANA}\"]\n{lines}");
        judge::configure(&self.home, &self.metadata, table, &lines);
    }

    fn native(&self) {
        self.account(&format!("client_id = \"native\"\noauth = {{ redirect = \"{}\" }}", self.redirect));
    }

    fn login(&self) -> Ran {
        self.home.run(&["login", "ana"])
    }

    fn token(&self) -> String {
        self.home.run(&["token", "ana"]).code(0).stdout
    }
}

/// A code with PKCE; then all processes want a token at once, and the refresh token rotates.
#[test]
fn browser_and_refresh() {
    let Some(scene) = Scene::set("browser_and_refresh") else { return };
    scene.native();
    let (ran, page) =
        scene.home.browser(&["login", "ana", "--flow", "browser"], |url| scene.server.browse(url));
    ran.code(0);
    assert!(page.unwrap().contains("Signed in"));
    let first = scene.token();
    for _ in 0..2 {
        thread::sleep(Duration::from_millis(2500));
        let runs: Vec<_> = (0..4).map(|_| scene.home.command(&["token", "ana"]).spawn().unwrap()).collect();
        for run in runs {
            assert_ne!(finish(run, String::new()).code(0).stdout, first);
        }
    }
}

#[test]
fn password() {
    let Some(scene) = Scene::set("password") else { return };
    let account = |secret: &str, password: &str| {
        scene.account(&format!(
            "client_id = \"trusted\"\nflow = \"password\"\nclient_secret = {{ file = \"~/{secret}\" }}\n\
             oauth = {{ password = {{ file = \"~/{password}\" }} }}"
        ));
        scene.login()
    };
    account("secret", "password").code(0).says(&["warning"]);
    assert!(scene.token().starts_with("eyJ"));
    for (secret, password, words) in [
        ("secret", "wrong", ["HTTP 403", "by password", "wrong user name or password"]),
        ("wrong", "password", ["HTTP 400", "by password", "client id or secret"]),
    ] {
        let ran = account(secret, password).code(20).says(&words).says(&["postkey account show ana"]);
        assert!(!ran.stderr.contains(PASSWORD) && !ran.stderr.contains(SECRET), "{ran:?}");
    }
}

#[test]
fn application() {
    let Some(scene) = Scene::set("application") else { return };
    let account = |id: &str, secret: &str| {
        let lines =
            format!("client_id = \"{id}\"\nflow = \"app\"\nclient_secret = {{ file = \"~/{secret}\" }}");
        scene.account(&lines);
        scene.login()
    };
    account("trusted", "secret").code(0);
    assert!(scene.token().starts_with("eyJ"));
    // It refuses without an OAuth answer, so what can be said is what that usually means.
    for (id, secret) in [("trusted", "wrong"), ("nobody", "secret")] {
        let ran = account(id, secret).code(20).says(&[
            "HTTP 403",
            "the application's own",
            "client id",
            "postkey login ana",
        ]);
        assert!(!ran.stderr.contains(SECRET), "{}", ran.stderr);
        scene.home.run(&["logout", "ana"]).code(0);
        scene.home.run(&["token", "ana"]).code(20);
    }
}

/// Too early a poll is told to slow down, and the time that this adds is enough.
#[test]
fn device_with_slow_down() {
    let Some(scene) = Scene::set("device_with_slow_down") else { return };
    let client = Client::new(scene.metadata.endpoints(), Registration::public("native", ""), http());
    scene.runtime.block_on(async {
        let code = client.device_start(&["openid".into(), "mail".into()]).await.unwrap();
        assert_eq!(code.interval, Duration::from_secs(1));
        let mut poller = Poller::new(&code);
        assert!(matches!(client.device_poll(&code).await.unwrap(), Poll::Pending));
        let early = client.device_poll(&code).await;
        assert!(matches!(early, Ok(Poll::SlowDown)), "{early:?}");
        assert!(poller.observe(early).is_none());
        assert_eq!(poller.wait(), Duration::from_secs(6));
        scene.server.approve(&code.user_code).unwrap();
        tokio::time::sleep(poller.wait()).await;
        let tokens = poller.observe(client.device_poll(&code).await).unwrap().unwrap();
        assert!(tokens.refresh_token.is_some());
        // The code has been used, and this is the server's word for that.
        let error = client.device_poll(&code).await.unwrap_err();
        assert!(matches!(error, Error::Declined(_)), "{error:?}");
    });
}

#[test]
fn device() {
    let Some(scene) = Scene::set("device") else { return };
    scene.native();
    let ran = scene.home.prompted(&["login", "ana", "--flow", "device"], |prompt| {
        scene.server.approve(prompt["device_sign_in"]["user_code"].as_str().unwrap()).unwrap();
        String::new()
    });
    ran.code(0);
    assert!(scene.token().starts_with("eyJ"));
}

/// The server does judge: a refresh token that was rotated away ends the whole family.
#[test]
fn refresh_token_that_was_rotated_away() {
    let Some(scene) = Scene::set("refresh_token_that_was_rotated_away") else { return };
    let registration = Registration::with_secret("trusted", SECRET.into(), "");
    let client = Client::new(scene.metadata.endpoints(), registration, http());
    scene.runtime.block_on(async {
        let scopes = ["openid".to_owned(), "mail".to_owned()];
        let first = client.password("ana", &Secret::from(PASSWORD), &scopes).await.unwrap();
        let first = first.refresh_token.unwrap();
        let second = client.refresh(&first, &scopes).await.unwrap().refresh_token.unwrap();
        assert_ne!(first, second);
        for revoked in [first, second] {
            let error = client.refresh(&revoked, &scopes).await.unwrap_err();
            // It, too, comes without an OAuth answer.
            assert!(
                matches!(error, Error::Status { step: Step::Refresh, status: 400, empty: true, .. }),
                "{error:?}"
            );
            assert_eq!(error.class(), Class::SignInAgain);
        }
    });
}
