//! One connection and the loop that serves its machine.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::time::{Sleep, timeout};
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};
use wire::{InBuf, Layer, Machine, Need, Tick, Upgraded};

use crate::error::Error;
use crate::read_ahead::ReadAhead;
use crate::tls::handshake_error;

/// Label of the channel binding (RFC 9266).
const EXPORTER: &[u8] = b"EXPORTER-Channel-Binding";
/// How long a connection that is over may take to say so.
const GOODBYE: Duration = Duration::from_secs(2);

/// At most so many octets of one write are logged.
const LOGGED: usize = 2_000;

/// What [`Connection::drive`] stopped for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Turn {
    /// An event is ready: take it with the protocol's own `event`, giving it [`Connection::input`].
    Event,
    /// The machine waits for a call.
    App,
    /// The connection is over; the stream has been shut down.
    Closed,
}

/// Which side of a handshake this is.
enum Role {
    Client { config: Arc<ClientConfig>, name: ServerName<'static> },
    Server(Arc<ServerConfig>),
    None,
}

impl Role {
    /// This side, as a log of the wire names it.
    fn us(&self) -> char {
        if matches!(self, Self::Server(_)) { 'S' } else { 'C' }
    }

    /// The other side.
    fn peer(&self) -> char {
        if matches!(self, Self::Server(_)) { 'C' } else { 'S' }
    }
}

enum Io<S> {
    Plain(S),
    Tls(Box<TlsStream<ReadAhead<S>>>),
    Gone,
}

/// A stream, the receive buffer of its machine, and a clock.
pub struct Connection<S> {
    io: Io<S>,
    input: InBuf,
    role: Role,
    host: String,
    handshake_limit: Duration,
    epoch: Instant,
    sleep: Option<Pin<Box<Sleep>>>,
    /// A failed write; reported when there is nothing left to read, because the peer may have said why.
    write_error: Option<io::Error>,
    peer_certificate: Option<Vec<u8>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// A connection without TLS settings: an upgrade would fail.
    ///
    /// `inbox` is the largest number of unread octets the machine may leave behind
    /// ([`Limits::inbox`](wire::Limits::inbox)).
    pub fn plain(io: S, inbox: usize) -> Self {
        Self::new(io, Role::None, String::new(), inbox)
    }

    /// A client's connection to `host` that can be upgraded to TLS.
    pub fn client(
        io: S,
        host: &str,
        name: ServerName<'static>,
        config: Arc<ClientConfig>,
        inbox: usize,
    ) -> Self {
        Self::new(io, Role::Client { config, name }, host.to_owned(), inbox)
    }

    /// A server's connection that can be upgraded to TLS.
    pub fn server(io: S, config: Arc<ServerConfig>, inbox: usize) -> Self {
        Self::new(io, Role::Server(config), "the client".to_owned(), inbox)
    }

    fn new(io: S, role: Role, host: String, inbox: usize) -> Self {
        Self {
            io: Io::Plain(io),
            input: InBuf::new(inbox),
            role,
            host,
            handshake_limit: Duration::from_secs(20),
            epoch: Instant::now(),
            sleep: None,
            write_error: None,
            peer_certificate: None,
        }
    }

    /// How long a TLS handshake may take. 20 s unless changed.
    pub fn set_handshake_limit(&mut self, limit: Duration) {
        self.handshake_limit = limit;
    }

    /// What has been received and not consumed; events borrow from it.
    pub fn input(&self) -> &InBuf {
        &self.input
    }

    /// Whether TLS is in place.
    pub fn is_tls(&self) -> bool {
        matches!(self.io, Io::Tls(_))
    }

    /// The peer's certificate (DER) once TLS is in place.
    pub fn peer_certificate(&self) -> Option<&[u8]> {
        self.peer_certificate.as_deref()
    }

    /// Now, on this connection's clock.
    pub fn now(&self) -> Tick {
        Tick::ZERO + self.epoch.elapsed()
    }

    /// Negotiates TLS before the protocol begins (implicit TLS).
    ///
    /// # Errors
    /// [`Error::Tls`], [`Error::TimedOut`], [`Error::NoTls`].
    pub async fn handshake(&mut self) -> Result<(), Error> {
        self.upgrade().await.map(drop)
    }

    /// Serves the machine until an event is ready, it waits for the application, or the connection is over.
    ///
    /// Cancel-safe except during a TLS handshake.
    ///
    /// # Errors
    /// [`Error::Io`] when the connection breaks, [`Error::Tls`] and friends when an upgrade fails. The end of the stream is no
    /// error here: the machine knows what it means.
    pub async fn drive(&mut self, machine: &mut (dyn Machine + Send)) -> Result<Turn, Error> {
        loop {
            let now = self.now();
            match machine.advance(&mut self.input, now) {
                Need::Event => return Ok(Turn::Event),
                Need::App => {
                    self.send_all(machine).await?;
                    return Ok(Turn::App);
                }
                Need::Input => self.transfer(machine).await?,
                Need::Upgrade(Layer::Tls) => {
                    self.send_all(machine).await?;
                    // Whatever the peer sent meanwhile came from outside the new layer: the machine must see it.
                    if self.input.is_empty() {
                        let done = self.upgrade().await?;
                        machine.upgraded(done);
                    }
                }
                Need::Upgrade(Layer::Deflate) => return Err(Error::Layer("DEFLATE")),
                Need::Close => {
                    let _ = timeout(GOODBYE, self.close(machine)).await;
                    self.io = Io::Gone;
                    return Ok(Turn::Closed);
                }
            }
        }
    }

    /// Sends what the machine has to say and closes, without waiting for anything to come: for a goodbye whose answer nobody needs.
    /// Takes two seconds at most and reports nothing.
    pub async fn leave(mut self, machine: &mut (dyn Machine + Send)) {
        let now = self.now();
        // Once, so that what was queued is written.
        let _ = machine.advance(&mut self.input, now);
        let _ = timeout(GOODBYE, self.close(machine)).await;
    }

    async fn close(&mut self, machine: &mut (dyn Machine + Send)) -> Result<(), Error> {
        if self.write_error.is_none() {
            self.send_all(machine).await?;
        }
        match &mut self.io {
            Io::Plain(s) => s.shutdown().await?,
            Io::Tls(s) => s.shutdown().await?,
            Io::Gone => {}
        }
        Ok(())
    }

    /// Sends everything that is pending, reading what comes meanwhile as far as the buffer goes.
    async fn send_all(&mut self, machine: &mut (dyn Machine + Send)) -> Result<(), Error> {
        while !machine.output().is_empty() && self.write_error.is_none() {
            // A wait that is over is the machine's to judge.
            if machine.deadline().is_some_and(|at| at <= self.now()) {
                break;
            }
            self.transfer(machine).await?;
        }
        Ok(())
    }

    /// Waits until something was read, everything was written, the stream ended or the deadline came.
    async fn transfer(&mut self, machine: &mut (dyn Machine + Send)) -> Result<(), Error> {
        self.arm(machine.deadline());
        poll_fn(|cx| self.poll_transfer(cx, machine)).await
    }

    fn arm(&mut self, deadline: Option<Tick>) {
        let Some(at) = deadline else {
            self.sleep = None;
            return;
        };
        let when = tokio::time::Instant::from_std(self.epoch + Duration::from_millis(at.as_millis()));
        match &mut self.sleep {
            Some(sleep) if sleep.deadline() == when => {}
            Some(sleep) => sleep.as_mut().reset(when),
            None => self.sleep = Some(Box::pin(tokio::time::sleep_until(when))),
        }
    }

    fn poll_transfer(
        &mut self,
        cx: &mut Context<'_>,
        machine: &mut (dyn Machine + Send),
    ) -> Poll<Result<(), Error>> {
        let mut wrote = false;
        while self.write_error.is_none() {
            let out = machine.output();
            if out.is_empty() {
                break;
            }
            match self.io.poll_write(cx, out.pending()) {
                Poll::Ready(Ok(n)) => {
                    tracing::trace!(target: "postkey::wire", "{}: {}", self.role.us(), out.redacted(n.min(LOGGED)).escape_ascii());
                    out.sent(n);
                    wrote = true;
                }
                Poll::Ready(Err(e)) => {
                    out.clear();
                    self.write_error = Some(e);
                }
                Poll::Pending => break,
            }
        }
        if self.write_error.is_none() {
            // TLS may hold records back until it is flushed.
            if let Poll::Ready(Err(e)) = self.io.poll_flush(cx) {
                self.write_error = Some(e);
            }
        }
        if !self.input.is_closed() {
            let spare = self.input.spare();
            if !spare.is_empty() {
                let mut into = ReadBuf::new(spare);
                match self.io.poll_read(cx, &mut into) {
                    Poll::Ready(Ok(())) => {
                        let n = into.filled().len();
                        if n == 0 {
                            self.input.close();
                        } else {
                            tracing::trace!(target: "postkey::wire", "{}: {n} octets", self.role.peer());
                            self.input.filled(n);
                        }
                        return Poll::Ready(Ok(()));
                    }
                    // Ending TLS without saying so is common; the protocol knows whether something is missing.
                    Poll::Ready(Err(e)) if e.kind() == io::ErrorKind::UnexpectedEof => {
                        self.input.close();
                        return Poll::Ready(Ok(()));
                    }
                    Poll::Ready(Err(e)) => return Poll::Ready(Err(e.into())),
                    Poll::Pending => {}
                }
            }
        } else if let Some(e) = self.write_error.take() {
            return Poll::Ready(Err(e.into()));
        }
        if wrote && machine.output().is_empty() {
            return Poll::Ready(Ok(()));
        }
        if let Some(sleep) = &mut self.sleep
            && sleep.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Ok(()));
        }
        Poll::Pending
    }

    async fn upgrade(&mut self) -> Result<Upgraded, Error> {
        let Io::Plain(io) = std::mem::replace(&mut self.io, Io::Gone) else { return Err(Error::NoTls) };
        let io = ReadAhead::new(io);
        let handshake = async {
            match &self.role {
                Role::Client { config, name } => {
                    TlsConnector::from(config.clone()).connect(name.clone(), io).await.map(TlsStream::Client)
                }
                Role::Server(config) => {
                    TlsAcceptor::from(config.clone()).accept(io).await.map(TlsStream::Server)
                }
                Role::None => Err(io::Error::other("no TLS settings")),
            }
        };
        let limit = self.handshake_limit;
        let timed_out = || Error::TimedOut { phase: "TLS handshake", host: self.host.clone(), after: limit };
        let stream = timeout(limit, handshake).await.map_err(|_| timed_out())?.map_err(|e| {
            if matches!(self.role, Role::None) { Error::NoTls } else { handshake_error(&self.host, &e) }
        })?;
        let (_, session) = stream.get_ref();
        self.peer_certificate = session.peer_certificates().and_then(|c| c.first()).map(|c| c.to_vec());
        let exported = match &stream {
            TlsStream::Client(s) => s.get_ref().1.export_keying_material([0u8; 32], EXPORTER, None),
            TlsStream::Server(s) => s.get_ref().1.export_keying_material([0u8; 32], EXPORTER, None),
        };
        let channel_binding = exported.ok().map(|k| k.to_vec());
        self.io = Io::Tls(Box::new(stream));
        Ok(Upgraded { layer: Layer::Tls, channel_binding })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Io<S> {
    fn poll_write(&mut self, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(s) => Pin::new(s).poll_write(cx, octets),
            Self::Tls(s) => Pin::new(s).poll_write(cx, octets),
            Self::Gone => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(s) => Pin::new(s).poll_flush(cx),
            Self::Tls(s) => Pin::new(s).poll_flush(cx),
            Self::Gone => Poll::Ready(Ok(())),
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(s) => Pin::new(s).poll_read(cx, into),
            Self::Tls(s) => Pin::new(s).poll_read(cx, into),
            Self::Gone => Poll::Ready(Ok(())),
        }
    }
}

/// Shows no content.
impl<S> std::fmt::Debug for Connection<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("host", &self.host)
            .field("input", &self.input)
            .finish_non_exhaustive()
    }
}
