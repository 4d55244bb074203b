//! Messages of any size in buffers of fixed size.

use postkey_smtp_proto::server::{self, Event as Heard, Server};
use postkey_smtp_proto::types::*;
use postkey_smtp_proto::{Client, Config, Event, Security};
use wire::{InBuf, Machine as _, Need, Tick};

const GIB: u64 = 1 << 30;
const HELD: usize = 256 << 10;
/// A line of 1,024 octets with its end.
const LINE: usize = 1 << 10;

fn lines(len: usize) -> Vec<u8> {
    (0..len)
        .map(|n| {
            if n % LINE == LINE - 2 {
                b'\r'
            } else if n % LINE == LINE - 1 {
                b'\n'
            } else {
                b'x'
            }
        })
        .collect()
}

fn reply(code: u16) -> Reply {
    Reply::new(ReplyCode::new(code).unwrap(), None, "x").unwrap()
}

#[test]
fn a_gibibyte_goes_out() {
    for transfer in [Transfer::Data, Transfer::Bdat] {
        let mut client = Client::new(Config::new(Security::Tls));
        let mut input = InBuf::new(1 << 20);
        let mut hear = |client: &mut Client, octets: &[u8]| {
            assert_ne!(client.advance(&mut input, Tick::ZERO), Need::Event);
            let n = client.output().len();
            client.output().sent(n);
            input.extend(octets);
            let mut wants = false;
            while client.advance(&mut input, Tick::ZERO) == Need::Event {
                wants |= matches!(client.event().unwrap().unwrap(), Event::WantsBody(_));
            }
            wants
        };
        hear(&mut client, b"220 x\r\n");
        client.hello(&EhloName::new("x").unwrap()).unwrap();
        hear(&mut client, b"250-x\r\n250-CHUNKING\r\n250-SIZE\r\n250 PIPELINING\r\n");
        let envelope = Envelope::new(ReversePath::Null, ["a@b".parse().unwrap()]);
        client.send(&envelope, Body { transfer, size: Some(GIB), ..Body::default() }).unwrap();
        let replies: &[u8] = match transfer {
            Transfer::Data => b"250 a\r\n250 b\r\n354 go\r\n",
            Transfer::Bdat => b"250 a\r\n250 b\r\n",
        };
        assert!(hear(&mut client, replies));
        let before = client.output().total_sent();

        // A sink that never takes everything, so that the outbox never runs empty.
        let chunk = lines(100 * LINE);
        let (mut most, mut written, mut chunks, mut content) = (0, 0u64, 0, 0u64);
        while written < GIB {
            match client.advance(&mut input, Tick::ZERO) {
                Need::App => {
                    let at = usize::try_from(written).unwrap() % LINE;
                    let n = (chunk.len() - at).min(usize::try_from(GIB - written).unwrap());
                    let taken = client.write_body(&chunk[at..at + n]).unwrap();
                    assert!(taken > 0);
                    written += taken as u64;
                }
                Need::Input => {
                    let out = client.output();
                    let n = out.len();
                    if transfer == Transfer::Bdat {
                        let (count, octets) = chunks_in(out.pending());
                        chunks += count;
                        content += octets;
                        out.sent(n);
                        // The server answers every chunk.
                        assert_eq!(input.extend(&b"250 ok\r\n".repeat(count)), 8 * count);
                    } else {
                        out.sent(n * 3 / 4);
                    }
                }
                other => panic!("{other:?}"),
            }
            most = most.max(client.output().capacity() + input.capacity());
        }
        client.end_body().unwrap();
        assert!(most <= HELD, "{most} octets were held ({transfer:?})");
        match transfer {
            Transfer::Data => {
                let sent = client.output().total_sent() + client.output().len() as u64 - before;
                assert_eq!(sent, GIB + b".\r\n".len() as u64);
            }
            Transfer::Bdat => {
                let (_, octets) = chunks_in(client.output().pending());
                assert_eq!(content + octets, GIB);
                assert!(chunks as u64 >= GIB / (33 << 10), "{chunks}");
            }
        }
    }
}

/// How many chunks there are, none of them cut, and how long they are together.
fn chunks_in(mut octets: &[u8]) -> (usize, u64) {
    let (mut count, mut sum) = (0, 0);
    while !octets.is_empty() {
        let end = octets.iter().position(|c| *c == b'\n').unwrap();
        let line = std::str::from_utf8(&octets[..end]).unwrap();
        let len: usize = line.split_ascii_whitespace().nth(1).unwrap().parse().unwrap();
        octets = &octets[end + 1 + len..];
        (count, sum) = (count + 1, sum + len as u64);
    }
    (count, sum)
}

#[test]
fn a_gibibyte_comes_in() {
    for bdat in [false, true] {
        let mut config = server::Config::new(Security::DangerousPlaintext);
        config.limits.body = 2 * GIB;
        let mut server = Server::new(config);
        server.greet(&reply(220)).unwrap();
        let mut input = InBuf::new(HELD / 2);
        let begin = "EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\n";
        input.extend(begin.as_bytes());
        if bdat {
            input.extend(format!("BDAT {GIB} LAST\r\n").as_bytes());
        } else {
            input.extend(b"DATA\r\n");
        }
        let chunk = lines(50 * LINE);
        let (mut given, mut got, mut most, mut asked) = (0u64, 0u64, 0, bdat);
        let caps = [Extension::new("CHUNKING", []).unwrap()];
        let hello = Capabilities::new(&EhloName::new("mx").unwrap(), caps.to_vec()).unwrap().to_reply();
        loop {
            match server.advance(&mut input, Tick::ZERO) {
                Need::Event => match server.event(&input).unwrap().unwrap() {
                    Heard::Hello { .. } => server.reply(&hello).unwrap(),
                    Heard::Mail { .. } | Heard::Rcpt { .. } => server.reply(&reply(250)).unwrap(),
                    Heard::Data => {
                        server.accept_data("go").unwrap();
                        asked = true;
                    }
                    Heard::BodyChunk(octets) => got += octets.len() as u64,
                    Heard::BodyEnd { octets, fault } => {
                        assert_eq!((octets, fault), (GIB, None));
                        break;
                    }
                    other => panic!("{other:?}"),
                },
                Need::Input if asked && given < GIB => {
                    let at = usize::try_from(given).unwrap() % LINE;
                    let n = (chunk.len() - at).min(usize::try_from(GIB - given).unwrap());
                    given += input.extend(&chunk[at..at + n]) as u64;
                }
                Need::Input => assert!(input.extend(b".\r\n") > 0),
                other => panic!("{other:?}"),
            }
            most = most.max(server.output().capacity() + input.capacity());
        }
        assert_eq!(got, GIB);
        assert!(most <= HELD, "{most} octets were held (bdat: {bdat})");
        server.reply(&reply(250)).unwrap();
    }
}
