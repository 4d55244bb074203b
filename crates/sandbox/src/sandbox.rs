//! The handle of a running sandbox.

use std::time::Duration;

use std::sync::Arc;

use tokio::task::JoinSet;
use wire::Secret;

use crate::builder::Builder;
use crate::certificate::ClientKey;
use crate::count::RequestKind;
use crate::defaults;
use crate::directory::{App, User};
use crate::fault::Rule;
use crate::google_client::GoogleClient;
use crate::idp::Idp;
use crate::imap::ImapFault;
use crate::jwt::CLIENTS;
use crate::mail::stores::Stores;
use crate::mail_faults::MailFaults;
use crate::mailbox::Mailbox;
use crate::pop3::Pop3Fault;
use crate::service_account::ServiceAccount;
use crate::smtp::SmtpFault;
use crate::token::TokenSpec;
use crate::workload::WorkloadToken;
use crate::{CallError, StartError};

/// Where the sandbox listens, on 127.0.0.1 and ::1 alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ports {
    /// The identity provider, with TLS.
    pub https: u16,
    /// The identity provider without TLS, if asked for.
    pub http: Option<u16>,
    /// IMAP with TLS from the start.
    pub imaps: u16,
    /// IMAP with STARTTLS.
    pub imap: u16,
    /// POP3 with TLS from the start.
    pub pop3s: u16,
    /// POP3 with STLS.
    pub pop3: u16,
    /// SMTP submission with STARTTLS.
    pub submission: u16,
}

/// Faults in force, of every mail server.
#[derive(Debug)]
pub(crate) struct Faults {
    pub(crate) imap: Arc<MailFaults<ImapFault>>,
    pub(crate) pop3: Arc<MailFaults<Pop3Fault>>,
    pub(crate) smtp: Arc<MailFaults<SmtpFault>>,
}

/// A running pretend tenant. Dropping it stops everything.
pub struct Sandbox {
    idp: Arc<Idp>,
    stores: Arc<Stores>,
    faults: Faults,
    ports: Ports,
    _tasks: JoinSet<()>,
}

impl Sandbox {
    pub(crate) fn new(
        idp: Arc<Idp>,
        stores: Arc<Stores>,
        faults: Faults,
        ports: Ports,
        tasks: JoinSet<()>,
    ) -> Self {
        Self { idp, stores, faults, ports, _tasks: tasks }
    }

    /// Describes a sandbox to start.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Starts the default tenant on free ports of the current tokio runtime.
    ///
    /// # Errors
    /// No port was free.
    pub async fn start() -> Result<Self, StartError> {
        Self::builder().start().await
    }

    /// Where it listens.
    pub fn ports(&self) -> Ports {
        self.ports
    }

    /// The base URL of the identity provider, e.g. `https://localhost:50443`.
    pub fn base_url(&self) -> String {
        format!("https://localhost:{}", self.ports.https)
    }

    /// The base URL without TLS, if asked for.
    pub fn plain_base_url(&self) -> Option<String> {
        self.ports.http.map(|port| format!("http://localhost:{port}"))
    }

    /// The authority to give a client: base URL and tenant GUID.
    pub fn authority(&self) -> String {
        format!("{}/{}", self.base_url(), self.tenant_id())
    }

    /// `iss` of access tokens of the work tenant.
    pub fn issuer(&self) -> &str {
        &self.idp.mint.issuer
    }

    /// The tenant's GUID.
    pub fn tenant_id(&self) -> &str {
        &self.idp.directory.tenant_id
    }

    /// The tenant's domain.
    pub fn domain(&self) -> &str {
        &self.idp.directory.domain
    }

    /// The certificate to trust, as PEM.
    pub fn ca_pem(&self) -> &str {
        &self.idp.ca_pem
    }

    /// Key id of the key that signs tokens. Blocks for a moment if the key is not made yet.
    pub fn kid(&self) -> String {
        self.idp.mint.key().kid().to_owned()
    }

    /// The public part of the key that signs tokens, as PEM. Blocks for a moment if the key is not made yet.
    pub fn public_key_pem(&self) -> String {
        self.idp.mint.key().public_pem()
    }

    /// The tenant's users.
    pub fn users(&self) -> &[User] {
        &self.idp.directory.users
    }

    /// The tenant's applications.
    pub fn apps(&self) -> &[App] {
        &self.idp.directory.apps
    }

    /// The application of this name, e.g. [`crate::PUBLIC_APP`].
    pub fn app(&self, name: &str) -> Option<&App> {
        self.apps().iter().find(|a| a.name == name)
    }

    /// The client id of the default public client; empty if the defaults were left out.
    pub fn public_client_id(&self) -> &str {
        self.app(defaults::PUBLIC_APP).map_or("", App::id)
    }

    /// The private key and certificate that [`Certificate::sandbox`](crate::Certificate::sandbox) stands for. Blocks for a
    /// moment if they are not made yet.
    pub fn client_key(&self) -> ClientKey {
        ClientKey::of(&CLIENTS.get())
    }

    /// A token of an outside issuer, to be sent as the client assertion of an application that trusts it. Blocks for a
    /// moment if the issuer's key is not made yet.
    pub fn workload_token(&self, token: &WorkloadToken) -> Secret {
        token.sign(&self.idp.clock, &self.base_url())
    }

    /// The service accounts of the Google-like token endpoint.
    pub fn service_accounts(&self) -> &[ServiceAccount] {
        &self.idp.service_accounts
    }

    /// The OAuth clients of the Google-like sign-in.
    pub fn google_clients(&self) -> &[GoogleClient] {
        &self.idp.google_clients
    }

    /// Where the Google-like endpoints begin: `/o/oauth2/v2/auth`, `/token` and `/device/code` are below.
    pub fn google_authority(&self) -> String {
        format!("{}/google", self.base_url())
    }

    /// A service account's key file, JSON as Google's console gives it out; its `token_uri` is the sandbox's. Blocks for a
    /// moment if the key is not made yet.
    ///
    /// # Errors
    /// There is no such account.
    pub fn service_account_key(&self, email: &str) -> Result<Secret, CallError> {
        let account = self.idp.service_account(email);
        let account = account.ok_or_else(|| CallError::UnknownServiceAccount(email.to_owned()))?;
        Ok(account.key_file(&self.base_url()))
    }

    /// Issues an access token without any sign-in. Blocks for a moment if the signing key is not made yet.
    ///
    /// # Errors
    /// The user or the application is not in the tenant.
    pub fn issue_token(&self, spec: &TokenSpec) -> Result<Secret, CallError> {
        let directory = &self.idp.directory;
        let user = spec.user.as_deref().map(|upn| self.user(upn)).transpose()?;
        let client = spec.client_id.as_deref().unwrap_or(self.public_client_id());
        let app = match directory.app(client) {
            Some(app) => app.clone(),
            None if spec.client_id.is_none() => App::public(defaults::PUBLIC_APP),
            None => return Err(CallError::UnknownApp(client.to_owned())),
        };
        Ok(self.idp.mint.issue(directory, spec, user, &app))
    }

    /// Signs in as `user` for the device that shows `user_code`, and accepts what it asks for.
    ///
    /// # Errors
    /// The code is not waiting, the user is unknown, or the pages would have refused.
    pub async fn approve_device(&self, user_code: &str, user: &str) -> Result<(), CallError> {
        self.idp.answer_device(user_code, Some(self.user(user)?))
    }

    /// Declines the sign-in of the device that shows `user_code`.
    ///
    /// # Errors
    /// The code is not waiting.
    pub async fn decline_device(&self, user_code: &str) -> Result<(), CallError> {
        self.idp.answer_device(user_code, None)
    }

    /// Lets an application do everything it is registered for, for everybody, as an administrator would.
    ///
    /// # Errors
    /// The application is unknown.
    pub fn grant_admin_consent(&self, client_id: &str) -> Result<(), CallError> {
        let app = self.idp.directory.app(client_id);
        let app = app.ok_or_else(|| CallError::UnknownApp(client_id.to_owned()))?;
        self.idp.admin_consent(&app.client_id);
        Ok(())
    }

    /// Revokes a user's sessions: refresh tokens are refused with AADSTS50173 from now on.
    ///
    /// # Errors
    /// The user is unknown.
    pub fn revoke_sessions(&self, user: &str) -> Result<(), CallError> {
        self.idp.revoke_sessions(self.user(user)?);
        Ok(())
    }

    /// Switches a fault on.
    pub fn inject(&self, rule: impl Into<Rule>) {
        self.idp.faults.inject(rule.into());
    }

    /// Switches a fault of the IMAP server on.
    pub fn inject_imap(&self, fault: ImapFault) {
        self.faults.imap.inject(fault);
    }

    /// Switches a fault of the POP3 server on.
    pub fn inject_pop3(&self, fault: Pop3Fault) {
        self.faults.pop3.inject(fault);
    }

    /// Switches a fault of the SMTP server on.
    pub fn inject_smtp(&self, fault: SmtpFault) {
        self.faults.smtp.inject(fault);
    }

    /// Switches a fault of the SMTP server on that lets the first `passes` pass of those that it could touch: the next commands, messages
    /// or sign-ins, whatever it is about.
    pub fn inject_smtp_after(&self, passes: usize, fault: SmtpFault) {
        self.faults.smtp.inject_after(passes, fault);
    }

    /// Switches all faults off.
    pub fn clear_faults(&self) {
        self.idp.faults.clear();
        self.faults.imap.clear();
        self.faults.pop3.clear();
        self.faults.smtp.clear();
    }

    /// The mailbox of a user or a shared mailbox.
    ///
    /// # Errors
    /// The user is unknown.
    pub fn mailbox(&self, user: &str) -> Result<Mailbox, CallError> {
        Ok(Mailbox::new(self.stores.of(self.user(user)?)))
    }

    /// The device codes, authorisation codes and refresh tokens that were handed out: what a test of a client looks for in places
    /// where they must not be.
    pub fn handed_out(&self) -> Vec<Secret> {
        self.idp.handed_out()
    }

    /// How many requests of this kind were served.
    pub fn requests(&self, kind: RequestKind) -> u64 {
        self.idp.counters.get(kind)
    }

    /// Moves the sandbox's clock forward: codes and tokens expire without waiting.
    pub fn advance(&self, by: Duration) {
        self.idp.clock.advance(by);
    }

    fn user(&self, upn: &str) -> Result<&User, CallError> {
        self.idp.directory.user(upn).ok_or_else(|| CallError::UnknownUser(upn.to_owned()))
    }
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox")
            .field("ports", &self.ports)
            .field("directory", &self.idp.directory)
            .finish_non_exhaustive()
    }
}
