//! The server machine.
//!
//! It frames commands, answers nothing by itself and knows nothing of mailboxes: the application is told of every
//! command and answers it. One command at a time: while one is being answered the next one stays in the buffer, so
//! replies go out in the order of the commands whatever a client pipelines (RFC 3501 section 5.5).
//!
//! ```text
//! advance ─ Need::Event ─ event() ─┐            Command, Append, Authenticate …
//!    ▲                             ▼
//!    └────── Need::App ── untagged() · fetch_…() · complete()
//! ```
//!
//! | module | what it does |
//! |---|---|
//! | `receive` | what arrives, up to the next event |
//! | `take` | events out of framed octets, and which of them the state allows |
//! | `reply` | the application's answers |
//! | `fetch` | FETCH data with bodies of any size, streamed out |
//! | `append` | messages of any size, streamed in |
//! | `sign_in` | AUTHENTICATE around [`sasl::ServerExchange`] |

mod append;
mod config;
mod error;
mod event;
mod fetch;
mod receive;
mod reply;
mod sign_in;
mod take;

use alloc::vec::Vec;
use core::fmt;

use sasl::ServerSignIn;
use wire::{InBuf, Machine, Need, OutBuf, Tick, Upgrade, Upgraded, Watch, literal};

pub use config::{Config, Rush, Timeouts};
pub use error::{Error, Fault, Wait, Whence};
pub use event::Event;

use crate::frame::command::{Announced, Broken, CommandFramer};
use crate::session::State;
use crate::types::Tag;

/// Longest tag that is taken, in octets.
const TAG: usize = 255;

/// Room for what stands in front of an initial response, in octets.
const AUTHENTICATE: usize = TAG + 64;

/// Room to read into behind the longest command, in octets.
const READ: usize = 16 << 10;

/// The server side of one IMAP connection, as a pure function of octets and time.
///
/// See [`wire::machine`] for the contract and [`Event`] for the conversation. Begin with
/// [`greet`](Self::greet).
///
/// While the outbox is full ([`Limits::outbox`](wire::Limits::outbox)) the answer of `advance` is [`Need::Input`], and
/// [`can_write`](Self::can_write) tells an application when to pause. Only [`write_body`](Self::write_body) takes less than it is
/// given; all other calls are for small things and take them whole.
pub struct Server {
    config: Config,
    out: OutBuf,
    framer: CommandFramer,
    state: State,
    tls: bool,
    phase: Phase,
    /// An event that borrows nothing.
    ready: Option<Event<'static>>,
    /// Octets of the input that the last event borrowed.
    release: usize,
    fetch: Option<fetch::Open>,
    upgrade: Upgrade,
    watch: Watch<Wait>,
    /// Octets of commands before authentication.
    pre_auth: u64,
    /// Memory for encoding replies.
    scratch: Vec<u8>,
}

/// What happens next.
enum Phase {
    /// The application greets.
    Greeting,
    /// The next command is read.
    Command,
    /// A command has been framed and can be taken.
    Framed { len: usize, message: Option<Announced> },
    /// A command has been framed as far as possible.
    Broken { broken: Broken, tag: Option<Tag<'static>> },
    /// The application answers.
    Answering(Current),
    /// The application decides on an APPEND.
    Deciding(Current, Announced),
    /// Octets of a message go past.
    Body(Current, literal::Countdown),
    /// A stretch of the message can be taken.
    Chunk(Current, literal::Countdown, usize),
    /// The rest of APPEND's line is read.
    Behind(Current),
    /// A message that nobody wants goes past, and then the reply goes out.
    Discarding(literal::Countdown, Reply),
    /// The rest of its line.
    DiscardingLine(Reply),
    /// A SASL exchange, at whichever turn.
    SignIn(Current, ServerSignIn),
    /// The application decides on IDLE.
    Waking(Current),
    /// `DONE` is read.
    Idling(Current),
    /// TLS is being negotiated.
    Upgrading,
    /// The error is to be reported.
    Failed(Error),
    /// It is over.
    Over,
}

/// The command being answered.
#[derive(Debug)]
struct Current {
    tag: Option<Tag<'static>>,
    /// The state if it succeeds.
    then: State,
    /// The state if it does not.
    otherwise: State,
    after: After,
    /// Octets that come unasked behind the command and must be discarded.
    unasked: Option<u64>,
}

/// What follows the reply to a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    /// The next command.
    Next,
    /// TLS, if it succeeds.
    Tls,
    /// The end, if it succeeds.
    Logout,
    /// The end.
    Close,
}

/// A reply that waits for its turn.
#[derive(Debug)]
struct Reply {
    octets: Vec<u8>,
    state: State,
    /// [`After::Close`] closes whatever the reply was.
    after: After,
}

impl Server {
    /// A server at the start of a connection.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            out: OutBuf::new(),
            framer: CommandFramer::default(),
            state: State::Greeting,
            tls: config.security.begins_with_tls(),
            phase: Phase::Greeting,
            ready: None,
            release: 0,
            fetch: None,
            upgrade: Upgrade::default(),
            watch: Watch::default(),
            pre_auth: 0,
            scratch: Vec::new(),
        }
    }

    /// Where the session stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// Whether TLS is in place.
    pub fn is_secure(&self) -> bool {
        self.tls
    }

    /// Whether a command waits for the application's answer: [`complete`](Self::complete) or, where there is one, the call that
    /// its event names.
    pub fn is_answering(&self) -> bool {
        self.phase.is_answering()
    }

    /// Whether the client is in IDLE and hears news at once.
    pub fn is_idling(&self) -> bool {
        matches!(self.phase, Phase::Idling(_))
    }

    /// Whether there is room in the outbox. An application that produces much asks before each item and otherwise lets the
    /// driver go on.
    pub fn can_write(&self) -> bool {
        self.room() > 0
    }

    fn room(&self) -> usize {
        self.config.limits.outbox.max(1).saturating_sub(self.out.len())
    }

    /// The largest number of unread octets that an [`InBuf`] must hold for this machine. Larger only lets a client that
    /// pipelines fill more memory.
    pub fn inbox(&self) -> usize {
        let limits = &self.config.limits;
        let literal = usize::try_from(limits.literal.max(limits.pre_auth_literal)).unwrap_or(usize::MAX);
        let line =
            limits.line.max(limits.pre_auth_line).max(self.sasl_limits().line().saturating_add(AUTHENTICATE));
        line.saturating_add(literal).saturating_add(READ)
    }

    /// Limits for a [`ServerExchange`](sasl::ServerExchange) that agree with this connection's.
    pub fn sasl_limits(&self) -> sasl::Limits {
        (&self.config.limits).into()
    }

    /// Takes the event that [`Need::Event`] announced; `None` when there is none.
    ///
    /// # Errors
    /// Why the connection ended. It is the last event.
    pub fn event<'b>(&mut self, input: &'b InBuf) -> Option<Result<Event<'b>, Error>> {
        if let Some(event) = self.ready.take() {
            return Some(Ok(event));
        }
        self.take(input)
    }

    /// Ends the connection once everything pending has been sent. A `BYE` to go with it is
    /// [`untagged`](Self::untagged).
    pub fn disconnect(&mut self) {
        self.phase = Phase::Over;
        self.state = State::Logout;
        self.fetch = None;
        self.ready = None;
    }

    fn push(&mut self, octets: &[u8]) {
        self.out.push(octets);
    }

    /// What is pending still goes out: whether it had gone before the error was seen is a matter of how the input was cut.
    fn fail(&mut self, error: Error) {
        self.phase = Phase::Failed(error);
        self.state = State::Logout;
        self.fetch = None;
        self.ready = None;
    }

    fn is_authenticated(&self) -> bool {
        matches!(self.state, State::Authenticated | State::Selected)
    }

    /// Takes the phase out, to put another in its place.
    fn take_phase(&mut self) -> Phase {
        core::mem::replace(&mut self.phase, Phase::Over)
    }
}

impl Machine for Server {
    fn advance(&mut self, input: &mut InBuf, now: Tick) -> Need {
        input.consume(core::mem::take(&mut self.release));
        let need = self.receive(input);
        let wait = (need == Need::Input).then(|| self.wait(input));
        // The time to sign in goes on whatever happens; the others begin anew with the next wait.
        match self.watch.serve(wait, !self.is_authenticated(), now, self.out.moved(input)) {
            Some(kind) => {
                self.fail(Error::TimedOut(kind));
                Need::Event
            }
            None => need,
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
        self.phase = Phase::Command;
        self.framer.reset();
        self.pre_auth = 0;
        self.watch = Watch::default();
    }
}

/// Shows where it stands, nothing of what was said.
impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("state", &self.state)
            .field("tls", &self.tls)
            .field("phase", &self.phase.name())
            .field("out", &self.out)
            .finish_non_exhaustive()
    }
}

impl Phase {
    /// Whether a command waits for a call of the application.
    fn is_answering(&self) -> bool {
        match self {
            Self::Answering(_) | Self::Deciding(..) | Self::Waking(_) => true,
            Self::SignIn(_, sign_in) => !sign_in.is_challenged(),
            _ => false,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Greeting => "greeting",
            Self::Command => "command",
            Self::Framed { .. } | Self::Broken { .. } | Self::Chunk(..) => "event",
            Self::Answering(_) => "answering",
            Self::Deciding(..) | Self::Waking(_) => "deciding",
            Self::Body(..) | Self::Behind(_) => "message",
            Self::Discarding(..) | Self::DiscardingLine(_) => "discarding",
            Self::SignIn(_, sign_in) => sign_in.stage(),
            Self::Idling(_) => "idling",
            Self::Upgrading => "upgrading",
            Self::Failed(_) => "failed",
            Self::Over => "over",
        }
    }
}
