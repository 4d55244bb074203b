//! STLS (RFC 2595 section 4).

use crate::{TOKEN, has, last, send, sent, xoauth2};
use postkey_pop3_proto::Security;
use postkey_pop3_proto::testkit::{Action, ScriptedClient};
use postkey_pop3_proto::types::{Command, Digest, Name};
use wire::testkit::{Subject as _, check};
use wire::{InBuf, Need, Tick};

#[test]
fn stls_forgets_what_was_said_before() {
    let script = || {
        vec![
            send(Command::Capa),
            Action::Stls,
            Action::Apop(
                Name::new("ana").unwrap(),
                Digest::new(&"0123456789abcdef0123456789abcdef".into()).unwrap(),
            ),
            xoauth2(),
        ]
    };
    let make = || ScriptedClient::new(Security::StartTls, script());
    let flights: [&[u8]; 5] = [
        b"+OK ready <1.2@x>\r\n",
        b"+OK\r\nSTLS\r\nPIPELINING\r\nSASL EVIL\r\nX-EVIL\r\n.\r\n",
        b"+OK begin TLS\r\n",
        b"+ \r\n",
        b"+OK in\r\n",
    ];
    let o = check(make, &flights, &[TOKEN]);
    assert!(!has(&o, "EVIL"), "nothing said in the clear is shown: {:#?}", o.transcript);
    assert!(has(&o, "gives Err(NoTimestamp)"), "{:#?}", o.transcript);
    assert!(sent(&o).starts_with("CAPA\r\nSTLS\r\nAUTH XOAUTH2\r\ndXNl"));
    // The machine knew the capabilities before and does not know them after.
    let mut subject = make();
    let mut input = InBuf::new(1 << 16);
    let mut transcript = vec![];
    let mut flights = flights.iter();
    let mut known = vec![];
    loop {
        match subject.machine().advance(&mut input, Tick::ZERO) {
            Need::Event => subject.event(&input, &mut transcript),
            Need::App => {
                known.push((
                    subject.client.capabilities().map(|c| c.len()),
                    subject.client.timestamp().is_some(),
                ));
                if !subject.app(&mut transcript) {
                    break;
                }
            }
            Need::Upgrade(_) => subject.machine().upgraded(wire::Upgraded::tls()),
            Need::Input => match flights.next() {
                Some(flight) => assert_eq!(input.extend(flight), flight.len()),
                None => break,
            },
            Need::Close => break,
        }
    }
    assert_eq!(known[..3], [(None, true), (Some(4), true), (None, false)]);
}

#[test]
fn octets_behind_stls_end_the_connection() {
    for behind in ["+OK in\r\n", "-ERR no\r\n", " "] {
        let reply = format!("+OK begin TLS\r\n{behind}");
        let o = check(
            || ScriptedClient::new(Security::StartTls, vec![Action::Stls, xoauth2()]),
            &[b"+OK hi\r\n", reply.as_bytes()],
            &[TOKEN],
        );
        assert_eq!(last(&o), "error: StlsInjection");
        assert_eq!(o.end, Need::Close);
        assert_eq!(sent(&o), "STLS\r\n");
    }
}

#[test]
fn stls_must_not_follow_utf8() {
    // RFC 6856 section 2.1
    let o = check(
        || ScriptedClient::new(Security::StartTls, vec![send(Command::Utf8), Action::Stls]),
        &[b"+OK hi\r\n", b"+OK UTF8 enabled\r\n"],
        &[],
    );
    assert_eq!(last(&o), "gives Err(State)");
}
