//! Many messages over one session, read as they go out, against servers that follow a script.

mod support;

use postkey::Error;
use postkey::smtp::{Envelope, Options, Outcome, Queue};
use support::smtp::{MAIL, message, session, to};
use support::{Step, hear, say};

/// Messages that are read as they go out, and what was heard of them.
#[derive(Default)]
struct Pile {
    messages: Vec<(Envelope, Options, std::io::Cursor<Vec<u8>>)>,
    given: usize,
    heard: Vec<(usize, Result<Outcome, Error>)>,
}

impl Pile {
    fn add(&mut self, to_whom: &str, octets: &[u8]) -> &mut Self {
        let options = Options { size: Some(octets.len() as u64), chunking: true, ..Options::default() };
        self.messages.push((to(&[to_whom]), options, std::io::Cursor::new(octets.to_vec())));
        self
    }

    fn by_data(&mut self) -> &mut Self {
        self.messages.last_mut().unwrap().1.chunking = false;
        self
    }

    fn accepted(&self) -> Vec<usize> {
        let heard = self.heard.iter();
        heard.filter(|(_, r)| r.as_ref().is_ok_and(Outcome::is_accepted)).map(|(at, _)| *at).collect()
    }
}

impl Queue for Pile {
    fn next(&mut self) -> Option<(Envelope, Options)> {
        let (envelope, options, _) = self.messages.get(self.given)?;
        self.given += 1;
        assert!(self.given <= self.heard.len() + 2, "no more than two are out");
        Some((envelope.clone(), *options))
    }

    fn source(&mut self, place: usize) -> Option<&mut (dyn tokio::io::AsyncRead + Unpin + Send)> {
        Some(&mut self.messages.get_mut(place)?.2)
    }

    fn done(&mut self, place: usize, result: Result<Outcome, Error>) {
        self.heard.push((place, result));
    }
}

fn commands(recipient: &str, size: usize, data: &str) -> String {
    format!("{MAIL} SIZE={size}\r\nRCPT TO:<{recipient}>\r\n{data}")
}

#[tokio::test]
async fn a_queue_shares_round_trips_and_a_refusal_in_it_is_one_messages_own() {
    let long = "0123456789abcde\r\n".repeat(10_000);
    let mut pile = Pile::default();
    pile.add("a@x.example", b"one\r\n").by_data();
    pile.add("b@x.example", b"two\r\n").by_data();
    // Larger than the server takes: it is heard of, and nothing is said.
    pile.add("c@x.example", &vec![b'x'; 1_000_001]);
    pile.add("d@x.example", b"four\r\n").by_data();
    pile.add("e@x.example", long.as_bytes());
    pile.add("f@x.example", b"six\r\n").by_data();
    let mut script = vec![
        hear(&commands("a@x.example", 5, "DATA\r\n")),
        say("250 ok\r\n250 ok\r\n354 go\r\n"),
        // The next one's commands come before this one's reply.
        hear(&format!("one\r\n.\r\n{}", commands("b@x.example", 5, "DATA\r\n"))),
        say("250 2.0.0 first\r\n250 ok\r\n550 5.1.1 nobody\r\n503 5.5.1 nobody to send to\r\n"),
        hear("RSET\r\n"),
        say("250 ok\r\n"),
        hear(&commands("d@x.example", 6, "DATA\r\n")),
        say("250 ok\r\n250 ok\r\n354 go\r\n"),
        hear(&format!("four\r\n.\r\n{}", commands("e@x.example", long.len(), ""))),
        say("451 4.7.500 Server busy\r\n250 ok\r\n250 ok\r\n"),
    ];
    let mut left = long.as_str();
    while !left.is_empty() {
        let (piece, rest) = left.split_at(left.len().min(32 << 10));
        let last = if rest.is_empty() { " LAST" } else { "" };
        script.extend([hear(&format!("BDAT {}{last}\r\n{piece}", piece.len())), say("250 ok\r\n")]);
        left = rest;
    }
    script.extend(message("f@x.example", 5, "six\r\n.\r\n"));
    script.extend([say("250 2.0.0 last\r\n"), hear("QUIT\r\n"), say("221 bye\r\n")]);
    let (mut smtp, heard) = session(script).await;
    smtp.send_queue(&mut pile).await.unwrap();
    smtp.quit().await;
    heard.await.unwrap();
    assert_eq!(pile.heard.len(), 6);
    assert_eq!(pile.accepted(), [0, 4, 5]);
    let rejected = |at: usize| pile.heard.iter().find(|h| h.0 == at).and_then(|h| h.1.as_ref().ok()).unwrap();
    assert!(!rejected(1).is_transient() && rejected(3).is_transient());
    assert!(pile.heard.iter().any(|(at, r)| *at == 2 && matches!(r, Err(Error::SmtpMisuse(_)))));
}

#[tokio::test]
async fn a_queue_that_breaks_off_leaves_no_doubt_but_where_there_is_one() {
    // In the middle of the second message: it and what is behind it are certainly not sent.
    let mut pile = Pile::default();
    // More than all buffers on the way hold: what has left this host whole is in doubt.
    let long = vec![b'x'; 64 << 20];
    pile.add("a@x.example", b"one\r\n").by_data().add("b@x.example", &long).by_data();
    pile.messages[1].1.size = None;
    pile.add("c@x.example", b"three\r\n");
    let mut script = message("a@x.example", 5, "one\r\n.\r\n");
    script.extend([
        Step::Until("DATA\r\n"),
        say("250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n"),
        Step::Until("xxx"),
        Step::Close,
    ]);
    let (mut smtp, _heard) = session(script).await;
    let error = smtp.send_queue(&mut pile).await.unwrap_err();
    assert!(error.is_transient() && !smtp.is_open(), "{error:?}");
    assert_eq!((pile.heard.len(), pile.accepted()), (1, vec![0]));

    // Behind the first message, when the second one's commands are on their way: one is in doubt and the other is not.
    let mut pile = Pile::default();
    pile.add("a@x.example", b"one\r\n").by_data().add("b@x.example", b"two\r\n");
    let mut script = message("a@x.example", 5, "one\r\n.\r\n");
    script.extend([hear(&commands("b@x.example", 5, "")), Step::Close]);
    let (mut smtp, _heard) = session(script).await;
    smtp.send_queue(&mut pile).await.unwrap();
    assert!(!smtp.is_open());
    let [(0, Ok(outcome))] = &pile.heard[..] else { panic!("{:?}", pile.heard) };
    assert!(outcome.is_unknown(), "{outcome:?}");

    // 421 to the second: it is refused for now, the third is not begun.
    let mut pile = Pile::default();
    pile.add("a@x.example", b"one\r\n").by_data().add("b@x.example", b"two\r\n").by_data();
    pile.add("c@x.example", b"three\r\n").by_data();
    let mut script = message("a@x.example", 5, "one\r\n.\r\n");
    script.extend([Step::Until("DATA\r\n"), say("250 ok\r\n421 4.3.2 enough\r\n"), Step::Close]);
    let (mut smtp, _heard) = session(script).await;
    smtp.send_queue(&mut pile).await.unwrap();
    assert!(!smtp.is_open());
    let [(0, Ok(first)), (1, Ok(second))] = &pile.heard[..] else { panic!("{:?}", pile.heard) };
    assert!(first.is_accepted() && second.is_transient(), "{second:?}");
}
