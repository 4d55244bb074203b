//! TLS before a server that has none.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::thread;

use peers::Tls;
use tokio::io::copy_bidirectional_with_sizes;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio_rustls::TlsAcceptor;

/// The front, on a thread of its own for as long as the program runs.
#[derive(Debug)]
pub(crate) struct Front {
    at: SocketAddr,
    ca: PathBuf,
}

/// What is copied at a time.
const PIECE: usize = 64 << 10;

impl Front {
    /// Before the server at `target`. The authority to trust is written into `dir`.
    pub(crate) fn start(target: SocketAddr, dir: &Path) -> io::Result<Self> {
        let tls = Tls::localhost();
        let ca = dir.join("ca.pem");
        std::fs::write(&ca, &tls.ca_pem)?;
        let acceptor = TlsAcceptor::from(tls.server_config());
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let at = listener.local_addr()?;
        thread::spawn(move || runtime.block_on(serve(listener, target, acceptor)));
        Ok(Self { at, ca })
    }

    pub(crate) fn at(&self) -> SocketAddr {
        self.at
    }

    pub(crate) fn ca(&self) -> &Path {
        &self.ca
    }
}

async fn serve(listener: TcpListener, target: SocketAddr, acceptor: TlsAcceptor) {
    while let Ok((client, _)) = listener.accept().await {
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            // How a connection ends is the clients' matter: they fail when it was too early.
            let _ = carry(client, target, acceptor).await;
        });
    }
}

async fn carry(client: TcpStream, target: SocketAddr, acceptor: TlsAcceptor) -> io::Result<()> {
    client.set_nodelay(true)?;
    let mut server = TcpStream::connect(target).await?;
    server.set_nodelay(true)?;
    let mut client = acceptor.accept(client).await?;
    copy_bidirectional_with_sizes(&mut client, &mut server, PIECE, PIECE).await.map(drop)
}
