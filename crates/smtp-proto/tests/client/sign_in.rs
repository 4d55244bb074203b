//! AUTH (RFC 4954).

use crate::{ByHand, EHLO, TOKEN, behind, last, plain, saw, sent, with, xoauth2};
use postkey_smtp_proto::testkit::Action;
use postkey_smtp_proto::{Config, InitialResponse, Security};
use wire::{Machine as _, Need, Tick};

const BLOB: &str = "dXNlcj1hbmFAY29udG9zby5leGFtcGxl";

#[test]
fn a_short_initial_response_rides_on_the_command_and_a_long_one_waits() {
    let o = plain(EHLO, || vec![Action::Authenticate(xoauth2())], "235 2.7.0 Authentication successful\r\n");
    assert!(behind(&o).starts_with(&format!("AUTH XOAUTH2 {BLOB}")), "{}", behind(&o));
    saw(&o, "AUTH 235 2.7.0 Authentication successful");
    // As servers were seen to send it: 334 with and without a blank, with text that is no base64 and with text that looks like it.
    for invitation in ["334 \r\n", "334\r\n", "334 go ahead\r\n", "334 Continue\r\n"] {
        let mut config = Config::new(Security::DangerousPlaintext);
        config.initial_response = InitialResponse::Never;
        let script = || vec![Action::Hello, Action::Authenticate(xoauth2())];
        let o = with(config, script, &format!("{EHLO}{invitation}235 in\r\n"));
        assert!(behind(&o).starts_with(&format!("AUTH XOAUTH2\r\n{BLOB}")), "{invitation:?}: {}", behind(&o));
        saw(&o, "AUTH 235 in");
    }
    // The whole line has 512 octets at most, CRLF included (RFC 5321 section 4.5.3.1.4).
    for user in [1, 40, 41, 42, 43, 44, 45, 46, 200] {
        let mechanism = sasl::plain::Client::new(&"u".repeat(user), "p".repeat(320).into()).unwrap();
        let ByHand { mut client, mut input } = ByHand::greeted("AUTH PLAIN");
        client.authenticate(Box::new(mechanism)).unwrap();
        assert_eq!(client.advance(&mut input, Tick::ZERO), Need::Input);
        let n = client.output().len();
        let whole = "AUTH PLAIN \r\n".len() + (user + 322).div_ceil(3) * 4;
        assert_eq!(n, if whole <= 512 { whole } else { "AUTH PLAIN\r\n".len() }, "{user}");
    }
}

#[test]
fn success_before_the_credentials_is_no_success() {
    let mut config = Config::new(Security::DangerousPlaintext);
    config.initial_response = InitialResponse::Never;
    let o =
        with(config, || vec![Action::Hello, Action::Authenticate(xoauth2())], &format!("{EHLO}235 in\r\n"));
    assert_eq!(last(&o), "error: Sasl(EarlySuccess)");
}

#[test]
fn refusals_keep_their_codes_and_lose_the_token() {
    // SM-12, LG-02
    let b64 = "dXNlcj1hbmFAY29udG9zby5leGFtcGxlAWF1dGg9QmVhcmVyIGV5SjBlWEFpT2lKS1YxUWlM";
    for code in ["535 5.7.3", "432 4.7.12", "454 4.7.0", "535 5.7.139"] {
        let o = plain(
            EHLO,
            || vec![Action::Authenticate(xoauth2()), Action::Noop],
            &format!("{code} bad {TOKEN} {b64}\r\n250 still here {TOKEN}\r\n"),
        );
        saw(&o, &format!("AUTH {code} bad (redacted) (redacted)"));
        saw(&o, "NOOP 250 still here (redacted)");
    }
}

#[test]
fn no_credentials_in_the_clear() {
    let script = || vec![Action::Hello, Action::Authenticate(xoauth2())];
    let o = with(Config::new(Security::StartTls), script, EHLO);
    saw(&o, "gives Err(NoTls)");
    assert_eq!(sent(&o), "EHLO client.example\r\n");
}

#[test]
fn each_sign_in_has_its_own_time() {
    use crate::ByHand;
    use wire::{Machine as _, Need, Tick};
    let at = |seconds: u64| Tick::from_millis(seconds * 1_000);
    let mut c = ByHand::greeted("AUTH XOAUTH2");
    c.client.authenticate(xoauth2()).unwrap();
    assert_eq!(c.client.advance(&mut c.input, at(0)), Need::Input);
    let n = c.client.output().len();
    c.client.output().sent(n);
    c.input.extend(b"535 5.7.3 expired\r\n");
    assert_eq!(c.client.advance(&mut c.input, at(40)), Need::Event);
    c.client.event().unwrap().unwrap();
    c.client.authenticate(xoauth2()).unwrap();
    assert_eq!(c.client.advance(&mut c.input, at(70)), Need::Input);
    assert_eq!(c.client.deadline(), Some(at(130)));
}

#[test]
fn an_error_that_cuts_a_line_short_shows_no_part_of_a_password() {
    // LG-03
    for before in 0..64 {
        let mut c = crate::ByHand::greeted("AUTH PLAIN");
        let plain = sasl::plain::Client::new("ana", "hunter2".into()).unwrap();
        c.client.authenticate(Box::new(plain)).unwrap();
        let error = c.hear(&format!("5x5 {}hunter2 is wrong\r\n", "y".repeat(before))).unwrap();
        assert!(!error.to_string().contains("hunt"), "{error}");
    }
}

#[test]
fn half_a_token_in_an_error_challenge_is_blotted_out() {
    // LG-03
    let json = format!("{{\"status\":\"401\",\"scope\":\"{}\"}}", &crate::TOKEN[5..40]);
    let server = format!("334 {}\r\n535 no\r\n", sasl::base64::encode(json.as_bytes()));
    let o = crate::plain(crate::EHLO, || vec![Action::Authenticate(xoauth2())], &server);
    saw(&o, "401");
    crate::saw_not(&o, &crate::TOKEN[5..13]);
}
