//! STARTTLS: what comes before TLS does not survive it.

use postkey_imap_proto::{Security, State};

use crate::app::{App, TOKEN, converse, state_after};

#[test]
fn tls_and_then_the_session() {
    let login = format!("b LOGIN ana {TOKEN}\r\nc NOOP\r\n");
    let app = App::new(Security::StartTls);
    let (events, sent) = converse(&app, &[b"a STARTTLS\r\n", login.as_bytes()]);
    assert_eq!(events[0], "a STARTTLS");
    assert!(events[1].starts_with("b Login"), "{events:?}");
    assert_eq!(sent, ["* OK ready", "a OK begin TLS", "b OK completed.", "c OK completed."]);
}

#[test]
fn commands_injected_behind_starttls_are_never_executed() {
    // SV-01, CVE-2021-33515: one octet or a whole command, in one segment or in several.
    for injected in ["b NOOP\r\n", "b LOGIN ana x\r\nc SELECT INBOX\r\n", "\r\n", " ", "{5+}\r\n"] {
        let text = format!("a STARTTLS\r\n{injected}");
        let (events, sent) = converse(&App::new(Security::StartTls), &[text.as_bytes(), b"d NOOP\r\n"]);
        assert_eq!(events, ["a STARTTLS", "error: StarttlsInjection"], "{injected:?}");
        assert_eq!(sent, ["* OK ready", "a OK begin TLS"], "{injected:?}");
    }
}

#[test]
fn credentials_are_not_looked_at_without_tls() {
    // SV-20
    let login = format!("a LOGIN ana {TOKEN}\r\n");
    for line in [login.as_str(), "a AUTHENTICATE XOAUTH2 dXNlcj1h\r\n", "a AUTHENTICATE PLAIN\r\n"] {
        let (events, sent) = converse(&App::new(Security::StartTls), &[line.as_bytes()]);
        assert_eq!(events[0], "a bad: NoTls");
        assert_eq!(sent[1], "a BAD not like that");
    }
    let (events, _) = converse(&App::new(Security::DangerousPlaintext), &[login.as_bytes()]);
    assert!(events[0].starts_with("a Login"));
}

#[test]
fn tls_is_there_once() {
    let app = App::new(Security::StartTls);
    let (events, _) = converse(&app, &[b"a STARTTLS\r\n", b"b STARTTLS\r\n"]);
    assert_eq!(events[1], "b bad: State(NotAuthenticated)");
    assert_eq!(state_after(&app, b"a STARTTLS\r\n"), State::NotAuthenticated);
    let (events, _) = converse(&app, &[b"a STARTTLS\r\n"]);
    assert_eq!(events[1..], ["error: Closed(Idle)"]);
}
