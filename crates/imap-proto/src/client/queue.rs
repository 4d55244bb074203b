//! Commands on their way out.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use sasl::ClientExchange;
use wire::OutBuf;

use super::event::CommandId;
use crate::grammar::Fragment;
use crate::session::State;

/// What is special about a command.
#[derive(Debug)]
pub(super) enum Kind {
    Plain,
    /// SELECT and EXAMINE: on success a mailbox is selected, on failure none is.
    Select,
    /// CLOSE and UNSELECT.
    Deselect,
    Login,
    Authenticate(ClientExchange),
    StartTls,
    Logout,
    Idle,
    /// IDLE that the server has accepted.
    Idling,
    /// IDLE that has been told to end.
    Done,
    /// APPEND with this many octets still to be written; `None` until the server wants them.
    Append {
        left: u64,
        invited: bool,
    },
}

impl Kind {
    /// Whether the command must have the connection to itself: its continuations or its effect would be ambiguous
    /// otherwise (RFC 3501 sections 5.5, 6.2.1; RFC 2177).
    pub(super) fn is_exclusive(&self) -> bool {
        matches!(
            self,
            Self::Login
                | Self::Authenticate(_)
                | Self::StartTls
                | Self::Logout
                | Self::Idle
                | Self::Idling
                | Self::Done
                | Self::Append { .. }
        )
    }
}

/// One command, not yet answered.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) id: CommandId,
    pub(super) kind: Kind,
    pub(super) fragments: VecDeque<Fragment>,
    /// Its first octet has been written.
    pub(super) begun: bool,
    /// A literal has been announced and the server has not asked for it yet.
    pub(super) awaits_go_ahead: bool,
    /// The state when it succeeds.
    pub(super) then: Option<State>,
}

/// How a literal is announced (RFC 7888).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LiteralMode {
    /// Wait for the server's `+`.
    Sync,
    /// LITERAL-: up to 4096 octets need no wait.
    Minus,
    /// LITERAL+: no wait.
    Plus,
}

impl LiteralMode {
    pub(super) fn may_rush(self, len: u64) -> bool {
        match self {
            Self::Sync => false,
            Self::Minus => len <= 4096,
            Self::Plus => true,
        }
    }
}

impl Pending {
    /// Writes as much as can go out now; `true` when everything has been written.
    pub(super) fn write(&mut self, out: &mut OutBuf, mode: LiteralMode) -> bool {
        self.begun = true;
        while !self.awaits_go_ahead {
            match self.fragments.pop_front() {
                Some(Fragment::Bytes(octets)) => out.push(&octets),
                Some(Fragment::Secret(octets)) => out.push_secret(octets.expose()),
                Some(Fragment::Literal(octets)) => {
                    self.announce(out, mode, octets.len());
                    self.fragments.push_front(Fragment::Bytes(octets));
                }
                Some(Fragment::SecretLiteral(octets)) => {
                    self.announce(out, mode, octets.len());
                    self.fragments.push_front(Fragment::Secret(octets));
                }
                None => return true,
            }
        }
        false
    }

    fn announce(&mut self, out: &mut OutBuf, mode: LiteralMode, len: usize) {
        let rush = mode.may_rush(len as u64);
        out.push(alloc::format!("{{{len}{}}}\r\n", if rush { "+" } else { "" }).as_bytes());
        self.awaits_go_ahead = !rush;
    }
}

/// Commands not fully written, and commands waiting for their reply, both in order.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) outgoing: VecDeque<Pending>,
    pub(super) in_flight: Vec<Pending>,
}

impl Queue {
    pub(super) fn is_empty(&self) -> bool {
        self.outgoing.is_empty() && self.in_flight.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.outgoing.len().saturating_add(self.in_flight.len())
    }

    /// Takes the command with this id out, wherever it is.
    pub(super) fn take(&mut self, id: CommandId) -> Option<Pending> {
        if let Some(at) = self.in_flight.iter().position(|p| p.id == id) {
            return Some(self.in_flight.remove(at));
        }
        // A command can be refused before all of it went out, but not before it was begun.
        let front = self.outgoing.front().filter(|p| p.begun)?;
        (front.id == id).then(|| self.outgoing.pop_front()).flatten()
    }

    /// Whether a LOGIN waits to be asked for its literals.
    pub(super) fn is_logging_in(&self) -> bool {
        self.outgoing.front().is_some_and(|p| p.begun && matches!(p.kind, Kind::Login))
    }

    /// The exclusive command that has the connection, if one does.
    pub(super) fn exclusive(&mut self) -> Option<&mut Pending> {
        self.in_flight.iter_mut().find(|p| p.kind.is_exclusive())
    }

    /// Writes what may go out now.
    pub(super) fn pump(&mut self, out: &mut OutBuf, mode: LiteralMode, outbox: usize) {
        while out.len() < outbox {
            if self.in_flight.iter().any(|p| p.kind.is_exclusive()) {
                return;
            }
            let alone = self.in_flight.is_empty();
            let Some(front) = self.outgoing.front_mut() else { return };
            if front.kind.is_exclusive() && !alone {
                return;
            }
            if !front.write(out, mode) {
                return;
            }
            self.in_flight.extend(self.outgoing.pop_front());
        }
    }
}
