//! AUTHENTICATE and LOGIN: what a token opens.

use imap_proto::types::StatusKind;
use sasl::{Credentials, ErrorChallenge, ServerExchange, Verdict};
use wire::{Secret, SecretBytes};

use crate::access::{self, Door, Protocol};
use crate::count::RequestKind;
use crate::imap::profile::ImapFault;
use crate::imap::session::{Session, Step, Who};

/// Refused sign-ins after which the connection ends.
const MAX_FAILURES: u32 = 3;

/// Commands answered for somebody who may not open the mailbox.
const NOT_CONNECTED_COMMANDS: u32 = 2;

impl Session {
    pub(crate) fn authenticate(&mut self, mechanism: &str) -> Step {
        self.context.counters.count(RequestKind::ImapAuthenticate);
        let limits = self.server.sasl_limits();
        let offered = self.context.profile.offers(mechanism);
        match ServerExchange::named(mechanism, limits).filter(|_| offered) {
            Some(exchange) => Ok(self.server.begin_auth(exchange)?),
            None => self.refused(StatusKind::No, "AUTHENTICATE failed."),
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
            Some(who) => {
                self.enter(who);
                if !self.context.profile.is_exchange() {
                    self.capability()?;
                }
                self.done("AUTHENTICATE")
            }
            None => self.refused(StatusKind::No, "AUTHENTICATE failed."),
        }
    }

    pub(crate) fn login(&mut self, user: &str, password: &SecretBytes) -> Step {
        self.context.counters.count(RequestKind::ImapAuthenticate);
        if self.context.profile.is_exchange() {
            self.server.complete(StatusKind::No, None, "Basic authentication is disabled.")?;
            self.bye("Microsoft Exchange Server IMAP4 server signing off.")?;
            self.server.disconnect();
            return Ok(());
        }
        let password = Secret::from(String::from_utf8_lossy(password.expose()).into_owned());
        match self.by_password(user, &password) {
            Some(who) => {
                self.enter(who);
                self.capability()?;
                self.done("LOGIN")
            }
            None => self.refused(StatusKind::No, "LOGIN failed."),
        }
    }

    fn enter(&mut self, who: Who) {
        if let Who::Connected { store, .. } = &who {
            self.changes = Some(store.changes());
        }
        self.who = who;
    }

    fn refused(&mut self, kind: StatusKind, text: &str) -> Step {
        self.failures += 1;
        self.server.complete(kind, None, text)?;
        if self.failures >= MAX_FAILURES {
            self.bye("Connection is closed. 13")?;
            self.server.disconnect();
        }
        Ok(())
    }

    /// What a token opens beside this user name; `None` if the sign-in itself is refused.
    fn by_token(&self, user: Option<&str>, token: &Secret) -> Option<Who> {
        let context = &self.context;
        access::by_token(&context.directory, &context.mint, Protocol::Imap, user, token)
            .map(|door| self.connect(&door))
    }

    /// What a password opens: the user's own mailbox, and only where passwords are taken.
    fn by_password(&self, user: &str, password: &Secret) -> Option<Who> {
        if self.context.profile.is_exchange() {
            return None;
        }
        access::by_password(&self.context.directory, Protocol::Imap, user, password)
            .map(|door| self.connect(&door))
    }

    fn connect(&self, door: &Door<'_>) -> Who {
        let until = door.until;
        if door.open && !self.context.faults.has(&ImapFault::NotConnected) {
            Who::Connected { store: self.context.stores.of(door.mailbox), until }
        } else {
            Who::NotConnected { left: NOT_CONNECTED_COMMANDS, until }
        }
    }
}
