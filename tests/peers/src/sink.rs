//! A plain SMTP server that keeps every message exactly as it came over the wire.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// A message that somebody delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// The argument of MAIL, from behind `FROM:`.
    pub from: String,
    /// The arguments of RCPT, from behind `TO:`.
    pub to: Vec<String>,
    /// The octets, dots unstuffed, up to and with the CRLF before the final dot.
    pub octets: Vec<u8>,
}

/// The server, on a free port of 127.0.0.1. Only CRLF ends a line here. Dropping it ends it.
#[derive(Debug)]
pub struct Sink {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    delivered: Mutex<Vec<Delivered>>,
    stopped: AtomicBool,
}

impl Sink {
    /// Listens.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared::default());
        let of_listener = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if of_listener.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&of_listener);
                thread::spawn(move || serve(stream, &shared));
            }
        });
        Ok(Self { port, shared })
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What came until now.
    pub fn delivered(&self) -> Vec<Delivered> {
        self.shared.delivered.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)); // wakes the listener
    }
}

fn serve(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let mut out = stream.try_clone()?;
    let mut input = BufReader::new(stream);
    let mut open = Delivered { from: String::new(), to: Vec::new(), octets: Vec::new() };
    out.write_all(b"220 sink.example ESMTP\r\n")?;
    while let Some(line) = line(&mut input)? {
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        let (verb, argument) = text.split_once(' ').unwrap_or((&text, ""));
        let answer: &[u8] = match verb.to_ascii_uppercase().as_str() {
            "EHLO" => b"250-sink.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 100000000\r\n",
            "MAIL" => {
                open = Delivered { from: after_colon(argument), to: Vec::new(), octets: Vec::new() };
                b"250 2.1.0 ok\r\n"
            }
            "RCPT" => {
                open.to.push(after_colon(argument));
                b"250 2.1.5 ok\r\n"
            }
            "DATA" => {
                out.write_all(b"354 go\r\n")?;
                loop {
                    let Some(line) = self::line(&mut input)? else { return Ok(()) };
                    if line == b".\r\n" {
                        break;
                    }
                    open.octets.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
                }
                shared.delivered.lock().unwrap_or_else(PoisonError::into_inner).push(open.clone());
                b"250 2.0.0 kept\r\n"
            }
            "QUIT" => {
                out.write_all(b"221 2.0.0 bye\r\n")?;
                return out.shutdown(Shutdown::Both);
            }
            "HELO" | "NOOP" | "RSET" => b"250 2.0.0 ok\r\n",
            _ => b"500 5.5.1 unknown\r\n",
        };
        out.write_all(answer)?;
    }
    Ok(())
}

fn after_colon(argument: &str) -> String {
    argument.split_once(':').map_or("", |(_, rest)| rest).to_owned()
}

/// Octets up to and with CRLF; `None` at the end.
fn line(input: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        if input.read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
    }
    Ok(Some(line))
}
