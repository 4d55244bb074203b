//! AUTHENTICATE and LOGIN: what a token opens.

use std::sync::Arc;

use sasl::{Credentials, ServerExchange};
use wire::{Secret, SecretBytes};

use crate::access::Door;
use crate::count::RequestKind;
use crate::imap::fault::ImapFault;
use crate::imap::session::Session;
use crate::imap::words;
use crate::mail::store::Store;
use crate::session::{MAX_FAILURES, Step, Who};

impl Session {
    pub(crate) fn authenticate(&mut self, mechanism: &str) -> Step {
        self.context.counters.count(RequestKind::ImapAuthenticate);
        let limits = self.server.sasl_limits();
        let offered = words::offers(self.context.profile, mechanism);
        match ServerExchange::named(mechanism, limits).filter(|_| offered) {
            Some(exchange) => Ok(self.server.begin_auth(exchange)?),
            None => self.refused("AUTHENTICATE failed."),
        }
    }

    pub(crate) fn credentials(&mut self, credentials: &Credentials) -> Step {
        self.pending = self.context.open(credentials).map(|door| self.entered(&door));
        Ok(self.server.verdict(self.context.verdict(self.pending.is_some()))?)
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
            None => self.refused("AUTHENTICATE failed."),
        }
    }

    pub(crate) fn login(&mut self, user: &str, password: &SecretBytes) -> Step {
        self.context.counters.count(RequestKind::ImapAuthenticate);
        if self.context.profile.is_exchange() {
            self.no(None, "Basic authentication is disabled.")?;
            self.bye("Microsoft Exchange Server IMAP4 server signing off.")?;
            self.server.disconnect();
            return Ok(());
        }
        let password = Secret::from(String::from_utf8_lossy(password.expose()).into_owned());
        match self.context.by_password(user, &password).map(|door| self.entered(&door)) {
            Some(who) => {
                self.enter(who);
                self.capability()?;
                self.done("LOGIN")
            }
            None => self.refused("LOGIN failed."),
        }
    }

    fn enter(&mut self, who: Who<Arc<Store>>) {
        if let Some(store) = who.mailbox() {
            self.changes = Some(store.changes());
        }
        self.who = who;
    }

    fn refused(&mut self, text: &str) -> Step {
        self.failures += 1;
        self.no(None, text)?;
        if self.failures >= MAX_FAILURES {
            self.bye("Connection is closed. 13")?;
            self.server.disconnect();
        }
        Ok(())
    }

    fn entered(&self, door: &Door<'_>) -> Who<Arc<Store>> {
        let shut = self.context.faults.has(&ImapFault::NotConnected);
        Who::entered(door, shut, |user| self.context.stores.of(user))
    }
}
