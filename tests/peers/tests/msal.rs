//! Microsoft's own library, MSAL for Python, against the sandbox: every flow that it has but on-behalf-of.
//! It judges the sandbox as an independent client of the real thing.

#[path = "support/tenant.rs"]
mod tenant;

use std::path::Path;
use std::process::{Command, Output};

use postkey_peers::{Program, available};
use sandbox::{ANA, DAEMON_APP, PUBLIC_APP, RequestKind, WEB_APP};
use serde_json::Value;
use tenant::Tenant as Scene;

impl Scene {
    fn set(test: &str) -> Option<Self> {
        if !available(test, &[Program::Msal]) {
            return None;
        }
        Some(Self::with_proofs())
    }

    fn run(&self, flow: &str, user: &str, password: &str) -> Output {
        let app = |name| self.sandbox.app(name).unwrap();
        let secret = |name| app(name).secret().unwrap().expose().to_owned();
        let python = Program::Msal.find().unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/msal_flows.py");
        Command::new(python)
            .arg(script)
            .arg(flow)
            .env("REQUESTS_CA_BUNDLE", self.path("ca.pem"))
            .env("MSAL_CERTIFICATE", self.path("certificate.pem"))
            .env("MSAL_KEY", self.path("key.pem"))
            .env("MSAL_ASSERTION", self.path("assertion"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("MSAL_AUTHORITY", self.sandbox.authority())
            .env("MSAL_USER", user)
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
        let output = self.run(flow, ANA, &self.password(ANA));
        let said = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}\n{errors}");
        serde_json::from_str::<Value>(&said).unwrap()[flow].take()
    }

    /// Why a flow that must fail did.
    fn refusal(&self, flow: &str, user: &str, password: &str) -> String {
        let output = self.run(flow, user, password);
        assert!(!output.status.success());
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        report[flow]["error"].as_str().unwrap_or_else(|| panic!("{report:#}")).to_owned()
    }

    fn password(&self, upn: &str) -> String {
        let user = self.sandbox.users().iter().find(|user| user.upn() == upn).unwrap();
        user.password().expose().to_owned()
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
    let Some(msal) = Scene::set("device_code") else { return };
    let report = msal.report("device");
    assert_is_for_ana(&report);
    assert_eq!(report["message_names_code"], true);
    assert_eq!(msal.sandbox.requests(RequestKind::DeviceCode), 1);
}

#[test]
fn silent_refresh() {
    let Some(msal) = Scene::set("silent_refresh") else { return };
    let report = msal.report("silent");
    assert_is_for_ana(&report);
    assert_eq!(report["cached_source"], "cache");
    assert_eq!((&report["cached_is_first"], &report["renewed_is_new"]), (&true.into(), &true.into()));
    assert_eq!(msal.sandbox.requests(RequestKind::Refresh), 1);
}

#[test]
fn authorization_code_of_a_web_application() {
    let Some(msal) = Scene::set("authorization_code_of_a_web_application") else { return };
    assert_is_for_ana(&msal.report("code"));
    assert_eq!(msal.sandbox.requests(RequestKind::AuthorizationCode), 1);
    assert_eq!(msal.sandbox.requests(RequestKind::Consent), 1, "the person was asked");
}

#[test]
fn authorization_code_of_a_public_client() {
    let Some(msal) = Scene::set("authorization_code_of_a_public_client") else { return };
    assert_is_for_ana(&msal.report("public-code"));
}

#[test]
fn authorization_code_posted_back_by_a_form() {
    let Some(msal) = Scene::set("authorization_code_posted_back_by_a_form") else { return };
    assert_is_for_ana(&msal.report("form-post-code"));
}

#[test]
fn authorization_code_and_refresh_with_a_certificate() {
    let Some(msal) = Scene::set("authorization_code_and_refresh_with_a_certificate") else { return };
    let report = msal.report("certificate-code");
    assert_is_for_ana(&report);
    for claims in [&report["claims"], &report["renewed"]["claims"]] {
        assert_eq!(claims["appidacr"], "2", "{report:#}");
    }
    assert_eq!(msal.sandbox.requests(RequestKind::Refresh), 1);
}

/// The library listens itself and opens a browser, which is a program of ours.
#[test]
fn interactive_sign_in() {
    let Some(msal) = Scene::set("interactive_sign_in") else { return };
    assert_is_for_ana(&msal.report("interactive"));
}

#[test]
fn a_claims_challenge_and_the_sign_in_that_meets_it() {
    let Some(msal) = Scene::set("a_claims_challenge_and_the_sign_in_that_meets_it") else { return };
    let report = msal.report("challenge");
    assert_is_for_ana(&report);
    assert_eq!(report["refused"]["error_codes"][0], 50076, "{report:#}");
    assert_eq!(report["claims"]["acrs"][0], "c1", "{report:#}");
}

#[test]
fn password() {
    let Some(msal) = Scene::set("password") else { return };
    msal.sandbox.grant_admin_consent(msal.sandbox.public_client_id()).unwrap();
    assert_is_for_ana(&msal.report("password"));
    assert_eq!(msal.sandbox.requests(RequestKind::Password), 1);
    let error = msal.refusal("password", ANA, "not her password");
    assert!(error.contains("AADSTS50126"), "{error}");
    let mia = "mia@contoso.example";
    let error = msal.refusal("password", mia, &msal.password(mia));
    assert!(error.contains("AADSTS50076"), "multi-factor sign-in: {error}");
    // The library believes what the realm says: it takes the password to the federation server, and there is none.
    let felix = "felix@contoso.example";
    let before = msal.sandbox.requests(RequestKind::Password);
    let error = msal.refusal("password", felix, &msal.password(felix));
    assert!(error.contains("sts.contoso.example"), "{error}");
    assert_eq!(msal.sandbox.requests(RequestKind::Password), before);
}

fn assert_is_for_daemon(report: &Value, proof: &str) {
    let claims = &report["claims"];
    assert_eq!(claims["idtyp"], "app", "{report:#}");
    assert!(claims["roles"].as_array().unwrap().contains(&"IMAP.AccessAsApp".into()));
    assert_eq!(claims.get("scp"), None);
    assert_eq!(claims["appidacr"], proof);
}

#[test]
fn client_credentials_with_a_secret() {
    let Some(msal) = Scene::set("client_credentials_with_a_secret") else { return };
    assert_is_for_daemon(&msal.report("client"), "1");
}

#[test]
fn client_credentials_with_a_certificate() {
    let Some(msal) = Scene::set("client_credentials_with_a_certificate") else { return };
    for flow in ["certificate", "certificate-sha1"] {
        assert_is_for_daemon(&msal.report(flow), "2");
    }
}

#[test]
fn client_credentials_with_the_token_of_an_outside_issuer() {
    let Some(msal) = Scene::set("client_credentials_with_the_token_of_an_outside_issuer") else { return };
    assert_is_for_daemon(&msal.report("federated"), "2");
}

#[test]
fn a_wrong_password_fails() {
    let Some(msal) = Scene::set("a_wrong_password_fails") else { return };
    let error = msal.refusal("code", ANA, "not her password");
    assert!(error.contains("Lost"), "{error}");
    assert_eq!(msal.sandbox.requests(RequestKind::AuthorizationCode), 0);
}
