//! What is to be sent.

use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use zeroize::Zeroize;

use crate::InBuf;
use crate::secret::REDACTED;

/// So many sent octets at the head are worth moving the rest down for.
const COMPACT: usize = 16 << 10;

/// The send buffer: the machine appends at the tail, the driver sends from the head.
///
/// Octets appended with [`push_secret`](Self::push_secret) are wiped when everything has been sent and never appear
/// in [`redacted`](Self::redacted), which is what a wire log may show.
#[derive(Default)]
pub struct OutBuf {
    buf: Vec<u8>,
    head: usize,
    /// Secret stretches, as positions in `buf`, in order.
    secrets: Vec<Range<usize>>,
    sent: u64,
}

impl OutBuf {
    /// An empty buffer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends octets.
    pub fn push(&mut self, octets: &[u8]) {
        if !self.secrets.is_empty() {
            self.grow(octets.len());
        }
        self.buf.extend_from_slice(octets);
    }

    /// Appends octets that no log may show and that are wiped once sent.
    pub fn push_secret(&mut self, octets: &[u8]) {
        self.grow(octets.len());
        let start = self.buf.len();
        self.buf.extend_from_slice(octets);
        self.secrets.push(start..self.buf.len());
    }

    /// Makes room for so many octets more. A plain reallocation would leave a copy of the secrets behind.
    fn grow(&mut self, more: usize) {
        let len = self.buf.len();
        if self.buf.capacity().saturating_sub(len) < more {
            let mut bigger = Vec::with_capacity(len.saturating_add(more).saturating_mul(2));
            bigger.extend_from_slice(&self.buf);
            self.buf.zeroize();
            self.buf = bigger;
        }
    }

    /// [`push_secret`](Self::push_secret), and CRLF.
    pub fn push_secret_line(&mut self, octets: &[u8]) {
        self.push_secret(octets);
        self.push(b"\r\n");
    }

    /// What is waiting to be sent.
    pub fn pending(&self) -> &[u8] {
        self.buf.get(self.head..).unwrap_or_default()
    }

    /// Number of octets waiting.
    pub fn len(&self) -> usize {
        self.buf.len().saturating_sub(self.head)
    }

    /// Whether nothing is waiting.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Octets sent since the start.
    pub fn total_sent(&self) -> u64 {
        self.sent
    }

    /// Octets moved in either direction since the start: what counts as progress.
    pub fn moved(&self, input: &InBuf) -> u64 {
        input.received().saturating_add(self.sent)
    }

    /// The driver has sent the first `n` pending octets.
    pub fn sent(&mut self, n: usize) {
        let n = n.min(self.len());
        self.head = self.head.saturating_add(n);
        self.sent = self.sent.saturating_add(n as u64);
        if self.head == self.buf.len() {
            self.wipe();
        } else if self.head >= COMPACT && self.head >= self.buf.len() / 2 {
            self.compact();
        }
    }

    /// Gives the room of what has been sent back, so that a buffer that never runs quite empty does not grow.
    fn compact(&mut self) {
        let head = core::mem::take(&mut self.head);
        let len = self.buf.len();
        self.buf.copy_within(head.., 0);
        if !self.secrets.is_empty() {
            self.secrets.retain(|s| s.end > head);
            for s in &mut self.secrets {
                *s = s.start.saturating_sub(head)..s.end.saturating_sub(head);
            }
            // Copies of secrets must not stay behind the end.
            if let Some(behind) = self.buf.get_mut(len.saturating_sub(head)..) {
                behind.zeroize();
            }
        }
        self.buf.truncate(len.saturating_sub(head));
    }

    /// Forgets everything that is waiting (a failed connection sends nothing more).
    pub fn clear(&mut self) {
        self.wipe();
    }

    fn wipe(&mut self) {
        if self.secrets.is_empty() {
            self.buf.clear();
        } else {
            self.buf.zeroize();
            self.secrets.clear();
        }
        self.head = 0;
    }

    /// The first `n` pending octets as a log may show them.
    pub fn redacted(&self, n: usize) -> Vec<u8> {
        let end = self.head.saturating_add(n).min(self.buf.len());
        let mut out = Vec::new();
        let mut at = self.head;
        for secret in &self.secrets {
            let (start, stop) = (secret.start.clamp(at, end), secret.end.clamp(at, end));
            if start == stop {
                continue;
            }
            out.extend_from_slice(self.buf.get(at..start).unwrap_or_default());
            out.extend_from_slice(REDACTED.as_bytes());
            at = stop;
        }
        out.extend_from_slice(self.buf.get(at..end).unwrap_or_default());
        out
    }

    /// Memory held, in octets.
    pub fn capacity(&self) -> usize {
        self.buf.capacity()
    }
}

impl Drop for OutBuf {
    fn drop(&mut self) {
        if !self.secrets.is_empty() {
            self.buf.zeroize();
        }
    }
}

/// Shows sizes only: the content may hold credentials.
impl fmt::Debug for OutBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutBuf").field("pending", &self.len()).field("sent", &self.sent).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_sees_the_command_but_not_the_secret_wherever_the_write_stops() {
        let mut out = OutBuf::new();
        out.push(b"A1 LOGIN ana ");
        out.push_secret_line(b"hunter2");
        assert_eq!(out.redacted(out.len()), b"A1 LOGIN ana [redacted]\r\n");
        for n in 0..=out.len() {
            let shown = out.redacted(n);
            assert!(!shown.windows(3).any(|w| w == b"hun" || w == b"er2"), "{n}");
        }
        out.sent(15);
        assert_eq!(out.pending(), b"nter2\r\n");
        assert_eq!(out.redacted(out.len()), b"[redacted]\r\n");
    }

    #[test]
    fn a_buffer_that_never_runs_quite_empty_does_not_grow() {
        let mut out = OutBuf::new();
        out.push(&[b'x'; 1000]);
        for _ in 0..10_000 {
            out.push(&[b'y'; 990]);
            out.push_secret(b"hunter2");
            out.push(b"zzz");
            out.sent(1000);
        }
        assert!(out.capacity() < 256 << 10, "{}", out.capacity());
        assert_eq!(out.len(), 1000);
        let shown = out.redacted(1000);
        assert!(!shown.windows(7).any(|w| w == b"hunter2"));
        assert!(shown.ends_with(b"[redacted]zzz"));
    }

    #[test]
    fn everything_sent_leaves_nothing_behind() {
        let mut out = OutBuf::new();
        out.push_secret(b"hunter2");
        out.sent(7);
        assert!(out.is_empty());
        assert_eq!(out.total_sent(), 7);
        out.push(b"next");
        assert_eq!(out.redacted(4), b"next");
    }
}
