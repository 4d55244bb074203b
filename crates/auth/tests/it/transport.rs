//! The ready-made transport against small servers, hostile cases AU-25, AU-26, AU-27, AU-34.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use postkey_auth::http::{HttpErrorKind, ReqwestHttp, ReqwestOptions};
use postkey_auth::{Client, Error, Registration, Tokens};
use wire::Secret;

use crate::support::read_request;

/// Serves one connection with `answer` and reports the request's head, in small letters.
fn serve(answer: impl FnOnce(TcpStream) + Send + 'static) -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (report, reports) = channel();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        // All of the request: what is left unread when the stream is closed would take the answer with it.
        let Some((head, _)) = read_request(&mut stream) else { return };
        let _ = report.send(head);
        answer(stream);
    });
    (address, reports)
}

async fn refresh(url: &str, options: &ReqwestOptions) -> Result<Tokens, Error> {
    let endpoints = postkey_auth::Endpoints::new(None, url, None)?;
    let client = Client::new(endpoints, Registration::public("CLIENT", ""), ReqwestHttp::new(options)?);
    client.refresh(&Secret::from("REFRESH-canary"), &[]).await
}

async fn refresh_at(address: SocketAddr) -> Result<Tokens, Error> {
    refresh(&format!("http://{address}/token"), &ReqwestOptions::default()).await
}

#[tokio::test]
async fn a_request_is_an_ordinary_form_post() {
    let (address, heads) = serve(|mut stream| {
        let body = r#"{"access_token":"AT","expires_in":"60"}"#;
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    });
    assert_eq!(refresh_at(address).await.unwrap().access_token.expose(), "AT");
    let head = heads.recv().unwrap();
    assert!(head.starts_with("post /token http/1.1\r\n"), "{head}");
    assert!(head.contains("\r\ncontent-type: application/x-www-form-urlencoded\r\n"), "{head}");
    assert!(head.contains(&format!("\r\nuser-agent: postkey/{}\r\n", env!("CARGO_PKG_VERSION"))), "{head}");
    assert!(!head.contains("accept-encoding"), "a compressed answer could be a bomb: {head}");
}

#[tokio::test]
async fn au_25_a_redirect_carries_nothing_on() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let elsewhere = listener.local_addr().unwrap();
    listener.set_nonblocking(true).unwrap();
    for status in [302, 307, 308] {
        let (address, _heads) = serve(move |mut stream| {
            write!(
                stream,
                "HTTP/1.1 {status} X\r\nLocation: http://{elsewhere}/\r\nContent-Length: 0\r\n\r\n"
            )
            .unwrap();
        });
        assert!(
            matches!(refresh_at(address).await, Err(Error::Redirected { status: found }) if found == status)
        );
    }
    assert!(listener.accept().is_err(), "nobody came");
}

#[tokio::test]
async fn au_26_clear_text_outside_loopback_is_refused() {
    let result = refresh("http://login.example/token", &ReqwestOptions::default()).await;
    assert!(matches!(result, Err(Error::InsecureUrl { .. })));
}

#[tokio::test]
async fn au_27_endless_answers_are_cut_off() {
    let chunk = || format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    let (chunked, _heads) = serve(move |mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        while stream.write_all(chunk().as_bytes()).is_ok() {}
    });
    let (announced, _heads2) = serve(move |mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n");
        while stream.write_all(&[b'x'; 0x10000]).is_ok() {}
    });
    for address in [chunked, announced] {
        match refresh_at(address).await {
            Err(Error::Http(error)) => assert_eq!(error.kind, HttpErrorKind::TooLarge),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn au_27_a_compressed_answer_is_not_unpacked() {
    let (address, _heads) = serve(|mut stream| {
        let _ = stream.write_all(
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00",
        );
    });
    assert!(matches!(refresh_at(address).await, Err(Error::Response { .. })));
}

#[tokio::test]
async fn broken_and_refused_connections_are_told_apart_from_answers() {
    let (cut, _heads) = serve(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"access");
    });
    match refresh_at(cut).await {
        Err(Error::Http(error)) => assert_eq!(error.kind, HttpErrorKind::Interrupted),
        other => panic!("{other:?}"),
    }
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    match refresh_at(closed).await {
        Err(Error::Http(error)) => assert_eq!(error.kind, HttpErrorKind::Connect),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn retry_after_reaches_the_error() {
    let (address, _heads) = serve(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 503 X\r\nRetry-After: 17\r\nContent-Length: 4\r\n\r\nbusy");
    });
    assert!(matches!(
        refresh_at(address).await,
        Err(Error::Status { status: 503, retry_after: Some(17), .. })
    ));
}

/// A TLS server with a certificate that nobody signed; answers every request.
async fn tls_server() -> (SocketAddr, String) {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let pem = signed.cert.pem();
    let key = rustls::pki_types::PrivateKeyDer::try_from(signed.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![signed.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let body = r#"{"access_token":"AT"}"#;
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    (address, pem)
}

#[tokio::test]
async fn au_34_a_certificate_must_be_trusted_and_one_can_be_added() {
    let (address, pem) = tls_server().await;
    let url = format!("https://localhost:{}/token", address.port());
    match refresh(&url, &ReqwestOptions::default()).await {
        Err(Error::Http(error)) => {
            assert_eq!(error.kind, HttpErrorKind::Certificate, "{error}");
            assert!(error.to_string().contains("clock"), "{error}");
        }
        other => panic!("{other:?}"),
    }
    let mut options = ReqwestOptions::default();
    options.extra_ca_pem = Some(pem.into_bytes());
    assert_eq!(refresh(&url, &options).await.unwrap().access_token.expose(), "AT");
    let wrong_name = format!("https://127.0.0.1:{}/token", address.port());
    match refresh(&wrong_name, &options).await {
        Err(Error::Http(error)) => assert_eq!(error.kind, HttpErrorKind::Certificate, "{error}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_ca_file_that_is_none_is_named() {
    for pem in ["", "not pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let mut options = ReqwestOptions::default();
        options.extra_ca_pem = Some(pem.as_bytes().to_vec());
        let error = ReqwestHttp::new(&options).unwrap_err();
        assert_eq!(error.kind, HttpErrorKind::Setting, "{pem}");
    }
}
