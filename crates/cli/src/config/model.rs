//! The tables of the configuration file, as they are written.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use super::proof::{AssertionRef, CertificateRef};
use super::secret::SecretRef;

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// The account meant when a command names none.
    pub(crate) default_account: Option<String>,
    /// Where tokens and their key are kept, instead of the platform's place for state.
    pub(crate) state_dir: Option<PathBuf>,
    /// `[store]`
    #[serde(default)]
    pub(crate) store: super::store::Table,
    /// The accounts, by name.
    #[serde(default)]
    pub(crate) accounts: BTreeMap<String, Account>,
    /// Providers of the user's own; the fields are those of the built-in ones.
    #[serde(default)]
    pub(crate) providers: BTreeMap<String, toml::Table>,
}

/// `[accounts.NAME]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Account {
    /// A built-in provider or one of `[providers]`; `microsoft` if absent.
    pub(crate) provider: Option<String>,
    /// Who signs in.
    pub(crate) user: String,
    /// Other names under which the provider may know `user`.
    #[serde(default)]
    pub(crate) aliases: Vec<String>,
    /// Whose mailbox is opened, where that is somebody else's.
    pub(crate) mailbox: Option<String>,
    /// The tenant's id or one of its domains.
    pub(crate) tenant: Option<String>,
    /// The id of the application's registration.
    pub(crate) client_id: Option<String>,
    /// The registration's secret.
    pub(crate) client_secret: Option<SecretRef>,
    /// The registration's certificate, instead of a secret.
    pub(crate) certificate: Option<CertificateRef>,
    /// Whose assertions stand for the registration, instead of a secret.
    pub(crate) assertion: Option<AssertionRef>,
    /// A Google service account's key file.
    pub(crate) service_account: Option<PathBuf>,
    /// The day that secret ends, a TOML date or `"YYYY-MM-DD"`: no server tells.
    pub(crate) client_secret_expires: Option<toml::Value>,
    /// How to sign in.
    pub(crate) flow: Option<Flow>,
    /// Where access tokens come from instead of a sign-in.
    pub(crate) token: Option<SecretRef>,
    /// A password, for servers that still take one.
    pub(crate) password: Option<SecretRef>,
    /// What a sign-in is for. If absent: IMAP, and every other protocol that has a table of its own.
    pub(crate) protocols: Option<Vec<auth::Protocol>>,
    /// `[accounts.NAME.imap]`
    #[serde(default)]
    pub(crate) imap: Server,
    /// `[accounts.NAME.pop3]`
    pub(crate) pop3: Option<Server>,
    /// `[accounts.NAME.smtp]`
    pub(crate) smtp: Option<Smtp>,
    /// `[accounts.NAME.oauth]`
    #[serde(default)]
    pub(crate) oauth: Oauth,
}

/// How to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Flow {
    /// In this machine's browser
    Browser,
    /// In a browser anywhere: paste the address it ends on
    Paste,
    /// With a code that is typed in on any other device
    Device,
    /// As the application itself, with its secret, certificate or assertion; nobody needs to be there
    App,
    /// As the application itself, with its certificate
    Certificate,
    /// As the application itself, with an assertion of somebody it trusts
    Federated,
    /// With the person's password; see the warning it prints
    Password,
    /// As a Google service account that acts for the user
    #[value(name = "service-account")]
    ServiceAccount,
}

impl Flow {
    /// As it is written.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::Paste => "paste",
            Self::Device => "device",
            Self::App => "app",
            Self::Certificate => "certificate",
            Self::Federated => "federated",
            Self::Password => "password",
            Self::ServiceAccount => "service-account",
        }
    }

    /// Under which name providers say whether they have it.
    pub(crate) fn of_provider(self) -> auth::provider::Flow {
        use auth::provider::Flow as Theirs;
        match self {
            Self::Browser | Self::Paste => Theirs::Browser,
            Self::Device => Theirs::Device,
            Self::App | Self::Certificate | Self::Federated => Theirs::ClientCredentials,
            Self::Password => Theirs::Password,
            Self::ServiceAccount => Theirs::ServiceAccount,
        }
    }

    /// Whether nobody needs to be there.
    pub(crate) fn is_app(self) -> bool {
        matches!(self, Self::App | Self::Certificate | Self::Federated | Self::ServiceAccount)
    }
}

/// A mail server, where it is not the provider's.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Server {
    /// Host name; the certificate must be for it.
    pub(crate) host: Option<String>,
    /// TCP port.
    pub(crate) port: Option<u16>,
    /// When TLS begins.
    pub(crate) tls: Option<Tls>,
    /// PEM file with certificates to trust besides the built-in ones.
    pub(crate) ca_file: Option<PathBuf>,
    /// Trust what the operating system trusts, too.
    #[serde(default)]
    pub(crate) platform_roots: bool,
    /// Longest wait for any answer, in seconds; if absent, 30 for the greeting and 60 for everything else.
    pub(crate) timeout: Option<u64>,
}

/// Sending: the server, and who is named where.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Smtp {
    /// The SASL user; the account's `user` if absent.
    pub(crate) user: Option<String>,
    /// The envelope sender, to whom failures are reported; the account's `mailbox` if absent.
    pub(crate) sender: Option<String>,
    /// The author in a From that is added: an address, or `Name <address>`; the account's `mailbox` if absent.
    pub(crate) from: Option<String>,
    /// The name this machine gives itself; `[127.0.0.1]` or the like if absent.
    pub(crate) ehlo_name: Option<String>,
    /// Whether long messages go by BDAT where the server offers CHUNKING; yes if absent.
    pub(crate) chunking: Option<bool>,
    /// As for [`Server`].
    pub(crate) host: Option<String>,
    /// As for [`Server`].
    pub(crate) port: Option<u16>,
    /// As for [`Server`].
    pub(crate) tls: Option<Tls>,
    /// As for [`Server`].
    pub(crate) ca_file: Option<PathBuf>,
    /// As for [`Server`].
    #[serde(default)]
    pub(crate) platform_roots: bool,
    /// As for [`Server`].
    pub(crate) timeout: Option<u64>,
}

impl Smtp {
    /// The part that every protocol has.
    pub(crate) fn server(&self) -> Server {
        Server {
            host: self.host.clone(),
            port: self.port,
            tls: self.tls,
            ca_file: self.ca_file.clone(),
            platform_roots: self.platform_roots,
            timeout: self.timeout,
        }
    }
}

/// When TLS begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Tls {
    /// With the first octet (port 993, 995, 465)
    Implicit,
    /// By a command, STARTTLS or STLS (port 143, 110, 587)
    Starttls,
    /// Never. For servers on this machine only
    #[value(skip)]
    DangerousPlaintext,
}

impl Tls {
    /// As it is written.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Implicit => "implicit",
            Self::Starttls => "starttls",
            Self::DangerousPlaintext => "dangerous-plaintext",
        }
    }
}

/// The sign-in service, where it is not the provider's.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Oauth {
    /// Scheme, host and port of the sign-in service.
    pub(crate) authority: Option<String>,
    /// The redirect address as it is registered; `http://localhost` with any port if absent.
    pub(crate) redirect: Option<String>,
    /// The person's password, for the flow of that name; asked for if absent.
    pub(crate) password: Option<SecretRef>,
    /// PEM file with certificates to trust besides the built-in ones.
    pub(crate) ca_file: Option<PathBuf>,
    /// The scopes to ask for.
    pub(crate) scopes: Option<Vec<String>>,
    /// Longest wait for a connection, in seconds; 15 if absent.
    pub(crate) connect_timeout: Option<u64>,
    /// Longest wait for an answer, in seconds; 30 if absent.
    pub(crate) timeout: Option<u64>,
}
