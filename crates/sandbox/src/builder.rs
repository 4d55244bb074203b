//! What a sandbox is made of, and starting it.

use std::sync::Arc;

use tokio::task::JoinSet;
use wire::SecretBytes;

use crate::access::Protocol;
use crate::clock::Clock;
use crate::context::Context;
use crate::count::Counters;
use crate::defaults;
use crate::directory::{App, Directory, User};
use crate::fault::Rule;
use crate::google_client::GoogleClient;
use crate::http::{Base, serve};
use crate::idp::{ConsentPolicy, Idp, Rotation, Setup};
use crate::imap::{self, ImapFault};
use crate::jwt::SigningKey;
use crate::mail::stores::Stores;
use crate::mail_faults::MailFaults;
use crate::pop3::{self, Pop3Fault};
use crate::profile::Profile;
use crate::sandbox::{Faults, Ports, Sandbox};
use crate::service_account::ServiceAccount;
use crate::smtp::{self, Slots, SmtpFault};
use crate::token::Mint;
use crate::{StartError, guid, net, tls};

/// Describes a sandbox before it starts. Whatever is not said is as in [`Sandbox::start`].
#[derive(Debug, Default)]
pub struct Builder {
    domain: Option<String>,
    tenant_id: Option<String>,
    users: Vec<User>,
    apps: Vec<App>,
    service_accounts: Vec<ServiceAccount>,
    google_clients: Vec<GoogleClient>,
    without_defaults: bool,
    messages: Option<usize>,
    seed: u64,
    issuer: Option<String>,
    signing_key: Option<SecretBytes>,
    local_validation_claims: bool,
    rotation: Rotation,
    policy: ConsentPolicy,
    faults: Vec<Rule>,
    https_port: u16,
    http_port: Option<u16>,
    imap: Profile,
    imap_faults: Vec<ImapFault>,
    imaps_port: u16,
    imap_port: u16,
    pop3: Profile,
    pop3_faults: Vec<Pop3Fault>,
    pop3s_port: u16,
    pop3_port: u16,
    smtp: Profile,
    smtp_faults: Vec<SmtpFault>,
    submission_port: u16,
}

/// Seeded messages per mailbox when nothing else was asked for.
pub const DEFAULT_MESSAGES: usize = 200;

impl Builder {
    /// The tenant's verified domain; `contoso.example` unless said otherwise.
    #[must_use]
    pub fn domain(mut self, domain: &str) -> Self {
        self.domain = Some(domain.to_owned());
        self
    }

    /// The tenant's GUID; derived from the domain unless said otherwise.
    #[must_use]
    pub fn tenant_id(mut self, guid: &str) -> Self {
        self.tenant_id = Some(guid.to_owned());
        self
    }

    /// Adds a user, or replaces the default one of that name.
    #[must_use]
    pub fn user(mut self, user: User) -> Self {
        self.users.push(user);
        self
    }

    /// Adds an application, or replaces the default one with that client id.
    #[must_use]
    pub fn app(mut self, app: App) -> Self {
        self.apps.push(app);
        self
    }

    /// Adds a service account of the Google-like token endpoint, or replaces the default one of that name.
    #[must_use]
    pub fn service_account(mut self, account: ServiceAccount) -> Self {
        self.service_accounts.push(account);
        self
    }

    /// Adds an OAuth client of the Google-like sign-in, or replaces the default one with that client id.
    #[must_use]
    pub fn google_client(mut self, client: GoogleClient) -> Self {
        self.google_clients.push(client);
        self
    }

    /// Leaves out the default users, applications, service accounts and Google-like clients.
    #[must_use]
    pub fn empty(mut self) -> Self {
        self.without_defaults = true;
        self
    }

    /// Seeded messages per mailbox, over all its folders.
    #[must_use]
    pub fn messages(mut self, n: usize) -> Self {
        self.messages = Some(n);
        self
    }

    /// The seed of the mailboxes' content; the same seed gives the same octets.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// `iss` of access tokens, `https://sts.windows.net/{tenant}/` unless said otherwise.
    #[must_use]
    pub fn issuer(mut self, issuer: &str) -> Self {
        self.issuer = Some(issuer.to_owned());
        self
    }

    /// Signs with this RSA key (PKCS#8, PEM or DER) instead of one made for the process.
    #[must_use]
    pub fn signing_key(mut self, pkcs8: &[u8]) -> Self {
        self.signing_key = Some(SecretBytes::new(pkcs8.to_vec()));
        self
    }

    /// Adds the claims `email` and `azp` to access tokens, for servers that validate tokens themselves.
    ///
    /// Real Exchange Online tokens do not have them; Dovecot wants a user-name claim, and chooses the key by `azp`.
    #[must_use]
    pub fn local_validation_claims(mut self) -> Self {
        self.local_validation_claims = true;
        self
    }

    /// What a refresh does to the refresh token it was made with.
    #[must_use]
    pub fn rotation(mut self, rotation: Rotation) -> Self {
        self.rotation = rotation;
        self
    }

    /// Who may consent to IMAP and POP.
    #[must_use]
    pub fn consent_policy(mut self, policy: ConsentPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Starts with this fault switched on.
    #[must_use]
    pub fn fault(mut self, rule: impl Into<Rule>) -> Self {
        self.faults.push(rule.into());
        self
    }

    /// The HTTPS port; 0, the default, means a free one.
    #[must_use]
    pub fn https_port(mut self, port: u16) -> Self {
        self.https_port = port;
        self
    }

    /// Also listens without TLS, for programs that cannot be told to trust a CA; 0 means a free port.
    #[must_use]
    pub fn http_port(mut self, port: u16) -> Self {
        self.http_port = Some(port);
        self
    }

    /// Which server the IMAP server imitates.
    #[must_use]
    pub fn imap(mut self, profile: Profile) -> Self {
        self.imap = profile;
        self
    }

    /// Starts with this fault of the IMAP server switched on.
    #[must_use]
    pub fn imap_fault(mut self, fault: ImapFault) -> Self {
        self.imap_faults.push(fault);
        self
    }

    /// The port for IMAP with TLS from the start; 0, the default, means a free one.
    #[must_use]
    pub fn imaps_port(mut self, port: u16) -> Self {
        self.imaps_port = port;
        self
    }

    /// The port for IMAP with STARTTLS; 0, the default, means a free one.
    #[must_use]
    pub fn imap_port(mut self, port: u16) -> Self {
        self.imap_port = port;
        self
    }

    /// Which server the POP3 server imitates.
    #[must_use]
    pub fn pop3(mut self, profile: Profile) -> Self {
        self.pop3 = profile;
        self
    }

    /// Starts with this fault of the POP3 server switched on.
    #[must_use]
    pub fn pop3_fault(mut self, fault: Pop3Fault) -> Self {
        self.pop3_faults.push(fault);
        self
    }

    /// The port for POP3 with TLS from the start; 0, the default, means a free one.
    #[must_use]
    pub fn pop3s_port(mut self, port: u16) -> Self {
        self.pop3s_port = port;
        self
    }

    /// The port for POP3 with STLS; 0, the default, means a free one.
    #[must_use]
    pub fn pop3_port(mut self, port: u16) -> Self {
        self.pop3_port = port;
        self
    }

    /// Which server the SMTP server imitates.
    #[must_use]
    pub fn smtp(mut self, profile: Profile) -> Self {
        self.smtp = profile;
        self
    }

    /// Starts with this fault of the SMTP server switched on.
    #[must_use]
    pub fn smtp_fault(mut self, fault: SmtpFault) -> Self {
        self.smtp_faults.push(fault);
        self
    }

    /// The port for submission by SMTP, with STARTTLS; 0, the default, means a free one.
    #[must_use]
    pub fn submission_port(mut self, port: u16) -> Self {
        self.submission_port = port;
        self
    }

    fn directory(&self) -> Result<Directory, StartError> {
        let domain = self.domain.clone().unwrap_or_else(|| defaults::DOMAIN.to_owned());
        let tenant_id = self.tenant_id.clone().unwrap_or_else(|| guid::named("tenant", &domain));
        let (mut users, mut apps) = (self.users.clone(), self.apps.clone());
        if !self.without_defaults {
            for user in defaults::users() {
                if !users.iter().any(|u| u.upn.eq_ignore_ascii_case(&user.upn)) {
                    users.push(user);
                }
            }
            for app in defaults::apps() {
                if !apps.iter().any(|a| a.client_id.eq_ignore_ascii_case(&app.client_id)) {
                    apps.push(app);
                }
            }
        }
        let directory = Directory { domain, tenant_id, users, apps };
        directory.check()?;
        Ok(directory)
    }

    fn all_service_accounts(&self) -> Vec<ServiceAccount> {
        let mut all = self.service_accounts.clone();
        if !self.without_defaults {
            for account in defaults::service_accounts() {
                if !all.iter().any(|a| a.email.eq_ignore_ascii_case(&account.email)) {
                    all.push(account);
                }
            }
        }
        all
    }

    fn all_google_clients(&self) -> Vec<GoogleClient> {
        let mut all = self.google_clients.clone();
        let default = defaults::google_client();
        if !self.without_defaults && !all.iter().any(|client| client.id == default.id) {
            all.push(default);
        }
        all
    }

    /// Starts the sandbox on the current tokio runtime.
    ///
    /// # Errors
    /// A port is taken, the data do not fit together, or a given key is not usable.
    pub async fn start(self) -> Result<Sandbox, StartError> {
        let directory = Arc::new(self.directory()?);
        let key =
            self.signing_key.as_ref().map(|k| SigningKey::from_pkcs8(k.expose())).transpose()?.map(Arc::new);
        let issuer = self
            .issuer
            .clone()
            .unwrap_or_else(|| format!("https://sts.windows.net/{}/", directory.tenant_id));
        let clock = Clock::default();
        let mint = Arc::new(Mint::new(clock.clone(), issuer, key, self.local_validation_claims));
        let tls = tls::make()?;
        let counters = Arc::new(Counters::default());
        let idp = Arc::new(Idp::new(Setup {
            directory: Arc::clone(&directory),
            mint: Arc::clone(&mint),
            counters: Arc::clone(&counters),
            rotation: self.rotation,
            policy: self.policy,
            service_accounts: self.all_service_accounts(),
            google_clients: self.all_google_clients(),
            ca_pem: tls.ca_pem.clone(),
        }));
        for rule in self.faults {
            idp.faults.inject(rule);
        }
        let mut tasks = JoinSet::new();
        let router = idp.router();
        let (https, listeners) = net::listen(self.https_port).await?;
        let base = Base(format!("https://localhost:{https}").into());
        for listener in listeners {
            tasks.spawn(serve(listener, Some(Arc::clone(&tls.http)), base.clone(), router.clone()));
        }
        let mut http = None;
        if let Some(port) = self.http_port {
            let (bound, listeners) = net::listen(port).await?;
            let base = Base(format!("http://localhost:{bound}").into());
            for listener in listeners {
                tasks.spawn(serve(listener, None, base.clone(), router.clone()));
            }
            http = Some(bound);
        }
        let stores = Arc::new(Stores::new(self.seed, self.messages.unwrap_or(DEFAULT_MESSAGES)));
        let faults = Faults {
            imap: switched_on(self.imap_faults),
            pop3: switched_on(self.pop3_faults),
            smtp: switched_on(self.smtp_faults),
        };
        let context = Arc::new(Context {
            protocol: Protocol::Imap,
            clock,
            directory,
            mint,
            counters,
            stores: Arc::clone(&stores),
            faults: Arc::clone(&faults.imap),
            profile: self.imap,
            tls: tls.mail,
        });
        let (imaps, listeners) = net::listen(self.imaps_port).await?;
        for listener in listeners {
            tasks.spawn(imap::serve(listener, Arc::clone(&context), true));
        }
        let (imap, listeners) = net::listen(self.imap_port).await?;
        for listener in listeners {
            tasks.spawn(imap::serve(listener, Arc::clone(&context), false));
        }
        let context = Arc::new(context.beside(Protocol::Pop3, self.pop3, &faults.pop3));
        let (pop3s, listeners) = net::listen(self.pop3s_port).await?;
        for listener in listeners {
            tasks.spawn(pop3::serve(listener, Arc::clone(&context), true));
        }
        let (pop3, listeners) = net::listen(self.pop3_port).await?;
        for listener in listeners {
            tasks.spawn(pop3::serve(listener, Arc::clone(&context), false));
        }
        let context = Arc::new(context.beside(Protocol::Smtp, self.smtp, &faults.smtp));
        let slots = Slots::default();
        let (submission, listeners) = net::listen(self.submission_port).await?;
        for listener in listeners {
            tasks.spawn(smtp::serve(listener, Arc::clone(&context), slots.clone()));
        }
        let ports = Ports { https, http, imaps, imap, pop3s, pop3, submission };
        Ok(Sandbox::new(idp, stores, faults, ports, tasks))
    }
}

fn switched_on<F: PartialEq>(faults: Vec<F>) -> Arc<MailFaults<F>> {
    let on = MailFaults::default();
    for fault in faults {
        on.inject(fault);
    }
    Arc::new(on)
}
