//! Signing in, each flow in a file.

mod browser;
mod device;
mod identity;
mod listener;
mod password;
mod paste;
pub(crate) mod redirect;
mod typed;

use auth::{Challenge, Tokens};

use self::redirect::Redirect;
use crate::config::Account;
use crate::config::model::Flow;
use crate::exit::{Exit, Failure, Result};
use crate::http::LazyHttp;
use crate::output::Out;

/// What the command line says about a sign-in.
#[derive(Clone, Debug)]
pub(crate) struct Wishes {
    /// Show a QR code even if nobody seems to be at a terminal.
    pub(crate) qr: bool,
    /// Do not open a browser.
    pub(crate) no_open: bool,
    /// The language of the pages, as a BCP 47 tag.
    pub(crate) language: Option<String>,
    /// Longest wait for the browser, in seconds.
    pub(crate) timeout: u64,
}

/// Everything a flow needs.
pub(crate) struct SignIn<'a> {
    pub(crate) account: &'a Account,
    pub(crate) client: auth::Client<LazyHttp>,
    pub(crate) scopes: Vec<String>,
    pub(crate) out: Out,
    pub(crate) wishes: Wishes,
    /// What the service demanded when it last refused to renew the tokens: the browser takes it there.
    pub(crate) challenge: Option<Challenge>,
}

impl<'a> SignIn<'a> {
    /// Prepares a sign-in for `account`.
    pub(crate) fn new(account: &'a Account, out: Out, wishes: Wishes) -> Result<Self> {
        Ok(Self {
            account,
            client: account.client()?,
            scopes: account.scopes()?,
            out,
            wishes,
            challenge: None,
        })
    }

    /// Signs in.
    pub(crate) async fn run(&self, flow: Flow) -> Result<Tokens> {
        match flow {
            Flow::Browser => self.browser().await,
            Flow::Paste => self.paste().await,
            Flow::Device => self.device().await,
            Flow::Password => self.password().await,
            Flow::App | Flow::Certificate | Flow::Federated => {
                self.client.client_credentials(&self.scopes).await.map_err(|error| self.failed(&error))
            }
            Flow::ServiceAccount => {
                self.client.jwt_bearer(&self.scopes).await.map_err(|error| self.failed(&error))
            }
        }
    }

    /// The redirect address: the account's, or any port of this machine.
    fn redirect(&self) -> Result<Redirect> {
        let account = self.account;
        match &account.redirect {
            Some(redirect) => Ok(redirect.clone()),
            None => Redirect::on(&account.provider.redirect_host).map_err(|error| {
                Failure::new(
                    Exit::Config,
                    format!("redirect_host of provider {:?}: {error}", account.provider.name),
                    "write localhost or 127.0.0.1",
                )
            }),
        }
    }

    fn failed(&self, error: &auth::Error) -> Failure {
        Failure::from_auth(error, &self.account.name)
    }

    /// For whom the person is about to sign in, and to what.
    fn purpose(&self) -> String {
        let tenant = self.client.endpoints().tenant.as_str();
        let at = if tenant.is_empty() { String::new() } else { format!(", tenant {tenant}") };
        format!(
            "{} at {}{at}, for: {}",
            self.account.user,
            self.account.provider.title,
            self.scopes.join(" ")
        )
    }
}

/// The flow when neither the command line nor the configuration names one: the browser where there is a desktop.
pub(crate) fn default_flow(account: &Account) -> Flow {
    if account.provider.device.is_none() || crate::browser::has_desktop() {
        Flow::Browser
    } else {
        Flow::Device
    }
}
