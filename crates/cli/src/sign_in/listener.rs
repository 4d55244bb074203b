//! The listener on loopback that waits for the browser's answer (RFC 8252 section 7.3).

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use auth::Callback;
use auth::loopback::{Answer, CONNECTIONS, Receiver};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::exit::{Exit, Failure, Result};

/// Tries for a port that is free on both loopback addresses.
const TRIES: usize = 16;
/// How long a connection may take for its request.
const REQUEST: Duration = Duration::from_secs(10);

/// Where the browser is sent back to.
pub(crate) struct Listener {
    sockets: Vec<TcpListener>,
    port: u16,
    tls: Option<TlsAcceptor>,
}

impl Listener {
    /// Binds a port, the one that is named or a free one, on 127.0.0.1 and, where there is one, ::1; never on another address.
    pub(crate) async fn bind(port: Option<u16>) -> Result<Self> {
        let named = port.unwrap_or(0);
        let failed = |error: std::io::Error| {
            let which = if named == 0 { "no port".to_owned() } else { format!("port {named}") };
            let verb = if named == 0 { "can" } else { "cannot" };
            let advice = if named == 0 {
                "sign in with a code instead: postkey login --flow device"
            } else {
                "end the program that has the port, or register another redirect address and write it as redirect under oauth"
            };
            let message =
                format!("{which} of this machine {verb} be listened on for the browser's answer: {error}");
            Failure::new(Exit::Unexpected, message, advice)
        };
        let mut last = std::io::Error::from(std::io::ErrorKind::AddrInUse);
        for _ in 0..if named == 0 { TRIES } else { 1 } {
            let v4 = TcpListener::bind((Ipv4Addr::LOCALHOST, named)).await.map_err(failed)?;
            let port = v4.local_addr().map_err(failed)?.port();
            match TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await {
                Ok(v6) => return Ok(Self { sockets: vec![v4, v6], port, tls: None }),
                // Somebody else could take the browser's answer there.
                Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => last = error,
                Err(_) => return Ok(Self { sockets: vec![v4], port, tls: None }),
            }
        }
        Err(failed(last))
    }

    /// Speaks TLS, with a certificate made for this one sign-in: for providers that want the redirect address to be https. The browser
    /// does not know the certificate and asks the person. `host` is the address's.
    pub(crate) fn with_tls(self, host: &str) -> Result<Self> {
        let failed = |error: &dyn std::fmt::Display| {
            Failure::new(
                Exit::Unexpected,
                format!("no certificate could be made for the browser's answer: {error}"),
                "",
            )
        };
        let mut names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
        let host = host.trim_matches(['[', ']']).to_owned();
        if !names.contains(&host) {
            names.push(host);
        }
        let made = rcgen::generate_simple_self_signed(names).map_err(|error| failed(&error))?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let chain = vec![CertificateDer::from(made.cert.der().to_vec())];
        let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| failed(&error))?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|error| failed(&error))?;
        Ok(Self { tls: Some(TlsAcceptor::from(Arc::new(config))), ..self })
    }

    /// The port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Waits for the answer and shows the browser how it went. Everything else that comes is refused.
    pub(crate) async fn answer(self, receiver: Receiver) -> Result<Callback> {
        let receiver = Arc::new(Mutex::new(receiver));
        let room = Arc::new(Semaphore::new(CONNECTIONS));
        let (tell, mut hear) = mpsc::channel(1);
        let mut tasks = JoinSet::new();
        for socket in self.sockets {
            let (receiver, room, tell, tls) =
                (Arc::clone(&receiver), Arc::clone(&room), tell.clone(), self.tls.clone());
            tasks.spawn(async move {
                let mut connections = JoinSet::new();
                loop {
                    while connections.try_join_next().is_some() {}
                    let Ok((stream, _)) = socket.accept().await else {
                        // Out of descriptors, for one: wait for connections to end.
                        tokio::time::sleep(Duration::from_millis(100)).await;
                        continue;
                    };
                    let Ok(permit) = Arc::clone(&room).try_acquire_owned() else { continue };
                    let (receiver, tell, tls) = (Arc::clone(&receiver), tell.clone(), tls.clone());
                    connections.spawn(async move {
                        let _permit = permit;
                        let served = async {
                            match tls {
                                None => serve(stream, &receiver, &tell).await,
                                Some(tls) => serve(tls.accept(stream).await?, &receiver, &tell).await,
                            }
                        };
                        let _ = tokio::time::timeout(REQUEST, served).await;
                    });
                }
            });
        }
        drop(tell);
        match hear.recv().await {
            Some(callback) => Ok(callback),
            None => Err(Failure::new(Exit::Unexpected, "the listener for the browser's answer ended", "")),
        }
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    receiver: &Mutex<Receiver>,
    tell: &mpsc::Sender<Callback>,
) -> std::io::Result<()> {
    let mut buffer = Vec::new();
    loop {
        if stream.read_buf(&mut buffer).await? == 0 {
            return Ok(());
        }
        let answer = receiver.lock().unwrap_or_else(PoisonError::into_inner).answer(&buffer);
        let (response, callback) = match answer {
            Answer::Incomplete => continue,
            Answer::Refuse(response) => (response, None),
            Answer::Callback(callback, response) => (response, Some(*callback)),
        };
        // First the page, then the news: the program may end as soon as it has them.
        let shown = show(&mut stream, &response).await;
        if let Some(callback) = callback {
            let _ = tell.send(callback).await;
        }
        return shown;
    }
}

/// Sends the page and waits a moment for the browser to close, because closing first with unread data resets the
/// connection and the page is lost.
async fn show(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), response: &[u8]) -> std::io::Result<()> {
    stream.write_all(response).await?;
    stream.shutdown().await?;
    let mut rest = [0; 1024];
    let drain = async { while stream.read(&mut rest).await.is_ok_and(|n| n > 0) {} };
    let _ = tokio::time::timeout(Duration::from_millis(500), drain).await;
    Ok(())
}
