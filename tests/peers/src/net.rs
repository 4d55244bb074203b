//! What the standard library has no safe call for, and free ports.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

/// Makes the next close of the socket a reset instead of an orderly end.
pub(crate) fn reset_on_close(stream: &TcpStream) {
    let _ = rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO));
}

/// A random number; tests that must be repeatable bring their own.
pub(crate) fn random() -> u64 {
    RandomState::new().hash_one(std::process::id())
}

/// A port that was free a moment ago, for a server that cannot be given a socket.
///
/// From below the kernel's own range: there, every outgoing connection could take the port before the server does.
///
/// # Errors
/// When 200 of them are all taken.
pub fn free_port() -> io::Result<u16> {
    const FIRST: u16 = 18_000;
    const COUNT: u64 = 14_000; // the kernel's range starts at 32768
    for _ in 0..200 {
        let port = FIRST + (random() % COUNT) as u16;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err(io::Error::new(io::ErrorKind::AddrInUse, "no free port on 127.0.0.1 after 200 tries"))
}
