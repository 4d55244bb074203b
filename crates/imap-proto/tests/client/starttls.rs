//! STARTTLS, and what must not be taken from before it.

use postkey_imap_proto::Security;
use postkey_imap_proto::testkit::{Action, ScriptedClient};
use postkey_imap_proto::types::Command;
use wire::Need;
use wire::testkit::check;

use crate::{TOKEN, has, last, sent, turns, xoauth2};

#[test]
fn starttls_forgets_what_was_said_before() {
    // ST-14: nothing said in the clear is an event.
    let before = "* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=EVIL] hi\r\n* LIST () \"/\" EVIL\r\n\
        * STATUS EVIL (MESSAGES 5)\r\n* 5 EXISTS\r\n* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n* FLAGS (\\Evil)\r\n\
        * SEARCH 1 2 3\r\n* OK [ALERT] EVIL\r\nA1 OK go\r\n";
    let after = "* CAPABILITY IMAP4rev1 AUTH=XOAUTH2\r\nA2 OK done\r\n";
    let script = || vec![Action::StartTls, Action::Send(Command::Capability)];
    let mut flights = turns(before);
    flights.push(after.as_bytes());
    let o = check(|| ScriptedClient::new(Security::StartTls, script()), &flights, &[]);
    let behind: Vec<_> = o.transcript.iter().skip(1).collect();
    assert!(
        !behind.iter().any(|l| l.contains("EVIL") || l.contains("Evil") || l.contains("Fetch")),
        "{behind:#?}"
    );
    assert!(has(&o, "XOAuth2") || has(&o, "XOAUTH2"), "{:#?}", o.transcript);
    assert_eq!(sent(&o), "A1 STARTTLS\r\nA2 CAPABILITY\r\n");
}

#[test]
fn octets_behind_starttls_end_the_connection() {
    // ST-01, ST-02, ST-04
    for behind in ["* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nA2 OK done\r\n", "* OK [ALERT] call\r\n", " "] {
        let greeting = b"* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n";
        let reply = format!("A1 OK begin TLS\r\n{behind}");
        let script = || vec![Action::StartTls, Action::Authenticate(xoauth2())];
        let o = check(
            || ScriptedClient::new(Security::StartTls, script()),
            &[greeting, reply.as_bytes()],
            &[TOKEN],
        );
        assert_eq!(last(&o), "error: StarttlsInjection");
        assert_eq!(o.end, Need::Close);
        assert_eq!(sent(&o), "A1 STARTTLS\r\n");
    }
}

#[test]
fn preauth_where_tls_was_wanted_sends_nothing() {
    // ST-10
    let o = check(
        || ScriptedClient::new(Security::StartTls, [Action::StartTls]),
        &[b"* PREAUTH [CAPABILITY IMAP4rev1] welcome\r\n"],
        &[],
    );
    assert_eq!(o.transcript, ["error: PreauthWithoutTls"]);
    assert!(o.sent.is_empty());
}
