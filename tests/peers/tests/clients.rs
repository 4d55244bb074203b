//! Other people's programs reading mail from the sandbox: they judge its IMAP server.

#[path = "support/tenant.rs"]
mod tenant;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use aws_lc_rs::digest;
use postkey_peers::{Program, available};
use sandbox::{ANA, Sandbox};
use serde_json::Value;
use tenant::Tenant as Scene;

impl Scene {
    fn set(test: &str, program: Program) -> Option<Self> {
        if !available(test, &[program]) {
            return None;
        }
        Some(Self::new(Sandbox::builder().messages(150)))
    }

    /// Every message of a folder with its UID, as the sandbox keeps it.
    fn messages(&self, folder: &str) -> Vec<(u32, Vec<u8>)> {
        let mailbox = self.sandbox.mailbox(ANA).unwrap();
        let (_, uids) = mailbox.uids(folder).unwrap();
        let octets = |uid| mailbox.message(folder, uid).unwrap().unwrap().octets;
        uids.into_iter().map(|uid| (uid, octets(uid))).collect()
    }

    /// curl's options come on its standard input: a token does not belong into the process list.
    fn curl(&self, token: &str, path: &str) -> Output {
        let options = format!(
            "silent\nshow-error\nuser = \"{ANA}:\"\noauth2-bearer = \"{token}\"\ncacert = \"{}\"\n\
             url = \"imaps://localhost:{}/{path}\"\n",
            self.ca(),
            self.sandbox.ports().imaps,
        );
        let mut curl = Command::new(Program::Curl.find().unwrap())
            .args(["--config", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        curl.stdin.take().unwrap().write_all(options.as_bytes()).unwrap();
        curl.wait_with_output().unwrap()
    }

    fn imaplib(&self, token: &str, folder: &str) -> Output {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/imaplib_read.py");
        Command::new(Program::Python.find().unwrap())
            .arg(script)
            .args(["localhost", &self.sandbox.ports().imaps.to_string(), ANA, folder])
            .env("IMAP_TOKEN", token)
            .env("SSL_CERT_FILE", self.ca())
            .output()
            .unwrap()
    }
}

#[test]
fn curl_reads_messages_octet_by_octet() {
    let Some(scene) = Scene::set("curl_reads_messages_octet_by_octet", Program::Curl) else { return };
    let token = scene.token();
    let listed = scene.curl(&token, "");
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(listed.lines().any(|line| line.trim_end().ends_with("INBOX")), "{listed}");
    let messages = scene.messages("INBOX");
    assert!(messages.len() > 10, "{} messages", messages.len());
    for (uid, octets) in messages.iter().filter(|(_, octets)| !octets.is_empty()).take(15) {
        let output = scene.curl(&token, &format!("INBOX;UID={uid}"));
        assert!(output.status.success(), "UID {uid}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stdout == *octets, "UID {uid} is not what the sandbox keeps");
    }
}

#[test]
fn curl_is_refused_with_an_expired_token() {
    let Some(scene) = Scene::set("curl_is_refused_with_an_expired_token", Program::Curl) else { return };
    let output = scene.curl(&scene.expired_token(), "INBOX;UID=1");
    assert_eq!(output.status.code(), Some(67), "login denied: {}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout.is_empty());
}

#[test]
fn imaplib_reads_every_folder() {
    let Some(scene) = Scene::set("imaplib_reads_every_folder", Program::Python) else { return };
    let token = scene.token();
    for folder in ["INBOX", "Sent Items"] {
        let output = scene.imaplib(&token, folder);
        assert!(output.status.success(), "{folder}: {}", String::from_utf8_lossy(&output.stderr));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let messages = scene.messages(folder);
        assert!(!messages.is_empty());
        assert_eq!((&report["exists"], &report["count"]), (&messages.len().into(), &messages.len().into()));
        let all: Vec<u8> = messages.into_iter().flat_map(|(_, octets)| octets).collect();
        let sum = digest::digest(&digest::SHA256, &all);
        let sum: String = sum.as_ref().iter().map(|octet| format!("{octet:02x}")).collect();
        assert_eq!(report["sha256"], sum, "{folder}");
        let expected = scene.sandbox.mailbox(ANA).unwrap().folders().len();
        assert_eq!(report["folders"].as_array().map(Vec::len), Some(expected));
    }
}

#[test]
fn imaplib_is_refused_with_an_expired_token() {
    let Some(scene) = Scene::set("imaplib_is_refused_with_an_expired_token", Program::Python) else { return };
    let output = scene.imaplib(&scene.expired_token(), "INBOX");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("AUTHENTICATE failed"), "{said}");
}
