//! The client machine.
//!
//! | module | what it does |
//! |---|---|
//! | `queue` | commands on their way out |
//! | `receive` | status lines in, sequencing, the end of the stream |
//! | `reply` | what a status line means for the command in flight |
//! | `multi` | the lines behind a status line, streamed |
//! | `wait` | which wait runs, and for how long |

mod event;
mod multi;
mod queue;
mod receive;
mod reply;
mod wait;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::fmt;

use sasl::{ClientExchange, ClientMechanism, Room};
use wire::line::LineScanner;
use wire::{End, InBuf, Limit, Machine, Need, OutBuf, Redactor, Tick, Upgrade, Upgraded, Watch};

pub use event::{CommandId, Completed, Event};
use multi::{Current, Multi};
use queue::{Kind, Pending, Queue};
use wait::Waiting;

use crate::config::{Config, InitialResponse};
use crate::error::{Error, Misuse};
use crate::grammar::{self, COMMAND_LINE};
use crate::session::{Lines, State};
use crate::types::{Capabilities, Capability, Command, Digest, Mechanism, Name, Password, Timestamp};

/// Room to read into behind the longest line, in octets.
const READ: usize = 64 << 10;

/// The client side of one POP3 connection, as a pure function of octets and time.
///
/// Give commands at any time; they are written ahead of the replies as far as the server allows
/// (PIPELINING), and their replies come back as [`Event`]s in the same order. See [`wire::machine`] for the contract.
pub struct Client {
    config: Config,
    out: OutBuf,
    scanner: LineScanner,
    state: State,
    /// The state when everything queued succeeds: what the next command is judged by.
    expected: State,
    tls: bool,
    /// UTF8 has been accepted; STLS must not follow (RFC 6856 section 2.1).
    utf8: bool,
    capabilities: Option<Capabilities>,
    timestamp: Option<Timestamp>,
    queue: Queue,
    next_id: u64,
    current: Current,
    multi: Option<Multi>,
    /// Events made by the machine itself, oldest first.
    ready: VecDeque<Event<'static>>,
    /// Octets of the input that the last event borrowed.
    release: usize,
    upgrade: Upgrade,
    /// The reply to STLS, reported when the handshake is done.
    stls: Option<Box<Completed>>,
    /// Messages are marked as deleted: the reply to QUIT says whether they are gone.
    marked: bool,
    end: End<Error>,
    watch: Watch<Waiting>,
    redactor: Redactor,
    pre_auth: u64,
}

impl Client {
    /// A client at the start of a connection.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            out: OutBuf::new(),
            scanner: LineScanner::default(),
            state: State::Greeting,
            expected: State::Authorization,
            tls: config.security.begins_with_tls(),
            utf8: false,
            capabilities: None,
            timestamp: None,
            queue: Queue::default(),
            next_id: 0,
            current: Current::None,
            multi: None,
            ready: VecDeque::new(),
            release: 0,
            upgrade: Upgrade::default(),
            stls: None,
            marked: false,
            end: End::default(),
            watch: Watch::default(),
            redactor: Redactor::new(),
            pre_auth: 0,
        }
    }

    /// Where the session stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// What the server says it can do: the last complete reply to CAPA since the last change of security.
    pub fn capabilities(&self) -> Option<&Capabilities> {
        self.capabilities.as_ref()
    }

    /// The timestamp for APOP's digest, if the greeting had one. One that was said in the clear is forgotten with TLS, because
    /// whoever wrote it may have chosen it to find the password out.
    pub fn timestamp(&self) -> Option<&Timestamp> {
        self.timestamp.as_ref()
    }

    /// The largest number of unread octets that an [`InBuf`] must hold for this machine.
    pub fn inbox(&self) -> usize {
        let limits = &self.config.limits;
        limits.line.max(limits.pre_auth_line).max(self.sasl_line()).saturating_add(READ)
    }

    /// Longest challenge, in octets with the `+` in front and its CRLF.
    fn sasl_line(&self) -> usize {
        sasl::Limits::from(&self.config.limits).line().saturating_add("+ ".len())
    }

    /// Whether TLS is in place.
    pub fn is_secure(&self) -> bool {
        self.tls
    }

    /// Whether commands are waiting to be sent or answered.
    pub fn is_busy(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Whether commands are written ahead of replies: the server has said PIPELINING.
    pub fn is_pipelining(&self) -> bool {
        self.capabilities.as_ref().is_some_and(|c| c.has(&Capability::Pipelining))
    }

    /// Blots this connection's credentials out of any text.
    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// Gives a command. USER and PASS, APOP, AUTH and STLS have methods of their own.
    ///
    /// # Errors
    /// [`Misuse::State`] when the command is not allowed where the session will stand, [`Misuse::Invalid`] when a value cannot be
    /// written, [`Misuse::TooManyCommands`], [`Misuse::Over`].
    pub fn send(&mut self, command: &Command) -> Result<CommandId, Misuse> {
        let kind = match command {
            Command::User(_)
            | Command::Pass(_)
            | Command::Apop { .. }
            | Command::Auth { .. }
            | Command::Stls
            | Command::Unknown { .. } => return Err(Misuse::State),
            Command::Stat => Kind::Stat,
            Command::List(Some(_)) => Kind::Scan,
            Command::Uidl(Some(_)) => Kind::UniqueId,
            Command::Utf8 => Kind::Utf8,
            Command::Dele(_) => Kind::Dele,
            Command::Rset => Kind::Rset,
            Command::Quit => Kind::Quit,
            _ => Kind::Plain,
        };
        let then = self.expected.after(command);
        self.enqueue(command, kind, then)
    }

    /// Asks for TLS. Completed when the handshake is done; everything known before is forgotten.
    ///
    /// # Errors
    /// [`Misuse::State`] when TLS is in place already, after UTF8 (RFC 6856 section 2.1), or when anything is in flight.
    pub fn stls(&mut self) -> Result<CommandId, Misuse> {
        if self.tls || self.utf8 || !self.queue.is_empty() {
            return Err(Misuse::State);
        }
        self.enqueue(&Command::Stls, Kind::Stls, self.expected)
    }

    /// Signs in by USER and PASS (RFC 1939 section 7). The password goes out when the name has been accepted; whichever is
    /// refused completes the command.
    ///
    /// # Errors
    /// [`Misuse::NoTls`] without TLS (unless the configuration says [`DangerousPlaintext`](wire::Security::DangerousPlaintext)), and as
    /// [`send`](Self::send).
    pub fn login(&mut self, name: &Name, password: &Password) -> Result<CommandId, Misuse> {
        self.may_sign_in()?;
        self.redactor.add(password.expose());
        let kind = Kind::Login(Some(password.clone()));
        self.enqueue(&Command::User(name.clone()), kind, State::Transaction)
    }

    /// Signs in by APOP (RFC 1939 section 7) with the digest over [`timestamp`](Self::timestamp) and the shared secret.
    ///
    /// # Errors
    /// [`Misuse::NoTimestamp`] when the server offers none, and as [`login`](Self::login).
    pub fn apop(&mut self, name: &Name, digest: &Digest) -> Result<CommandId, Misuse> {
        self.may_sign_in()?;
        if self.timestamp.is_none() {
            return Err(Misuse::NoTimestamp);
        }
        self.redactor.add(digest.expose().as_bytes());
        let command = Command::Apop { name: name.clone(), digest: digest.clone() };
        self.enqueue(&command, Kind::Apop, State::Transaction)
    }

    /// Signs in with a SASL mechanism (RFC 5034). An initial response rides on the command only where the
    /// [configuration](InitialResponse) says so and the line stays within [`COMMAND_LINE`].
    ///
    /// # Errors
    /// [`Misuse::Sasl`] when the mechanism refuses its credentials, and as [`login`](Self::login).
    pub fn authenticate(&mut self, mechanism: Box<dyn ClientMechanism>) -> Result<CommandId, Misuse> {
        if mechanism.needs_tls() {
            self.may_sign_in()?;
        }
        let name = Mechanism::new(mechanism.name()).map_err(Misuse::Invalid)?;
        let around = "AUTH  \r\n".len().saturating_add(name.as_str().len());
        let room = match self.config.initial_response {
            InitialResponse::Never => Room::None,
            InitialResponse::WhenShort => Room::Octets(COMMAND_LINE.saturating_sub(around)),
        };
        let (exchange, initial) =
            ClientExchange::begin(mechanism, (&self.config.limits).into(), room, &mut self.redactor)
                .map_err(Misuse::Sasl)?;
        let command = Command::Auth { mechanism: name, initial };
        self.enqueue(&command, Kind::Authenticate(exchange), State::Transaction)
    }

    /// Takes the event that [`Need::Event`] announced; `None` when there is none.
    ///
    /// # Errors
    /// Why the connection ended. It is the last event.
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

    fn enqueue(&mut self, command: &Command, kind: Kind, then: State) -> Result<CommandId, Misuse> {
        if self.end.is_over() {
            return Err(Misuse::Over);
        }
        if !self.expected.allows(command) {
            return Err(Misuse::State);
        }
        if self.queue.len() >= self.config.limits.commands {
            return Err(Misuse::TooManyCommands);
        }
        let fragments = grammar::write_command(command).map_err(Misuse::Invalid)?;
        let id = CommandId(self.next_id.saturating_add(1));
        self.next_id = id.0;
        self.rest();
        let then = (then != self.expected).then_some(then);
        self.expected = then.unwrap_or(self.expected);
        self.queue.outgoing.push_back(Pending { id, kind, lines: Lines::of(command), fragments, then });
        Ok(id)
    }

    /// The caller gives something. A wait from before that, if nothing was to be waited for meanwhile, is not gone on with.
    fn rest(&mut self) {
        if self.wait().is_none() {
            self.watch = Watch::default();
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

    /// Whether what the server says is nobody's word yet: in the clear, where TLS is to come.
    fn is_unprotected(&self) -> bool {
        self.config.security == wire::Security::StartTls && !self.tls
    }
}

impl Machine for Client {
    fn advance(&mut self, input: &mut InBuf, now: Tick) -> Need {
        input.consume(core::mem::take(&mut self.release));
        self.watch.take_back(now);
        if !self.end.is_over() {
            self.receive(input, now);
        }
        if !self.ready.is_empty() || self.current != Current::None {
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
        let unasked = self.queue.in_flight.is_empty() && !input.is_empty();
        if self.state != State::Greeting && !unasked {
            let ahead = self.is_pipelining();
            self.queue.pump(&mut self.out, self.config.limits.outbox, ahead);
        }
        let (wait, moved) = (self.wait(), self.out.moved(input));
        self.watch.set(wait, now, moved);
        if self.state != State::Greeting && self.queue.is_empty() { Need::App } else { Need::Input }
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
        // Everything learnt in the clear may have been somebody else's words (RFC 2595 section 4).
        self.capabilities = None;
        self.timestamp = None;
        self.pre_auth = 0;
        self.ready.extend(self.stls.take().map(Event::Completed));
    }
}

/// Shows the state, no content: names of users are nobody's business.
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
