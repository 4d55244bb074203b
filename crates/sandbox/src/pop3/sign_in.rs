//! AUTH and PASS: what a token opens.

use pop3_proto::types::{Code, Name, Password, Reply};
use sasl::{Credentials, ServerExchange};
use wire::Secret;

use crate::access::Door;
use crate::count::RequestKind;
use crate::pop3::fault::Pop3Fault;
use crate::pop3::maildrop::Maildrop;
use crate::pop3::session::Session;
use crate::pop3::words;
use crate::session::{MAX_FAILURES, Over, Step, Who};

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
        self.pending = self.context.open(credentials).map(|door| self.entered(&door));
        Ok(self.server.verdict(self.context.verdict(self.pending.is_some()))?)
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
        match self.context.by_password(name.as_str(), &password).map(|door| self.entered(&door)) {
            Some(who) => self.enter(who, "User successfully logged on."),
            None => self.refused("Logon failure: unknown user name or bad password."),
        }
    }

    fn enter(&mut self, who: Who<Maildrop>, text: &str) -> Step {
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

    fn entered(&self, door: &Door<'_>) -> Who<Maildrop> {
        let shut = self.context.faults.has(&Pop3Fault::NotConnected);
        Who::entered(door, shut, |user| Maildrop::open(self.context.stores.of(user)))
    }
}
