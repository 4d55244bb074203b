//! AUTHENTICATE and LOGIN.

use postkey_imap_proto::Security;
use postkey_imap_proto::testkit::{Action, ScriptedClient};
use postkey_imap_proto::types::{AString, Command};
use wire::testkit::check;

use crate::{TOKEN, has, last, oauthbearer, plain, sent, turns, xoauth2};

#[test]
fn xoauth2_with_an_initial_response_is_one_line() {
    let o = plain(
        || vec![Action::Authenticate(xoauth2())],
        "* OK [CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR] ready\r\nA1 OK AUTHENTICATE completed.\r\n",
    );
    assert!(sent(&o).starts_with("A1 AUTHENTICATE XOAUTH2 dXNlcj1hbmFAY29udG9zby5leGFtcGxl"), "{}", sent(&o));
    assert_eq!(sent(&o).matches("\r\n").count(), 1);
    assert!(has(&o, "AUTHENTICATE completed."));
}

#[test]
fn without_sasl_ir_the_response_waits_for_the_plus_with_or_without_a_blank() {
    for plus in ["+\r\n", "+ \r\n"] {
        let o = plain(
            || vec![Action::Authenticate(xoauth2())],
            &format!("* OK [CAPABILITY IMAP4rev1 AUTH=XOAUTH2] ready\r\n{plus}A1 OK done\r\n"),
        );
        assert!(sent(&o).starts_with("A1 AUTHENTICATE XOAUTH2\r\ndXNlcj1"), "{}", sent(&o));
    }
}

#[test]
fn an_error_challenge_is_answered_and_its_status_is_known() {
    // SA-02; Gmail and Dovecot.
    let server = "* OK [CAPABILITY IMAP4rev1 SASL-IR] hi\r\n\
        + eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIiwic2NvcGUiOiJ4In0=\r\nA1 NO AUTHENTICATE failed.\r\n";
    let o = plain(|| vec![Action::Authenticate(xoauth2())], server);
    assert!(sent(&o).ends_with("\r\n\r\n"), "XOAUTH2 answers with an empty line");
    assert!(has(&o, "status: \"400\""), "{:#?}", o.transcript);
    let o = plain(|| vec![Action::Authenticate(oauthbearer())], server);
    assert!(sent(&o).ends_with("\r\nAQ==\r\n"), "OAUTHBEARER answers with 0x01");
}

#[test]
fn a_challenge_that_is_no_base64_is_cancelled() {
    // SA-01
    let o = plain(
        || vec![Action::Authenticate(xoauth2())],
        "* OK [CAPABILITY IMAP4rev1 SASL-IR] hi\r\n+ %%%not base64\r\nA1 BAD cancelled\r\n",
    );
    assert!(sent(&o).ends_with("\r\n*\r\n"));
    assert!(has(&o, "InvalidBase64"), "{:#?}", o.transcript);
}

#[test]
fn a_challenge_without_end_is_cut_at_its_own_limit() {
    // SA-03
    let mut server = b"* OK [CAPABILITY IMAP4rev1 SASL-IR] hi\r\n+ ".to_vec();
    server.extend(b"QUFB".repeat(20_000));
    let make = || ScriptedClient::new(Security::DangerousPlaintext, [Action::Authenticate(xoauth2())]);
    let o =
        wire::testkit::run(&mut make(), &turns(std::str::from_utf8(&server).unwrap()), &mut |n| n.min(5000));
    assert_eq!(last(&o), "error: Limit(SaslChallenge)");
}

#[test]
fn challenges_without_end_are_given_up() {
    // SA-05
    let server = format!("* OK [CAPABILITY IMAP4rev1 SASL-IR] hi\r\n{}", "+ \r\n".repeat(50));
    let o = plain(|| vec![Action::Authenticate(xoauth2())], &server);
    assert!(has(&o, "error: Sasl("), "{:#?}", o.transcript);
}

#[test]
fn success_before_the_credentials_is_no_success() {
    // SA-09
    let o =
        plain(|| vec![Action::Authenticate(xoauth2())], "* OK [CAPABILITY IMAP4rev1] hi\r\nA1 OK done\r\n");
    assert_eq!(last(&o), "error: Sasl(EarlySuccess)");
}

#[test]
fn an_echoed_token_is_blotted_out() {
    // SA-06, LG-02, LG-03
    let b64 = "dXNlcj1hbmFAY29udG9zby5leGFtcGxlAWF1dGg9QmVhcmVyIGV5SjBlWEFpT2lKS1YxUWlM";
    let half = &TOKEN[TOKEN.len() - 12..];
    let server = format!(
        "* OK [CAPABILITY IMAP4rev1 SASL-IR] hi\r\n* OK [ALERT] you sent {TOKEN}\r\n* NO {half}\r\nA1 NO bad {b64}\r\n"
    );
    let o = plain(|| vec![Action::Authenticate(xoauth2())], &server);
    let all = o.transcript.join("\n");
    assert!(!all.contains(half) && !all.contains(&b64[20..40]), "{all}");
    assert_eq!(all.matches("(redacted)").count(), 3, "{all}");
}

#[test]
fn credentials_need_tls() {
    let server = "* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN] hi\r\n";
    let login =
        || Command::Login { user: AString::new(&b"ana"[..]).unwrap(), password: b"hunter2".to_vec().into() };
    let script = || vec![Action::Authenticate(xoauth2()), Action::Send(login())];
    let o = check(
        || ScriptedClient::new(Security::StartTls, script()),
        &[server.as_bytes()],
        &[TOKEN, "hunter2"],
    );
    assert_eq!(o.transcript.iter().filter(|l| *l == "gives Err(NoTls)").count(), 2);
    assert!(o.sent.is_empty());
}

#[test]
fn logindisabled_forbids_login_and_only_login() {
    let server = "* OK [CAPABILITY IMAP4rev1 AUTH=XOAUTH2 LOGINDISABLED SASL-IR] hi\r\nA1 OK in\r\n";
    let login =
        || Command::Login { user: AString::new(&b"ana"[..]).unwrap(), password: b"hunter2".to_vec().into() };
    let o = plain(|| vec![Action::Send(login()), Action::Authenticate(xoauth2())], server);
    assert_eq!(o.transcript[1], "gives Err(LoginDisabled)");
    assert!(sent(&o).starts_with("A1 AUTHENTICATE"));
}
