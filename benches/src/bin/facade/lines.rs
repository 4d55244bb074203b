//! A message of any length that takes no memory.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, ReadBuf};

/// 64 octets; the first must be doubled on the way by DATA.
const LINE: &[u8; 64] = b". a line of text as it stands in a message, with a dot first .\r\n";

/// Reads as one line of 64 octets again and again, so many octets of it.
#[derive(Debug)]
pub(crate) struct Lines {
    left: u64,
}

impl Lines {
    /// `octets` is a multiple of 64, or the last line is cut.
    pub(crate) fn new(octets: u64) -> Self {
        Self { left: octets }
    }
}

impl AsyncRead for Lines {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.left > 0 && buf.remaining() > 0 {
            // The lines are counted from the end, so that nothing else has to be remembered.
            let ahead = match (self.left % LINE.len() as u64) as usize {
                0 => &LINE[..],
                rest => &LINE[LINE.len() - rest..],
            };
            let piece = &ahead[..ahead.len().min(buf.remaining())];
            buf.put_slice(piece);
            self.left -= piece.len() as u64;
        }
        Poll::Ready(Ok(()))
    }
}
