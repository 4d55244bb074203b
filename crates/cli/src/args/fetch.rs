//! `postkey fetch`

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::Which;
use crate::config::paths;

#[derive(Debug, Args)]
pub(crate) struct Fetch {
    #[command(flatten)]
    pub(crate) which: Which,
    /// A folder, as `postkey folders` names it; may be given several times. All folders without it
    #[arg(long = "folder", value_name = "NAME")]
    pub(crate) folders: Vec<String>,
    /// Only messages that arrived on this day (YYYY-MM-DD) or later
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub(crate) since: Option<jiff::civil::Date>,
    /// Where to: maildir:PATH, `~/` being the home directory. The Maildir is made if it is not there
    #[arg(long, value_name = "KIND:PATH", value_parser = target)]
    pub(crate) to: PathBuf,
    /// What to download by. POP3 knows one folder and neither days nor flags
    #[arg(long, value_enum, default_value_t = Reading::Imap, value_name = "PROTOCOL")]
    pub(crate) protocol: Reading,
    /// POP3: leave the messages on the server, which is also what happens without it
    #[arg(long)]
    pub(crate) keep: bool,
    /// POP3: delete a message on the server once it has been on disk here for so many days; 0 for at once
    #[arg(long, value_name = "DAYS", conflicts_with_all = ["keep", "no_fsync"], value_parser = clap::value_parser!(u32).range(0..=36_500))]
    pub(crate) delete_after: Option<u32>,
    /// Do not wait for the disk: faster, safe if postkey ends, not if the machine does
    #[arg(long)]
    pub(crate) no_fsync: bool,
}

/// What `fetch` reads by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Reading {
    /// IMAP
    Imap,
    /// POP3
    Pop3,
}

fn date(text: &str) -> Result<jiff::civil::Date, String> {
    text.parse().map_err(|_| "not a day; write it as 2026-01-31".to_owned())
}

fn target(text: &str) -> Result<PathBuf, String> {
    match text.split_once(':') {
        Some(("maildir", "")) => Err("there is no path behind maildir:".to_owned()),
        // A shell leaves the ~ behind a colon alone.
        Some(("maildir", path)) => Ok(from_home(Path::new(path))),
        _ => Err("not a target; write maildir:PATH".to_owned()),
    }
}

/// `~/` is the home directory, as in the configuration.
fn from_home(path: &Path) -> PathBuf {
    paths::from(Path::new(""), path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_and_days() {
        assert_eq!(target("maildir:a:b").unwrap(), PathBuf::from("a:b"));
        let home = etcetera::home_dir().unwrap();
        assert_eq!(target("maildir:~/Mail").unwrap(), home.join("Mail"));
        assert_eq!(target("maildir:~ana/Mail").unwrap(), PathBuf::from("~ana/Mail"));
        assert_eq!(target("maildir:./~/Mail").unwrap(), PathBuf::from("./~/Mail"));
        assert!(target("Mail").is_err() && target("maildir:").is_err() && target("mbox:x").is_err());
        assert!(date("2026-02-30").is_err() && date("yesterday").is_err() && date("2026-02-28").is_ok());
    }
}
