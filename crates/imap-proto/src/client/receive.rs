//! What arrives: framing, sequencing, and the events that borrow from the buffer.

use alloc::boxed::Box;
use alloc::string::ToString as _;

use sasl::Reply;
use wire::{InBuf, Limit, Tick, line, literal};

use super::event::{CommandId, Completed, Event, Fetch};
use super::queue::{Kind, Pending};
use super::wait::Look;
use super::{Client, Fatal, line_of, shown};
use crate::config::Security;
use crate::error::{Error, Whence};
use crate::frame::{Broken, Framed, Kind as FrameKind};
use crate::grammar::{self, FetchStep, ParseError, ParseErrorKind, ParseLimits, SearchNumbers};
use crate::session::State;
use crate::types::{Code, Response, StatusKind, StatusResponse};

/// The event that the octets at the head of the buffer hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Current {
    None,
    /// One whole response.
    Response {
        len: usize,
    },
    /// A stretch of FETCH data; items have been taken up to `at`.
    Fetch {
        len: usize,
        at: usize,
        first: bool,
        last: bool,
    },
    Numbers {
        len: usize,
        first: bool,
        last: bool,
    },
    Chunk {
        len: usize,
    },
    BodyEnd,
}

impl Client {
    /// Works through the buffer until an event is ready, the octets run out, or the connection is over.
    pub(super) fn receive(&mut self, input: &mut InBuf, now: Tick) {
        loop {
            if self.fatal.is_some() || !self.ready.is_empty() || self.current != Current::None {
                return;
            }
            if self.upgrade.is_some() {
                if !input.is_empty() {
                    self.fail(Error::StarttlsInjection);
                } else if input.is_closed() {
                    self.fail(Error::Closed(Whence::Command));
                }
                return;
            }
            if !self.receive_one(input, now) {
                break;
            }
        }
        self.look_at_end(input, now);
    }

    /// `false` when more octets are needed.
    fn receive_one(&mut self, input: &mut InBuf, now: Tick) -> bool {
        if let Some(body) = self.body {
            return self.receive_body(body, input);
        }
        if self.state == State::Greeting && input.unread().first().is_some_and(|c| *c != b'*') {
            // Enough of it to show, so that what is shown does not depend on how it arrived.
            let enough = input.len() > SHOWN.saturating_add(1) || memchr::memchr(b'\n', input.unread()).is_some();
            if enough {
                let found = wire::printable(first_line(input.unread()));
                self.fail(Error::NotImap { found });
            }
            return enough;
        }
        let authenticated = self.state > State::NotAuthenticated;
        let mut limits = self.config.limits;
        let signing_in = self.queue.exclusive().is_some_and(|p| matches!(p.kind, Kind::Authenticate(_)));
        if signing_in {
            // A challenge is the one long line before authentication.
            limits.pre_auth_line = limits.sasl_challenge.saturating_add(4);
        }
        let framed = match self.framer.next(input.unread(), &limits, authenticated) {
            Ok(framed) => framed,
            Err(Broken::Limit(Limit::Line)) if signing_in => {
                self.limit(Limit::SaslChallenge);
                return true;
            }
            Err(Broken::Limit(limit)) => {
                self.limit(limit);
                return true;
            }
            Err(Broken::LiteralLength) => {
                let found = shown(&self.redactor, first_line(input.unread()));
                self.fail(Error::Peer { rule: "literal", found });
                return true;
            }
        };
        let len = match framed {
            Framed::More => return false,
            Framed::Response { len, .. } | Framed::Fetch { len, .. } | Framed::Numbers { len, .. } => len,
        };
        if !authenticated {
            self.pre_auth = self.pre_auth.saturating_add(len as u64);
            if self.pre_auth > self.config.limits.pre_auth_total.max(limits.pre_auth_line as u64) {
                self.limit(Limit::PreAuthTotal);
                return true;
            }
        }
        let moved = self.moved(input);
        self.watch.progress(now, moved, &self.config.timeouts);
        // What is said in the clear before STARTTLS is nobody's word: it is not shown, kept or acted on.
        let ignored = self.config.security == Security::StartTls && !self.tls;
        match framed {
            Framed::Response { len, kind } => {
                let frame = input.unread().get(..len).unwrap_or_default();
                let done = match kind {
                    FrameKind::Continue => self.continuation(frame),
                    FrameKind::Tagged => self.tagged(frame),
                    FrameKind::Status => self.status(frame, ignored),
                    FrameKind::Data => self.data(frame, ignored),
                };
                if done {
                    input.consume(len);
                } else {
                    self.current = Current::Response { len };
                }
            }
            Framed::Fetch { len, first, last } => {
                self.chatter = 0;
                if !last
                    && let Some(announced) = body_announced(input.unread().get(..len).unwrap_or_default())
                {
                    self.body = Some(literal::Countdown::new(announced));
                }
                if first {
                    self.abandoned = ignored;
                }
                if self.abandoned {
                    input.consume(len);
                } else {
                    self.current = Current::Fetch { len, at: 0, first, last };
                }
            }
            Framed::Numbers { len, first, last } => {
                self.chatter = 0;
                if ignored {
                    input.consume(len);
                } else {
                    self.current = Current::Numbers { len, first, last };
                }
            }
            Framed::More => {}
        }
        true
    }

    fn receive_body(&mut self, body: literal::Countdown, input: &mut InBuf) -> bool {
        if body.is_done() {
            self.body = None;
            if !self.abandoned {
                self.current = Current::BodyEnd;
            }
            return true;
        }
        let len = body.within(input.len());
        if len == 0 {
            return false;
        }
        if let Some(body) = &mut self.body {
            body.take(len);
        }
        if self.abandoned {
            input.consume(len);
        } else {
            self.current = Current::Chunk { len };
        }
        true
    }

    /// Nothing more can be made of the buffer: is the stream over, is the time up?
    fn look_at_end(&mut self, input: &InBuf, now: Tick) {
        if input.is_closed() {
            let leaving = self.state == State::Logout
                || self.queue.exclusive().is_some_and(|p| matches!(p.kind, Kind::Logout));
            if leaving {
                self.fatal = Some(Fatal::Done);
                return;
            }
            self.fail(Error::Closed(match () {
                () if self.state == State::Greeting => Whence::Greeting,
                () if self.body.is_some() => Whence::Body,
                () if !input.is_empty() => Whence::Response,
                () if !self.queue.is_empty() => Whence::Command,
                () => Whence::Idle,
            }));
            return;
        }
        if self.state == State::Logout {
            self.fatal = Some(Fatal::Done);
            return;
        }
        let moved = self.moved(input);
        match self.watch.look(now, moved, &self.config.timeouts) {
            Look::Fine => {}
            Look::Over(wait) => self.fail(Error::TimedOut(wait)),
            Look::LogoutOver => self.fatal = Some(Fatal::Done),
        }
    }

    /// A status line with the credentials of this connection taken out, whatever the server put in.
    fn scrubbed_status(&mut self, frame: &[u8]) -> Result<StatusResponse<'static>, ParseError> {
        let scrubbed = self.redactor.scrub(frame);
        let frame = scrubbed.as_deref().unwrap_or(frame);
        match grammar::response(frame, self.parse_limits())? {
            Response::Status(status) => Ok(status.into_owned()),
            _ => Err(ParseError { rule: "resp-cond-state", offset: 0, kind: ParseErrorKind::Syntax }),
        }
    }

    fn parse_limits(&self) -> ParseLimits {
        ParseLimits { depth: usize::try_from(self.config.limits.nesting).unwrap_or(ParseLimits::MAX_DEPTH) }
    }

    fn chatter(&mut self) {
        self.chatter = self.chatter.saturating_add(1);
        if self.chatter > self.config.limits.chatter {
            self.limit(Limit::Chatter);
        }
    }

    fn learn(&mut self, status: &StatusResponse<'static>) {
        if let Some(Code::Capability(c)) = &status.code {
            self.capabilities = Some(c.clone());
        }
    }

    /// `resp-cond-state`, `resp-cond-bye`, `resp-cond-auth`; `true` when the octets are done with.
    fn status(&mut self, frame: &[u8], ignored: bool) -> bool {
        self.chatter();
        let status = match self.scrubbed_status(frame) {
            Ok(status) => status,
            Err(_) if self.state == State::Greeting => {
                self.fail(Error::NotImap { found: shown(&self.redactor, frame) });
                return true;
            }
            Err(_) => return ignored,
        };
        if self.state == State::Greeting {
            self.greeting(status);
            return true;
        }
        if status.kind == StatusKind::Bye {
            let leaving = self.queue.exclusive().is_some_and(|p| matches!(p.kind, Kind::Logout));
            if !leaving {
                self.fail(Error::Bye { text: shown(&self.redactor, &text_of(&status)) });
            }
            return true;
        }
        if !ignored {
            self.learn(&status);
            self.ready.push_back(Event::Status(status));
        }
        true
    }

    fn greeting(&mut self, status: StatusResponse<'static>) {
        match status.kind {
            StatusKind::Bye => self.fail(Error::Bye { text: shown(&self.redactor, &text_of(&status)) }),
            StatusKind::PreAuth if self.config.security == Security::StartTls => {
                self.fail(Error::PreauthWithoutTls);
            }
            StatusKind::Ok | StatusKind::PreAuth => {
                let to = if status.kind == StatusKind::Ok {
                    State::NotAuthenticated
                } else {
                    State::Authenticated
                };
                self.state = to;
                self.expected = self.expected.max(to);
                self.learn(&status);
                self.ready.push_back(Event::Greeting(status));
            }
            StatusKind::No | StatusKind::Bad => {
                self.fail(Error::Peer { rule: "greeting", found: shown(&self.redactor, &text_of(&status)) });
            }
        }
    }

    /// Untagged data; `true` when the octets are done with.
    fn data(&mut self, frame: &[u8], ignored: bool) -> bool {
        if self.state == State::Greeting {
            self.fail(Error::NotImap { found: shown(&self.redactor, frame) });
            return true;
        }
        if ignored {
            self.chatter();
            // The one thing needed before TLS is whether STARTTLS is offered.
            if let Ok(Response::Capability(c)) = grammar::response(frame, self.parse_limits()) {
                self.capabilities = Some(c.into_owned());
            }
            return true;
        }
        self.chatter = 0;
        false
    }

    /// `continue-req`; always done with.
    fn continuation(&mut self, frame: &[u8]) -> bool {
        self.chatter();
        if let Some(front) = self.queue.outgoing.front_mut().filter(|p| p.awaits_go_ahead) {
            front.awaits_go_ahead = false;
            return true;
        }
        let mut cancelled = None;
        // Nobody may be waiting for it: some servers send one too many.
        if let Some(Pending { id, kind, .. }) = self.queue.exclusive() {
            match kind {
                Kind::Authenticate(exchange) => {
                    let text = line::content(frame);
                    let text = text.strip_prefix(b"+").unwrap_or(text);
                    match exchange.challenge(text.strip_prefix(b" ").unwrap_or(text)) {
                        Reply::Send(line) => {
                            self.redactor.add(line.expose());
                            line_of(&line, &mut self.out);
                        }
                        Reply::Cancel(_) => self.out.push(b"*\r\n"),
                        Reply::Close(error) => cancelled = Some(error),
                    }
                }
                Kind::Idle => self.ready.push_back(Event::Idling(*id)),
                Kind::Append { invited, .. } => *invited = true,
                _ => {}
            }
        }
        if let Some(error) = cancelled {
            self.fail(Error::Sasl(error));
        }
        true
    }

    /// Tells the caller once that the server waits for the message.
    pub(super) fn invite_body(&mut self) -> bool {
        let told = self.told;
        match self.queue.exclusive() {
            Some(Pending { id, kind: Kind::Append { left, invited: true }, .. }) if told != Some(*id) => {
                self.told = Some(*id);
                if *left == 0 {
                    // There is nothing to write but the end of the command.
                    self.out.push(b"\r\n");
                    return false;
                }
                self.ready.push_back(Event::WantsBody(*id));
                true
            }
            _ => false,
        }
    }

    /// `response-tagged`; always done with.
    fn tagged(&mut self, frame: &[u8]) -> bool {
        let status = match self.scrubbed_status(frame) {
            Ok(status) => status,
            // Exchange says `Server Unavailable. 15` without a tag; anything else without a tag is a loss of order.
            Err(_) if self.state == State::Greeting => {
                self.fail(Error::NotImap { found: shown(&self.redactor, frame) });
                return true;
            }
            Err(_) if is_known_tagless(frame) => {
                self.chatter();
                return self.config.security == Security::StartTls && !self.tls;
            }
            Err(_) => {
                self.fail(Error::Peer { rule: "response", found: shown(&self.redactor, frame) });
                return true;
            }
        };
        let tag = status.tag.as_ref().map(|t| t.as_str().to_string()).unwrap_or_default();
        let id = tag.strip_prefix('A').and_then(|n| n.parse().ok()).map(CommandId);
        let Some(pending) = id.and_then(|id| self.queue.take(id)) else {
            self.fail(Error::UnexpectedTag { tag: shown(&self.redactor, tag.as_bytes()) });
            return true;
        };
        self.chatter = 0;
        self.complete(pending, status);
        true
    }

    fn complete(&mut self, pending: Pending, status: StatusResponse<'static>) {
        let Pending { id, kind, then, .. } = pending;
        let ok = status.kind == StatusKind::Ok;
        let selecting = matches!(kind, Kind::Select);
        let mut sign_in = None;
        match kind {
            Kind::StartTls if ok => {
                // Reported when the handshake is done.
                self.upgrade = Some(id);
                self.told_starttls = Some(status);
                return;
            }
            Kind::Authenticate(mut exchange) => {
                if ok {
                    if let Err(error) = exchange.success(None) {
                        self.fail(Error::Sasl(error));
                        return;
                    }
                } else {
                    sign_in = Some(exchange.failure());
                }
            }
            Kind::Append { left, invited: true } if left > 0 => {
                // The rest of the message would be read as commands.
                let found = shown(&self.redactor, &text_of(&status));
                self.ready.push_back(Event::Completed(Box::new(Completed { id, status, sign_in })));
                self.fail(Error::Peer { rule: "append: reply before the end of the message", found });
                return;
            }
            _ => {}
        }
        if ok {
            if let Some(state) = then {
                let signed_in = self.state <= State::NotAuthenticated && state > State::NotAuthenticated;
                self.state = state;
                if signed_in {
                    // They may differ now, and Exchange does not say so unasked.
                    self.capabilities = None;
                }
            }
        } else if selecting && self.state == State::Selected {
            // RFC 3501 section 6.3.1: a SELECT that fails leaves nothing selected.
            self.state = State::Authenticated;
        }
        if self.queue.is_empty() {
            self.expected = self.state;
        }
        self.learn(&status);
        self.ready.push_back(Event::Completed(Box::new(Completed { id, status, sign_in })));
    }

    pub(super) fn complete_starttls(&mut self, id: CommandId) {
        if let Some(status) = self.told_starttls.take() {
            self.ready.push_back(Event::Completed(Box::new(Completed { id, status, sign_in: None })));
        }
    }

    /// The event in the octets at the head of `input`.
    pub(super) fn take_current<'b>(&mut self, input: &'b InBuf) -> Option<Event<'b>> {
        let unread = input.unread();
        match core::mem::replace(&mut self.current, Current::None) {
            Current::None => None,
            Current::Response { len } => {
                self.release = len;
                let frame = unread.get(..len).unwrap_or_default();
                Some(match grammar::response(frame, self.parse_limits()) {
                    Ok(response) => {
                        if let Response::Capability(c) = &response {
                            self.capabilities = Some(c.clone().into_owned());
                        }
                        Event::Data(Box::new(response))
                    }
                    Err(error) => Event::Malformed { error, raw: frame },
                })
            }
            Current::Numbers { len, first, last } => {
                self.release = len;
                let part = unread.get(..len).unwrap_or_default();
                let numbers = if first { behind_name(part) } else { part };
                Some(Event::Numbers { numbers: SearchNumbers::new(numbers), last })
            }
            Current::Chunk { len } => {
                self.release = len;
                Some(Event::Fetch(Fetch::Chunk(unread.get(..len).unwrap_or_default())))
            }
            Current::BodyEnd => Some(Event::Fetch(Fetch::BodyEnd)),
            Current::Fetch { len, at, first, last } => {
                let line = unread.get(..len).unwrap_or_default();
                let rest = line.get(at..).unwrap_or_default();
                let step = if first {
                    grammar::fetch_prefix(rest)
                        .map(|(seq, rest)| (Event::Fetch(Fetch::Start(seq.get())), rest, false))
                } else {
                    grammar::fetch_item(rest, self.parse_limits()).map(|(step, rest)| match step {
                        FetchStep::Item(item) => (Event::Fetch(Fetch::Item(item)), rest, false),
                        FetchStep::Body { name, origin, len, .. } => {
                            (Event::Fetch(Fetch::Body { name, origin, len }), rest, true)
                        }
                        FetchStep::End => (Event::Fetch(Fetch::End), rest, true),
                    })
                };
                Some(match step {
                    Ok((event, _, true)) => {
                        self.release = len;
                        event
                    }
                    Ok((event, rest, false)) => {
                        let at = len.saturating_sub(rest.len());
                        self.current = Current::Fetch { len, at, first: false, last };
                        event
                    }
                    Err(error) => {
                        self.release = len;
                        // Whatever else comes of this message is dropped, its end is known.
                        self.abandoned = !last;
                        if !first {
                            self.ready.push_back(Event::Fetch(Fetch::Abandoned));
                        }
                        Event::Malformed { error, raw: rest }
                    }
                })
            }
        }
    }
}

/// So much of a line that cannot be understood is shown, in octets.
const SHOWN: usize = 60;

/// The first line without its end, cut short.
fn first_line(octets: &[u8]) -> &[u8] {
    let line = match memchr::memchr(b'\n', octets) {
        Some(end) => line::content(octets.get(..=end).unwrap_or_default()),
        None => octets,
    };
    line.get(..line.len().min(SHOWN)).unwrap_or_default()
}

/// A number list without the `* SEARCH` in front.
fn behind_name(part: &[u8]) -> &[u8] {
    let arguments = part.strip_prefix(b"* ").unwrap_or(part);
    let name = arguments.iter().take_while(|c| c.is_ascii_alphabetic()).count();
    arguments.get(name..).unwrap_or_default()
}

/// How many octets the announcement at the end of a stretch of FETCH data stands for.
fn body_announced(stretch: &[u8]) -> Option<u64> {
    literal::announced(line::content(stretch)).ok().flatten().map(|a| a.len)
}

/// The text of a status as octets.
fn text_of(status: &StatusResponse<'_>) -> alloc::vec::Vec<u8> {
    status.text.as_bytes().to_vec()
}

/// Lines that Exchange sends without `*` or tag (exchange-online quirk: `Server Unavailable. 15`).
fn is_known_tagless(frame: &[u8]) -> bool {
    frame.get(..18).is_some_and(|f| f.eq_ignore_ascii_case(b"Server Unavailable"))
}
