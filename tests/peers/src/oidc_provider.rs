//! An authorisation server that is not ours: the npm package oidc-provider.

use std::io::{self, BufRead, BufReader};
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::browser::http;
use crate::node::node;

/// A running server, on loopback without TLS. Every name signs in at its pages, with every password. Dropping it ends it.
#[derive(Debug)]
pub struct OidcProvider {
    child: Child,
    port: u16,
}

impl OidcProvider {
    /// Starts one; [`Program::Node`](crate::Program::Node) has to be here. What `wishes` may say stands in `node/provider.mjs`.
    ///
    /// # Errors
    /// When it does not start; it has said why on standard error.
    pub fn start(wishes: &Value) -> io::Result<Self> {
        let mut command =
            node("provider.mjs").ok_or_else(|| io::Error::other("there are no packages for Node"))?;
        let mut child =
            command.arg(wishes.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let server = Self { child, port: line.trim().parse().unwrap_or(0) };
        if server.port == 0 {
            return Err(io::Error::other("oidc-provider does not start"));
        }
        Ok(server)
    }

    /// Its issuer; the discovery document is below it.
    #[must_use]
    pub fn issuer(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// What it did: `success` by grant type, `errors`, and `revoked`, the number of token families it ended.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn counts(&self) -> io::Result<Value> {
        let answer = http(self.port, "GET", "/counts", "text/plain", "")?;
        serde_json::from_str(&answer.body).map_err(io::Error::other)
    }

    /// Ends every session, as an administrator would: no refresh token is good any more.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn revoke(&self) -> io::Result<()> {
        http(self.port, "POST", "/revoke", "text/plain", "").map(drop)
    }
}

impl Drop for OidcProvider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
