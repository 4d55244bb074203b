//! From a host name to a session that holds the maildrop.

use pop3_proto::types::{Capability, Command, DropListing, Name, Password};
use pop3_proto::{Client, CommandId, Completed, Config, Event, Misuse};
use sasl::ClientMechanism;
use wire::{Secret, Security};

use super::Pop3;
use crate::connect::connect;
use crate::credential::Credential;
use crate::error::{Error, Reply};
use crate::server::Server;
use crate::sign_in::{Session, refusal, sign_in};

impl Pop3 {
    /// Connects, negotiates TLS, signs in, and makes sure that the mailbox can be reached. A server that offers UTF-8 (RFC 6856) is asked
    /// for it, so that messages come as they are stored.
    ///
    /// # Errors
    /// Any; see [`Error`]. No credential goes out before TLS is in place and verified, unless the server is configured as
    /// [`Security::DangerousPlaintext`].
    pub async fn open(server: &Server, credential: &Credential) -> Result<Self, Error> {
        let connection = connect(server).await?;
        let mut config = Config::new(server.security);
        let (line, pre_auth_line) = (config.limits.line, config.limits.pre_auth_line);
        config.limits = server.limits;
        config.limits.line = server.limits.line.min(line);
        config.limits.pre_auth_line = server.limits.pre_auth_line.min(pre_auth_line);
        config.timeouts = server.pop3_timeouts;
        let stat = DropListing { messages: 0, octets: 0 };
        let mut pop3 =
            Self { connection, client: Client::new(config), token_expires_at: None, stat, marked: false };
        // The greeting.
        pop3.until(|_| Ok(Some(()))).await?;
        if server.security == Security::StartTls {
            pop3.stls().await?;
        }
        pop3.capabilities().await?;
        pop3.utf8().await?;
        pop3.token_expires_at = sign_in(&mut pop3, server, credential).await?;
        pop3.probe().await?;
        Ok(pop3)
    }

    async fn stls(&mut self) -> Result<(), Error> {
        // A server that cannot say what it can do may know STLS all the same.
        self.capabilities().await?;
        if self.client.capabilities().is_some_and(|c| !c.has(&Capability::Stls)) {
            return Err(Error::TlsRequired);
        }
        let id = self.client.stls()?;
        let reply = self.completed(id, |_| Ok(())).await?.reply;
        if reply.is_ok() { Ok(()) } else { Err(Error::StarttlsRefused(reply.into())) }
    }

    /// Asks what the server can do. One that does not know CAPA leaves it open.
    async fn capabilities(&mut self) -> Result<(), Error> {
        let id = self.client.send(&Command::Capa)?;
        self.lines(id, |_| Ok(())).await.map(drop)
    }

    /// Asks for UTF-8 where the server knows it, before the sign-in, as the only place, and after TLS, which may not begin behind it (RFC 6856
    /// section 2.1). Names and passwords beyond ASCII need it, and so do messages with UTF-8 in their headers: without it a server
    /// that keeps to the RFC refuses them or gives out something else in their place.
    async fn utf8(&mut self) -> Result<(), Error> {
        if self.client.capabilities().is_some_and(|c| c.has_utf8()) {
            let id = self.client.send(&Command::Utf8)?;
            let reply = self.completed(id, |_| Ok(())).await?.reply;
            if !reply.is_ok() {
                // It is worth nothing to a mailbox in ASCII; a message that needs it will be refused by name.
                tracing::debug!("the server lists UTF8 and refuses it");
            }
        }
        Ok(())
    }

    /// Runs until a command whose success brings lines is answered; `on` sees every event before that. The refusal, if it was refused.
    pub(super) async fn lines(
        &mut self,
        id: CommandId,
        mut on: impl FnMut(Event<'_>) -> Result<(), Error>,
    ) -> Result<Option<Reply>, Error> {
        self.until(|event| {
            Ok(match event {
                Event::End(done) if done == id => Some(None),
                Event::Completed(c) if c.id == id => Some(Some(c.reply.into())),
                event => {
                    on(event)?;
                    None
                }
            })
        })
        .await
    }

    /// STAT: only its success says that the mailbox is there (Exchange signs people in whom it then refuses).
    async fn probe(&mut self) -> Result<(), Error> {
        let id = self.client.send(&Command::Stat)?;
        let Completed { reply, .. } = self.completed(id, |_| Ok(())).await?;
        if !reply.is_ok() {
            return Err(match Error::refused("STAT", reply.into()) {
                Error::Refused { reply, .. } => Error::NotConnected(reply),
                error => error,
            });
        }
        let listing = reply.drop_listing();
        self.stat = listing.map_err(|e| {
            let found = self.client.redactor().excerpt(reply.text.as_bytes());
            Error::Pop3(pop3_proto::Error::Peer { rule: e.rule, found })
        })?;
        Ok(())
    }

    async fn signed_in(&mut self, id: CommandId) -> Result<Option<Error>, Error> {
        let Completed { reply, sign_in, .. } = self.completed(id, |_| Ok(())).await?;
        if reply.is_ok() {
            return Ok(None);
        }
        let refused = refusal(reply.into(), sign_in);
        refused.map(Some).map_err(|cause| Error::Pop3(pop3_proto::Error::Sasl(cause)))
    }
}

impl Session for Pop3 {
    fn offers(&self, mechanism: &str) -> bool {
        self.client.capabilities().is_some_and(|c| c.has_mechanism(mechanism))
    }

    fn offered(&self) -> Vec<String> {
        let Some(capabilities) = self.client.capabilities() else { return Vec::new() };
        capabilities.mechanisms().map(|m| m.as_str().to_owned()).collect()
    }

    async fn authenticate(&mut self, mechanism: Box<dyn ClientMechanism>) -> Result<Option<Error>, Error> {
        let id = self.client.authenticate(mechanism)?;
        self.signed_in(id).await
    }

    async fn log_in(&mut self, user: &str, password: &Secret) -> Result<Option<Error>, Error> {
        let name = Name::new(user).map_err(Misuse::Invalid)?;
        let password = Password::try_from(password).map_err(Misuse::Invalid)?;
        let id = self.client.login(&name, &password)?;
        self.signed_in(id).await
    }
}
