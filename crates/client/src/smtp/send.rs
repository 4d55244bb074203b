//! Messages on their way out.

use std::borrow::{Borrow, Cow};
use std::collections::VecDeque;

use driver::Turn;
use smtp_proto::types::{Body, BodyType, Envelope, Transfer};
use smtp_proto::{CommandId, Error as ProtoError, Misuse, Whence};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::outcome::{Outcome, Step, Tally, about};
use super::queue::{Memory, One, Queue};
use super::{Options, Smtp};
use crate::error::Error;

/// What is read from a source before anything of it is written: the end of a message that fits goes out together with the rest.
const PIECE: usize = 64 << 10;

/// Messages that the machine knows of: the one that is being sent, and the next one, whose commands travel with its end.
const AHEAD: usize = 2;

/// A message that the machine knows of.
struct OnTheWay {
    id: CommandId,
    place: usize,
    tally: Tally,
    /// The server wants the octets.
    wanted: bool,
    /// The source has ended.
    complete: bool,
}

impl Smtp {
    /// Sends a message that is read as it goes out; 64 KiB of it are in memory at a time. What the server refuses is in the outcome, and
    /// so is a message whose outcome is unknown because the connection ended behind it; the session is over then
    /// ([`is_open`](Self::is_open)).
    ///
    /// # Errors
    /// Those after which the message has certainly not been sent: [`Error::SmtpMisuse`] for what cannot be sent to this server (too large,
    /// an address that needs SMTPUTF8) or at all (a bare CR or LF where that is to be refused; the session is over then),
    /// [`Error::Source`], [`Error::Connection`], [`Error::Smtp`], [`Error::Throttled`].
    pub async fn send(
        &mut self,
        envelope: &Envelope,
        message: &mut (impl AsyncRead + Unpin + Send),
        options: &Options,
    ) -> Result<Outcome, Error> {
        let mut one = One::new(envelope, message, *options);
        let sent = self.send_queue(&mut one).await;
        match (one.result, sent) {
            (Some(result), _) => result,
            (None, Err(e)) => Err(e),
            (None, Ok(())) => Err(Misuse::State.into()),
        }
    }

    /// Sends a message from memory. Its length and whether it is 8-bit are seen here and need not be in the options.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn send_bytes(
        &mut self,
        envelope: &Envelope,
        message: &[u8],
        options: &Options,
    ) -> Result<Outcome, Error> {
        let size = Some(message.len() as u64);
        let options = Options { size, eight_bit: options.eight_bit || !message.is_ascii(), ..*options };
        self.send(envelope, &mut &*message, &options).await
    }

    /// Sends messages from memory, one behind the other over this connection, as [`send_queue`](Self::send_queue) does.
    ///
    /// `each` hears what became of every message, by its place: an outcome, or an error after which it has certainly not been sent and the
    /// others go on.
    ///
    /// # Errors
    /// Why the connection ended before all were sent. Messages of which `each` has heard nothing have not been sent.
    pub async fn send_all<E: Borrow<Envelope>, B: AsRef<[u8]> + Unpin + Send>(
        &mut self,
        messages: impl IntoIterator<Item = (E, B)>,
        options: &Options,
        each: impl FnMut(usize, Result<Outcome, Error>),
    ) -> Result<(), Error> {
        let mut queue = Memory::new(messages.into_iter(), *options, each);
        self.send_queue(&mut queue).await?;
        if queue.is_done() { Ok(()) } else { Err(ProtoError::Closed(Whence::Idle).into()) }
    }

    /// Sends messages one behind the other over this connection, each read as it goes out. Where the server offers PIPELINING, the commands
    /// of the next travel with the end of the one before, so that a message costs no more than one round trip. (Not behind a message that
    /// goes by BDAT: servers differ in what a refused chunk leaves behind.) 64 KiB are in memory at a time.
    ///
    /// When this returns without an error and the session [is over](Self::is_open), it ended with the last message that the queue heard
    /// of; those that it gave and did not hear of have not been begun, or not beyond their recipients, and can go to another session.
    ///
    /// # Errors
    /// Why the connection ended under a message. It is the first one that the queue gave and has not heard of, and it and those behind it
    /// have certainly not been sent.
    pub async fn send_queue<Q: Queue>(&mut self, queue: &mut Q) -> Result<(), Error> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let result = self.send_from(queue, &mut buffer).await;
        self.buffer = buffer;
        result
    }

    async fn send_from<Q: Queue>(&mut self, queue: &mut Q, buffer: &mut Vec<u8>) -> Result<(), Error> {
        let (mut places, mut dry) = (0, false);
        let mut ahead: VecDeque<OnTheWay> = VecDeque::new();
        loop {
            while !dry && ahead.len() < AHEAD {
                let Some((envelope, options)) = queue.next() else {
                    dry = true;
                    break;
                };
                match self.submit(&envelope, &options) {
                    Ok(id) => {
                        let tally = Tally::new(envelope.recipients.len());
                        ahead.push_back(OnTheWay {
                            id,
                            place: places,
                            tally,
                            wanted: false,
                            complete: false,
                        });
                    }
                    Err(e @ Error::SmtpMisuse(Misuse::Over)) => return Err(e),
                    Err(e) => queue.done(places, Err(e)),
                }
                places += 1;
            }
            let Some(front) = ahead.front_mut() else { return Ok(()) };
            let turn = match self.drive().await {
                Ok(turn) => turn,
                Err(e) if self.client.in_doubt() == Some(front.id) => {
                    queue.done(front.place, Ok(front.tally.unknown(&e.to_string())));
                    return Ok(());
                }
                Err(e) => return Err(e.into()),
            };
            match turn {
                Turn::Event => match self.client.event() {
                    Some(Ok(event)) if about(&event) == Some(front.id) => match front.tally.note(event) {
                        Step::Wait => {}
                        Step::Write => {
                            buffer.clear();
                            front.wanted = true;
                        }
                        Step::Done(outcome) => {
                            queue.done(front.place, Ok(outcome));
                            ahead.pop_front();
                            if !self.is_open() {
                                return Ok(());
                            }
                            continue;
                        }
                    },
                    Some(Err(ProtoError::Unknown { id, cause })) if id == front.id => {
                        queue.done(front.place, Ok(front.tally.unknown(&cause.to_string())));
                        return Ok(());
                    }
                    Some(Err(e)) => return Err(e.into()),
                    _ => {}
                },
                Turn::App if front.wanted => {}
                Turn::App => return Err(Misuse::State.into()),
                Turn::Closed => return Err(ProtoError::Closed(Whence::Idle).into()),
            }
            let place = front.place;
            if front.wanted
                && let Err(e) = self.write_some(front, queue.source(place), buffer).await
            {
                queue.done(place, Err(e));
                return Ok(());
            }
        }
    }

    /// Writes as much of a message as there is room for. The session is over when this fails.
    async fn write_some(
        &mut self,
        front: &mut OnTheWay,
        source: Option<&mut (dyn AsyncRead + Unpin + Send)>,
        buffer: &mut Vec<u8>,
    ) -> Result<(), Error> {
        // A source that has ended is not asked again: a terminal would wait for more.
        if !front.complete {
            let filled = match source {
                Some(source) => fill(source, buffer).await,
                None => Err(std::io::ErrorKind::NotFound.into()),
            };
            front.complete = match filled {
                Ok(complete) => complete,
                Err(e) => {
                    let _ = self.client.abort_body();
                    return Err(Error::Source(e));
                }
            };
        }
        match self.write(buffer) {
            Ok(taken) => drop(buffer.drain(..taken)),
            // An event says why.
            Err(Misuse::NoBody) => {
                front.wanted = false;
                return Ok(());
            }
            Err(e) => return Err(e.into()),
        }
        if front.complete && buffer.is_empty() {
            front.wanted = false;
            self.client.end_body()?;
        }
        Ok(())
    }

    fn submit(&mut self, envelope: &Envelope, options: &Options) -> Result<CommandId, Error> {
        let has = |keyword| self.client.capabilities().is_some_and(|c| c.has(keyword));
        let mut envelope = Cow::Borrowed(envelope);
        if options.eight_bit && envelope.params.body.is_none() && has("8BITMIME") {
            envelope.to_mut().params.body = Some(BodyType::EightBitMime);
        }
        let binary = envelope.params.body == Some(BodyType::BinaryMime);
        let transfer =
            if binary || (options.chunking && has("CHUNKING")) { Transfer::Bdat } else { Transfer::Data };
        let body = Body { transfer, size: options.size, bare_newline: options.bare_newline };
        Ok(self.client.send(&envelope, body)?)
    }

    /// Writes as much as there is room for.
    fn write(&mut self, octets: &[u8]) -> Result<usize, Misuse> {
        if octets.is_empty() { Ok(0) } else { self.client.write_body(octets) }
    }
}

/// Reads until the buffer is full or the source ends; `true` when it has ended.
async fn fill(source: &mut (dyn AsyncRead + Unpin + Send), buffer: &mut Vec<u8>) -> std::io::Result<bool> {
    buffer.reserve(PIECE.saturating_sub(buffer.len()));
    while buffer.len() < PIECE {
        let room = PIECE - buffer.len();
        if (&mut *source).take(room as u64).read_buf(buffer).await? == 0 {
            return Ok(true);
        }
    }
    Ok(false)
}
