//! Messages of any size in buffers of fixed size.

use std::num::NonZeroU32;

use postkey_imap_proto::Misuse;
use postkey_imap_proto::server::Event;
use postkey_imap_proto::types::{BodyName, FetchData, FlagSet, Response, Section, StatusKind};
use wire::{InBuf, Machine as _, Need, Tick};

use crate::app::App;

const GIB: u64 = 1 << 30;
const HELD: usize = 256 << 10;

#[test]
fn a_gibibyte_goes_out() {
    let mut server = App::preauth().start().server;
    let mut input = InBuf::new(1 << 20);
    input.extend(b"a FETCH 1 BODY[]\r\n");
    input.consume(input.len());
    input.extend(b"a NOOP\r\n");
    assert_eq!(server.advance(&mut input, Tick::ZERO), Need::Event);
    server.event(&input).unwrap().unwrap();
    server.fetch_start(NonZeroU32::MIN).unwrap();
    server.fetch_item(&FetchData::Flags(FlagSet::default())).unwrap();
    server.fetch_body(&BodyName::Section(Section::FULL), Some(0), GIB).unwrap();

    // A sink that never takes everything, so that the outbox never runs empty.
    let chunk = vec![b'x'; 100_000];
    let (mut most, mut turns) = (0, 0u64);
    while server.body_left() > 0 {
        match server.advance(&mut input, Tick::ZERO) {
            Need::App => {
                let n = chunk.len().min(usize::try_from(server.body_left()).unwrap());
                let taken = server.write_body(&chunk[..n]).unwrap();
                assert!(taken > 0);
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
    server.fetch_end().unwrap();
    server.complete(StatusKind::Ok, None, "done").unwrap();
    assert!(server.output().pending().ends_with(b"xxx)\r\na OK done\r\n"));
    let sent = server.output().total_sent() + server.output().len() as u64;
    let around =
        b"* PREAUTH welcome back\r\n* 1 FETCH (FLAGS () BODY[]<0> {1073741824}\r\n)\r\na OK done\r\n";
    assert_eq!(sent, GIB + around.len() as u64);
}

#[test]
fn a_gibibyte_comes_in() {
    let mut app = App::preauth();
    app.config.limits.body = 2 * GIB;
    let mut server = app.start().server;
    let mut input = InBuf::new(HELD / 2);
    input.extend(format!("a APPEND INBOX {{{GIB}+}}\r\n").as_bytes());
    let chunk = vec![b'y'; 50_000];
    let (mut given, mut got, mut most) = (0u64, 0u64, 0);
    loop {
        match server.advance(&mut input, Tick::ZERO) {
            Need::Event => match server.event(&input).unwrap().unwrap() {
                Event::Append { len, .. } => {
                    assert_eq!(len, GIB);
                    server.accept_body().unwrap();
                }
                Event::BodyChunk(octets) => {
                    assert_eq!((octets[0], octets[octets.len() - 1]), (b'y', b'y'));
                    got += octets.len() as u64;
                }
                Event::BodyEnd => break,
                other => panic!("{other:?}"),
            },
            Need::Input if given < GIB => {
                let n = chunk.len().min(usize::try_from(GIB - given).unwrap());
                given += input.extend(&chunk[..n]) as u64;
            }
            Need::Input => assert_eq!(input.extend(b"\r\n"), 2),
            other => panic!("{other:?}"),
        }
        most = most.max(server.output().capacity() + input.capacity());
    }
    assert_eq!(got, GIB);
    assert!(most <= HELD, "{most} octets were held");
    server.complete(StatusKind::Ok, None, "done").unwrap();
}

#[test]
fn inside_fetch_data_there_is_nothing_else() {
    let mut server = App::preauth().start().server;
    let mut input = InBuf::new(1 << 20);
    input.extend(b"a NOOP\r\n");
    assert_eq!(server.advance(&mut input, Tick::ZERO), Need::Event);
    server.event(&input).unwrap().unwrap();
    let body = BodyName::Section(Section::TEXT);
    assert_eq!(server.fetch_item(&FetchData::Size(Some(1))), Err(Misuse::State));
    assert_eq!(server.write_body(b"x"), Err(Misuse::NoBody));
    server.fetch_start(NonZeroU32::MIN).unwrap();
    assert_eq!(server.fetch_end(), Err(Misuse::State), "an empty list is no FETCH data");
    // A size nobody knows cannot be said; nothing of it remains.
    assert!(matches!(server.fetch_item(&FetchData::Size(None)), Err(Misuse::Invalid(_))));
    server.fetch_body(&body, None, 3).unwrap();
    assert_eq!(server.untagged(&Response::Exists(1)), Err(Misuse::State));
    assert_eq!(server.complete(StatusKind::Ok, None, "x"), Err(Misuse::State));
    assert_eq!(server.fetch_item(&FetchData::Size(Some(1))), Err(Misuse::State));
    assert_eq!(server.fetch_end(), Err(Misuse::State));
    assert_eq!(server.write_body(b"abcd"), Err(Misuse::NoBody));
    assert_eq!(server.write_body(b"ab"), Ok(2));
    assert_eq!(server.advance(&mut input, Tick::ZERO), Need::App);
    assert_eq!(server.write_body(b"c"), Ok(1));
    server.fetch_body(&body, None, 0).unwrap();
    server.fetch_end().unwrap();
    server.complete(StatusKind::Ok, None, "x").unwrap();
    let expected =
        b"* PREAUTH welcome back\r\n* 1 FETCH (BODY[TEXT] {3}\r\nabc BODY[TEXT] {0}\r\n)\r\na OK x\r\n";
    assert_eq!(server.output().pending().escape_ascii().to_string(), expected.escape_ascii().to_string());
}
