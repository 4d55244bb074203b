//! The SMTP session against servers that follow a script.

mod support;

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use postkey::smtp::{BareNewline, EhloName, Envelope, Fate, Mailbox, Options, Partial, Stage};
use postkey::{Error, Smtp};
use support::smtp::{EHLO, MAIL, connected, message, name, session, to};
use support::{BLOB, Step, ana, hear, say, serve};
use tokio::io::{AsyncRead, ReadBuf};

async fn sign_in(reply: &str) -> Result<Smtp, Error> {
    let rest = vec![hear(&format!("AUTH XOAUTH2 {BLOB}\r\n")), say(reply)];
    let (server, _heard) = serve(connected(EHLO, rest)).await;
    Smtp::open(&server, &ana(), &name()).await
}

#[tokio::test]
async fn replies_to_a_sign_in_are_told_apart() {
    assert!(sign_in("235 2.7.0 Authentication successful\r\n").await.unwrap().is_open());
    let refused =
        sign_in("535 5.7.3 Authentication unsuccessful [H 2026-01-01T00:00:00 id]\r\n").await.unwrap_err();
    assert!(matches!(&refused, Error::SignIn { .. }) && refused.is_auth() && !refused.is_transient());
    let busy = sign_in("432 4.3.2 Concurrent connections limit exceeded\r\n").await.unwrap_err();
    assert_eq!(busy.retry_after(), Some(Duration::from_secs(5)), "{busy:?}");
    assert!(busy.is_transient());
    let later = sign_in("454 4.7.0 Temporary authentication failure\r\n").await.unwrap_err();
    assert!(later.is_transient(), "{later:?}");
}

#[tokio::test]
async fn a_long_token_waits_for_334() {
    let long = "x".repeat(1_500);
    let rest = vec![hear("AUTH XOAUTH2\r\n"), say("334 \r\n"), Step::Until("\r\n"), say("235 2.7.0 ok\r\n")];
    let (server, _heard) = serve(connected(EHLO, rest)).await;
    let credential = postkey::Credential::fixed_token("ana@contoso.example", long.as_str().into());
    Smtp::open(&server, &credential, &name()).await.unwrap();
}

#[tokio::test]
async fn dots_are_stuffed_and_messages_share_round_trips() {
    let mut rest = message("ben@x.example", 16, "..a\r\n...\r\n..\r\nend\r\n.\r\n");
    // The next one's commands come before this one's reply.
    rest.extend([
        hear(&format!("{MAIL} SIZE=2 BODY=8BITMIME\r\nRCPT TO:<cy@x.example>\r\nDATA\r\n")),
        say("250 2.6.0 first\r\n250 ok\r\n250 ok\r\n354 go\r\n"),
        Step::Until("\r\n.\r\n"),
        say("554 5.2.252 SendAsDenied; ana not allowed to send as ben\r\n"),
        hear("QUIT\r\n"),
        say("221 bye\r\n"),
    ]);
    let (mut smtp, heard) = session(rest).await;
    let messages =
        [(to(&["ben@x.example"]), &b".a\r\n..\r\n.\r\nend\r\n"[..]), (to(&["cy@x.example"]), "é".as_bytes())];
    let mut outcomes = Vec::new();
    smtp.send_all(messages, &Options::default(), |at, outcome| outcomes.push((at, outcome.unwrap())))
        .await
        .unwrap();
    assert_eq!(outcomes.iter().map(|o| o.0).collect::<Vec<_>>(), [0, 1]);
    assert!(outcomes[0].1.is_accepted());
    let [Fate::Rejected { stage: Stage::Message, reply }] = &outcomes[1].1.recipients[..] else {
        panic!("{outcomes:?}")
    };
    assert!(!reply.is_transient() && reply.smtp_code() == Some(554));
    smtp.quit().await;
    heard.await.unwrap();
}

#[tokio::test]
async fn recipients_have_fates_of_their_own() {
    let both = "RCPT TO:<no@x.example>\r\nRCPT TO:<yes@x.example>\r\n";
    let envelope = |partial| Envelope { partial, ..to(&["no@x.example", "yes@x.example"]) };
    // All or none.
    let rest = vec![
        hear(&format!("{MAIL} SIZE=3\r\n{both}")),
        say("250 ok\r\n550 5.1.1 nobody\r\n250 ok\r\n"),
        hear("RSET\r\n"),
        say("250 ok\r\n"),
    ];
    let (mut smtp, _heard) = session(rest).await;
    let outcome = smtp.send_bytes(&envelope(Partial::Refuse), b"a\r\n", &Options::default()).await.unwrap();
    assert!(matches!(&outcome.recipients[..], [Fate::Rejected { .. }, Fate::Withheld]), "{outcome:?}");
    assert!(!outcome.is_transient());
    assert_eq!(outcome.retriable().collect::<Vec<_>>(), [1]);
    // Whoever can be reached.
    let rest = vec![
        hear(&format!("{MAIL} SIZE=3\r\n{both}DATA\r\n")),
        say("250 ok\r\n450 4.2.1 busy\r\n250 ok\r\n354 go\r\n"),
        hear("a\r\n.\r\n"),
        say("250 2.0.0 queued\r\n"),
    ];
    let (mut smtp, _heard) = session(rest).await;
    let outcome = smtp.send_bytes(&envelope(Partial::Accept), b"a\r\n", &Options::default()).await.unwrap();
    let [Fate::Rejected { reply, .. }, Fate::Accepted { .. }] = &outcome.recipients[..] else {
        panic!("{outcome:?}")
    };
    assert!(reply.is_transient() && !outcome.is_transient() && !outcome.is_accepted());
}

#[tokio::test]
async fn a_connection_cut_behind_the_final_dot_leaves_the_outcome_unknown() {
    // SM-05
    let cut = || {
        let mut rest = message("ben@x.example", 3, "a\r\n.\r\n");
        rest.push(Step::Close);
        rest
    };
    let (mut smtp, _heard) = session(cut()).await;
    let outcome = smtp.send_bytes(&to(&["ben@x.example"]), b"a\r\n", &Options::default()).await.unwrap();
    assert!(outcome.is_unknown() && !outcome.is_transient() && !outcome.is_accepted(), "{outcome:?}");
    assert!(!smtp.is_open());
    let (mut smtp, _heard) = session(cut()).await;
    let options = Options { size: Some(3), ..Options::default() };
    let outcome = smtp.send(&to(&["ben@x.example"]), &mut &b"a\r\n"[..], &options).await.unwrap();
    assert!(outcome.is_unknown(), "{outcome:?}");
    // Cut before it, it is certain that nothing was sent.
    let rest = vec![Step::Until("DATA\r\n"), say("250 ok\r\n250 ok\r\n"), Step::Close];
    let (mut smtp, _heard) = session(rest).await;
    let error = smtp.send_bytes(&to(&["ben@x.example"]), b"a\r\n", &Options::default()).await.unwrap_err();
    assert!(error.is_connection_lost() && error.is_transient(), "{error:?}");
}

#[tokio::test]
async fn what_the_server_cannot_take_is_not_begun() {
    let (mut smtp, heard) = session(vec![hear("QUIT\r\n"), say("221 bye\r\n")]).await;
    let options = Options { size: Some(1_000_001), ..Options::default() };
    let error = smtp.send(&to(&["ben@x.example"]), &mut &b""[..], &options).await.unwrap_err();
    assert!(matches!(error, Error::SmtpMisuse(_)), "{error:?}");
    let error = smtp.send_bytes(&to(&["é@x.example"]), b"a\r\n", &Options::default()).await.unwrap_err();
    assert!(matches!(error, Error::SmtpMisuse(_)), "{error:?}");
    smtp.quit().await;
    assert_eq!(heard.await.unwrap(), b"EHLO client.example\r\nQUIT\r\n");
    // INJ-11: it cannot even be said.
    assert!("a@x.example>\r\nRCPT TO:<b@x.example".parse::<Mailbox>().is_err());
    assert!(EhloName::new("a\r\nMAIL").is_err());
}

#[tokio::test]
async fn a_bare_line_feed_is_made_whole_or_refused() {
    let mut rest = message("ben@x.example", 8, "a\r\n..\r\nMAIL\r\n.\r\n");
    rest.push(say("250 ok\r\n"));
    let (mut smtp, _heard) = session(rest).await;
    let options = Options::default();
    smtp.send_bytes(&to(&["ben@x.example"]), b"a\n.\nMAIL", &options).await.unwrap();
    let rest = vec![Step::Until("DATA\r\n"), say("250 ok\r\n250 ok\r\n354 go\r\n")];
    let (mut smtp, heard) = session(rest).await;
    let options = Options { bare_newline: BareNewline::Refuse, ..options };
    let error = smtp.send_bytes(&to(&["ben@x.example"]), b"a\n.\nMAIL", &options).await.unwrap_err();
    assert!(matches!(error, Error::SmtpMisuse(_)), "{error:?}");
    drop(smtp);
    assert!(!heard.await.unwrap().ends_with(b".\r\n"));
}

#[tokio::test]
async fn a_stream_of_unknown_length_goes_out_in_chunks() {
    let body: Vec<u8> = (0..100_000_u32).flat_map(|n| format!("{n:06}\r\n").into_bytes()).collect();
    let rest = vec![
        hear(&format!("{MAIL}\r\nRCPT TO:<ben@x.example>\r\n")),
        say("250 ok\r\n250 ok\r\n"),
        Step::Until(" LAST\r\n"),
        Step::Until("099999\r\n"),
    ];
    let (server, heard) = {
        let mut script = connected(EHLO, rest);
        // One reply for each chunk: 800,000 octets by 32 KiB.
        script.push(say(&"250 ok\r\n".repeat(800_000_usize.div_ceil(32 << 10))));
        serve(script).await
    };
    let mut smtp = Smtp::connect(&server, &name()).await.unwrap();
    let options = Options { chunking: true, ..Options::default() };
    let outcome = smtp.send(&to(&["ben@x.example"]), &mut &body[..], &options).await.unwrap();
    assert!(outcome.is_accepted(), "{outcome:?}");
    smtp.leave().await;
    // Put together again.
    let heard = heard.await.unwrap();
    let mut rest = &heard[heard.windows(5).position(|w| w == b"BDAT ").unwrap()..];
    let mut arrived = Vec::new();
    while let Some(line) = rest.strip_prefix(b"BDAT ") {
        let end = line.iter().position(|o| *o == b'\n').unwrap();
        let head = std::str::from_utf8(&line[..end]).unwrap().trim();
        let len: usize = head.split(' ').next().unwrap().parse().unwrap();
        arrived.extend_from_slice(&line[end + 1..end + 1 + len]);
        rest = &line[end + 1 + len..];
    }
    assert!(arrived == body, "{} octets of {}", arrived.len(), body.len());
}

/// Gives something and then fails.
struct Broken(bool);

impl AsyncRead for Broken {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(Err(std::io::Error::other("the disk is gone")));
        }
        into.put_slice(b"half a mess");
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn a_source_that_breaks_leaves_no_half_message() {
    let rest = vec![Step::Until("DATA\r\n"), say("250 ok\r\n250 ok\r\n354 go\r\n")];
    let (mut smtp, heard) = session(rest).await;
    let error =
        smtp.send(&to(&["ben@x.example"]), &mut Broken(false), &Options::default()).await.unwrap_err();
    assert!(matches!(error, Error::Source(_)), "{error:?}");
    assert!(!smtp.is_open());
    drop(smtp);
    assert!(!heard.await.unwrap().ends_with(b".\r\n"));
}

#[tokio::test]
async fn a_server_from_before_ehlo_takes_a_plain_message() {
    let script = vec![
        say("220 old\r\n"),
        hear("EHLO client.example\r\n"),
        say("500 what?\r\n"),
        hear("HELO client.example\r\n"),
        say("250 old\r\n"),
        hear(&format!("{MAIL}\r\n")),
        say("250 ok\r\n"),
        hear("RCPT TO:<ben@x.example>\r\n"),
        say("250 ok\r\n"),
        hear("DATA\r\n"),
        say("354 go\r\n"),
        hear("a\r\n.\r\n"),
        say("250 ok\r\n"),
    ];
    let (server, _heard) = serve(script).await;
    let mut smtp = Smtp::connect(&server, &name()).await.unwrap();
    let outcome = smtp.send_bytes(&to(&["ben@x.example"]), b"a\r\n", &Options::default()).await.unwrap();
    assert!(outcome.is_accepted());
}
