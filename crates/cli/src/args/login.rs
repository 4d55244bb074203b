//! `postkey login`

use clap::Args;

use super::Which;
use crate::config::model::Flow;

/// A tag has at most 35 characters (RFC 5646 section 4.4.1): subtags of letters and digits with hyphens between.
fn language(text: &str) -> Result<String, &'static str> {
    let subtag = |tag: &str| matches!(tag.len(), 1..=8) && tag.bytes().all(|b| b.is_ascii_alphanumeric());
    let letters = |tag: &str| tag.len() >= 2 && tag.bytes().all(|b| b.is_ascii_alphabetic());
    let begins = text.split('-').next().is_some_and(letters);
    if text.len() > 35 || !begins || !text.split('-').all(subtag) {
        return Err("write a language tag such as de-DE");
    }
    Ok(text.to_owned())
}

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
    /// The language of the pages, as a BCP 47 tag such as de-DE; without it, that of the browser or the service
    #[arg(long, value_name = "TAG", value_parser = language)]
    pub(crate) language: Option<String>,
    /// Longest wait for the browser to come back, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = auth::loopback::PATIENCE, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) timeout: u64,
    /// Do not sign in: see that a token can still be had without a person, and that the mail servers take it
    #[arg(long, conflicts_with_all = ["flow", "qr", "no_open", "language", "timeout"])]
    pub(crate) check: bool,
}
