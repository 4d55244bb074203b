//! What an error asks of whoever meets it.

use serde::{Deserialize, Serialize};

/// The reaction an error calls for. An exit code or a user interface can be chosen by this alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Class {
    /// The service or the network is in trouble for now: wait and repeat.
    RetryLater,
    /// The person has not finished the device sign-in: keep polling.
    Pending,
    /// Only a new interactive sign-in helps.
    SignInAgain,
    /// An administrator of the tenant has to change something.
    AdminAction,
    /// The registration or this program's configuration is wrong.
    ConfigError,
    /// The client secret has run out.
    SecretExpired,
    /// The account itself is in a state that forbids the sign-in.
    UserAccount,
    /// The peer broke the protocol, or somebody interferes.
    Peer,
    /// Something on this machine: the token store, its key, its lock.
    Local,
}

impl Class {
    /// One sentence on what to do; the more exact advice of a known code comes before it.
    pub fn advice(self) -> &'static str {
        match self {
            Self::RetryLater => "Try again later.",
            Self::Pending => "Keep waiting.",
            Self::SignInAgain => "Sign in again.",
            Self::AdminAction => "Ask the tenant's administrator; give the correlation id.",
            Self::ConfigError => "Correct the client id, tenant, secret or scopes in the configuration.",
            Self::SecretExpired => "Create a new client secret and put it into the configuration.",
            Self::UserAccount => "Check the account in a browser, or ask the administrator.",
            Self::Peer => {
                "Check the address of the sign-in service and what stands between it and this machine."
            }
            Self::Local => "Check the token store's folder and key.",
        }
    }

    /// The class named by `word` in the data table.
    pub(super) fn named(word: &str) -> Option<Self> {
        Some(match word {
            "RetryLater" => Self::RetryLater,
            "Pending" => Self::Pending,
            "SignInAgain" => Self::SignInAgain,
            "AdminAction" => Self::AdminAction,
            "ConfigError" => Self::ConfigError,
            "SecretExpired" => Self::SecretExpired,
            "UserAccount" => Self::UserAccount,
            _ => return None,
        })
    }
}
