//! Many messages over one connection to Postfix, whole and broken off.

mod support;

use postkey::Security;
use postkey::smtp::{Envelope, Options, Outcome, Queue};
use postkey_peers::{Cut, End, Relay, Which};
use support::office::Office;
use support::*;

struct Message {
    envelope: Envelope,
    options: Options,
    octets: std::io::Cursor<Vec<u8>>,
    outcome: Option<Outcome>,
}

/// Messages that are read as they go out; each is heard of once at most.
struct Pile {
    messages: Vec<Message>,
    /// Those that are to be sent, in their order.
    to_send: Vec<usize>,
    given: usize,
}

impl Pile {
    /// So many short and long ones, by DATA and by BDAT, with the subjects `NAME 0`, `NAME 1` and so on; every seventh is for nobody.
    fn new(name: &str, count: usize) -> Self {
        let message = |n: usize| {
            let lines = if n % 5 == 3 { 20_000 } else { n };
            let text =
                format!("Subject: {name} {n}.\r\nFrom: {ANA}\r\n\r\n{}", ".\r\n..a line\r\n".repeat(lines));
            let to = if n % 7 == 6 { "nobody@elsewhere.example" } else { BEN };
            let options =
                Options { size: Some(text.len() as u64), chunking: n % 2 == 1, ..Options::default() };
            let octets = std::io::Cursor::new(text.into_bytes());
            Message { envelope: envelope(ANA, &[to]), options, octets, outcome: None }
        };
        Self { messages: (0..count).map(message).collect(), to_send: (0..count).collect(), given: 0 }
    }

    /// Those that nothing has been heard of are to be sent once more.
    fn again(&mut self) {
        self.given = 0;
        let unheard = |n: &usize| self.messages[*n].outcome.is_none();
        self.to_send = (0..self.messages.len()).filter(unheard).collect();
        self.messages.iter_mut().for_each(|message| message.octets.set_position(0));
    }
}

impl Queue for Pile {
    fn next(&mut self) -> Option<(Envelope, Options)> {
        let message = &self.messages[*self.to_send.get(self.given)?];
        self.given += 1;
        Some((message.envelope.clone(), message.options))
    }

    fn source(&mut self, place: usize) -> Option<&mut (dyn tokio::io::AsyncRead + Unpin + Send)> {
        Some(&mut self.messages[self.to_send[place]].octets)
    }

    fn done(&mut self, place: usize, result: Result<Outcome, postkey::Error>) {
        let before = self.messages[self.to_send[place]].outcome.replace(result.unwrap());
        assert!(before.is_none(), "heard of once");
    }
}

/// A batch with refusals in it, whole, and cut at many places by the server's side of the connection.
#[test]
fn a_batch_loses_nothing_and_sends_nothing_twice_wherever_it_is_cut() {
    const COUNT: usize = 16;
    const CUTS: u64 = 8;
    let Some(office) = Office::open("a_batch_loses_nothing_and_sends_nothing_twice_wherever_it_is_cut")
    else {
        return;
    };
    runtime().block_on(async {
        let address = std::net::SocketAddr::from(([127, 0, 0, 1], office.postfix.tls_port()));
        let relay = Relay::start(address).unwrap();
        let direct = office.server(Security::Tls);
        let through = |relay: &Relay| direct.clone().port(relay.port());
        let mut piles = Vec::new();
        let mut whole = Pile::new("whole", COUNT);
        let mut smtp = office.house.smtp(&through(&relay), ANA).await;
        let signed_in = relay.to_client();
        smtp.send_queue(&mut whole).await.unwrap();
        let all = relay.to_client();
        smtp.quit().await;
        piles.push(whole);
        for n in 0..CUTS {
            // Not at the very ends: how long the replies are differs a little from connection to connection.
            let offset = signed_in + (all - signed_in) * (n + 1) / (CUTS + 2);
            let end = if n % 2 == 0 { End::Fin } else { End::Rst };
            let relay = Relay::start(address).unwrap();
            relay.set_cut(Some(Cut { offset, end, which: Which::First }));
            let mut pile = Pile::new(&format!("cut {n}"), COUNT);
            let mut smtp = office.house.smtp(&through(&relay), ANA).await;
            let ended = smtp.send_queue(&mut pile).await;
            assert!(!smtp.is_open(), "{n}: {ended:?}");
            // Over another connection what is certainly not sent.
            pile.again();
            let mut smtp = office.house.smtp(&direct, ANA).await;
            smtp.send_queue(&mut pile).await.unwrap();
            smtp.quit().await;
            piles.push(pile);
        }
        let all = || piles.iter().flat_map(|pile| &pile.messages);
        let sure = || all().filter(|message| message.outcome.as_ref().unwrap().is_accepted());
        let times = |came: &[Vec<u8>], message: &Message| {
            came.iter().filter(|m| without_trace(m) == message.octets.get_ref().as_slice()).count()
        };
        // Those in doubt may come before others that are sure.
        let mut came = Vec::new();
        for _ in 0..600 {
            came = office.house.messages(BEN, sure().count()).await;
            if sure().all(|message| times(&came, message) > 0) {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        let mut unknown = 0;
        for pile in &piles {
            for (n, message) in pile.messages.iter().enumerate() {
                let (outcome, found) = (message.outcome.as_ref().unwrap(), times(&came, message));
                unknown += usize::from(outcome.is_unknown());
                match n % 7 == 6 {
                    true => assert!(found == 0 && !outcome.is_transient(), "{outcome:?}"),
                    false if outcome.is_unknown() => assert!(found <= 1),
                    false => assert_eq!((found, outcome.is_accepted()), (1, true), "{outcome:?}"),
                }
            }
        }
        let wanted = piles.len() * (COUNT - COUNT / 7);
        assert!(unknown <= CUTS as usize && sure().count() + unknown == wanted, "{unknown}");
    });
}
