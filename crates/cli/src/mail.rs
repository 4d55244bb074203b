//! From an account to a mail session.

use std::sync::Arc;

use postkey::{Credential, Mechanism, Security, Server};

use crate::config::model::Tls;
use crate::config::{Account, Config};
use crate::exit::{Failure, Result, Signing};
use crate::tokens::{self, ForeignTokens, StoredTokens};

/// Where to connect and as whom.
pub(crate) struct Access {
    pub(crate) server: Server,
    pub(crate) credential: Credential,
    account: Arc<Account>,
}

impl Access {
    /// Prepares a session. A missing sign-in is found here, before any connection is made.
    pub(crate) async fn prepare(account: Account, config: &Config) -> Result<Self> {
        let account = Arc::new(account);
        let credential = credential(&account, config).await?;
        let security = match account.server.tls {
            Tls::Implicit => Security::Tls,
            Tls::Starttls => Security::StartTls,
            Tls::DangerousPlaintext => Security::DangerousPlaintext,
        };
        let mut server =
            Server::imap(&account.server.host, account.roots()?).port(account.server.port).security(security);
        if let Some(limit) = account.server.timeout {
            server.connect_timeout = limit;
            server.tls_timeout = limit;
            server.timeouts.greeting = limit;
            server.timeouts.auth = limit;
            server.timeouts.command = limit;
        }
        Ok(Self { server, credential, account })
    }

    /// A failed session in this program's words.
    pub(crate) fn failed(&self, error: &postkey::Error) -> Failure {
        let Account { name, mailbox, user, .. } = self.account.as_ref();
        Failure::from_mail(
            error,
            Signing { account: name, mailbox, user, ours: self.account.needs_sign_in() },
        )
    }
}

async fn credential(account: &Arc<Account>, config: &Config) -> Result<Credential> {
    let user = account.mailbox.clone();
    if let Some(reference) = &account.password {
        return Ok(Credential::Password { user, password: account.fetch(reference, "password")? });
    }
    let mechanism = mechanism(account);
    if account.token.is_some() {
        let tokens = Arc::new(ForeignTokens(Arc::clone(account)));
        return Ok(Credential::Bearer { user, tokens, mechanism });
    }
    let store = tokens::open(&config.state_dir()?, &account.name)?;
    if account.stored(&store)?.is_none() {
        account.renewed(&store).await?;
    }
    let tokens = Arc::new(StoredTokens::new(Arc::clone(account), store));
    Ok(Credential::Bearer { user, tokens, mechanism })
}

/// The provider's mechanism where it has only one, because it may not say so (Yandex); on a server of one's own, what that
/// offers.
fn mechanism(account: &Account) -> Mechanism {
    match account.provider.mechanisms.as_slice() {
        _ if account.server.own => Mechanism::Offered,
        [only] if only.eq_ignore_ascii_case("XOAUTH2") => Mechanism::XOAuth2,
        [only] if only.eq_ignore_ascii_case("OAUTHBEARER") => Mechanism::OAuthBearer,
        _ => Mechanism::Offered,
    }
}
