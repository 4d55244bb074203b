//! AUTH and PASS: what a token opens.

use pop3_proto::types::{Code, Name, Password, Reply};
use sasl::{Credentials, ErrorChallenge, ServerExchange, Verdict};
use wire::Secret;

use crate::access::{self, Door, Protocol};
use crate::count::RequestKind;
use crate::pop3::fault::Pop3Fault;
use crate::pop3::maildrop::Maildrop;
use crate::pop3::session::{Over, Session, Step, Who};
use crate::pop3::words;

/// Refused sign-ins after which the connection ends.
const MAX_FAILURES: u32 = 3;

/// Commands answered for somebody who may not open the mailbox.
const NOT_CONNECTED_COMMANDS: u32 = 2;

/// How Exchange refuses tokens and passwords alike.
const FAILURE: &str = "Authentication failure: unknown user name or bad password.";

impl Session {
    /// `initial`: the response came on the command line.
    pub(crate) fn auth(&mut self, mechanism: &str, initial: bool) -> Step {
        self.context.counters.count(RequestKind::Pop3Authenticate);
        let exchange = self.context.profile.is_exchange();
        if exchange && initial {
            return self.protocol_error();
        }
        let limits = self.server.sasl_limits();
        let offered = words::offers(self.context.profile, mechanism);
        match ServerExchange::named(mechanism, limits).filter(|_| offered) {
            Some(exchange) => Ok(self.server.begin_auth(exchange)?),
            None => self.err("Protocol error. Unknown authentication mechanism."),
        }
    }

    pub(crate) fn credentials(&mut self, credentials: &Credentials) -> Step {
        self.pending = match credentials {
            Credentials::Bearer { user, token, .. } => self.by_token(user.as_deref(), token),
            Credentials::Password { user, password, .. } => self.by_password(user, password),
            _ => None,
        };
        let verdict = match &self.pending {
            Some(_) => Verdict::Accept,
            // Exchange says nothing; others say why.
            None if self.context.profile.is_exchange() => Verdict::Refuse(None),
            None => Verdict::Refuse(Some(ErrorChallenge::new("401"))),
        };
        Ok(self.server.verdict(verdict)?)
    }

    pub(crate) fn auth_end(&mut self, success: bool) -> Step {
        match self.pending.take().filter(|_| success) {
            Some(who) => self.enter(who, "User successfully authenticated."),
            None => self.refused(FAILURE),
        }
    }

    pub(crate) fn login(&mut self, name: &Name, password: &Password) -> Step {
        self.context.counters.count(RequestKind::Pop3Authenticate);
        let password = Secret::from(String::from_utf8_lossy(password.expose()).into_owned());
        match self.by_password(name.as_str(), &password) {
            Some(who) => self.enter(who, "User successfully logged on."),
            None => self.refused("Logon failure: unknown user name or bad password."),
        }
    }

    fn enter(&mut self, who: Who, text: &str) -> Step {
        self.who = who;
        self.ok(text)
    }

    fn refused(&mut self, text: &str) -> Step {
        self.failures += 1;
        if self.context.profile.is_exchange() {
            self.err(text)?;
        } else {
            let reply = Reply::err(text).map_err(|_| Over)?.with_code(Code::Auth);
            self.server.complete(&reply)?;
        }
        if self.failures >= MAX_FAILURES {
            self.server.disconnect();
        }
        Ok(())
    }

    /// What a token opens beside this user name; `None` if the sign-in itself is refused.
    fn by_token(&self, user: Option<&str>, token: &Secret) -> Option<Who> {
        let context = &self.context;
        access::by_token(&context.directory, &context.mint, Protocol::Pop3, user, token)
            .map(|door| self.connect(&door))
    }

    /// What a password opens: the user's own mailbox, and only where passwords are taken.
    fn by_password(&self, user: &str, password: &Secret) -> Option<Who> {
        if self.context.profile.is_exchange() {
            return None;
        }
        access::by_password(&self.context.directory, Protocol::Pop3, user, password)
            .map(|door| self.connect(&door))
    }

    fn connect(&self, door: &Door<'_>) -> Who {
        let until = door.until;
        if door.open && !self.context.faults.has(&Pop3Fault::NotConnected) {
            Who::Connected { maildrop: Maildrop::open(self.context.stores.of(door.mailbox)), until }
        } else {
            Who::NotConnected { left: NOT_CONNECTED_COMMANDS, until }
        }
    }
}
