//! Why a sign-in by password was refused.

use std::fmt;

use super::{Class, Refusal};

/// A reason that belongs to the password grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PasswordFailure {
    /// A second factor is demanded, and a password alone cannot give one.
    SecondFactor,
    /// The account's password is kept elsewhere (a federated account), or it has none.
    Federated,
    /// A personal Microsoft account, or one of another tenant.
    PersonalAccount,
    /// User name or password is wrong.
    Wrong,
    /// The password has run out.
    Expired,
    /// The account is locked or disabled.
    Locked,
    /// A policy of the tenant forbids this way in.
    Policy,
    /// The registration does not allow this grant.
    Registration,
}

impl PasswordFailure {
    /// The reason that a refusal of the password grant names, if it is one of this grant.
    pub fn of(refusal: &Refusal) -> Option<Self> {
        refusal.codes.iter().find_map(|code| {
            Some(match code {
                50072 | 50074 | 50076 | 50078 | 50079 | 50158 => Self::SecondFactor,
                50056 | 80001 | 80002 | 80007 | 80012 => Self::Federated,
                50020 | 50034 | 500201 | 51004 | 90072 | 9001023 => Self::PersonalAccount,
                50126 => Self::Wrong,
                50055 | 50144 => Self::Expired,
                50053 | 50057 => Self::Locked,
                50097 | 50129 | 50131 | 50155 | 53000..=53004 | 530032 | 530035 => Self::Policy,
                7000218 => Self::Registration,
                _ => return None,
            })
        })
    }

    /// The reaction it calls for.
    pub fn class(self) -> Class {
        match self {
            Self::SecondFactor | Self::Federated => Class::SignInAgain,
            Self::PersonalAccount | Self::Wrong | Self::Expired | Self::Locked => Class::UserAccount,
            Self::Policy => Class::AdminAction,
            Self::Registration => Class::ConfigError,
        }
    }
}

impl fmt::Display for PasswordFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SecondFactor => {
                "a password alone is not enough for this account: it needs a second factor. Sign in with the \
                 browser or a device code"
            }
            Self::Federated => {
                "this account has no password that the service could check: it is federated, or signs in without \
                 one. Sign in with the browser or a device code"
            }
            Self::PersonalAccount => {
                "this tenant does not know the account: it is a personal account, which cannot sign in this way, or \
                 belongs to another tenant. Sign in with the browser, or give the account's own tenant"
            }
            Self::Wrong => "the user name or the password is wrong. Do not repeat it often: accounts get locked",
            Self::Expired => "the password has expired. Change it in a browser",
            Self::Locked => "the account is locked or disabled. Ask the administrator",
            Self::Policy => {
                "a policy of the organisation forbids the sign-in by password. Sign in with the browser, or ask the \
                 administrator"
            }
            Self::Registration => {
                "the registration does not let public clients use passwords. Enable \"Allow public client flows\", \
                 or configure the client's secret"
            }
        })
    }
}
