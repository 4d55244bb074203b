//! Messages of any size in buffers of fixed size.

use postkey_imap_proto::types::Mailbox;
use postkey_imap_proto::{Config, Security};
use wire::Need;

use crate::{fetch, select};

/// Largest memory that the buffers of a machine may hold while a message of any size goes past.
const BUFFERS: usize = 256 << 10;

#[test]
fn a_message_of_one_gib_comes_in_within_256_kib() {
    use postkey_imap_proto::{Client, Event, Fetch};
    use wire::{InBuf, Machine, Tick};
    const SIZE: u64 = 1 << 30;
    let mut config = Config::new(Security::DangerousPlaintext);
    config.limits.body = SIZE;
    let mut client = Client::new(config);
    let mut input = InBuf::new(config.limits.inbox());
    let piece = vec![b'x'; 60_000];
    let (mut to_come, mut got, mut ended) = (SIZE, 0u64, false);
    input.extend(b"* PREAUTH hi\r\n");
    loop {
        assert!(input.capacity() + client.output().capacity() <= BUFFERS);
        match client.advance(&mut input, Tick::ZERO) {
            Need::Event => match client.event(&input).unwrap().unwrap() {
                Event::Fetch(Fetch::Chunk(octets)) => got += octets.len() as u64,
                Event::Fetch(Fetch::BodyEnd) => ended = true,
                Event::Fetch(Fetch::End) => break,
                Event::Greeting(_) => {
                    client.send(&select()).unwrap();
                    client.send(&fetch()).unwrap();
                }
                _ => {}
            },
            Need::Input => {
                let n = client.output().len();
                client.output().sent(n);
                if got == 0 && to_come == SIZE {
                    input.extend(format!("A1 OK x\r\n* 1 FETCH (UID 1 BODY[] {{{SIZE}}}\r\n").as_bytes());
                }
                let n = (piece.len() as u64).min(to_come);
                input.extend(&piece[..n as usize]);
                to_come -= n;
                if n == 0 {
                    input.extend(b")\r\n");
                }
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(ended);
    assert_eq!(got, SIZE);
}

#[test]
fn a_message_of_one_gib_goes_out_within_256_kib() {
    use postkey_imap_proto::{Client, Event};
    use wire::{InBuf, Machine, Tick};
    const SIZE: u64 = 1 << 30;
    let mut client = Client::new(Config::new(Security::DangerousPlaintext));
    let mut input = InBuf::new(1 << 20);
    let piece = vec![b'x'; 60_000];
    let (mut to_write, mut sent, mut invited) = (SIZE, 0u64, false);
    input.extend(b"* PREAUTH hi\r\n");
    loop {
        assert!(input.capacity() + client.output().capacity() <= BUFFERS);
        match client.advance(&mut input, Tick::ZERO) {
            Need::Event => match client.event(&input).unwrap().unwrap() {
                Event::Greeting(_) => {
                    client
                        .append(Mailbox::INBOX, postkey_imap_proto::types::FlagSet::new(), None, SIZE)
                        .unwrap();
                }
                Event::WantsBody(_) => invited = true,
                Event::Completed(c) => {
                    assert_eq!(c.status.text.as_bytes(), b"stored");
                    break;
                }
                _ => {}
            },
            Need::App => {
                let n = piece.len().min(usize::try_from(to_write).unwrap());
                to_write -= client.write_body(&piece[..n]).unwrap() as u64;
                // The peer takes only some of it at a time.
                let n = client.output().len() / 2;
                client.output().sent(n);
                sent += n as u64;
            }
            Need::Input => {
                let n = client.output().len();
                client.output().sent(n);
                sent += n as u64;
                if !invited {
                    input.extend(b"+ go ahead\r\n");
                } else if to_write == 0 {
                    input.extend(b"A1 OK stored\r\n");
                }
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(sent, SIZE + "A1 APPEND INBOX {1073741824}\r\n\r\n".len() as u64);
}
