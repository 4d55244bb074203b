//! The SMTP server and clients that mean it harm.

mod common;

use common::lines::*;
use common::mail::*;
use postkey_sandbox::ANA;

/// ST-21 from the other side.
#[tokio::test]
async fn octets_behind_starttls_end_the_connection() {
    let sandbox = sandbox().await;
    let mut lines = Lines::plain(sandbox.ports().submission).await;
    lines.reply().await;
    lines.say("EHLO client.example").await;
    lines.send(b"STARTTLS\r\nNOOP\r\n").await;
    assert!(lines.line().await.is_none_or(|l| l.starts_with("220 2.0.0")));
    assert!(lines.is_over().await);
}

/// SV-18: only CRLF . CRLF ends a message; everything that another server might take for an end is refused, and never two
/// messages come of it.
#[tokio::test]
async fn smuggling() {
    let sandbox = sandbox().await;
    let before = count(&sandbox, BJORN, "INBOX");
    let ends = [
        "\n.\n",
        "\n.\r\n",
        "\r.\r",
        "\r.\r\n",
        "\r.\n",
        "\n.\r",
        "\r\n.\n",
        "\r\n.\r",
        "\n\n.\r\n",
        "\r\r\n.\r\r\n",
        "\r\n.\r\r\n",
        "\r\n\r.\r\n",
        "\r\n.\n\r\n",
        "\n\r.\n\r",
    ];
    let hidden = "MAIL FROM:<ana@contoso.example>\r\nRCPT TO:<bjorn@contoso.example>\r\nDATA\r\nFrom: \
                  ana@contoso.example\r\nSubject: smuggled\r\n\r\nx";
    for end in ends {
        let message = format!("From: ana@contoso.example\r\nSubject: carrier\r\n\r\nx{end}{hidden}\r\n");
        let mut lines = smtp_as(&sandbox, ANA).await;
        let reply = send(&mut lines, ANA, &[BJORN], &message).await;
        assert!(reply.starts_with("550 5.6.11 "), "{:?} by DATA: {reply}", end);
        assert_eq!(lines.say("NOOP").await, "250 2.0.0 OK", "{end:?}: one reply and no more");
        // By BDAT the end is counted, but what a next server makes of it is the same; cut at every place.
        for cut in 1..end.len() {
            lines.say(&format!("MAIL FROM:<{ANA}>")).await;
            lines.say(&format!("RCPT TO:<{BJORN}>")).await;
            let at = message.find(end).unwrap() + cut;
            let (head, tail) = message.split_at(at);
            lines.send(format!("BDAT {}\r\n{head}", head.len()).as_bytes()).await;
            let first = lines.reply().await;
            lines.send(format!("BDAT {} LAST\r\n{tail}", tail.len()).as_bytes()).await;
            let second = lines.reply().await;
            assert!(!second.starts_with('2'), "{end:?} cut at {cut}: {first} / {second}");
            assert!(
                first.starts_with("550 5.6.11") || second.starts_with("550 5.6.11"),
                "{first} / {second}"
            );
            assert_eq!(lines.say("RSET").await, "250 2.0.0 Resetting", "{end:?} cut at {cut}");
        }
        assert_eq!(count(&sandbox, BJORN, "INBOX"), before, "{end:?}");
    }
    // What is stuffed, or only looks like an end inside a line, is text.
    let mut lines = smtp_as(&sandbox, ANA).await;
    let text = "From: ana@contoso.example\r\n\r\n..\r\n...\r\n. \r\n .\r\nx.\r\n..x\r\n";
    assert!(send(&mut lines, ANA, &[BJORN], text).await.starts_with("250 "));
    let got = news(&sandbox, BJORN, "INBOX", before);
    assert_eq!(untraced(&got[0]), b"From: ana@contoso.example\r\n\r\n.\r\n..\r\n \r\n .\r\nx.\r\n.x\r\n");
    // A message sent before it was asked for is not read as commands.
    lines.say(&format!("MAIL FROM:<{ANA}>")).await;
    lines.say(&format!("RCPT TO:<{BJORN}>")).await;
    lines.send(format!("DATA\r\n{text}.\r\n").as_bytes()).await;
    assert!(lines.reply().await.starts_with("503 "));
    assert!(lines.is_over().await);
    assert_eq!(count(&sandbox, BJORN, "INBOX"), before + 1);
}

/// SV-19
#[tokio::test]
async fn hostile_arguments() {
    let sandbox = sandbox().await;
    let mut lines = smtp_as(&sandbox, ANA).await;
    lines.send(b"MAIL FROM:<a\0b@contoso.example>\r\n").await;
    let reply = lines.reply().await;
    assert!(reply.starts_with("50"), "{reply}");
    assert!(lines.say(&format!("MAIL FROM:<{}>", "x".repeat(100_000))).await.starts_with("500 "));
    assert!(lines.say(&format!("MAIL FROM:<{ANA}> SIZE=157286401")).await.starts_with("552 5.3.4 "));
    assert!(lines.say(&format!("MAIL FROM:<{ANA}> HOLDFOR=10")).await.starts_with("555 "));
    lines.say(&format!("MAIL FROM:<{ANA}>")).await;
    for n in 0..500 {
        let reply = lines.say(&format!("RCPT TO:<u{n}@elsewhere.example>")).await;
        assert_eq!(reply, "250 2.1.5 Recipient OK");
    }
    assert!(lines.say("RCPT TO:<one-more@elsewhere.example>").await.starts_with("452 4.5.3 "));
    assert_eq!(lines.say("VRFY ana").await, "252 2.1.5 Cannot VRFY user");
    assert!(lines.say("EXPN staff").await.starts_with("502 "));
    assert!(lines.say("HELP").await.starts_with("214 "));
}
