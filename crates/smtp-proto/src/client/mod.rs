//! The client machine.
//!
//! ```text
//! advance ─ Need::Event ─ event() ─┐         Greeting, Completed, Recipient, WantsBody, Accepted …
//!    ▲                             ▼
//!    └─ Need::App ── hello() · starttls() · authenticate() · send() · write_body() · end_body()
//! ```
//!
//! | module | what it does |
//! |---|---|
//! | `envelope` | whether a message can be sent, decided before anything is sent |
//! | `queue` | commands on their way out |
//! | `transaction` | one message: what has been asked and answered, what follows |
//! | `body` | the octets of a message, by DATA and BDAT |
//! | `receive` | what arrives, up to the next reply |
//! | `reply` | what a reply means for what is in flight |
//! | `sign_in` | AUTH around [`sasl::ClientExchange`] |
//! | `wait` | which wait runs, and for how long |

mod body;
mod envelope;
mod event;
mod queue;
mod receive;
mod reply;
mod sign_in;
mod transaction;
mod wait;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use wire::{End, InBuf, Machine, Need, OutBuf, Redactor, Security, Tick, Upgrade, Upgraded, Watch};

pub use event::{CommandId, Completed, Event, Stage};
use queue::{Kind, Pending};
use transaction::Progress;
use wait::Waiting;

use crate::config::Config;
use crate::error::{Error, Misuse};
use crate::frame::ReplyFramer;
use crate::grammar;
use crate::session::{Dialect, State};
use crate::types::{Argument, Body, Capabilities, Command, EhloName, Envelope};

/// The client side of one connection, as a pure function of octets and time. See [`wire::machine`] for the contract.
///
/// Begin with [`hello`](Self::hello) once [`Event::Greeting`] has come, and again after TLS. Messages may be given one behind the
/// other without waiting for the first one's end: where the server offers PIPELINING, the commands of the next one travel with the end of the
/// one before (RFC 2920 section 3.1).
pub struct Client {
    config: Config,
    out: OutBuf,
    framer: ReplyFramer,
    /// [`State::Greeting`], [`State::Hello`] or [`State::Ready`].
    state: State,
    tls: bool,
    authenticated: bool,
    capabilities: Option<Capabilities>,
    outgoing: VecDeque<Pending>,
    in_flight: VecDeque<Pending>,
    next_id: u64,
    /// Messages given so far.
    messages: usize,
    /// Events, oldest first.
    ready: VecDeque<Event>,
    upgrade: Upgrade,
    /// The reply to STARTTLS, reported when the handshake is done.
    starttls: Option<Box<Completed>>,
    end: End<Error>,
    watch: Watch<Waiting>,
    redactor: Redactor,
    /// Memory for encoding a message.
    scratch: Vec<u8>,
}

impl Client {
    /// A client at the start of a connection.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            out: OutBuf::new(),
            framer: ReplyFramer::default(),
            state: State::Greeting,
            tls: config.security.begins_with_tls(),
            authenticated: false,
            capabilities: None,
            outgoing: VecDeque::new(),
            in_flight: VecDeque::new(),
            next_id: 0,
            messages: 0,
            ready: VecDeque::new(),
            upgrade: Upgrade::default(),
            starttls: None,
            end: End::default(),
            watch: Watch::default(),
            redactor: Redactor::new(),
            scratch: Vec::new(),
        }
    }

    /// Where the session stands: [`State::Greeting`], [`State::Hello`], [`State::Ready`] or [`State::Over`].
    pub fn state(&self) -> State {
        if self.end.is_over() { State::Over } else { self.state }
    }

    /// What the server says it can do, since it last said so. `None` before EHLO or LHLO, after HELO, and after TLS began.
    pub fn capabilities(&self) -> Option<&Capabilities> {
        self.capabilities.as_ref()
    }

    /// Whether TLS is in place.
    pub fn is_secure(&self) -> bool {
        self.tls
    }

    /// Whether somebody is signed in.
    pub fn is_authenticated(&self) -> bool {
        self.authenticated
    }

    /// Whether commands or messages are waiting to be sent or answered.
    pub fn is_busy(&self) -> bool {
        !self.outgoing.is_empty() || !self.in_flight.is_empty()
    }

    /// Commands and messages that are waiting to be sent or answered.
    pub fn pending(&self) -> usize {
        self.outgoing.len().saturating_add(self.in_flight.len())
    }

    /// The message that has been handed to the driver whole and is not answered: if the connection broke now, nobody would know what
    /// becomes of it.
    pub fn in_doubt(&self) -> Option<CommandId> {
        match self.in_flight.front() {
            Some(Pending { id, kind: Kind::Message(t) }) if t.is_unknown(self.out.total_sent()) => Some(*id),
            _ => None,
        }
    }

    /// Blots this connection's credentials out of any text.
    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// Says EHLO, in LMTP LHLO. What the server can do is known when this is [completed](Event::Completed).
    ///
    /// # Errors
    /// [`Misuse::State`] while anything is in flight, [`Misuse::Over`].
    pub fn hello(&mut self, name: &EhloName) -> Result<CommandId, Misuse> {
        let command = match self.config.dialect {
            Dialect::Smtp => Command::Ehlo(name.clone()),
            Dialect::Lmtp => Command::Lhlo(name.clone()),
        };
        self.greet(&command)
    }

    /// Says HELO: for servers that do not know EHLO. Nothing is known of what they can do, so nothing but a plain message can be
    /// sent.
    ///
    /// # Errors
    /// As [`hello`](Self::hello).
    pub fn helo(&mut self, name: &EhloName) -> Result<CommandId, Misuse> {
        self.greet(&Command::Helo(name.clone()))
    }

    fn greet(&mut self, command: &Command) -> Result<CommandId, Misuse> {
        if self.is_busy() {
            return Err(Misuse::State);
        }
        self.enqueue(command, |verb, line| Kind::Hello { verb, line })
    }

    /// Asks for TLS. Completed when the handshake is done, or when the server refuses; everything known before TLS is forgotten, so say
    /// [`hello`](Self::hello) again.
    ///
    /// # Errors
    /// [`Misuse::State`] when TLS is in place already or anything is in flight, [`Misuse::Over`].
    pub fn starttls(&mut self) -> Result<CommandId, Misuse> {
        if self.tls || self.is_busy() {
            return Err(Misuse::State);
        }
        self.enqueue(&Command::StartTls, |_, _| Kind::StartTls)
    }

    /// Gives a message. Its commands go out in as few groups as the server allows; write the message itself when
    /// [`Event::WantsBody`] has come.
    ///
    /// DATA goes out together with the recipients unless a refusal of one of several would have to prevent it
    /// ([`Partial::Refuse`](crate::types::Partial::Refuse)).
    ///
    /// # Errors
    /// Everything that can be known before anything is sent: [`Misuse::NoRecipients`], [`Misuse::NeedsSmtpUtf8`], [`Misuse::Unsupported`],
    /// [`Misuse::TooLarge`], [`Misuse::ServerLimit`]; [`Misuse::NoTls`] before TLS on a connection of [`Security::StartTls`];
    /// [`Misuse::State`] before EHLO, [`Misuse::TooManyCommands`], [`Misuse::Over`].
    pub fn send(&mut self, envelope: &Envelope, body: Body) -> Result<CommandId, Misuse> {
        if self.end.is_over() {
            return Err(Misuse::Over);
        }
        let messages = |p: &Pending| matches!(p.kind, Kind::Message(_));
        if self.state != State::Ready
            || !self
                .in_flight
                .iter()
                .chain(&self.outgoing)
                .all(|p| messages(p) || matches!(p.kind, Kind::Plain { .. }))
        {
            return Err(Misuse::State);
        }
        if self.config.security == Security::StartTls && !self.tls {
            return Err(Misuse::NoTls);
        }
        if self.pending() >= self.config.limits.commands {
            return Err(Misuse::TooManyCommands);
        }
        let transaction = self.transaction(envelope, body)?;
        self.messages = self.messages.saturating_add(1);
        Ok(self.push(Kind::Message(Box::new(transaction))))
    }

    /// Throws a transaction away that is under way at the server. There is none unless a caller knows better.
    ///
    /// # Errors
    /// [`Misuse::State`] before EHLO, [`Misuse::TooManyCommands`], [`Misuse::Over`].
    pub fn rset(&mut self) -> Result<CommandId, Misuse> {
        self.plain(&Command::Rset)
    }

    /// Asks for a sign of life.
    ///
    /// # Errors
    /// As [`rset`](Self::rset).
    pub fn noop(&mut self) -> Result<CommandId, Misuse> {
        self.plain(&Command::Noop(None))
    }

    /// Asks whether a mailbox exists. Most servers do not say.
    ///
    /// # Errors
    /// As [`rset`](Self::rset); [`Misuse::NeedsSmtpUtf8`].
    pub fn vrfy(&mut self, who: &Argument) -> Result<CommandId, Misuse> {
        if !who.as_str().is_ascii() {
            return Err(Misuse::NeedsSmtpUtf8);
        }
        self.plain(&Command::Vrfy(who.clone()))
    }

    fn plain(&mut self, command: &Command) -> Result<CommandId, Misuse> {
        if !self.end.is_over() && self.state != State::Ready {
            return Err(Misuse::State);
        }
        self.enqueue(command, |verb, line| Kind::Plain { verb, line })
    }

    /// Ends the session, behind everything that is waiting.
    ///
    /// # Errors
    /// [`Misuse::State`] before the greeting, [`Misuse::Over`].
    pub fn quit(&mut self) -> Result<CommandId, Misuse> {
        self.enqueue(&Command::Quit, |_, _| Kind::Quit)
    }

    /// Takes the event that [`Need::Event`] announced; `None` when there is none.
    ///
    /// # Errors
    /// Why the connection ended. It is the last event.
    pub fn event(&mut self) -> Option<Result<Event, Error>> {
        if let Some(event) = self.ready.pop_front() {
            return Some(Ok(event));
        }
        if let Some(error) = self.end.report() {
            return Some(Err(error));
        }
        None
    }

    fn enqueue(
        &mut self,
        command: &Command,
        kind: impl FnOnce(&'static str, Vec<u8>) -> Kind,
    ) -> Result<CommandId, Misuse> {
        if self.end.is_over() {
            return Err(Misuse::Over);
        }
        let quitting = self.in_flight.iter().chain(&self.outgoing).any(|p| matches!(p.kind, Kind::Quit));
        if quitting || !self.state.allows(command) {
            return Err(Misuse::State);
        }
        if self.pending() >= self.config.limits.commands {
            return Err(Misuse::TooManyCommands);
        }
        let mut line = String::new();
        let _ = grammar::write_command(command, &mut line);
        Ok(self.push(kind(command.verb(), line.into_bytes())))
    }

    fn push(&mut self, kind: Kind) -> CommandId {
        self.rest();
        self.next_id = self.next_id.saturating_add(1);
        let id = CommandId(self.next_id);
        self.outgoing.push_back(Pending { id, kind });
        id
    }

    /// The caller gives something. A wait from before that, if nothing was to be waited for meanwhile, is not gone on with.
    pub(super) fn rest(&mut self) {
        if self.wait().is_none() {
            self.watch = Watch::default();
        }
    }

    /// Whether commands go out in groups.
    fn pipelines(&self) -> bool {
        self.config.pipelining && self.capabilities.as_ref().is_some_and(Capabilities::pipelining)
    }

    fn fail(&mut self, error: Error) {
        if self.end.is_over() {
            return;
        }
        let error = match self.in_doubt() {
            Some(id) if !matches!(error, Error::Unknown { .. }) => {
                Error::Unknown { id, cause: Box::new(error) }
            }
            _ => error,
        };
        self.end.fail(error);
        self.out.clear();
    }

    /// Whether a complete message waits in the outbox and has not all been handed to the driver.
    fn is_handing_over(&self) -> bool {
        match self.in_flight.front().map(|p| &p.kind) {
            Some(Kind::Message(t)) => match t.progress {
                Progress::Outcome { end, .. } => self.out.total_sent() < end,
                Progress::Bdat(_) => true,
                _ => false,
            },
            _ => false,
        }
    }
}

impl Machine for Client {
    fn advance(&mut self, input: &mut InBuf, now: Tick) -> Need {
        self.watch.take_back(now);
        if !self.end.is_over() {
            self.receive(input, now);
        }
        if !self.ready.is_empty() {
            self.watch.lend(now);
            return Need::Event;
        }
        if let Some(need) = self.end.need() {
            return need;
        }
        if let Ok(Some(need)) = self.upgrade.look(input) {
            return need;
        }
        // What came before a command was written is not its reply; the rest of that line must not be taken for one.
        if !self.in_flight.is_empty() || input.is_empty() {
            self.pump();
        }
        let (wait, moved) = (self.wait(), self.out.moved(input));
        self.watch.set(wait, now, moved);
        match () {
            () if self.state == State::Greeting => Need::Input,
            () if !self.is_busy() => Need::App,
            () if self.is_writing() && self.has_room() => Need::App,
            () => Need::Input,
        }
    }

    fn output(&mut self) -> &mut OutBuf {
        &mut self.out
    }

    fn deadline(&self) -> Option<Tick> {
        self.watch.deadline()
    }

    fn upgraded(&mut self, done: Upgraded) {
        if !self.upgrade.done(&done) {
            return;
        }
        self.tls = true;
        // Everything learnt in the clear may have been somebody else's words (RFC 3207 section 4.2).
        self.capabilities = None;
        self.authenticated = false;
        self.state = State::Hello;
        self.ready.extend(self.starttls.take().map(Event::Completed));
    }
}

/// Shows the state, no content: who writes to whom is nobody's business.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("state", &self.state)
            .field("tls", &self.tls)
            .field("authenticated", &self.authenticated)
            .field("pending", &self.pending())
            .field("out", &self.out)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}
