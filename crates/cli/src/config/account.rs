//! An account with everything filled in, and what it can say of itself without asking anybody.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use auth::http::ReqwestOptions;
use auth::provider::Access;
use auth::{Certificate, Endpoints, Protocol, Provider, Registration};

use super::model::Flow;
use super::proof::{CertificateRef, Proof};
use super::secret::SecretRef;
use super::sending::Sending;
use super::server::{MailServer, seconds};
use crate::exit::{Exit, Failure, Result};
use crate::http::LazyHttp;
use crate::sign_in::redirect::Redirect;

/// An account, ready for use. No secret has been fetched yet.
#[derive(Debug)]
pub(crate) struct Account {
    /// Its name in the configuration.
    pub(crate) name: String,
    /// Who signs in.
    pub(crate) user: String,
    /// Other names under which the provider may know the user.
    pub(crate) aliases: Vec<String>,
    /// The redirect address, if one is configured.
    pub(crate) redirect: Option<Redirect>,
    /// Whose mailbox is opened: the SASL user.
    pub(crate) mailbox: String,
    /// The provider, with the account's overrides.
    pub(crate) provider: Provider,
    /// The tenant; empty for the provider's default.
    pub(crate) tenant: String,
    /// The registration; empty if none is configured.
    pub(crate) client_id: String,
    /// How it proves itself.
    pub(crate) proof: Proof,
    /// Where the person's password for the sign-in is.
    pub(crate) sign_in_password: Option<SecretRef>,
    /// The day the client secret ends, if that is said.
    pub(crate) client_secret_expires: Option<jiff::civil::Date>,
    /// How to sign in, if that is said.
    pub(crate) flow: Option<Flow>,
    /// Where access tokens come from instead of a sign-in.
    pub(crate) token: Option<SecretRef>,
    /// Where the password is.
    pub(crate) password: Option<SecretRef>,
    /// The server of IMAP.
    pub(crate) server: MailServer,
    /// The server of POP3, if there is one.
    pub(crate) pop3: Option<MailServer>,
    /// The server that mail is sent by, if there is one.
    pub(crate) smtp: Option<MailServer>,
    /// Who is named where when mail is sent.
    pub(crate) sending: Option<Sending>,
    pub(super) protocols: Vec<Protocol>,
    pub(super) scopes: Option<Vec<String>>,
    /// Where requests go, if it signs in.
    pub(super) endpoints: Option<Endpoints>,
    pub(super) oauth_ca: Option<PathBuf>,
    pub(super) connect_timeout: Option<u64>,
    pub(super) timeout: Option<u64>,
    pub(super) base: PathBuf,
}

impl Account {
    /// Whether tokens come from a sign-in with this program.
    pub(crate) fn needs_sign_in(&self) -> bool {
        self.token.is_none() && self.password.is_none()
    }

    /// The registration without what proves it: enough to find what is stored.
    pub(crate) fn registration(&self) -> Registration {
        Registration::new(&self.client_id, self.proof.stand_in(), &self.tenant)
    }

    /// Where requests go.
    pub(crate) fn endpoints(&self) -> Result<Cow<'_, Endpoints>> {
        if let Some(endpoints) = &self.endpoints {
            return Ok(Cow::Borrowed(endpoints));
        }
        let endpoints = self.provider.endpoints(&self.registration());
        endpoints.map(Cow::Owned).map_err(|error| Failure::from_auth(&error, &self.name))
    }

    /// What speaks to the identity provider. Fetches the credential.
    pub(crate) fn client(&self) -> Result<auth::Client<LazyHttp>> {
        let mut registration = self.registration();
        registration.credential = self.credential()?;
        Ok(auth::Client::new(self.endpoints()?.into_owned(), registration, LazyHttp::new(self.http()?)))
    }

    /// Whether somebody, or the application, can sign in with what is configured, as far as can be seen without asking anybody,
    /// running a command or needing this environment's variables.
    pub(crate) fn can_sign_in(&self) -> Result<()> {
        let failed = |error: auth::Error| Failure::from_auth(&error, &self.name);
        let endpoints = self.endpoints()?;
        self.scopes()?;
        if let Some(flow) = self.flow {
            endpoints.serves(flow.of_provider()).map_err(failed)?;
        }
        self.proof.at_hand(&self.base)
    }

    /// What proves the application, fetched.
    pub(crate) fn credential(&self) -> Result<auth::credential::Credential> {
        self.proof.credential(&self.base, &self.user)
    }

    fn http(&self) -> Result<crate::http::Settings> {
        let mut options = ReqwestOptions::default();
        for (value, slot) in
            [(self.connect_timeout, &mut options.connect_timeout), (self.timeout, &mut options.timeout)]
        {
            if let Some(value) = value {
                *slot = seconds(value);
            }
        }
        Ok(crate::http::Settings { options, ca_file: self.oauth_ca.clone() })
    }

    /// The scopes to ask for.
    pub(crate) fn scopes(&self) -> Result<Vec<String>> {
        if let Some(scopes) = &self.scopes {
            return Ok(scopes.clone());
        }
        // A service account acts for the person, with the person's scopes and nothing to renew.
        if self.flow == Some(Flow::ServiceAccount) {
            let mut scopes: Vec<String> = self
                .protocols
                .iter()
                .flat_map(|protocol| self.provider.scopes.of(*protocol))
                .cloned()
                .collect();
            scopes.sort_unstable();
            scopes.dedup();
            return Ok(scopes);
        }
        let access = if self.is_app() { Access::AppOnly } else { Access::Delegated };
        self.provider
            .scopes_for(&self.protocols, access)
            .map_err(|error| Failure::from_auth(&error, &self.name))
    }

    /// Whether the application signs in on its own.
    pub(crate) fn is_app(&self) -> bool {
        self.flow.is_some_and(Flow::is_app)
    }

    /// The file with certificates for the sign-in service.
    pub(crate) fn oauth_ca(&self) -> Option<&Path> {
        self.oauth_ca.as_deref()
    }

    /// Reads the certificate it refers to.
    pub(crate) fn load(&self, certificate: &CertificateRef) -> Result<Certificate> {
        certificate.load(&self.base)
    }

    /// Fetches a secret that the account refers to.
    pub(crate) fn fetch(&self, reference: &SecretRef, field: &str) -> Result<wire::Secret> {
        reference.fetch(&format!("the {field} of account {:?}", self.name), &self.base)
    }

    /// What the sign-in is for.
    pub(crate) fn protocols(&self) -> &[Protocol] {
        &self.protocols
    }

    /// The server of a protocol, if there is one and if the account's tokens are good for it.
    pub(crate) fn server_of(&self, protocol: Protocol) -> Result<&MailServer> {
        let name = &self.name;
        let server = match protocol {
            Protocol::Pop3 => self.pop3.as_ref(),
            Protocol::Smtp => self.smtp.as_ref(),
            _ => Some(&self.server),
        };
        let Some(server) = server else {
            return Err(Failure::new(
                Exit::Config,
                format!(
                    "account {name:?} has no server for {protocol}, and {} has none",
                    self.provider.title
                ),
                format!("write host = \"…\" under [accounts.{name}.{protocol}]"),
            ));
        };
        self.allows(protocol)?;
        Ok(server)
    }

    /// Refuses a protocol that the sign-in was not for.
    pub(crate) fn allows(&self, protocol: Protocol) -> Result<()> {
        let name = &self.name;
        // Scopes in the configuration are taken at their word.
        if self.needs_sign_in() && !self.is_app() && self.scopes.is_none() {
            let granted = self.scopes()?;
            if self.provider.scopes.of(protocol).iter().any(|scope| !granted.contains(scope)) {
                let mut all = self.protocols.clone();
                all.push(protocol);
                let all: Vec<String> = all.iter().map(|protocol| format!("\"{protocol}\"")).collect();
                return Err(Failure::new(
                    Exit::Config,
                    format!("the sign-in of account {name:?} is not for {protocol}"),
                    format!(
                        "write protocols = [{}] under [accounts.{name}], then run: postkey login {name}",
                        all.join(", ")
                    ),
                ));
            }
        }
        Ok(())
    }

    /// The identities of sending.
    pub(crate) fn sending(&self) -> Result<&Sending> {
        self.sending.as_ref().ok_or_else(|| {
            let name = &self.name;
            Failure::new(
                Exit::Config,
                format!("account {name:?} has no address to send from: {:?} is none", self.mailbox),
                format!("write sender = \"name@domain\" under [accounts.{name}.smtp]"),
            )
        })
    }

    /// Whom a sign-in by SASL names: the mailbox; for sending, what is configured for that.
    pub(crate) fn sasl_user(&self, protocol: Protocol) -> Result<&str> {
        match protocol {
            Protocol::Smtp => Ok(&self.sending()?.user),
            _ => Ok(&self.mailbox),
        }
    }

    /// The trust for a mail server. Reads files: call it when a connection is wanted.
    pub(crate) fn roots(&self, server: &MailServer) -> Result<postkey::Roots> {
        let failed = |error: driver::Error| {
            let advice = format!("see what is configured: postkey account show {}", self.name);
            Failure::new(Exit::Config, error.to_string(), advice)
        };
        let mut roots = postkey::Roots::mozilla();
        if server.platform_roots {
            roots = roots.with_platform().map_err(failed)?;
        }
        if let Some(path) = &server.ca_file {
            roots = roots.with_ca_file(path).map_err(failed)?;
        }
        Ok(roots)
    }
}
