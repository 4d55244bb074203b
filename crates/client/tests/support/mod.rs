//! A server that follows a script: what it expects, line by line, and what it says.

#![allow(dead_code, reason = "each test binary uses its part")]

pub(crate) mod smtp;

use std::time::Duration;

use postkey::{Credential, Roots, Security, Server};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// One step of a script.
pub(crate) enum Step {
    /// The server says this.
    Say(String),
    /// The client must say exactly this. What it has said ahead waits.
    Hear(String),
    /// The client says anything up to and with this.
    Until(&'static str),
    /// The server ends the connection.
    Close,
}

pub(crate) fn say(text: &str) -> Step {
    Step::Say(text.into())
}

pub(crate) fn hear(text: &str) -> Step {
    Step::Hear(text.into())
}

/// Follows the script on the first connection; gives everything that the client said.
pub(crate) async fn serve(script: Vec<Step>) -> (Server, JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server =
        Server::imap("127.0.0.1", Roots::mozilla()).port(port).security(Security::DangerousPlaintext);
    let heard = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        tokio::time::timeout(Duration::from_secs(20), follow(stream, script))
            .await
            .expect("the client stands still")
    });
    (server, heard)
}

async fn follow(mut stream: TcpStream, script: Vec<Step>) -> Vec<u8> {
    let mut heard = Vec::new();
    let mut at = 0;
    for step in script {
        match step {
            Step::Say(text) => stream.write_all(text.as_bytes()).await.unwrap(),
            Step::Hear(text) => {
                while heard.len() - at < text.len() {
                    let before = heard.len();
                    stream.read_buf(&mut heard).await.unwrap();
                    let now = String::from_utf8_lossy(&heard[at..]).into_owned();
                    assert!(heard.len() > before, "the client left; expected {text:?}, heard {now:?}");
                }
                let now = String::from_utf8_lossy(&heard[at..at + text.len()]);
                assert_eq!(now, text, "said instead");
                at += text.len();
            }
            Step::Until(end) => loop {
                if let Some(found) = heard[at..].windows(end.len()).position(|w| w == end.as_bytes()) {
                    at += found + end.len();
                    break;
                }
                assert!(stream.read_buf(&mut heard).await.unwrap() > 0, "the client left before {end:?}");
            },
            Step::Close => return heard,
        }
    }
    // What else it has to say.
    let _ = stream.read_to_end(&mut heard).await;
    heard
}

pub(crate) const TOKEN: &str = "eyJ0eXAiOiJKV1QiLCJub25jZSI6IjEyMzQ1Njc4OTAi";

pub(crate) fn ana() -> Credential {
    Credential::fixed_token("ana@contoso.example", TOKEN.into())
}

/// `user=ana@contoso.example^Aauth=Bearer TOKEN^A^A`, as made by Python's base64.
pub(crate) const BLOB: &str = "dXNlcj1hbmFAY29udG9zby5leGFtcGxlAWF1dGg9QmVhcmVyIGV5SjBlWEFpT2lKS1YxUWlMQ0p1YjI1alpTSTZJakV5TXpRMU5qYzRPVEFpAQE=";
