//! `lettre-send HOST:PORT COUNT CONNECTIONS FILE [CA-FILE]`: COUNT times the message in FILE by lettre's asynchronous transport
//! with its pool, as its documentation shows it; over TLS when there is an authority to trust.
//!
//! lettre leaves Nagle's algorithm on, and writes a message and its final dot apart: 40 ms a message against any server
//! that delays its acknowledgements. To compare what remains, TCP_NODELAY is set here on its sockets, by way of a duplicate.

use std::error::Error;
use std::fs;

use lettre::address::Envelope;
use lettre::transport::smtp::PoolConfig;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use rustix::net::sockopt::set_tcp_nodelay;
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
use tokio::task::JoinSet;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (address, count, connections, file, ca) = match arguments.as_slice() {
        [address, count, connections, file] => (address, count, connections, file, None),
        [address, count, connections, file, ca] => (address, count, connections, file, Some(ca)),
        _ => return Err("usage: lettre-send HOST:PORT COUNT CONNECTIONS FILE [CA-FILE]".into()),
    };
    let (host, port) = address.rsplit_once(':').ok_or("no port")?;
    let (count, connections): (usize, u32) = (count.parse()?, connections.parse()?);
    let message: &'static [u8] = fs::read(file)?.leak();
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
        .port(port.parse()?)
        .pool_config(PoolConfig::new().max_size(connections));
    if let Some(ca) = ca {
        let authority = Certificate::from_pem(&fs::read(ca)?)?;
        let parameters =
            TlsParameters::builder(host.to_owned()).add_root_certificate(authority).build_rustls()?;
        builder = builder.tls(Tls::Wrapper(parameters));
    }
    let transport = builder.build();
    let envelope = Envelope::new(Some("a@example.org".parse()?), vec!["b@example.com".parse()?])?;
    let connections = connections as usize;
    let mut tasks = JoinSet::new();
    for n in 0..connections {
        let share = count / connections + usize::from(n < count % connections);
        let (transport, envelope) = (transport.clone(), envelope.clone());
        tasks.spawn(async move {
            for sent in 0..share {
                transport.send_raw(&envelope, message).await?;
                // The pool opens a second connection while the first is on its way back.
                if sent < 10 {
                    no_delay()?;
                }
            }
            Result::Ok(())
        });
    }
    while let Some(task) = tasks.join_next().await {
        task??;
    }
    transport.shutdown().await;
    Ok(())
}

/// Sets TCP_NODELAY on every TCP socket that this process has open.
fn no_delay() -> Result<()> {
    let own = pidfd_open(getpid(), PidfdFlags::empty())?;
    let mut sockets = 0;
    for entry in fs::read_dir("/proc/self/fd")? {
        let Some(number) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // What is gone by now, or is no TCP socket, is not meant.
        let Ok(copy) = pidfd_getfd(&own, number, PidfdGetfdFlags::empty()) else { continue };
        sockets += usize::from(set_tcp_nodelay(&copy, true).is_ok());
    }
    if sockets == 0 { Err("no socket to set TCP_NODELAY on".into()) } else { Ok(()) }
}
