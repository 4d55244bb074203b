//! The tenant's data: users, mailboxes and application registrations.

use wire::Secret;

use crate::certificate::Certificate;
use crate::workload::Federated;
use crate::{StartError, guid};

/// The tenant for personal accounts, the same everywhere.
pub const CONSUMERS_TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// What an account is, which decides how it may sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UserKind {
    /// A member of the tenant.
    Work,
    /// A personal (Outlook.com) account: signs in at `common` and `consumers` only, gets opaque tokens.
    Personal,
    /// A shared mailbox: nobody signs in as it (AADSTS50057); others may open it.
    SharedMailbox,
}

/// Why an account may not send by SMTP, token or not (exchange-online facts D.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SmtpRefusal {
    /// Authenticated SMTP is switched off for the organisation, as it is by default in new ones.
    Tenant,
    /// Authenticated SMTP is switched off for the mailbox.
    Mailbox,
    /// The security defaults of the organisation lock the user.
    SecurityDefaults,
    /// A Conditional Access or authentication policy.
    Criteria,
}

/// Why an account may not sign in (exchange-online facts A.8, E.1). The pages say so, the password grant and refreshes are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignInRefusal {
    /// The account is disabled: AADSTS50057.
    Disabled,
    /// Too many failures, or a suspicious address: AADSTS50053.
    Locked,
    /// The password has expired: AADSTS50055.
    PasswordExpired,
    /// The user has to register for multi-factor sign-in first: AADSTS50079.
    MfaRegistration,
    /// The application wants users to be assigned to it: AADSTS50105.
    NotAssigned,
    /// A Conditional Access policy: AADSTS53003.
    ConditionalAccess,
}

/// An account with its mailbox.
#[derive(Clone, Debug)]
pub struct User {
    pub(crate) upn: String,
    pub(crate) name: String,
    pub(crate) password: Secret,
    pub(crate) kind: UserKind,
    pub(crate) mfa: bool,
    pub(crate) federated: bool,
    pub(crate) passwordless: bool,
    pub(crate) blocked: Option<SignInRefusal>,
    pub(crate) imap: bool,
    pub(crate) pop3: bool,
    pub(crate) smtp: Option<SmtpRefusal>,
    pub(crate) licensed: bool,
    pub(crate) full_access: Vec<String>,
    pub(crate) send_as: Vec<String>,
    pub(crate) messages: Option<usize>,
}

impl User {
    fn of_kind(kind: UserKind, upn: &str, password: &str) -> Self {
        Self {
            upn: upn.to_owned(),
            name: upn.split('@').next().unwrap_or(upn).to_owned(),
            password: Secret::from(password),
            kind,
            mfa: false,
            federated: false,
            passwordless: false,
            blocked: None,
            imap: true,
            pop3: true,
            smtp: None,
            licensed: true,
            full_access: Vec::new(),
            send_as: Vec::new(),
            messages: None,
        }
    }

    /// A member of the tenant, signing in as `upn` (an address in the tenant's domain).
    pub fn work(upn: &str, password: &str) -> Self {
        Self::of_kind(UserKind::Work, upn, password)
    }

    /// A personal account.
    pub fn personal(address: &str, password: &str) -> Self {
        Self::of_kind(UserKind::Personal, address, password)
    }

    /// A shared mailbox.
    pub fn shared(address: &str) -> Self {
        Self::of_kind(UserKind::SharedMailbox, address, "")
    }

    /// Sets the display name.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Multi-factor sign-in is demanded: the password grant fails with AADSTS50076; the pages let the user through.
    #[must_use]
    pub fn with_mfa(mut self) -> Self {
        self.mfa = true;
        self
    }

    /// The account belongs to a domain that signs in elsewhere: realm discovery says so, and the password grant fails with AADSTS50056.
    ///
    /// The pages let the user through: there is no elsewhere.
    #[must_use]
    pub fn federated(mut self) -> Self {
        self.federated = true;
        self
    }

    /// The account has no password at the identity provider: the password grant fails with AADSTS50056; the pages let the user through.
    #[must_use]
    pub fn passwordless(mut self) -> Self {
        self.passwordless = true;
        self
    }

    /// Every sign-in is refused, and every refresh.
    #[must_use]
    pub fn blocked(mut self, why: SignInRefusal) -> Self {
        self.blocked = Some(why);
        self
    }

    /// IMAP is switched off for the mailbox: signing in works, the mailbox does not open.
    #[must_use]
    pub fn without_imap(mut self) -> Self {
        self.imap = false;
        self
    }

    /// POP3 is switched off for the mailbox: signing in works, the mailbox does not open.
    #[must_use]
    pub fn without_pop3(mut self) -> Self {
        self.pop3 = false;
        self
    }

    /// SMTP is refused at sign-in, with 535 5.7.139 and this reason.
    #[must_use]
    pub fn without_smtp(mut self, why: SmtpRefusal) -> Self {
        self.smtp = Some(why);
        self
    }

    /// The account has no mailbox licence: signing in works, the mailbox does not open.
    #[must_use]
    pub fn without_licence(mut self) -> Self {
        self.licensed = false;
        self
    }

    /// Grants full access to this mailbox to another user (by UPN) or an application (by client id).
    #[must_use]
    pub fn full_access(mut self, who: &str) -> Self {
        self.full_access.push(who.to_owned());
        self
    }

    /// Lets another user (by UPN) or an application (by client id) send as this mailbox.
    #[must_use]
    pub fn send_as(mut self, who: &str) -> Self {
        self.send_as.push(who.to_owned());
        self
    }

    /// How many seeded messages the mailbox holds, instead of the sandbox's general number.
    #[must_use]
    pub fn messages(mut self, n: usize) -> Self {
        self.messages = Some(n);
        self
    }

    /// The name the user signs in with.
    pub fn upn(&self) -> &str {
        &self.upn
    }

    /// The name people know the user by.
    pub fn display_name(&self) -> &str {
        &self.name
    }

    /// The password for the sign-in page; invented, so it may be shown.
    pub fn password(&self) -> &Secret {
        &self.password
    }

    /// What kind of account it is.
    pub fn kind(&self) -> UserKind {
        self.kind
    }

    /// The object id (claim `oid`), always the same for the same name.
    pub fn object_id(&self) -> String {
        guid::named("user", &self.upn)
    }

    /// The 16-digit passport id (claim `puid`).
    pub(crate) fn puid(&self) -> String {
        let digits: String = self.object_id().chars().filter(|c| *c != '-').take(10).collect();
        format!("100320{}", digits.to_uppercase())
    }
}

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

/// Everything the tenant knows.
#[derive(Clone, Debug)]
pub(crate) struct Directory {
    pub(crate) domain: String,
    pub(crate) tenant_id: String,
    pub(crate) users: Vec<User>,
    pub(crate) apps: Vec<App>,
}

impl Directory {
    /// The user with this UPN, letter case aside.
    pub(crate) fn user(&self, upn: &str) -> Option<&User> {
        self.users.iter().find(|u| u.upn.eq_ignore_ascii_case(upn))
    }

    /// The app with this client id, letter case aside.
    pub(crate) fn app(&self, client_id: &str) -> Option<&App> {
        self.apps.iter().find(|a| a.client_id.eq_ignore_ascii_case(client_id))
    }

    /// The tenant an account belongs to.
    pub(crate) fn tenant_of(&self, user: &User) -> &str {
        if user.kind == UserKind::Personal { CONSUMERS_TENANT } else { &self.tenant_id }
    }

    /// Whether `name` is one of the tenant's domains.
    pub(crate) fn is_domain(&self, name: &str) -> bool {
        let first = self.domain.split('.').next().unwrap_or(&self.domain);
        name.eq_ignore_ascii_case(&self.domain)
            || name.eq_ignore_ascii_case(&format!("{first}.onmicrosoft.com"))
    }

    /// Refuses duplicates and permissions for nobody.
    pub(crate) fn check(&self) -> Result<(), StartError> {
        let twice =
            |what: &str, name: &str| StartError::Directory(format!("the {what} {name:?} is there twice"));
        for (i, user) in self.users.iter().enumerate() {
            if self.users.iter().skip(i + 1).any(|u| u.upn.eq_ignore_ascii_case(&user.upn)) {
                return Err(twice("user", &user.upn));
            }
            let rights = user.full_access.iter().map(|who| (who, "have full access to"));
            for (who, right) in rights.chain(user.send_as.iter().map(|who| (who, "send as"))) {
                if self.user(who).is_none() && self.app(who).is_none() {
                    return Err(StartError::Directory(format!(
                        "{who:?} may {right} {:?} but is neither a user nor an app",
                        user.upn
                    )));
                }
            }
        }
        for (i, app) in self.apps.iter().enumerate() {
            if self.apps.iter().skip(i + 1).any(|a| a.client_id.eq_ignore_ascii_case(&app.client_id)) {
                return Err(twice("app", &app.client_id));
            }
        }
        Ok(())
    }
}
