//! When what an account depends on ends, as far as this machine can know, and what breaks then.

pub(crate) mod nagios;
pub(crate) mod prometheus;
mod survey;

pub(crate) use self::survey::survey;

use serde::Serialize;

use crate::exit::Exit;

/// What an account depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum What {
    /// The access token in the store.
    AccessToken,
    /// The refresh token in the store.
    RefreshToken,
    /// The registration's secret.
    ClientSecret,
    /// The registration's certificate.
    Certificate,
    /// A Google service account's key.
    ServiceAccountKey,
    /// A password.
    Password,
}

impl What {
    /// The name in metrics and JSON.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AccessToken => "access_token",
            Self::RefreshToken => "refresh_token",
            Self::ClientSecret => "client_secret",
            Self::Certificate => "certificate",
            Self::ServiceAccountKey => "service_account_key",
            Self::Password => "password",
        }
    }

    /// The name for people.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::AccessToken => "access token",
            Self::RefreshToken => "refresh token",
            Self::ClientSecret => "client secret",
            Self::Certificate => "certificate",
            Self::ServiceAccountKey => "service account key",
            Self::Password => "password",
        }
    }
}

/// When something ends, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Then.
    At(u64),
    /// Then if nothing happens before; a revocation or a policy can end it earlier, and nobody tells.
    AtTheLatest(u64),
    /// Nothing here says when.
    Unknown,
    /// Not by itself.
    Never,
}

impl End {
    /// The moment, if there is one.
    pub(crate) fn moment(self) -> Option<u64> {
        match self {
            Self::At(end) | Self::AtTheLatest(end) => Some(end),
            Self::Unknown | Self::Never => None,
        }
    }

    /// How sure it is, as JSON and metrics have it.
    pub(crate) fn bound(self) -> &'static str {
        match self {
            Self::At(_) => "exact",
            Self::AtTheLatest(_) => "latest",
            Self::Unknown => "unknown",
            Self::Never => "never",
        }
    }
}

/// How things are. The order is that of urgency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// Nothing has to be done.
    Fine,
    /// It cannot be looked at.
    Unknown,
    /// It ends within the days asked for.
    Ending,
    /// It has ended; mail does not work any more, or will stop at the next renewal.
    Ended,
}

impl State {
    fn of(end: End, now: u64, within: u64) -> Self {
        match end.moment() {
            Some(end) if end <= now => Self::Ended,
            Some(end) if end - now <= within => Self::Ending,
            _ => Self::Fine,
        }
    }
}

/// One thing an account depends on.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) what: What,
    pub(crate) end: End,
    pub(crate) state: State,
    /// What happens at the end, and what to do.
    pub(crate) then: String,
}

/// Why an account cannot be used or looked at.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) state: State,
    pub(crate) exit: Exit,
    pub(crate) message: String,
    pub(crate) advice: String,
}

/// An account.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) items: Vec<Item>,
    pub(crate) problem: Option<Problem>,
}

impl Account {
    /// The worst of everything.
    pub(crate) fn state(&self) -> State {
        let items = self.items.iter().map(|item| item.state);
        items.chain(self.problem.iter().map(|problem| problem.state)).max().unwrap_or(State::Fine)
    }

    /// The exit code that its state deserves.
    pub(crate) fn exit(&self) -> Option<Exit> {
        if let Some(problem) = &self.problem {
            return Some(problem.exit);
        }
        let ended = self.items.iter().find(|item| item.state == State::Ended)?;
        Some(match ended.what {
            What::ClientSecret => Exit::ProviderRefused,
            _ => Exit::SignInNeeded,
        })
    }
}
