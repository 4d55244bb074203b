//! A sandbox's tenant, and scripts for Node that sign in at it.

use std::path::Path;

use postkey_peers::{Program, available, node};
use sandbox::{ANA, DAEMON_APP, PUBLIC_APP, WEB_APP};
use serde_json::Value;

pub(crate) use crate::tenant::Tenant as Scene;

impl Scene {
    pub(crate) fn set(test: &str) -> Option<Self> {
        if !available(test, &[Program::Node]) {
            return None;
        }
        Some(Self::with_proofs())
    }

    /// What one flow of a script came to.
    pub(crate) fn run(&self, script: &str, flow: &str) -> Value {
        let app = |name| self.sandbox.app(name).unwrap();
        let secret = |name| app(name).secret().unwrap().expose();
        let ana = self.sandbox.users().iter().find(|user| user.upn() == ANA).unwrap();
        let person = Path::new(env!("CARGO_MANIFEST_DIR")).join("node/person.mjs");
        let output = node(script)
            .unwrap()
            .arg(flow)
            .env("PERSON", format!("file://{}", person.display()))
            .env("NODE_EXTRA_CA_CERTS", self.path("ca.pem"))
            .env("CERTIFICATE", self.path("certificate.pem"))
            .env("KEY", self.path("key.pem"))
            .env("ASSERTION", self.path("assertion"))
            .env("AUTHORITY", self.sandbox.authority())
            .env("SIGN_IN_USER", ANA)
            .env("SIGN_IN_PASSWORD", ana.password().expose())
            .env("PUBLIC_CLIENT", app(PUBLIC_APP).id())
            .env("WEB_CLIENT", app(WEB_APP).id())
            .env("WEB_SECRET", secret(WEB_APP))
            .env("DAEMON_CLIENT", app(DAEMON_APP).id())
            .env("DAEMON_SECRET", secret(DAEMON_APP))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}\n{errors}");
        serde_json::from_str(said.trim()).unwrap_or_else(|e| panic!("{e}: {said}\n{errors}"))
    }
}

/// A delegated token of Ana's for IMAP, of a client that showed itself so (`appidacr`).
pub(crate) fn assert_is_anas(report: &Value, proof: &str) {
    let claims = &report["claims"];
    assert_eq!((claims["upn"].as_str(), claims["appidacr"].as_str()), (Some(ANA), Some(proof)), "{report:#}");
    assert_eq!(claims["aud"], "https://outlook.office.com");
    assert_eq!(claims["scp"], "IMAP.AccessAsUser.All");
}

/// The daemon's own token.
pub(crate) fn assert_is_the_daemons(report: &Value, proof: &str) {
    let claims = &report["claims"];
    assert_eq!(
        (claims["idtyp"].as_str(), claims["appidacr"].as_str()),
        (Some("app"), Some(proof)),
        "{report:#}"
    );
    assert_eq!(claims["roles"][0], "IMAP.AccessAsApp");
}
