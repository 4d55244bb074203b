//! A relay between a client and a server that can delay, count and cut.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::net::reset_on_close;

/// How a connection ends for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// An orderly end of the stream, in the middle of whatever it was.
    Fin,
    /// A reset.
    Rst,
    /// Nothing more comes, and nothing says so.
    Stall,
}

/// Which connections are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The first that reaches the offset; the ones after it pass.
    First,
    /// Every one.
    All,
}

/// The place where a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// So many octets of the server reach the client, counted for each connection alone.
    pub offset: u64,
    /// What the client sees then.
    pub end: End,
    /// Which connections this is done to.
    pub which: Which,
}

/// A TCP relay on a free port of 127.0.0.1. Dropping it ends it and its connections.
#[derive(Debug)]
pub struct Relay {
    addr: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    stopped: AtomicBool,
    connections: AtomicU64,
    to_client: AtomicU64,
    to_server: AtomicU64,
    cuts: AtomicU64,
    cut: Mutex<Option<Cut>>,
    open: Mutex<Vec<TcpStream>>,
}

/// As much as a delay line holds before it stops reading: 64 MiB is more than loopback carries in the delays
/// that are used, so the delay does not become a limit of bandwidth.
const CHUNK: usize = 64 * 1024;
const CHUNKS: usize = 1024;

impl Relay {
    /// Passes everything on at once.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn start(target: SocketAddr) -> io::Result<Self> {
        Self::with_round_trip(target, Duration::ZERO)
    }

    /// Adds this much to every round trip, half of it in each direction: a delay line, so as many octets as the
    /// server can send are on their way at once.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn with_round_trip(target: SocketAddr, added: Duration) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let addr = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let of_listener = Arc::clone(&shared);
        thread::spawn(move || listen(&listener, target, added / 2, &of_listener));
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

    /// Cuts from now on, or no more. Connections that are open are cut too.
    pub fn set_cut(&self, cut: Option<Cut>) {
        *lock(&self.shared.cut) = cut;
    }

    /// How many connections were accepted.
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// How many connections were cut.
    pub fn cuts(&self) -> u64 {
        self.shared.cuts.load(Ordering::SeqCst)
    }

    /// Octets that were passed to clients, over all connections.
    pub fn to_client(&self) -> u64 {
        self.shared.to_client.load(Ordering::SeqCst)
    }

    /// Octets that were passed to the server, over all connections.
    pub fn to_server(&self) -> u64 {
        self.shared.to_server.load(Ordering::SeqCst)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.addr); // wakes the listener
        for stream in lock(&self.shared.open).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn listen(listener: &TcpListener, target: SocketAddr, delay: Duration, shared: &Arc<Shared>) {
    for client in listener.incoming().flatten() {
        if shared.stopped.load(Ordering::SeqCst) {
            return;
        }
        shared.connections.fetch_add(1, Ordering::SeqCst);
        let shared = Arc::clone(shared);
        thread::spawn(move || {
            // A server that is not there: the client sees its connection end.
            let _ = connect(client, target, delay, &shared);
        });
    }
}

fn connect(client: TcpStream, target: SocketAddr, delay: Duration, shared: &Arc<Shared>) -> io::Result<()> {
    let server = TcpStream::connect(target)?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
        lock(&shared.open).push(stream.try_clone()?);
    }
    let up = {
        let (from, to, shared) = (client.try_clone()?, server.try_clone()?, Arc::clone(shared));
        thread::spawn(move || upstream(&from, &to, delay, &shared))
    };
    downstream(&server, &client, delay, shared);
    let _ = up.join();
    Ok(())
}

/// Client to server: everything, until one of them ends.
fn upstream(from: &TcpStream, to: &TcpStream, delay: Duration, shared: &Shared) {
    let _ = carry(from, delay, |chunk| {
        // Counted first: whoever has seen the octets finds them in the count.
        shared.to_server.fetch_add(chunk.len() as u64, Ordering::SeqCst);
        (&mut &*to).write_all(chunk)
    });
    let _ = to.shutdown(Shutdown::Write);
}

/// Server to client: up to the cut, if there is one.
fn downstream(from: &TcpStream, to: &TcpStream, delay: Duration, shared: &Shared) {
    let mut passed = 0_u64;
    let mut cut = None;
    let _ = carry(from, delay, |chunk| {
        let (allowed, reached) = match *lock(&shared.cut) {
            Some(cut) => {
                let left = cut.offset.saturating_sub(passed);
                let allowed = usize::try_from(left).unwrap_or(usize::MAX).min(chunk.len());
                (allowed, (passed + allowed as u64 >= cut.offset).then_some(cut))
            }
            None => (chunk.len(), None),
        };
        passed += allowed as u64;
        shared.to_client.fetch_add(allowed as u64, Ordering::SeqCst);
        (&mut &*to).write_all(&chunk[..allowed])?;
        if reached.is_some() {
            cut = reached;
            return Err(ErrorKind::Other.into());
        }
        Ok(())
    });
    match cut {
        Some(cut) => sever(cut, from, to, shared),
        None => drop(to.shutdown(Shutdown::Write)),
    }
}

fn sever(cut: Cut, server: &TcpStream, client: &TcpStream, shared: &Shared) {
    if cut.which == Which::First {
        *lock(&shared.cut) = None;
    }
    shared.cuts.fetch_add(1, Ordering::SeqCst);
    match cut.end {
        // The other direction goes on reading what the client says, so that closing does not become a reset.
        End::Fin => {
            let _ = client.shutdown(Shutdown::Write);
            let _ = server.shutdown(Shutdown::Both);
        }
        End::Rst => {
            // What is still in our send buffer would be thrown away by the reset; on loopback it is with the
            // client after a moment, unless the client does not read.
            thread::sleep(Duration::from_millis(20));
            reset_on_close(client);
            // The reset goes out when the last handle is closed: ours in `open`, and the other direction's,
            // which ends when the server's side ends and the client's side can no longer be read.
            forget(client, shared);
            let _ = server.shutdown(Shutdown::Both);
            let _ = client.shutdown(Shutdown::Read);
        }
        End::Stall => {
            let _ = server.shutdown(Shutdown::Both);
            while !shared.stopped.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

fn forget(stream: &TcpStream, shared: &Shared) {
    let (Ok(local), Ok(peer)) = (stream.local_addr(), stream.peer_addr()) else { return };
    lock(&shared.open)
        .retain(|other| other.local_addr().ok() != Some(local) || other.peer_addr().ok() != Some(peer));
}

/// Reads until the end and hands each piece on when it is due.
fn carry(
    from: &TcpStream,
    delay: Duration,
    mut deliver: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    if delay.is_zero() {
        let mut buffer = vec![0; CHUNK];
        loop {
            match (&mut &*from).read(&mut buffer)? {
                0 => return Ok(()),
                n => deliver(&buffer[..n])?,
            }
        }
    }
    let (line, due) = sync_channel::<(Instant, Vec<u8>)>(CHUNKS);
    let from = from.try_clone()?;
    thread::spawn(move || fill(&from, delay, &line));
    drain(&due, deliver)
}

fn fill(mut from: &TcpStream, delay: Duration, line: &SyncSender<(Instant, Vec<u8>)>) {
    let mut buffer = vec![0; CHUNK];
    while let Ok(n @ 1..) = from.read(&mut buffer) {
        if line.send((Instant::now() + delay, buffer[..n].to_vec())).is_err() {
            return;
        }
    }
    let _ = line.send((Instant::now() + delay, Vec::new())); // the end is delayed as well
}

fn drain(
    due: &Receiver<(Instant, Vec<u8>)>,
    mut deliver: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    loop {
        let Ok((when, chunk)) = due.recv() else { return Ok(()) };
        thread::sleep(when.saturating_duration_since(Instant::now()));
        if chunk.is_empty() {
            return Ok(());
        }
        deliver(&chunk)?;
    }
}
