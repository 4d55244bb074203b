//! The player of hostile cases does what the catalogue says, seen through a raw socket.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use postkey_peers::hostile::{Proto, Seen, Segment, case, cases};
use postkey_peers::{HostileServer, Tls};
use rustls::{ClientConnection, StreamOwned};

struct Client(BufReader<TcpStream>);

impl Client {
    fn connect(server: &HostileServer) -> Self {
        let stream = TcpStream::connect(server.addr()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Self(BufReader::new(stream))
    }

    fn say(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).unwrap();
    }

    fn line(&mut self) -> String {
        let mut line = Vec::new();
        self.0.read_until(b'\n', &mut line).unwrap();
        String::from_utf8_lossy(&line).into_owned()
    }

    fn rest(mut self) -> (Vec<u8>, Option<ErrorKind>) {
        let mut rest = Vec::new();
        let error = self.0.read_to_end(&mut rest).err().map(|e| e.kind());
        (rest, error)
    }
}

fn start(id: &str) -> HostileServer {
    HostileServer::start(case(id), Some(&Tls::localhost())).unwrap()
}

#[test]
fn the_catalogue_is_read_whole() {
    let imap = cases(Proto::Imap);
    assert_eq!((imap.len(), cases(Proto::Pop3).len(), cases(Proto::Smtp).len()), (70, 14, 17));
    let segments = imap.iter().flat_map(|case| case.on.values().flatten().chain(case.greet.iter().flatten()));
    let resets = segments.filter(|segment| matches!(segment, Segment::Reset { .. })).count();
    assert_eq!(resets, 1, "IS-15");
    assert_eq!(case("MEM-08").time(), Duration::from_secs(20));
}

#[test]
fn other_protocols_are_refused() {
    let pop3 = cases(Proto::Pop3).remove(0);
    assert!(HostileServer::start(pop3, None).is_err());
    assert!(HostileServer::start(case("ST-01"), None).is_err(), "no certificate");
}

#[test]
fn starttls_injection_st01() {
    let server = start("ST-01");
    let mut client = Client::connect(&server);
    assert_eq!(client.line(), "* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] hi\r\n");
    client.say("A7 STARTTLS\r\n");
    assert_eq!(client.line(), "A7 OK begin TLS\r\n");
    assert_eq!(client.line(), "* CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=LOGIN\r\n");
    assert_eq!(client.line(), "A8 OK done\r\n");
    assert_eq!(server.plaintext_lines(), ["A7 STARTTLS"]);
    drop(client);
    let seen = server.seen_to_the_end();
    assert!(seen.contains(&Seen::HandshakeStarted));
    assert!(!seen.contains(&Seen::HandshakeDone));
    assert_eq!(seen.last(), Some(&Seen::Ended));
}

#[test]
fn after_starttls_lines_are_known_as_protected() {
    let server = start("ST-14");
    let tls = Tls::localhost();
    let server_of_ours = HostileServer::start(server.case().clone(), Some(&tls)).unwrap();
    let mut client = Client::connect(&server_of_ours);
    client.line();
    client.say("a STARTTLS\r\n");
    let injected: Vec<String> = (0..6).map(|_| client.line()).collect();
    assert_eq!(injected[0], "* LIST () \"/\" \"EVIL\"\r\n");
    assert_eq!(client.line(), "a OK go\r\n");
    let connection = ClientConnection::new(tls.client_config(), "localhost".try_into().unwrap()).unwrap();
    let mut stream = BufReader::new(StreamOwned::new(connection, client.0.into_inner()));
    stream.get_mut().write_all(b"b CAPABILITY\r\n").unwrap();
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    assert_eq!(line, "* CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=LOGIN\r\n");
    assert_eq!(server_of_ours.plaintext_lines(), ["a STARTTLS"]);
    assert!(server_of_ours.seen().contains(&Seen::Line { tls: true, line: b"b CAPABILITY".to_vec() }));
}

#[test]
fn the_rest_is_well_behaved() {
    let server = start("IS-13"); // only LOGOUT is wrong
    let mut client = Client::connect(&server);
    client.line();
    client.say("a LOGIN {3}\r\n");
    assert_eq!(client.line(), "+ ok\r\n");
    client.say("ana {4+}\r\npass\r\n");
    assert_eq!(client.line(), "a OK done\r\n");
    client.say("b AUTHENTICATE XOAUTH2\r\n");
    assert_eq!(client.line(), "+ \r\n");
    client.say("dXNlcg==\r\n");
    assert_eq!(client.line(), "b OK done\r\n");
    client.say("c UID FETCH 2:9 (FLAGS BODY.PEEK[TEXT])\r\n");
    assert_eq!(client.line(), "* 2 FETCH (UID 2 FLAGS () BODY[TEXT] {11}\r\n");
    assert_eq!(client.line(), "hello one\r\n");
    assert_eq!(client.line(), ")\r\n");
    assert_eq!(client.line(), "* 3 FETCH (UID 3 FLAGS () BODY[TEXT] {11}\r\n");
    client.line();
    client.line();
    assert_eq!(client.line(), "c OK done\r\n");
    client.say("d UID FETCH 1 (UID RFC822.SIZE)\r\n");
    assert_eq!(client.line(), "* 1 FETCH (UID 1 RFC822.SIZE 47)\r\n");
    client.line();
    client.say("e LOGOUT\r\nf NOOP\r\n");
    client.0.get_ref().set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    assert!(client.0.read(&mut [0; 1]).is_err(), "LOGOUT is never answered");
    drop(client);
    server.seen_to_the_end();
    assert!(server.plaintext_lines().contains(&"f NOOP".to_owned()), "what is said meanwhile is recorded");
}

#[test]
fn examine_meets_what_is_wrong_with_select() {
    let server = start("IS-09");
    let mut client = Client::connect(&server);
    client.line();
    client.say("a EXAMINE INBOX\r\n");
    assert_eq!(client.line(), "* 3 EXISTS\r\n");
    assert_eq!(client.line(), "a OK done\r\n", "no UIDVALIDITY");
}

#[test]
fn bodies_are_split_where_the_case_splits_them() {
    let server = start("FR-18");
    let mut client = Client::connect(&server);
    client.line();
    client.say("a UID FETCH 2 (BODY.PEEK[])\r\n");
    assert_eq!(client.line(), "* 2 FETCH (UID 2 BODY[] {47}\r\n");
    let mut body = [0; 47];
    client.0.read_exact(&mut body).unwrap();
    assert!(body.ends_with(b"hello one\r\n"));
    assert_eq!(client.line(), ")\r\n");
    assert_eq!(client.line(), "a OK done\r\n");
}

#[test]
fn ends_and_resets() {
    let server = start("IS-14");
    let mut client = Client::connect(&server);
    client.line();
    client.say("a SELECT INBOX\r\n");
    assert_eq!(client.rest(), (b"* 3 EXI".to_vec(), None));

    let server = start("IS-15");
    let mut client = Client::connect(&server);
    client.line();
    client.say("a UID FETCH 1 (BODY.PEEK[])\r\n");
    let expected = b"* 1 FETCH (UID 1 BODY[] {1000}\r\nabc".to_vec();
    assert_eq!(client.rest(), (expected, Some(ErrorKind::ConnectionReset)));
}

#[test]
fn repetitions_have_their_length() {
    let server = start("MEM-08");
    let mut client = Client::connect(&server);
    client.line();
    client.say("a FETCH 1 (FLAGS)\r\n");
    let mut lines = 0;
    while client.line() == "* OK x\r\n" {
        lines += 1;
    }
    assert_eq!(lines, 1_000_000);
}

#[test]
fn octets_above_ascii_are_latin1() {
    let server = start("FR-24");
    let mut client = Client::connect(&server);
    client.line();
    client.say("a LIST \"\" *\r\n");
    let mut line = Vec::new();
    client.0.read_until(b'\n', &mut line).unwrap();
    assert_eq!(line, b"* LIST () \"/\" \"caf\xe9\"\r\n");
}
