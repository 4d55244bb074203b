//! HTTP and HTTPS in front of the identity provider's router.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::net::{Resetter, Stream};

/// How long a client may take over the TLS handshake or a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// The URL under which the listener that took a request is reached, e.g. `https://localhost:50443`.
#[derive(Clone, Debug)]
pub(crate) struct Base(pub(crate) Arc<str>);

/// Accepts connections until dropped; every connection ends with the listener.
pub(crate) async fn serve(listener: TcpListener, tls: Option<Arc<ServerConfig>>, base: Base, router: Router) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else {
                    // Out of descriptors, as a rule: give the connections time to end.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    continue;
                };
                let (tls, base, router) = (tls.clone(), base.clone(), router.clone());
                connections.spawn(async move {
                    let resetter = Resetter::default();
                    let stream = Stream::new(stream, resetter.clone());
                    match tls {
                        Some(config) => {
                            let handshake = TlsAcceptor::from(config).accept(stream);
                            if let Ok(Ok(stream)) = tokio::time::timeout(HEAD_TIMEOUT, handshake).await {
                                connection(stream, resetter, base, router).await;
                            }
                        }
                        None => connection(stream, resetter, base, router).await,
                    }
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection<S>(stream: S, resetter: Resetter, base: Base, router: Router)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let reset = resetter.clone();
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(base.clone());
        request.extensions_mut().insert(resetter.clone());
        hyper::service::Service::call(&TowerToHyperService::new(router.clone()), request)
    });
    let serving = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // The client ended it, or broke HTTP: nothing to tell anybody.
        _ = serving => {}
        () = reset.requested() => {}
    }
}
