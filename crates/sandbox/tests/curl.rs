//! curl, which nobody here wrote, reads and sends. Where it is not installed there is nothing to try.

mod common;

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use postkey_sandbox::{ANA, RequestKind, Sandbox, TokenSpec};

const BJORN: &str = "bjorn@contoso.example";

/// Runs curl with this configuration file on its standard input, so that no token stands in its arguments.
async fn curl(sandbox: &Sandbox, config: String) -> Option<Output> {
    let ca = std::env::temp_dir().join(format!(
        "postkey-sandbox-curl-{}-{}.pem",
        std::process::id(),
        sandbox.ports().https
    ));
    std::fs::write(&ca, sandbox.ca_pem()).unwrap();
    let config = format!("{config}\ncacert = \"{}\"\nsilent\nshow-error\nmax-time = 60\n", ca.display());
    let output = tokio::task::spawn_blocking(move || {
        let mut command = Command::new("curl");
        command.args(["-q", "-K", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().ok()?;
        child.stdin.take().unwrap().write_all(config.as_bytes()).unwrap();
        Some(child.wait_with_output().unwrap())
    })
    .await
    .unwrap();
    std::fs::remove_file(ca).unwrap();
    output
}

#[tokio::test]
async fn reads_by_pop3() {
    let sandbox = Sandbox::builder().messages(20).start().await.unwrap();
    let mailbox = sandbox.mailbox(ANA).unwrap();
    let message = b"Subject: for curl\r\n\r\n.\r\n..\r\nend\r\n";
    mailbox.deliver("INBOX", 1_790_000_000, message).unwrap();
    let n = mailbox.uids("INBOX").unwrap().1.len();
    let token = sandbox.issue_token(&TokenSpec::user(ANA)).unwrap();
    for (url, tls) in [
        (format!("pop3s://localhost:{}/{n}", sandbox.ports().pop3s), ""),
        (format!("pop3://localhost:{}/{n}", sandbox.ports().pop3), "ssl-reqd"),
    ] {
        let config =
            format!("url = \"{url}\"\n{tls}\nuser = \"{ANA}\"\noauth2-bearer = \"{}\"", token.expose());
        let Some(output) = curl(&sandbox, config).await else { return };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.stdout.escape_ascii().to_string(), message.escape_ascii().to_string());
    }
    assert_eq!(sandbox.requests(RequestKind::Pop3Body), 2);
}

#[tokio::test]
async fn sends_by_smtp() {
    let sandbox = Sandbox::builder().messages(20).start().await.unwrap();
    let mailbox = sandbox.mailbox(BJORN).unwrap();
    let before = mailbox.uids("INBOX").unwrap().1;
    let message = "From: ana@contoso.example\r\nTo: bjorn@contoso.example\r\nSubject: by curl\r\n\r\n.\r\n..\r\nend\r\n";
    let file = std::env::temp_dir().join(format!("postkey-sandbox-curl-{}.eml", std::process::id()));
    std::fs::write(&file, message).unwrap();
    let send = |from: &str, token: &str| {
        format!(
            "url = \"smtp://localhost:{}\"\nssl-reqd\nuser = \"{ANA}\"\noauth2-bearer = \"{token}\"\nmail-from = \"{from}\"\n\
             mail-rcpt = \"{BJORN}\"\nupload-file = \"{}\"",
            sandbox.ports().submission,
            file.display()
        )
    };
    let token = sandbox.issue_token(&TokenSpec::user(ANA)).unwrap();
    let expired = sandbox.issue_token(&TokenSpec::user(ANA).lifetime(-1)).unwrap();
    if let Some(output) = curl(&sandbox, send(ANA, token.expose())).await {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let after = mailbox.uids("INBOX").unwrap().1;
        assert_eq!(after.len(), before.len() + 1);
        let got = mailbox.message("INBOX", after[before.len()]).unwrap().unwrap().octets;
        let got = String::from_utf8(got).unwrap();
        assert!(got.starts_with("Received: ") && got.ends_with(&format!("\r\n{message}")), "{got:?}");
        // 67: the login was denied.
        let output = curl(&sandbox, send(ANA, expired.expose())).await.unwrap();
        assert_eq!(output.status.code(), Some(67), "{}", String::from_utf8_lossy(&output.stderr));
        let output = curl(&sandbox, send(BJORN, token.expose())).await.unwrap();
        assert!(!output.status.success(), "sent as somebody else");
        assert_eq!(mailbox.uids("INBOX").unwrap().1, after);
    }
    std::fs::remove_file(file).unwrap();
}
