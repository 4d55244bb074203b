//! Signing in: AUTH, USER and PASS.

use crate::{BLOB, TOKEN, clear, count, has, last, login, oauthbearer, plain, send, sent, turns, xoauth2};
use postkey_pop3_proto::testkit::{Action, ScriptedClient};
use postkey_pop3_proto::types::{Command, Digest, Lang, Name};
use postkey_pop3_proto::{Config, InitialResponse, Security};
use wire::testkit::{check, run};

#[test]
fn auth_waits_for_the_plus_with_or_without_a_blank() {
    // An initial response makes Exchange close the connection.
    for plus in ["+\r\n", "+ \r\n"] {
        let o = clear(
            || vec![xoauth2()],
            &format!(
                "+OK The Microsoft Exchange POP3 service is ready. [QgBO]\r\n{plus}+OK User successfully logged on.\r\n"
            ),
        );
        assert!(sent(&o).starts_with("AUTH XOAUTH2\r\ndXNlcj1"), "{}", sent(&o));
        assert!(has(&o, "User successfully logged on."), "{:#?}", o.transcript);
    }
}

#[test]
fn an_initial_response_rides_only_within_255_octets() {
    // RFC 5034 section 4; the whole line with its CRLF counts.
    let line = |password_len: usize| {
        let script = || {
            let secret = "p".repeat(password_len);
            vec![Action::Authenticate(Box::new(
                sasl::plain::Client::new("ana", secret.as_str().into()).unwrap(),
            ))]
        };
        let mut config = Config::new(Security::DangerousPlaintext);
        config.initial_response = InitialResponse::WhenShort;
        let o = check(
            || ScriptedClient::with_config(config, script()),
            &turns("+OK hi\r\n+ \r\n+OK in\r\n"),
            &["ppppp"],
        );
        sent(&o).split_inclusive("\r\n").next().unwrap().len()
    };
    // "AUTH PLAIN " and CRLF are 13 octets, so 240 octets of Base64 fit and the next group does not.
    let longest = 240 / 4 * 3 - "\0ana\0".len();
    assert_eq!(line(longest), 253);
    assert_eq!(line(longest + 1), "AUTH PLAIN\r\n".len());
    assert_eq!(line(4), "AUTH PLAIN AGFuYQBwcHBw\r\n".len());
}

#[test]
fn the_initial_response_of_rfc_5034() {
    let mut config = Config::new(Security::DangerousPlaintext);
    config.initial_response = InitialResponse::WhenShort;
    let mechanism = || sasl::plain::Client::new("test", "test".into()).unwrap().acting_as("test").unwrap();
    let o = check(
        || ScriptedClient::with_config(config, [Action::Authenticate(Box::new(mechanism()))]),
        &turns("+OK pop.example.com BlurdyBlurp POP3 server ready\r\n+OK Maildrop locked and ready\r\n"),
        &[],
    );
    assert_eq!(sent(&o), "AUTH PLAIN dGVzdAB0ZXN0AHRlc3Q=\r\n");
}

#[test]
fn an_error_challenge_is_answered_and_its_status_is_known() {
    // SA-02; Gmail and Dovecot.
    let server = "+OK hi\r\n+ \r\n+ eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIiwic2NvcGUiOiJ4In0=\r\n\
        -ERR [AUTH] Authentication failed.\r\n";
    let o = clear(|| vec![xoauth2()], server);
    assert!(sent(&o).ends_with("\r\n\r\n"), "XOAUTH2 answers with an empty line");
    assert!(has(&o, "status: \"400\"") && has(&o, "Some(Auth)"), "{:#?}", o.transcript);
    let o = clear(|| vec![oauthbearer()], server);
    assert!(sent(&o).ends_with("\r\nAQ==\r\n"), "OAUTHBEARER answers with 0x01");
}

#[test]
fn challenges_that_are_none_are_cancelled_and_challenges_without_end_given_up() {
    // SA-01
    let o = clear(|| vec![xoauth2()], "+OK hi\r\n+ %%%not base64\r\n-ERR cancelled\r\n");
    assert_eq!(sent(&o), "AUTH XOAUTH2\r\n*\r\n");
    assert!(has(&o, "InvalidBase64"), "{:#?}", o.transcript);
    // SA-05
    let o = clear(|| vec![xoauth2()], &format!("+OK hi\r\n{}", "+ \r\n".repeat(50)));
    assert!(last(&o).starts_with("error: Sasl("), "{:#?}", o.transcript);
    // SA-03
    let server = format!("+OK hi\r\n+ {}", "QUFB".repeat(30_000));
    let mut client = ScriptedClient::new(Security::DangerousPlaintext, [xoauth2()]);
    let o = run(&mut client, &turns(&server), &mut |n| n.min(5_000));
    assert_eq!(last(&o), "error: Limit(SaslChallenge)");
}

#[test]
fn success_before_the_credentials_is_no_success() {
    // SA-09
    let o = clear(|| vec![xoauth2()], "+OK hi\r\n+OK done\r\n");
    assert_eq!(last(&o), "error: Sasl(EarlySuccess)");
}

#[test]
fn an_echoed_secret_is_blotted_out() {
    // PO-11, LG-02, LG-03
    let half = &TOKEN[TOKEN.len() - 12..];
    let o = clear(|| vec![xoauth2()], &format!("+OK hi\r\n+ \r\n-ERR bad {TOKEN} {BLOB} {half}\r\n"));
    let all = o.transcript.join("\n");
    assert!(!all.contains(half) && !all.contains(&BLOB[20..40]), "{all}");
    assert!(all.matches("(redacted)").count() >= 3, "{all}");
    let o = clear(|| vec![login()], &format!("+OK hi\r\n+OK\r\n-ERR [AUTH] bad password {TOKEN}\r\n"));
    assert!(has(&o, "bad password (redacted)"), "{:#?}", o.transcript);
    // What comes later can echo too.
    let echo = format!(
        "+OK hi\r\n+OK\r\n+OK\r\n+OK\r\nX-ECHO {TOKEN}\r\n.\r\n+OK\r\nen {TOKEN}\r\n.\r\n+OKnonsense {TOKEN}\r\n"
    );
    let commands =
        || vec![login(), send(Command::Capa), send(Command::Lang(Lang::List)), send(Command::Noop)];
    let o = clear(commands, &echo);
    assert_eq!(count(&o, "(redacted)"), 3, "{:#?}", o.transcript);
}

#[test]
fn a_refused_name_keeps_the_password() {
    let o = clear(|| vec![login()], "+OK hi\r\n-ERR never heard of mrose\r\n");
    assert_eq!(sent(&o), "USER mrose\r\n");
    assert!(has(&o, "never heard of mrose"));
    let o = clear(|| vec![login()], "+OK hi\r\n+OK\r\n-ERR [IN-USE] locked\r\n");
    assert_eq!(sent(&o), format!("USER mrose\r\nPASS {TOKEN}\r\n"));
    assert!(has(&o, "Some(InUse)"), "{:#?}", o.transcript);
}

#[test]
fn credentials_need_tls() {
    // ST-21, ST-22, ST-23
    let digest = || Digest::new(&"0123456789abcdef0123456789abcdef".into()).unwrap();
    let script = || {
        vec![
            send(Command::Capa),
            Action::Stls,
            xoauth2(),
            login(),
            plain(),
            Action::Apop(Name::new("ana").unwrap(), digest()),
        ]
    };
    let o = check(
        || ScriptedClient::new(Security::StartTls, script()),
        &turns("+OK ready <1.2@x>\r\n-ERR no\r\n-ERR no\r\n"),
        &[TOKEN, "hunter2"],
    );
    assert_eq!(sent(&o), "CAPA\r\nSTLS\r\n");
    assert_eq!(count(&o, "gives Err(NoTls)"), 4, "{:#?}", o.transcript);
}

#[test]
fn exchange_online_as_it_was_seen() {
    let greeting = "+OK Microsoft Exchange POP3 server ready (tcpproxy/15.20.9999). [QgBOADAAUAAyADgA]\r\n";
    let capa = "+OK\r\nTOP\r\nUIDL\r\nSASL PLAIN XOAUTH2\r\nUSER\r\n.\r\n";
    let script =
        || vec![send(Command::Capa), xoauth2(), Action::Together(vec![Command::Stat, Command::Uidl(None)])];
    let server = format!(
        "{greeting}{capa}+\r\n+OK User successfully authenticated.\r\n+OK 1 5000\r\n+OK\r\n1 AAAAAGa+b/=\r\n.\r\n"
    );
    let o = clear(script, &server);
    assert!(has(&o, "Sasl([PLAIN, XOAUTH2])") && has(&o, "id: \"AAAAAGa+b/=\""), "{:#?}", o.transcript);
    assert!(has(&o, "code: None, text: \"Microsoft Exchange"), "a bracket at the end is no code");
    // Signed in and not connected: a refusal, not the end of the conversation.
    let server =
        format!("{greeting}{capa}+\r\n+OK in\r\n-ERR User is authenticated but not connected.\r\n-ERR\r\n");
    let o = clear(script, &server);
    assert!(has(&o, "User is authenticated but not connected.") && !has(&o, "error"), "{:#?}", o.transcript);
    let server = format!("{greeting}{capa}-ERR Protocol error. Connection is closed. 10\r\n");
    let o = clear(script, &server);
    assert!(has(&o, "Protocol error. Connection is closed. 10"), "{:#?}", o.transcript);
}
