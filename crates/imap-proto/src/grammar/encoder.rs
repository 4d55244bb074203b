//! Where commands and responses are written: octets, literals and secrets, in order.

use alloc::vec::Vec;
use core::fmt;

use wire::SecretBytes;

/// A piece of output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fragment {
    /// Octets to send as they are.
    Bytes(Vec<u8>),
    /// The octets of a literal. Whoever sends them writes the announcement (`{n}` or `{n+}` and CRLF) first, and
    /// waits for the server's `+` when it must.
    Literal(Vec<u8>),
    /// Like [`Bytes`](Self::Bytes), never to be logged.
    Secret(SecretBytes),
    /// Like [`Literal`](Self::Literal), never to be logged.
    SecretLiteral(SecretBytes),
}

/// Collects [`Fragment`]s. Neighbouring octets become one fragment.
#[derive(Default)]
pub struct Encoder {
    fragments: Vec<Fragment>,
    bytes: Vec<u8>,
    inline: bool,
}

impl Encoder {
    /// An empty encoder.
    pub const fn new() -> Self {
        Self { fragments: Vec::new(), bytes: Vec::new(), inline: false }
    }

    /// An encoder for a server, which never waits before a literal: literals are announced as `{n}` and written in
    /// place, so that there is one run of octets. `buffer` lends its allocation; what is in it is thrown away.
    pub fn inline(mut buffer: Vec<u8>) -> Self {
        buffer.clear();
        Self { fragments: Vec::new(), bytes: buffer, inline: true }
    }

    /// Adds octets as they are.
    pub(crate) fn raw(&mut self, octets: &[u8]) {
        self.bytes.extend_from_slice(octets);
    }

    /// Where the next octets go.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Adds one octet.
    pub(crate) fn octet(&mut self, octet: u8) {
        self.bytes.push(octet);
    }

    /// Adds what `fmt` writes.
    pub(crate) fn display(&mut self, value: impl fmt::Display) {
        // Writing to memory cannot fail.
        let _ = fmt::Write::write_fmt(&mut Octets(&mut self.bytes), format_args!("{value}"));
    }

    /// Adds a decimal number.
    pub(crate) fn number(&mut self, number: u64) {
        super::number::push_number(number, &mut self.bytes);
    }

    pub(crate) fn literal(&mut self, octets: &[u8]) {
        if self.inline {
            return announced(octets, &mut self.bytes);
        }
        self.flush();
        self.fragments.push(Fragment::Literal(octets.to_vec()));
    }

    pub(crate) fn secret(&mut self, octets: SecretBytes) {
        self.flush();
        self.fragments.push(Fragment::Secret(octets));
    }

    pub(crate) fn secret_literal(&mut self, octets: SecretBytes) {
        self.flush();
        self.fragments.push(Fragment::SecretLiteral(octets));
    }

    fn flush(&mut self) {
        if !self.bytes.is_empty() {
            self.fragments.push(Fragment::Bytes(core::mem::take(&mut self.bytes)));
        }
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.fragments.is_empty() && self.bytes.is_empty()
    }

    /// What was written.
    pub fn into_fragments(mut self) -> Vec<Fragment> {
        self.flush();
        self.fragments
    }

    /// The octets, if there is nothing but octets; otherwise the encoder comes back.
    ///
    /// # Errors
    /// The encoder itself, when literals or secrets were written.
    pub fn into_bytes(self) -> Result<Vec<u8>, Self> {
        if self.fragments.is_empty() { Ok(self.bytes) } else { Err(self) }
    }

    /// Everything as one run of octets with literals announced as `{n}`: how a server sends it, because a server
    /// never waits.
    pub fn into_wire(self) -> Vec<u8> {
        if self.fragments.is_empty() {
            return self.bytes;
        }
        let mut out = Vec::new();
        for fragment in self.into_fragments() {
            match fragment {
                Fragment::Bytes(octets) => out.extend_from_slice(&octets),
                Fragment::Secret(octets) => out.extend_from_slice(octets.expose()),
                Fragment::Literal(octets) => announced(&octets, &mut out),
                Fragment::SecretLiteral(octets) => announced(octets.expose(), &mut out),
            }
        }
        out
    }

    /// Runs `write`; when it fails nothing of what it wrote remains.
    pub(crate) fn atomically<E>(&mut self, write: impl FnOnce(&mut Self) -> Result<(), E>) -> Result<(), E> {
        let before = (self.fragments.len(), self.bytes.len());
        let result = write(self);
        if result.is_err() {
            if self.fragments.len() > before.0 {
                // The octets from before, if any, were flushed into the first fragment since.
                if before.1 > 0
                    && let Some(Fragment::Bytes(octets)) = self.fragments.get_mut(before.0)
                {
                    self.bytes = core::mem::take(octets);
                }
                self.fragments.truncate(before.0);
            }
            self.bytes.truncate(before.1);
        }
        result
    }
}

fn announced(octets: &[u8], out: &mut Vec<u8>) {
    out.push(b'{');
    super::number::push_number(octets.len() as u64, out);
    out.extend_from_slice(b"}\r\n");
    out.extend_from_slice(octets);
}

/// Shows lengths only: the octets may be mail, or credentials in another form.
impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Encoder {{ fragments: {}, octets: {} }}", self.fragments.len(), self.bytes.len())
    }
}

struct Octets<'a>(&'a mut Vec<u8>);

impl fmt::Write for Octets<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_nothing_behind() {
        let mut e = Encoder::new();
        e.raw(b"before ");
        let failed: Result<(), ()> = e.atomically(|e| {
            e.raw(b"a");
            e.literal(b"b");
            e.raw(b"c");
            Err(())
        });
        assert_eq!(failed, Err(()));
        e.raw(b"after");
        assert_eq!(e.into_fragments(), [Fragment::Bytes(b"before after".to_vec())]);

        let mut e = Encoder::new();
        e.literal(b"kept");
        let _: Result<(), ()> = e.atomically(|e| {
            e.literal(b"gone");
            Err(())
        });
        assert_eq!(e.into_fragments(), [Fragment::Literal(b"kept".to_vec())]);
    }
}
