//! `rawsend HOST:PORT COUNT CONNECTIONS FILE pipelined|unpipelined [CA-FILE]`: the yardstick of sending. Blocking sockets, a thread for
//! each connection, no checks beyond the replies' codes. `unpipelined` waits for each reply; `pipelined` sends MAIL, RCPT and DATA of
//! the next message together with the end of the one before (RFC 2920). FILE holds a message with CRLF line ends and no line that
//! begins with a dot.

use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::{fs, thread};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

struct Session {
    stream: BufReader<Box<dyn Stream>>,
    line: Vec<u8>,
}

impl Session {
    fn open(address: &str, ca: Option<&str>) -> Result<Self> {
        let tcp = TcpStream::connect(address)?;
        tcp.set_nodelay(true)?;
        let stream: Box<dyn Stream> = match ca {
            None => Box::new(tcp),
            Some(ca) => {
                let mut roots = RootCertStore::empty();
                roots.add(CertificateDer::from_pem_file(Path::new(ca))?)?;
                let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
                let host = address.rsplit_once(':').map_or(address, |(host, _)| host).to_owned();
                Box::new(StreamOwned::new(ClientConnection::new(Arc::new(config), host.try_into()?)?, tcp))
            }
        };
        Ok(Self { stream: BufReader::with_capacity(64 << 10, stream), line: Vec::new() })
    }

    fn write(&mut self, octets: &[u8]) -> Result<()> {
        let stream = self.stream.get_mut();
        stream.write_all(octets)?;
        Ok(stream.flush()?)
    }

    fn reply(&mut self, code: &[u8]) -> Result<()> {
        loop {
            self.line.clear();
            self.stream.read_until(b'\n', &mut self.line)?;
            if !self.line.starts_with(code) {
                return Err(format!("the server said: {}", String::from_utf8_lossy(&self.line)).into());
            }
            if self.line.get(3) == Some(&b' ') {
                return Ok(());
            }
        }
    }

    fn exchange(&mut self, octets: &[u8], code: &[u8]) -> Result<()> {
        self.write(octets)?;
        self.reply(code)
    }
}

const COMMANDS: [&str; 3] = ["MAIL FROM:<a@example.org>\r\n", "RCPT TO:<b@example.com>\r\n", "DATA\r\n"];
const CODES: [&[u8]; 3] = [b"250", b"250", b"354"];

fn send(session: &mut Session, body: &[u8], count: usize, pipelined: bool) -> Result<()> {
    session.reply(b"220")?;
    session.exchange(b"EHLO localhost\r\n", b"250")?;
    if pipelined && count > 0 {
        let envelope = COMMANDS.concat().into_bytes();
        let both = [body, &envelope].concat();
        session.write(&envelope)?;
        for left in (0..count).rev() {
            CODES.iter().try_for_each(|code| session.reply(code))?;
            session.exchange(if left == 0 { body } else { &both }, b"250")?;
        }
    } else {
        for _ in 0..count {
            for (command, code) in COMMANDS.iter().zip(CODES) {
                session.exchange(command.as_bytes(), code)?;
            }
            session.exchange(body, b"250")?;
        }
    }
    session.exchange(b"QUIT\r\n", b"221")
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (address, count, connections, file, mode, ca) = match arguments.as_slice() {
        [address, count, connections, file, mode] => (address, count, connections, file, mode, None),
        [address, count, connections, file, mode, ca] => {
            (address, count, connections, file, mode, Some(ca.as_str()))
        }
        _ => {
            return Err(
                "usage: rawsend HOST:PORT COUNT CONNECTIONS FILE pipelined|unpipelined [CA-FILE]".into()
            );
        }
    };
    let (count, connections): (usize, usize) = (count.parse()?, connections.parse()?);
    let body = [&fs::read(file)?[..], b".\r\n"].concat();
    let body = &body[..];
    thread::scope(|scope| {
        let threads: Vec<_> = (0..connections)
            .map(|n| {
                let share = count / connections + usize::from(n < count % connections);
                scope.spawn(move || send(&mut Session::open(address, ca)?, body, share, mode == "pipelined"))
            })
            .collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().map_err(|_| "a connection's thread panicked")?)
    })
}
