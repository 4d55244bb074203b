//! Sending: the SMTP session, and the values that it takes.
//!
//! ```no_run
//! # async fn example(server: postkey::Server, credential: postkey::Credential) -> Result<(), Box<dyn std::error::Error>> {
//! use postkey::Smtp;
//! use postkey::smtp::{EhloName, Envelope, Fate, Mailbox, Options};
//!
//! let mut smtp = Smtp::open(&server, &credential, &EhloName::new("client.example")?).await?;
//! let from: Mailbox = "ana@contoso.example".parse()?;
//! let to: Mailbox = "ben@contoso.example".parse()?;
//! let outcome = smtp.send_bytes(&Envelope::new(from, [to]), b"Subject: hello\r\n\r\nhello\r\n", &Options::default()).await?;
//! if let Fate::Accepted { reply } = &outcome.recipients[0] {
//!     println!("sent: {reply}");
//! }
//! smtp.quit().await;
//! # Ok(())
//! # }
//! ```

mod connect;
mod outcome;
mod queue;
mod send;

use driver::{Connection, Turn};
use smtp_proto::{Client, CommandId, Completed, Event, Misuse, Whence};
use tokio::net::TcpStream;

pub use outcome::{Fate, Outcome};
pub use queue::Queue;
pub use smtp_proto::types::{
    BodyType, Capabilities, EhloName, EnhancedCode, Envelope, EnvelopeId, ForwardPath, Invalid, MailParams,
    Mailbox, Notify, Occasions, Partial, RcptParams, Recipient, ReplyCode, Ret, ReversePath, Submitter,
};
pub use smtp_proto::{BareNewline, Stage, Timeouts};

use crate::error::Error;

/// How a message is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The length of the message in octets, if it is known. It is compared with what the server takes, and told to it, before anything of
    /// the message is sent (RFC 1870).
    pub size: Option<u64>,
    /// The message holds octets above 127: `BODY=8BITMIME` is said where the server knows it (RFC 6152). It is sent as it is either way.
    pub eight_bit: bool,
    /// Send by BDAT where the server offers it (RFC 3030), else by DATA.
    pub chunking: bool,
    /// What happens to a CR or LF that stands alone. It never goes out as it is, by BDAT neither, because servers that take it differ in
    /// where they see the message end. Not looked at when the envelope says `BINARYMIME`.
    pub bare_newline: BareNewline,
}

/// A session that takes messages, one after the other.
///
/// Methods take `&mut self`. A session whose method was dropped half-way is of no more use; what was being sent may have been sent.
pub struct Smtp {
    connection: Connection<TcpStream>,
    client: Client,
    /// When the access token in use ends, in seconds since 1970.
    token_expires_at: Option<u64>,
    /// The connection broke, of which the machine knows nothing.
    broken: bool,
    buffer: Vec<u8>,
}

impl Smtp {
    /// What the server says it can do; `None` when it knows only HELO.
    pub fn capabilities(&self) -> Option<&Capabilities> {
        self.client.capabilities()
    }

    /// When the access token in use ends, in seconds since 1970; `None` when nobody knows.
    pub fn token_expires_at(&self) -> Option<u64> {
        self.token_expires_at
    }

    /// Whether another message can be sent. `false` once the connection is over.
    pub fn is_open(&self) -> bool {
        !self.broken && self.client.state() != smtp_proto::State::Over
    }

    /// Asks whether the server is there (NOOP).
    ///
    /// # Errors
    /// [`Error::Smtp`], [`Error::Connection`], [`Error::Refused`].
    pub async fn noop(&mut self) -> Result<(), Error> {
        let id = self.client.noop()?;
        let reply = self.completed(id).await?.reply;
        if reply.is_positive() { Ok(()) } else { Err(Error::refused("NOOP", reply.into())) }
    }

    /// Says goodbye. Waits two seconds at most and reports nothing: what has been accepted has been accepted.
    pub async fn quit(mut self) {
        if self.client.quit().is_ok() {
            while let Ok(Turn::Event) = self.connection.drive(&mut self.client).await {
                if !matches!(self.client.event(), Some(Ok(_))) {
                    break;
                }
            }
        }
    }

    /// Says goodbye without waiting for the answer.
    pub async fn leave(mut self) {
        if self.client.quit().is_ok() {
            self.connection.leave(&mut self.client).await;
        }
    }

    /// Drives to the next turn.
    async fn drive(&mut self) -> Result<Turn, driver::Error> {
        let turn = self.connection.drive(&mut self.client).await;
        self.broken |= turn.is_err();
        turn
    }

    /// Drives to the next event; `None` when the machine has nothing more to wait for.
    async fn next(&mut self) -> Result<Option<Event>, Error> {
        loop {
            match self.drive().await? {
                Turn::Event => {
                    if let Some(event) = self.client.event() {
                        return Ok(Some(event?));
                    }
                }
                Turn::App => return Ok(None),
                Turn::Closed => return Err(smtp_proto::Error::Closed(Whence::Idle).into()),
            }
        }
    }

    /// Runs until a command that is no part of a message is answered.
    async fn completed(&mut self, id: CommandId) -> Result<Completed, Error> {
        loop {
            match self.next().await? {
                Some(Event::Completed(c)) if c.id == id => return Ok(*c),
                Some(_) => {}
                None => return Err(Misuse::State.into()),
            }
        }
    }
}

/// Shows the state, no content.
impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Smtp").field("client", &self.client).finish_non_exhaustive()
    }
}
