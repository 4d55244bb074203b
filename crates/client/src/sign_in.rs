//! Signing in, the same in every protocol: which mechanism, which token, and what follows a refusal.

use sasl::ClientMechanism;
use wire::Secret;

use crate::credential::{Ask, Credential, Mechanism};
use crate::error::{Error, Reply, Throttle};
use crate::server::Server;

/// What signing in needs of a session.
pub(crate) trait Session {
    /// Whether the server says that it knows a SASL mechanism.
    fn offers(&self, mechanism: &str) -> bool;

    /// The SASL mechanisms that the server says it knows.
    fn offered(&self) -> Vec<String>;

    /// One try with a mechanism; `Some` is the server's refusal, after which another try is possible.
    async fn authenticate(&mut self, mechanism: Box<dyn ClientMechanism>) -> Result<Option<Error>, Error>;

    /// One try with a password where the server does not offer PLAIN: by the protocol's own command, if it has one.
    async fn log_in(&mut self, user: &str, password: &Secret) -> Result<Option<Error>, Error>;
}

/// Signs in. Returns when the token that was used ends, in seconds since 1970; `None` when nobody knows.
pub(crate) async fn sign_in<S: Session>(
    session: &mut S,
    server: &Server,
    credential: &Credential,
) -> Result<Option<u64>, Error> {
    match credential {
        Credential::Bearer { user, tokens, mechanism } => {
            // Which mechanism is clear before a token is fetched: a refusal here costs no request.
            let mechanism = bearer_mechanism(session, *mechanism)?;
            let token = tokens.token(Ask::Valid).await?;
            let first = bearer(server, mechanism, user, &token.secret)?;
            let Some(refusal) = session.authenticate(first).await? else { return Ok(token.expires_at) };
            // It may have been revoked since it was stored. One new token, one more try.
            if matches!(&refusal, Error::SignIn { reply, .. } if !reply.is_transient())
                && token.expires_at.is_some()
            {
                let fresh = tokens.token(Ask::Fresh).await?;
                if fresh.secret != token.secret {
                    let second = bearer(server, mechanism, user, &fresh.secret)?;
                    return session.authenticate(second).await?.map_or(Ok(fresh.expires_at), Err);
                }
            }
            Err(refusal)
        }
        Credential::Password { user, password } => {
            let refusal = if session.offers("PLAIN") {
                let plain = sasl::plain::Client::new(user, password.clone()).map_err(Error::Credential)?;
                session.authenticate(Box::new(plain)).await?
            } else {
                session.log_in(user, password).await?
            };
            refusal.map_or(Ok(None), Err)
        }
    }
}

/// The server has refused a sign-in: what that means, unless the exchange itself broke down.
pub(crate) fn refusal(reply: Reply, failure: Option<sasl::Failure>) -> Result<Error, sasl::Error> {
    if let Some(cause) = failure.as_ref().and_then(|f| f.cause.clone()) {
        return Err(cause);
    }
    if let Some(wait) = reply.throttle() {
        return Ok(Error::Throttled(Throttle { reply, wait }));
    }
    let reason = failure.and_then(|f| f.error_challenge).map(|c| wire::printable(c.to_string().as_bytes()));
    Ok(Error::SignIn { reply, reason })
}

fn bearer_mechanism(session: &impl Session, wanted: Mechanism) -> Result<Mechanism, Error> {
    match wanted {
        Mechanism::Offered if session.offers("OAUTHBEARER") => Ok(Mechanism::OAuthBearer),
        Mechanism::Offered if session.offers("XOAUTH2") => Ok(Mechanism::XOAuth2),
        Mechanism::Offered => {
            Err(Error::NoMechanism { wanted: "an access token", offered: session.offered() })
        }
        forced => Ok(forced),
    }
}

fn bearer(
    server: &Server,
    mechanism: Mechanism,
    user: &str,
    token: &Secret,
) -> Result<Box<dyn ClientMechanism>, Error> {
    let token = token.clone();
    Ok(match mechanism {
        Mechanism::OAuthBearer => {
            let place = Some((server.host.as_str(), server.port));
            Box::new(sasl::oauthbearer::Client::new(Some(user), token, place).map_err(Error::Credential)?)
        }
        Mechanism::Offered | Mechanism::XOAuth2 => {
            Box::new(sasl::xoauth2::Client::new(user, token).map_err(Error::Credential)?)
        }
    })
}
