//! The script around Python's imaplib reads what is there: checked against Dovecot, so that it can judge the sandbox.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use aws_lc_rs::digest;
use postkey_peers::{Config, Dovecot, Hs256, Jwt, Program, available};
use serde_json::Value;

const ISSUER: &str = "https://issuer.example/";

fn read(server: &Dovecot, token: &str, folder: &str) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/imaplib_read.py");
    Command::new(Program::Python.find().unwrap())
        .arg(script)
        .args(["localhost", &server.tls_addr().port().to_string(), "ana", folder])
        .env("IMAP_TOKEN", token)
        .env("SSL_CERT_FILE", server.ca_file())
        .output()
        .unwrap()
}

#[test]
fn it_reads_every_octet_and_fails_without_a_good_token() {
    if !available("it_reads_every_octet_and_fails_without_a_good_token", &[Program::Dovecot, Program::Python])
    {
        return;
    }
    let signer = Hs256::new(b"a secret of thirty-two octets or so");
    let jwt = Jwt {
        issuer: ISSUER.into(),
        username_claim: "email".into(),
        audience: None,
        keys: vec![signer.verification_key()],
    };
    let server = Dovecot::start(&Config { jwt: Some(jwt), ..Config::default() }).unwrap();
    let mut all = Vec::new();
    for n in 0..250 {
        let message = format!("Subject: {n}\r\n\r\n{}\r\n", "x".repeat(n));
        server.deliver("ana", "Work", &format!("{n:06}.test"), "", message.as_bytes()).unwrap();
        all.extend_from_slice(message.as_bytes());
    }
    let token = signer.token(ISSUER, "ana", Duration::from_secs(60));
    let output = read(&server, &token, "Work");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["exists"], &report["count"]), (&250.into(), &250.into()));
    let sum: String =
        digest::digest(&digest::SHA256, &all).as_ref().iter().map(|octet| format!("{octet:02x}")).collect();
    assert_eq!(report["sha256"], sum);
    assert!(
        report["folders"].as_array().unwrap().iter().any(|line| line.as_str().unwrap().ends_with(" Work"))
    );

    let bad = Hs256::new(b"not the secret that was agreed on").token(ISSUER, "ana", Duration::from_secs(60));
    let output = read(&server, &bad, "Work");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("AUTHENTICATIONFAILED") || said.contains("Authentication failed"), "{said}");
}
