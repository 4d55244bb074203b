//! `postkey provider`

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// The commands on providers.
#[derive(Debug, Subcommand)]
pub(crate) enum ProviderCommand {
    /// List the built-in providers and those of the configuration
    List,
    /// Show what is known of a provider, as it would be written into the configuration
    Show {
        /// The provider's name
        name: String,
    },
    /// Ask an OpenID provider what it offers and print the table for the configuration
    #[command(after_help = DISCOVER)]
    Discover(Discover),
}

const DISCOVER: &str = "\
What the provider publishes says where to sign in, not where the mail is and which scope opens it: name both. The table is \
printed, not written: put it into the configuration, and name it by `provider` in an account.

Examples:
  postkey provider discover https://id.example.org --scope https://id.example.org/mail \\
      --imap-host imap.example.org --smtp-host smtp.example.org >> ~/.config/postkey/config.toml";

#[derive(Debug, Args)]
pub(crate) struct Discover {
    /// The issuer's address, letter by letter as the provider writes it
    #[arg(value_name = "ISSUER")]
    pub(crate) issuer: String,
    /// The name of the table; the issuer's host if absent
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// A scope that opens mail; may be given several times
    #[arg(long = "scope", value_name = "SCOPE", required = true)]
    pub(crate) scopes: Vec<String>,
    /// The IMAP server
    #[arg(long, value_name = "HOST")]
    pub(crate) imap_host: Option<String>,
    /// The POP3 server
    #[arg(long, value_name = "HOST")]
    pub(crate) pop3_host: Option<String>,
    /// The server that mail is sent by, port 465
    #[arg(long, value_name = "HOST")]
    pub(crate) smtp_host: Option<String>,
    /// PEM file with certificates to trust besides the built-in ones
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
}
