//! An application registration.

use wire::Secret;

use crate::certificate::Certificate;
use crate::guid;
use crate::workload::Federated;

/// What kind of registration an application is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AppKind {
    /// "Mobile and desktop": no secret.
    Public,
    /// "Web": signs users in, holds a secret.
    Web,
    /// Nobody present: client credentials, holds a secret and application permissions.
    Daemon,
}

/// The registration's "supported account types".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Audience {
    /// This tenant only: `common`, `organizations` and `consumers` are refused (AADSTS50194).
    SingleTenant,
    /// Any work or school tenant: `consumers` is refused (AADSTS9002332).
    MultiTenant,
    /// Work, school and personal accounts.
    MultiTenantAndPersonal,
    /// Personal accounts only: everything but `consumers` is refused (AADSTS9002331).
    PersonalOnly,
}

/// An application registration.
#[derive(Clone, Debug)]
pub struct App {
    pub(crate) name: String,
    pub(crate) client_id: String,
    pub(crate) kind: AppKind,
    pub(crate) audience: Audience,
    pub(crate) secret: Option<Secret>,
    pub(crate) expired_secrets: Vec<Secret>,
    pub(crate) certificates: Vec<Certificate>,
    pub(crate) federated: Vec<Federated>,
    pub(crate) redirects: Vec<String>,
    pub(crate) roles: Vec<String>,
    pub(crate) public_flows: bool,
    pub(crate) admin_consented: bool,
}

impl App {
    fn of_kind(kind: AppKind, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            client_id: guid::named("app", name),
            kind,
            audience: Audience::MultiTenantAndPersonal,
            secret: None,
            expired_secrets: Vec::new(),
            certificates: Vec::new(),
            federated: Vec::new(),
            redirects: Vec::new(),
            roles: Vec::new(),
            public_flows: kind == AppKind::Public,
            admin_consented: false,
        }
    }

    /// A public client with the redirect URI `http://localhost` and public client flows allowed.
    pub fn public(name: &str) -> Self {
        Self::of_kind(AppKind::Public, name).redirect("http://localhost")
    }

    /// A web application that signs users in.
    pub fn web(name: &str, secret: &str) -> Self {
        let mut app = Self::of_kind(AppKind::Web, name).audience(Audience::MultiTenant);
        app.secret = Some(Secret::from(secret));
        app
    }

    /// An application that acts on its own, single-tenant.
    pub fn daemon(name: &str, secret: &str) -> Self {
        let mut app = Self::of_kind(AppKind::Daemon, name).audience(Audience::SingleTenant);
        app.secret = Some(Secret::from(secret));
        app
    }

    /// Sets the client id instead of the one derived from the name.
    #[must_use]
    pub fn client_id(mut self, guid: &str) -> Self {
        guid.clone_into(&mut self.client_id);
        self
    }

    /// Registers a certificate, whose key may sign assertions instead of a secret (RFC 7523).
    #[must_use]
    pub fn certificate(mut self, certificate: Certificate) -> Self {
        self.certificates.push(certificate);
        self
    }

    /// Trusts an outside issuer instead of a secret.
    #[must_use]
    pub fn federated(mut self, credential: Federated) -> Self {
        self.federated.push(credential);
        self
    }

    /// A secret whose time is over: AADSTS7000222.
    #[must_use]
    pub fn expired_secret(mut self, secret: &str) -> Self {
        self.expired_secrets.push(Secret::from(secret));
        self
    }

    /// Takes the secret away: only certificates and federated credentials are left.
    #[must_use]
    pub fn without_secret(mut self) -> Self {
        self.secret = None;
        self
    }

    /// Registers a redirect URI. For loopback the port is ignored when one is compared; [`NATIVE_CLIENT`](crate::NATIVE_CLIENT)
    /// also stands for the sandbox's page of that kind.
    #[must_use]
    pub fn redirect(mut self, uri: &str) -> Self {
        self.redirects.push(uri.to_owned());
        self
    }

    /// Sets the supported account types.
    #[must_use]
    pub fn audience(mut self, audience: Audience) -> Self {
        self.audience = audience;
        self
    }

    /// Grants an application permission of Exchange Online such as `IMAP.AccessAsApp`, admin consent included.
    #[must_use]
    pub fn role(mut self, permission: &str) -> Self {
        self.roles.push(permission.to_owned());
        self
    }

    /// Sets "Allow public client flows", which the device code and password grants need.
    #[must_use]
    pub fn public_client_flows(mut self, allowed: bool) -> Self {
        self.public_flows = allowed;
        self
    }

    /// An administrator has consented for everybody: no consent page appears.
    #[must_use]
    pub fn admin_consented(mut self) -> Self {
        self.admin_consented = true;
        self
    }

    /// The application's name.
    pub fn display_name(&self) -> &str {
        &self.name
    }

    /// The client id (application id).
    pub fn id(&self) -> &str {
        &self.client_id
    }

    /// The client secret, if the registration has one; invented, so it may be shown.
    pub fn secret(&self) -> Option<&Secret> {
        self.secret.as_ref()
    }

    /// The secrets whose time is over.
    pub fn expired_secrets(&self) -> &[Secret] {
        &self.expired_secrets
    }

    /// The federated identity credentials.
    pub fn federated_credentials(&self) -> &[Federated] {
        &self.federated
    }

    /// The redirect URIs, as they were registered.
    pub fn redirects(&self) -> &[String] {
        &self.redirects
    }

    /// What kind of registration it is.
    pub fn kind(&self) -> AppKind {
        self.kind
    }

    /// The object id of the enterprise application (claims `oid` and `sub` of app-only tokens).
    pub fn service_principal_id(&self) -> String {
        guid::named("service principal", &self.client_id)
    }
}
