//! Events out of framed octets.

use alloc::boxed::Box;

use sasl::ServerSignIn;
use wire::{InBuf, Limit, literal};

use super::error::{Error, Fault};
use super::event::Event;
use super::{After, Current, Phase, Server, TAG};
use crate::frame::command::{Announced, Broken, Reason};
use crate::grammar::{self, ParseError, ParseErrorKind, ParseLimits};
use crate::session::State;
use crate::types::{Command, Tag};

impl Server {
    /// The event that the phase holds.
    pub(super) fn take<'b>(&mut self, input: &'b InBuf) -> Option<Result<Event<'b>, Error>> {
        Some(Ok(match self.take_phase() {
            Phase::Failed(error) => return Some(Err(error)),
            Phase::Framed { len, message } => self.take_command(input, len, message),
            Phase::Broken { broken, tag } => self.take_broken(broken, tag),
            Phase::Chunk(current, mut left, len) => {
                left.take(len);
                self.phase = Phase::Body(current, left);
                self.release = len;
                Event::BodyChunk(input.unread().get(..len).unwrap_or_default())
            }
            other => {
                self.phase = other;
                return None;
            }
        }))
    }

    fn take_command<'b>(&mut self, input: &'b InBuf, len: usize, message: Option<Announced>) -> Event<'b> {
        self.release = len;
        let frame = input.unread().get(..len).unwrap_or_default();
        let limits = ParseLimits { depth: usize::try_from(self.config.limits.nesting).unwrap_or(usize::MAX) };
        let parsed = grammar::command(frame, limits);
        let tag = match &parsed {
            Ok((tag, _)) => Some(tag),
            Err(e) => e.tag.as_ref(),
        };
        let tag = tag.filter(|tag| tag.as_bytes().len() <= TAG).cloned().map(Tag::into_owned);
        if !self.is_authenticated() && self.pre_auth > self.config.limits.pre_auth_total {
            return self.bad(tag, Fault::Limit(Limit::PreAuthTotal), message);
        }
        let Some(tag) = tag else {
            return self.bad(None, Fault::Tag, message);
        };
        let command = match parsed {
            Ok((_, command)) => command,
            Err(e) => {
                let fault = match e.error.kind {
                    ParseErrorKind::NestingTooDeep { .. } => Fault::Limit(Limit::Nesting),
                    _ => Fault::Syntax(e.error),
                };
                return self.bad(Some(tag), fault, message);
            }
        };
        if let Some(fault) = self.forbids(&command) {
            return self.bad(Some(tag), fault, message);
        }
        let current = self.current(tag.clone(), &command);
        match command {
            Command::Append { mailbox, flags, date, literal } => {
                let Some(message) = message else {
                    let error = ParseError { rule: "append", offset: len, kind: ParseErrorKind::End };
                    return self.bad(Some(tag), Fault::Syntax(error), None);
                };
                if message.len > self.config.limits.body {
                    return self.bad(Some(tag), Fault::Limit(Limit::Body), Some(message));
                }
                self.phase = Phase::Deciding(current, message);
                Event::Append { tag, mailbox, flags, date, len: message.len, binary: literal.binary }
            }
            Command::Authenticate { mechanism, initial } => {
                let event = Event::Authenticate { tag, mechanism, initial: initial.is_some() };
                self.phase = Phase::SignIn(current, ServerSignIn::new(initial));
                event
            }
            Command::StartTls => {
                self.phase = Phase::Answering(current);
                Event::StartTls { tag }
            }
            Command::Idle => {
                self.phase = Phase::Waking(current);
                Event::Idle { tag }
            }
            command => {
                self.phase = Phase::Answering(current);
                Event::Command { tag, command: Box::new(command) }
            }
        }
    }

    /// Why a command that follows the grammar is not for the application to execute.
    fn forbids(&self, command: &Command<'_>) -> Option<Fault> {
        if matches!(command, Command::Unknown { .. }) {
            return None;
        }
        if !self.state.allows(command) || (self.tls && matches!(command, Command::StartTls)) {
            return Some(Fault::State(self.state));
        }
        let credentials = matches!(command, Command::Login { .. } | Command::Authenticate { .. });
        (credentials && !self.config.security.allows_credentials(self.tls)).then_some(Fault::NoTls)
    }

    fn current(&self, tag: Tag<'static>, command: &Command<'_>) -> Current {
        let otherwise = match command {
            // A SELECT that fails leaves no mailbox selected (RFC 3501 section 6.3.1).
            Command::Select { .. } | Command::Examine { .. } => State::Authenticated,
            _ => self.state,
        };
        let after = match command {
            Command::Logout => After::Logout,
            Command::StartTls => After::Tls,
            _ => After::Next,
        };
        Current { tag: Some(tag), then: self.state.after(command), otherwise, after, unasked: None }
    }

    /// A command that was read to its end, or to the announcement of the message behind it.
    fn bad(&mut self, tag: Option<Tag<'static>>, fault: Fault, message: Option<Announced>) -> Event<'static> {
        let unasked = message.filter(|m| m.non_sync).map(|m| m.len);
        let closes =
            fault == Fault::Limit(Limit::PreAuthTotal) || unasked.is_some_and(|len| len > self.discardable());
        self.refused(tag, fault, unasked, closes)
    }

    fn take_broken(&mut self, broken: Broken, tag: Option<Tag<'static>>) -> Event<'static> {
        let fault = match broken.reason {
            Reason::Limit(limit) => Fault::Limit(limit),
            Reason::LiteralLength => Fault::Limit(Limit::Literal),
            Reason::Rush => Fault::Rush,
        };
        self.release = broken.end.unwrap_or_default();
        // Before it has signed in, a client that tries this gets no second chance.
        let closes = broken.end.is_none() || !self.is_authenticated();
        self.refused(tag, fault, None, closes)
    }

    fn refused(
        &mut self,
        tag: Option<Tag<'static>>,
        fault: Fault,
        unasked: Option<u64>,
        closes: bool,
    ) -> Event<'static> {
        self.phase = Phase::Answering(Current {
            tag: tag.clone(),
            then: self.state,
            otherwise: self.state,
            after: if closes { After::Close } else { After::Next },
            unasked,
        });
        Event::BadCommand { tag, fault, closes }
    }

    /// Longest message that is worth discarding to save the connection, in octets.
    pub(super) fn discardable(&self) -> u64 {
        if self.is_authenticated() { self.config.limits.body } else { self.config.limits.pre_auth_literal }
    }
}

/// Counts the octets of a message down.
pub(super) fn countdown(len: u64) -> literal::Countdown {
    literal::Countdown::new(len)
}
