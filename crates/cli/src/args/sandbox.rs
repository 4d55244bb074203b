//! `postkey try` and `postkey sandbox`

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct Try {
    /// Messages in the pretend mailbox
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=200_000))]
    pub(crate) messages: u32,
    /// The folder for everything the tour makes
    #[arg(long, value_name = "FOLDER", default_value = "postkey-try")]
    pub(crate) dir: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Sandbox {
    /// Messages per mailbox
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(0..=200_000))]
    pub(crate) messages: u32,
    /// Port of the identity provider (HTTPS); a free one if absent
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) port: u16,
    /// Port of IMAP with implicit TLS; a free one if absent
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) imap_port: u16,
    /// Port of IMAP with STARTTLS; a free one if absent
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) starttls_port: u16,
    /// Port of POP3 with implicit TLS; a free one if absent
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) pop3_port: u16,
    /// Port of submission by SMTP with STARTTLS; a free one if absent
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) submission_port: u16,
    /// Which server to imitate
    #[arg(long, value_enum, default_value_t = Imitate::Exo2026)]
    pub(crate) imitate: Imitate,
    /// Also serve the identity provider without TLS on this port, for programs that cannot be given a CA
    #[arg(long, value_name = "PORT")]
    pub(crate) http_port: Option<u16>,
    /// Where to write the CA certificate; without it, into a temporary file
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Where to write what a shell needs to use the sandbox, to be read by `. FILE`; it goes when the sandbox ends
    #[arg(long, value_name = "FILE")]
    pub(crate) env_file: Option<PathBuf>,
}

/// Which IMAP server the sandbox imitates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Imitate {
    /// Exchange Online as it is in 2026: XOAUTH2 and nothing else
    #[value(name = "exo-2026")]
    Exo2026,
    /// Exchange Online as it was until 2025
    ExoClassic,
    /// A server without peculiarities that also takes passwords
    Plain,
}
