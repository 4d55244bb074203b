//! AUTHENTICATE, with the messages of Google's and Microsoft's descriptions of XOAUTH2 and of RFC 4616.

use postkey_imap_proto::types::{Code, StatusKind};
use postkey_imap_proto::{Misuse, Security, State};
use sasl::{ErrorChallenge, ServerExchange, Verdict, base64};
use wire::testkit::Subject as _;
use wire::{InBuf, Machine as _, Need, Tick};

use crate::app::{App, TOKEN, converse, state_after};

fn xoauth2(token: &str) -> String {
    base64::encode(format!("user=ana@contoso.example\x01auth=Bearer {token}\x01\x01").as_bytes())
}

fn tls() -> App {
    App::new(Security::Tls)
}

#[test]
fn with_an_initial_response() {
    let text = format!("A1 AUTHENTICATE XOAUTH2 {}\r\nA2 SELECT INBOX\r\n", xoauth2(TOKEN));
    let (events, sent) = converse(&tls(), &[text.as_bytes()]);
    assert_eq!(events[0], "A1 AUTHENTICATE XOAUTH2 initial=true");
    assert!(events[1].contains("ana@contoso.example") && events[1].contains("[redacted]"), "{}", events[1]);
    assert_eq!(events[2], "sign-in: Ok(())");
    assert_eq!(sent[1], "A1 OK AUTHENTICATE completed.");
    assert_eq!(sent[3], "A2 OK [READ-WRITE] completed.");
}

#[test]
fn without_an_initial_response() {
    let text = format!("A1 AUTHENTICATE XOAUTH2\r\n{}\r\n", xoauth2(TOKEN));
    let (events, sent) = converse(&tls(), &[text.as_bytes()]);
    assert_eq!(events[0], "A1 AUTHENTICATE XOAUTH2 initial=false");
    assert_eq!(sent[1..], ["+ ", "A1 OK AUTHENTICATE completed."]);
    // As Exchange Online says it.
    let mut app = tls();
    app.config.bare_plus = true;
    let (_, sent) = converse(&app, &[text.as_bytes()]);
    assert_eq!(sent[1..], ["+", "A1 OK AUTHENTICATE completed."]);
}

#[test]
fn refused_at_once_as_by_exchange_or_after_a_challenge_as_by_gmail() {
    let text = format!("a AUTHENTICATE XOAUTH2 {}\r\n", xoauth2("bad.tok"));
    let (events, sent) = converse(&tls(), &[text.as_bytes(), b""]);
    assert_eq!(events[2], "sign-in: Err(Refused)");
    assert_eq!(sent[1..], ["a NO AUTHENTICATE failed."]);

    let app = App { refusal: Some(ErrorChallenge::new("400")), ..tls() };
    let answered = format!("{text}\r\nb NOOP\r\n");
    let (events, sent) = converse(&app, &[answered.as_bytes()]);
    assert_eq!(events[2..4], ["sign-in: Err(Refused)", "b Noop"]);
    let challenge = sent[1].strip_prefix("+ ").unwrap();
    assert_eq!(base64::decode(challenge.as_bytes()).unwrap(), b"{\"status\":\"400\"}");
    assert_eq!(sent[2..], ["a NO AUTHENTICATE failed.", "b OK completed."]);
}

#[test]
fn a_cancelled_exchange_and_a_malformed_one_are_over() {
    let (events, sent) = converse(&tls(), &[b"a AUTHENTICATE XOAUTH2\r\n*\r\nb NOOP\r\n"]);
    assert_eq!(events[1], "sign-in: Err(Cancelled)");
    assert_eq!(sent[1..], ["+ ", "a NO AUTHENTICATE failed.", "b OK completed."]);
    let (events, _) = converse(&tls(), &[b"a AUTHENTICATE XOAUTH2\r\n!!!\r\nb NOOP\r\n"]);
    assert_eq!(events[1], "sign-in: Err(InvalidBase64)");
    let (events, _) = converse(&tls(), &[b"a AUTHENTICATE XOAUTH2\r\nZm9v\r\nb NOOP\r\n"]);
    assert_eq!(events[1], "sign-in: Err(MalformedResponse)");
    // A literal has no place in a response; its octets are lines like any other.
    let (events, _) = converse(&tls(), &[b"a AUTHENTICATE PLAIN\r\n{5+}\r\nb NOOP\r\n"]);
    assert_eq!(events[1..3], ["sign-in: Err(InvalidBase64)", "b Noop"]);
}

#[test]
fn plain_as_in_rfc_4616_and_a_mechanism_nobody_has() {
    // RFC 4616 section 4: [NUL]tim[NUL]tanstaaftanstaaf
    let (events, sent) = converse(
        &tls(),
        &[b"a AUTHENTICATE PLAIN AHRpbQB0YW5zdGFhZnRhbnN0YWFm\r\nb AUTHENTICATE KERBEROS_V4\r\n"],
    );
    assert!(events[1].starts_with("Password { authzid: None, user: \"tim\""), "{events:?}");
    assert_eq!(sent[1..], ["a NO AUTHENTICATE failed.", "b NO no such mechanism"]);
}

#[test]
fn long_tokens_pass_and_endless_ones_do_not() {
    let long = "t".repeat(16 << 10);
    for text in [
        format!("a AUTHENTICATE XOAUTH2 {}\r\nb NOOP\r\n", xoauth2(&long)),
        format!("a AUTHENTICATE XOAUTH2\r\n{}\r\nb NOOP\r\n", xoauth2(&long)),
    ] {
        let outcome = wire::testkit::run(&mut tls().start(), &[text.as_bytes()], &mut |n| n.min(1000));
        assert_eq!(outcome.transcript[2..4], ["sign-in: Err(Refused)", "b Noop"]);
    }
    for text in [
        format!("a AUTHENTICATE XOAUTH2 {}", "A".repeat(100_000)),
        format!("a AUTHENTICATE XOAUTH2\r\n{}", "A".repeat(100_000)),
    ] {
        let outcome = wire::testkit::run(&mut tls().start(), &[text.as_bytes()], &mut |n| n.min(1000));
        let last = outcome.transcript.last().unwrap();
        assert!(
            last == "a bad: Limit(Line) closes" || last == "a bad: Limit(SaslChallenge) closes",
            "{last}"
        );
        assert_eq!(outcome.end, Need::Close);
    }
}

#[test]
fn nobody_is_signed_in_by_a_word_of_the_application_alone() {
    let line = format!("a AUTHENTICATE XOAUTH2 {}\r\n", xoauth2("bad.tok"));
    let mut running = tls().start();
    let mut input = InBuf::new(1 << 20);
    input.extend(line.as_bytes());
    let mut transcript = vec![];
    let s = &mut running;
    assert_eq!(s.server.advance(&mut input, Tick::ZERO), Need::Event);
    s.event(&input, &mut transcript);
    assert_eq!(s.server.complete(StatusKind::Ok, None, "x"), Err(Misuse::State));
    let exchange = ServerExchange::named("XOAUTH2", s.server.sasl_limits()).unwrap();
    s.server.begin_auth(exchange).unwrap();
    assert_eq!(s.server.complete(StatusKind::Ok, None, "x"), Err(Misuse::State));
    assert_eq!(s.server.advance(&mut input, Tick::ZERO), Need::Event);
    s.event(&input, &mut transcript);
    assert_eq!(s.server.complete(StatusKind::Ok, None, "x"), Err(Misuse::State));
    s.server.verdict(Verdict::Refuse(None)).unwrap();
    assert_eq!(s.server.complete(StatusKind::Ok, None, "x"), Err(Misuse::State));
    assert_eq!(s.server.state(), State::NotAuthenticated);
    s.server.complete(StatusKind::No, Some(Code::AuthenticationFailed), "AUTHENTICATE failed.").unwrap();
    assert_eq!(s.server.state(), State::NotAuthenticated);
}

#[test]
fn the_state_changes_with_the_reply() {
    assert_eq!(
        state_after(&tls(), format!("a AUTHENTICATE XOAUTH2 {}\r\n", xoauth2(TOKEN)).as_bytes()),
        State::Authenticated
    );
    assert_eq!(
        state_after(&tls(), format!("a AUTHENTICATE XOAUTH2 {}\r\n", xoauth2("x")).as_bytes()),
        State::NotAuthenticated
    );
}
