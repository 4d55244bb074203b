//! The POP3 server: who gets in, in which words, and what comes out.

mod common;

use std::time::Duration;

use common::imap::xoauth2;
use common::lines::*;
use common::password;
use postkey_sandbox::{ANA, DAEMON_APP, Pop3Fault, Profile, RequestKind, SHARED, Sandbox, TokenSpec};

const POP: &[&str] = &["POP.AccessAsUser.All"];

async fn signed_in(sandbox: &Sandbox, user: &str) -> Lines {
    let token = sandbox.issue_token(&TokenSpec::user(user)).unwrap();
    let mut lines = pop3(sandbox).await;
    let answer = pop3_auth(&mut lines, user, token.expose()).await;
    assert_eq!(answer, "+OK User successfully authenticated.");
    lines
}

/// The last answer of a two-step sign-in, and that of STAT behind it.
async fn attempt(sandbox: &Sandbox, user: &str, spec: TokenSpec) -> (String, String) {
    let token = sandbox.issue_token(&spec).unwrap();
    let mut lines = pop3(sandbox).await;
    let answer = pop3_auth(&mut lines, user, token.expose()).await;
    (answer, lines.ask("STAT").await)
}

#[tokio::test]
async fn greeting_and_capabilities() {
    let sandbox = Sandbox::builder().messages(10).start().await.unwrap();
    let mut lines = Lines::tls(&sandbox, sandbox.ports().pop3s).await;
    let greeting = lines.line().await.unwrap();
    assert!(greeting.starts_with("+OK Microsoft Exchange POP3 server ready (tcpproxy/15.20."), "{greeting}");
    assert!(greeting.contains("). [") && greeting.ends_with(']'), "{greeting}");
    assert!(lines.ask("CAPA").await.starts_with("+OK"));
    let capa: Vec<String> =
        lines.until_dot().await.into_iter().map(|l| String::from_utf8(l).unwrap()).collect();
    assert_eq!(capa, ["TOP", "UIDL", "SASL PLAIN XOAUTH2", "USER"]);
    assert_eq!(lines.ask("STAT").await, "-ERR Command is not valid in this state.");
    assert!(lines.ask("FROBNICATE").await.starts_with("-ERR "));
    assert!(lines.ask("QUIT").await.starts_with("+OK "));
    assert!(lines.is_over().await);

    // Without TLS there is nothing but STLS.
    let mut lines = Lines::plain(sandbox.ports().pop3).await;
    lines.line().await.unwrap();
    lines.ask("CAPA").await;
    assert_eq!(lines.until_dot().await, [b"TOP".as_slice(), b"UIDL", b"STLS"]);
    assert!(lines.ask("AUTH XOAUTH2").await.starts_with("-ERR "));
    assert!(lines.ask("USER ana").await.starts_with("-ERR "));
    assert!(lines.ask("STLS").await.starts_with("+OK "));
    let mut lines = lines.secured(&sandbox).await;
    let token = sandbox.issue_token(&TokenSpec::user(ANA)).unwrap();
    assert!(pop3_auth(&mut lines, ANA, token.expose()).await.starts_with("+OK "));
    assert!(lines.ask("STAT").await.starts_with("+OK "));
}

/// ST-21 from the other side: what comes behind STLS in the clear is never executed.
#[tokio::test]
async fn octets_behind_stls_end_the_connection() {
    let sandbox = Sandbox::builder().messages(10).start().await.unwrap();
    let mut lines = Lines::plain(sandbox.ports().pop3).await;
    lines.line().await.unwrap();
    lines.send(b"STLS\r\nCAPA\r\n").await;
    assert!(lines.line().await.is_none_or(|l| l.starts_with("+OK Begin TLS")));
    assert!(lines.is_over().await);
}

#[tokio::test]
async fn tokens_only_in_two_steps() {
    let sandbox = Sandbox::builder().messages(10).start().await.unwrap();
    let token = sandbox.issue_token(&TokenSpec::user(ANA)).unwrap();
    let mut lines = pop3(&sandbox).await;
    let answer = lines.ask(&format!("AUTH XOAUTH2 {}", xoauth2(ANA, token.expose()))).await;
    assert_eq!(answer, "-ERR Protocol error. Connection is closed. 10");
    assert!(lines.is_over().await);

    let mut lines = pop3(&sandbox).await;
    lines.send(b"AUTH XOAUTH2\r\n").await;
    assert_eq!(lines.line().await.unwrap(), "+", "a bare plus, as Exchange sends it");
    assert_eq!(lines.ask("*").await, "-ERR Authentication failure: unknown user name or bad password.");
    assert!(pop3_auth(&mut lines, ANA, token.expose()).await.starts_with("+OK "), "another try");

    // Passwords open nothing.
    let mut lines = pop3(&sandbox).await;
    lines.ask(&format!("USER {ANA}")).await;
    let answer = lines.ask(&format!("PASS {}", password(&sandbox, ANA))).await;
    assert_eq!(answer, "-ERR Logon failure: unknown user name or bad password.");
    assert_eq!(sandbox.requests(RequestKind::Pop3Authenticate), 3, "a line that is too long is no command");
    assert_eq!(sandbox.requests(RequestKind::Pop3Connection), 3);
    // However short it is.
    let mut lines = pop3(&sandbox).await;
    assert_eq!(lines.ask("AUTH XOAUTH2 AAAA").await, "-ERR Protocol error. Connection is closed. 10");
    assert!(lines.is_over().await);
}

#[tokio::test]
async fn who_gets_in() {
    let sandbox = Sandbox::builder().messages(10).start().await.unwrap();
    let refused = "-ERR Authentication failure: unknown user name or bad password.";
    let user = || TokenSpec::user(ANA);
    for (name, address, spec) in [
        ("expired", ANA, user().lifetime(-1)),
        ("another resource", ANA, user().audience("https://graph.microsoft.com")),
        ("another protocol", ANA, user().permissions(&["IMAP.AccessAsUser.All", "SMTP.Send"])),
        ("no such mailbox", "nobody@contoso.example", user()),
        (
            "an app for IMAP only",
            ANA,
            TokenSpec::app_only(daemon(&sandbox)).permissions(&["IMAP.AccessAsApp"]),
        ),
    ] {
        let (answer, stat) = attempt(&sandbox, address, spec).await;
        assert_eq!(answer, refused, "{name}");
        assert!(stat.starts_with("-ERR "), "{name}");
    }
    for (name, address, spec) in [
        ("own", ANA, user().permissions(POP)),
        ("shared, with full access", SHARED, user()),
        ("app with full access", SHARED, TokenSpec::app_only(daemon(&sandbox))),
        ("personal", "dora@outlook.example", TokenSpec::user("dora@outlook.example")),
        ("IMAP off", "noimap@contoso.example", TokenSpec::user("noimap@contoso.example")),
    ] {
        let (answer, stat) = attempt(&sandbox, address, spec).await;
        assert!(answer.starts_with("+OK ") && stat.starts_with("+OK "), "{name}: {answer} {stat}");
    }
    for (name, address, spec) in [
        ("somebody else's", "bjorn@contoso.example", user()),
        ("app without access", "bjorn@contoso.example", TokenSpec::app_only(daemon(&sandbox))),
        ("POP off", "nopop@contoso.example", TokenSpec::user("nopop@contoso.example")),
        ("no licence", "nolicence@contoso.example", TokenSpec::user("nolicence@contoso.example")),
    ] {
        let (answer, stat) = attempt(&sandbox, address, spec).await;
        assert!(answer.starts_with("+OK "), "{name}");
        assert_eq!(stat, "-ERR User is authenticated but not connected.", "{name}");
    }
}

fn daemon(sandbox: &Sandbox) -> &str {
    sandbox.app(DAEMON_APP).unwrap().id()
}

/// Everything the mailbox holds comes out as it is, whatever it holds.
#[tokio::test]
async fn a_maildrop() {
    let sandbox = Sandbox::builder().messages(40).start().await.unwrap();
    let mailbox = sandbox.mailbox(ANA).unwrap();
    let dotted = b"Subject: dots\r\n\r\n.\r\n..\r\n.x\r\n\r\n.\r\nend\r\n";
    mailbox.deliver("INBOX", 1_790_000_000, dotted).unwrap();
    let (_, uids) = mailbox.uids("INBOX").unwrap();
    let stored: Vec<Vec<u8>> =
        uids.iter().map(|u| mailbox.message("INBOX", *u).unwrap().unwrap().octets).collect();
    let total: usize = stored.iter().map(Vec::len).sum();
    let n = stored.len();

    let mut lines = signed_in(&sandbox, ANA).await;
    assert_eq!(lines.ask("STAT").await, format!("+OK {n} {total}"));
    assert_eq!(lines.ask("LIST").await, format!("+OK {n} {total}"));
    let list = lines.until_dot().await;
    for (i, octets) in stored.iter().enumerate() {
        assert_eq!(list[i], format!("{} {}", i + 1, octets.len()).as_bytes());
    }
    assert!(lines.ask("UIDL").await.starts_with("+OK"));
    let ids = lines.until_dot().await;
    assert_eq!(ids.len(), n);
    let one = lines.ask("UIDL 2").await;
    assert_eq!(one.strip_prefix("+OK ").unwrap().as_bytes(), ids[1]);
    for (i, octets) in stored.iter().enumerate() {
        assert!(lines.ask(&format!("RETR {}", i + 1)).await.starts_with("+OK"));
        let mut got = Vec::new();
        for line in lines.until_dot().await {
            got.extend_from_slice(&line);
            got.extend_from_slice(b"\r\n");
        }
        assert_eq!(got, canonical(octets), "message {}", i + 1);
    }
    assert_eq!(sandbox.requests(RequestKind::Pop3Body), n as u64);
    assert!(lines.ask(&format!("TOP {n} 2")).await.starts_with("+OK"));
    assert_eq!(lines.until_dot().await, [b"Subject: dots".as_slice(), b"", b".", b".."]);

    // Ids stay from session to session.
    let mut again = signed_in(&sandbox, ANA).await;
    again.ask("UIDL").await;
    assert_eq!(again.until_dot().await, ids);
}

/// Line ends as they are on the wire: POP3 has no others.
fn canonical(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = octets;
    while let Some((first, more)) = rest.split_first() {
        rest = match (first, more.first()) {
            (b'\r', Some(b'\n')) => &more[1..],
            (b'\r' | b'\n', _) => more,
            _ => {
                out.push(*first);
                rest = more;
                continue;
            }
        };
        out.extend_from_slice(b"\r\n");
    }
    if !out.is_empty() && !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out
}

#[tokio::test]
async fn deleting_takes_effect_at_quit() {
    let sandbox = Sandbox::builder().messages(30).start().await.unwrap();
    let mailbox = sandbox.mailbox(ANA).unwrap();
    let before = mailbox.uids("INBOX").unwrap().1;
    let deleted = |m: &postkey_sandbox::Mailbox| m.uids("Deleted Items").unwrap().1.len();
    let there = deleted(&mailbox);

    let mut lines = signed_in(&sandbox, ANA).await;
    assert!(lines.ask("DELE 1").await.starts_with("+OK"));
    assert!(lines.ask("DELE 1").await.starts_with("-ERR"), "SV-17: twice");
    assert!(lines.ask("RETR 1").await.starts_with("-ERR"));
    assert!(lines.ask("LIST 1").await.starts_with("-ERR"));
    assert!(lines.ask("STAT").await.starts_with(&format!("+OK {} ", before.len() - 1)));
    drop(lines);
    let mut lines = signed_in(&sandbox, ANA).await;
    assert!(lines.ask("STAT").await.starts_with(&format!("+OK {} ", before.len())), "no QUIT, no update");
    lines.ask("DELE 1").await;
    lines.ask("DELE 3").await;
    assert!(lines.ask("RSET").await.starts_with("+OK"));
    lines.ask("DELE 2").await;
    assert!(lines.ask("QUIT").await.starts_with("+OK"));
    assert!(lines.is_over().await);
    let mut expected = before.clone();
    expected.remove(1);
    assert_eq!(mailbox.uids("INBOX").unwrap().1, expected);
    assert_eq!(deleted(&mailbox), there + 1, "moved, not destroyed");
}

/// SV-17: numbers that are none.
#[tokio::test]
async fn numbers_out_of_range() {
    let sandbox = Sandbox::builder().messages(10).start().await.unwrap();
    let mut lines = signed_in(&sandbox, ANA).await;
    for command in [
        "TOP 1 -1",
        "TOP 1",
        "RETR 0",
        "RETR 4294967295",
        "RETR 4294967296",
        "RETR 1 2",
        "DELE -1",
        "UIDL 999999999999",
        "LIST 0",
        "RETR",
        "APOP ana c4c9334bac560ecc979e58001b3e22fb",
        "UTF8",
    ] {
        let answer = lines.ask(command).await;
        assert!(answer.starts_with("-ERR "), "{command}: {answer}");
    }
    assert!(lines.ask("NOOP").await.starts_with("+OK"), "still there");
    let long = lines.ask(&format!("NOOP {}", "x".repeat(300))).await;
    assert_eq!(long, "-ERR Protocol error. Connection is closed. 10");
    assert!(lines.is_over().await);
}

#[tokio::test]
async fn faults() {
    let sandbox = Sandbox::builder().messages(30).start().await.unwrap();
    sandbox.inject_pop3(Pop3Fault::NotConnected);
    let (answer, stat) = attempt(&sandbox, ANA, TokenSpec::user(ANA)).await;
    assert!(answer.starts_with("+OK "));
    assert_eq!(stat, "-ERR User is authenticated but not connected.");
    sandbox.clear_faults();

    sandbox.inject_pop3(Pop3Fault::LongTokens);
    let (answer, _) = attempt(&sandbox, ANA, TokenSpec::user(ANA)).await;
    assert!(answer.starts_with("+OK "), "a token of usual length: {answer}");
    let (answer, end) = attempt(&sandbox, ANA, TokenSpec::user(ANA).pad_to(4000)).await;
    assert!(!answer.starts_with("+OK"), "{answer}");
    assert!(!end.starts_with("+OK"), "{end}");
    sandbox.clear_faults();
    let (answer, _) = attempt(&sandbox, ANA, TokenSpec::user(ANA).pad_to(9000)).await;
    assert!(answer.starts_with("+OK "), "{answer}");

    sandbox.inject_pop3(Pop3Fault::ResetInBody(100));
    let mut lines = signed_in(&sandbox, ANA).await;
    lines.send(b"RETR 1\r\n").await;
    let mut got = 0;
    while let Some(line) = lines.octets_before_the_end().await {
        assert_ne!(line, b".\r\n", "the message must not seem whole");
        got += line.len();
    }
    assert!(got < 1000, "{got}");
    let mut lines = signed_in(&sandbox, ANA).await;
    assert!(lines.ask("RETR 1").await.starts_with("+OK"), "used up");
    lines.until_dot().await;
}

#[tokio::test]
async fn the_session_ends_with_the_token() {
    let sandbox = Sandbox::builder().messages(10).start().await.unwrap();
    let mut lines = signed_in(&sandbox, ANA).await;
    lines.ask("DELE 1").await;
    let before = sandbox.mailbox(ANA).unwrap().uids("INBOX").unwrap();
    sandbox.advance(Duration::from_secs(90_000));
    assert_eq!(lines.ask("QUIT").await, "-ERR Session invalidated - AccessTokenExpired");
    assert!(lines.is_over().await);
    assert_eq!(sandbox.mailbox(ANA).unwrap().uids("INBOX").unwrap(), before, "nothing was deleted");
}

#[tokio::test]
async fn a_mailbox_that_needs_utf8() {
    let sandbox = Sandbox::builder().messages(10).start().await.unwrap();
    sandbox.mailbox(ANA).unwrap().deliver("INBOX", 1, "Subject: \u{e9}\r\n\r\n".as_bytes()).unwrap();
    let last = sandbox.mailbox(ANA).unwrap().uids("INBOX").unwrap().1.len();
    sandbox.inject_pop3(Pop3Fault::NeedsUtf8);
    let token = sandbox.issue_token(&TokenSpec::user(ANA)).unwrap();
    for utf8 in [false, true] {
        let mut lines = pop3(&sandbox).await;
        lines.ask("CAPA").await;
        assert!(lines.until_dot().await.contains(&b"UTF8 USER".to_vec()));
        if utf8 {
            assert!(lines.ask("UTF8").await.starts_with("+OK"));
        }
        assert!(pop3_auth(&mut lines, ANA, token.expose()).await.starts_with("+OK"));
        let answer = lines.ask(&format!("RETR {last}")).await;
        assert!(answer.starts_with(if utf8 { "+OK" } else { "-ERR [UTF8] " }), "{answer}");
    }
}

/// For programs that know nothing but passwords: no TLS needed, initial responses taken, reasons told.
#[tokio::test]
async fn the_plain_profile() {
    let sandbox = Sandbox::builder().messages(10).pop3(Profile::Plain).start().await.unwrap();
    let mut lines = Lines::plain(sandbox.ports().pop3).await;
    assert_eq!(lines.line().await.unwrap(), "+OK Sandbox ready.");
    lines.ask("CAPA").await;
    let capa = lines.until_dot().await;
    assert!(
        capa.contains(&b"SASL PLAIN LOGIN XOAUTH2 OAUTHBEARER".to_vec()) && capa.contains(&b"STLS".to_vec())
    );
    assert!(lines.ask(&format!("USER {ANA}")).await.starts_with("+OK"));
    assert!(lines.ask("PASS wrong").await.starts_with("-ERR [AUTH] "));
    assert!(lines.ask(&format!("USER {ANA}")).await.starts_with("+OK"));
    assert!(lines.ask(&format!("PASS {}", password(&sandbox, ANA))).await.starts_with("+OK"));
    // Pipelined, as it says it can.
    lines.send(b"STAT\r\nNOOP\r\nRETR 1\r\nQUIT\r\n").await;
    assert!(lines.line().await.unwrap().starts_with("+OK "));
    assert!(lines.line().await.unwrap().starts_with("+OK"));
    assert!(lines.line().await.unwrap().starts_with("+OK"));
    lines.until_dot().await;
    assert!(lines.line().await.unwrap().starts_with("+OK"));
    assert!(lines.is_over().await);

    let token = sandbox.issue_token(&TokenSpec::user(ANA)).unwrap();
    let mut lines = Lines::plain(sandbox.ports().pop3).await;
    lines.line().await.unwrap();
    let answer = lines.ask(&format!("AUTH XOAUTH2 {}", xoauth2(ANA, token.expose()))).await;
    assert!(answer.starts_with("+OK"), "{answer}");
    let mut lines = Lines::plain(sandbox.ports().pop3).await;
    lines.line().await.unwrap();
    let challenge = lines.ask(&format!("AUTH XOAUTH2 {}", xoauth2(ANA, "none"))).await;
    assert!(challenge.starts_with("+ ey"), "why it was refused: {challenge}");
    assert!(lines.ask("").await.starts_with("-ERR [AUTH] "));
}
