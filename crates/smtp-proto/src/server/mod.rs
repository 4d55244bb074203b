//! The server machine.
//!
//! It frames commands, answers nothing by itself and knows nothing of mailboxes: the application is told of every command and answers
//! it. One command at a time: while one is being answered the next one stays in the buffer, so replies go out in the order
//! of the commands whatever a client pipelines (RFC 2920).
//!
//! ```text
//! advance ─ Need::Event ─ event() ─┐            Hello, Mail, Rcpt, Data, BodyChunk …
//!    ▲                             ▼
//!    └────── Need::App ── reply() · accept_data() · begin_auth() · verdict()
//! ```
//!
//! | module | what it does |
//! |---|---|
//! | `receive` | what arrives, up to the next event |
//! | `command` | which commands are allowed, and what they lead to |
//! | `message` | messages of any size, streamed in, by DATA and BDAT |
//! | `answer` | the application's answers |
//! | `sign_in` | AUTH around [`sasl::ServerExchange`] |
//!
//! Only CRLF . CRLF ends DATA. Whatever else might look like an end to another server is a [`MessageFault`].

mod answer;
mod command;
mod config;
mod error;
mod event;
mod message;
mod receive;
mod sign_in;

use core::fmt;

use sasl::ServerSignIn;
use wire::line::LineScanner;
use wire::{InBuf, Machine, Need, OutBuf, Tick, Upgrade, Upgraded, Watch};

pub use config::{Config, Newlines, Timeouts};
pub use error::{Error, Fault, MessageFault, Wait, Whence};
pub use event::{Event, HelloKind};

use crate::session::State;
use crate::types::{BodyType, Capabilities};
use message::{Incoming, Source};

/// Room for what stands in front of an initial response, in octets.
const AUTH: usize = 64;

/// Room to read into behind the longest command, in octets.
const READ: usize = 16 << 10;

/// The server side of one connection, as a pure function of octets and time.
///
/// See [`wire::machine`] for the contract and [`Event`] for the conversation. Begin with [`greet`](Self::greet).
pub struct Server {
    config: Config,
    out: OutBuf,
    scanner: LineScanner,
    state: State,
    tls: bool,
    authenticated: bool,
    /// The greeting was a refusal.
    closed_shop: bool,
    /// What the last EHLO or LHLO was told.
    offered: Option<Capabilities>,
    transaction: Transaction,
    phase: Phase,
    /// An event that borrows nothing.
    ready: Option<Event<'static>>,
    /// Octets of the input that the last event borrowed.
    release: usize,
    upgrade: Upgrade,
    watch: Watch<Wait>,
    /// Octets of commands before a sign-in.
    pre_auth: u64,
}

/// What MAIL and RCPT have said.
#[derive(Debug, Default)]
struct Transaction {
    recipients: usize,
    smtputf8: bool,
    body: Option<BodyType>,
    /// A chunk was refused.
    failed: bool,
    /// The message as far as it came by BDAT.
    incoming: Incoming,
}

/// What happens next.
enum Phase {
    /// The application greets.
    Greeting,
    /// The next command is read.
    Command,
    /// A line that is too long goes past; so much of it has.
    Skipping(u64),
    /// The application answers.
    Answering(Answer),
    /// The application decides on DATA.
    Offered,
    /// Octets of a message go past.
    Body(Source),
    /// A stretch of the message can be taken: octets in front of it, its length, octets behind it.
    Chunk(Source, usize, usize, usize),
    /// Octets of a chunk that nobody wants go past, and then the fault is told.
    Discarding(u64, Fault),
    /// A SASL exchange, at whichever turn.
    SignIn(ServerSignIn),
    /// TLS is being negotiated.
    Upgrading,
    /// The error is to be reported.
    Failed(Error),
    /// It is over.
    Over,
}

/// What an answer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Hello(HelloKind),
    StartTls,
    Mail {
        smtputf8: bool,
        body: Option<BodyType>,
    },
    Rcpt,
    Rset,
    Quit,
    /// NOOP, VRFY, EXPN, HELP.
    Plain,
    /// A fault.
    Bad {
        closes: bool,
    },
    /// A chunk; whether it can be accepted.
    Chunk {
        fine: bool,
    },
    /// A message; whether it can be accepted, and replies that are due.
    Message {
        fine: bool,
        due: usize,
    },
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
            authenticated: false,
            closed_shop: false,
            offered: None,
            transaction: Transaction::default(),
            phase: Phase::Greeting,
            ready: None,
            release: 0,
            upgrade: Upgrade::default(),
            watch: Watch::default(),
            pre_auth: 0,
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

    /// Whether the client has signed in.
    pub fn is_authenticated(&self) -> bool {
        self.authenticated
    }

    /// Recipients accepted for the current message.
    pub fn recipients(&self) -> usize {
        self.transaction.recipients
    }

    /// Whether a command waits for the application's answer.
    pub fn is_answering(&self) -> bool {
        self.phase.is_answering()
    }

    /// How many replies the application owes before the next command is read: more than one only behind a message in LMTP.
    pub fn replies_due(&self) -> usize {
        match self.phase {
            Phase::Answering(Answer::Message { due, .. }) => due,
            _ => usize::from(self.phase.is_answering()),
        }
    }

    /// The largest number of unread octets that an [`InBuf`] must hold for this machine. Larger only lets a client that
    /// pipelines fill more memory.
    pub fn inbox(&self) -> usize {
        let line = self.config.limits.pre_auth_line.max(self.sasl_limits().line().saturating_add(AUTH));
        line.saturating_add(READ)
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
        match self.take_phase() {
            Phase::Failed(error) => Some(Err(error)),
            Phase::Chunk(source, before, len, behind) => {
                self.phase = Phase::Body(source);
                let end = before.saturating_add(len);
                self.release = end.saturating_add(behind);
                Some(Ok(Event::BodyChunk(input.unread().get(before..end).unwrap_or_default())))
            }
            other => {
                self.phase = other;
                None
            }
        }
    }

    /// Ends the connection once everything pending has been sent. A 421 to go with it is [`raw`](Self::raw).
    pub fn disconnect(&mut self) {
        self.phase = Phase::Over;
        self.state = State::Over;
        self.ready = None;
    }

    /// What is pending still goes out: whether it had gone before the error was seen is a matter of how the input was cut.
    fn fail(&mut self, error: Error) {
        self.phase = Phase::Failed(error);
        self.state = State::Over;
        self.ready = None;
    }

    /// Takes the phase out, to put another in its place.
    fn take_phase(&mut self) -> Phase {
        core::mem::replace(&mut self.phase, Phase::Over)
    }

    /// Whether the client has to sign in before anything else.
    fn is_stranger(&self) -> bool {
        self.config.require_auth && !self.authenticated
    }

    /// The wait that runs while octets are needed.
    fn wait(&self, input: &InBuf) -> wire::Wait<Wait> {
        let t = &self.config.timeouts;
        let (kind, limit, least_rate) = match () {
            () if self.is_stranger() => (Wait::SignIn, t.sign_in, None),
            () if matches!(self.phase, Phase::Command) && input.is_empty() && self.out.is_empty() => {
                (Wait::Idle, t.idle, None)
            }
            () => (Wait::Stall, t.stall, Some(1)),
        };
        wire::Wait { kind, limit, least_rate }
    }
}

impl Machine for Server {
    fn advance(&mut self, input: &mut InBuf, now: Tick) -> Need {
        input.consume(core::mem::take(&mut self.release));
        let need = self.receive(input);
        let wait = (need == Need::Input).then(|| self.wait(input));
        // A stranger does not get more time by talking.
        match self.watch.serve(wait, self.is_stranger(), now, self.out.moved(input)) {
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
        // What the client said in the clear may have been somebody else's words (RFC 3207 section 4.2).
        self.offered = None;
        self.authenticated = false;
        self.transaction = Transaction::default();
        self.state = State::Hello;
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
            .field("authenticated", &self.authenticated)
            .field("phase", &self.phase.name())
            .field("out", &self.out)
            .finish_non_exhaustive()
    }
}

impl Phase {
    /// Whether a command waits for a call of the application.
    fn is_answering(&self) -> bool {
        match self {
            Self::Answering(_) | Self::Offered => true,
            Self::SignIn(sign_in) => !sign_in.is_challenged(),
            _ => false,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Greeting => "greeting",
            Self::Command | Self::Skipping(_) => "command",
            Self::Answering(_) => "answering",
            Self::Offered => "deciding",
            Self::Body(_) | Self::Chunk(..) => "message",
            Self::Discarding(..) => "discarding",
            Self::SignIn(sign_in) => sign_in.stage(),
            Self::Upgrading => "upgrading",
            Self::Failed(_) => "failed",
            Self::Over => "over",
        }
    }
}
