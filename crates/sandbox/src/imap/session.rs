//! One connection: events of the machine in, answers out.

use std::num::NonZeroU32;
use std::sync::Arc;

use driver::{Connection, Turn};
use imap_proto::Server;
use imap_proto::server::{Config, Event, Fault};
use imap_proto::types::{
    Capabilities, Capability, Code, Command, DateTime, FlagSet, Mailbox, Response, StatusKind,
    StatusResponse, Text,
};
use tokio::sync::watch;

use crate::guid;
use crate::imap::append::Incoming;
use crate::imap::{Context, flags, words};
use crate::mail::store::Store;
use crate::mail::view::{Update, View};
use crate::net::{Resetter, Stream};
use crate::session::{Over, Step, Who, close};

/// One connection.
pub(crate) struct Session {
    pub(crate) connection: Connection<Stream>,
    pub(crate) server: Server,
    pub(crate) context: Arc<Context>,
    pub(crate) resetter: Resetter,
    pub(crate) who: Who<Arc<Store>>,
    pub(crate) view: Option<View>,
    pub(crate) incoming: Option<Incoming>,
    /// News from the store, while somebody is signed in.
    pub(crate) changes: Option<watch::Receiver<u64>>,
    /// Refused sign-ins.
    pub(crate) failures: u32,
    /// Whether a throttled command was answered already.
    pub(crate) throttled: bool,
    /// What [`Event::AuthEnd`] decides about.
    pub(crate) pending: Option<Who<Arc<Store>>>,
}

/// An event that borrows nothing.
enum Said {
    Command(Box<Command<'static>>),
    Bad(Fault),
    StartTls,
    Authenticate(String),
    Credentials(sasl::Credentials),
    AuthEnd(bool),
    Append { mailbox: Mailbox<'static>, flags: FlagSet<'static>, date: Option<DateTime> },
    Chunk(Vec<u8>),
    BodyEnd,
    Idle,
    IdleDone,
}

impl Said {
    fn from(event: Event<'_>) -> Option<Self> {
        Some(match event {
            Event::Command { command, .. } => Self::Command(Box::new(command.into_owned())),
            Event::BadCommand { fault, .. } => Self::Bad(fault),
            Event::StartTls { .. } => Self::StartTls,
            Event::Authenticate { mechanism, .. } => Self::Authenticate(mechanism.as_str().to_owned()),
            Event::Credentials(credentials) => Self::Credentials(credentials),
            Event::AuthEnd(result) => Self::AuthEnd(result.is_ok()),
            Event::Append { mailbox, flags, date, .. } => {
                Self::Append { mailbox: mailbox.into_owned(), flags: flags.into_owned(), date }
            }
            Event::BodyChunk(octets) => Self::Chunk(octets.to_vec()),
            Event::BodyEnd => Self::BodyEnd,
            Event::Idle { .. } => Self::Idle,
            Event::IdleDone => Self::IdleDone,
            _ => return None,
        })
    }
}

/// Serves a connection to its end.
pub(crate) async fn run(
    mut connection: Connection<Stream>,
    context: Arc<Context>,
    resetter: Resetter,
    implicit: bool,
) {
    if implicit && connection.handshake().await.is_err() {
        return;
    }
    let mut config = Config::new(context.security(implicit));
    config.limits = crate::imap::limits();
    config.bare_plus = context.profile.is_exchange();
    let mut session = Session {
        connection,
        server: Server::new(config),
        context,
        resetter,
        who: Who::Nobody,
        view: None,
        incoming: None,
        changes: None,
        failures: 0,
        throttled: false,
        pending: None,
    };
    let _ = session.serve().await;
    session.end().await;
}

impl Session {
    async fn serve(&mut self) -> Step {
        let greeting = words::greeting(self.context.profile, &guid::random());
        let text = Text::new(greeting.into_bytes()).map_err(|_| Over)?;
        self.server.greet(&StatusResponse::untagged(StatusKind::Ok, text))?;
        loop {
            match self.wait().await? {
                Wake::Expired => self.expire()?,
                Wake::News => self.news(true)?,
                Wake::Turn(Turn::Closed) => return Err(Over),
                // Every event is answered before the machine is driven again, so this is a mistake of ours.
                Wake::Turn(Turn::App) => {
                    self.server.disconnect();
                }
                Wake::Turn(Turn::Event) => {
                    // After an error the machine has ended the connection; driving it on closes the stream.
                    let event = self.server.event(self.connection.input());
                    if let Some(Ok(event)) = event {
                        match Said::from(event) {
                            Some(said) => self.hear(said).await?,
                            None => self.server.disconnect(),
                        }
                    }
                }
            }
        }
    }

    /// Sends what is pending and closes, unless the connection is to be reset.
    async fn end(&mut self) {
        if self.resetter.is_requested() {
            return;
        }
        self.server.disconnect();
        close(&mut self.connection, &mut self.server).await;
    }

    async fn wait(&mut self) -> Result<Wake, Over> {
        let until = self.who.until();
        let clock = self.context.clock.clone();
        let expired = async move {
            match until {
                Some(until) => clock.reaches(until).await,
                None => std::future::pending().await,
            }
        };
        let idling = self.server.is_idling();
        let changes = &mut self.changes;
        let changed = async {
            match changes {
                Some(changes) if idling => drop(changes.changed().await),
                _ => std::future::pending().await,
            }
        };
        // After the end only the driver has anything left to do.
        let alive = self.server.state() != imap_proto::State::Logout;
        tokio::select! {
            biased;
            () = expired, if alive => Ok(Wake::Expired),
            turn = self.connection.drive(&mut self.server) => turn.map(Wake::Turn).map_err(|_| Over),
            () = changed, if alive => Ok(Wake::News),
        }
    }

    async fn hear(&mut self, said: Said) -> Step {
        match said {
            Said::Command(command) => self.command(*command).await,
            Said::Bad(fault) => self.bad(&fault),
            Said::StartTls => self.ok("Begin TLS negotiation now."),
            Said::Authenticate(mechanism) => self.authenticate(&mechanism),
            Said::Credentials(credentials) => self.credentials(&credentials),
            Said::AuthEnd(success) => self.auth_end(success),
            Said::Append { mailbox, flags, date } => self.append(&mailbox, &flags, date),
            Said::Chunk(octets) => {
                if let Some(incoming) = &mut self.incoming {
                    incoming.take(&octets);
                }
                Ok(())
            }
            Said::BodyEnd => self.appended(),
            Said::Idle => {
                if self.intercepted()? {
                    return Ok(());
                }
                self.server.accept_idle("IDLE accepted, awaiting DONE command.")?;
                // What happened since the last command is told now.
                self.news(true)
            }
            Said::IdleDone => {
                self.news(true)?;
                self.done("IDLE")
            }
        }
    }

    pub(crate) fn capability(&mut self) -> Step {
        let signed_in = !matches!(self.who, Who::Nobody);
        let line = words::capabilities(self.context.profile, self.server.is_secure(), signed_in);
        let mut capabilities = Capabilities::new();
        for word in line.split(' ') {
            capabilities.push(Capability::new(word).map_err(|_| Over)?);
        }
        Ok(self.server.untagged(&Response::Capability(capabilities))?)
    }

    /// Tells what changed in the selected mailbox.
    pub(crate) fn news(&mut self, expunges: bool) -> Step {
        if let Some(changes) = &mut self.changes {
            changes.mark_unchanged();
        }
        let Some(store) = self.mailbox() else { return Ok(()) };
        let Some(view) = &mut self.view else { return Ok(()) };
        let Some(updates) = view.sync(&store, expunges) else {
            // Deleted by somebody else: nothing can be done in it any more.
            self.bye("Connection is closed. 13")?;
            return Err(Over);
        };
        for update in updates {
            match update {
                Update::Expunged(seq) => {
                    let seq = NonZeroU32::new(seq).ok_or(Over)?;
                    self.server.untagged(&Response::Expunge(seq))?;
                }
                Update::Exists(n) => {
                    self.server.untagged(&Response::Exists(n))?;
                    self.server.untagged(&Response::Recent(view.recent()))?;
                }
                Update::Flags(seq, uid, now) => {
                    let recent = view.is_recent(uid);
                    let seq = NonZeroU32::new(seq).ok_or(Over)?;
                    let items = vec![imap_proto::types::FetchData::Flags(flags::to_client(now, recent))];
                    let fetch = imap_proto::types::FetchResponse { seq, items };
                    self.server.untagged(&Response::Fetch(fetch))?;
                }
            }
        }
        Ok(())
    }

    /// The mailbox, if somebody is signed in and may open one.
    pub(crate) fn mailbox(&self) -> Option<Arc<Store>> {
        self.who.mailbox().map(Arc::clone)
    }

    /// The token has ended: so does the session.
    pub(crate) fn expire(&mut self) -> Step {
        // As octets: it may come in the middle of FETCH data, where nothing can be said properly.
        self.server.raw(b"* BYE Session invalidated - AccessTokenExpired\r\n")?;
        self.server.disconnect();
        self.who = Who::Nobody;
        Ok(())
    }

    /// Lets the driver send until there is room for more.
    pub(crate) async fn room(&mut self) -> Step {
        while !self.server.can_write() {
            let turn = self.connection.drive(&mut self.server).await.map_err(|_| Over)?;
            if turn == Turn::Closed || (turn == Turn::Event && !self.server.is_answering()) {
                return Err(Over);
            }
        }
        Ok(())
    }

    /// Whether the token ended meanwhile.
    pub(crate) fn is_expired(&self) -> bool {
        self.who.until().is_some_and(|until| until <= self.context.clock.now())
    }

    pub(crate) fn done(&mut self, command: &str) -> Step {
        self.ok(&format!("{command} completed."))
    }

    pub(crate) fn ok(&mut self, text: &str) -> Step {
        Ok(self.server.complete(StatusKind::Ok, None, text)?)
    }

    pub(crate) fn no(&mut self, code: Option<Code<'_>>, text: &str) -> Step {
        Ok(self.server.complete(StatusKind::No, code, text)?)
    }

    pub(crate) fn say_bad(&mut self, text: &str) -> Step {
        Ok(self.server.complete(StatusKind::Bad, None, text)?)
    }

    pub(crate) fn bye(&mut self, text: &str) -> Step {
        let text = Text::new(text.as_bytes()).map_err(|_| Over)?;
        Ok(self.server.untagged(&Response::Status(StatusResponse::untagged(StatusKind::Bye, text)))?)
    }
}

enum Wake {
    Turn(Turn),
    Expired,
    News,
}
