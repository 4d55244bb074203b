//! The browser's side of a sign-in: opening it, and listening on loopback for its answer (RFC 8252 §7.3).

use std::net::{Ipv4Addr, Ipv6Addr};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use auth::Callback;
use auth::loopback::{Answer, CONNECTIONS, Receiver};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::exit::{Exit, Failure, Result};

/// Tries for a port that is free on both loopback addresses.
const TRIES: usize = 16;
/// How long a connection may take for its request.
const REQUEST: Duration = Duration::from_secs(10);

/// Where the browser is sent back to.
pub(crate) struct Listener {
    sockets: Vec<TcpListener>,
    port: u16,
}

impl Listener {
    /// Binds a free port on 127.0.0.1 and, where there is one, ::1; never on another address.
    pub(crate) async fn bind() -> Result<Self> {
        let failed = |error: std::io::Error| {
            Failure::new(
                Exit::Unexpected,
                format!("no port of this machine can be listened on for the browser's answer: {error}"),
                "sign in with a code instead: postkey login --flow device",
            )
        };
        let mut last = std::io::Error::from(std::io::ErrorKind::AddrInUse);
        for _ in 0..TRIES {
            let v4 = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(failed)?;
            let port = v4.local_addr().map_err(failed)?.port();
            match TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await {
                Ok(v6) => return Ok(Self { sockets: vec![v4, v6], port }),
                // Somebody else could take the browser's answer there.
                Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => last = error,
                Err(_) => return Ok(Self { sockets: vec![v4], port }),
            }
        }
        Err(failed(last))
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
            let (receiver, room, tell) = (Arc::clone(&receiver), Arc::clone(&room), tell.clone());
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
                    let (receiver, tell) = (Arc::clone(&receiver), tell.clone());
                    connections.spawn(async move {
                        let _permit = permit;
                        let _ = tokio::time::timeout(REQUEST, serve(stream, &receiver, &tell)).await;
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
    mut stream: TcpStream,
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
async fn show(stream: &mut TcpStream, response: &[u8]) -> std::io::Result<()> {
    stream.write_all(response).await?;
    stream.shutdown().await?;
    let mut rest = [0; 1024];
    let drain = async { while stream.read(&mut rest).await.is_ok_and(|n| n > 0) {} };
    let _ = tokio::time::timeout(Duration::from_millis(500), drain).await;
    Ok(())
}

/// Opens an address in the user's browser: POSTKEY_BROWSER, then BROWSER (several, separated by colons), then what the
/// desktop says. Says whether something could be started.
///
/// The address holds no credential: the code comes back to our listener, and is worth nothing without the verifier
/// that never leaves this process.
pub(crate) fn open(address: &str) -> bool {
    if let Ok(own) = std::env::var("POSTKEY_BROWSER") {
        return start(named(&own, address));
    }
    if let Ok(list) = std::env::var("BROWSER")
        && list.split(':').any(|entry| start(named(entry, address)))
    {
        return true;
    }
    has_desktop() && open::commands(address).into_iter().any(|command| start(Some(command)))
}

/// Whether there is a desktop whose browser could be opened.
pub(crate) fn has_desktop() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    set("POSTKEY_BROWSER")
        || set("BROWSER")
        || cfg!(any(windows, target_os = "macos"))
        || set("DISPLAY")
        || set("WAYLAND_DISPLAY")
}

/// A command line without a shell: words at blanks, `%s` for the address, which comes last if it is not mentioned.
fn named(entry: &str, address: &str) -> Option<Command> {
    let mut words = entry.split_whitespace();
    let mut command = Command::new(words.next()?);
    let mut mentioned = false;
    for word in words {
        mentioned |= word.contains("%s");
        command.arg(word.replace("%s", address));
    }
    if !mentioned {
        command.arg(address);
    }
    Some(command)
}

fn start(command: Option<Command>) -> bool {
    let Some(mut command) = command else { return false };
    let silent = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    silent.spawn().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_named_by_a_variable_gets_the_address_where_it_wants_it() {
        let shown = |entry| named(entry, "https://x/?a=b&c").map(|command| format!("{command:?}"));
        assert_eq!(shown("firefox").unwrap(), r#""firefox" "https://x/?a=b&c""#);
        assert_eq!(shown("w3m -o %s --").unwrap(), r#""w3m" "-o" "https://x/?a=b&c" "--""#);
        assert!(shown("  ").is_none());
    }
}
