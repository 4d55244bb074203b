//! From a host name to a protected connection whose server has greeted.

use imap_proto::types::{Capability, Command, StatusKind};
use imap_proto::{Client, Config, Security};

use super::Imap;
use crate::connect::connect;
use crate::credential::Credential;
use crate::error::{Error, Reply};
use crate::server::Server;

impl Imap {
    /// Connects, negotiates TLS, signs in, and makes sure that the mailbox can be reached.
    ///
    /// # Errors
    /// Any; see [`Error`]. No credential goes out before TLS is in place and verified, unless the server is configured as
    /// [`Security::DangerousPlaintext`].
    pub async fn open(server: &Server, credential: &Credential) -> Result<Self, Error> {
        let mut imap = Self::connect(server).await?;
        imap.sign_in(server, credential).await?;
        Ok(imap)
    }

    /// Connects and negotiates TLS; nobody is signed in yet.
    pub(super) async fn connect(server: &Server) -> Result<Self, Error> {
        let connection = connect(server).await?;
        let mut config = Config::new(server.security);
        config.limits = server.limits;
        config.timeouts = server.timeouts;
        let mut imap = Self {
            connection,
            client: Client::new(config),
            token_expires_at: None,
            folders: None,
            unreadable_folders: 0,
            exists: 0,
        };
        // The greeting; what it says about capabilities the machine keeps.
        imap.until(|_| Ok(Some(()))).await?;
        if server.security == Security::StartTls {
            imap.starttls().await?;
        }
        Ok(imap)
    }

    async fn starttls(&mut self) -> Result<(), Error> {
        // A server that cannot say what it can do may know STARTTLS all the same.
        if self.capabilities().await? && !self.has(&Capability::StartTls) {
            return Err(Error::TlsRequired);
        }
        let id = self.client.starttls()?;
        let completed = self.completed(id, |_| Ok(())).await?;
        if completed.status.kind == StatusKind::Ok {
            Ok(())
        } else {
            Err(Error::StarttlsRefused(Reply::of(completed.status)))
        }
    }

    /// Makes sure that the capabilities are known; `false` when the server does not tell.
    pub(super) async fn capabilities(&mut self) -> Result<bool, Error> {
        if self.client.capabilities().is_none() {
            let id = self.client.send(&Command::Capability)?;
            self.completed(id, |_| Ok(())).await?;
        }
        Ok(self.client.capabilities().is_some())
    }
}
