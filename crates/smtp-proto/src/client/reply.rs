//! Replies: what they mean for what is in flight.

use alloc::boxed::Box;
use alloc::string::String;

use wire::Layer;

use super::Client;
use super::event::{Completed, Event, Stage};
use super::queue::{Kind, Pending};
use super::transaction::{Next, Progress};
use crate::error::Error;
use crate::session::{Dialect, State};
use crate::types::{Capabilities, Reply, ReplyCode, Transfer};

/// 2xx that says no more than "done": the others belong to one command each.
fn is_done(code: ReplyCode) -> bool {
    let special = matches!(code, ReplyCode::READY | ReplyCode::BYE | ReplyCode::AUTHENTICATED);
    code.class() == 2 && !special
}

impl Client {
    /// One reply.
    pub(super) fn reply(&mut self, mut reply: Reply) {
        // A challenge is for the exchange alone, which shows nothing of it; scrubbed, base64 that happens to agree with eight octets of
        // ours would be none any more.
        let signing_in = matches!(self.in_flight.front(), Some(Pending { kind: Kind::Auth { .. }, .. }));
        if signing_in && reply.code() == ReplyCode::CHALLENGE && self.state != State::Greeting {
            return self.challenge(&reply);
        }
        if !self.redactor.is_empty() {
            let redactor = &self.redactor;
            reply.map_lines(|line| {
                redactor.scrub(line.as_bytes()).map(|l| String::from_utf8_lossy(&l).into_owned())
            });
        }
        if self.state == State::Greeting {
            return self.greeting(reply);
        }
        let leaving = matches!(self.in_flight.front(), Some(Pending { kind: Kind::Quit, .. }));
        if reply.code() == ReplyCode::CLOSING && !leaving {
            return self.closing(reply);
        }
        let code = reply.code();
        let refused = reply.is_transient() || reply.is_permanent();
        let Some(Pending { kind, .. }) = self.in_flight.front() else {
            return self.fail(Error::Desync { command: None, reply });
        };
        let fits = match kind {
            Kind::Message(_) => return self.message(reply),
            Kind::Auth { .. } => refused || matches!(code, ReplyCode::AUTHENTICATED | ReplyCode::CHALLENGE),
            Kind::StartTls => refused || code == ReplyCode::READY,
            Kind::Quit => true,
            Kind::Plain { .. } | Kind::Hello { .. } => refused || is_done(code),
        };
        if !fits {
            return self.out_of_step(reply);
        }
        let Some(Pending { id, kind }) = self.in_flight.pop_front() else { return };
        let verb = kind.verb();
        let mut sign_in = None;
        match kind {
            Kind::StartTls if !refused => {
                // Reported when the handshake is done.
                self.upgrade.ask(Layer::Tls);
                self.starttls = Some(Box::new(Completed { id, verb, reply, sign_in }));
                return;
            }
            Kind::Hello { verb, .. } if !refused => {
                self.capabilities = (verb != "HELO").then(|| Capabilities::from_reply(&reply));
                self.state = State::Ready;
            }
            Kind::Auth { mut exchange, .. } => {
                if refused {
                    sign_in = Some(exchange.failure().scrubbed(&self.redactor));
                } else {
                    match exchange.success(None) {
                        Ok(_) => self.authenticated = true,
                        Err(error) => return self.fail(Error::Sasl(error)),
                    }
                }
            }
            Kind::Quit => self.end.finish(),
            _ => {}
        }
        self.ready.push_back(Event::Completed(Box::new(Completed { id, verb, reply, sign_in })));
    }

    fn greeting(&mut self, reply: Reply) {
        if reply.code() == ReplyCode::READY {
            self.state = State::Hello;
            self.ready.push_back(Event::Greeting(reply));
        } else {
            self.fail(Error::Greeting { reply });
        }
    }

    fn out_of_step(&mut self, reply: Reply) {
        let command = self.in_flight.front().map(|p| p.kind.verb());
        self.fail(Error::Desync { command, reply });
    }

    /// 421: the reply to what is waiting, if anything is, and the end (RFC 5321 section 3.8).
    fn closing(&mut self, reply: Reply) {
        let lmtp = self.config.dialect == Dialect::Lmtp;
        if let Some(Pending { id, kind }) = self.in_flight.pop_front() {
            let verb = kind.verb();
            match kind {
                Kind::Message(t) => match t.progress {
                    Progress::Outcome { chunks: 0, replies, .. } if lmtp && t.refusal.is_none() => {
                        let indices = t.accepted.get(replies..).unwrap_or_default();
                        for (n, index) in indices.iter().enumerate() {
                            let last = n.saturating_add(1) == indices.len();
                            let (index, reply) = (*index, reply.clone());
                            self.ready.push_back(Event::PerRecipient { id, index, reply, last });
                        }
                    }
                    // The refusal has been reported.
                    Progress::Draining(_) | Progress::Resetting => {}
                    _ => {
                        let stage = match verb {
                            "MAIL" => Stage::Sender,
                            "RCPT" => Stage::Recipients,
                            _ if matches!(t.progress, Progress::Commands) => Stage::Data,
                            _ => Stage::Message,
                        };
                        let (stage, reply) = t.refusal.unwrap_or((stage, reply.clone()));
                        self.ready.push_back(Event::Rejected { id, stage, reply });
                    }
                },
                mut kind => {
                    let sign_in = match &mut kind {
                        Kind::Auth { exchange, .. } => Some(exchange.failure().scrubbed(&self.redactor)),
                        _ => None,
                    };
                    let completed = Completed { id, verb, reply: reply.clone(), sign_in };
                    self.ready.push_back(Event::Completed(Box::new(completed)));
                }
            }
        }
        self.fail(Error::ServiceClosing { reply });
    }

    /// A reply that belongs to the message at the front.
    fn message(&mut self, reply: Reply) {
        let lmtp = self.config.dialect == Dialect::Lmtp;
        let sent = self.out.total_sent();
        let (code, refused) = (reply.code(), !reply.is_positive());
        let Some(Pending { id, kind: Kind::Message(t) }) = self.in_flight.front_mut() else { return };
        let id = *id;
        let data = t.answered > t.recipients;
        let fits = match t.progress {
            Progress::Commands if data => code == ReplyCode::GO_AHEAD || code.class() > 3,
            Progress::Data(_) => code.class() != 3,
            _ => code.class() > 3 || is_done(code),
        };
        if matches!(t.progress, Progress::Commands) && t.answered >= t.sent {
            // What would be asked next has not been written: this answers nothing (SM-17).
            return self.fail(Error::Desync { command: None, reply });
        }
        if !fits {
            return self.out_of_step(reply);
        }
        match &mut t.progress {
            Progress::Commands => {
                let index = t.answered.checked_sub(1);
                t.answered = t.answered.saturating_add(1);
                match index {
                    None if refused => t.refusal = Some((Stage::Sender, reply)),
                    None => t.begun = true,
                    Some(_) if data => {
                        if code != ReplyCode::GO_AHEAD && (t.refusal.is_none() || !t.accepted.is_empty()) {
                            t.refusal = Some((Stage::Data, reply));
                        }
                    }
                    Some(index) => {
                        if !refused {
                            t.accepted.push(index);
                        } else if t.refusal.is_none() {
                            t.refusal = Some((Stage::Recipients, reply.clone()));
                        }
                        if t.begun {
                            self.ready.push_back(Event::Recipient { id, index, reply });
                        }
                    }
                }
                match t.next(code == ReplyCode::GO_AHEAD) {
                    None | Some(Next::Line) => {}
                    Some(Next::Data) => t.write_data(&mut self.out),
                    Some(Next::Body) => {
                        // Refused recipients have been reported; the rest is about the message.
                        t.refusal = None;
                        self.invite();
                    }
                    Some(Next::Dot) => {
                        t.progress = Progress::Dot;
                        self.out.push(b".\r\n");
                    }
                    Some(Next::Reject) => self.reject(0),
                }
            }
            // BDAT goes on behind a refusal that comes early: the server knows how much is still to come.
            Progress::Outcome { end, chunks: 0, .. }
                if sent < *end && !(refused && t.transfer == Transfer::Bdat) =>
            {
                self.early(reply, refused);
            }
            Progress::Data(_) => self.early(reply, refused),
            Progress::Bdat(chunks) => {
                let Some(left) = chunks.unanswered.checked_sub(1) else {
                    return self.fail(Error::Desync { command: None, reply });
                };
                chunks.unanswered = left;
                if refused {
                    t.refusal = Some((Stage::Message, reply));
                    self.reject(left);
                } else {
                    let pipelined = self.pipelines_chunks();
                    if let Some(Pending { kind: Kind::Message(t), .. }) = self.in_flight.front_mut() {
                        t.write_last_chunk(pipelined, &mut self.out);
                    }
                }
            }
            Progress::Outcome { chunks, .. } if *chunks > 0 => {
                *chunks = chunks.saturating_sub(1);
                if refused && t.refusal.is_none() {
                    t.refusal = Some((Stage::Message, reply));
                }
            }
            Progress::Outcome { .. } if t.refusal.is_some() => self.reject(0),
            Progress::Outcome { replies, .. } if lmtp => {
                let index = t.accepted.get(*replies).copied().unwrap_or_default();
                *replies = replies.saturating_add(1);
                let last = *replies >= t.accepted.len();
                if last {
                    self.in_flight.pop_front();
                }
                self.ready.push_back(Event::PerRecipient { id, index, reply, last });
            }
            Progress::Outcome { .. } if !refused => {
                self.in_flight.pop_front();
                self.ready.push_back(Event::Accepted { id, reply });
            }
            Progress::Outcome { .. } => {
                t.refusal = Some((Stage::Message, reply));
                if t.transfer == Transfer::Data {
                    // DATA that fails leaves nothing behind; of BDAT servers think differently.
                    t.begun = false;
                }
                self.reject(0);
            }
            Progress::Dot => self.reject(0),
            Progress::Draining(left) => match left.checked_sub(1) {
                Some(0) | None => self.reset(),
                Some(less) => *left = less,
            },
            Progress::Resetting if refused => self.out_of_step(reply),
            Progress::Resetting => {
                self.in_flight.pop_front();
            }
        }
    }

    /// The reply to a message that the server has not got whole.
    fn early(&mut self, reply: Reply, refused: bool) {
        let Some(Pending { id, .. }) = self.in_flight.pop_front() else { return };
        let early = Error::EarlyReply { reply: reply.clone() };
        if refused {
            self.ready.push_back(Event::Rejected { id, stage: Stage::Message, reply });
            self.fail(early);
        } else {
            // Whatever it means, it is no proof of delivery and none of the contrary.
            self.fail(Error::Unknown { id, cause: Box::new(early) });
        }
    }

    /// Reports the refusal of the message at the front; what is left of it at the server is thrown away.
    fn reject(&mut self, unanswered: u32) {
        let Some(Pending { id, kind: Kind::Message(t) }) = self.in_flight.front_mut() else { return };
        if let Some((stage, reply)) = t.refusal.take() {
            self.ready.push_back(Event::Rejected { id: *id, stage, reply });
        }
        t.progress = Progress::Draining(unanswered);
        if unanswered == 0 {
            self.reset();
        }
    }

    fn reset(&mut self) {
        let Some(Pending { kind: Kind::Message(t), .. }) = self.in_flight.front_mut() else { return };
        if t.begun {
            t.progress = Progress::Resetting;
            self.out.push(b"RSET\r\n");
        } else {
            self.in_flight.pop_front();
        }
    }
}
