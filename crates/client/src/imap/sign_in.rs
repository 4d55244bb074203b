//! Signing in, and finding out whether that was worth anything.

use imap_proto::types::{AString, Capability, Command, StatusKind};
use imap_proto::{CommandId, Completed, Event, Misuse, State};
use sasl::ClientMechanism;
use wire::{Secret, SecretBytes};

use super::Imap;
use super::folders::{self, Found};
use crate::credential::{Ask, Credential, Mechanism};
use crate::error::{Error, Reply, Throttle};

impl Imap {
    pub(super) async fn sign_in(
        &mut self,
        host: &str,
        port: u16,
        credential: &Credential,
    ) -> Result<(), Error> {
        self.capabilities().await?;
        if self.client.state() == State::Authenticated {
            // PREAUTH behind verified TLS: the server knows who this is by other means (RFC 3501 section 7.1.4).
            return self.probe().await;
        }
        match credential {
            Credential::Bearer { user, tokens, mechanism } => {
                // Which mechanism is clear before a token is fetched: a refusal here costs no request.
                let mechanism = self.bearer_mechanism(*mechanism)?;
                let token = tokens.token(Ask::Valid).await?;
                let mut refused = self.bearer(host, port, mechanism, user, &token.secret).await?;
                self.token_expires_at = token.expires_at;
                let transient = matches!(&refused, Some(Error::SignIn { reply, .. }) if reply.is_transient());
                if refused.is_some() && !transient && token.expires_at.is_some() {
                    // It may have been revoked since it was stored. One new token, one more try.
                    let fresh = tokens.token(Ask::Fresh).await?;
                    if fresh.secret != token.secret {
                        refused = self.bearer(host, port, mechanism, user, &fresh.secret).await?;
                        self.token_expires_at = fresh.expires_at;
                    }
                }
                refused.map_or(Ok(()), Err)?;
            }
            Credential::Password { user, password } => self.password(user, password).await?,
        }
        self.probe().await
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

    fn offers(&self, mechanism: &str) -> bool {
        self.client.capabilities().is_some_and(|c| c.has_auth(mechanism))
    }

    fn bearer_mechanism(&self, wanted: Mechanism) -> Result<Mechanism, Error> {
        match wanted {
            Mechanism::Offered if self.offers("OAUTHBEARER") => Ok(Mechanism::OAuthBearer),
            Mechanism::Offered if self.offers("XOAUTH2") => Ok(Mechanism::XOAuth2),
            Mechanism::Offered => {
                Err(Error::NoMechanism { wanted: "an access token", offered: self.offered() })
            }
            forced => Ok(forced),
        }
    }

    /// One try with a token; `Some` is the server's refusal, after which another try is possible.
    async fn bearer(
        &mut self,
        host: &str,
        port: u16,
        mechanism: Mechanism,
        user: &str,
        token: &Secret,
    ) -> Result<Option<Error>, Error> {
        let refuse = |e| Error::Misuse(Misuse::Sasl(e));
        let client: Box<dyn ClientMechanism> = match mechanism {
            Mechanism::OAuthBearer => Box::new(
                sasl::oauthbearer::Client::new(Some(user), token.clone(), Some((host, port)))
                    .map_err(refuse)?,
            ),
            Mechanism::Offered | Mechanism::XOAuth2 => {
                Box::new(sasl::xoauth2::Client::new(user, token.clone()).map_err(refuse)?)
            }
        };
        let id = self.client.authenticate(client)?;
        self.signed_in(id).await
    }

    async fn password(&mut self, user: &str, password: &Secret) -> Result<(), Error> {
        let id = if self.offers("PLAIN") {
            let client = sasl::plain::Client::new(user, password.clone())
                .map_err(|e| Error::Misuse(Misuse::Sasl(e)))?;
            self.client.authenticate(Box::new(client))?
        } else {
            if self.has(&Capability::LoginDisabled) {
                return Err(Error::LoginDisabled);
            }
            let user = AString::new(user.as_bytes()).map_err(Misuse::Invalid)?;
            let password = SecretBytes::new(password.expose().as_bytes().to_vec());
            self.client.send(&Command::Login { user, password })?
        };
        self.signed_in(id).await?.map_or(Ok(()), Err)
    }

    async fn signed_in(&mut self, id: CommandId) -> Result<Option<Error>, Error> {
        let Completed { status, sign_in, .. } = self.completed(id, |_| Ok(())).await?;
        if status.kind == StatusKind::Ok {
            return Ok(None);
        }
        let cause = sign_in.as_ref().and_then(|f| f.cause.clone());
        if let Some(cause) = cause {
            return Err(Error::Protocol(imap_proto::Error::Sasl(cause)));
        }
        let reply = Reply::of(status);
        if let Some(wait) = reply.throttle() {
            return Err(Error::Throttled(Throttle { reply, wait }));
        }
        let reason =
            sign_in.and_then(|f| f.error_challenge).map(|c| wire::printable(c.to_string().as_bytes()));
        Ok(Some(Error::SignIn { reply, reason }))
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
        while !waiting.is_empty() {
            let more = self
                .next(&mut |event| {
                    match event {
                        Event::Completed(c) if waiting.contains(&c.id) => {
                            waiting.retain(|id| *id != c.id);
                            let optional = Some(c.id) == namespace;
                            refused = refused.take().or_else(|| reached(*c, optional).err());
                        }
                        event => found.take(event)?,
                    }
                    Ok(())
                })
                .await?;
            if !more {
                return Err(Error::Misuse(Misuse::State));
            }
        }
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
