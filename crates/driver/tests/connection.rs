//! The loop against a machine that has no protocol to speak of.

use std::time::Duration;

use postkey_driver::{Connection, Turn, dial};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use wire::{InBuf, Machine, Need, OutBuf, Tick, Upgraded};

/// Sends `to_send` octets, expects `to_get`, then waits for the application.
struct Pump {
    out: OutBuf,
    to_send: usize,
    to_get: usize,
    deadline: Option<Tick>,
    woken: bool,
}

impl Machine for Pump {
    fn advance(&mut self, input: &mut InBuf, now: Tick) -> Need {
        if self.deadline.is_some_and(|d| now >= d) {
            self.woken = true;
            return Need::App;
        }
        let n = input.len();
        self.to_get -= n.min(self.to_get);
        input.consume(n);
        if input.is_closed() {
            return Need::Close;
        }
        let room = (1usize << 20).saturating_sub(self.out.len()).min(self.to_send);
        self.out.push(&vec![b'x'; room]);
        self.to_send -= room;
        if self.to_get == 0 && self.to_send == 0 { Need::App } else { Need::Input }
    }
    fn output(&mut self) -> &mut OutBuf {
        &mut self.out
    }
    fn deadline(&self) -> Option<Tick> {
        self.deadline
    }
    fn upgraded(&mut self, _: Upgraded) {}
}

fn pump(to_send: usize, to_get: usize) -> Pump {
    Pump { out: OutBuf::new(), to_send, to_get, deadline: None, woken: false }
}

async fn listener() -> (TcpListener, u16) {
    let l = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = l.local_addr().unwrap().port();
    (l, port)
}

#[tokio::test]
async fn two_peers_that_write_at_each_other_do_not_deadlock() {
    const MUCH: usize = 64 << 20;
    let (l, port) = listener().await;
    let server = tokio::spawn(async move {
        let (s, _) = l.accept().await.unwrap();
        let mut c = Connection::plain(s, 1 << 20);
        let mut m = pump(MUCH, MUCH);
        let turn = c.drive(&mut m).await.unwrap();
        (turn, m.to_get, m.out.total_sent())
    });
    let s = dial("127.0.0.1", port, Duration::from_secs(5)).await.unwrap();
    let mut c = Connection::plain(s, 1 << 20);
    let mut m = pump(MUCH, MUCH);
    let client = c.drive(&mut m).await.unwrap();
    let (turn, left, sent) = server.await.unwrap();
    assert_eq!((client, m.to_get, m.out.total_sent()), (Turn::App, 0, MUCH as u64));
    assert_eq!((turn, left, sent), (Turn::App, 0, MUCH as u64));
}

#[tokio::test]
async fn the_deadline_wakes_the_machine_when_nothing_arrives() {
    let (l, port) = listener().await;
    let s = dial("127.0.0.1", port, Duration::from_secs(5)).await.unwrap();
    let _held = l.accept().await.unwrap();
    let mut c = Connection::plain(s, 1 << 20);
    let mut m = pump(0, 1);
    m.deadline = Some(c.now() + Duration::from_millis(30));
    assert_eq!(c.drive(&mut m).await.unwrap(), Turn::App);
    assert!(m.woken);
}

#[tokio::test]
async fn the_end_of_the_stream_is_the_machines_business() {
    let (l, port) = listener().await;
    let s = dial("127.0.0.1", port, Duration::from_secs(5)).await.unwrap();
    let (mut peer, _) = l.accept().await.unwrap();
    peer.write_all(b"abc").await.unwrap();
    peer.shutdown().await.unwrap();
    let mut c = Connection::plain(s, 1 << 20);
    let mut m = pump(0, 10);
    assert_eq!(c.drive(&mut m).await.unwrap(), Turn::Closed);
    assert_eq!(m.to_get, 7);
    let mut rest = Vec::new();
    peer.read_to_end(&mut rest).await.unwrap();
    assert!(rest.is_empty());
}

#[tokio::test]
async fn what_the_peer_said_before_it_went_is_read_although_writing_fails() {
    let (l, port) = listener().await;
    let s = dial("127.0.0.1", port, Duration::from_secs(5)).await.unwrap();
    let (mut peer, _) = l.accept().await.unwrap();
    peer.write_all(b"* BYE\r\n").await.unwrap();
    drop(peer);
    tokio::time::sleep(Duration::from_millis(20)).await;
    let mut c = Connection::plain(s, 1 << 20);
    let mut m = pump(1 << 20, 7);
    // Either way the seven octets reach the machine.
    let _ = c.drive(&mut m).await;
    assert_eq!(m.to_get, 0);
}
