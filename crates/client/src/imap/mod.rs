//! The IMAP session.

mod connect;
mod folders;
mod listing;
mod messages;
mod sign_in;

use driver::{Connection, Turn};
use imap_proto::types::{Capability, Command, StatusKind};
use imap_proto::{Client, CommandId, Completed, Event};
use tokio::net::TcpStream;

pub use folders::{Examined, Folder};
pub use listing::Listed;
pub use messages::{FetchError, MessageMeta, MessageSink, Outcome, Refusal};

use crate::error::{Error, Reply};

/// A session that is signed in.
///
/// Methods take `&mut self` and may be dropped at any point, but a session whose method was dropped half-way has replies on
/// the way that nobody waits for; use a new one then.
pub struct Imap {
    connection: Connection<TcpStream>,
    client: Client,
    /// When the access token in use ends, in seconds since 1970.
    token_expires_at: Option<u64>,
    /// The folders, as long as nobody has asked for them.
    folders: Option<Vec<Folder>>,
    unreadable_folders: u64,
    /// Messages in the open folder when it was opened.
    exists: u32,
}

impl Imap {
    /// Whether the server says that it can do something.
    pub fn has(&self, capability: &Capability<'_>) -> bool {
        self.client.capabilities().is_some_and(|c| c.has(capability))
    }

    /// When the access token in use ends, in seconds since 1970; `None` when nobody knows.
    pub fn token_expires_at(&self) -> Option<u64> {
        self.token_expires_at
    }

    /// Says goodbye. Waits two seconds at most and reports nothing: whatever had to be done has been done.
    pub async fn logout(mut self) {
        if self.client.send(&Command::Logout).is_ok() {
            while let Ok(Turn::Event | Turn::App) = self.connection.drive(&mut self.client).await {
                if !self.client.is_busy() && self.client.event(self.connection.input()).is_none() {
                    break;
                }
            }
        }
    }

    /// Says goodbye without waiting for the answer: one round trip less than [`logout`](Self::logout).
    pub async fn leave(mut self) {
        if self.client.send(&Command::Logout).is_ok() {
            self.connection.leave(&mut self.client).await;
        }
    }

    /// Asks whether the server is there (NOOP).
    ///
    /// # Errors
    /// As every command: [`Error::Protocol`], [`Error::Connection`], [`Error::Refused`].
    pub async fn noop(&mut self) -> Result<(), Error> {
        let id = self.client.send(&Command::Noop)?;
        self.finish("NOOP", id, |_| Ok(())).await.map(drop)
    }

    /// Hands one event after the other to `on`, until that returns something.
    async fn until<T>(
        &mut self,
        mut on: impl FnMut(Event<'_>) -> Result<Option<T>, Error>,
    ) -> Result<T, Error> {
        loop {
            match self.connection.drive(&mut self.client).await? {
                Turn::Event => {
                    if let Some(event) = self.client.event(self.connection.input())
                        && let Some(found) = on(event?)?
                    {
                        return Ok(found);
                    }
                }
                // The machine waits for a command: what is awaited here was never asked for.
                Turn::App => return Err(imap_proto::Misuse::State.into()),
                Turn::Closed => {
                    return Err(Error::Protocol(imap_proto::Error::Closed(imap_proto::Whence::Idle)));
                }
            }
        }
    }

    /// Runs until the command is answered; `on` sees every event before that.
    async fn completed(
        &mut self,
        id: CommandId,
        mut on: impl FnMut(Event<'_>) -> Result<(), Error>,
    ) -> Result<Completed, Error> {
        self.until(|event| match event {
            Event::Completed(c) if c.id == id => Ok(Some(*c)),
            event => on(event).map(|()| None),
        })
        .await
    }

    /// Like [`completed`](Self::completed), and turns a refusal into an error.
    async fn finish(
        &mut self,
        command: &'static str,
        id: CommandId,
        on: impl FnMut(Event<'_>) -> Result<(), Error>,
    ) -> Result<Completed, Error> {
        let completed = self.completed(id, on).await?;
        accept(command, completed)
    }
}

/// A refusal as an error.
fn accept(command: &'static str, completed: Completed) -> Result<Completed, Error> {
    if completed.status.kind == StatusKind::Ok {
        return Ok(completed);
    }
    Err(Error::refused(command, Reply::of(completed.status)))
}

/// Shows the state, no content.
impl std::fmt::Debug for Imap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Imap").field("client", &self.client).finish_non_exhaustive()
    }
}
