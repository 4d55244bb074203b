//! Loopback listeners and connections that can be reset.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::StartError;

/// Tries for a port that is free on IPv4 and IPv6 alike.
const TRIES: usize = 16;

/// Listens on 127.0.0.1 and, where there is one, on ::1 with the same port; 0 means a free one.
pub(crate) async fn listen(port: u16) -> Result<(u16, Vec<TcpListener>), StartError> {
    let error = |source| StartError::Listen { port, source };
    for _ in 0..TRIES {
        let v4 =
            TcpListener::bind(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)).await.map_err(error)?;
        let bound = v4.local_addr().map_err(error)?.port();
        match TcpListener::bind(SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), bound)).await {
            Ok(v6) => return Ok((bound, vec![v4, v6])),
            Err(e) if e.kind() == io::ErrorKind::AddrInUse && port == 0 => {}
            Err(e) if e.kind() == io::ErrorKind::AddrInUse => return Err(error(e)),
            // No IPv6 on this machine.
            Err(_) => return Ok((bound, vec![v4])),
        }
    }
    Err(error(io::Error::from(io::ErrorKind::AddrInUse)))
}

/// Connections that one listener serves at the same time; more wait to be accepted.
const MAX_CONNECTIONS: usize = 1000;

/// Accepts connections until dropped, and runs what `serve` makes of each.
pub(crate) async fn accept<F>(listener: TcpListener, mut serve: impl FnMut(Stream, Resetter, IpAddr) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => {
                let Ok((stream, peer)) = accepted else {
                    // Out of descriptors, as a rule: give the connections time to end.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    continue;
                };
                let resetter = Resetter::default();
                connections.spawn(serve(Stream::new(stream, resetter.clone()), resetter, peer.ip()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Asks the task that owns a connection to end it with a TCP reset.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resetter(Arc<(AtomicBool, Notify)>);

impl Resetter {
    /// Ends the connection as soon as its task runs again.
    pub(crate) fn reset(&self) {
        self.0.0.store(true, Ordering::Relaxed);
        self.0.1.notify_one();
    }

    /// Whether [`reset`](Self::reset) was called.
    pub(crate) fn is_requested(&self) -> bool {
        self.0.0.load(Ordering::Relaxed)
    }

    /// Resolves once [`reset`](Self::reset) was called.
    pub(crate) async fn requested(&self) {
        self.0.1.notified().await;
    }
}

/// A TCP stream that is closed by RST instead of FIN if its [`Resetter`] said so.
pub(crate) struct Stream {
    inner: TcpStream,
    resetter: Resetter,
}

impl Stream {
    /// Wraps an accepted connection.
    pub(crate) fn new(inner: TcpStream, resetter: Resetter) -> Self {
        // Answers are small and waited for.
        let _ = inner.set_nodelay(true);
        Self { inner, resetter }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if self.resetter.is_requested() {
            let _ = self.inner.set_zero_linger();
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
