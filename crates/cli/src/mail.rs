//! From an account to a mail session.

use std::sync::Arc;

use auth::Protocol;
use postkey::{Credential, Mechanism, Security, Server};

use crate::config::model::{Flow, Tls};
use crate::config::{Account, Config, MailServer};
use crate::exit::{Failure, Result, Signing};
use crate::tokens::{self, ForeignTokens, StoredTokens};

/// Where to connect and as whom.
pub(crate) struct Access {
    pub(crate) server: Server,
    pub(crate) credential: Credential,
    account: Arc<Account>,
    protocol: Protocol,
}

impl Access {
    /// Prepares a session. A missing sign-in is found here, before any connection is made.
    pub(crate) async fn prepare(account: Account, config: &Config, protocol: Protocol) -> Result<Self> {
        let account = Arc::new(account);
        let place = account.server_of(protocol)?;
        let user = account.sasl_user(protocol)?.to_owned();
        let credential = credential(&account, place, user, config).await?;
        let security = match place.tls {
            Tls::Implicit => Security::Tls,
            Tls::Starttls => Security::StartTls,
            Tls::DangerousPlaintext => Security::DangerousPlaintext,
        };
        let roots = account.roots(place)?;
        let server = match protocol {
            Protocol::Pop3 => Server::pop3(&place.host, roots),
            Protocol::Smtp => Server::submission(&place.host, roots),
            _ => Server::imap(&place.host, roots),
        };
        let mut server = server.port(place.port).security(security);
        if let Some(limit) = place.timeout {
            server.connect_timeout = limit;
            server.tls_timeout = limit;
            server.timeouts.greeting = limit;
            server.timeouts.auth = limit;
            server.timeouts.command = limit;
        }
        Ok(Self { server, credential, account, protocol })
    }

    /// A failed session in this program's words.
    pub(crate) fn failed(&self, error: &postkey::Error) -> Failure {
        let Account { name, mailbox, user, .. } = self.account.as_ref();
        Failure::from_mail(
            error,
            Signing {
                account: name,
                mailbox,
                user,
                protocol: self.protocol,
                ours: self.account.needs_sign_in(),
                // A service account has the rights of the person it acts for.
                app: self.account.is_app() && self.account.flow != Some(Flow::ServiceAccount),
            },
        )
    }
}

async fn credential(
    account: &Arc<Account>,
    server: &MailServer,
    user: String,
    config: &Config,
) -> Result<Credential> {
    if let Some(reference) = &account.password {
        return Ok(Credential::Password { user, password: account.fetch(reference, "password")? });
    }
    let mechanism = mechanism(account, server);
    if account.token.is_some() {
        let tokens = Arc::new(ForeignTokens(Arc::clone(account)));
        return Ok(Credential::Bearer { user, tokens, mechanism });
    }
    let store = tokens::open(config, &account.name)?;
    if account.stored(&store)?.is_none() {
        account.renewed(&store).await?;
    }
    let tokens = Arc::new(StoredTokens::new(Arc::clone(account), store));
    Ok(Credential::Bearer { user, tokens, mechanism })
}

/// The provider's mechanism where it has only one, because it may not say so (Yandex); on a server of one's own, what that
/// offers.
fn mechanism(account: &Account, server: &MailServer) -> Mechanism {
    match account.provider.mechanisms.as_slice() {
        _ if server.own => Mechanism::Offered,
        [only] if only.eq_ignore_ascii_case("XOAUTH2") => Mechanism::XOAuth2,
        [only] if only.eq_ignore_ascii_case("OAUTHBEARER") => Mechanism::OAuthBearer,
        _ => Mechanism::Offered,
    }
}
