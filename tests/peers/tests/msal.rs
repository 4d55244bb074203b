//! Microsoft's own library, MSAL for Python, against the sandbox: every flow that postkey has, and the silent refresh.
//! It judges the sandbox as an independent client of the real thing.

use std::path::Path;
use std::process::{Command, Output};

use postkey_peers::{Program, available};
use sandbox::{ANA, DAEMON_APP, PUBLIC_APP, RequestKind, Sandbox, WEB_APP};
use serde_json::Value;

struct Msal {
    sandbox: Sandbox,
    dir: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
}

impl Msal {
    fn start(test: &str) -> Option<Self> {
        if !available(test, &[Program::Msal]) {
            return None;
        }
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let sandbox = runtime.block_on(Sandbox::start()).unwrap();
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("ca.pem"), sandbox.ca_pem()).unwrap();
        Some(Self { sandbox, dir, runtime })
    }

    fn run(&self, flow: &str, password: &str) -> Output {
        let _runtime = self.runtime.enter();
        let app = |name| self.sandbox.app(name).unwrap();
        let secret = |name| app(name).secret().unwrap().expose().to_owned();
        let python = Program::Msal.find().unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/msal_flows.py");
        Command::new(python)
            .arg(script)
            .arg(flow)
            .env("REQUESTS_CA_BUNDLE", self.dir.path().join("ca.pem"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("MSAL_AUTHORITY", self.sandbox.authority())
            .env("MSAL_USER", ANA)
            .env("MSAL_PASSWORD", password)
            .env("MSAL_PUBLIC_CLIENT", app(PUBLIC_APP).id())
            .env("MSAL_WEB_CLIENT", app(WEB_APP).id())
            .env("MSAL_WEB_SECRET", secret(WEB_APP))
            .env("MSAL_WEB_REDIRECT", "https://localhost:8443/callback")
            .env("MSAL_DAEMON_CLIENT", app(DAEMON_APP).id())
            .env("MSAL_DAEMON_SECRET", secret(DAEMON_APP))
            .output()
            .unwrap()
    }

    /// The report of one flow that must work.
    fn report(&self, flow: &str) -> Value {
        let output = self.run(flow, &self.password());
        let said = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}\n{errors}");
        serde_json::from_str::<Value>(&said).unwrap()[flow].take()
    }

    fn password(&self) -> String {
        let ana = self.sandbox.users().iter().find(|user| user.upn() == ANA).unwrap();
        ana.password().expose().to_owned()
    }
}

fn assert_is_for_ana(report: &Value) {
    let claims = &report["claims"];
    assert_eq!(claims["upn"], ANA, "{report:#}");
    assert_eq!(claims["aud"], "https://outlook.office365.com");
    assert!(claims["scp"].as_str().unwrap().split(' ').any(|scope| scope == "IMAP.AccessAsUser.All"));
    assert_eq!(report["id_token_claims"]["preferred_username"], ANA);
    assert_eq!(report["token_type"], "Bearer");
}

#[test]
fn device_code() {
    let Some(msal) = Msal::start("device_code") else { return };
    let report = msal.report("device");
    assert_is_for_ana(&report);
    assert_eq!(report["message_names_code"], true);
    assert_eq!(msal.sandbox.requests(RequestKind::DeviceCode), 1);
}

#[test]
fn silent_refresh() {
    let Some(msal) = Msal::start("silent_refresh") else { return };
    let report = msal.report("silent");
    assert_is_for_ana(&report);
    assert_eq!(report["cached_source"], "cache");
    assert_eq!((&report["cached_is_first"], &report["renewed_is_new"]), (&true.into(), &true.into()));
    assert_eq!(msal.sandbox.requests(RequestKind::Refresh), 1);
}

#[test]
fn authorization_code_of_a_web_application() {
    let Some(msal) = Msal::start("authorization_code_of_a_web_application") else { return };
    assert_is_for_ana(&msal.report("code"));
    assert_eq!(msal.sandbox.requests(RequestKind::AuthorizationCode), 1);
    assert_eq!(msal.sandbox.requests(RequestKind::Consent), 1, "the person was asked");
}

#[test]
fn authorization_code_of_a_public_client() {
    let Some(msal) = Msal::start("authorization_code_of_a_public_client") else { return };
    assert_is_for_ana(&msal.report("public-code"));
}

#[test]
fn client_credentials() {
    let Some(msal) = Msal::start("client_credentials") else { return };
    let report = msal.report("client");
    assert_eq!(report["claims"]["idtyp"], "app", "{report:#}");
    assert!(report["claims"]["roles"].as_array().unwrap().contains(&"IMAP.AccessAsApp".into()));
    assert_eq!(report["claims"].get("scp"), None);
}

#[test]
fn a_wrong_password_fails() {
    let Some(msal) = Msal::start("a_wrong_password_fails") else { return };
    let output = msal.run("code", "not her password");
    assert!(!output.status.success());
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report["code"]["error"].as_str().unwrap().contains("Lost"), "{report:#}");
    assert_eq!(msal.sandbox.requests(RequestKind::AuthorizationCode), 0);
}
