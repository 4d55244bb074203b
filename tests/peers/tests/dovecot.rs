//! The private Dovecot: it starts, it signs in by password and by token, it refuses what it must.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64ct::{Base64, Encoding};
use postkey_peers::{Config, Dovecot, Hs256, Jwt, Program, available};
use rustls::{ClientConnection, StreamOwned};
use serde_json::json;

const ISSUER: &str = "https://issuer.example/";

fn command(stream: &mut BufReader<impl Read + Write>, tag: &str, text: &str) -> Vec<String> {
    stream.get_mut().write_all(format!("{tag} {text}\r\n").as_bytes()).unwrap();
    stream.get_mut().flush().unwrap();
    until(stream, tag)
}

/// Lines up to the tagged one; an error challenge is answered as XOAUTH2 and OAUTHBEARER both accept.
fn until(stream: &mut BufReader<impl Read + Write>, tag: &str) -> Vec<String> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        assert_ne!(stream.read_line(&mut line).unwrap(), 0, "the server closed after {lines:?}");
        let line = line.trim_end().to_owned();
        if line.starts_with("+ ") {
            stream.get_mut().write_all(b"AQ==\r\n").unwrap();
        }
        let last = line.starts_with(tag);
        lines.push(line);
        if last {
            return lines;
        }
    }
}

fn plain(server: &Dovecot) -> BufReader<TcpStream> {
    let stream = TcpStream::connect(server.addr()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut stream = BufReader::new(stream);
    let mut greeting = String::new();
    stream.read_line(&mut greeting).unwrap();
    assert!(greeting.starts_with("* OK [CAPABILITY IMAP4rev1"), "{greeting}");
    stream
}

#[test]
fn passwords_and_folders() {
    if !available("passwords_and_folders", &[Program::Dovecot]) {
        return;
    }
    let server = Dovecot::start(&Config::default()).unwrap();
    let message = b"Subject: one\r\n\r\ntext\r\n";
    server.deliver("ana", "", "1.one", "S", message).unwrap();
    server.deliver("ana", "Archive", "1.two", "FR", message).unwrap();
    let mut stream = plain(&server);
    assert!(command(&mut stream, "a", "LOGIN ana wrong").last().unwrap().starts_with("a NO"));
    let login = command(&mut stream, "b", "LOGIN ana pass");
    assert!(login.last().unwrap().starts_with("b OK"), "{login:?}\n{}", server.log());
    let folders = command(&mut stream, "c", "LIST \"\" *").join("\n");
    assert!(folders.contains("\"/\" INBOX") && folders.contains("Archive"), "{folders}");
    let status = command(&mut stream, "d", "STATUS INBOX (MESSAGES UNSEEN)");
    assert_eq!(status.first().map(String::as_str), Some("* STATUS INBOX (MESSAGES 1 UNSEEN 0)"));
    command(&mut stream, "e", "SELECT Archive");
    let fetched = command(&mut stream, "f", "FETCH 1 (FLAGS BODY.PEEK[])");
    // The server tells the first session about it, so it is recent.
    assert_eq!(fetched[0], "* 1 FETCH (FLAGS (\\Answered \\Flagged \\Recent) BODY[] {22}");
    assert_eq!(&fetched[1..=3], ["Subject: one", "", "text"]);
}

#[test]
fn tls_shows_the_given_certificate() {
    if !available("tls_shows_the_given_certificate", &[Program::Dovecot]) {
        return;
    }
    let config = Config::default();
    let server = Dovecot::start(&config).unwrap();
    let connection =
        ClientConnection::new(config.tls.client_config(), "localhost".try_into().unwrap()).unwrap();
    let stream = TcpStream::connect(server.tls_addr()).unwrap();
    let mut stream = BufReader::new(StreamOwned::new(connection, stream));
    let mut greeting = String::new();
    stream.read_line(&mut greeting).unwrap();
    assert!(greeting.starts_with("* OK"), "{greeting}");
    assert!(command(&mut stream, "a", "LOGIN ana pass").last().unwrap().starts_with("a OK"));
}

#[test]
fn tokens_are_checked() {
    if !available("tokens_are_checked", &[Program::Dovecot]) {
        return;
    }
    let signer = Hs256::new(b"a secret of thirty-two octets or so");
    let jwt = Jwt {
        issuer: ISSUER.into(),
        username_claim: "email".into(),
        audience: None,
        keys: vec![signer.verification_key()],
    };
    let server = Arc::new(Dovecot::start(&Config { jwt: Some(jwt), ..Config::default() }).unwrap());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let good = json!({"iss": ISSUER, "sub": "1", "email": "ana", "iat": now - 9, "exp": now + 900});
    let with = |name: &str, value: serde_json::Value| {
        let mut claims = good.clone();
        claims[name] = value;
        signer.sign(&claims)
    };
    let attempts = [
        ("good", signer.sign(&good), true),
        ("made by the short form", signer.token(ISSUER, "ana", Duration::from_secs(60)), true),
        ("expired", with("exp", (now - 5).into()), false),
        ("of another issuer", with("iss", "https://evil.example/".into()), false),
        ("of another user", with("email", "bob".into()), false),
        ("not valid yet", with("nbf", (now + 900).into()), false),
        ("signed by somebody else", Hs256::new(b"not the secret that was agreed on").sign(&good), false),
    ];
    for (what, token, accepted) in attempts {
        for (mechanism, message) in [
            ("XOAUTH2", format!("user=ana\x01auth=Bearer {token}\x01\x01")),
            ("OAUTHBEARER", format!("n,a=ana,\x01auth=Bearer {token}\x01\x01")),
        ] {
            let encoded = Base64::encode_string(message.as_bytes());
            let answer = command(&mut plain(&server), "a", &format!("AUTHENTICATE {mechanism} {encoded}"));
            let ok = answer.last().unwrap().starts_with("a OK");
            assert_eq!(ok, accepted, "{mechanism}: a token that is {what}: {answer:?}\n{}", server.log());
        }
    }
}

#[test]
fn an_audience_can_be_demanded() {
    if !available("an_audience_can_be_demanded", &[Program::Dovecot]) {
        return;
    }
    let signer = Hs256::new(b"a secret of thirty-two octets or so");
    let jwt = Jwt {
        issuer: ISSUER.into(),
        username_claim: "email".into(),
        audience: Some("https://mail.example".into()),
        keys: vec![signer.verification_key()],
    };
    let server = Dovecot::start(&Config { jwt: Some(jwt), ..Config::default() }).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    for (audience, accepted) in [("https://mail.example", true), ("https://graph.example", false)] {
        let token = signer.sign(&json!({
            "iss": ISSUER, "sub": "1", "email": "ana", "aud": audience, "iat": now - 9, "exp": now + 900
        }));
        let message = Base64::encode_string(format!("user=ana\x01auth=Bearer {token}\x01\x01").as_bytes());
        let answer = command(&mut plain(&server), "a", &format!("AUTHENTICATE XOAUTH2 {message}"));
        assert_eq!(
            answer.last().unwrap().starts_with("a OK"),
            accepted,
            "{audience}: {answer:?}\n{}",
            server.log()
        );
    }
}

#[test]
fn two_servers_do_not_meet() {
    if !available("two_servers_do_not_meet", &[Program::Dovecot]) {
        return;
    }
    let (one, two) =
        (Dovecot::start(&Config::default()).unwrap(), Dovecot::start(&Config::default()).unwrap());
    one.deliver("ana", "", "1.one", "", b"Subject: here\r\n\r\n").unwrap();
    for (server, messages) in [(&one, 1), (&two, 0)] {
        let mut stream = plain(server);
        command(&mut stream, "a", "LOGIN ana pass");
        let status = command(&mut stream, "b", "STATUS INBOX (MESSAGES)");
        assert_eq!(status[0], format!("* STATUS INBOX (MESSAGES {messages})"));
    }
    let addr = one.addr();
    drop(one);
    assert!(TcpStream::connect(addr).is_err(), "a dropped server still listens");
}
