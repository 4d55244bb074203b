//! `rawdl HOST:PORT CA-FILE USER PASSWORD null|flags|DIRECTORY`: the yardstick. One FETCH of everything over TLS with
//! as little work as possible: no checks beyond finding where a body begins and ends. Given a directory, each body
//! goes to `tmp` as it comes and is renamed to `cur`; `null` drops the octets; `flags` asks for the flags alone.
//! Prints how many messages and octets came.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

type Stream = StreamOwned<ClientConnection, TcpStream>;

struct Input {
    stream: Stream,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Input {
    fn fill(&mut self) -> io::Result<()> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.end == self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        match self.stream.read(&mut self.buffer[self.end..])? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            n => {
                self.end += n;
                Ok(())
            }
        }
    }

    /// The next line, without its end, given to the function.
    fn line<T>(&mut self, look: impl FnOnce(&[u8]) -> T) -> io::Result<T> {
        let mut searched = 0;
        loop {
            match memchr::memchr(b'\n', &self.buffer[self.start + searched..self.end]) {
                Some(at) => {
                    let end = self.start + searched + at;
                    let looked = look(self.buffer[self.start..end].trim_ascii_end());
                    self.start = end + 1;
                    return Ok(looked);
                }
                None => searched = self.end - self.start,
            }
            self.fill()?;
        }
    }

    fn copy(&mut self, mut count: u64, mut to: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        while count > 0 {
            if self.start == self.end {
                self.fill()?;
            }
            let n = (self.end - self.start).min(usize::try_from(count).unwrap_or(usize::MAX));
            to(&self.buffer[self.start..self.start + n])?;
            self.start += n;
            count -= n as u64;
        }
        Ok(())
    }

    fn command(&mut self, tag: &str, text: &str) -> Result<(), Box<dyn Error>> {
        self.stream.write_all(format!("{tag} {text}\r\n").as_bytes())?;
        self.stream.flush()?;
        loop {
            let answer =
                self.line(|line| line.strip_prefix(tag.as_bytes()).map(|rest| rest.starts_with(b" OK")))?;
            match answer {
                Some(true) => return Ok(()),
                Some(false) => return Err(format!("the server refused: {text}").into()),
                None => {}
            }
        }
    }
}

/// The count of `… {count}` at the end of a line.
fn literal(line: &[u8]) -> Option<u64> {
    let line = line.strip_suffix(b"}")?;
    let open = memchr::memrchr(b'{', line)?;
    std::str::from_utf8(&line[open + 1..]).ok()?.parse().ok()
}

enum Sink {
    Null,
    Maildir(PathBuf),
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, ca, user, password, what] = arguments.as_slice() else {
        return Err("usage: rawdl HOST:PORT CA-FILE USER PASSWORD null|flags|DIRECTORY".into());
    };
    let mut input = connect(address, Path::new(ca))?;
    input.line(|_| ())?; // the greeting
    input.command("a", &format!("LOGIN {user} {password}"))?;
    input.command("b", "EXAMINE INBOX")?;
    let (items, sink) = match what.as_str() {
        "flags" => ("FLAGS", Sink::Null),
        "null" => ("UID FLAGS INTERNALDATE BODY.PEEK[]", Sink::Null),
        directory => {
            let directory = PathBuf::from(directory);
            for sub in ["tmp", "new", "cur"] {
                fs::create_dir_all(directory.join(sub))?;
            }
            ("UID FLAGS INTERNALDATE BODY.PEEK[]", Sink::Maildir(directory))
        }
    };
    input.stream.write_all(format!("c UID FETCH 1:* ({items})\r\n").as_bytes())?;
    input.stream.flush()?;
    let (messages, octets) = download(&mut input, &sink)?;
    println!("{messages} messages, {octets} octets");
    Ok(())
}

fn connect(address: &str, ca: &Path) -> Result<Input, Box<dyn Error>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca)?)?;
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host).to_owned();
    let tcp = TcpStream::connect(address)?;
    tcp.set_nodelay(true)?;
    let connection = ClientConnection::new(Arc::new(config), host.try_into()?)?;
    let buffer = vec![0; 256 * 1024].into_boxed_slice();
    Ok(Input { stream: StreamOwned::new(connection, tcp), buffer, start: 0, end: 0 })
}

fn download(input: &mut Input, sink: &Sink) -> Result<(u64, u64), Box<dyn Error>> {
    enum Line {
        Body(u64),
        Done,
        Refused,
        Other,
    }
    let (mut messages, mut octets) = (0_u64, 0_u64);
    loop {
        let line = input.line(|line| match literal(line) {
            Some(count) => Line::Body(count),
            None if line.starts_with(b"c OK") => Line::Done,
            None if line.starts_with(b"c ") => Line::Refused,
            None => Line::Other,
        })?;
        match line {
            Line::Body(count) => {
                messages += 1;
                octets += count;
                match sink {
                    Sink::Null => input.copy(count, |_| Ok(()))?,
                    Sink::Maildir(directory) => {
                        let tmp = directory.join(format!("tmp/{messages}"));
                        let mut file = File::create(&tmp)?;
                        input.copy(count, |chunk| file.write_all(chunk))?;
                        drop(file);
                        fs::rename(&tmp, directory.join(format!("cur/{messages}:2,S")))?;
                    }
                }
            }
            Line::Done => return Ok((messages, octets)),
            Line::Refused => return Err("the server refused the FETCH".into()),
            Line::Other => {}
        }
    }
}
