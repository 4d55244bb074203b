//! The client machine.
//!
//! | module | what it does |
//! |---|---|
//! | `queue` | commands on their way out |
//! | `receive` | what arrives, up to the next event |
//! | `reply` | what a response means for the commands in flight |
//! | `take` | events out of framed octets |
//! | `wait` | which wait runs, and for how long |

mod event;
mod queue;
mod receive;
mod reply;
mod take;
mod wait;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::fmt;

use sasl::{ClientExchange, ClientMechanism, Room};
use wire::{End, InBuf, Limit, Machine, Need, OutBuf, Redactor, Tick, Upgrade, Upgraded, Watch, literal};

pub use event::{CommandId, Completed, Event, Fetch};
use queue::{Kind, LiteralMode, Pending, Queue};
use receive::Current;
use wait::Waiting;

use crate::config::{Config, InitialResponse};
use crate::error::{Error, Misuse};
use crate::frame::Framer;
use crate::grammar::{Encoder, Fragment};
use crate::session::State;
use crate::types::{AppendLiteral, Atom, Capabilities, Capability, Command, DateTime, FlagSet, Mailbox, Tag};

/// The client side of one IMAP connection, as a pure function of octets and time.
///
/// Give commands at any time; they are pipelined as far as the protocol allows and their data and replies come
/// back as [`Event`]s in the order the server sent them. See [`wire::machine`] for the contract.
pub struct Client {
    config: Config,
    out: OutBuf,
    framer: Framer,
    state: State,
    /// The state when everything queued succeeds: what the next command is judged by.
    expected: State,
    /// A SELECT or EXAMINE has been given; ENABLE must not follow (RFC 5161 section 3.1).
    selected: bool,
    tls: bool,
    capabilities: Option<Capabilities<'static>>,
    queue: Queue,
    next_id: u64,
    current: Current,
    /// Events made by the machine itself, oldest first.
    ready: VecDeque<Event<'static>>,
    /// Octets of the input that the last event borrowed.
    release: usize,
    body: Option<literal::Countdown>,
    /// FETCH data that could not be parsed is dropped up to its end.
    abandoned: bool,
    upgrade: Upgrade,
    /// The reply to STARTTLS, reported when the handshake is done.
    starttls: Option<Box<Completed>>,
    /// The APPEND whose caller knows that its message is wanted.
    told: Option<CommandId>,
    end: End<Error>,
    watch: Watch<Waiting>,
    redactor: Redactor,
    chatter: u32,
    pre_auth: u64,
}

impl Client {
    /// A client at the start of a connection.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            out: OutBuf::new(),
            framer: Framer::new(),
            state: State::Greeting,
            expected: State::NotAuthenticated,
            selected: false,
            tls: config.security.begins_with_tls(),
            capabilities: None,
            queue: Queue::default(),
            next_id: 0,
            current: Current::None,
            ready: VecDeque::new(),
            release: 0,
            body: None,
            abandoned: false,
            upgrade: Upgrade::default(),
            starttls: None,
            told: None,
            end: End::default(),
            watch: Watch::default(),
            redactor: Redactor::new(),
            chatter: 0,
            pre_auth: 0,
        }
    }

    /// Where the session stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// What the server says it can do, as far as it has said so since the last change of security or identity.
    pub fn capabilities(&self) -> Option<&Capabilities<'static>> {
        self.capabilities.as_ref()
    }

    /// Whether TLS is in place.
    pub fn is_secure(&self) -> bool {
        self.tls
    }

    /// Whether commands are waiting to be sent or answered.
    pub fn is_busy(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Blots this connection's credentials out of any text.
    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// Gives a command.
    ///
    /// APPEND, AUTHENTICATE, STARTTLS and IDLE have methods of their own: they are conversations.
    ///
    /// # Errors
    /// [`Misuse::State`] when the command is not allowed where the session will stand (ENABLE: behind a SELECT or EXAMINE, RFC 5161
    /// section 3.1), [`Misuse::Invalid`] when a value cannot be written, [`Misuse::NoTls`], [`Misuse::LoginDisabled`], [`Misuse::TooManyCommands`], [`Misuse::Over`].
    pub fn send(&mut self, command: &Command<'_>) -> Result<CommandId, Misuse> {
        let kind = match command {
            Command::Append { .. } | Command::Authenticate { .. } | Command::StartTls | Command::Idle => {
                return Err(Misuse::State);
            }
            Command::Enable(_) if self.selected => return Err(Misuse::State),
            Command::Login { password, .. } => {
                self.may_sign_in()?;
                if self.capabilities.as_ref().is_some_and(|c| c.has(&Capability::LoginDisabled)) {
                    return Err(Misuse::LoginDisabled);
                }
                self.redactor.add(password.expose());
                Kind::Login
            }
            Command::Select { .. } | Command::Examine { .. } => Kind::Select,
            Command::Close | Command::Unselect => Kind::Deselect,
            Command::Logout => Kind::Logout,
            _ => Kind::Plain,
        };
        self.enqueue(command, kind)
    }

    /// Asks for TLS. Completed when the handshake is done; everything known before is forgotten.
    ///
    /// # Errors
    /// [`Misuse::State`] when TLS is in place already or anything is in flight.
    pub fn starttls(&mut self) -> Result<CommandId, Misuse> {
        if self.tls || !self.queue.is_empty() {
            return Err(Misuse::State);
        }
        self.enqueue(&Command::StartTls, Kind::StartTls)
    }

    /// Signs in with a SASL mechanism. The initial response rides on the command where RFC 4959 allows it.
    ///
    /// # Errors
    /// [`Misuse::NoTls`] without TLS (unless the configuration says [`DangerousPlaintext`](wire::Security::DangerousPlaintext)),
    /// [`Misuse::Sasl`] when the mechanism refuses its credentials.
    pub fn authenticate(&mut self, mechanism: Box<dyn ClientMechanism>) -> Result<CommandId, Misuse> {
        if !self.expected.allows(&Command::Noop) || self.expected != State::NotAuthenticated {
            return Err(Misuse::State);
        }
        if mechanism.needs_tls() {
            self.may_sign_in()?;
        }
        let advertised = self.capabilities.as_ref().is_some_and(|c| c.has(&Capability::SaslIr));
        let inline = match self.config.initial_response {
            InitialResponse::Advertised => advertised,
            InitialResponse::Always => true,
            InitialResponse::Never => false,
        };
        let (exchange, initial) = ClientExchange::begin(
            mechanism,
            (&self.config.limits).into(),
            if inline { Room::Unlimited } else { Room::None },
            &mut self.redactor,
        )
        .map_err(Misuse::Sasl)?;
        let mechanism = Atom::new(exchange.mechanism()).map_err(Misuse::Invalid)?;
        let command = Command::Authenticate { mechanism, initial };
        self.enqueue(&command, Kind::Authenticate(exchange))
    }

    /// Begins an APPEND of `len` octets. Write them with [`write_body`](Self::write_body) when
    /// [`Event::WantsBody`] has come.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn append(
        &mut self,
        mailbox: Mailbox<'_>,
        flags: FlagSet<'_>,
        date: Option<DateTime>,
        len: u64,
    ) -> Result<CommandId, Misuse> {
        let rush = self.literal_mode().may_rush(len);
        let literal = AppendLiteral { len, sync: !rush, binary: false };
        let command = Command::Append { mailbox, flags, date, literal };
        self.enqueue(&command, Kind::Append { left: len, invited: rush })
    }

    /// Writes octets of the message that the server has invited. Returns how many were taken: fewer than given when the
    /// outbox is full; drive the connection and go on.
    ///
    /// # Errors
    /// [`Misuse::NoBody`] when no body is wanted or more octets are given than were announced; [`Misuse::Over`].
    pub fn write_body(&mut self, chunk: &[u8]) -> Result<usize, Misuse> {
        if self.end.is_over() {
            return Err(Misuse::Over);
        }
        self.rest();
        let limit = self.config.limits.outbox;
        let Some(Pending { kind: Kind::Append { left, invited: true }, .. }) = self.queue.exclusive() else {
            return Err(Misuse::NoBody);
        };
        if chunk.len() as u64 > *left {
            return Err(Misuse::NoBody);
        }
        let n = chunk.len().min(limit.saturating_sub(self.out.len()));
        self.out.push(chunk.get(..n).unwrap_or_default());
        *left = left.saturating_sub(n as u64);
        if *left == 0 && n > 0 {
            self.out.push(b"\r\n");
        }
        Ok(n)
    }

    /// Waits for news (RFC 2177). [`Event::Idling`] says that the server listens; end it with [`done`](Self::done).
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn idle(&mut self) -> Result<CommandId, Misuse> {
        self.enqueue(&Command::Idle, Kind::Idle)
    }

    /// Ends IDLE.
    ///
    /// # Errors
    /// [`Misuse::State`] when no IDLE is in flight, [`Misuse::Over`].
    pub fn done(&mut self) -> Result<(), Misuse> {
        if self.end.is_over() {
            return Err(Misuse::Over);
        }
        match self.queue.exclusive() {
            Some(p) if matches!(p.kind, Kind::Idle | Kind::Idling) => {
                // Its invitation may still be on the way: until the reply it could be taken for another command's.
                p.kind = Kind::Done;
                self.out.push(b"DONE\r\n");
                Ok(())
            }
            _ => Err(Misuse::State),
        }
    }

    /// Takes the event that [`Need::Event`] announced; `None` when there is none.
    ///
    /// An `Err` is the last event of the connection.
    pub fn event<'b>(&mut self, input: &'b InBuf) -> Option<Result<Event<'b>, Error>> {
        if let Some(event) = self.ready.pop_front() {
            return Some(Ok(event));
        }
        if let Some(error) = self.end.report() {
            return Some(Err(error));
        }
        self.take_current(input).map(Ok)
    }

    fn may_sign_in(&self) -> Result<(), Misuse> {
        if self.config.security.allows_credentials(self.tls) { Ok(()) } else { Err(Misuse::NoTls) }
    }

    fn enqueue(&mut self, command: &Command<'_>, kind: Kind) -> Result<CommandId, Misuse> {
        if self.end.is_over() {
            return Err(Misuse::Over);
        }
        if !self.expected.allows(command) {
            return Err(Misuse::State);
        }
        if self.queue.len() >= self.config.limits.commands {
            return Err(Misuse::TooManyCommands);
        }
        let id = CommandId(self.next_id.saturating_add(1));
        let mut encoder = Encoder::new();
        crate::grammar::write_command(&tag(id)?, command, &mut encoder).map_err(Misuse::Invalid)?;
        self.next_id = id.0;
        self.selected |= matches!(kind, Kind::Select);
        self.rest();
        // Also where the session is expected to stand there already: what is ahead may fail.
        let changes = matches!(
            kind,
            Kind::Select | Kind::Deselect | Kind::Login | Kind::Authenticate(_) | Kind::Logout
        );
        let then = changes.then(|| self.expected.after(command));
        self.expected = then.unwrap_or(self.expected);
        let fragments: VecDeque<Fragment> = encoder.into_fragments().into();
        let pending = Pending { id, kind, fragments, begun: false, awaits_go_ahead: false, then };
        self.queue.outgoing.push_back(pending);
        Ok(id)
    }

    /// The caller gives something. A wait from before that, if nothing was to be waited for meanwhile, is not gone on with.
    fn rest(&mut self) {
        if self.wait().is_none() {
            self.watch = Watch::default();
        }
    }

    fn literal_mode(&self) -> LiteralMode {
        match &self.capabilities {
            Some(c) if c.has(&Capability::LiteralPlus) => LiteralMode::Plus,
            Some(c) if c.has(&Capability::LiteralMinus) => LiteralMode::Minus,
            _ => LiteralMode::Sync,
        }
    }

    fn fail(&mut self, error: Error) {
        if self.end.fail(error) {
            self.out.clear();
            self.current = Current::None;
        }
    }

    fn limit(&mut self, limit: Limit) {
        self.fail(Error::Limit(limit));
    }
}

fn tag(id: CommandId) -> Result<Tag<'static>, Misuse> {
    Tag::new(alloc::format!("A{}", id.0)).map_err(Misuse::Invalid)
}

impl Machine for Client {
    fn advance(&mut self, input: &mut InBuf, now: Tick) -> Need {
        input.consume(core::mem::take(&mut self.release));
        self.watch.take_back(now);
        if !self.end.is_over() {
            self.receive(input, now);
        }
        if !self.ready.is_empty() || !matches!(self.current, Current::None) {
            self.watch.lend(now);
            return Need::Event;
        }
        if let Some(need) = self.end.need() {
            return need;
        }
        if let Ok(Some(need)) = self.upgrade.look(input) {
            return need;
        }
        if self.state != State::Greeting {
            let mode = self.literal_mode();
            self.queue.pump(&mut self.out, mode, self.config.limits.outbox);
        }
        if self.invite_body() {
            self.watch.lend(now);
            return Need::Event;
        }
        let (wait, moved) = (self.wait(), self.out.moved(input));
        self.watch.set(wait, now, moved);
        if self.state == State::Greeting {
            return Need::Input;
        }
        if self.queue.is_empty() {
            return Need::App;
        }
        let outbox = self.config.limits.outbox;
        match self.queue.exclusive() {
            Some(Pending { kind: Kind::Append { left, invited: true }, .. }) if *left > 0 => {
                if self.out.len() < outbox { Need::App } else { Need::Input }
            }
            _ => Need::Input,
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
        // Everything learnt in the clear may have been somebody else's words (RFC 3501 section 6.2.1).
        self.capabilities = None;
        self.pre_auth = 0;
        self.chatter = 0;
        self.ready.extend(self.starttls.take().map(Event::Completed));
    }
}

/// Shows the state, no content: names of mailboxes and users are nobody's business.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("state", &self.state)
            .field("tls", &self.tls)
            .field("commands", &self.queue.len())
            .field("out", &self.out)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}
