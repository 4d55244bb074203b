//! postkey at an oidc-provider, with people who walk its pages.
#![allow(dead_code, reason = "not every test uses all of it")]

use std::path::{Path, PathBuf};

use auth::discovery::Metadata;
use auth::http::ReqwestHttp;
use auth::{Client, Registration};
use postkey_peers::{OidcProvider, Program, available, node};
use serde_json::{Value, json};

use crate::judge::{self, http};
use postkey_peers::home::{Home, Ran};

pub(crate) const ANA: &str = "ana@contoso.example";
pub(crate) const BJORN: &str = "bjorn@contoso.example";
pub(crate) const SECRET: &str = "a secret with % & + : in it";
pub(crate) const EVERYTHING: [&str; 4] = ["openid", "offline_access", "email", "mail"];

pub(crate) struct Scene {
    pub(crate) server: OidcProvider,
    pub(crate) metadata: Metadata,
    pub(crate) home: Home,
    pub(crate) runtime: tokio::runtime::Runtime,
}

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/auth/tests/data/credentials").join(name)
}

/// A registration of a program on people's machines.
pub(crate) fn native() -> Value {
    json!({
        "client_id": "native", "application_type": "native", "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
        "redirect_uris": ["http://localhost/", "http://localhost", "http://127.0.0.1/"], "response_types": ["code"],
    })
}

/// A registration of an application on its own, with this proof.
pub(crate) fn daemon(id: &str, method: &str, proof: &Value) -> Value {
    let mut client = json!({
        "client_id": id, "grant_types": ["client_credentials"], "redirect_uris": [], "response_types": [],
        "token_endpoint_auth_method": method,
    });
    client.as_object_mut().unwrap().extend(proof.as_object().unwrap().clone());
    client
}

impl Scene {
    pub(crate) fn set(test: &str, wishes: Value) -> Option<Self> {
        if !available(test, &[Program::Node, Program::Postkey]) {
            return None;
        }
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let server = OidcProvider::start(&wishes).unwrap();
        let metadata = judge::metadata(&runtime, &server.issuer());
        Some(Self { server, metadata, home: Home::new(), runtime })
    }

    /// The account `ana`, which is `lines`, at this server as its own document describes it.
    pub(crate) fn account(&self, lines: &str) {
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
            quirks.form_post = true
        "#;
        judge::configure(&self.home, &self.metadata, table, &format!("user = \"{ANA}\"\n{lines}"));
    }

    pub(crate) fn native(&self) {
        self.account("client_id = \"native\"");
    }

    /// A person who signs in as `user`; where they land.
    pub(crate) fn walk(&self, user: &str, url: &str, until: &str, third: &str) -> String {
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

    pub(crate) fn browser(&self, user: &str, third: &str) -> Ran {
        let args = ["login", "ana", "--flow", "browser"];
        self.home.browser(&args, |url| self.walk(user, url, "", third)).0
    }

    pub(crate) fn device(&self, third: impl FnOnce(&str) -> String) -> Ran {
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
    pub(crate) fn granted(&self, grant: &str, times: u64) {
        let counts = self.server.counts().unwrap();
        assert_eq!(counts["success"][grant].as_u64().unwrap_or(0), times, "{counts:#}");
        assert_eq!(counts["revoked"], 0, "{counts:#}");
    }

    pub(crate) fn token(&self) -> String {
        let ran = self.home.run(&["token", "ana"]).code(0);
        assert_eq!(ran.stderr, "");
        ran.stdout
    }

    /// postkey's library at this server.
    pub(crate) fn client(&self, id: &str) -> Client<ReqwestHttp> {
        Client::new(self.metadata.endpoints(), Registration::public(id, ""), http())
    }

    /// The tokens of somebody who signs in by device code, with the library.
    pub(crate) fn tokens(&self) -> auth::Tokens {
        let client = self.client("native");
        self.runtime.block_on(async {
            let code = client.device_start(&EVERYTHING.map(String::from)).await.unwrap();
            self.walk(ANA, &code.verification_uri, "", &code.user_code);
            client.device_finish(&code).await.unwrap()
        })
    }
}

/// Turns the secret from the form into the header.
pub(crate) fn basic(home: &Home) {
    let path = home.path(".config/postkey/config.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let changed = text.replace("basic_auth = false", "basic_auth = true");
    assert_ne!(text, changed);
    std::fs::write(&path, changed).unwrap();
}

pub(crate) fn key_files(home: &Home) {
    let read = |name| std::fs::read_to_string(fixture(name)).unwrap();
    home.private("app.pem", &(read("certificate.pem") + &read("key.pem")));
}
