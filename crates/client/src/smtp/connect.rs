//! From a host name to a session that takes messages.

use sasl::ClientMechanism;
use smtp_proto::types::{Capabilities, EhloName};
use smtp_proto::{Client, CommandId, Completed, Config};
use wire::{Secret, Security};

use super::Smtp;
use crate::connect::connect;
use crate::credential::Credential;
use crate::error::{Error, Reply};
use crate::server::Server;
use crate::sign_in::{Session, refusal, sign_in};

impl Smtp {
    /// Connects, negotiates TLS and signs in.
    ///
    /// `name` is what this host calls itself: a domain, or an address literal where it has none.
    ///
    /// # Errors
    /// Any; see [`Error`]. No credential goes out before TLS is in place and verified, unless the server is configured as
    /// [`Security::DangerousPlaintext`].
    pub async fn open(server: &Server, credential: &Credential, name: &EhloName) -> Result<Self, Error> {
        let mut smtp = Self::connect(server, name).await?;
        smtp.token_expires_at = sign_in(&mut smtp, server, credential).await?;
        Ok(smtp)
    }

    /// Connects and negotiates TLS without signing in: for a server that knows its clients by other means.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn connect(server: &Server, name: &EhloName) -> Result<Self, Error> {
        let connection = connect(server).await?;
        let mut config = Config::new(server.security);
        config.limits = server.limits;
        config.timeouts = server.smtp_timeouts;
        let client = Client::new(config);
        let mut smtp = Self { connection, client, token_expires_at: None, broken: false, buffer: Vec::new() };
        // The greeting.
        smtp.next().await?;
        smtp.hello(name).await?;
        if server.security == Security::StartTls {
            smtp.starttls().await?;
            smtp.hello(name).await?;
        }
        Ok(smtp)
    }

    async fn hello(&mut self, name: &EhloName) -> Result<(), Error> {
        let id = self.client.hello(name)?;
        let mut reply = self.completed(id).await?.reply;
        // "Not recognised" or "not implemented": a server from before 1995.
        if matches!(reply.code().get(), 500 | 502) {
            let id = self.client.helo(name)?;
            reply = self.completed(id).await?.reply;
        }
        if reply.is_positive() { Ok(()) } else { Err(Error::refused("EHLO", reply.into())) }
    }

    async fn starttls(&mut self) -> Result<(), Error> {
        if !self.client.capabilities().is_some_and(|c| c.has("STARTTLS")) {
            return Err(Error::TlsRequired);
        }
        let id = self.client.starttls()?;
        let reply = self.completed(id).await?.reply;
        if reply.is_positive() { Ok(()) } else { Err(Error::StarttlsRefused(reply.into())) }
    }
}

impl Session for Smtp {
    fn offers(&self, mechanism: &str) -> bool {
        self.client.capabilities().is_some_and(|c| c.has_mechanism(mechanism))
    }

    fn offered(&self) -> Vec<String> {
        let mechanisms = self.client.capabilities().into_iter().flat_map(Capabilities::mechanisms);
        mechanisms.map(|m| wire::printable(m.as_bytes())).collect()
    }

    async fn authenticate(&mut self, mechanism: Box<dyn ClientMechanism>) -> Result<Option<Error>, Error> {
        let id = self.client.authenticate(mechanism)?;
        self.signed_in(id).await
    }

    async fn log_in(&mut self, user: &str, password: &Secret) -> Result<Option<Error>, Error> {
        // SMTP has no command of its own for passwords, and servers exist that know LOGIN and not PLAIN.
        if !self.offers("LOGIN") {
            return Err(Error::NoMechanism { wanted: "a password", offered: self.offered() });
        }
        let login = sasl::login::Client::new(user, password.clone()).map_err(Error::Credential)?;
        self.authenticate(Box::new(login)).await
    }
}

impl Smtp {
    async fn signed_in(&mut self, id: CommandId) -> Result<Option<Error>, Error> {
        let Completed { reply, sign_in, .. } = self.completed(id).await?;
        if reply.is_positive() {
            return Ok(None);
        }
        let refused = refusal(Reply::from(reply), sign_in);
        refused.map(Some).map_err(|cause| Error::Smtp(smtp_proto::Error::Sasl(cause)))
    }
}
