//! Status responses and continuations: what they mean for the commands in flight.

use alloc::boxed::Box;
use alloc::string::ToString as _;

use wire::{Layer, Limit, line};

use super::Client;
use super::event::{CommandId, Completed, Event};
use super::queue::{Kind, Pending};
use crate::error::Error;
use crate::grammar::{self, ParseError, ParseErrorKind};
use crate::session::State;
use crate::types::{Code, Response, StatusKind, StatusResponse};
use wire::Security;

impl Client {
    /// A status line with the credentials of this connection taken out, whatever the server put in.
    fn scrubbed_status(&mut self, frame: &[u8]) -> Result<StatusResponse<'static>, ParseError> {
        let scrubbed = self.redactor.scrub(frame);
        let frame = scrubbed.as_deref().unwrap_or(frame);
        match grammar::response(frame, self.parse_limits())? {
            Response::Status(status) => Ok(status.into_owned()),
            _ => Err(ParseError { rule: "resp-cond-state", offset: 0, kind: ParseErrorKind::Syntax }),
        }
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
    pub(super) fn status(&mut self, frame: &[u8], ignored: bool) -> bool {
        self.chatter();
        let status = match self.scrubbed_status(frame) {
            Ok(status) => status,
            Err(_) if self.state == State::Greeting => {
                self.fail(Error::NotImap { found: self.redactor.excerpt(frame) });
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
                self.fail(Error::Bye { text: self.redactor.excerpt(&text_of(&status)) });
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
            StatusKind::Bye => self.fail(Error::Bye { text: self.redactor.excerpt(&text_of(&status)) }),
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
                self.fail(Error::Peer { rule: "greeting", found: self.redactor.excerpt(&text_of(&status)) });
            }
        }
    }

    /// Untagged data; `true` when the octets are done with.
    pub(super) fn data(&mut self, frame: &[u8], ignored: bool) -> bool {
        if self.state == State::Greeting {
            self.fail(Error::NotImap { found: self.redactor.excerpt(frame) });
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
    pub(super) fn continuation(&mut self, frame: &[u8]) -> bool {
        self.chatter();
        if let Some(front) = self.queue.outgoing.front_mut().filter(|p| p.awaits_go_ahead) {
            front.awaits_go_ahead = false;
            return true;
        }
        let mut broken = None;
        // Nobody may be waiting for it: some servers send one too many.
        if let Some(Pending { id, kind, .. }) = self.queue.exclusive() {
            match kind {
                Kind::Authenticate(exchange) => {
                    let text = line::content(frame);
                    let text = text.strip_prefix(b"+").unwrap_or(text);
                    let answer = exchange.challenge(text.strip_prefix(b" ").unwrap_or(text));
                    broken = answer.write(&mut self.out, &mut self.redactor).err();
                }
                Kind::Idle => self.ready.push_back(Event::Idling(*id)),
                Kind::Append { invited, .. } => *invited = true,
                _ => {}
            }
        }
        if let Some(error) = broken {
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
    pub(super) fn tagged(&mut self, frame: &[u8]) -> bool {
        let status = match self.scrubbed_status(frame) {
            Ok(status) => status,
            // Exchange says `Server Unavailable. 15` without a tag; anything else without a tag is a loss of order.
            Err(_) if self.state == State::Greeting => {
                self.fail(Error::NotImap { found: self.redactor.excerpt(frame) });
                return true;
            }
            Err(_) if is_known_tagless(frame) => {
                self.chatter();
                return self.config.security == Security::StartTls && !self.tls;
            }
            Err(_) => {
                self.fail(Error::Peer { rule: "response", found: self.redactor.excerpt(frame) });
                return true;
            }
        };
        let tag = status.tag.as_ref().map(|t| t.as_str().to_string()).unwrap_or_default();
        let id = tag.strip_prefix('A').and_then(|n| n.parse().ok()).map(CommandId);
        let Some(pending) = id.and_then(|id| self.queue.take(id)) else {
            self.fail(Error::UnexpectedTag { tag: self.redactor.excerpt(tag.as_bytes()) });
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
                self.upgrade.ask(Layer::Tls);
                self.starttls = Some(Box::new(Completed { id, status, sign_in }));
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
                let found = self.redactor.excerpt(&text_of(&status));
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
}

/// The text of a status as octets.
fn text_of(status: &StatusResponse<'_>) -> alloc::vec::Vec<u8> {
    status.text.as_bytes().to_vec()
}

/// Lines that Exchange sends without `*` or tag (`Server Unavailable. 15`).
fn is_known_tagless(frame: &[u8]) -> bool {
    frame.get(..18).is_some_and(|f| f.eq_ignore_ascii_case(b"Server Unavailable"))
}
