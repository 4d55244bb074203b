//! What has been received and not been used yet.

use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

/// Size of the buffer while nothing big is in it.
const BASE: usize = 64 << 10;

/// The receive buffer: the driver appends at the tail, the machine consumes at the head.
///
/// Unread octets are always one contiguous slice, so that parsed values can borrow from it. The memory is
/// initialised once and reused; it grows by doubling up to the limit given at the start and shrinks back when
/// it runs empty.
pub struct InBuf {
    buf: Vec<u8>,
    head: usize,
    tail: usize,
    max: usize,
    received: u64,
    closed: bool,
}

impl InBuf {
    /// A buffer that never holds more than `max` unread octets.
    pub fn new(max: usize) -> Self {
        Self { buf: Vec::new(), head: 0, tail: 0, max: max.max(BASE), received: 0, closed: false }
    }

    /// Everything received and not consumed.
    pub fn unread(&self) -> &[u8] {
        self.buf.get(self.head..self.tail).unwrap_or_default()
    }

    /// Whether nothing is unread.
    pub fn is_empty(&self) -> bool {
        self.head == self.tail
    }

    /// Number of unread octets.
    pub fn len(&self) -> usize {
        self.tail.saturating_sub(self.head)
    }

    /// Octets received since the start, consumed or not.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Whether the peer has closed its side; no more octets will come.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// The driver saw the end of the stream.
    pub fn close(&mut self) {
        self.closed = true;
    }

    /// Drops `n` octets from the head (at most all of them).
    pub fn consume(&mut self, n: usize) {
        self.head = self.head.saturating_add(n).min(self.tail);
        if self.head == self.tail {
            self.head = 0;
            self.tail = 0;
        }
    }

    /// Room to read into. Empty only when `max` unread octets are waiting.
    ///
    /// Report what was written with [`filled`](Self::filled).
    pub fn spare(&mut self) -> &mut [u8] {
        if self.is_empty() && self.buf.len() != BASE {
            // Also the way back from a large response: the big allocation is given up.
            self.buf = vec![0; BASE];
        }
        if self.buf.len().saturating_sub(self.tail) < BASE / 16 {
            if self.head >= self.buf.len() / 2 {
                self.buf.copy_within(self.head..self.tail, 0);
                self.tail = self.len();
                self.head = 0;
            } else {
                let size = self.buf.len().saturating_mul(2).clamp(BASE, self.max.max(self.tail));
                self.buf.resize(size, 0);
            }
        }
        if self.len() >= self.max {
            return &mut [];
        }
        if self.tail == self.buf.len() && self.head > 0 {
            self.buf.copy_within(self.head..self.tail, 0);
            self.tail = self.len();
            self.head = 0;
        }
        self.buf.get_mut(self.tail..).unwrap_or_default()
    }

    /// `n` octets have been written to the start of [`spare`](Self::spare).
    pub fn filled(&mut self, n: usize) {
        let n = n.min(self.buf.len().saturating_sub(self.tail));
        self.tail = self.tail.saturating_add(n);
        self.received = self.received.saturating_add(n as u64);
    }

    /// Copies octets in, as far as there is room; returns how many. For drivers that own the data already.
    pub fn extend(&mut self, mut data: &[u8]) -> usize {
        let mut total = 0usize;
        while !data.is_empty() {
            let spare = self.spare();
            let n = spare.len().min(data.len());
            if n == 0 {
                break;
            }
            let (now, later) = data.split_at(n);
            if let Some(room) = spare.get_mut(..n) {
                room.copy_from_slice(now);
            }
            self.filled(n);
            data = later;
            total = total.saturating_add(n);
        }
        total
    }

    /// Memory held, in octets.
    pub fn capacity(&self) -> usize {
        self.buf.capacity()
    }
}

/// Shows sizes only: the content may hold anything.
impl fmt::Debug for InBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InBuf")
            .field("unread", &self.len())
            .field("received", &self.received)
            .field("closed", &self.closed)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_response_grows_it_and_an_empty_buffer_gives_the_memory_back() {
        let mut b = InBuf::new(1 << 20);
        assert_eq!(b.extend(&vec![b'x'; 300_000]), 300_000);
        assert_eq!(b.len(), 300_000);
        assert!(b.capacity() >= 300_000);
        b.consume(300_000);
        b.extend(b"y");
        assert_eq!(b.unread(), b"y");
        assert!(b.capacity() <= 2 * BASE);
    }

    #[test]
    fn it_holds_no_more_than_its_limit_and_room_comes_back_by_consuming() {
        let mut b = InBuf::new(BASE);
        assert_eq!(b.extend(&vec![b'x'; 2 * BASE]), BASE);
        assert!(b.spare().is_empty());
        b.consume(10);
        assert_eq!(b.extend(&[b'y'; 100]), 10);
        assert_eq!(&b.unread()[BASE - 10..], &[b'y'; 10]);
    }

    proptest::proptest! {
        #[test]
        fn octets_come_out_in_the_order_they_went_in(
            steps in proptest::collection::vec((1usize..100_000, 0usize..100_000), 1..12)
        ) {
            let mut b = InBuf::new(1 << 20);
            let (mut written, mut read) = (0u64, 0u64);
            for (add, take) in steps {
                let data: Vec<u8> = (0..add as u64).map(|i| ((written + i) % 251) as u8).collect();
                written += b.extend(&data) as u64;
                let take = take.min(b.len());
                for (i, c) in b.unread().iter().take(take).enumerate() {
                    assert_eq!(u64::from(*c), (read + i as u64) % 251);
                }
                b.consume(take);
                read += take as u64;
                assert_eq!(b.len() as u64, written - read);
            }
            assert_eq!(b.received(), written);
        }
    }
}
