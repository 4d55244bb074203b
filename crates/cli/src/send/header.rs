//! The header of a message that came from elsewhere: whom it is for, what must not leave, what is missing.

use std::io::{self, BufRead, Read as _};

use super::address::{self, Address, Unreadable};

/// Longest header section that is read, in octets.
const LONGEST: u64 = 1024 * 1024;

/// A header section, field by field, as it will be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Header {
    fields: Vec<Field>,
}

/// One field, in the lines it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Field {
    name: String,
    /// With its name and its line ends, all of them CRLF.
    octets: Vec<u8>,
}

impl Field {
    fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    fn value(&self) -> String {
        let value = self.octets.get(self.name.len()..).unwrap_or_default();
        let value =
            value.iter().position(|octet| *octet == b':').and_then(|at| value.get(at.saturating_add(1)..));
        String::from_utf8_lossy(value.unwrap_or_default()).trim_end_matches(['\r', '\n']).to_owned()
    }
}

/// Why a header cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The source gave out.
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
    /// Too long.
    #[error("its header is longer than {LONGEST} octets")]
    TooLong,
    /// INJ-14: some servers would take it for the end of a line, others not.
    #[error("line {line} of its header holds {what}")]
    Control {
        /// From 1.
        line: usize,
        /// The character.
        what: &'static str,
    },
}

/// What reading a header leaves behind.
#[derive(Debug)]
pub(crate) struct Read {
    /// The header.
    pub(crate) header: Header,
    /// A line that belongs to the body already: there was no empty line before it.
    pub(crate) rest: Vec<u8>,
    /// Octets of the source up to where the body begins, `rest` counted as body.
    pub(crate) length: u64,
    /// Whether a line ended otherwise than by CRLF.
    pub(crate) bare: bool,
}

impl Header {
    /// Reads up to the empty line. Lines may end by LF or CRLF. The header also ends before a line that is no field and
    /// continues none, as programs that call sendmail expect; an mbox `From ` line at the top is dropped.
    pub(crate) fn read(source: &mut impl BufRead) -> Result<Read, Error> {
        let mut source = source.take(LONGEST);
        let mut read = Read { header: Self::default(), rest: Vec::new(), length: 0, bare: false };
        for number in 1_usize.. {
            let mut line = Vec::new();
            source.read_until(b'\n', &mut line)?;
            if line.is_empty() && source.limit() == 0 {
                return Err(Error::TooLong);
            }
            let length = line.len() as u64;
            let content = match line.strip_suffix(b"\r\n") {
                Some(content) => content,
                None => {
                    read.bare |= !line.is_empty();
                    line.strip_suffix(b"\n").unwrap_or(&line)
                }
            };
            if line.is_empty() || content.is_empty() {
                read.length = read.length.saturating_add(length);
                break;
            }
            let continues = content.starts_with(b" ") || content.starts_with(b"\t");
            let name = name(content);
            let mbox = number == 1 && content.starts_with(b"From ");
            if !mbox && name.is_none() && (!continues || read.header.fields.is_empty()) {
                read.rest = line;
                break;
            }
            for (octet, what) in [(b'\r', "a carriage return that ends no line"), (0, "a NUL")] {
                if content.contains(&octet) {
                    return Err(Error::Control { line: number, what });
                }
            }
            read.length = read.length.saturating_add(length);
            if mbox {
                continue;
            }
            match (continues, name, read.header.fields.last_mut()) {
                (true, _, Some(field)) => {
                    field.octets.extend_from_slice(content);
                    field.octets.extend_from_slice(b"\r\n");
                }
                (false, Some(name), _) => {
                    read.header.fields.push(Field { name, octets: [content, b"\r\n"].concat() });
                }
                _ => {}
            }
        }
        Ok(read)
    }

    /// Whether there is such a field.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.is(name))
    }

    /// The value of the first such field, unfolded.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let field = self.fields.iter().find(|field| field.is(name))?;
        Some(field.value().replace("\r\n", "").trim().to_owned())
    }

    /// The recipients in To, Cc and Bcc; where a message was resent (RFC 5322 section 3.6.6), those of the last time alone.
    pub(crate) fn recipients(&self) -> Result<Vec<Address>, Unreadable> {
        let mut names = ["To", "Cc", "Bcc"];
        let mut fields: Vec<&Field> = self.fields.iter().collect();
        // The fields of one time stand together, and each occurs once in them.
        let resent: Vec<&Field> = {
            let mut seen: Vec<String> = Vec::new();
            let begins = self.fields.iter().filter(|field| lower(field).starts_with("resent-"));
            begins
                .take_while(|field| {
                    let new = !seen.contains(&lower(field));
                    seen.push(lower(field));
                    new
                })
                .collect()
        };
        if resent
            .iter()
            .any(|field| ["Resent-To", "Resent-Cc", "Resent-Bcc"].iter().any(|name| field.is(name)))
        {
            names = ["Resent-To", "Resent-Cc", "Resent-Bcc"];
            fields = resent;
        }
        let mut found = Vec::new();
        for field in fields {
            if names.iter().any(|name| field.is(name)) {
                found.extend(address::field(&field.value())?);
            }
        }
        Ok(found)
    }

    /// Takes out what tells of hidden recipients. Says whether there was any.
    pub(crate) fn remove_bcc(&mut self) -> bool {
        let before = self.fields.len();
        self.fields.retain(|field| !field.is("Bcc") && !field.is("Resent-Bcc"));
        self.fields.len() < before
    }

    /// Adds a field at the end. The caller's value holds no line end but in front of a blank.
    pub(crate) fn add(&mut self, name: &str, value: &str) {
        self.fields
            .push(Field { name: name.to_owned(), octets: format!("{name}: {value}\r\n").into_bytes() });
    }

    /// As it is sent, with the empty line.
    pub(crate) fn octets(&self) -> Vec<u8> {
        let mut octets: Vec<u8> = self.fields.iter().flat_map(|field| field.octets.iter().copied()).collect();
        octets.extend_from_slice(b"\r\n");
        octets
    }
}

fn lower(field: &Field) -> String {
    field.name.to_ascii_lowercase()
}

/// The name of a field, if the line is one.
fn name(line: &[u8]) -> Option<String> {
    let colon = line.iter().position(|octet| *octet == b':')?;
    // Blanks before the colon are old and allowed (RFC 5322 section 4.5).
    let name = line.get(..colon)?.trim_ascii_end();
    let plain = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
    plain.then(|| String::from_utf8_lossy(name).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Read {
        Header::read(&mut &text[..]).unwrap()
    }

    #[test]
    fn both_line_ends_are_read_and_one_is_written() {
        for text in [&b"To: a@b\r\nSubject: x\r\n y\r\n\r\nbody"[..], b"To: a@b\nSubject: x\n y\n\nbody"] {
            let read = read(text);
            assert_eq!(read.header.octets(), b"To: a@b\r\nSubject: x\r\n y\r\n\r\n");
            assert_eq!(&text[usize::try_from(read.length).unwrap()..], b"body");
            assert_eq!(read.bare, !text.contains(&b'\r'));
            assert_eq!(read.header.get("subject").unwrap(), "x y");
        }
    }

    #[test]
    fn bcc_goes_folded_or_not_and_whatever_its_letters() {
        let mut header = read(b"BCC : x@y,\n z@y\nTo: a@b\nbcc:\nResent-Bcc: q@r\nX-Bcc: stays\n\n").header;
        assert!(header.remove_bcc() && !header.remove_bcc());
        assert_eq!(header.octets(), b"To: a@b\r\nX-Bcc: stays\r\n\r\n");
    }

    #[test]
    fn recipients_come_from_all_three_fields_or_from_the_last_resending() {
        let of = |text: &[u8]| -> Vec<String> {
            let all = read(text).header.recipients().unwrap();
            all.iter().map(|address| address.mailbox.to_string()).collect()
        };
        assert_eq!(
            of(b"To: a@b\nCc: C <c@b>,\n d@b\nBcc: e@b\nReply-To: no@b\n\n"),
            ["a@b", "c@b", "d@b", "e@b"]
        );
        assert_eq!(
            of(b"Resent-From: x@b\nResent-To: new@b\nResent-From: y@b\nResent-Cc: old@b\nTo: a@b\n\n"),
            ["new@b"]
        );
        assert!(read(b"To: a@b, <c\n\n").header.recipients().is_err());
    }

    #[test]
    fn what_is_no_field_begins_the_body() {
        let read = read(b"From me Thu Jan  1 00:00:00 1970\nTo: a@b\nhello\nTo: c@d\n");
        assert_eq!(read.header.octets(), b"To: a@b\r\n\r\n");
        assert_eq!(read.rest, b"hello\n");
        let none = Header::read(&mut &b"hello"[..]).unwrap();
        assert_eq!((none.header.octets().as_slice(), none.rest.as_slice()), (&b"\r\n"[..], &b"hello"[..]));
        let blank = Header::read(&mut &b" indented: line\n"[..]).unwrap();
        assert_eq!(blank.rest, b" indented: line\n");
        assert_eq!(Header::read(&mut &b""[..]).unwrap().header, Header::default());
    }

    #[test]
    fn inj_14_lone_carriage_returns_and_nuls_are_refused() {
        for text in [&b"Subject: x\rBcc: a@b\n\n"[..], b"To: a@b\n x\r\r\n\n", b"Subject: a\0b\r\n\r\n"] {
            assert!(matches!(Header::read(&mut &text[..]), Err(Error::Control { .. })), "{text:?}");
        }
        let endless = vec![b'a'; 2 * 1024 * 1024];
        assert!(Header::read(&mut &[b"X: ", &endless[..]].concat()[..]).is_err());
    }
}
