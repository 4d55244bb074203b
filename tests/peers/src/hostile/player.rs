//! One connection: reading lines, sending segments, and a record of what the client said.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::case::{Case, Segment, Start};
use super::server::{Record, Seen};
use super::substitute::{self, Command};
use crate::net::reset_on_close;

/// A client that says nothing for so long is gone.
const SILENCE: Duration = Duration::from_secs(60);

/// A line longer than this is recorded in part.
const RECORDED: usize = 64 * 1024;

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
    /// Between the two, and after a reset.
    Gone,
}

pub(super) struct Player<'a> {
    pub(super) case: &'a Case,
    stream: Stream,
    config: Option<Arc<ServerConfig>>,
    received: Vec<u8>,
    pub(super) tls: bool,
    record: &'a Record,
}

/// The connection is over; not an error of the player.
pub(super) fn done() -> io::Error {
    ErrorKind::ConnectionAborted.into()
}

impl<'a> Player<'a> {
    pub(super) fn new(
        case: &'a Case,
        stream: TcpStream,
        config: Option<Arc<ServerConfig>>,
        record: &'a Record,
    ) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(SILENCE))?;
        stream.set_write_timeout(Some(SILENCE))?;
        Ok(Self { case, stream: Stream::Plain(stream), config, received: Vec::new(), tls: false, record })
    }

    /// TLS where it comes first, and the case's greeting, or this one.
    pub(super) fn greet(&mut self, greeting: &str) -> io::Result<()> {
        if self.case.tls == Start::Implicit {
            self.upgrade()?;
        }
        match &self.case.greet {
            Some(segments) => self.play(segments, Command::default()),
            None => self.send(greeting.as_bytes()),
        }
    }

    /// The client's next line where it begins with a verb: that in capitals, and the rest.
    pub(super) fn command(&mut self) -> io::Result<(String, String)> {
        let line = substitute::latin1(&self.line()?);
        let (verb, arguments) = line.split_once(' ').unwrap_or((&line, ""));
        Ok((verb.to_ascii_uppercase(), arguments.to_owned()))
    }

    pub(super) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.stream {
            Stream::Plain(stream) => stream.write_all(bytes)?,
            Stream::Tls(stream) => stream.write_all(bytes).and_then(|()| stream.flush())?,
            Stream::Gone => return Err(done()),
        }
        self.record.sent(bytes.len());
        Ok(())
    }

    fn receive(&mut self) -> io::Result<usize> {
        let mut buffer = [0; 16 * 1024];
        let n = match &mut self.stream {
            Stream::Plain(stream) => stream.read(&mut buffer)?,
            Stream::Tls(stream) => stream.read(&mut buffer)?,
            Stream::Gone => 0,
        };
        self.received.extend_from_slice(&buffer[..n]);
        Ok(n)
    }

    fn need(&mut self) -> io::Result<()> {
        if self.receive()? == 0 { Err(done()) } else { Ok(()) }
    }

    /// The client's next line, without its end.
    pub(super) fn line(&mut self) -> io::Result<Vec<u8>> {
        let mut searched = 0;
        let end = loop {
            match self.received[searched..].iter().position(|&b| b == b'\n') {
                Some(at) => break searched + at,
                None => searched = self.received.len(),
            }
            self.need()?;
        };
        let mut line: Vec<u8> = self.received.drain(..=end).collect();
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        self.saw(&line);
        Ok(line)
    }

    /// So many octets, wherever lines end.
    pub(super) fn exactly(&mut self, count: usize) -> io::Result<Vec<u8>> {
        while self.received.len() < count {
            self.need()?;
        }
        Ok(self.received.drain(..count).collect())
    }

    fn saw(&self, line: &[u8]) {
        let line = line.get(..RECORDED).unwrap_or(line).to_vec();
        self.record.push(Seen::Line { tls: self.tls, line });
    }

    /// Does what the case says. The error [`done`] is the end of the connection.
    pub(super) fn play(&mut self, segments: &[Segment], command: Command<'_>) -> io::Result<()> {
        for segment in segments {
            match segment {
                Segment::Text(text) => self.send(&latin1(&command.fill(text)))?,
                Segment::Repeat { rep, n } => self.repeat(&latin1(rep), *n)?,
                Segment::Sleep { sleep } => thread::sleep(Duration::from_secs_f64(*sleep)),
                Segment::Drip { drip, step, every } => {
                    for piece in latin1(drip).chunks((*step).max(1)) {
                        self.send(piece)?;
                        thread::sleep(Duration::from_secs_f64(*every));
                    }
                }
                Segment::Hang { .. } => return self.hang(),
                Segment::Wait { .. } => drop(self.line()?),
                Segment::Close { .. } => return self.close(),
                Segment::Reset { .. } => return self.reset(),
                Segment::Tls { .. } => self.upgrade()?,
            }
        }
        Ok(())
    }

    fn repeat(&mut self, unit: &[u8], mut n: usize) -> io::Result<()> {
        let at_once = (65_536 / unit.len().max(1)).max(1);
        let block = unit.repeat(at_once);
        while n > 0 {
            let now = n.min(at_once);
            self.send(&block[..now * unit.len()])?;
            n -= now;
        }
        Ok(())
    }

    /// Reads on, so that what the client says while it waits is known.
    fn hang(&mut self) -> io::Result<()> {
        loop {
            self.line()?;
        }
    }

    /// The end of the stream as a server without manners makes it: no TLS alert. Reads until the client goes, so
    /// that closing does not become a reset.
    fn close(&mut self) -> io::Result<()> {
        match &self.stream {
            Stream::Plain(stream) => stream.shutdown(Shutdown::Write)?,
            Stream::Tls(stream) => stream.sock.shutdown(Shutdown::Write)?,
            Stream::Gone => {}
        }
        self.hang()
    }

    fn reset(&mut self) -> io::Result<()> {
        // What was sent before is to arrive; a reset drops what has not.
        thread::sleep(Duration::from_millis(20));
        match &self.stream {
            Stream::Plain(stream) => reset_on_close(stream),
            Stream::Tls(stream) => reset_on_close(&stream.sock),
            Stream::Gone => {}
        }
        self.stream = Stream::Gone;
        Err(done())
    }

    /// The server's side of a handshake. What the client sent before it, behind its STARTTLS, is dropped.
    pub(super) fn upgrade(&mut self) -> io::Result<()> {
        let config = self.config.clone().ok_or_else(|| io::Error::other("the case needs a certificate"))?;
        let Stream::Plain(socket) = std::mem::replace(&mut self.stream, Stream::Gone) else {
            return Err(done());
        };
        self.record.push(Seen::HandshakeStarted);
        self.received.clear();
        let connection = ServerConnection::new(config).map_err(io::Error::other)?;
        let mut stream = Box::new(StreamOwned::new(connection, socket));
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        self.stream = Stream::Tls(stream);
        self.tls = true;
        self.record.push(Seen::HandshakeDone);
        Ok(())
    }
}

/// One octet per character; what Latin-1 does not have is a question mark.
fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()
}
