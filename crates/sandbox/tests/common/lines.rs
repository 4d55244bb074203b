//! A client for POP3 and SMTP that knows lines and nothing else, so that no code under test judges itself.

use postkey_sandbox::{Sandbox, TokenSpec};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufStream};
use tokio::net::TcpStream;

use super::imap::{Io, connector, xoauth2};

pub struct Lines {
    io: BufStream<Box<dyn Io>>,
}

impl Lines {
    /// Connects in the clear.
    pub async fn plain(port: u16) -> Self {
        let tcp = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        Self { io: BufStream::new(Box::new(tcp)) }
    }

    /// Connects with TLS from the start.
    pub async fn tls(sandbox: &Sandbox, port: u16) -> Self {
        Self::plain(port).await.secured(sandbox).await
    }

    /// The same connection, inside TLS from here on.
    pub async fn secured(self, sandbox: &Sandbox) -> Self {
        let name = ServerName::try_from("localhost").unwrap();
        let tls = connector(sandbox).connect(name, self.io.into_inner()).await.unwrap();
        Self { io: BufStream::new(Box::new(tls)) }
    }

    pub async fn send(&mut self, octets: &[u8]) {
        self.io.write_all(octets).await.unwrap();
        self.io.flush().await.unwrap();
    }

    /// A line without its CRLF; `None` at the end of the stream.
    pub async fn octets(&mut self) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        match self.io.read_until(b'\n', &mut out).await {
            Ok(n) if n > 0 => {}
            _ => return None,
        }
        let line = out.strip_suffix(b"\r\n").unwrap_or_else(|| panic!("no CRLF: {}", out.escape_ascii()));
        Some(line.to_vec())
    }

    /// What comes up to a line's end or the stream's, which may be a reset.
    pub async fn octets_before_the_end(&mut self) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let read = self.io.read_until(b'\n', &mut out).await;
        (read.is_ok() && !out.is_empty()).then_some(out)
    }

    pub async fn line(&mut self) -> Option<String> {
        self.octets().await.map(|l| String::from_utf8_lossy(&l).into_owned())
    }

    /// Sends a line and reads one.
    pub async fn ask(&mut self, line: &str) -> String {
        self.send(format!("{line}\r\n").as_bytes()).await;
        self.line().await.unwrap_or_default()
    }

    /// The lines up to the dot, unstuffed.
    pub async fn until_dot(&mut self) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        loop {
            let line = self.octets().await.expect("the dot");
            match line.strip_prefix(b".") {
                Some([]) => return out,
                Some(rest) => out.push(rest.to_vec()),
                None => out.push(line),
            }
        }
    }

    /// An SMTP reply of any number of lines.
    pub async fn reply(&mut self) -> String {
        let mut out = String::new();
        loop {
            let Some(line) = self.line().await else { return out };
            let last = line.as_bytes().get(3) != Some(&b'-');
            out.push_str(&line);
            if last {
                return out;
            }
            out.push('\n');
        }
    }

    /// Sends an SMTP command and reads the reply.
    pub async fn say(&mut self, line: &str) -> String {
        self.send(format!("{line}\r\n").as_bytes()).await;
        self.reply().await
    }

    /// Whether the stream has ended.
    pub async fn is_over(&mut self) -> bool {
        self.octets().await.is_none()
    }
}

/// A POP3 connection with its greeting read.
pub async fn pop3(sandbox: &Sandbox) -> Lines {
    let mut lines = Lines::tls(sandbox, sandbox.ports().pop3s).await;
    assert!(lines.line().await.unwrap().starts_with("+OK "));
    lines
}

/// Signs in to POP3 in two steps; the last answer.
pub async fn pop3_auth(lines: &mut Lines, user: &str, token: &str) -> String {
    let prompt = lines.ask("AUTH XOAUTH2").await;
    assert_eq!(prompt.trim_end(), "+");
    lines.ask(&xoauth2(user, token)).await
}

/// An SMTP connection inside TLS, behind EHLO.
pub async fn smtp(sandbox: &Sandbox) -> Lines {
    let mut lines = Lines::plain(sandbox.ports().submission).await;
    assert!(lines.reply().await.starts_with("220 "));
    lines.say("EHLO client.example").await;
    assert_eq!(lines.say("STARTTLS").await, "220 2.0.0 SMTP server ready");
    let mut lines = lines.secured(sandbox).await;
    lines.say("EHLO client.example").await;
    lines
}

/// Signs in to SMTP in two steps; the last reply.
pub async fn smtp_auth(lines: &mut Lines, user: &str, token: &str) -> String {
    assert_eq!(lines.say("AUTH XOAUTH2").await.trim_end(), "334");
    lines.say(&xoauth2(user, token)).await
}

/// An SMTP connection of this user, signed in.
pub async fn smtp_as(sandbox: &Sandbox, user: &str) -> Lines {
    let token = sandbox.issue_token(&TokenSpec::user(user)).unwrap();
    let mut lines = smtp(sandbox).await;
    assert_eq!(smtp_auth(&mut lines, user, token.expose()).await, "235 2.7.0 Authentication successful");
    lines
}
