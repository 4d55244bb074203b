//! STLS (RFC 2595 section 4).

use postkey_pop3_proto::Security;

use crate::app::{App, DIGEST, TOKEN, converse};

fn app() -> App {
    App::new(Security::StartTls)
}

#[test]
fn no_credential_is_taken_in_the_clear() {
    // SV-20, ST-23
    let text = format!(
        "USER ana\r\nPASS {TOKEN}\r\nAPOP ana {DIGEST}\r\nAUTH PLAIN\r\nAUTH XOAUTH2 {TOKEN}\r\nCAPA\r\n"
    );
    let (events, _) = converse(&app(), &[text.as_bytes()]);
    assert!(events[..5].iter().all(|e| e.contains("NoTls")), "{events:#?}");
    assert_eq!(events[5], "Command(Capa)");
}

#[test]
fn a_session_over_tls() {
    let after = format!("USER ana\r\nPASS {TOKEN}\r\nSTAT\r\nSTLS\r\nQUIT\r\n");
    let (_, sent) = converse(&app(), &[b"CAPA\r\nSTLS\r\n", after.as_bytes()]);
    assert_eq!(
        sent[6..],
        ["+OK begin TLS", "+OK done", "+OK signed in", "+OK 2 47", "-ERR not like that", "+OK signing off"]
    );
}

#[test]
fn commands_behind_stls_are_not_run() {
    // SV-02
    for behind in ["CAPA\r\n", "USER ana\r\n", " ", "\r\n"] {
        let text = format!("STLS\r\n{behind}");
        let (events, sent) = converse(&app(), &[text.as_bytes()]);
        assert_eq!(events, ["Stls", "error: StlsInjection"], "{behind:?}");
        assert_eq!(sent, ["+OK begin TLS"]);
    }
}

#[test]
fn what_was_said_before_tls_does_not_count_after() {
    // The name of USER would have been accepted in the clear only where that is allowed.
    let mut app = App::new(Security::DangerousPlaintext);
    app.pipelining = false;
    let after = format!("PASS {TOKEN}\r\n");
    let (events, _) = converse(&app, &[b"USER ana\r\nSTLS\r\n", after.as_bytes()]);
    assert!(events[2].contains("BadCommand"), "{events:#?}");
}

#[test]
fn a_refusal_of_stls_changes_nothing() {
    let mut running = app().start();
    let mut input = wire::InBuf::new(1 << 16);
    use wire::Machine as _;
    input.extend(b"STLS\r\nUSER ana\r\n");
    assert_eq!(running.server.advance(&mut input, wire::Tick::ZERO), wire::Need::Event);
    running.server.event().unwrap().unwrap();
    running.server.complete(&postkey_pop3_proto::types::Reply::err("not now").unwrap()).unwrap();
    assert_eq!(running.server.advance(&mut input, wire::Tick::ZERO), wire::Need::Event);
    assert!(format!("{:?}", running.server.event()).contains("NoTls"));
}
