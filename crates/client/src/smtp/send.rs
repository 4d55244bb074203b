//! Messages on their way out.

use std::borrow::{Borrow, Cow};
use std::collections::VecDeque;

use driver::Turn;
use smtp_proto::types::{Body, BodyType, Envelope, Transfer};
use smtp_proto::{CommandId, Error as ProtoError, Misuse, Whence};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use wire::Machine as _;

use super::outcome::{Outcome, Step, Tally, about};
use super::{Options, Smtp};
use crate::error::Error;

/// What is read from a source before anything of it is written: the end of a message that fits goes out together with the rest.
const PIECE: usize = 64 << 10;

/// Messages that are given to the machine ahead of the one that is being sent. Their commands travel with its end.
const AHEAD: usize = 4;

/// How far a message has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Commands,
    Writing,
    Ended,
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
        message: &mut (impl AsyncRead + Unpin),
        options: &Options,
    ) -> Result<Outcome, Error> {
        let id = self.submit(envelope, options)?;
        let mut tally = Tally::new(envelope.recipients.len());
        let (mut phase, mut complete) = (Phase::Commands, false);
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        loop {
            let turn = match self.connection.drive(&mut self.client).await {
                Ok(turn) => turn,
                // What is left in the outbox ends with the end of the message: the server has not got it.
                Err(driver::Error::Io(e)) if phase == Phase::Ended && self.client.output().is_empty() => {
                    return Ok(tally.unknown(&format!("the connection broke: {e}")));
                }
                Err(e) => return Err(e.into()),
            };
            match turn {
                Turn::Event => match self.client.event() {
                    Some(Ok(event)) if about(&event) == Some(id) => match tally.note(event) {
                        Step::Wait => {}
                        Step::Write => phase = Phase::Writing,
                        Step::Done(outcome) => {
                            self.buffer = buffer;
                            return Ok(outcome);
                        }
                    },
                    Some(Err(e)) => return ended(&mut tally, id, e),
                    _ => {}
                },
                Turn::App if phase == Phase::Writing => {
                    // A source that has ended is not asked again: a terminal would wait for more.
                    if !complete {
                        complete = match fill(message, &mut buffer).await {
                            Ok(complete) => complete,
                            Err(e) => {
                                let _ = self.client.abort_body();
                                return Err(Error::Source(e));
                            }
                        };
                    }
                    match self.write(&buffer) {
                        Ok(taken) => {
                            buffer.drain(..taken);
                        }
                        // An event says why.
                        Err(Misuse::NoBody) => {
                            phase = Phase::Commands;
                            continue;
                        }
                        Err(e) => return Err(e.into()),
                    }
                    if complete && buffer.is_empty() {
                        self.client.end_body()?;
                        phase = Phase::Ended;
                    }
                }
                Turn::App => return Err(Misuse::State.into()),
                Turn::Closed => return Err(ProtoError::Closed(Whence::Idle).into()),
            }
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
        let mut outcome = None;
        let sent = self.send_all([(envelope, message)], options, |_, result| outcome = Some(result)).await;
        match (outcome, sent) {
            (Some(outcome), _) => outcome,
            (None, Err(e)) => Err(e),
            (None, Ok(())) => Err(Misuse::State.into()),
        }
    }

    /// Sends messages one behind the other over this connection. Where the server offers PIPELINING, the commands of the next travel with
    /// the end of the one before, so that a message costs no more than one round trip.
    ///
    /// `each` hears what became of every message, by its place: an outcome, or an error after which it has certainly not been sent and the
    /// others go on.
    ///
    /// # Errors
    /// Why the connection ended before all were sent. Messages of which `each` has heard nothing have not been sent.
    pub async fn send_all<E: Borrow<Envelope>, B: AsRef<[u8]>>(
        &mut self,
        messages: impl IntoIterator<Item = (E, B)>,
        options: &Options,
        mut each: impl FnMut(usize, Result<Outcome, Error>),
    ) -> Result<(), Error> {
        let mut messages = messages.into_iter().enumerate();
        let mut queue: VecDeque<OnTheWay<B>> = VecDeque::new();
        loop {
            while queue.len() < AHEAD
                && let Some((index, (envelope, octets))) = messages.next()
            {
                let envelope = envelope.borrow();
                let size = octets.as_ref().len();
                let eight_bit = options.eight_bit || !octets.as_ref().is_ascii();
                let options = Options { size: Some(size as u64), eight_bit, ..*options };
                match self.submit(envelope, &options) {
                    Ok(id) => {
                        let tally = Tally::new(envelope.recipients.len());
                        queue.push_back(OnTheWay { id, index, tally, octets, at: 0, phase: Phase::Commands });
                    }
                    Err(e @ Error::SmtpMisuse(Misuse::Over)) => return Err(e),
                    Err(e) => each(index, Err(e)),
                }
            }
            let Some(front) = queue.front_mut() else { return Ok(()) };
            let turn = match self.connection.drive(&mut self.client).await {
                Ok(turn) => turn,
                Err(e) => {
                    // The commands of the next message may be behind this one in the outbox, which therefore says nothing.
                    if front.phase == Phase::Ended && matches!(e, driver::Error::Io(_)) {
                        each(front.index, Ok(front.tally.unknown(&e.to_string())));
                    }
                    return Err(e.into());
                }
            };
            match turn {
                Turn::Event => match self.client.event() {
                    Some(Ok(event)) if about(&event) == Some(front.id) => match front.tally.note(event) {
                        Step::Wait => {}
                        Step::Write => {
                            front.phase = Phase::Writing;
                            self.write_front(front)?;
                        }
                        Step::Done(outcome) => {
                            each(front.index, Ok(outcome));
                            queue.pop_front();
                        }
                    },
                    Some(Err(e)) => {
                        if matches!(&e, ProtoError::Unknown { id, .. } if *id == front.id) {
                            let index = front.index;
                            each(index, ended(&mut front.tally, front.id, e.clone()));
                        }
                        return Err(e.into());
                    }
                    _ => {}
                },
                Turn::App if front.phase == Phase::Writing => self.write_front(front)?,
                Turn::App => return Err(Misuse::State.into()),
                Turn::Closed => return Err(ProtoError::Closed(Whence::Idle).into()),
            }
        }
    }

    fn write_front<B: AsRef<[u8]>>(&mut self, front: &mut OnTheWay<B>) -> Result<(), Error> {
        let rest = front.octets.as_ref().get(front.at..).unwrap_or_default();
        match self.write(rest) {
            Ok(taken) if taken == rest.len() => {
                self.client.end_body()?;
                front.phase = Phase::Ended;
            }
            Ok(taken) => front.at += taken,
            // An event says why.
            Err(Misuse::NoBody) => front.phase = Phase::Commands,
            Err(e) => return Err(e.into()),
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

/// A message that the machine knows of.
struct OnTheWay<B> {
    id: CommandId,
    index: usize,
    tally: Tally,
    octets: B,
    /// Octets that have been written.
    at: usize,
    phase: Phase,
}

/// The connection has ended: with the message's outcome open, or before it.
fn ended(tally: &mut Tally, id: CommandId, error: ProtoError) -> Result<Outcome, Error> {
    match error {
        ProtoError::Unknown { id: which, cause } if which == id => Ok(tally.unknown(&cause.to_string())),
        error => Err(error.into()),
    }
}

/// Reads until the buffer is full or the source ends; `true` when it has ended.
async fn fill(source: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>) -> std::io::Result<bool> {
    while buffer.len() < PIECE {
        let room = PIECE - buffer.len();
        if (&mut *source).take(room as u64).read_buf(buffer).await? == 0 {
            return Ok(true);
        }
    }
    Ok(false)
}
