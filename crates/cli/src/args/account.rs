//! `postkey account`

use std::path::PathBuf;

use auth::credential::SignatureAlgorithm;
use clap::{Args, Subcommand, ValueEnum};

use super::{Purpose, Which};
use crate::config::model::{Flow, Tls};

/// The commands on accounts.
#[derive(Debug, Subcommand)]
pub(crate) enum AccountCommand {
    /// Add an account to the configuration
    #[command(after_help = "\
Secrets are named, not given: a command line is seen by every process of this machine.

Examples:
  postkey account add work --user ana@contoso.com --tenant contoso.com --client-id ID
  postkey account add shared --user ana@contoso.com --mailbox info@contoso.com --client-id ID
  postkey account add archive --flow app --user info@contoso.com --tenant contoso.com \\
      --client-id ID --client-secret-file ~/.secrets/archive")]
    Add(Box<AccountAdd>),
    /// List the accounts
    List,
    /// Show what is configured for an account
    Show(Which),
    /// Remove an account from the configuration, and its tokens
    Remove {
        /// The account's name
        name: String,
    },
}

/// A signature algorithm, by its name in a JWS header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Algorithm(pub(crate) SignatureAlgorithm);

impl ValueEnum for Algorithm {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self(SignatureAlgorithm::Ps256), Self(SignatureAlgorithm::Rs256)]
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.0.name()))
    }
}

#[derive(Debug, Args)]
pub(crate) struct AccountAdd {
    /// A name of your choice for the account
    pub(crate) name: String,
    /// The provider: microsoft, outlook-com, google, …, or one of [providers] in the configuration
    #[arg(long, default_value = "microsoft")]
    pub(crate) provider: String,
    /// Who signs in; for --flow app, whose mailbox is opened
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) user: String,
    /// Another name under which the provider knows the user; may be given several times
    #[arg(long = "alias", value_name = "ADDRESS")]
    pub(crate) aliases: Vec<String>,
    /// Whose mailbox is opened, if not the user's own
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) mailbox: Option<String>,
    /// The tenant's id or one of its domains
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    /// The client id (application id) of your registration at the provider
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: Option<String>,
    /// The redirect address as it is registered, where that is not http://localhost (any port)
    #[arg(long, value_name = "URL")]
    pub(crate) redirect: Option<String>,
    /// The environment variable that will hold the client secret
    #[arg(long, value_name = "VARIABLE", group = "secret")]
    pub(crate) client_secret_env: Option<String>,
    /// The file (mode 600) that holds the client secret
    #[arg(long, value_name = "FILE", group = "secret")]
    pub(crate) client_secret_file: Option<PathBuf>,
    /// The file (mode 600) with certificate and key, PEM or PKCS#12
    #[arg(long, value_name = "FILE", group = "secret")]
    pub(crate) certificate: Option<PathBuf>,
    /// The file (mode 600) with the certificate's key, if it is one of its own
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub(crate) certificate_key: Option<PathBuf>,
    /// The file (mode 600) with the passphrase, if the key or the PKCS#12 file is encrypted
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub(crate) certificate_passphrase_file: Option<PathBuf>,
    /// How assertions are signed, PS256 without it; RS256 for registrations that want SHA-1 thumbprints
    #[arg(long, value_enum, ignore_case = true, requires = "certificate")]
    pub(crate) certificate_algorithm: Option<Algorithm>,
    /// The file with an assertion that somebody keeps fresh
    #[arg(long, value_name = "FILE", group = "secret")]
    pub(crate) assertion_file: Option<PathBuf>,
    /// The command that prints an assertion
    #[arg(long, value_name = "COMMAND", group = "secret")]
    pub(crate) assertion_command: Option<String>,
    /// The assertion is the workflow's token at GitHub Actions, for this audience; Entra's usual one without a value
    #[arg(long, value_name = "AUDIENCE", group = "secret", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub(crate) assertion_github_actions: Option<String>,
    /// The assertion is the token of this machine's identity at Azure; its client id where there are several
    #[arg(long, value_name = "CLIENT-ID", group = "secret", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub(crate) assertion_managed_identity: Option<String>,
    /// The key file (mode 600) of a Google service account
    #[arg(long, value_name = "FILE", group = "secret")]
    pub(crate) service_account: Option<PathBuf>,
    /// The file (mode 600) with the person's password, for --flow password; asked for without it
    #[arg(long, value_name = "FILE")]
    pub(crate) sign_in_password_file: Option<PathBuf>,
    /// The command that prints the client secret
    #[arg(long, value_name = "COMMAND", group = "secret")]
    pub(crate) client_secret_command: Option<String>,
    /// How to sign in; chosen at login if absent
    #[arg(long, value_enum)]
    pub(crate) flow: Option<Flow>,
    /// The mail server, instead of the provider's
    #[arg(long, value_name = "HOST")]
    pub(crate) imap_host: Option<String>,
    /// Its port
    #[arg(long, value_name = "PORT")]
    pub(crate) imap_port: Option<u16>,
    /// When TLS begins
    #[arg(long, value_enum)]
    pub(crate) imap_tls: Option<Tls>,
    /// What the sign-in is for; may be given several times. imap without it
    #[arg(long = "protocol", value_enum, value_name = "PROTOCOL")]
    pub(crate) protocols: Vec<Purpose>,
    /// The server that mail is sent by, instead of the provider's
    #[arg(long, value_name = "HOST")]
    pub(crate) smtp_host: Option<String>,
    /// Its port
    #[arg(long, value_name = "PORT")]
    pub(crate) smtp_port: Option<u16>,
    /// When TLS begins there
    #[arg(long, value_enum)]
    pub(crate) smtp_tls: Option<Tls>,
    /// The POP3 server, instead of the provider's
    #[arg(long, value_name = "HOST")]
    pub(crate) pop3_host: Option<String>,
    /// Its port
    #[arg(long, value_name = "PORT")]
    pub(crate) pop3_port: Option<u16>,
    /// When TLS begins there
    #[arg(long, value_enum)]
    pub(crate) pop3_tls: Option<Tls>,
    /// A PEM file with certificates to trust besides the public ones, for sign-in and mail
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Scheme, host and port of the sign-in service, instead of the provider's
    #[arg(long, value_name = "URL")]
    pub(crate) authority: Option<String>,
}
