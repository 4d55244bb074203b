//! Servers that take messages and throw them away.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{env, thread};

/// Postfix's `smtp-sink`, until it is dropped.
#[derive(Debug)]
pub(crate) struct SmtpSink {
    process: Child,
    at: SocketAddr,
}

impl SmtpSink {
    pub(crate) fn start() -> io::Result<Self> {
        let program = smtp_sink().ok_or_else(|| {
            io::Error::new(io::ErrorKind::NotFound, "smtp-sink is not installed (package postfix)")
        })?;
        let at = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let mut command = Command::new(program);
        if rustix::process::getuid().is_root() {
            command.args(["-u", "nobody"]);
        }
        command.arg(at.to_string()).arg("1000").stdin(Stdio::null()).stdout(Stdio::null());
        let mut sink = Self { process: command.spawn()?, at };
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(at).is_err() {
            if sink.process.try_wait()?.is_some() || Instant::now() > deadline {
                return Err(io::Error::other("smtp-sink did not start"));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(sink)
    }

    pub(crate) fn at(&self) -> SocketAddr {
        self.at
    }
}

impl Drop for SmtpSink {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn smtp_sink() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let places = env::split_paths(&path).chain([Path::new("/usr/sbin").to_owned()]);
    places.map(|place| place.join("smtp-sink")).find(|program| program.is_file())
}

/// A server of our own that knows BDAT, which `smtp-sink` does not, and counts the octets of messages.
#[derive(Debug)]
pub(crate) struct Counter {
    at: SocketAddr,
    octets: Arc<AtomicU64>,
}

impl Counter {
    pub(crate) fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let (at, octets) = (listener.local_addr()?, Arc::new(AtomicU64::new(0)));
        let counted = octets.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if let Err(e) = serve(&stream, &counted) {
                    eprintln!("  the server: {e}");
                }
            }
        });
        Ok(Self { at, octets })
    }

    pub(crate) fn at(&self) -> SocketAddr {
        self.at
    }

    /// The octets of all messages since the last call, without the dots that DATA adds.
    pub(crate) fn take(&self) -> u64 {
        self.octets.swap(0, Ordering::Relaxed)
    }
}

fn serve(mut stream: &TcpStream, octets: &AtomicU64) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut input = BufReader::with_capacity(256 << 10, stream);
    let mut line = Vec::new();
    stream.write_all(b"220 counter ESMTP\r\n")?;
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&line).to_ascii_uppercase();
        let mut words = text.split_whitespace();
        let reply: &[u8] = match words.next() {
            Some("EHLO") => b"250-counter\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SIZE\r\n250 CHUNKING\r\n",
            Some("DATA") => {
                stream.write_all(b"354 go on\r\n")?;
                octets.fetch_add(data(&mut input)?, Ordering::Relaxed);
                b"250 taken\r\n"
            }
            Some("BDAT") => {
                let size = words.next().and_then(|size| size.parse().ok()).unwrap_or(0);
                let read = io::copy(&mut (&mut input).take(size), &mut io::sink())?;
                octets.fetch_add(read, Ordering::Relaxed);
                b"250 taken\r\n"
            }
            Some("QUIT") => return stream.write_all(b"221 gone\r\n"),
            _ => b"250 good\r\n",
        };
        stream.write_all(reply)?;
    }
}

/// Reads to the line with a dot alone.
fn data(input: &mut impl BufRead) -> io::Result<u64> {
    let (mut octets, mut line) = (0, Vec::new());
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if line == b".\r\n" {
            return Ok(octets);
        }
        octets += (line.len() - usize::from(line.starts_with(b"."))) as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn octets(sent: &str) -> u64 {
        let counter = Counter::start().unwrap();
        let mut stream = TcpStream::connect(counter.at()).unwrap();
        stream.write_all(sent.as_bytes()).unwrap();
        stream.read_to_end(&mut Vec::new()).unwrap();
        counter.take()
    }

    #[test]
    fn octets_of_messages_are_counted() {
        assert_eq!(octets("EHLO x\r\nDATA\r\n..\r\nabc\r\n.\r\nQUIT\r\n"), 8);
        assert_eq!(octets("EHLO x\r\nBDAT 5\r\n.\r\n\r\nBDAT 3 LAST\r\nQUIQUIT\r\n"), 8);
    }
}
