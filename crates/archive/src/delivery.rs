//! One message on its way in.

use std::fmt;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{Context, SHA256};
use rustix::io::Errno;

use crate::Flags;
use crate::dirs::join;
use crate::error::{Error, Result};
use crate::file_name::tmp_name;
use crate::shared::Shared;
use crate::state::Generation;

/// What is held back before a file is made; most messages are smaller and cost a single write.
pub(crate) const BUFFER: usize = 64 << 10;

/// What is known of a message before its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meta {
    /// The UID, not 0.
    pub uid: u32,
    /// INTERNALDATE in seconds since 1970, which becomes the file's modification time; `None` leaves the time of
    /// arrival.
    pub internal_date: Option<i64>,
    /// The flags the server has.
    pub flags: Flags,
    /// The length of the body in bytes, as announced by the literal that carries it (not RFC822.SIZE, which some
    /// servers estimate). A message that ends with another length is refused.
    pub expected_len: Option<u64>,
}

impl Meta {
    /// A message without date, flags and announced length.
    #[must_use]
    pub fn new(uid: u32) -> Self {
        Self { uid, internal_date: None, flags: Flags::NONE, expected_len: None }
    }
}

/// A message that is being written. Give it to [`Folder::finish`](crate::Folder::finish) when it is whole; dropped
/// before that, it leaves nothing behind.
///
/// The bytes are stored as they come: line ends stay CRLF if the server sends CRLF. At most 64 KiB are kept in memory.
pub struct Delivery {
    pub(crate) shared: Arc<Shared>,
    pub(crate) generation: Generation,
    pub(crate) meta: Meta,
    /// For the name: the internal date or the time of arrival.
    pub(crate) time: u64,
    buf: Vec<u8>,
    file: Option<OwnedFd>,
    sequence: u64,
    /// There is a file in `tmp` that is nobody else's yet.
    made: bool,
    failed: bool,
    written: u64,
    hasher: Option<Context>,
}

impl Delivery {
    pub(crate) fn new(
        shared: Arc<Shared>,
        generation: Generation,
        meta: Meta,
        buf: Vec<u8>,
        hash: bool,
    ) -> Self {
        let time = match meta.internal_date {
            Some(date) => u64::try_from(date).unwrap_or(0),
            None => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs()),
        };
        let sequence = shared.sequence.fetch_add(1, Ordering::Relaxed);
        let hasher = hash.then(|| Context::new(&SHA256));
        Self {
            shared,
            generation,
            meta,
            time,
            buf,
            file: None,
            sequence,
            made: false,
            failed: false,
            written: 0,
            hasher,
        }
    }

    /// The message's UID.
    #[must_use]
    pub fn uid(&self) -> u32 {
        self.meta.uid
    }

    /// Bytes taken so far.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written
    }

    #[cfg(test)]
    pub(crate) fn buffered(&self) -> usize {
        self.buf.capacity()
    }

    /// Adds what is known only behind the body: servers are free to tell date and flags after it. A date of `None` leaves
    /// the one that is known.
    pub fn describe(&mut self, internal_date: Option<i64>, flags: Flags) {
        if let Some(date) = internal_date {
            self.meta.internal_date = Some(date);
            self.time = u64::try_from(date).unwrap_or(0);
        }
        self.meta.flags = flags;
    }

    /// Takes the next bytes of the body.
    ///
    /// # Errors
    /// [`Error::Length`] if there are more bytes than announced; [`Error::Disk`] if they cannot be written. The
    /// message is then discarded, and every further call fails.
    pub fn write(&mut self, chunk: &[u8]) -> Result<()> {
        if self.failed {
            return Err(Error::Misuse("this message has failed before and was discarded; begin it again"));
        }
        let total = self.written.saturating_add(chunk.len() as u64);
        if let Some(expected) = self.meta.expected_len
            && total > expected
        {
            self.discard();
            return Err(Error::Length { uid: self.meta.uid, expected, actual: total });
        }
        if let Some(hasher) = &mut self.hasher {
            hasher.update(chunk);
        }
        self.written = total;
        // the last piece of a known length goes straight to the file, without a copy
        let last = self.meta.expected_len == Some(total);
        if !last && self.buf.len().saturating_add(chunk.len()) <= BUFFER {
            self.buf.extend_from_slice(chunk);
            return Ok(());
        }
        self.spill(chunk)
    }

    /// Writes the buffer and then `chunk`.
    fn spill(&mut self, chunk: &[u8]) -> Result<()> {
        let result = (|| {
            let file = match &self.file {
                Some(file) => file,
                None => {
                    let file = create(&self.shared, self.sequence)?;
                    self.made = true;
                    self.file.insert(file)
                }
            };
            self.shared.disk.write(file.as_fd(), &self.buf, chunk)
        })();
        self.buf.clear();
        result.map_err(|errno| self.fail("write", errno))
    }

    fn fail(&mut self, what: &'static str, errno: Errno) -> Error {
        let name = tmp_name(self.sequence);
        self.discard();
        Error::disk(what, join(&self.shared.dirs.path.join("tmp"), name.as_bytes()), errno)
    }

    fn discard(&mut self) {
        self.failed = true;
        self.file = None;
        if std::mem::take(&mut self.made) {
            self.shared.discard(self.sequence);
        }
    }

    /// Refuses a message that is shorter than announced, or that failed before.
    pub(crate) fn check(&self) -> Result<()> {
        if self.failed {
            return Err(Error::Misuse("this message has failed before and was discarded; begin it again"));
        }
        match self.meta.expected_len {
            Some(expected) if expected != self.written => {
                Err(Error::Length { uid: self.meta.uid, expected, actual: self.written })
            }
            _ => Ok(()),
        }
    }

    /// SHA-256 of the whole content, if it was asked for.
    pub(crate) fn hash(&mut self) -> Option<aws_lc_rs::digest::Digest> {
        self.hasher.take().map(Context::finish)
    }

    /// Completes the file in `tmp` and closes it. From then on it belongs to the caller: its sequence number, and
    /// the buffer to use again.
    pub(crate) fn complete(mut self) -> Result<(u64, Vec<u8>)> {
        if self.file.is_none() || !self.buf.is_empty() {
            self.spill(b"")?;
        }
        if let (Some(date), Some(file)) = (self.meta.internal_date, &self.file)
            && let Err(errno) = self.shared.disk.set_modified(file.as_fd(), date)
        {
            return Err(self.fail("set the date of", errno));
        }
        self.file = None;
        self.made = false;
        Ok((self.sequence, std::mem::take(&mut self.buf)))
    }
}

/// Makes the file in `tmp`. One that is there already was left by an earlier run.
fn create(shared: &Shared, sequence: u64) -> std::result::Result<OwnedFd, Errno> {
    let name = tmp_name(sequence);
    let tmp = shared.dirs.tmp.as_fd();
    match shared.disk.create(tmp, name.as_bytes()) {
        Err(Errno::EXIST) => {
            shared.disk.unlink(tmp, name.as_bytes())?;
            shared.disk.create(tmp, name.as_bytes())
        }
        other => other,
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.discard();
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("meta", &self.meta)
            .field("written", &self.written)
            .finish_non_exhaustive()
    }
}
