//! One connection: events of the machine in, answers out.

use std::num::NonZeroU32;
use std::sync::Arc;

use driver::{Connection, Turn};
use pop3_proto::Server;
use pop3_proto::server::{Event, Fault};
use pop3_proto::types::{Code, Command, Entry, Reply, ScanListing, UniqueId, UniqueIdListing};

use crate::count::RequestKind;
use crate::mail::header;
use crate::net::{Resetter, Stream};
use crate::pop3::fault::Pop3Fault;
use crate::pop3::maildrop::{self, Maildrop};
use crate::pop3::{Context, words};
use crate::session::{Over, Step, Who, close};

/// One connection.
pub(crate) struct Session {
    pub(crate) connection: Connection<Stream>,
    pub(crate) server: Server,
    pub(crate) context: Arc<Context>,
    resetter: Resetter,
    pub(crate) who: Who<Maildrop>,
    /// Refused sign-ins.
    pub(crate) failures: u32,
    /// What [`Event::AuthEnd`] decides about.
    pub(crate) pending: Option<Who<Maildrop>>,
    /// UTF8 has been said.
    utf8: bool,
}

/// What is said of a number that belongs to no message.
const NO_SUCH: &str = "The specified message is out of range.";

/// What is said of a command that cannot be understood.
const UNKNOWN: &str = "Protocol error. 12";

/// Serves a connection to its end.
pub(crate) async fn run(
    mut connection: Connection<Stream>,
    server: Server,
    context: Arc<Context>,
    resetter: Resetter,
    implicit: bool,
) {
    if implicit && connection.handshake().await.is_err() {
        return;
    }
    let mut session = Session {
        connection,
        server,
        context,
        resetter,
        who: Who::Nobody,
        failures: 0,
        pending: None,
        utf8: false,
    };
    let _ = session.serve().await;
    session.end().await;
}

impl Session {
    async fn serve(&mut self) -> Step {
        let greeting = words::greeting(self.context.profile);
        self.server.greet(&Reply::ok(&greeting).map_err(|_| Over)?)?;
        loop {
            match self.connection.drive(&mut self.server).await.map_err(|_| Over)? {
                Turn::Closed => return Err(Over),
                // Every event is answered before the machine is driven again, so this is a mistake of ours.
                Turn::App => self.server.disconnect(),
                // After an error the machine has ended the connection; driving it on closes the stream.
                Turn::Event => {
                    if let Some(Ok(event)) = self.server.event() {
                        self.hear(event).await?;
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

    async fn hear(&mut self, event: Event) -> Step {
        match event {
            Event::Command(command) => self.command(command).await,
            Event::Login { name, password } => self.login(&name, &password),
            Event::BadCommand { fault, .. } => self.bad(&fault),
            Event::Stls => self.ok("Begin TLS negotiation."),
            Event::Auth { mechanism, initial } => self.auth(mechanism.as_str(), initial),
            Event::Credentials(credentials) => self.credentials(&credentials),
            Event::AuthEnd(result) => self.auth_end(result.is_ok()),
            _ => Err(Over),
        }
    }

    async fn command(&mut self, command: Command) -> Step {
        if self.is_expired() {
            self.err("Session invalidated - AccessTokenExpired")?;
            self.server.disconnect();
            return Ok(());
        }
        match &command {
            Command::Quit | Command::Noop | Command::Capa => {}
            _ => {
                if self.is_refused()? {
                    return Ok(());
                }
            }
        }
        match command {
            Command::Capa => self.capa(),
            Command::Noop => self.ok(""),
            Command::Utf8 if self.context.faults.has(&Pop3Fault::NeedsUtf8) => {
                self.utf8 = true;
                self.ok("UTF8 enabled.")
            }
            Command::Quit => {
                if let Some(maildrop) = self.who.mailbox() {
                    maildrop.update();
                }
                self.ok("Microsoft Exchange Server POP3 server signing off.")
            }
            Command::User(_) => self.ok(""),
            Command::Stat => {
                let all = self.maildrop()?.numbers();
                let octets = self.maildrop()?.octets(&all).await;
                self.ok(&format!("{} {octets}", all.len()))
            }
            Command::List(Some(number)) => match self.maildrop()?.size(number) {
                Some(octets) => self.ok(&format!("{number} {octets}")),
                None => self.err(NO_SUCH),
            },
            Command::List(None) => self.list().await,
            Command::Uidl(Some(number)) => match self.maildrop()?.unique_id(number) {
                Some(id) => self.ok(&format!("{number} {id}")),
                None => self.err(NO_SUCH),
            },
            Command::Uidl(None) => self.uidl().await,
            Command::Retr(number) => self.retrieve(number, None).await,
            Command::Top { number, lines } => self.retrieve(number, Some(lines)).await,
            Command::Dele(number) => {
                if self.maildrop_mut()?.mark(number) {
                    self.ok("")
                } else {
                    self.err(NO_SUCH)
                }
            }
            Command::Rset => {
                self.maildrop_mut()?.unmark();
                self.ok("")
            }
            _ => self.err(UNKNOWN),
        }
    }

    /// Whether the answer is that no mailbox is there.
    fn is_refused(&mut self) -> Result<bool, Over> {
        let Some(left) = self.who.turn_away() else { return Ok(false) };
        self.err("User is authenticated but not connected.")?;
        if left == 0 {
            self.server.disconnect();
        }
        Ok(true)
    }

    fn bad(&mut self, fault: &Fault) -> Step {
        match fault {
            Fault::Limit(_) => self.protocol_error(),
            Fault::State(_) | Fault::NoTls => self.err("Command is not valid in this state."),
            _ => self.err(UNKNOWN),
        }
    }

    /// What comes of a line that is longer than Exchange takes.
    pub(crate) fn protocol_error(&mut self) -> Step {
        self.err("Protocol error. Connection is closed. 10")?;
        self.server.disconnect();
        Ok(())
    }

    fn capa(&mut self) -> Step {
        self.begin("Capability list follows")?;
        let utf8 = self.context.faults.has(&Pop3Fault::NeedsUtf8);
        let secure = self.server.is_secure();
        let lines = words::capabilities(self.context.profile, secure, utf8).map_err(|_| Over)?;
        for capability in lines {
            self.server.entry(&Entry::Capability(capability))?;
        }
        Ok(self.server.end()?)
    }

    async fn list(&mut self) -> Step {
        let all = self.maildrop()?.numbers();
        let octets = self.maildrop()?.octets(&all).await;
        self.begin(&format!("{} {octets}", all.len()))?;
        for number in all {
            self.room().await?;
            let octets = self.maildrop()?.size(number).unwrap_or_default();
            self.server.entry(&Entry::Scan(ScanListing { number, octets }))?;
        }
        Ok(self.server.end()?)
    }

    async fn uidl(&mut self) -> Step {
        let all = self.maildrop()?.numbers();
        self.begin("")?;
        for number in all {
            self.room().await?;
            let id = self.maildrop()?.unique_id(number).ok_or(Over)?;
            let id = UniqueId::new(id).map_err(|_| Over)?;
            self.server.entry(&Entry::UniqueId(UniqueIdListing { number, id }))?;
        }
        Ok(self.server.end()?)
    }

    /// A message, or its top.
    async fn retrieve(&mut self, number: NonZeroU32, lines: Option<u32>) -> Step {
        let Some(message) = self.maildrop()?.message(number) else { return self.err(NO_SUCH) };
        let header = header::header_end(&message.octets, 0..message.octets.len());
        let is_ascii = message.octets.get(..header).is_none_or(<[u8]>::is_ascii);
        if !is_ascii && !self.utf8 && self.context.faults.has(&Pop3Fault::NeedsUtf8) {
            let reply = Reply::err("The message has UTF-8 in its header.").map_err(|_| Over)?;
            return Ok(self.server.complete(&reply.with_code(Code::Utf8))?);
        }
        self.context.counters.count(RequestKind::Pop3Body);
        self.begin("")?;
        let octets = match lines {
            Some(lines) => maildrop::top(&message.octets, lines),
            None => &message.octets,
        };
        let cut = self.context.faults.take(|f| match f {
            Pop3Fault::ResetInBody(at) => octets.len() > *at as usize,
            _ => false,
        });
        let stop = match cut {
            Some(Pop3Fault::ResetInBody(at)) => at as usize,
            _ => octets.len(),
        };
        let mut rest = octets.get(..stop).unwrap_or(octets);
        while !rest.is_empty() {
            let n = self.server.write_body(rest)?;
            rest = rest.get(n..).unwrap_or_default();
            self.room().await?;
        }
        if cut.is_some() {
            // What was written so far goes out first; the stream resets when it is dropped.
            while !wire::Machine::output(&mut self.server).is_empty() {
                if self.connection.drive(&mut self.server).await.is_err() {
                    break;
                }
            }
            self.resetter.reset();
            return Err(Over);
        }
        Ok(self.server.end()?)
    }

    /// Lets the driver send until there is room for more.
    async fn room(&mut self) -> Step {
        while !self.server.can_write() {
            let turn = self.connection.drive(&mut self.server).await.map_err(|_| Over)?;
            if turn == Turn::Closed || (turn == Turn::Event && !self.server.is_answering()) {
                return Err(Over);
            }
        }
        Ok(())
    }

    fn maildrop(&self) -> Result<&Maildrop, Over> {
        self.who.mailbox().ok_or(Over)
    }

    fn maildrop_mut(&mut self) -> Result<&mut Maildrop, Over> {
        self.who.mailbox_mut().ok_or(Over)
    }

    fn is_expired(&self) -> bool {
        self.who.until().is_some_and(|until| until <= self.context.clock.now())
    }

    fn begin(&mut self, text: &str) -> Step {
        Ok(self.server.start(&Reply::ok(text).map_err(|_| Over)?)?)
    }

    pub(crate) fn ok(&mut self, text: &str) -> Step {
        Ok(self.server.complete(&Reply::ok(text).map_err(|_| Over)?)?)
    }

    pub(crate) fn err(&mut self, text: &str) -> Step {
        Ok(self.server.complete(&Reply::err(text).map_err(|_| Over)?)?)
    }
}
