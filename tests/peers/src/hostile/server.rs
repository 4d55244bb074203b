//! The server that plays a case to everyone who connects.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustls::ServerConfig;

use super::case::{Case, Proto, Start};
use super::player::Player;
use super::{imap, pop3, smtp};
use crate::Tls;

/// What the server saw, over all its connections, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Somebody connected.
    Connected,
    /// A line of the client, without its end; whether it came through TLS.
    Line {
        /// Whether it came through TLS.
        tls: bool,
        /// At most 64 KiB of it.
        line: Vec<u8>,
    },
    /// The server began a TLS handshake.
    HandshakeStarted,
    /// The handshake succeeded.
    HandshakeDone,
    /// The connection ended.
    Ended,
}

/// A server on a free port of 127.0.0.1. Dropping it ends it and its connections.
#[derive(Debug)]
pub struct HostileServer {
    addr: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    case: Case,
    stopped: AtomicBool,
    record: Record,
    /// The connections that are being played, so that dropping the server can end them.
    open: Mutex<HashMap<usize, TcpStream>>,
}

/// What was seen and how much was sent.
#[derive(Debug, Default)]
pub(super) struct Record {
    seen: Mutex<Vec<Seen>>,
    sent: AtomicUsize,
}

impl Record {
    pub(super) fn push(&self, seen: Seen) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(seen);
    }

    pub(super) fn sent(&self, octets: usize) {
        self.sent.fetch_add(octets, Ordering::SeqCst);
    }
}

impl HostileServer {
    /// Plays a case. The certificate is needed where the case uses TLS.
    ///
    /// # Errors
    /// When no port can be had, or when a certificate is missing.
    pub fn start(case: Case, tls: Option<&Tls>) -> io::Result<Self> {
        if case.tls != Start::None && tls.is_none() {
            return Err(io::Error::other(format!("{}: the case needs a certificate", case.id)));
        }
        let config = tls.map(Tls::server_config);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let addr = listener.local_addr()?;
        let shared = Arc::new(Shared {
            case,
            stopped: AtomicBool::new(false),
            record: Record::default(),
            open: Mutex::default(),
        });
        let of_listener = Arc::clone(&shared);
        thread::spawn(move || {
            for (id, stream) in listener.incoming().flatten().enumerate() {
                if of_listener.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let (shared, config) = (Arc::clone(&of_listener), config.clone());
                thread::spawn(move || serve(id, stream, config, &shared));
            }
        });
        Ok(Self { addr, shared })
    }

    /// Where clients connect.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The port of [`Self::addr`].
    pub fn port(&self) -> u16 {
        self.addr.port()
    }

    /// The case that is played.
    pub fn case(&self) -> &Case {
        &self.shared.case
    }

    /// What was seen until now.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.record.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What was seen when every connection had ended, or after 5 s: to be called when the client is gone.
    pub fn seen_to_the_end(&self) -> Vec<Seen> {
        let deadline = Instant::now() + Duration::from_secs(5);
        loop {
            let seen = self.seen();
            let count = |wanted| seen.iter().filter(|seen| **seen == wanted).count();
            if count(Seen::Connected) == count(Seen::Ended) || Instant::now() > deadline {
                return seen;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// The client's lines that came without TLS, as text: where no credential may be.
    pub fn plaintext_lines(&self) -> Vec<String> {
        self.seen()
            .into_iter()
            .filter_map(|seen| match seen {
                Seen::Line { tls: false, line } => Some(String::from_utf8_lossy(&line).into_owned()),
                _ => None,
            })
            .collect()
    }

    /// Octets sent to all clients, before encryption.
    pub fn sent(&self) -> usize {
        self.shared.record.sent.load(Ordering::SeqCst)
    }
}

fn serve(id: usize, stream: TcpStream, config: Option<Arc<ServerConfig>>, shared: &Shared) {
    shared.record.push(Seen::Connected);
    let open = || shared.open.lock().unwrap_or_else(PoisonError::into_inner);
    if let Ok(clone) = stream.try_clone() {
        open().insert(id, clone);
    }
    let ended = Player::new(&shared.case, stream, config, &shared.record).and_then(|mut player| match shared
        .case
        .proto
    {
        Proto::Imap => imap::run(&mut player),
        Proto::Pop3 => pop3::run(&mut player),
        Proto::Smtp => smtp::run(&mut player),
    });
    drop(ended); // always an error: that is how the player's loop is left
    shared.record.push(Seen::Ended);
    open().remove(&id); // the last handle: now the client sees the end, or the reset
}

impl Drop for HostileServer {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.addr); // wakes the listener
        for stream in self.shared.open.lock().unwrap_or_else(PoisonError::into_inner).values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}
