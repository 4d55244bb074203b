//! The relay passes everything, delays, and cuts where it is told.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use postkey_peers::{Cut, End, Relay, Which};

/// Sends this to everyone and then echoes.
fn server(data: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let addr = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let data = data.clone();
            thread::spawn(move || {
                let mut reader = stream.try_clone().unwrap();
                let writer = thread::spawn(move || stream.write_all(&data).map(|()| stream));
                let mut buffer = [0; 4096];
                let mut stream = None;
                while let Ok(n @ 1..) = reader.read(&mut buffer) {
                    let stream = stream.get_or_insert_with(|| reader.try_clone().unwrap());
                    if stream.write_all(&buffer[..n]).is_err() {
                        break;
                    }
                }
                let _ = writer.join();
            });
        }
    });
    addr
}

fn sample(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 31 % 251) as u8).collect()
}

/// What arrives, and how it ends.
fn read_all(addr: SocketAddr) -> (Vec<u8>, Option<ErrorKind>) {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut got = Vec::new();
    let mut buffer = [0; 8192];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return (got, None),
            Ok(n) => got.extend_from_slice(&buffer[..n]),
            Err(e) => return (got, Some(e.kind())),
        }
    }
}

#[test]
fn cuts_at_the_octet() {
    let data = sample(200_000);
    let relay = Relay::start(server(data.clone())).unwrap();
    for offset in [0, 1, 77, 65_536, 65_537, 131_072, 199_999] {
        for (end, error) in [(End::Fin, None), (End::Rst, Some(ErrorKind::ConnectionReset))] {
            relay.set_cut(Some(Cut { offset, end, which: Which::All }));
            let (got, ended) = read_all(relay.addr());
            assert_eq!(got.len() as u64, offset, "{end:?}");
            assert_eq!(got, data[..got.len()]);
            assert_eq!(ended, error, "{end:?} at {offset}");
        }
    }
    assert_eq!(relay.cuts(), 14);
    assert_eq!(relay.connections(), 14);
}

#[test]
fn only_the_first_is_cut() {
    let data = sample(50_000);
    let relay = Relay::start(server(data.clone())).unwrap();
    relay.set_cut(Some(Cut { offset: 10, end: End::Fin, which: Which::First }));
    assert_eq!(read_all(relay.addr()).0, data[..10]);
    let mut stream = TcpStream::connect(relay.addr()).unwrap();
    let mut got = vec![0; data.len()];
    stream.read_exact(&mut got).unwrap();
    assert_eq!(got, data);
    assert_eq!(relay.cuts(), 1);
}

#[test]
fn a_stalled_connection_stays_open_and_silent() {
    let relay = Relay::start(server(sample(1000))).unwrap();
    relay.set_cut(Some(Cut { offset: 100, end: End::Stall, which: Which::All }));
    let mut stream = TcpStream::connect(relay.addr()).unwrap();
    stream.read_exact(&mut [0; 100]).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let error = stream.read(&mut [0; 1]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
}

#[test]
fn everything_passes_in_both_directions() {
    for added in [Duration::ZERO, Duration::from_millis(10)] {
        let data = sample(3_000_000);
        let relay = Relay::with_round_trip(server(data.clone()), added).unwrap();
        let mut stream = TcpStream::connect(relay.addr()).unwrap();
        let mut got = vec![0; data.len()];
        stream.read_exact(&mut got).unwrap();
        assert!(got == data);
        stream.write_all(b"echo").unwrap();
        let mut echo = [0; 4];
        stream.read_exact(&mut echo).unwrap();
        assert_eq!(&echo, b"echo");
        assert_eq!((relay.to_client(), relay.to_server()), (3_000_004, 4));
        assert_eq!(relay.connections(), 1);
    }
}

#[test]
fn a_delay_is_a_line_and_not_a_brake() {
    // Not a test of speed: no answer can come before the delay has passed, on however fast a machine.
    let added = Duration::from_millis(80);
    let relay = Relay::with_round_trip(server(Vec::new()), added).unwrap();
    let mut stream = TcpStream::connect(relay.addr()).unwrap();
    let mut echo = [0; 1];
    let start = Instant::now();
    stream.write_all(b"x").unwrap();
    stream.read_exact(&mut echo).unwrap();
    assert!(start.elapsed() >= added);
}
