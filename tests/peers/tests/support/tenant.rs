//! A sandbox on a runtime of its own, and a folder with what a program needs to trust it and to sign in at it.
#![allow(dead_code, reason = "not every test uses all of it")]

use std::path::PathBuf;

use postkey_peers::home::private;
use sandbox::{ANA, Builder, Sandbox, TokenSpec, WORKLOAD_SUBJECT, WorkloadToken};

pub(crate) struct Tenant {
    pub(crate) sandbox: Sandbox,
    dir: tempfile::TempDir,
    /// The sandbox's own; last, so that it ends last.
    _runtime: tokio::runtime::Runtime,
}

impl Tenant {
    /// Its CA lies in `ca.pem`.
    pub(crate) fn new(builder: Builder) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let sandbox = runtime.block_on(builder.start()).unwrap();
        let tenant = Self { sandbox, dir: tempfile::tempdir().unwrap(), _runtime: runtime };
        tenant.private("ca.pem", tenant.sandbox.ca_pem());
        tenant
    }

    /// Besides, what an application shows instead of a secret: `certificate.pem`, `key.pem`, `assertion`.
    pub(crate) fn with_proofs() -> Self {
        let tenant = Self::new(Sandbox::builder());
        let key = tenant.sandbox.client_key();
        tenant.private("certificate.pem", key.certificate_pem());
        tenant.private("key.pem", key.private_key_pem().expose());
        let assertion = tenant.sandbox.workload_token(&WorkloadToken::new(WORKLOAD_SUBJECT));
        tenant.private("assertion", assertion.expose());
        tenant
    }

    /// The path of a file in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file that only its owner may read, as msmtp and mpop want their configuration.
    pub(crate) fn private(&self, name: &str, text: &str) -> String {
        let file = self.path(name);
        private(&file, text);
        file.display().to_string()
    }

    pub(crate) fn ca(&self) -> String {
        self.path("ca.pem").display().to_string()
    }

    pub(crate) fn token(&self) -> String {
        self.issue(&TokenSpec::user(ANA))
    }

    pub(crate) fn expired_token(&self) -> String {
        self.issue(&TokenSpec::user(ANA).lifetime(-60))
    }

    fn issue(&self, spec: &TokenSpec) -> String {
        self.sandbox.issue_token(spec).unwrap().expose().to_owned()
    }
}
