//! The states of RFC 3501 section 3, for either role, in one table.

use crate::types::Command;

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// The greeting has not been sent or received.
    Greeting,
    /// Nobody is signed in.
    NotAuthenticated,
    /// Somebody is signed in, no mailbox is selected.
    Authenticated,
    /// A mailbox is selected.
    Selected,
    /// The session is ending.
    Logout,
}

impl State {
    /// Whether a command may be given in this state.
    pub fn allows(self, command: &Command<'_>) -> bool {
        use Command as C;
        match command {
            C::Capability | C::Noop | C::Logout | C::Id(_) => self != Self::Logout && self != Self::Greeting,
            C::StartTls | C::Authenticate { .. } | C::Login { .. } => self == Self::NotAuthenticated,
            C::Check
            | C::Close
            | C::Unselect
            | C::Expunge
            | C::UidExpunge(_)
            | C::Search { .. }
            | C::Fetch { .. }
            | C::Store { .. }
            | C::Copy { .. }
            | C::Move { .. } => self == Self::Selected,
            _ => matches!(self, Self::Authenticated | Self::Selected),
        }
    }

    /// The state behind a command that succeeds; commands that change nothing give the state itself.
    pub fn after(self, command: &Command<'_>) -> Self {
        use Command as C;
        match command {
            C::Authenticate { .. } | C::Login { .. } => Self::Authenticated,
            C::Select { .. } | C::Examine { .. } => Self::Selected,
            C::Close | C::Unselect => Self::Authenticated,
            C::Logout => Self::Logout,
            _ => self,
        }
    }
}
