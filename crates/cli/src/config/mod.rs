//! The configuration: where it is, what stands in it, and what an account in it amounts to.

mod account;
mod command;
pub(crate) mod edit;
mod load;
pub(crate) mod model;
pub(crate) mod paths;
pub(crate) mod proof;
mod provider;
mod resolve;
pub(crate) mod secret;
mod sending;
mod server;
pub(crate) mod similar;
pub(crate) mod store;

pub(crate) use account::Account;
pub(crate) use sending::Sending;
pub(crate) use server::MailServer;

use std::path::{Path, PathBuf};

use self::load::Source;
use crate::exit::{Exit, Failure, Result};

/// The configuration file, read; an absent file is an empty one.
#[derive(Debug)]
pub(crate) struct Config {
    file: model::File,
    source: Source,
}

impl Config {
    /// Reads `path`, or the platform's place if there is none.
    pub(crate) fn load(path: Option<&Path>) -> Result<Self> {
        let named = path.is_some();
        let path = path.map_or_else(paths::config_file, |path| Ok(path.to_owned()))?;
        let source = match Source::read(&path)? {
            Some(source) => source,
            None if named => {
                return Err(Failure::new(
                    Exit::Config,
                    format!("the configuration {} does not exist", path.display()),
                    format!(
                        "check the path, or make it: postkey --config {} account add NAME --user ADDRESS --client-id ID",
                        path.display()
                    ),
                ));
            }
            None => Source { path, text: String::new() },
        };
        Self::parse(source)
    }

    /// What `text` would amount to at `path`.
    pub(crate) fn of_text(path: &Path, text: String) -> Result<Self> {
        Self::parse(Source { path: path.to_owned(), text })
    }

    fn parse(source: Source) -> Result<Self> {
        let config = Self { file: source.parse()?, source };
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<()> {
        if let Some(name) = &self.file.default_account
            && !self.file.accounts.contains_key(name)
        {
            return Err(self.source.mistake(
                &["default_account"],
                &format!("there is no account {name:?}"),
                self.known_accounts(),
            ));
        }
        self.file.store.check(&self.source)?;
        match self.file.accounts.keys().find(|name| !edit::is_name(name)) {
            Some(name) => {
                Err(self.source.mistake(&["accounts", name], "not a name for an account", edit::NAME_RULE))
            }
            None => Ok(()),
        }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.source.path
    }

    /// The accounts' names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.file.accounts.keys().map(String::as_str)
    }

    /// The account meant when none is named.
    pub(crate) fn default_account(&self) -> Option<&str> {
        let mut names = self.names();
        match (&self.file.default_account, names.next(), names.next()) {
            (Some(name), ..) => Some(name),
            (None, Some(only), None) => Some(only),
            _ => None,
        }
    }

    /// The account called `name`, or the one that is meant when none is named.
    pub(crate) fn account(&self, name: Option<&str>) -> Result<Account> {
        let name = match (name, self.default_account()) {
            (Some(name), _) | (None, Some(name)) => name,
            (None, None) if self.file.accounts.is_empty() => {
                return Err(Failure::new(
                    Exit::UnknownAccount,
                    format!("there is no account in {}", self.path().display()),
                    "add one: postkey account add NAME --user ADDRESS --client-id ID   — or look around first: postkey try",
                ));
            }
            (None, None) => {
                return Err(Failure::new(
                    Exit::UnknownAccount,
                    "there are several accounts and none is named",
                    format!("{}; or set default_account in {}", self.known_accounts(), self.path().display()),
                ));
            }
        };
        match self.file.accounts.get(name) {
            Some(table) => resolve::account(name, table, &self.file, &self.source),
            None => {
                let names: Vec<&str> = self.names().collect();
                let advice = match similar::closest(name, &names) {
                    Some(close) => format!("did you mean {close:?}? {}", self.known_accounts()),
                    None => self.known_accounts(),
                };
                let name = wire::printable(name.as_bytes());
                let message = format!("there is no account {name:?} in {}", self.path().display());
                Err(Failure::new(Exit::UnknownAccount, message, advice))
            }
        }
    }

    fn known_accounts(&self) -> String {
        let names: Vec<&str> = self.names().collect();
        match names.as_slice() {
            [] => "there is none yet; add one: postkey account add NAME --user ADDRESS --client-id ID".into(),
            names => format!("there are: {}", names.join(", ")),
        }
    }

    /// Where tokens are kept.
    pub(crate) fn state_dir(&self) -> Result<PathBuf> {
        match &self.file.state_dir {
            Some(dir) => Ok(paths::from(base(&self.source.path), dir)),
            None => paths::state_dir(),
        }
    }
}

/// The folder that relative paths of the configuration begin at: its own.
fn base(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
