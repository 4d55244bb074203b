//! The POP3 session against servers that follow a script.

mod support;

use postkey::{Error, FetchError, NumberSink, Pop3};
use support::{BLOB, Step, TOKEN, ana, hear, say, serve};

const CAPA: &str = "+OK\r\nTOP\r\nUIDL\r\nSASL PLAIN XOAUTH2\r\nUSER\r\n.\r\n";
const PIPELINED: &str = "+OK\r\nUIDL\r\nSASL XOAUTH2\r\nPIPELINING\r\n.\r\n";

/// From the greeting to STAT, as Exchange Online does it: the token goes out only when it is asked for.
fn signed_in(capa: &str, stat: &str) -> Vec<Step> {
    vec![
        say("+OK Microsoft Exchange POP3 server ready (tcpproxy/15.20). [QQ==]\r\n"),
        hear("CAPA\r\n"),
        say(capa),
        hear("AUTH XOAUTH2\r\n"),
        say("+\r\n"),
        hear(&format!("{BLOB}\r\n")),
        say("+OK User successfully authenticated.\r\n"),
        hear("STAT\r\n"),
        say(stat),
    ]
}

/// Two messages, and then what the test is about.
fn session(capa: &str, rest: Vec<Step>) -> Vec<Step> {
    let mut script = signed_in(capa, "+OK 2 46\r\n");
    script.extend(rest);
    script
}

#[derive(Default)]
struct Sink {
    complete: Vec<(u32, Vec<u8>)>,
    open: Option<Vec<u8>>,
    abandoned: usize,
}

impl NumberSink for Sink {
    type Error = String;

    fn begin(&mut self, number: u32) -> Result<bool, String> {
        assert!(self.open.is_none());
        self.open = Some(Vec::new());
        if number == 99 { Err("the disk is full".into()) } else { Ok(true) }
    }

    fn chunk(&mut self, octets: &[u8]) -> Result<(), String> {
        self.open.as_mut().unwrap().extend_from_slice(octets);
        Ok(())
    }

    fn end(&mut self, number: u32) -> Result<(), String> {
        self.complete.push((number, self.open.take().unwrap()));
        Ok(())
    }

    fn abandon(&mut self) {
        self.open = None;
        self.abandoned += 1;
    }
}

#[tokio::test]
async fn a_session_as_with_exchange_online() {
    let script = session(
        CAPA,
        vec![
            hear("UIDL\r\n"),
            say("+OK\r\n1 AAAw\r\n2 AAAx\r\n.\r\n"),
            hear("LIST\r\n"),
            say("+OK 2 46\r\n1 20\r\n2 26\r\n.\r\n"),
            hear("RETR 2\r\n"),
            say("+OK\r\nSubject: x\r\n\r\n..dot\r\n.\r\n"),
            hear("DELE 2\r\n"),
            say("+OK\r\n"),
            hear("QUIT\r\n"),
            say("+OK bye\r\n"),
        ],
    );
    let (server, heard) = serve(script).await;
    let mut pop3 = Pop3::open(&server, &ana()).await.unwrap();
    assert_eq!((pop3.messages(), pop3.octets(), pop3.is_pipelining()), (2, 46, false));
    let listed = pop3.list().await.unwrap();
    let seen: Vec<_> = listed.iter().map(|m| (m.number, m.uidl.as_deref(), m.size)).collect();
    assert_eq!(seen, [(1, Some("AAAw"), Some(20)), (2, Some("AAAx"), Some(26))]);
    let mut sink = Sink::default();
    assert!(pop3.retrieve([2], &mut sink).await.unwrap().refused.is_empty());
    assert_eq!(sink.complete, [(2, b"Subject: x\r\n\r\n.dot\r\n".to_vec())]);
    pop3.delete(2).await.unwrap();
    pop3.quit().await.unwrap();
    heard.await.unwrap();
}

#[tokio::test]
async fn signed_in_and_not_connected_is_an_error_of_its_own() {
    let script = signed_in(CAPA, "-ERR User is authenticated but not connected.\r\n");
    let (server, _heard) = serve(script).await;
    let error = Pop3::open(&server, &ana()).await.unwrap_err();
    assert!(matches!(&error, Error::NotConnected(_)), "{error:?}");
}

#[tokio::test]
async fn a_refusal_that_echoes_the_token_shows_nothing_of_it() {
    // PO-11
    let mut script = signed_in(CAPA, "");
    script.truncate(6);
    script.push(say(&format!("-ERR [AUTH] no: {TOKEN} {BLOB}\r\n")));
    let (server, _heard) = serve(script).await;
    let error = Pop3::open(&server, &ana()).await.unwrap_err();
    assert!(matches!(&error, Error::SignIn { reply, .. } if reply.is_auth()), "{error:?}");
    for text in [error.to_string(), format!("{error:?}")] {
        assert!(!text.contains(&TOKEN[4..20]) && !text.contains(&BLOB[40..60]), "{text}");
    }
}

#[tokio::test]
async fn a_mailbox_that_is_in_use_can_be_tried_again() {
    let mut script = signed_in(CAPA, "");
    script.truncate(6);
    script.push(say("-ERR [SYS/TEMP] come back later\r\n"));
    let (server, _heard) = serve(script).await;
    assert!(Pop3::open(&server, &ana()).await.unwrap_err().is_transient());
}

#[tokio::test]
async fn lines_that_cannot_be_meant_do_not_hide_messages() {
    // PO-03, PO-15
    let script = session(
        PIPELINED,
        vec![
            // Both before either is answered.
            hear("UIDL\r\nLIST\r\n"),
            say("+OK\r\n-5 a\r\n0 b\r\n4294967296 c\r\n1 a b c\r\n2 d\r\n.\r\n"),
            say("+OK\r\n-5 10\r\n0 10\r\n4294967296 1\r\n.\r\n"),
        ],
    );
    let (server, _heard) = serve(script).await;
    let mut pop3 = Pop3::open(&server, &ana()).await.unwrap();
    let listed = pop3.list().await.unwrap();
    let seen: Vec<_> = listed.iter().map(|m| (m.number, m.uidl.as_deref(), m.size)).collect();
    // The server counts two; the first has no unique-id that can be used.
    assert_eq!(seen, [(1, None, None), (2, Some("d"), None)]);
}

#[tokio::test]
async fn a_server_without_uidl_lists_all_the_same() {
    let rest = vec![
        hear("UIDL\r\n"),
        say("-ERR unknown command\r\n"),
        hear("LIST\r\n"),
        say("+OK\r\n1 20\r\n2 26\r\n.\r\n"),
    ];
    let (server, _heard) = serve(session(CAPA, rest)).await;
    let listed = Pop3::open(&server, &ana()).await.unwrap().list().await.unwrap();
    assert!(listed.len() == 2 && listed.iter().all(|m| m.uidl.is_none() && m.size.is_some()), "{listed:?}");
}

#[tokio::test]
async fn commands_travel_ahead_and_a_refused_message_does_not_end_the_download() {
    // PO-05, PO-07
    let rest = vec![
        hear("RETR 1\r\nRETR 2\r\nRETR 3\r\n"),
        say("+OK\r\nline\n.\nstill body\r\n.\r\n"),
        say("-ERR [SYS/TEMP] no\r\n"),
        say("+OK\r\n.\r\n"),
    ];
    let (server, _heard) = serve(session(PIPELINED, rest)).await;
    let mut pop3 = Pop3::open(&server, &ana()).await.unwrap();
    let mut sink = Sink::default();
    let outcome = pop3.retrieve(1..=3, &mut sink).await.unwrap();
    assert_eq!(sink.complete, [(1, b"line\n.\nstill body\r\n".to_vec()), (3, Vec::new())]);
    assert_eq!(outcome.refused.len(), 1);
    assert_eq!(outcome.refused[0].0, 2);
    assert!(outcome.refused[0].1.is_transient());
}

#[tokio::test]
async fn a_message_that_breaks_off_is_no_message() {
    // PO-04
    let rest = vec![hear("RETR 1\r\n"), say("+OK 100\r\nSubject: x\r\n\r\nbody\r\n"), Step::Close];
    let (server, _heard) = serve(session(CAPA, rest)).await;
    let mut pop3 = Pop3::open(&server, &ana()).await.unwrap();
    let mut sink = Sink::default();
    let error = pop3.retrieve([1], &mut sink).await.unwrap_err();
    assert!(matches!(&error, FetchError::Mail(e) if e.is_connection_lost()), "{error:?}");
    assert_eq!((sink.complete.len(), sink.abandoned), (0, 1));
}

#[tokio::test]
async fn what_the_sink_says_comes_back() {
    let rest = vec![hear("RETR 99\r\n"), say("+OK\r\nbody\r\n.\r\n")];
    let (server, _heard) = serve(session(CAPA, rest)).await;
    let mut pop3 = Pop3::open(&server, &ana()).await.unwrap();
    let error = pop3.retrieve([99], &mut Sink::default()).await.unwrap_err();
    assert!(matches!(&error, FetchError::Sink(e) if e == "the disk is full"), "{error:?}");
}

#[tokio::test]
async fn quit_tells_whether_the_deletions_were_carried_out() {
    // PO-09
    let to_quit =
        |last: Step| session(CAPA, vec![hear("DELE 1\r\n"), say("+OK\r\n"), hear("QUIT\r\n"), last]);
    let (server, _heard) = serve(to_quit(say("-ERR not deleted\r\n"))).await;
    let mut pop3 = Pop3::open(&server, &ana()).await.unwrap();
    pop3.delete(1).await.unwrap();
    let error = pop3.quit().await.unwrap_err();
    assert!(matches!(&error, Error::Refused { command: "QUIT", .. }), "{error:?}");

    let (server, _heard) = serve(to_quit(Step::Close)).await;
    let mut pop3 = Pop3::open(&server, &ana()).await.unwrap();
    pop3.delete(1).await.unwrap();
    let error = pop3.quit().await.unwrap_err();
    assert!(matches!(&error, Error::OutcomeUnknown { .. }) && !error.is_transient(), "{error:?}");

    // With nothing to delete nobody cares.
    let (server, _heard) = serve(session(CAPA, vec![hear("QUIT\r\n"), Step::Close])).await;
    Pop3::open(&server, &ana()).await.unwrap().quit().await.unwrap();
}

#[tokio::test]
async fn a_line_end_in_a_password_is_refused_before_a_byte_of_it_is_sent() {
    // INJ: USER and PASS
    let script = vec![say("+OK\r\n"), hear("CAPA\r\n"), say("+OK\r\nUSER\r\n.\r\n")];
    let (server, heard) = serve(script).await;
    let credential = postkey::Credential::Password { user: "ana".into(), password: "a\r\nDELE 1".into() };
    let error = Pop3::open(&server, &credential).await.unwrap_err();
    assert!(matches!(error, Error::Pop3Misuse(_)), "{error:?}");
    assert_eq!(heard.await.unwrap(), b"CAPA\r\n");
}

#[tokio::test]
async fn utf8_is_asked_for_before_the_sign_in_where_it_is_offered() {
    let capa = CAPA.replace("USER", "UTF8 USER");
    for reply in ["+OK UTF8 enabled\r\n", "-ERR not today\r\n"] {
        let mut script = session(
            &capa,
            vec![
                hear("RETR 1\r\n"),
                say("+OK\r\nSubject: Gr\u{fc}\u{df}e\r\n\r\n\u{1f4ee}\r\n.\r\n"),
                hear("QUIT\r\n"),
                say("+OK bye\r\n"),
            ],
        );
        let behind_capa = script.split_off(3);
        script.extend([hear("UTF8\r\n"), say(reply)]);
        script.extend(behind_capa);
        let (server, heard) = serve(script).await;
        let mut pop3 = Pop3::open(&server, &ana()).await.unwrap();
        let mut sink = Sink::default();
        assert!(pop3.retrieve([1], &mut sink).await.unwrap().refused.is_empty());
        assert_eq!(sink.complete, [(1, "Subject: Gr\u{fc}\u{df}e\r\n\r\n\u{1f4ee}\r\n".into())]);
        pop3.quit().await.unwrap();
        heard.await.unwrap();
    }
}

#[tokio::test]
async fn a_name_and_password_beyond_ascii_go_as_utf8_behind_the_command() {
    let credential =
        postkey::Credential::Password { user: "j\u{f6}rg".into(), password: "gr\u{fc}n-caf\u{e9}".into() };
    let script = vec![
        say("+OK ready\r\n"),
        hear("CAPA\r\n"),
        say("+OK\r\nUIDL\r\nUSER\r\nUTF8 USER\r\n.\r\n"),
        hear("UTF8\r\n"),
        say("+OK\r\n"),
        hear("USER j\u{f6}rg\r\n"),
        say("+OK\r\n"),
        hear("PASS gr\u{fc}n-caf\u{e9}\r\n"),
        say("+OK\r\n"),
        hear("STAT\r\n"),
        say("+OK 0 0\r\n"),
    ];
    let (server, _heard) = serve(script).await;
    Pop3::open(&server, &credential).await.unwrap();
}
