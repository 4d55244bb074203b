//! Postfix in front of Dovecot: what is sent comes back by POP3 and IMAP as it was, whatever stands around its dots.

mod support;

use std::collections::BTreeMap;

use postkey::smtp::{BareNewline, Options};
use postkey::{Credential, FetchError, Imap, MessageMeta, MessageSink, Security, Server, Smtp};
use postkey_peers::{Program, Sink, available};
use support::office::Office;
use support::*;

#[derive(Default)]
struct Kept(Vec<Vec<u8>>);

impl MessageSink for Kept {
    type Error = std::convert::Infallible;

    fn begin(&mut self, _: MessageMeta<'_>) -> Result<bool, Self::Error> {
        self.0.push(Vec::new());
        Ok(true)
    }

    fn chunk(&mut self, octets: &[u8]) -> Result<(), Self::Error> {
        self.0.last_mut().expect("a message has begun").extend_from_slice(octets);
        Ok(())
    }

    fn end(&mut self, _: MessageMeta<'_>) -> Result<(), Self::Error> {
        Ok(())
    }

    fn abandon(&mut self) {
        self.0.pop();
    }
}

async fn by_imap(house: &House, user: &str) -> Vec<Vec<u8>> {
    let server = Server::imap("localhost", house.roots()).port(house.dovecot.tls_addr().port());
    let credential = Credential::fixed_token(user, house.token(user).as_str().into());
    let mut imap = Imap::open(&server, &credential).await.unwrap();
    let folders = imap.folders().await.unwrap();
    let inbox = folders.iter().find(|f| f.mailbox.is_inbox()).unwrap();
    imap.examine(&inbox.mailbox).await.unwrap();
    let mut uids = Vec::new();
    imap.flags(None, |uid, _| uids.push(uid)).await.unwrap();
    uids.sort_unstable();
    let mut kept = Kept::default();
    for uid in uids {
        let set = imap_proto::types::UidSet::from_sorted([uid]).unwrap();
        match imap.download([set], 1, &mut kept).await {
            Ok(outcome) => assert!(outcome.missing.is_empty()),
            Err(FetchError::Mail(e)) => panic!("{e:?}"),
            Err(FetchError::Sink(never)) => match never {},
        }
    }
    imap.logout().await;
    kept.0
}

#[test]
fn what_is_sent_is_read_back_as_it_was() {
    let Some(office) = Office::open("what_is_sent_is_read_back_as_it_was") else { return };
    runtime().block_on(async {
        let mut bodies = Vec::new();
        for mechanism in BOTH {
            for security in [Security::Tls, Security::StartTls] {
                for chunking in [false, true] {
                    let credential = bearer(ANA, &office.house.token(ANA), mechanism);
                    let mut smtp = match Smtp::open(&office.server(security), &credential, &name()).await {
                        Ok(smtp) => smtp,
                        Err(e) => panic!("{e:?}\n{}\n{}", office.postfix.log(), office.house.dovecot.log()),
                    };
                    let body = format!(
                        "Subject: {mechanism:?} {security:?} {chunking}\r\nFrom: {ANA}\r\n\r\n.\r\n..a\r\n\u{e9} {}\r\n\t \r\n",
                        "long ".repeat(150)
                    );
                    let options = Options { chunking, ..Options::default() };
                    let outcome = send(&mut smtp, body.as_bytes(), &options).await.unwrap();
                    assert!(outcome.is_accepted(), "{outcome:?}");
                    bodies.push(body.into_bytes());
                    smtp.quit().await;
                }
            }
        }
        bodies.sort();
        let bare = |messages: &[Vec<u8>]| {
            let mut bare: Vec<Vec<u8>> = messages.iter().map(|m| without_trace(m).to_vec()).collect();
            bare.sort();
            bare
        };
        let by_pop3 = office.house.messages(BEN, bodies.len()).await;
        assert!(bare(&by_pop3) == bodies, "{}", by_pop3[0].escape_ascii());
        assert!(by_pop3.iter().all(|m| m.windows(9).any(|w| w == b"Received:")), "it went through Postfix");
        let by_imap = by_imap(&office.house, BEN).await;
        assert_eq!(by_imap, by_pop3, "IMAP and POP3 give out the same");
    });
}

#[test]
fn a_bad_token_and_nobody_are_refused() {
    let Some(office) = Office::open("a_bad_token_and_nobody_are_refused") else { return };
    runtime().block_on(async {
        for (what, spec) in bad(ANA) {
            let token = office.house.issue(&spec);
            for mechanism in BOTH {
                let credential = bearer(ANA, &token, mechanism);
                let error =
                    Smtp::open(&office.server(Security::Tls), &credential, &name()).await.unwrap_err();
                assert!(error.is_auth(), "{what}, {mechanism:?}: {error:?}\n{}", office.postfix.log());
            }
        }
        let mut smtp = Smtp::connect(&office.server(Security::Tls), &name()).await.unwrap();
        let outcome = send(&mut smtp, b"Subject: x\r\n\r\nx\r\n", &Options::default()).await.unwrap();
        assert!(!outcome.is_accepted() && !outcome.is_unknown(), "{outcome:?}");
    });
}

/// One of the messages: what stands around the dots, the dots themselves, and a text behind it or nothing.
struct Case {
    around: String,
    tail: &'static str,
}

impl Case {
    fn octets(&self) -> Vec<u8> {
        format!("{}{}", self.around, self.tail).into_bytes()
    }
}

/// Everything that can stand around a dot: 4 line ends before it, 1 or 2 dots, 4 after it, and text behind it or nothing.
fn matrix() -> Vec<Case> {
    let mut all = Vec::new();
    for before in ["\r\n", "\n", "\r", "x"] {
        for dots in [".", ".."] {
            for after in ["\r\n", "\n", "\r", ""] {
                for tail in ["MAIL FROM:<eve@contoso.example>\r\n", ""] {
                    all.push(Case { around: format!("{before}{dots}{after}"), tail });
                }
            }
        }
    }
    assert_eq!(all.len(), 64);
    all
}

fn is_ambiguous(octets: &[u8]) -> bool {
    let crlf = octets.windows(2).filter(|w| w == b"\r\n").count();
    let count = |wanted| octets.iter().filter(|o| **o == wanted).count();
    count(b'\r') != crlf || count(b'\n') != crlf
}

/// A message that is so long that what comes next is its first octet behind the border.
fn up_to(border: usize, name: &str) -> Vec<u8> {
    let mut message = format!("Subject: {name}\r\n\r\nbody").into_bytes();
    while message.len() < border {
        match border - message.len() {
            room @ 0..=80 => message.extend(std::iter::repeat_n(b'y', room)),
            _ => message.extend(b"\r\nyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"),
        }
    }
    message
}

/// The cases, short, and with the border between two pieces before, between and behind each of the octets around the dots. The client
/// reads, encodes and frames in pieces of 64, 16 and 32 KiB: at 64 KiB all three end.
fn cases() -> Vec<(String, Vec<u8>)> {
    const BORDER: usize = 64 << 10;
    let mut all = Vec::new();
    for (index, case) in matrix().into_iter().enumerate() {
        let name = format!("{index} short");
        let message = [format!("Subject: {name}\r\n\r\nbody").as_bytes(), &case.octets()].concat();
        all.push((name, message));
        for before in 0..=case.around.len() {
            let name = format!("{index} border {before}");
            let message = [up_to(BORDER - before, &name), case.octets()].concat();
            assert_eq!(message[BORDER - before..], case.octets());
            all.push((name, message));
        }
    }
    assert_eq!(all.len(), 64 + 304);
    all
}

fn subject(message: &[u8]) -> String {
    let text = String::from_utf8_lossy(without_trace(message)).into_owned();
    text.lines().next().unwrap_or_default().trim_start_matches("Subject: ").to_owned()
}

async fn play(smtp: &mut Smtp, chunking: bool, by_reading: bool) -> BTreeMap<String, Vec<u8>> {
    let mut expected = BTreeMap::new();
    for (name, message) in cases() {
        let options = Options { chunking, ..Options::default() };
        let outcome = if by_reading {
            let mut source: &[u8] = &message;
            smtp.send(&envelope(ANA, &[BEN]), &mut source, &options).await
        } else {
            send(smtp, &message, &options).await
        };
        let outcome = outcome.unwrap_or_else(|e| panic!("{name}: {e:?}"));
        assert!(outcome.is_accepted(), "{name}: {outcome:?}");
        expected.insert(name, canonical(&message));
    }
    expected
}

/// By name, so that a message too many shows, and so does one that is not the right one.
fn judge(messages: &[Vec<u8>], expected: &BTreeMap<String, Vec<u8>>, what: &str) {
    assert_eq!(messages.len(), expected.len(), "{what}: no case yields two messages, none is lost");
    for message in messages {
        let name = subject(message);
        let want = expected.get(&name).unwrap_or_else(|| panic!("{what}: a message \"{name}\""));
        let got = without_trace(message);
        assert!(got == want, "{what}, case {name}: …{}", got[got.len().saturating_sub(120)..].escape_ascii());
    }
}

#[test]
fn the_matrix_of_dots_and_line_ends_through_postfix_by_data() {
    there_and_back("the_matrix_of_dots_and_line_ends_through_postfix_by_data", false, false);
}

#[test]
fn the_matrix_of_dots_and_line_ends_through_postfix_by_bdat() {
    there_and_back("the_matrix_of_dots_and_line_ends_through_postfix_by_bdat", false, true);
}

/// Dovecot's submission reads what our client writes, and writes it anew for Postfix.
#[test]
fn the_matrix_of_dots_and_line_ends_through_dovecot_by_data() {
    there_and_back("the_matrix_of_dots_and_line_ends_through_dovecot_by_data", true, false);
}

#[test]
fn the_matrix_of_dots_and_line_ends_through_dovecot_by_bdat() {
    there_and_back("the_matrix_of_dots_and_line_ends_through_dovecot_by_bdat", true, true);
}

fn there_and_back(test: &str, by_dovecot: bool, chunking: bool) {
    let Some(office) = Office::open(test) else { return };
    let security = Security::Tls;
    let server = if by_dovecot { office.house.submission_server(security) } else { office.server(security) };
    runtime().block_on(async {
        let mut smtp = office.house.smtp(&server, ANA).await;
        assert!(smtp.capabilities().is_some_and(|c| c.has("CHUNKING")));
        let expected = play(&mut smtp, chunking, !by_dovecot).await;
        smtp.quit().await;
        let messages = office.house.messages(BEN, expected.len()).await;
        judge(&messages, &expected, "POP3");
        judge(&by_imap(&office.house, BEN).await, &expected, "IMAP");
    });
}

/// What Dovecot's submission says to the next server, octet for octet.
#[test]
fn the_matrix_of_dots_and_line_ends_through_dovecot_on_the_wire() {
    let test = "the_matrix_of_dots_and_line_ends_through_dovecot_on_the_wire";
    if !available(test, &[Program::Dovecot, Program::DovecotServices]) {
        return;
    }
    for chunking in [false, true] {
        let sink = Sink::start().unwrap();
        let house = House::new(sink.port());
        runtime().block_on(async {
            let mut smtp = house.smtp(&house.submission_server(Security::Tls), ANA).await;
            let expected = play(&mut smtp, chunking, false).await;
            smtp.quit().await;
            let messages: Vec<Vec<u8>> = sink.delivered().into_iter().map(|m| m.octets).collect();
            judge(&messages, &expected, "the sink");
        });
    }
}

/// With [`BareNewline::Refuse`], nothing of an ambiguous message is ever delivered.
#[test]
fn ambiguous_messages_are_refused_where_that_is_asked_for() {
    let test = "ambiguous_messages_are_refused_where_that_is_asked_for";
    let Some(office) = Office::open(test) else { return };
    runtime().block_on(async {
        let mut accepted = BTreeMap::new();
        let mut smtp = office.house.smtp(&office.server(Security::Tls), ANA).await;
        for (index, case) in matrix().into_iter().enumerate() {
            for chunking in [false, true] {
                let name = format!("{index} {chunking}");
                let message = [format!("Subject: {name}\r\n\r\nbody").as_bytes(), &case.octets()].concat();
                let options = Options { chunking, bare_newline: BareNewline::Refuse, ..Options::default() };
                let result = send(&mut smtp, &message, &options).await;
                if is_ambiguous(&message) {
                    assert!(matches!(result, Err(postkey::Error::SmtpMisuse(_))), "{name}: {result:?}");
                    if !smtp.is_open() {
                        smtp = office.house.smtp(&office.server(Security::Tls), ANA).await;
                    }
                } else {
                    let outcome = result.unwrap_or_else(|e| panic!("{name}: {e:?}"));
                    assert!(outcome.is_accepted(), "{name}: {outcome:?}");
                    accepted.insert(name, canonical(&message));
                }
            }
        }
        smtp.quit().await;
        assert!(!accepted.is_empty() && accepted.len() < 128);
        judge(&office.house.messages(BEN, accepted.len()).await, &accepted, "POP3");
    });
}
