//! What the sessions of the three mail servers share: who is signed in, and how they end.

use driver::{Connection, Turn};
use wire::Machine;

use crate::access::Door;
use crate::directory::User;
use crate::net::Stream;

/// Refused sign-ins after which a connection to a mailbox ends.
pub(crate) const MAX_FAILURES: u32 = 3;

/// Commands answered for somebody who may not open the mailbox.
const NOT_CONNECTED_COMMANDS: u32 = 2;

/// The connection is over; nothing more can be said on it.
pub(crate) struct Over;

/// What becomes of a command's handling.
pub(crate) type Step = Result<(), Over>;

impl From<imap_proto::Misuse> for Over {
    fn from(_: imap_proto::Misuse) -> Self {
        Self
    }
}

impl From<pop3_proto::Misuse> for Over {
    fn from(_: pop3_proto::Misuse) -> Self {
        Self
    }
}

impl From<smtp_proto::Misuse> for Over {
    fn from(_: smtp_proto::Misuse) -> Self {
        Self
    }
}

impl From<smtp_proto::types::Invalid> for Over {
    fn from(_: smtp_proto::types::Invalid) -> Self {
        Self
    }
}

/// Who is signed in where messages are read; `M` is the mailbox as the protocol sees it.
pub(crate) enum Who<M> {
    Nobody,
    /// With access to a mailbox, until the token ends.
    Connected {
        mailbox: M,
        until: u64,
    },
    /// Without; so many more commands are answered.
    NotConnected {
        left: u32,
        until: u64,
    },
}

impl<M> Who<M> {
    /// Whoever came through this door. It leads nowhere where the mailbox does not open or is `shut` for everyone.
    pub(crate) fn entered(door: &Door<'_>, shut: bool, mailbox: impl FnOnce(&User) -> M) -> Self {
        let until = door.until;
        if door.open && !shut {
            Self::Connected { mailbox: mailbox(door.mailbox), until }
        } else {
            Self::NotConnected { left: NOT_CONNECTED_COMMANDS, until }
        }
    }

    /// The mailbox, if somebody is signed in and may open one.
    pub(crate) fn mailbox(&self) -> Option<&M> {
        match self {
            Self::Connected { mailbox, .. } => Some(mailbox),
            Self::Nobody | Self::NotConnected { .. } => None,
        }
    }

    /// As [`mailbox`](Self::mailbox), to change it.
    pub(crate) fn mailbox_mut(&mut self) -> Option<&mut M> {
        match self {
            Self::Connected { mailbox, .. } => Some(mailbox),
            Self::Nobody | Self::NotConnected { .. } => None,
        }
    }

    /// Unix seconds at which the session ends, if anybody is signed in.
    pub(crate) fn until(&self) -> Option<u64> {
        match self {
            Self::Connected { until, .. } | Self::NotConnected { until, .. } => Some(*until),
            Self::Nobody => None,
        }
    }

    /// Counts a command of somebody who is signed in without a mailbox: how many more will be answered. `None` for everybody else.
    pub(crate) fn turn_away(&mut self) -> Option<u32> {
        let Self::NotConnected { left, .. } = self else { return None };
        *left = left.saturating_sub(1);
        Some(*left)
    }
}

/// Sends what a machine that has ended still holds, and closes.
pub(crate) async fn close(connection: &mut Connection<Stream>, machine: &mut (dyn Machine + Send)) {
    while let Ok(turn) = connection.drive(machine).await {
        if turn == Turn::Closed {
            break;
        }
    }
}
