//! Messages of any size in buffers of fixed size (PO-08).

use std::num::NonZeroU32;

use postkey_pop3_proto::types::{Command, Digest, Name, Reply};
use postkey_pop3_proto::{Client, Config, Event, Security, Server};
use wire::{InBuf, Machine as _, Need, Tick};

use crate::app::{App, DIGEST};

const GIB: u64 = 1 << 30;
const HELD: usize = 256 << 10;

/// A server that has begun to answer RETR.
fn retrieving() -> (Server, InBuf) {
    let mut server = App::new(Security::Tls).start().server;
    let mut input = InBuf::new(1 << 16);
    input.extend(format!("APOP ana {DIGEST}\r\nRETR 1\r\n").as_bytes());
    assert_eq!(server.advance(&mut input, Tick::ZERO), Need::Event);
    server.event().unwrap().unwrap();
    server.complete(&Reply::ok("in").unwrap()).unwrap();
    assert_eq!(server.advance(&mut input, Tick::ZERO), Need::Event);
    server.event().unwrap().unwrap();
    server.start(&Reply::ok("follows").unwrap()).unwrap();
    (server, input)
}

#[test]
fn a_gibibyte_goes_out() {
    let (mut server, mut input) = retrieving();

    // One line without end, and a sink that never takes everything, so that the outbox never runs empty.
    let chunk = vec![b'x'; 100_000];
    let (mut written, mut most, mut turns) = (0u64, 0, 0u64);
    while written < GIB {
        match server.advance(&mut input, Tick::ZERO) {
            Need::App => {
                let n = chunk.len().min(usize::try_from(GIB - written).unwrap());
                let taken = server.write_body(&chunk[..n]).unwrap();
                assert!(taken > 0);
                written += taken as u64;
            }
            Need::Input => {
                let n = server.output().len() * 3 / 4;
                server.output().sent(n);
                turns += 1;
            }
            other => panic!("{other:?}"),
        }
        most = most.max(server.output().capacity() + input.capacity());
    }
    assert!(turns > GIB / HELD as u64, "{turns}");
    assert!(most <= HELD, "{most} octets were held");
    server.end().unwrap();
    assert!(server.output().pending().ends_with(b"xxx\r\n.\r\n"));
    let sent = server.output().total_sent() + server.output().len() as u64;
    let head = format!("+OK {}\r\n+OK in\r\n+OK follows\r\n", crate::app::GREETING);
    assert_eq!(sent, GIB + head.len() as u64 + b"\r\n.\r\n".len() as u64);
}

#[test]
fn dots_at_every_line_double_nothing_but_the_line() {
    // The worst that stuffing can do to the outbox.
    let (mut server, _) = retrieving();
    let chunk = b".\n".repeat(100_000);
    let mut taken = 0;
    while taken < chunk.len() {
        if server.can_write() {
            taken += server.write_body(&chunk[taken..]).unwrap();
        }
        assert!(server.output().len() <= (64 << 10) + (32 << 10), "{}", server.output().len());
        let n = server.output().len();
        server.output().sent(n);
    }
    server.end().unwrap();
    let head = format!("+OK {}\r\n+OK in\r\n+OK follows\r\n", crate::app::GREETING);
    let sent = server.output().total_sent() + server.output().len() as u64;
    assert_eq!(sent, (head.len() + 100_000 * b"..\r\n".len() + 3) as u64);
}

#[test]
fn a_gibibyte_comes_in() {
    let mut config = Config::new(Security::Tls);
    config.limits.body = 2 * GIB;
    let mut client = Client::new(config);
    let mut input = InBuf::new(1 << 16);
    let step = |client: &mut Client, input: &mut InBuf, line: &[u8]| {
        assert_eq!(input.extend(line), line.len());
        while client.advance(input, Tick::ZERO) == Need::Event {
            client.event(input).unwrap().unwrap();
        }
    };
    step(&mut client, &mut input, b"+OK <1@x>\r\n");
    client.apop(&Name::new("ana").unwrap(), &Digest::new(&DIGEST.into()).unwrap()).unwrap();
    client.send(&Command::Retr(NonZeroU32::MIN)).unwrap();
    step(&mut client, &mut input, b"");
    step(&mut client, &mut input, b"+OK in\r\n");
    step(&mut client, &mut input, b"+OK follows\r\n");

    // Stuffed dots, and lines far longer than any limit on lines.
    let piece = [&b"..dot\r\n"[..], &[b'x'; 9_000], b"\r\n"].concat().repeat(6);
    let content = piece.len() as u64 - 6;
    let rounds = GIB / content + 1;
    let (mut given, mut got, mut most) = (0u64, 0u64, 0);
    let mut rest: &[u8] = &[];
    let ended = loop {
        match client.advance(&mut input, Tick::ZERO) {
            Need::Event => match client.event(&input).unwrap().unwrap() {
                Event::Chunk(octets) => got += octets.len() as u64,
                Event::End(_) => break true,
                other => panic!("{other:?}"),
            },
            Need::Input => {
                if rest.is_empty() && given < rounds {
                    given += 1;
                    rest = &piece;
                } else if rest.is_empty() {
                    rest = b".\r\n";
                }
                let n = input.extend(rest);
                assert!(n > 0);
                rest = &rest[n..];
            }
            other => panic!("{other:?}"),
        }
        most = most.max(client.output().capacity() + input.capacity());
    };
    assert!(ended && got >= GIB);
    assert_eq!(got, rounds * content);
    assert!(most <= HELD, "{most} octets were held");
}
