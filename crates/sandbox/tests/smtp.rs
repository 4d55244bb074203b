//! The SMTP server: who may send, as whom, in which words, and where it lands.

mod common;

use common::imap::xoauth2;
use common::lines::*;
use common::mail::*;
use common::password;
use postkey_sandbox::{
    ANA, DAEMON_APP, Profile, RequestKind, SHARED, Sandbox, SmtpFault, SmtpRefusal, TokenSpec, User,
};

#[tokio::test]
async fn the_captured_lines() {
    let sandbox = sandbox().await;
    let mut lines = Lines::plain(sandbox.ports().submission).await;
    let greeting = lines.reply().await;
    assert!(greeting.starts_with("220 SANDBOX0001.") && greeting.ends_with(']'), "{greeting}");
    assert!(greeting.contains(" Microsoft ESMTP MAIL Service ready at "), "{greeting}");
    let ehlo = lines.say("EHLO client.example").await;
    let (first, rest) = ehlo.split_once('\n').unwrap();
    assert!(first.starts_with("250-") && first.ends_with(" Hello [127.0.0.1]"), "{first}");
    assert_eq!(
        rest,
        "250-SIZE 157286400\n250-PIPELINING\n250-DSN\n250-ENHANCEDSTATUSCODES\n250-STARTTLS\n250-8BITMIME\n\
         250-BINARYMIME\n250-CHUNKING\n250 SMTPUTF8"
    );
    // Nothing goes before TLS, a password or token least of all.
    assert_eq!(lines.say("AUTH XOAUTH2").await, "504 5.7.4 Unrecognized authentication type");
    let reply = lines.say(&format!("MAIL FROM:<{ANA}>")).await;
    assert!(reply.starts_with("530 5.7.57 Client not authenticated to send mail"), "{reply}");
    assert_eq!(lines.say("FROBNICATE").await, "500 5.3.3 Unrecognized command");
    assert_eq!(lines.say("STARTTLS").await, "220 2.0.0 SMTP server ready");
    let mut lines = lines.secured(&sandbox).await;
    assert!(lines.say("MAIL FROM:<a@b>").await.starts_with('5'), "EHLO was forgotten");
    let ehlo = lines.say("EHLO client.example").await;
    assert!(ehlo.contains("\n250-AUTH LOGIN XOAUTH2\n") && !ehlo.contains("STARTTLS"), "{ehlo}");
    assert_eq!(lines.say("STARTTLS").await.get(..1), Some("5"));
    assert_eq!(lines.say("AUTH PLAIN").await, "504 5.7.4 Unrecognized authentication type");
    let reply = lines.say("VRFY ana").await;
    assert!(reply.starts_with("530 5.7.57 "), "{reply}");
    assert_eq!(lines.say("QUIT").await, "221 2.0.0 Service closing transmission channel");
    assert!(lines.is_over().await);
}

#[tokio::test]
async fn who_may_sign_in() {
    let reasons = [
        (SmtpRefusal::Tenant, "SmtpClientAuthentication is disabled for the Tenant. Visit "),
        (SmtpRefusal::Mailbox, "SmtpClientAuthentication is disabled for the Mailbox. Visit "),
        (SmtpRefusal::SecurityDefaults, "user is locked by your organization's security defaults policy. "),
        (SmtpRefusal::Criteria, "the request did not meet the criteria to be authenticated successfully. "),
    ];
    let mut builder = Sandbox::builder().messages(10);
    for (n, (why, _)) in reasons.iter().enumerate() {
        builder = builder.user(User::work(&format!("no{n}@contoso.example"), "x").without_smtp(*why));
    }
    let sandbox = builder.start().await.unwrap();
    let daemon = sandbox.app(DAEMON_APP).unwrap().id();
    let user = || TokenSpec::user(ANA);
    for (name, address, spec) in [
        ("expired", ANA, user().lifetime(-1)),
        ("another resource", ANA, user().audience("https://graph.microsoft.com")),
        ("another protocol", ANA, user().permissions(&["IMAP.AccessAsUser.All", "POP.AccessAsUser.All"])),
        ("a shared mailbox, full access or not", SHARED, user()),
        ("somebody else", BJORN, user()),
        ("no licence", "nolicence@contoso.example", TokenSpec::user("nolicence@contoso.example")),
        ("app without access", BJORN, TokenSpec::app_only(daemon)),
        (
            "app without the permission",
            SHARED,
            TokenSpec::app_only(daemon).permissions(&["IMAP.AccessAsApp"]),
        ),
    ] {
        let token = sandbox.issue_token(&spec).unwrap();
        let mut lines = smtp(&sandbox).await;
        let reply = smtp_auth(&mut lines, address, token.expose()).await;
        assert!(reply.starts_with("535 5.7.3 Authentication unsuccessful [SANDBOX0001."), "{name}: {reply}");
        assert!(reply.ends_with(']') && !reply.contains(token.expose()), "{name}: {reply}");
        let reply = lines.say(&format!("MAIL FROM:<{ANA}>")).await;
        assert!(reply.starts_with("530 5.7.57 "), "{name}: {reply}");
    }
    for (n, (_, text)) in reasons.iter().enumerate() {
        let address = format!("no{n}@contoso.example");
        let token = sandbox.issue_token(&TokenSpec::user(&address)).unwrap();
        let mut lines = smtp(&sandbox).await;
        let reply = smtp_auth(&mut lines, &address, token.expose()).await;
        assert!(reply.starts_with(&format!("535 5.7.139 Authentication unsuccessful, {text}")), "{reply}");
    }
    for (address, spec) in [
        (ANA, user().permissions(&["SMTP.Send"])),
        (SHARED, TokenSpec::app_only(daemon)),
        ("dora@outlook.example", TokenSpec::user("dora@outlook.example")),
        ("noimap@contoso.example", TokenSpec::user("noimap@contoso.example")),
    ] {
        let token = sandbox.issue_token(&spec).unwrap();
        let mut lines = smtp(&sandbox).await;
        assert_eq!(
            smtp_auth(&mut lines, address, token.expose()).await,
            "235 2.7.0 Authentication successful"
        );
        assert!(smtp_twice(&mut lines).await.starts_with("503 "), "once is enough");
    }
    // The initial response, rubbish, giving up, a password.
    let token = sandbox.issue_token(&user()).unwrap();
    let mut lines = smtp(&sandbox).await;
    for (line, then) in [("AUTH XOAUTH2", "*"), ("AUTH XOAUTH2", "no Base64"), ("AUTH XOAUTH2", "AAAA")] {
        assert_eq!(lines.say(line).await.trim_end(), "334");
        let reply = lines.say(then).await;
        assert!(reply.starts_with("535 5.7.3 "), "{then}: {reply}");
    }
    assert_eq!(lines.say("AUTH LOGIN").await, "334 VXNlcm5hbWU6");
    lines.say("YW5hQGNvbnRvc28uZXhhbXBsZQ==").await;
    let reply = lines.say("c2VjcmV0").await;
    assert!(reply.starts_with("535 5.7.139 Authentication unsuccessful, basic authentication is disabled."));
    let reply = lines.say(&format!("AUTH XOAUTH2 {}", xoauth2(ANA, token.expose()))).await;
    assert_eq!(reply, "235 2.7.0 Authentication successful");
}

async fn smtp_twice(lines: &mut Lines) -> String {
    lines.say("AUTH XOAUTH2").await
}

#[tokio::test]
async fn what_is_sent_lands() {
    let sandbox = sandbox().await;
    let inboxes = [ANA, BJORN, SHARED].map(|user| count(&sandbox, user, "INBOX"));
    let sent = count(&sandbox, ANA, "Sent Items");
    let message = "From: Ana <ana@contoso.example>\r\nTo: bjorn@contoso.example\r\nBcc: info@contoso.example\r\n\
                   Subject: =?utf-8?q?J=C3=B6?=\r\nMessage-ID: <1@client.example>\r\n\r\n..stuffed\r\n...\r\nBcc: text\r\n";
    let mut lines = smtp_as(&sandbox, ANA).await;
    let to = [BJORN, SHARED, "BJORN@contoso.example", "somebody@elsewhere.example"];
    let reply = send(&mut lines, ANA, &to, message).await;
    assert!(reply.starts_with("250 2.0.0 OK "), "{reply}");
    let expected = message.replace("Bcc: info@contoso.example\r\n", "").replace("\r\n..", "\r\n.");
    for (user, before) in [(BJORN, inboxes[1]), (SHARED, inboxes[2])] {
        let news = news(&sandbox, user, "INBOX", before);
        assert_eq!(news.len(), 1, "{user}");
        assert_eq!(
            untraced(&news[0]).escape_ascii().to_string(),
            expected.as_bytes().escape_ascii().to_string()
        );
    }
    let kept = news(&sandbox, ANA, "Sent Items", sent);
    assert_eq!(kept, [message.replace("\r\n..", "\r\n.").into_bytes()], "with Bcc, without trace");
    assert_eq!(count(&sandbox, ANA, "INBOX"), inboxes[0]);

    // The same connection goes on; by BDAT, chunk borders anywhere, and BINARYMIME keeps what DATA could not.
    assert_eq!(lines.say(&format!("MAIL FROM:<{ANA}> BODY=BINARYMIME SIZE=60")).await, "250 2.1.0 Sender OK");
    assert_eq!(lines.say(&format!("RCPT TO:<{BJORN}>")).await, "250 2.1.5 Recipient OK");
    lines.send(b"BDAT 23\r\nSubject: binary\r\n\r\n.\r\n\0").await;
    let reply = lines.reply().await;
    assert_eq!(reply, "250 2.6.0 CHUNK received OK, 23 octets");
    lines.send(b"BDAT 7 LAST\r\n\r\r\n.\r\n.").await;
    assert!(lines.reply().await.starts_with("250 2.0.0 OK "));
    let got = news(&sandbox, BJORN, "INBOX", inboxes[1] + 1);
    assert_eq!(untraced(&got[0]), b"Subject: binary\r\n\r\n.\r\n\0\r\r\n.\r\n.");
    assert_eq!(sandbox.requests(RequestKind::SmtpMessage), 2);

    // Nobody of that name in the tenant; RSET and another MAIL forget.
    lines.say(&format!("MAIL FROM:<{ANA}>")).await;
    assert!(lines.say("RCPT TO:<nobody@contoso.example>").await.starts_with("550 5.1.10 "));
    assert!(lines.say("DATA").await.starts_with("503 "), "without recipients");
    assert_eq!(lines.say("RSET").await, "250 2.0.0 Resetting");
    assert!(lines.say(&format!("RCPT TO:<{BJORN}>")).await.starts_with("503 "));
}

/// The envelope and the header are looked at when the message is complete.
#[tokio::test]
async fn sending_as_somebody_else() {
    let sandbox = sandbox().await;
    let before = count(&sandbox, BJORN, "INBOX");
    let mut lines = smtp_as(&sandbox, ANA).await;
    let from = |who: &str| format!("From: {who}\r\nSubject: x\r\n\r\nx\r\n");
    for (envelope, header) in [(BJORN, ANA), (ANA, BJORN), ("mia@elsewhere.example", ANA)] {
        let reply = send(&mut lines, envelope, &[BJORN], &from(header)).await;
        assert!(
            reply.starts_with("554 5.2.252 SendAsDenied; ana@contoso.example not allowed to send as "),
            "{reply}"
        );
        assert!(
            reply.contains("STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied")
        );
    }
    let two = format!("From: {ANA}, {SHARED}\r\n\r\n");
    let reply = send(&mut lines, ANA, &[BJORN], &two).await;
    assert_eq!(reply, "550 5.1.20 Multiple From addresses are not allowed without Sender address");
    assert_eq!(count(&sandbox, BJORN, "INBOX"), before);
    // With the right to send as the shared mailbox; the copy stays with whoever signed in.
    let sent = [ANA, SHARED].map(|user| count(&sandbox, user, "Sent Items"));
    let reply = send(&mut lines, SHARED, &[BJORN], &from(SHARED)).await;
    assert!(reply.starts_with("250 2.0.0 OK "), "{reply}");
    assert_eq!(count(&sandbox, BJORN, "INBOX"), before + 1);
    assert_eq!([ANA, SHARED].map(|user| count(&sandbox, user, "Sent Items")), [sent[0] + 1, sent[1]]);
    // An app sends as the mailbox it opened.
    let daemon = sandbox.app(DAEMON_APP).unwrap().id();
    let token = sandbox.issue_token(&TokenSpec::app_only(daemon)).unwrap();
    let mut lines = smtp(&sandbox).await;
    smtp_auth(&mut lines, SHARED, token.expose()).await;
    assert!(send(&mut lines, SHARED, &[BJORN], &from(SHARED)).await.starts_with("250 "));
    assert!(send(&mut lines, ANA, &[BJORN], &from(ANA)).await.starts_with("554 5.2.252 "));
    assert_eq!(count(&sandbox, SHARED, "Sent Items"), sent[1] + 1);
}

#[tokio::test]
async fn the_fourth_connection() {
    let sandbox = sandbox().await;
    let mut all = Vec::new();
    for _ in 0..4 {
        all.push(smtp_as(&sandbox, ANA).await);
    }
    let mut fourth = all.pop().unwrap();
    let mail = format!("MAIL FROM:<{ANA}>");
    let reply = fourth.say(&mail).await;
    assert!(reply.starts_with("432 4.3.2 Concurrent connections limit exceeded"), "{reply}");
    for lines in &mut all {
        assert_eq!(lines.say(&mail).await, "250 2.1.0 Sender OK");
    }
    let mut other = smtp_as(&sandbox, BJORN).await;
    assert_eq!(other.say(&format!("MAIL FROM:<{BJORN}>")).await, "250 2.1.0 Sender OK", "per mailbox");
    let mut first = all.remove(0);
    first.say("QUIT").await;
    assert!(first.is_over().await);
    // The slot is given back when the server's side of the connection is gone, which the client cannot see.
    while fourth.say(&mail).await.starts_with("432 ") {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn faults() {
    let sandbox = sandbox().await;
    let message = "From: ana@contoso.example\r\n\r\nx\r\n";
    let mut lines = smtp_as(&sandbox, ANA).await;
    for (fault, start) in [
        (SmtpFault::ServerBusy, "451 4.7.500 Server busy. Please try again later"),
        (SmtpFault::Proxy, "451 4.7.0 Temporary server error. Please try again later. PRX"),
        (SmtpFault::ThreadLimit, "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded"),
        (SmtpFault::Quota, "554 5.2.0 "),
    ] {
        sandbox.inject_smtp(fault);
        let before = count(&sandbox, BJORN, "INBOX");
        let reply = send(&mut lines, ANA, &[BJORN], message).await;
        assert!(reply.starts_with(start), "{fault:?}: {reply}");
        assert_eq!(count(&sandbox, BJORN, "INBOX"), before, "{fault:?}");
        assert!(send(&mut lines, ANA, &[BJORN], message).await.starts_with("250 "), "{fault:?}: used up");
        assert_eq!(count(&sandbox, BJORN, "INBOX"), before + 1, "{fault:?}");
    }
    for delivered in [false, true] {
        let before = count(&sandbox, BJORN, "INBOX");
        sandbox.inject_smtp(SmtpFault::CutAfterMessage { delivered });
        let mut lines = smtp_as(&sandbox, ANA).await;
        assert_eq!(send(&mut lines, ANA, &[BJORN], message).await, "", "no answer");
        assert_eq!(count(&sandbox, BJORN, "INBOX"), before + usize::from(delivered));
    }
    sandbox.inject_smtp(SmtpFault::Closing);
    assert!(lines.say(&format!("MAIL FROM:<{ANA}>")).await.starts_with("421 4.3.2 "));
    assert!(lines.is_over().await);
    sandbox.inject_smtp(SmtpFault::SignInTemporary);
    let mut lines = smtp(&sandbox).await;
    assert_eq!(lines.say("AUTH XOAUTH2").await, "454 4.7.0 Temporary authentication failure");
    sandbox.inject_smtp(SmtpFault::ServerBusy);
    sandbox.clear_faults();
    let mut lines = smtp_as(&sandbox, ANA).await;
    assert!(send(&mut lines, ANA, &[BJORN], message).await.starts_with("250 "));
}

/// For programs that know nothing but passwords.
#[tokio::test]
async fn the_plain_profile() {
    let sandbox = Sandbox::builder().messages(10).smtp(Profile::Plain).start().await.unwrap();
    let mut lines = Lines::plain(sandbox.ports().submission).await;
    lines.reply().await;
    let ehlo = lines.say("EHLO client.example").await;
    assert!(
        ehlo.contains("\n250-AUTH PLAIN LOGIN XOAUTH2 OAUTHBEARER\n") && ehlo.contains("\n250-STARTTLS\n")
    );
    use base64ct::{Base64, Encoding};
    let good = Base64::encode_string(format!("\0{ANA}\0{}", password(&sandbox, ANA)).as_bytes());
    let bad = Base64::encode_string(format!("\0{ANA}\0wrong").as_bytes());
    assert!(lines.say(&format!("AUTH PLAIN {bad}")).await.starts_with("535 5.7.3 "));
    assert!(lines.say(&format!("AUTH XOAUTH2 {}", xoauth2(ANA, "none"))).await.starts_with("334 ey"));
    assert!(lines.say("").await.starts_with("535 5.7.3 "));
    assert_eq!(lines.say(&format!("AUTH PLAIN {good}")).await, "235 2.7.0 Authentication successful");
    let before = count(&sandbox, ANA, "INBOX");
    let message = "From: ana@contoso.example\r\n\r\nto myself\r\n";
    assert!(send(&mut lines, ANA, &[ANA], message).await.starts_with("250 "));
    assert_eq!(untraced(&news(&sandbox, ANA, "INBOX", before)[0]), message.as_bytes());
    // TLS forgets who signed in without it.
    assert!(lines.say("STARTTLS").await.starts_with("220 "));
    let mut lines = lines.secured(&sandbox).await;
    lines.say("EHLO client.example").await;
    assert!(lines.say(&format!("MAIL FROM:<{ANA}>")).await.starts_with("530 "));
}

/// Tokens as the identity provider issues them, not made for the test: for a user, and for an app on its own.
#[tokio::test]
async fn tokens_from_the_identity_provider() {
    let sandbox = sandbox().await;
    let scope =
        "offline_access https://outlook.office.com/POP.AccessAsUser.All https://outlook.office.com/SMTP.Send";
    let landed = common::walk(&sandbox, &[("scope", scope)]).await;
    let (status, body) = common::redeem(&sandbox, &landed["code"], &[]).await;
    assert_eq!(status, 200, "{body}");
    let token = body["access_token"].as_str().unwrap();
    let mut lines = smtp(&sandbox).await;
    assert_eq!(smtp_auth(&mut lines, ANA, token).await, "235 2.7.0 Authentication successful");
    let mut lines = pop3(&sandbox).await;
    assert_eq!(pop3_auth(&mut lines, ANA, token).await, "+OK User successfully authenticated.");

    let daemon = sandbox.app(DAEMON_APP).unwrap();
    let form = [
        ("client_id", daemon.id()),
        ("client_secret", daemon.secret().unwrap().expose()),
        ("grant_type", "client_credentials"),
        ("scope", "https://outlook.office365.com/.default"),
    ];
    let (status, body) = common::token(&sandbox, &form).await;
    assert_eq!(status, 200, "{body}");
    let token = body["access_token"].as_str().unwrap();
    let mut lines = smtp(&sandbox).await;
    assert_eq!(smtp_auth(&mut lines, SHARED, token).await, "235 2.7.0 Authentication successful");
    let mut lines = pop3(&sandbox).await;
    assert_eq!(pop3_auth(&mut lines, SHARED, token).await, "+OK User successfully authenticated.");
    assert!(lines.ask("STAT").await.starts_with("+OK "));
}
