//! AUTH: who may send.

use sasl::{Credentials, ServerExchange};

use crate::access::Door;
use crate::count::RequestKind;
use crate::session::Step;
use crate::smtp::fault::SmtpFault;
use crate::smtp::session::{Sender, Session};
use crate::smtp::words;

/// The catch-all: bad token, wrong scope, wrong user, no permission, bad Base64, a cancelled exchange.
pub(crate) const UNSUCCESSFUL: &str = "5.7.3 Authentication unsuccessful";

/// What passwords are refused with, right or wrong.
const NO_PASSWORDS: &str = "5.7.139 Authentication unsuccessful, basic authentication is disabled.";

/// What the exchange came to, told once it is over.
pub(crate) enum Outcome {
    Sender(Sender),
    Refused(&'static str),
}

impl Session {
    pub(crate) fn auth(&mut self, mechanism: &str) -> Step {
        self.context.counters.count(RequestKind::SmtpAuthenticate);
        if self.context.faults.take(|f| *f == SmtpFault::SignInTemporary).is_some() {
            return self.reply(454, "4.7.0 Temporary authentication failure");
        }
        let limits = self.server.sasl_limits();
        let offered = words::offers(self.context.profile, self.server.is_secure(), mechanism);
        match ServerExchange::named(mechanism, limits).filter(|_| offered) {
            Some(exchange) => Ok(self.server.begin_auth(exchange)?),
            None => self.reply(504, "5.7.4 Unrecognized authentication type"),
        }
    }

    pub(crate) fn credentials(&mut self, credentials: &Credentials) -> Step {
        let outcome = match credentials {
            Credentials::Password { .. } if self.context.profile.is_exchange() => {
                Outcome::Refused(NO_PASSWORDS)
            }
            _ => self.context.open(credentials).map_or(Outcome::Refused(UNSUCCESSFUL), enter),
        };
        let verdict = self.context.verdict(matches!(outcome, Outcome::Sender(_)));
        self.pending = Some(outcome);
        Ok(self.server.verdict(verdict)?)
    }

    pub(crate) fn auth_end(&mut self, success: bool) -> Step {
        match self.pending.take() {
            Some(Outcome::Sender(sender)) if success => {
                self.slot = self.slots.take(&sender.mailbox);
                self.sender = Some(sender);
                self.reply(235, "2.7.0 Authentication successful")
            }
            Some(Outcome::Refused(why)) => self.refused(why),
            _ => self.refused(UNSUCCESSFUL),
        }
    }

    fn refused(&mut self, why: &str) -> Step {
        let text = format!("{why} {}", words::place(self.context.clock.now()));
        self.reply(535, &text)
    }
}

fn enter(door: Door<'_>) -> Outcome {
    match door.mailbox.smtp {
        Some(why) => Outcome::Refused(words::switched_off(why)),
        None if !door.open => Outcome::Refused(UNSUCCESSFUL),
        None => Outcome::Sender(Sender { mailbox: door.mailbox.upn.clone(), identity: door.identity }),
    }
}
