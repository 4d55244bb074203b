//! A message on its way out: its header as it will leave, its body still where it came from.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use mail_builder::headers::Header as _;
use tokio::io::{AsyncRead, ReadBuf};

use super::address::Address;
use super::header::{self, Header};
use crate::exit::{Exit, Failure, Result};
use crate::output::text::safe;

/// Octets of standard input that are kept in memory; what is longer waits in a file without a name.
const IN_MEMORY: usize = 1024 * 1024;

/// Where the octets come from. They are read twice or more: to know size and kind before anything is said, and once per try.
pub(crate) trait Source: Read + Seek + Send {}

impl<T: Read + Seek + Send> Source for T {}

/// A message as it was given.
pub(crate) struct Draft {
    /// What to call it in reports.
    pub(crate) label: String,
    header: header::Read,
    source: Box<dyn Source>,
}

/// A message as it will be sent.
pub(crate) struct Message {
    /// What to call it in reports.
    pub(crate) label: String,
    /// Its Message-ID, if it has one.
    pub(crate) message_id: Option<String>,
    /// Octets as they will be on the wire, before stuffing.
    pub(crate) size: u64,
    /// Whether an octet is above 127.
    pub(crate) eight_bit: bool,
    head: Vec<u8>,
    /// Octets of the head that have been read.
    read: usize,
    body_at: u64,
    source: Box<dyn Source>,
}

/// What is added where it is missing.
#[derive(Debug)]
pub(crate) struct Missing<'a> {
    /// The author.
    pub(crate) from: &'a Address,
    /// The time, as in a header.
    pub(crate) date: String,
    /// With its angle brackets.
    pub(crate) message_id: String,
}

impl Draft {
    /// A file.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let label = safe(&path.display().to_string());
        let failed = |error: io::Error| {
            Failure::new(
                Exit::Usage,
                format!("{label} cannot be read: {error}"),
                "an argument without an @ is a file with a message; recipients without an @ go behind --",
            )
        };
        let file = File::open(path).map_err(failed)?;
        if !file.metadata().map_err(failed)?.is_file() {
            // A pipe or device can be read once only.
            return Self::spool(label.clone(), file);
        }
        Self::new(label.clone(), Box::new(file))
    }

    /// Standard input, to its end.
    pub(crate) fn stdin() -> Result<Self> {
        Self::spool("standard input".to_owned(), io::stdin().lock())
    }

    /// Octets that are there already.
    pub(crate) fn octets(label: &str, octets: Vec<u8>) -> Result<Self> {
        Self::new(label.to_owned(), Box::new(Cursor::new(octets)))
    }

    fn spool(label: String, mut from: impl Read) -> Result<Self> {
        let mut spool = tempfile::spooled_tempfile(IN_MEMORY);
        let copied = io::copy(&mut from, &mut spool).and_then(|_| spool.rewind());
        copied.map_err(|error| {
            Failure::new(Exit::Disk, format!("{label} cannot be kept for sending: {error}"), "")
        })?;
        Self::new(label, Box::new(spool))
    }

    fn new(label: String, mut source: Box<dyn Source>) -> Result<Self> {
        let read = Header::read(&mut BufReader::new(&mut source));
        let header = read.map_err(|error| unsendable(&label, &error.to_string()))?;
        Ok(Self { label, header, source })
    }

    /// Whom its header names.
    pub(crate) fn recipients(&self) -> Result<Vec<Address>> {
        self.header
            .header
            .recipients()
            .map_err(|error| unsendable(&self.label, &format!("in its header {error}")))
    }

    /// Adds what is missing and takes out what must not leave.
    pub(crate) fn complete(mut self, missing: &Missing<'_>) -> Result<Message> {
        let header = &mut self.header.header;
        header.remove_bcc();
        if !header.has("From") {
            header.add("From", &author(missing.from));
        }
        if !header.has("Date") {
            header.add("Date", &missing.date);
        }
        if !header.has("Message-ID") {
            header.add("Message-ID", &missing.message_id);
        }
        let head = header.octets();
        self.message(head, false)
    }

    /// Leaves it as it is; refuses what could not be sent so.
    pub(crate) fn raw(self) -> Result<Message> {
        let header = &self.header.header;
        if header.has("Bcc") || header.has("Resent-Bcc") {
            return Err(unsendable(&self.label, "it has a Bcc, which --raw does not take out"));
        }
        let head = header.octets();
        self.message(head, true)
    }

    fn message(mut self, mut head: Vec<u8>, raw: bool) -> Result<Message> {
        let label = self.label;
        let failed = |error: io::Error| unsendable(&label, &format!("it cannot be read: {error}"));
        if raw {
            // The header was read for looking at it; the octets are all still in the source.
            head.clear();
            self.header.length = 0;
        }
        self.source.seek(SeekFrom::Start(self.header.length)).map_err(failed)?;
        let scan = scan(&mut BufReader::new(&mut self.source)).map_err(failed)?;
        if raw && scan.bare > 0 {
            return Err(unsendable(
                &label,
                &format!("{} of its line ends are not CRLF, and --raw does not change them", scan.bare),
            ));
        }
        Ok(Message {
            label,
            message_id: self.header.header.get("Message-ID"),
            size: scan.size.saturating_add(head.len() as u64),
            eight_bit: scan.eight_bit || !head.is_ascii(),
            head,
            read: 0,
            body_at: self.header.length,
            source: self.source,
        })
    }
}

impl Message {
    /// What is read next is its beginning.
    pub(crate) fn rewind(&mut self) -> io::Result<&mut Self> {
        self.read = 0;
        self.source.seek(SeekFrom::Start(self.body_at))?;
        Ok(self)
    }
}

/// Its octets; line ends of the body as they were given.
impl Read for Message {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut head = self.head.get(self.read..).unwrap_or_default();
        if head.is_empty() {
            return self.source.read(into);
        }
        let n = head.read(into)?;
        self.read = self.read.saturating_add(n);
        Ok(n)
    }
}

/// Reads in this thread: nothing else is to be done in it while a piece is read.
impl AsyncRead for Message {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = self.read(into.initialize_unfilled());
        Poll::Ready(read.map(|n| into.advance(n)))
    }
}

/// A message that does not leave, before anybody was asked.
fn unsendable(label: &str, why: &str) -> Failure {
    Failure::new(
        Exit::MessageRefused,
        format!("{label} cannot be sent: {}", safe(why)),
        "correct the message; nothing was sent",
    )
}

/// The value of a From: its name in quotes, or encoded if it is not ASCII, and folded.
fn author(from: &Address) -> String {
    let mut octets = Vec::new();
    let name = (!from.name.is_empty()).then(|| from.name.clone());
    mail_builder::headers::address::Address::new_address(name, from.mailbox.to_string())
        .write_header(&mut octets, "From: ".len());
    String::from_utf8_lossy(&octets).trim_end_matches(['\r', '\n']).to_owned()
}

/// What one pass over a body shows.
#[derive(Debug, Default, PartialEq, Eq)]
struct Scan {
    /// Octets once every line ends by CRLF.
    size: u64,
    eight_bit: bool,
    /// CRs and LFs that stand alone.
    bare: u64,
}

fn scan(body: &mut impl io::BufRead) -> io::Result<Scan> {
    let mut scan = Scan::default();
    let mut after_cr = false;
    let mut last = b'\n';
    loop {
        let octets = body.fill_buf()?;
        if octets.is_empty() {
            break;
        }
        for octet in octets {
            scan.size = scan.size.saturating_add(1);
            scan.eight_bit |= !octet.is_ascii();
            // A CR is counted when it is known what follows it.
            let alone = if *octet == b'\n' { !after_cr } else { after_cr };
            if alone {
                scan.bare = scan.bare.saturating_add(1);
                scan.size = scan.size.saturating_add(1);
            }
            after_cr = *octet == b'\r';
            last = *octet;
        }
        let n = octets.len();
        body.consume(n);
    }
    if after_cr {
        scan.bare = scan.bare.saturating_add(1);
        scan.size = scan.size.saturating_add(1);
    } else if last != b'\n' {
        // DATA ends its last line.
        scan.size = scan.size.saturating_add(2);
    }
    Ok(scan)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(from: &Address) -> Missing<'_> {
        let (date, message_id) = ("Fri, 20 Nov 2026 10:00:00 +0000".into(), "<x@y.example>".into());
        Missing { from, date, message_id }
    }

    fn sent(text: &[u8], from: &str) -> Vec<u8> {
        let from = super::super::address::one(from).unwrap();
        let draft = Draft::octets("test", text.to_vec()).unwrap();
        let mut message = draft.complete(&missing(&from)).unwrap();
        let mut octets = Vec::new();
        message.rewind().unwrap().read_to_end(&mut octets).unwrap();
        // The second try reads the same.
        let mut again = Vec::new();
        message.rewind().unwrap().read_to_end(&mut again).unwrap();
        assert_eq!(octets, again);
        octets
    }

    #[test]
    fn what_is_missing_is_added_and_what_is_there_stays() {
        let whole = b"From: b@x\r\nDate: d\r\nMessage-ID: <m>\r\n\r\nbody\r\n.\r\n";
        assert_eq!(sent(whole, "a@x"), whole);
        let text = sent(b"Subject: s\n\nbody\n", "\"Ana, A.\" <a@x.example>");
        let text = String::from_utf8(text).unwrap();
        assert_eq!(
            text,
            "Subject: s\r\nFrom: \"Ana, A.\" <a@x.example>\r\nDate: Fri, 20 Nov 2026 10:00:00 +0000\r\nMessage-ID: <x@y.example>\r\n\r\nbody\n"
        );
    }

    #[test]
    fn a_name_beyond_ascii_is_encoded() {
        let text = String::from_utf8(sent(b"\n", "Jörg Müller <j@x.example>")).unwrap();
        assert!(
            text.is_ascii() && text.contains("From: =?utf-8?") && text.contains("<j@x.example>"),
            "{text}"
        );
    }

    #[test]
    fn a_message_without_a_header_is_all_body() {
        let text = sent(b"hello\nyou\n", "a@x");
        assert!(text.starts_with(b"From: ") && text.ends_with(b"\r\n\r\nhello\nyou\n"));
    }

    #[test]
    fn sizes_are_those_of_the_wire() {
        for (text, size, bare) in [
            (&b""[..], 0, 0),
            (b"a\r\n", 3, 0),
            (b"a\n", 3, 1),
            (b"a\r", 3, 1),
            (b"a", 3, 0),
            (b"a\r\r\n", 5, 1),
            (b"\n\r", 4, 2),
        ] {
            for step in 1..=3 {
                let scan = scan(&mut BufReader::with_capacity(step, text)).unwrap();
                assert_eq!((scan.size, scan.bare), (size, bare), "{text:?}");
            }
        }
        assert!(scan(&mut "é".as_bytes()).unwrap().eight_bit);
    }

    #[test]
    fn raw_is_raw_or_refused() {
        let raw = |text: &[u8]| Draft::octets("test", text.to_vec()).unwrap().raw();
        let text = b"Subject: s\r\n\r\n.\r\n";
        let mut octets = Vec::new();
        raw(text).unwrap().rewind().unwrap().read_to_end(&mut octets).unwrap();
        assert_eq!(octets, text);
        for text in [&b"Subject: s\n\r\n"[..], b"Bcc: a@b\r\n\r\n", b"X: y\r\n\r\na\rb\r\n"] {
            assert_eq!(raw(text).map(|_| ()).unwrap_err().exit, Exit::MessageRefused, "{text:?}");
        }
    }
}
