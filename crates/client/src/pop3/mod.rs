//! The POP3 session.

mod connect;
mod listing;
mod retrieve;

use std::num::NonZeroU32;

use driver::{Connection, Turn};
use pop3_proto::types::{Command, DropListing, Reply as ProtoReply};
use pop3_proto::{Client, CommandId, Completed, Event, Misuse, Whence};
use tokio::net::TcpStream;

pub use listing::Pop3Message;
pub use retrieve::{NumberSink, Retrieved};

use crate::error::{Error, Reply};

/// A session that is signed in and holds the maildrop (RFC 1939 section 5).
///
/// Messages are known by their numbers in this session, from 1, and from session to session by their unique-ids. What is
/// [deleted](Self::delete) is only marked; [`quit`](Self::quit) carries it out. A session that is dropped deletes nothing.
///
/// Methods take `&mut self` and may be dropped at any point, but a session whose method was dropped half-way has replies on
/// the way that nobody waits for; use a new one then.
pub struct Pop3 {
    connection: Connection<TcpStream>,
    client: Client,
    /// When the access token in use ends, in seconds since 1970.
    token_expires_at: Option<u64>,
    stat: DropListing,
    /// Messages are marked as deleted.
    marked: bool,
}

impl Pop3 {
    /// How many messages there were when the session began.
    pub fn messages(&self) -> u32 {
        self.stat.messages
    }

    /// Their size together in octets, as the server counts.
    pub fn octets(&self) -> u64 {
        self.stat.octets
    }

    /// When the access token in use ends, in seconds since 1970; `None` when nobody knows.
    pub fn token_expires_at(&self) -> Option<u64> {
        self.token_expires_at
    }

    /// Whether commands travel ahead of the replies: the server has said PIPELINING (RFC 2449 section 6.6).
    pub fn is_pipelining(&self) -> bool {
        self.client.is_pipelining()
    }

    /// Marks a message as deleted. It is gone only when [`quit`](Self::quit) has succeeded.
    ///
    /// # Errors
    /// [`Error::Refused`] when the server refuses; otherwise as every command.
    pub async fn delete(&mut self, number: u32) -> Result<(), Error> {
        match self.delete_all([number]).await?.into_iter().next() {
            None => Ok(()),
            Some((_, reply)) => Err(Error::refused("DELE", reply)),
        }
    }

    /// Marks messages as deleted, in as few round trips as the server allows. Returns those that it refused to mark.
    ///
    /// # Errors
    /// [`Error::Pop3Misuse`] for the number 0; otherwise as every command. Then nothing is deleted.
    pub async fn delete_all(
        &mut self,
        numbers: impl IntoIterator<Item = u32>,
    ) -> Result<Vec<(u32, Reply)>, Error> {
        let mut numbers = numbers.into_iter();
        let mut asked = std::collections::VecDeque::new();
        let mut refused = Vec::new();
        loop {
            while asked.len() < AHEAD
                && let Some(number) = numbers.next()
            {
                let id = self.client.send(&Command::Dele(message_number(number)?))?;
                asked.push_back((id, number));
            }
            let Some((id, number)) = asked.pop_front() else { return Ok(refused) };
            let reply = self.completed(id, |_| Ok(())).await?.reply;
            if reply.is_ok() {
                self.marked = true;
            } else {
                refused.push((number, reply.into()));
            }
        }
    }

    /// Takes all marks off again.
    ///
    /// # Errors
    /// As every command.
    pub async fn reset(&mut self) -> Result<(), Error> {
        self.plain("RSET", &Command::Rset).await?;
        self.marked = false;
        Ok(())
    }

    /// Asks whether the server is there (NOOP).
    ///
    /// # Errors
    /// As every command: [`Error::Pop3`], [`Error::Connection`], [`Error::Refused`].
    pub async fn noop(&mut self) -> Result<(), Error> {
        self.plain("NOOP", &Command::Noop).await.map(drop)
    }

    /// Ends the session; what is marked is deleted now.
    ///
    /// # Errors
    /// [`Error::Refused`] when the server says that it has not deleted all of it, [`Error::OutcomeUnknown`] when messages are marked
    /// and the connection ends without a reply.
    pub async fn quit(mut self) -> Result<(), Error> {
        let id = self.client.send(&Command::Quit)?;
        loop {
            let turn = match self.connection.drive(&mut self.client).await {
                Ok(turn) => turn,
                Err(e) if self.marked => return Err(Error::OutcomeUnknown { cause: quit_cut(&e) }),
                Err(e) => return Err(e.into()),
            };
            match turn {
                Turn::Event => match self.client.event(self.connection.input()) {
                    Some(Ok(Event::Completed(c))) if c.id == id => {
                        return if c.reply.is_ok() {
                            Ok(())
                        } else {
                            Err(Error::refused("QUIT", c.reply.into()))
                        };
                    }
                    Some(Err(e)) => return Err(e.into()),
                    _ => {}
                },
                // No reply, and nothing was marked.
                Turn::App | Turn::Closed => return Ok(()),
            }
        }
    }

    async fn plain(&mut self, command: &'static str, what: &Command) -> Result<ProtoReply<'static>, Error> {
        let id = self.client.send(what)?;
        let reply = self.completed(id, |_| Ok(())).await?.reply;
        if reply.is_ok() { Ok(reply) } else { Err(Error::refused(command, reply.into())) }
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
                Turn::App => return Err(Misuse::State.into()),
                Turn::Closed => return Err(Error::Pop3(pop3_proto::Error::Closed(Whence::Idle))),
            }
        }
    }

    /// Runs until a command without lines is answered; `on` sees every other event before that.
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
}

fn quit_cut(error: &driver::Error) -> String {
    format!("{error}; the messages marked as deleted may be there still")
}

/// Commands that may wait for their replies at a time. Enough to fill any path, and far below what the machine takes.
const AHEAD: usize = 200;

/// The number of a message. There is no message 0.
fn message_number(number: u32) -> Result<NonZeroU32, Error> {
    NonZeroU32::new(number).ok_or(Error::Pop3Misuse(Misuse::State))
}

/// Shows the state, no content.
impl std::fmt::Debug for Pop3 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pop3").field("client", &self.client).finish_non_exhaustive()
    }
}
