//! A client that knows lines and literals and nothing else, so that no code under test judges itself.

use std::sync::Arc;

use base64ct::{Base64, Encoding};
use postkey_sandbox::Sandbox;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufStream};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

pub trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

pub struct Raw {
    io: BufStream<Box<dyn Io>>,
    tag: u32,
}

/// The answer to one command.
#[derive(Debug)]
pub struct Answer {
    /// Untagged and continuation lines; literals stand in them as they came.
    pub lines: Vec<Vec<u8>>,
    /// The tagged line without its tag, or the last line before the end.
    pub status: String,
}

impl Answer {
    pub fn text(&self) -> String {
        self.lines.iter().map(|l| String::from_utf8_lossy(l).into_owned()).collect::<Vec<_>>().join("\n")
    }

    pub fn is_ok(&self) -> bool {
        self.status.starts_with("OK ")
    }
}

pub fn connector(sandbox: &Sandbox) -> TlsConnector {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(sandbox.ca_pem().as_bytes()).unwrap()).unwrap();
    TlsConnector::from(Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()))
}

pub fn xoauth2(user: &str, token: &str) -> String {
    Base64::encode_string(format!("user={user}\x01auth=Bearer {token}\x01\x01").as_bytes())
}

impl Raw {
    pub fn over(io: Box<dyn Io>) -> Self {
        Self { io: BufStream::new(io), tag: 0 }
    }

    /// Connects with TLS and reads the greeting.
    pub async fn connect(sandbox: &Sandbox) -> (Self, String) {
        let tcp = TcpStream::connect(("127.0.0.1", sandbox.ports().imaps)).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let tls = connector(sandbox).connect(name, tcp).await.unwrap();
        let mut raw = Self::over(Box::new(tls));
        let greeting = raw.line().await.unwrap();
        (raw, greeting)
    }

    /// Connects and signs in with a fresh token of `user`.
    pub async fn signed_in(sandbox: &Sandbox, user: &str) -> Self {
        let token = sandbox.issue_token(&postkey_sandbox::TokenSpec::user(user)).unwrap();
        let (mut raw, _) = Self::connect(sandbox).await;
        let answer = raw.run(&format!("AUTHENTICATE XOAUTH2 {}", xoauth2(user, token.expose()))).await;
        assert_eq!(answer.status, "OK AUTHENTICATE completed.");
        raw
    }

    pub async fn send(&mut self, octets: &[u8]) {
        self.io.write_all(octets).await.unwrap();
        self.io.flush().await.unwrap();
    }

    /// A line with its literals; `None` at the end of the stream.
    pub async fn octets(&mut self) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        loop {
            let start = out.len();
            if self.io.read_until(b'\n', &mut out).await.ok()? == 0 {
                return None;
            }
            let line = &out[start..];
            let literal = line
                .strip_suffix(b"}\r\n")
                .and_then(|l| l.iter().rposition(|b| *b == b'{').map(|at| &l[at + 1..]))
                .and_then(|n| std::str::from_utf8(n).ok()?.parse::<usize>().ok());
            match literal {
                Some(n) => {
                    let from = out.len();
                    out.resize(from + n, 0);
                    self.io.read_exact(&mut out[from..]).await.ok()?;
                }
                None => {
                    out.truncate(out.len() - 2);
                    return Some(out);
                }
            }
        }
    }

    pub async fn line(&mut self) -> Option<String> {
        self.octets().await.map(|l| String::from_utf8_lossy(&l).into_owned())
    }

    /// Sends a command and reads up to its tagged answer, or to the end.
    pub async fn run(&mut self, command: &str) -> Answer {
        self.tag += 1;
        let tag = format!("a{}", self.tag);
        self.send(format!("{tag} {command}\r\n").as_bytes()).await;
        self.answer(&tag).await
    }

    pub async fn answer(&mut self, tag: &str) -> Answer {
        let mut lines = Vec::new();
        while let Some(line) = self.octets().await {
            if let Some(rest) = line.strip_prefix(format!("{tag} ").as_bytes()) {
                return Answer { lines, status: String::from_utf8_lossy(rest).into_owned() };
            }
            lines.push(line);
        }
        Answer { lines, status: String::new() }
    }

    /// Runs a command that has to succeed.
    pub async fn ok(&mut self, command: &str) -> Answer {
        let answer = self.run(command).await;
        assert!(answer.is_ok(), "{command}: {answer:?}");
        answer
    }

    /// Whether the stream has ended.
    pub async fn is_over(&mut self) -> bool {
        self.octets().await.is_none()
    }
}

/// The octets of the only literal in a line.
pub fn literal(line: &[u8]) -> Vec<u8> {
    let open = line.iter().position(|b| *b == b'{').expect("a literal");
    let close = open + line[open..].iter().position(|b| *b == b'}').unwrap();
    let n: usize = std::str::from_utf8(&line[open + 1..close]).unwrap().parse().unwrap();
    line[close + 3..close + 3 + n].to_vec()
}
