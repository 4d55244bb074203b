//! `postkey login`

use clap::Args;

use super::Which;
use crate::config::model::Flow;

#[derive(Debug, Args)]
pub(crate) struct Login {
    #[command(flatten)]
    pub(crate) which: Which,
    /// How to sign in, instead of what the configuration says
    #[arg(long, value_enum)]
    pub(crate) flow: Option<Flow>,
    /// Show the device sign-in's QR code even if the output is not a terminal
    #[arg(long)]
    pub(crate) qr: bool,
    /// Do not open a browser; print the address only
    #[arg(long)]
    pub(crate) no_open: bool,
    /// Longest wait for the browser to come back, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = auth::loopback::PATIENCE, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) timeout: u64,
    /// Do not sign in: see that a token can still be had without a person, and that the mail servers take it
    #[arg(long, conflicts_with_all = ["flow", "qr", "no_open", "timeout"])]
    pub(crate) check: bool,
}
