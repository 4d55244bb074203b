//! What all connections of one mail server share.

use std::sync::Arc;

use rustls::ServerConfig;
use sasl::{Credentials, ErrorChallenge, Verdict};
use wire::{Secret, Security};

use crate::access::{self, Door, Protocol};
use crate::clock::Clock;
use crate::count::Counters;
use crate::directory::Directory;
use crate::mail::stores::Stores;
use crate::mail_faults::MailFaults;
use crate::profile::Profile;
use crate::token::Mint;

/// What all connections of one mail server share; `F` are the faults it knows.
pub(crate) struct Context<F> {
    pub(crate) protocol: Protocol,
    pub(crate) clock: Clock,
    pub(crate) directory: Arc<Directory>,
    pub(crate) mint: Arc<Mint>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) stores: Arc<Stores>,
    pub(crate) faults: Arc<MailFaults<F>>,
    pub(crate) profile: Profile,
    pub(crate) tls: Arc<ServerConfig>,
}

impl<F> Context<F> {
    /// The same tenant behind a server of another protocol.
    pub(crate) fn beside<G>(
        &self,
        protocol: Protocol,
        profile: Profile,
        faults: &Arc<MailFaults<G>>,
    ) -> Context<G> {
        Context {
            protocol,
            clock: self.clock.clone(),
            directory: Arc::clone(&self.directory),
            mint: Arc::clone(&self.mint),
            counters: Arc::clone(&self.counters),
            stores: Arc::clone(&self.stores),
            faults: Arc::clone(faults),
            profile,
            tls: Arc::clone(&self.tls),
        }
    }

    /// How a connection is protected; `implicit` says whether TLS comes first.
    pub(crate) fn security(&self, implicit: bool) -> Security {
        match (implicit, self.profile.is_exchange()) {
            (true, _) => Security::Tls,
            (false, true) => Security::StartTls,
            (false, false) => Security::DangerousPlaintext,
        }
    }

    /// What a SASL exchange's credentials open; `None` if the sign-in itself is refused.
    pub(crate) fn open(&self, credentials: &Credentials) -> Option<Door<'_>> {
        match credentials {
            Credentials::Bearer { user, token, .. } => {
                access::by_token(&self.directory, &self.mint, self.protocol, user.as_deref(), token)
            }
            Credentials::Password { user, password, .. } => self.by_password(user, password),
            _ => None,
        }
    }

    /// What a password opens: the user's own mailbox, and only where passwords are taken.
    pub(crate) fn by_password(&self, user: &str, password: &Secret) -> Option<Door<'_>> {
        if self.profile.is_exchange() {
            return None;
        }
        access::by_password(&self.directory, self.protocol, user, password)
    }

    /// What a SASL exchange is told.
    pub(crate) fn verdict(&self, accepted: bool) -> Verdict {
        match accepted {
            true => Verdict::Accept,
            // Exchange says nothing; others say why.
            false if self.profile.is_exchange() => Verdict::Refuse(None),
            false => Verdict::Refuse(Some(ErrorChallenge::new("401"))),
        }
    }
}
