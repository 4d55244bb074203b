//! Messages that wait to be sent.

use std::borrow::Borrow;
use std::collections::VecDeque;
use std::io::Cursor;

use smtp_proto::types::Envelope;
use tokio::io::AsyncRead;

use super::Options;
use super::outcome::Outcome;
use crate::error::Error;

/// Messages that wait to be sent: where they come from, and who hears what became of them.
///
/// A message is known by its place: the first one that [`next`](Self::next) gives to a call of [`Smtp::send_queue`](super::Smtp::send_queue) has
/// place 0. Two are out at a time at most, the one that is being sent and the one whose commands travel with its end, so a queue needs
/// no more than two sources open.
pub trait Queue {
    /// The next message; `None` when this session is to send no other, after which it is not asked again. What has been given is sent.
    fn next(&mut self) -> Option<(Envelope, Options)>;

    /// The octets of the message at this place, first from its beginning, then from where reading has come to. Asked for when the server
    /// wants the message, which may be never. Where there is none, the message is not sent.
    // No associated type: a future that names one is not known to be `Send` when messages borrow from it.
    fn source(&mut self, place: usize) -> Option<&mut (dyn AsyncRead + Unpin + Send)>;

    /// What became of the message at this place: an outcome, or an error after which it has certainly not been sent.
    fn done(&mut self, place: usize, result: Result<Outcome, Error>);
}

/// One message.
pub(super) struct One<'a, S> {
    envelope: Option<Envelope>,
    options: Options,
    source: &'a mut S,
    pub(super) result: Option<Result<Outcome, Error>>,
}

impl<'a, S> One<'a, S> {
    pub(super) fn new(envelope: &Envelope, source: &'a mut S, options: Options) -> Self {
        Self { envelope: Some(envelope.clone()), options, source, result: None }
    }
}

impl<S: AsyncRead + Unpin + Send> Queue for One<'_, S> {
    fn next(&mut self) -> Option<(Envelope, Options)> {
        Some((self.envelope.take()?, self.options))
    }

    fn source(&mut self, _: usize) -> Option<&mut (dyn AsyncRead + Unpin + Send)> {
        Some(&mut *self.source)
    }

    fn done(&mut self, _: usize, result: Result<Outcome, Error>) {
        self.result = Some(result);
    }
}

/// Messages in memory.
pub(super) struct Memory<I, B, F> {
    messages: I,
    options: Options,
    each: F,
    /// Those that have been given and not heard of.
    out: VecDeque<(usize, Cursor<B>)>,
    given: usize,
}

impl<E: Borrow<Envelope>, B: AsRef<[u8]>, I: Iterator<Item = (E, B)>, F> Memory<I, B, F> {
    pub(super) fn new(messages: I, options: Options, each: F) -> Self {
        Self { messages, options, each, out: VecDeque::new(), given: 0 }
    }

    /// Whether all have been given and heard of.
    pub(super) fn is_done(&mut self) -> bool {
        self.out.is_empty() && self.messages.next().is_none()
    }
}

impl<E, B, I, F> Queue for Memory<I, B, F>
where
    E: Borrow<Envelope>,
    B: AsRef<[u8]> + Unpin + Send,
    I: Iterator<Item = (E, B)>,
    F: FnMut(usize, Result<Outcome, Error>),
{
    fn next(&mut self) -> Option<(Envelope, Options)> {
        let (envelope, octets) = self.messages.next()?;
        let seen = octets.as_ref();
        let options = Options {
            size: Some(seen.len() as u64),
            eight_bit: self.options.eight_bit || !seen.is_ascii(),
            ..self.options
        };
        self.out.push_back((self.given, Cursor::new(octets)));
        self.given = self.given.saturating_add(1);
        Some((envelope.borrow().clone(), options))
    }

    fn source(&mut self, place: usize) -> Option<&mut (dyn AsyncRead + Unpin + Send)> {
        let (_, source) = self.out.iter_mut().find(|(at, _)| *at == place)?;
        Some(source)
    }

    fn done(&mut self, place: usize, result: Result<Outcome, Error>) {
        self.out.retain(|(at, _)| *at != place);
        (self.each)(place, result);
    }
}
