//! Signing in, and finding out whether that was worth anything.

use imap_proto::types::{AString, Capability, Command, StatusKind};
use imap_proto::{CommandId, Completed, Event, Misuse, State};
use sasl::ClientMechanism;
use wire::{Secret, SecretBytes};

use super::Imap;
use super::folders::{self, Found};
use crate::credential::Credential;
use crate::error::{Error, Reply, Throttle};
use crate::server::Server;
use crate::sign_in::{Session, refusal, sign_in};

impl Session for Imap {
    fn offers(&self, mechanism: &str) -> bool {
        self.client.capabilities().is_some_and(|c| c.has_auth(mechanism))
    }

    fn offered(&self) -> Vec<String> {
        let Some(capabilities) = self.client.capabilities() else { return Vec::new() };
        capabilities
            .iter()
            .filter_map(|c| match c {
                Capability::Auth(mechanism) => Some(mechanism.as_str().to_owned()),
                _ => None,
            })
            .collect()
    }

    async fn authenticate(&mut self, mechanism: Box<dyn ClientMechanism>) -> Result<Option<Error>, Error> {
        let id = self.client.authenticate(mechanism)?;
        self.signed_in(id).await
    }

    async fn log_in(&mut self, user: &str, password: &Secret) -> Result<Option<Error>, Error> {
        if self.has(&Capability::LoginDisabled) {
            return Err(Error::LoginDisabled);
        }
        let user = AString::new(user.as_bytes()).map_err(Misuse::Invalid)?;
        let password = SecretBytes::new(password.expose().as_bytes().to_vec());
        let id = self.client.send(&Command::Login { user, password })?;
        self.signed_in(id).await
    }
}

impl Imap {
    pub(super) async fn sign_in(&mut self, server: &Server, credential: &Credential) -> Result<(), Error> {
        self.capabilities().await?;
        // PREAUTH behind verified TLS: the server knows who this is by other means (RFC 3501 section 7.1.4).
        if self.client.state() != State::Authenticated {
            self.token_expires_at = sign_in(self, server, credential).await?;
        }
        self.probe().await
    }

    async fn signed_in(&mut self, id: CommandId) -> Result<Option<Error>, Error> {
        let Completed { status, sign_in, .. } = self.completed(id, |_| Ok(())).await?;
        if status.kind == StatusKind::Ok {
            return Ok(None);
        }
        let refused = refusal(Reply::of(status), sign_in);
        refused.map(Some).map_err(|cause| Error::Protocol(imap_proto::Error::Sasl(cause)))
    }

    /// Commands behind the sign-in: only their success says that the mailbox is there.
    ///
    /// `OK AUTHENTICATE completed.` means little at Exchange, which opens the mailbox on the next command and then answers `BAD
    /// User is authenticated but not connected.` What is asked is what will be needed anyhow, in one round trip: the capabilities
    /// where signing in may have changed them and the server does not say so unasked, the namespace, and the folders.
    async fn probe(&mut self) -> Result<(), Error> {
        let ask = match self.client.capabilities() {
            None => Some(self.client.send(&Command::Capability)?),
            Some(_) => None,
        };
        let namespace = match self.client.capabilities() {
            Some(c) if !c.has(&Capability::Namespace) => None,
            _ => Some(self.client.send(&Command::Namespace)?),
        };
        let list = self.client.send(&folders::list()?)?;
        let mut found = Found::default();
        let mut waiting: Vec<CommandId> = [ask, namespace, Some(list)].into_iter().flatten().collect();
        let mut refused = None;
        // The server may answer in any order, and its data may come before any of the replies (RFC 3501 section 5.5).
        self.until(|event| {
            match event {
                Event::Completed(c) if waiting.contains(&c.id) => {
                    waiting.retain(|id| *id != c.id);
                    let optional = Some(c.id) == namespace;
                    refused = refused.take().or_else(|| reached(*c, optional).err());
                }
                event => found.take(event)?,
            }
            Ok(waiting.is_empty().then_some(()))
        })
        .await?;
        if let Some(refused) = refused {
            return Err(refused);
        }
        self.unreadable_folders = found.unreadable;
        self.folders = Some(found.folders);
        Ok(())
    }
}

/// Whether a command of the probe reached the mailbox. A server may not know an `optional` one, and answers BAD without meaning
/// the mailbox.
fn reached(completed: Completed, optional: bool) -> Result<(), Error> {
    if completed.status.kind == StatusKind::Ok {
        return Ok(());
    }
    let reply = Reply::of(completed.status);
    if optional && reply.kind == StatusKind::Bad && !reply.is_auth() && reply.throttle().is_none() {
        return Ok(());
    }
    Err(match reply.throttle() {
        Some(wait) => Error::Throttled(Throttle { reply, wait }),
        None => Error::NotConnected(reply),
    })
}
