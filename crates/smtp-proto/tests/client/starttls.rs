//! STARTTLS (RFC 3207), and what does not go out without it.

use crate::{last, message, saw, sent, with, xoauth2};
use postkey_smtp_proto::testkit::{Action, ScriptedClient};
use postkey_smtp_proto::{Config, Security};
use wire::testkit::{check, run};

#[test]
fn starttls_forgets_what_was_said_before() {
    let script =
        || vec![Action::Hello, Action::StartTls, Action::Send(vec![message(&["a@b"])]), Action::Hello];
    let server =
        "220 mx\r\n250-mx\r\n250-STARTTLS\r\n250 AUTH EVIL\r\n220 go\r\n250-mx\r\n250 AUTH XOAUTH2\r\n";
    let o = with(Config::new(Security::StartTls), script, server);
    assert_eq!(sent(&o), "EHLO client.example\r\nSTARTTLS\r\nEHLO client.example\r\n");
    saw(&o, "STARTTLS 220 go");
    saw(&o, "gives Err(State)");
}

#[test]
fn octets_behind_starttls_end_the_connection() {
    for behind in ["250 x\r\n", "235 Authenticated\r\n250 ok\r\n", " "] {
        let reply = format!("220 go\r\n{behind}");
        let script = || vec![Action::Hello, Action::StartTls, Action::Hello];
        let o = check(
            || ScriptedClient::new(Security::StartTls, script()),
            &[b"220 mx\r\n", b"250-mx\r\n250 STARTTLS\r\n", reply.as_bytes()],
            &[],
        );
        assert_eq!(last(&o), "error: StarttlsInjection");
        assert_eq!(sent(&o), "EHLO client.example\r\nSTARTTLS\r\n");
    }
}

#[test]
fn without_tls_nothing_of_value_is_sent() {
    // ST-31, ST-32, ST-33
    let script = || {
        vec![
            Action::Hello,
            Action::StartTls,
            Action::Helo,
            Action::Authenticate(xoauth2()),
            Action::Send(vec![message(&["a@b"])]),
        ]
    };
    let o = with(Config::new(Security::StartTls), script, "220 mx\r\n502 no\r\n454 no\r\n250 x\r\n");
    assert_eq!(sent(&o), "EHLO client.example\r\nSTARTTLS\r\nHELO client.example\r\n");
    assert_eq!(o.transcript.iter().filter(|l| *l == "gives Err(NoTls)").count(), 2);
    // Replies to commands that were never sent.
    let injected = "454 no\r\n235 Authenticated\r\n250 ok\r\n250 ok\r\n354 go\r\n250 queued\r\n";
    let flights: Vec<&[u8]> = vec![b"220 mx\r\n", b"250-mx\r\n250 STARTTLS\r\n", injected.as_bytes()];
    let o = run(&mut ScriptedClient::new(Security::StartTls, script()), &flights, &mut |n| n);
    saw(&o, "STARTTLS 454 no");
    assert!(last(&o).starts_with("error: Desync"), "{}", last(&o));
    assert_eq!(sent(&o), "EHLO client.example\r\nSTARTTLS\r\n");
}

#[test]
fn a_sign_in_before_tls_is_forgotten_with_the_rest() {
    // RFC 3207 section 4.2
    let script = || {
        vec![
            Action::Hello,
            Action::Authenticate(xoauth2()),
            Action::StartTls,
            Action::Hello,
            Action::Authenticate(xoauth2()),
        ]
    };
    let server = "220 mx\r\n250-mx\r\n250-STARTTLS\r\n250 AUTH XOAUTH2\r\n235 in\r\n220 go\r\n250-mx\r\n250 AUTH XOAUTH2\r\n235 in again\r\n";
    let o = with(Config::new(Security::DangerousPlaintext), script, server);
    saw(&o, "in again");
    assert_eq!(sent(&o).matches("AUTH XOAUTH2").count(), 2);
}
