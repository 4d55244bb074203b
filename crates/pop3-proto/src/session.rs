//! The states of RFC 1939 section 3, for either role, in one table.

use crate::types::{Command, Lang};

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// The greeting has not been sent or received.
    Greeting,
    /// Nobody is signed in (AUTHORIZATION).
    Authorization,
    /// Somebody is signed in and holds the maildrop (TRANSACTION).
    Transaction,
    /// The session is ending; what is marked is being deleted (UPDATE).
    Update,
}

impl State {
    /// Whether a command may be given in this state. One that nobody knows may always be refused by whoever does not know it.
    pub fn allows(self, command: &Command) -> bool {
        use Command as C;
        match command {
            C::Quit | C::Capa | C::Lang(_) => matches!(self, Self::Authorization | Self::Transaction),
            C::User(_) | C::Pass(_) | C::Apop { .. } | C::Auth { .. } | C::Stls | C::Utf8 => {
                self == Self::Authorization
            }
            C::Unknown { .. } => true,
            _ => self == Self::Transaction,
        }
    }

    /// The state behind a command that succeeds; commands that change nothing give the state itself.
    pub fn after(self, command: &Command) -> Self {
        use Command as C;
        match command {
            C::Pass(_) | C::Apop { .. } | C::Auth { .. } => Self::Transaction,
            C::Quit => Self::Update,
            _ => self,
        }
    }
}

/// What the lines behind a success are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lines {
    Message,
    Scan,
    UniqueIds,
    Capabilities,
    Languages,
}

impl Lines {
    pub(crate) fn of(command: &Command) -> Option<Self> {
        match command {
            Command::Retr(_) | Command::Top { .. } => Some(Self::Message),
            Command::List(None) => Some(Self::Scan),
            Command::Uidl(None) => Some(Self::UniqueIds),
            Command::Capa => Some(Self::Capabilities),
            Command::Lang(Lang::List) => Some(Self::Languages),
            _ => None,
        }
    }
}
