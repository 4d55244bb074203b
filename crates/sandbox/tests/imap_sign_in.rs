//! Who gets in, who does not, and in which words.

mod common;

use std::time::Duration;

use common::imap::*;
use common::password;
use postkey_sandbox::{ANA, DAEMON_APP, ImapFault, Profile, RequestKind, SHARED, Sandbox, TokenSpec};

async fn try_token(sandbox: &Sandbox, user: &str, spec: TokenSpec) -> (Raw, Answer) {
    let token = sandbox.issue_token(&spec).unwrap();
    let (mut raw, _) = Raw::connect(sandbox).await;
    let answer = raw.run(&format!("AUTHENTICATE XOAUTH2 {}", xoauth2(user, token.expose()))).await;
    (raw, answer)
}

#[tokio::test]
async fn the_greeting_and_the_capabilities_of_2026() {
    let sandbox = Sandbox::builder().messages(10).start().await.unwrap();
    let (mut raw, greeting) = Raw::connect(&sandbox).await;
    assert!(greeting.starts_with("* OK Microsoft Exchange IMAP4 service ready. "), "{greeting}");
    assert!(greeting.contains(" (tcpproxy/") && greeting.ends_with("]") && !greeting.contains("CAPABILITY"));
    let answer = raw.ok("CAPABILITY").await;
    assert_eq!(
        answer.text(),
        "* CAPABILITY IMAP4 IMAP4rev1 AUTH=XOAUTH2 LOGINDISABLED SASL-IR UIDPLUS MOVE ID UNSELECT CHILDREN IDLE NAMESPACE \
         LITERAL+"
    );
    assert_eq!(answer.status, "OK CAPABILITY completed.");
    assert_eq!(raw.run("SELECT INBOX").await.status, "BAD Command received in Invalid state.");
    assert_eq!(raw.run("FROBNICATE").await.status, "BAD Command Error. 12");
}

/// With an initial response and without; nothing but the tagged OK comes back.
#[tokio::test]
async fn signing_in_both_ways() {
    let sandbox = Sandbox::builder().messages(10).start().await.unwrap();
    let (mut raw, answer) = try_token(&sandbox, ANA, TokenSpec::user(ANA)).await;
    assert_eq!((answer.status.as_str(), answer.lines.len()), ("OK AUTHENTICATE completed.", 0));
    assert_eq!(raw.ok("NAMESPACE").await.text(), "* NAMESPACE ((\"\" \"/\")) NIL NIL");

    let token = sandbox.issue_token(&TokenSpec::user(ANA)).unwrap();
    let (mut raw, _) = Raw::connect(&sandbox).await;
    raw.send(b"t AUTHENTICATE XOAUTH2\r\n").await;
    assert_eq!(raw.line().await.unwrap(), "+", "a bare plus, as Exchange sends it");
    raw.send(format!("{}\r\n", xoauth2(ANA, token.expose())).as_bytes()).await;
    assert_eq!(raw.answer("t").await.status, "OK AUTHENTICATE completed.");
    assert!(raw.ok("LIST \"\" *").await.text().contains("INBOX"));
    let bye = raw.run("LOGOUT").await;
    assert_eq!(bye.text(), "* BYE Microsoft Exchange Server IMAP4 server signing off.");
    assert!(raw.is_over().await);
    assert_eq!(sandbox.requests(RequestKind::ImapAuthenticate), 2);
}

#[tokio::test]
async fn tokens_that_are_refused() {
    let sandbox = Sandbox::builder().messages(10).start().await.unwrap();
    let user = || TokenSpec::user(ANA);
    let bare = sandbox.app("Daemon without roles").unwrap().id().to_owned();
    for (name, spec) in [
        ("expired", user().lifetime(-1)),
        ("not yet valid", user().not_before(600)),
        ("for Graph", user().audience("https://graph.microsoft.com")),
        ("from elsewhere", user().issuer("https://sts.windows.net/00000000-0000-0000-0000-000000000000/")),
        ("SMTP only", user().permissions(&["SMTP.Send"])),
        ("no permission", user().permissions(&[])),
        ("app without roles", TokenSpec::app_only(&bare)),
    ] {
        let (mut raw, answer) = try_token(&sandbox, ANA, spec).await;
        assert_eq!(answer.status, "NO AUTHENTICATE failed.", "{name}");
        assert!(answer.lines.is_empty(), "{name}: no challenge");
        assert_eq!(raw.ok("NOOP").await.status, "OK NOOP completed.", "{name}: the connection stays open");
    }
    let (_, answer) = try_token(&sandbox, "nobody@contoso.example", user()).await;
    assert_eq!(answer.status, "NO AUTHENTICATE failed.");

    // Not tokens at all; after three refusals the connection ends.
    let (mut raw, _) = Raw::connect(&sandbox).await;
    assert_eq!(
        raw.run(&format!("AUTHENTICATE XOAUTH2 {}", xoauth2(ANA, "e.y.J"))).await.status,
        "NO AUTHENTICATE failed."
    );
    assert_eq!(raw.run("AUTHENTICATE XOAUTH2 aGVsbG8=").await.status, "NO AUTHENTICATE failed.");
    assert_eq!(raw.run("AUTHENTICATE CRAM-MD5").await.status, "NO AUTHENTICATE failed.");
    assert_eq!(raw.line().await.unwrap(), "* BYE Connection is closed. 13");
    assert!(raw.is_over().await);
}

/// A token of more than 8 KB passes (SA-01 and its like: nothing cuts it off).
#[tokio::test]
async fn long_tokens_pass() {
    let sandbox = Sandbox::builder().messages(10).start().await.unwrap();
    for size in [3_000, 8_300, 30_000] {
        let (_, answer) = try_token(&sandbox, ANA, TokenSpec::user(ANA).pad_to(size)).await;
        assert_eq!(answer.status, "OK AUTHENTICATE completed.", "{size}");
    }
}

/// Signed in, but the mailbox does not open: BAD twice, then the end.
#[tokio::test]
async fn authenticated_but_not_connected() {
    let sandbox = Sandbox::builder().messages(10).start().await.unwrap();
    let daemon = sandbox.app(DAEMON_APP).unwrap().id().to_owned();
    let others = "bjorn@contoso.example";
    for (name, address, spec) in [
        ("somebody else's mailbox", others, TokenSpec::user(ANA)),
        ("IMAP switched off", "noimap@contoso.example", TokenSpec::user("noimap@contoso.example")),
        ("no licence", "nolicence@contoso.example", TokenSpec::user("nolicence@contoso.example")),
        ("an app without full access", others, TokenSpec::app_only(&daemon)),
    ] {
        let (mut raw, answer) = try_token(&sandbox, address, spec).await;
        assert_eq!(answer.status, "OK AUTHENTICATE completed.", "{name}");
        assert_eq!(
            raw.run("NAMESPACE").await.status,
            "BAD User is authenticated but not connected.",
            "{name}"
        );
        assert_eq!(raw.run("LIST \"\" *").await.status, "BAD User is authenticated but not connected.");
        assert_eq!(raw.line().await.unwrap(), "* BYE Connection closed. 14");
        assert!(raw.is_over().await);
    }
    sandbox.inject_imap(ImapFault::NotConnected);
    let (mut raw, _) = try_token(&sandbox, ANA, TokenSpec::user(ANA)).await;
    assert_eq!(raw.run("SELECT INBOX").await.status, "BAD User is authenticated but not connected.");
    sandbox.clear_faults();
    let (mut raw, _) = try_token(&sandbox, ANA, TokenSpec::user(ANA)).await;
    assert!(raw.run("SELECT INBOX").await.is_ok());
}

#[tokio::test]
async fn shared_mailboxes_and_apps() {
    let sandbox = Sandbox::builder().messages(10).start().await.unwrap();
    let daemon = sandbox.app(DAEMON_APP).unwrap().id().to_owned();
    sandbox.mailbox(SHARED).unwrap().create("Only here").unwrap();
    for (address, spec, there) in [
        (SHARED, TokenSpec::user(ANA), true),
        (SHARED, TokenSpec::app_only(&daemon), true),
        (ANA, TokenSpec::app_only(&daemon), false),
    ] {
        let (mut raw, answer) = try_token(&sandbox, address, spec).await;
        assert_eq!(answer.status, "OK AUTHENTICATE completed.");
        assert_eq!(raw.ok("LIST \"\" \"Only*\"").await.text().contains("Only here"), there, "{address}");
    }
}

/// The session ends with the token, in IDLE as well, and a token that was opaque to us works too.
#[tokio::test]
async fn the_session_ends_with_the_token() {
    let sandbox = Sandbox::builder().messages(10).start().await.unwrap();
    let (mut raw, _) = try_token(&sandbox, ANA, TokenSpec::user(ANA).lifetime(3600)).await;
    raw.ok("SELECT INBOX").await;
    raw.send(b"i IDLE\r\n").await;
    assert_eq!(raw.line().await.unwrap(), "+ IDLE accepted, awaiting DONE command.");
    sandbox.advance(Duration::from_secs(3601));
    assert_eq!(raw.line().await.unwrap(), "* BYE Session invalidated - AccessTokenExpired");
    assert!(raw.is_over().await);

    let dora = "dora@outlook.example";
    let (mut raw, answer) = try_token(&sandbox, dora, TokenSpec::user(dora)).await;
    assert_eq!(answer.status, "OK AUTHENTICATE completed.");
    raw.ok("SELECT INBOX").await;
}

#[tokio::test]
async fn passwords_are_refused_or_taken() {
    let sandbox = Sandbox::builder().messages(10).start().await.unwrap();
    let ana = password(&sandbox, ANA);
    let (mut raw, _) = Raw::connect(&sandbox).await;
    assert_eq!(raw.run(&format!("LOGIN {ANA} {ana}")).await.status, "NO Basic authentication is disabled.");
    assert_eq!(raw.line().await.unwrap(), "* BYE Microsoft Exchange Server IMAP4 server signing off.");

    let sandbox = Sandbox::builder().messages(10).imap(Profile::Plain).start().await.unwrap();
    let (mut raw, _) = Raw::connect(&sandbox).await;
    assert_eq!(raw.run(&format!("LOGIN {ANA} wrong")).await.status, "NO LOGIN failed.");
    let answer = raw.ok(&format!("LOGIN {ANA} {ana}")).await;
    assert!(answer.text().starts_with("* CAPABILITY IMAP4rev1"));
    raw.ok("SELECT INBOX").await;

    // A refused token is explained; the client acknowledges with an empty line.
    let (mut raw, _) = Raw::connect(&sandbox).await;
    raw.send(format!("t AUTHENTICATE XOAUTH2 {}\r\n", xoauth2(ANA, "e.y.J")).as_bytes()).await;
    let challenge = raw.line().await.unwrap();
    assert!(challenge.starts_with("+ ey"), "{challenge}");
    raw.send(b"\r\n").await;
    assert_eq!(raw.answer("t").await.status, "NO AUTHENTICATE failed.");
}

#[tokio::test]
async fn starttls() {
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpStream;
    let sandbox = Sandbox::builder().messages(10).start().await.unwrap();
    let connect = || TcpStream::connect(("::1", sandbox.ports().imap));
    let tcp = match connect().await {
        Ok(tcp) => tcp,
        Err(_) => TcpStream::connect(("127.0.0.1", sandbox.ports().imap)).await.unwrap(),
    };
    let mut raw = Raw::over(Box::new(tcp));
    raw.line().await.unwrap();
    let line = raw.ok("CAPABILITY").await.text();
    assert!(
        line.contains(" STARTTLS") && line.contains("LOGINDISABLED") && !line.contains("AUTH="),
        "{line}"
    );
    let token = sandbox.issue_token(&TokenSpec::user(ANA)).unwrap();
    let refused = raw.run(&format!("AUTHENTICATE XOAUTH2 {}", xoauth2(ANA, token.expose()))).await;
    assert!(refused.status.starts_with("BAD "), "no credentials before TLS (SV-20): {refused:?}");

    let mut tcp = TcpStream::connect(("127.0.0.1", sandbox.ports().imap)).await.unwrap();
    let mut line = async |send: &[u8]| {
        tokio::io::AsyncWriteExt::write_all(&mut tcp, send).await.unwrap();
        let mut line = Vec::new();
        while !line.ends_with(b"\n") {
            line.push(tcp.read_u8().await.unwrap());
        }
        String::from_utf8(line).unwrap()
    };
    assert!(line(b"").await.starts_with("* OK "));
    assert_eq!(line(b"s STARTTLS\r\n").await, "s OK Begin TLS negotiation now.\r\n");
    let tls = connector(&sandbox).connect("localhost".try_into().unwrap(), tcp).await.unwrap();
    let mut raw = Raw::over(Box::new(tls));
    assert!(raw.ok("CAPABILITY").await.text().contains("AUTH=XOAUTH2"));
    raw.ok(&format!("AUTHENTICATE XOAUTH2 {}", xoauth2(ANA, token.expose()))).await;

    // SV-01: what is sent behind STARTTLS is never executed.
    let tcp = TcpStream::connect(("127.0.0.1", sandbox.ports().imap)).await.unwrap();
    let mut raw = Raw::over(Box::new(tcp));
    raw.line().await.unwrap();
    raw.send(b"s STARTTLS\r\nx NOOP\r\n").await;
    let rest = raw.answer("x").await;
    assert!(rest.status.is_empty(), "{rest:?}");
}
