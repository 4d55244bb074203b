//! Commands on their way out, and commands waiting for their replies.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use sasl::ClientExchange;
use wire::OutBuf;

use super::event::CommandId;
use crate::grammar::Fragment;
use crate::session::{Lines, State};
use crate::types::Password;

/// What is special about a command.
#[derive(Debug)]
pub(super) enum Kind {
    Plain,
    /// STAT.
    Stat,
    /// LIST about one message.
    Scan,
    /// UIDL about one message.
    UniqueId,
    /// USER, and the password that follows when it is accepted.
    Login(Option<Password>),
    Apop,
    Authenticate(ClientExchange),
    Stls,
    Utf8,
    Dele,
    Rset,
    Quit,
}

impl Kind {
    /// Whether the command must have the connection to itself: what follows depends on its outcome.
    pub(super) fn is_exclusive(&self) -> bool {
        matches!(self, Self::Login(_) | Self::Apop | Self::Authenticate(_) | Self::Stls | Self::Quit)
    }

    pub(super) fn is_sign_in(&self) -> bool {
        matches!(self, Self::Login(_) | Self::Apop | Self::Authenticate(_))
    }
}

/// One command, not yet answered.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) id: CommandId,
    pub(super) kind: Kind,
    pub(super) lines: Option<Lines>,
    pub(super) fragments: Vec<Fragment>,
    /// The state when it succeeds.
    pub(super) then: Option<State>,
}

/// Commands not written, and commands waiting for their reply, both in order.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) outgoing: VecDeque<Pending>,
    pub(super) in_flight: VecDeque<Pending>,
}

impl Queue {
    pub(super) fn is_empty(&self) -> bool {
        self.outgoing.is_empty() && self.in_flight.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.outgoing.len().saturating_add(self.in_flight.len())
    }

    /// The command whose reply comes next.
    pub(super) fn current(&mut self) -> Option<&mut Pending> {
        self.in_flight.front_mut()
    }

    /// Writes what may go out now. `ahead`: also before earlier replies have come (RFC 2449 section 6.6).
    pub(super) fn pump(&mut self, out: &mut OutBuf, outbox: usize, ahead: bool) {
        while out.len() < outbox {
            let Some(front) = self.outgoing.front() else { return };
            if let Some(last) = self.in_flight.back()
                && (!ahead || last.kind.is_exclusive() || front.kind.is_exclusive())
            {
                return;
            }
            let Some(mut pending) = self.outgoing.pop_front() else { return };
            for fragment in pending.fragments.drain(..) {
                match fragment {
                    Fragment::Bytes(octets) => out.push(&octets),
                    Fragment::Secret(octets) => out.push_secret(octets.expose()),
                }
            }
            self.in_flight.push_back(pending);
        }
    }
}
