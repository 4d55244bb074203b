//! One connection: events of the machine in, answers out.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use driver::{Connection, Turn};
use smtp_proto::Server;
use smtp_proto::server::{Event, Fault, HelloKind, MessageFault};
use smtp_proto::types::{ForwardPath, ReversePath};

use crate::count::RequestKind;
use crate::net::Stream;
use crate::profile::HOST;
use crate::random;
use crate::session::{Over, Step, close};
use crate::smtp::fault::SmtpFault;
use crate::smtp::sign_in::Outcome;
use crate::smtp::slots::{Slot, Slots};
use crate::smtp::submit::Submission;
use crate::smtp::{Context, words};

/// Who is signed in.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    /// UPN of the mailbox.
    pub(crate) mailbox: String,
    /// The user (UPN) or app (client id) that opened it.
    pub(crate) identity: String,
}

/// One connection.
pub(crate) struct Session {
    connection: Connection<Stream>,
    pub(crate) server: Server,
    pub(crate) context: Arc<Context>,
    peer: IpAddr,
    pub(crate) sender: Option<Sender>,
    /// Connections per mailbox, of all sessions.
    pub(crate) slots: Slots,
    /// The right to send, if the mailbox had one left.
    pub(crate) slot: Option<Slot>,
    /// What [`Event::AuthEnd`] decides about.
    pub(crate) pending: Option<Outcome>,
    from: Option<String>,
    /// UPNs of recipients in the tenant.
    recipients: BTreeSet<String>,
    message: Vec<u8>,
}

/// An event that borrows nothing; the octets of a message are kept at once.
enum Said {
    Octets,
    Other(Event<'static>),
}

/// Serves a connection to its end.
pub(crate) async fn run(
    connection: Connection<Stream>,
    server: Server,
    context: Arc<Context>,
    slots: Slots,
    peer: IpAddr,
) {
    let mut session = Session {
        connection,
        server,
        context,
        peer,
        sender: None,
        slots,
        slot: None,
        pending: None,
        from: None,
        recipients: BTreeSet::new(),
        message: Vec::new(),
    };
    let _ = session.serve().await;
    session.end().await;
}

impl Session {
    async fn serve(&mut self) -> Step {
        let now = i64::try_from(self.context.clock.now()).unwrap_or(0);
        self.server.greet(&words::greeting(self.context.profile, now)?)?;
        loop {
            match self.connection.drive(&mut self.server).await.map_err(|_| Over)? {
                Turn::Closed => return Err(Over),
                // Every event is answered before the machine is driven again, so this is a mistake of ours.
                Turn::App => self.server.disconnect(),
                // After an error the machine has ended the connection; driving it on closes the stream.
                Turn::Event => {
                    if let Some(Said::Other(event)) = self.take() {
                        self.hear(event)?;
                    }
                }
            }
        }
    }

    /// The next event; `None` when it was the connection's end.
    fn take(&mut self) -> Option<Said> {
        use Event as E;
        Some(Said::Other(match self.server.event(self.connection.input())?.ok()? {
            E::BodyChunk(octets) => {
                self.message.extend_from_slice(octets);
                return Some(Said::Octets);
            }
            E::Hello { kind, name } => E::Hello { kind, name },
            E::StartTls => E::StartTls,
            E::Auth { mechanism, initial } => E::Auth { mechanism, initial },
            E::Credentials(credentials) => E::Credentials(credentials),
            E::AuthEnd(result) => E::AuthEnd(result),
            E::Mail { from, params } => E::Mail { from, params },
            E::Rcpt { to, params } => E::Rcpt { to, params },
            E::Data => E::Data,
            E::ChunkEnd { octets, fault } => E::ChunkEnd { octets, fault },
            E::BodyEnd { octets, fault } => E::BodyEnd { octets, fault },
            E::Rset => E::Rset,
            E::Vrfy(what) => E::Vrfy(what),
            E::Help(what) => E::Help(what),
            E::Quit => E::Quit,
            E::BadCommand { fault, closes } => E::BadCommand { fault, closes },
            E::Expn(what) => E::Expn(what),
            _ => E::Noop,
        }))
    }

    /// Sends what is pending and closes.
    async fn end(&mut self) {
        self.server.disconnect();
        close(&mut self.connection, &mut self.server).await;
    }

    fn hear(&mut self, event: Event<'static>) -> Step {
        match event {
            Event::Hello { kind: HelloKind::Ehlo, .. } => {
                self.forget();
                let reply = words::ehlo(self.context.profile, self.server.is_secure(), self.peer)?;
                Ok(self.server.reply(&reply)?)
            }
            Event::Hello { .. } => {
                self.forget();
                self.reply(250, &words::hello(self.peer))
            }
            Event::StartTls => {
                // Whoever spoke in the clear has said nothing (RFC 3207 section 4.2).
                (self.sender, self.slot) = (None, None);
                self.forget();
                self.reply(220, "2.0.0 SMTP server ready")
            }
            Event::Auth { mechanism, .. } => self.auth(mechanism.as_str()),
            Event::Credentials(credentials) => self.credentials(&credentials),
            Event::AuthEnd(result) => self.auth_end(result.is_ok()),
            Event::Mail { from, .. } => self.mail(&from),
            Event::Rcpt { to, .. } => self.rcpt(&to),
            Event::Data => Ok(self.server.accept_data("Start mail input; end with <CRLF>.<CRLF>")?),
            Event::ChunkEnd { octets, fault } => match fault {
                Some(fault) => self.faulty(fault),
                None => self.reply(250, &format!("2.6.0 CHUNK received OK, {octets} octets")),
            },
            Event::BodyEnd { octets, fault } => {
                let step = match fault {
                    Some(fault) => self.faulty(fault),
                    None => self.submit(octets),
                };
                self.forget();
                step
            }
            Event::Rset => {
                self.forget();
                self.reply(250, "2.0.0 Resetting")
            }
            Event::Noop => self.reply(250, "2.0.0 OK"),
            Event::Vrfy(_) => self.reply(252, "2.1.5 Cannot VRFY user"),
            Event::Expn(_) => self.reply(502, "5.3.3 Command not implemented"),
            Event::Help(_) => self.reply(214, "This server supports the following commands: HELO EHLO STARTTLS AUTH MAIL RCPT DATA BDAT RSET NOOP QUIT"),
            Event::Quit => self.reply(221, "2.0.0 Service closing transmission channel"),
            Event::BadCommand { fault, .. } => self.bad(&fault),
            _ => Err(Over),
        }
    }

    fn bad(&mut self, fault: &Fault) -> Step {
        use smtp_proto::grammar::ParseErrorKind;
        if !self.context.profile.is_exchange() {
            return Ok(self.server.reply(&fault.reply())?);
        }
        match fault {
            Fault::Syntax(e) if e.kind == ParseErrorKind::UnknownCommand => {
                self.reply(500, "5.3.3 Unrecognized command")
            }
            Fault::AuthRequired => {
                let place = words::place(self.context.clock.now());
                self.reply(530, &format!("5.7.57 Client not authenticated to send mail. {place}"))
            }
            Fault::NoTls => self.reply(504, "5.7.4 Unrecognized authentication type"),
            Fault::TooLarge => self.faulty(MessageFault::TooLarge),
            _ => Ok(self.server.reply(&fault.reply())?),
        }
    }

    fn faulty(&mut self, fault: MessageFault) -> Step {
        match fault {
            MessageFault::BareNewline => self.reply(550, "5.6.11 Invalid characters"),
            MessageFault::TooLarge => {
                self.reply(552, "5.3.4 Message size exceeds fixed maximum message size")
            }
            other => Ok(self.server.reply(&other.reply())?),
        }
    }

    fn mail(&mut self, from: &ReversePath) -> Step {
        self.forget();
        let fits = |f: &SmtpFault| matches!(f, SmtpFault::ServerBusy | SmtpFault::Proxy | SmtpFault::Closing);
        match self.context.faults.take(fits) {
            Some(SmtpFault::ServerBusy) => {
                let text = format!("4.7.500 Server busy. Please try again later from [{}].", self.peer);
                return self.reply(451, &text);
            }
            Some(SmtpFault::Proxy) => {
                return self.reply(451, "4.7.0 Temporary server error. Please try again later. PRX4");
            }
            Some(_) => {
                let text = "4.3.2 The maximum number of concurrent server connections has exceeded a per-resource-forest limit, \
                            closing transmission channel";
                return self.reply(421, text);
            }
            None => {}
        }
        if self.context.profile.is_exchange() && self.slot.is_none() {
            // One that was taken at sign-in may have come free.
            self.slot = self.sender.as_ref().and_then(|s| self.slots.take(&s.mailbox));
            if self.slot.is_none() {
                return self.reply(
                    432,
                    &format!(
                        "4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending for more \
                         information. [Hostname={HOST}]"
                    ),
                );
            }
        }
        self.from = from.mailbox().map(|m| format!("{}@{}", m.local_part(), m.domain()));
        self.reply(250, "2.1.0 Sender OK")
    }

    fn rcpt(&mut self, to: &ForwardPath) -> Step {
        let directory = &self.context.directory;
        let address = to.mailbox().map(|m| (format!("{}@{}", m.local_part(), m.domain()), m.domain()));
        let local = address.as_ref().and_then(|(a, _)| directory.user(a)).map(|u| u.upn.clone());
        match (local, address) {
            (Some(upn), _) => {
                self.recipients.insert(upn);
                self.reply(250, "2.1.5 Recipient OK")
            }
            // To somewhere else: taken, and nothing comes of it.
            (None, Some((_, domain))) if !directory.is_domain(domain) => {
                self.reply(250, "2.1.5 Recipient OK")
            }
            _ => self.reply(
                550,
                "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
            ),
        }
    }

    fn submit(&mut self, octets: u64) -> Step {
        let Some(sender) = self.sender.clone() else { return Err(Over) };
        let message = std::mem::take(&mut self.message);
        let context = Arc::clone(&self.context);
        let fault = context.faults.take(|f| {
            matches!(f, SmtpFault::ThreadLimit | SmtpFault::Quota | SmtpFault::CutAfterMessage { .. })
        });
        match fault {
            Some(SmtpFault::ThreadLimit) => {
                return self.reply(432, "4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded");
            }
            Some(SmtpFault::Quota) => {
                return self.reply(
                    554,
                    "5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; Failed to process message due to a \
                     permanent exception",
                );
            }
            _ => {}
        }
        if let Err((code, text)) = sender.check(&context.directory, self.from.as_deref(), &message) {
            return self.reply(code, &text);
        }
        let submission = Submission { mailbox: &sender.mailbox, recipients: &self.recipients, message };
        if !matches!(fault, Some(SmtpFault::CutAfterMessage { delivered: false })) {
            submission.deliver(&context.directory, &context.stores, &context.clock);
            context.counters.count(RequestKind::SmtpMessage);
        }
        if fault.is_some() {
            return Err(Over);
        }
        let id: String = random::octets::<8>().iter().map(|b| format!("{b:02x}")).collect();
        self.reply(250, &format!("2.0.0 OK <{id}@{HOST}> [Hostname={HOST}] {octets} bytes"))
    }

    /// No message is on its way any more.
    fn forget(&mut self) {
        self.from = None;
        self.recipients.clear();
        self.message = Vec::new();
    }

    pub(crate) fn reply(&mut self, code: u16, text: &str) -> Step {
        Ok(self.server.reply(&words::reply(code, text)?)?)
    }
}
