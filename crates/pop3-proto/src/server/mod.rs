//! The server machine.
//!
//! It frames commands, answers nothing by itself and knows nothing of maildrops: the application is told of every command and
//! answers it. One command at a time: while one is being answered the next one stays in the buffer, so replies go out in the order
//! of the commands whatever a client pipelines (RFC 2449 section 6.6).
//!
//! ```text
//! advance ─ Need::Event ─ event() ─┐                Command, Login, Auth …
//!    ▲                             ▼
//!    └────── Need::App ── complete() · start() entry() write_body() end()
//! ```
//!
//! | module | what it does |
//! |---|---|
//! | `receive` | what arrives, up to the next event, and which commands the state allows |
//! | `reply` | the application's answers |
//! | `lines` | multi-line replies, messages of any size, streamed out |
//! | `sign_in` | AUTH around [`sasl::ServerExchange`] |

mod config;
mod error;
mod event;
mod lines;
mod receive;
mod reply;
mod sign_in;

use alloc::vec::Vec;
use core::fmt;

use sasl::ServerSignIn;
use wire::line::LineScanner;
use wire::{InBuf, Machine, Need, OutBuf, Tick, Upgrade, Upgraded, Watch};

pub use config::{Config, Timeouts};
pub use error::{Error, Fault, Wait, Whence};
pub use event::Event;

use crate::session::{Lines, State};
use crate::types::Name;

/// Room to read into behind the longest command, in octets.
const READ: usize = 16 << 10;

/// The server side of one POP3 connection, as a pure function of octets and time.
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
    scanner: LineScanner,
    state: State,
    tls: bool,
    phase: Phase,
    ready: Option<Event>,
    /// The USER that was accepted by the command before.
    named: Option<Name>,
    upgrade: Upgrade,
    watch: Watch<Wait>,
    /// Octets of commands before sign-in.
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
    /// The application answers.
    Answering(Current),
    /// The application writes the lines of its answer.
    Writing(Current, lines::Writer),
    /// A SASL exchange, at whichever turn.
    SignIn(Current, ServerSignIn),
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
    /// The state if it succeeds.
    then: State,
    after: After,
    /// What the lines of a success are.
    lines: Option<Lines>,
    /// The name that a success makes known.
    name: Option<Name>,
}

/// What follows the reply to a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    /// The next command.
    Next,
    /// TLS, if it succeeds.
    Tls,
    /// The end.
    Close,
}

impl Server {
    /// A server at the start of a connection.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            out: OutBuf::new(),
            scanner: LineScanner::default(),
            state: State::Greeting,
            tls: config.security.begins_with_tls(),
            phase: Phase::Greeting,
            ready: None,
            named: None,
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

    /// Whether there is room in the outbox. An application that produces much asks before each line and otherwise lets the
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
        limits.line.max(limits.pre_auth_line).max(self.sasl_limits().line()).saturating_add(READ)
    }

    /// Limits for a [`ServerExchange`](sasl::ServerExchange) that agree with this connection's.
    pub fn sasl_limits(&self) -> sasl::Limits {
        (&self.config.limits).into()
    }

    /// Takes the event that [`Need::Event`] announced; `None` when there is none.
    ///
    /// # Errors
    /// Why the connection ended. It is the last event.
    pub fn event(&mut self) -> Option<Result<Event, Error>> {
        if let Some(event) = self.ready.take() {
            return Some(Ok(event));
        }
        match self.phase {
            Phase::Failed(error) => {
                self.phase = Phase::Over;
                Some(Err(error))
            }
            _ => None,
        }
    }

    /// Ends the connection once everything pending has been sent.
    pub fn disconnect(&mut self) {
        self.phase = Phase::Over;
        self.state = State::Update;
        self.ready = None;
    }

    /// What is pending still goes out: whether it had gone before the error was seen is a matter of how the input was cut.
    fn fail(&mut self, error: Error) {
        self.phase = Phase::Failed(error);
        self.state = State::Update;
        self.ready = None;
    }

    fn is_authenticated(&self) -> bool {
        self.state == State::Transaction
    }

    /// Takes the phase out, to put another in its place.
    fn take_phase(&mut self) -> Phase {
        core::mem::replace(&mut self.phase, Phase::Over)
    }
}

impl Machine for Server {
    fn advance(&mut self, input: &mut InBuf, now: Tick) -> Need {
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
        self.scanner.reset();
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
            Self::Answering(_) | Self::Writing(..) => true,
            Self::SignIn(_, sign_in) => !sign_in.is_challenged(),
            _ => false,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Greeting => "greeting",
            Self::Command => "command",
            Self::Answering(_) => "answering",
            Self::Writing(..) => "writing",
            Self::SignIn(_, sign_in) => sign_in.stage(),
            Self::Upgrading => "upgrading",
            Self::Failed(_) => "failed",
            Self::Over => "over",
        }
    }
}
