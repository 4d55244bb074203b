//! An account with everything filled in: the file's table over its provider.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use auth::http::ReqwestOptions;
use auth::provider::Access;
use auth::{Certificate, Endpoints, Protocol, Provider, Registration};
use toml::Value;
use toml::value::Datetime;

use super::load::Source;
use super::model::{self, Flow};
use super::proof::{CertificateRef, Proof};
use super::secret::SecretRef;
use super::sending::{self, Sending};
use super::server::{self, MailServer, seconds};
use super::{base, paths};
use crate::exit::{Exit, Failure, Result};
use crate::http::LazyHttp;
use crate::sign_in::redirect::Redirect;

/// What signs in when the configuration names no provider.
const DEFAULT_PROVIDER: &str = "microsoft";

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
    protocols: Vec<Protocol>,
    scopes: Option<Vec<String>>,
    /// Where requests go, if it signs in.
    endpoints: Option<Endpoints>,
    oauth_ca: Option<PathBuf>,
    connect_timeout: Option<u64>,
    timeout: Option<u64>,
    base: PathBuf,
}

pub(super) fn resolve(
    name: &str,
    table: &model::Account,
    file: &model::File,
    source: &Source,
) -> Result<Account> {
    let base = base(&source.path);
    let provider = provider(name, table, file, source)?;
    for (key, value) in [("user", Some(&table.user)), ("mailbox", table.mailbox.as_ref())] {
        if value.is_some_and(|v| v.is_empty() || v.chars().any(char::is_control)) {
            let advice = format!("write {key} = \"name@domain\"");
            return Err(source.mistake(&at(name, &[key]), "this is no address", advice));
        }
    }
    if table.token.is_some() && table.password.is_some() {
        return Err(source.mistake(
            &at(name, &["password"]),
            "token and password exclude each other",
            "keep the one that the mail server takes",
        ));
    }
    let at_server =
        |protocol, own: &model::Server| server::resolve(name, protocol, own, &provider, base, source);
    let Some(server) = at_server(Protocol::Imap, &table.imap)? else {
        let advice = "write host = \"imap.example.com\" under [accounts.NAME.imap]";
        return Err(source.mistake(
            &at(name, &["imap", "host"]),
            &format!("{} has no IMAP server of its own", provider.title),
            advice,
        ));
    };
    let nothing = model::Server::default();
    let pop3 = at_server(Protocol::Pop3, table.pop3.as_ref().unwrap_or(&nothing))?;
    let smtp = at_server(Protocol::Smtp, &table.smtp.as_ref().map(model::Smtp::server).unwrap_or_default())?;
    let sending = match (sending::resolve(name, table, source), &table.smtp) {
        (Ok(sending), _) => Some(sending),
        // A user that is no address is no mistake as long as nothing is sent.
        (Err(_), None) => None,
        (Err(failure), Some(_)) => return Err(failure),
    };
    let mut protocols = table.protocols.clone().unwrap_or_else(|| {
        let optional = [(Protocol::Pop3, table.pop3.is_some()), (Protocol::Smtp, table.smtp.is_some())];
        let there = optional.into_iter().filter(|(_, there)| *there).map(|(protocol, _)| protocol);
        [Protocol::Imap].into_iter().chain(there).collect()
    });
    protocols.sort_unstable();
    protocols.dedup();
    if protocols.is_empty() {
        return Err(source.mistake(
            &at(name, &["protocols"]),
            "a sign-in is for at least one protocol",
            "write protocols = [\"imap\"], or leave it out",
        ));
    }
    let proof = Proof::of(table).map_err(|(first, second)| {
        source.mistake(
            &at(name, &[second]),
            &format!("{first} and {second} exclude each other"),
            "keep the one that the registration has",
        )
    })?;
    let flow = match (table.flow, &proof) {
        (None, Proof::ServiceAccount(_)) => Some(Flow::ServiceAccount),
        (flow, _) => flow,
    };
    if let Some(missing) = flow.and_then(|flow| proof.lacks(flow)) {
        let flow = flow.map_or("", Flow::name);
        return Err(source.mistake(
            &at(name, &["flow"]),
            &format!("{flow} needs {missing}"),
            format!("write {missing} for it, or choose another flow"),
        ));
    }
    let mut account = Account {
        name: name.to_owned(),
        user: table.user.clone(),
        aliases: table.aliases.clone(),
        redirect: table.oauth.redirect.as_deref().map(Redirect::parse).transpose().map_err(|error| {
            let advice = "write it as it is registered: http://localhost, http://localhost:3017/, or the provider's page for it";
            source.mistake(&at(name, &["oauth", "redirect"]), &error, advice)
        })?,
        mailbox: table.mailbox.clone().unwrap_or_else(|| table.user.clone()),
        tenant: table.tenant.clone().unwrap_or_default(),
        client_id: match (&proof, &table.client_id) {
            // A service account's own id is in its key file; tokens are found without reading it.
            (Proof::ServiceAccount(_), _) => format!("service account for {}", table.user),
            (_, id) => id.clone().unwrap_or_default(),
        },
        sign_in_password: table.oauth.password.clone(),
        flow,
        proof,
        client_secret_expires: table.client_secret_expires.as_ref().map(day).transpose().map_err(|()| {
            let advice = "write the day as 2027-01-31";
            source.mistake(&at(name, &["client_secret_expires"]), "this is no day", advice)
        })?,
        token: table.token.clone(),
        password: table.password.clone(),
        server,
        pop3,
        smtp,
        sending,
        protocols,
        scopes: table.oauth.scopes.clone(),
        endpoints: None,
        oauth_ca: table
            .oauth
            .ca_file
            .as_ref()
            .or(provider.ca_file.as_ref())
            .map(|path| paths::from(base, path)),
        connect_timeout: table.oauth.connect_timeout,
        timeout: table.oauth.timeout,
        base: base.to_owned(),
        provider,
    };
    if account.needs_sign_in() {
        if account.client_id.is_empty() {
            let advice = format!(
                "register an application at {} and write client_id = \"…\" (or let another program give tokens: \
                 token = {{ command = \"…\" }})",
                account.provider.title
            );
            return Err(source.mistake(&at(name, &["client_id"]), "it is missing", advice));
        }
        let checked = account.provider.endpoints(&account.registration());
        let endpoints = checked.map_err(|error| {
            let key: &[&str] = match &error {
                auth::Error::Setting { setting: "tenant", .. } => &["tenant"],
                auth::Error::Setting { setting: "client id", .. } => &["client_id"],
                _ => &["oauth", "authority"],
            };
            source.mistake(
                &at(name, key),
                &error.to_string(),
                "correct it, or leave it out for the provider's own",
            )
        })?;
        account.endpoints = Some(endpoints);
    }
    Ok(account)
}

/// A key of an account, as a path from the top of the file.
pub(super) fn at<'a>(name: &'a str, keys: &[&'a str]) -> Vec<&'a str> {
    [&["accounts", name][..], keys].concat()
}

fn provider(name: &str, table: &model::Account, file: &model::File, source: &Source) -> Result<Provider> {
    let wanted = table.provider.as_deref().unwrap_or(DEFAULT_PROVIDER);
    let mut provider = super::provider::named(wanted, file, source)?.ok_or_else(|| {
        let (what, advice) = super::provider::unknown(wanted, file);
        source.mistake(&["accounts", name, "provider"], &what, advice)
    })?;
    if let Some(authority) = &table.oauth.authority {
        provider.authority = authority.trim_end_matches('/').to_owned();
    }
    Ok(provider)
}

/// The day of a TOML date, with or without an hour, also if it stands there as a text.
fn day(value: &Value) -> Result<jiff::civil::Date, ()> {
    let moment: Datetime = match value {
        Value::String(text) => text.parse().map_err(|_| ())?,
        Value::Datetime(moment) => *moment,
        _ => return Err(()),
    };
    let date = moment.date.ok_or(())?;
    let parts = (i16::try_from(date.year), i8::try_from(date.month), i8::try_from(date.day));
    let (Ok(year), Ok(month), Ok(day)) = parts else { return Err(()) };
    jiff::civil::Date::new(year, month, day).map_err(|_| ())
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
