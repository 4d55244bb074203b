//! Large reads from the socket under TLS.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// rustls reads about one record at a time; this reads what is there in one system call and hands it on.
///
/// Writes go straight through.
#[derive(Debug)]
pub(crate) struct ReadAhead<S> {
    io: S,
    buf: Box<[u8]>,
    head: usize,
    tail: usize,
}

/// One system call's worth, in octets: four full TLS records.
const SIZE: usize = 64 << 10;

impl<S> ReadAhead<S> {
    pub(crate) fn new(io: S) -> Self {
        Self { io, buf: vec![0; SIZE].into_boxed_slice(), head: 0, tail: 0 }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for ReadAhead<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.head == this.tail {
            if to.remaining() >= SIZE {
                return Pin::new(&mut this.io).poll_read(cx, to);
            }
            let mut into = ReadBuf::new(&mut this.buf);
            ready!(Pin::new(&mut this.io).poll_read(cx, &mut into))?;
            this.head = 0;
            this.tail = into.filled().len();
        }
        let n = to.remaining().min(this.tail - this.head);
        to.put_slice(&this.buf[this.head..this.head + n]);
        this.head += n;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for ReadAhead<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write(cx, octets)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write_vectored(cx, octets)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}
