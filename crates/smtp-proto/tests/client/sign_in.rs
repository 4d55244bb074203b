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
