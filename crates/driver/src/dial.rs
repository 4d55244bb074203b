//! Finding a TCP connection: happy eyeballs (RFC 8305).

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::error::Error;

/// Head start of one address before the next is tried as well (RFC 8305 section 5).
const STAGGER: Duration = Duration::from_millis(250);

/// Connects to the first address of `host` that answers, within `limit` in all.
///
/// Addresses of both families are tried in turn, each with a quarter of a second's head start on the next.
///
/// # Errors
/// [`Error::Resolve`], [`Error::Connect`], [`Error::TimedOut`].
pub async fn dial(host: &str, port: u16, limit: Duration) -> Result<TcpStream, Error> {
    let timed_out = || Error::TimedOut { phase: "TCP connection", host: host.into(), after: limit };
    let stream = timeout(limit, race(host, port)).await.map_err(|_| timed_out())??;
    // Commands are small and answered before the next is sent: waiting to fill a segment only costs time.
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn race(host: &str, port: u16) -> Result<TcpStream, Error> {
    let name = host.trim_matches(['[', ']']);
    let found: Vec<SocketAddr> = lookup_host((name, port))
        .await
        .map_err(|source| Error::Resolve { host: host.into(), source })?
        .collect();
    let mut last = io::Error::new(io::ErrorKind::NotFound, "no address");
    let mut attempts = JoinSet::new();
    let mut addresses = interleave(found).into_iter();
    loop {
        match addresses.next() {
            Some(address) => {
                attempts.spawn(TcpStream::connect(address));
                match timeout(STAGGER, attempts.join_next()).await {
                    Ok(Some(Ok(Ok(stream)))) => return Ok(stream),
                    Ok(Some(Ok(Err(e)))) => last = e,
                    Ok(_) | Err(_) => {}
                }
            }
            None => match attempts.join_next().await {
                Some(Ok(Ok(stream))) => return Ok(stream),
                Some(Ok(Err(e))) => last = e,
                Some(Err(_)) => {}
                None => return Err(Error::Connect { host: host.into(), port, source: last }),
            },
        }
    }
}

/// Alternates the families, the resolver's first choice first.
fn interleave(found: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = found.first().is_some_and(SocketAddr::is_ipv6);
    let (mut a, mut b): (Vec<_>, Vec<_>) = found.into_iter().partition(|x| x.is_ipv6() == first_is_v6);
    let mut out = Vec::with_capacity(a.len() + b.len());
    a.reverse();
    b.reverse();
    while !a.is_empty() || !b.is_empty() {
        out.extend(a.pop());
        out.extend(b.pop());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_alternate_and_the_first_choice_stays_first() {
        let a = |s: &str| s.parse::<SocketAddr>().unwrap();
        let got = interleave(vec![a("[::1]:1"), a("[::2]:1"), a("[::3]:1"), a("1.1.1.1:1")]);
        assert_eq!(got, vec![a("[::1]:1"), a("1.1.1.1:1"), a("[::2]:1"), a("[::3]:1")]);
    }

    #[tokio::test]
    async fn a_refused_address_does_not_hide_one_that_answers() {
        // `localhost` is ::1 and 127.0.0.1 here; only one of them listens.
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        dial("localhost", port, Duration::from_secs(5)).await.unwrap();
    }

    #[tokio::test]
    async fn nobody_there_is_a_connect_error_with_host_and_port() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let e = dial("127.0.0.1", port, Duration::from_secs(5)).await.unwrap_err();
        assert!(matches!(e, Error::Connect { .. }));
        assert!(e.to_string().contains(&format!("127.0.0.1:{port}")), "{e}");
    }
}
