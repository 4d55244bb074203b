//! `postkey store`

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};

use crate::config::store::Keyring;

/// The commands on the token store.
#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Show where tokens and their key are, and what is wrong with any
    Show,
    /// Carry the store's key to another place, and name it in the configuration
    #[command(after_help = REKEY)]
    Rekey(Box<Rekey>),
}

const REKEY: &str = "\
The key itself stays the same: no token is touched, and programs that run meanwhile are not disturbed. It is at the new place \
before the configuration names that, and stays at the old one, which postkey names so that you can remove it.

A command, a variable and a systemd credential cannot be written from here: put the key there, then run this; the \
configuration is changed once the same key comes from there.

Examples:
  postkey store rekey --keyring secret-service
  postkey store rekey --age ~/.config/postkey/key.age --identity ~/.ssh/id_ed25519
  postkey store rekey --age ~/.config/postkey/key.age --passphrase-command 'pass show postkey'
  postkey store rekey --file ~/.local/state/postkey/tokens.key";

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("place").required(true)), group(ArgGroup::new("words")))]
pub(crate) struct Rekey {
    /// To a file (mode 600) with the key as text
    #[arg(long, value_name = "FILE", group = "place")]
    pub(crate) file: Option<PathBuf>,
    /// To a file that is wrapped by age; see --identity and --passphrase-…
    #[arg(long, value_name = "FILE", group = "place")]
    pub(crate) age: Option<PathBuf>,
    /// To an item of a keyring
    #[arg(long, value_enum, value_name = "KEYRING", group = "place")]
    pub(crate) keyring: Option<Keyring>,
    /// To a systemd credential that holds the key already
    #[arg(long, value_name = "NAME", group = "place")]
    pub(crate) credential: Option<String>,
    /// To an environment variable that holds the key already
    #[arg(long, value_name = "VARIABLE", group = "place")]
    pub(crate) env: Option<String>,
    /// To a command that prints the key already
    #[arg(long, value_name = "COMMAND", group = "place")]
    pub(crate) command: Option<String>,
    /// The file (mode 600) with the private key that opens the age file: age's own, or an SSH key
    #[arg(long, value_name = "FILE", requires = "age")]
    pub(crate) identity: Option<PathBuf>,
    /// Who else can open the age file (age1…, ssh-ed25519 …, ssh-rsa …); may be given several times
    #[arg(long = "recipient", value_name = "RECIPIENT", requires = "identity")]
    pub(crate) recipients: Vec<String>,
    /// The file (mode 600) with the passphrase of the age file, or with --identity of the SSH key
    #[arg(long, value_name = "FILE", requires = "age", group = "words")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// The environment variable that holds this passphrase
    #[arg(long, value_name = "VARIABLE", requires = "age", group = "words")]
    pub(crate) passphrase_env: Option<String>,
    /// The command that prints this passphrase
    #[arg(long, value_name = "COMMAND", requires = "age", group = "words")]
    pub(crate) passphrase_command: Option<String>,
}

impl ValueEnum for Keyring {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::SecretService, Self::Keyutils]
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.name()).help(match self {
            Self::SecretService => "GNOME Keyring, KWallet, KeePassXC",
            Self::Keyutils => "The kernel's, which a reboot empties: then the tokens are lost, too",
        }))
    }
}
