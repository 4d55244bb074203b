//! Which wait is running and when it is over.

use core::time::Duration;

use wire::Tick;

use crate::config::Timeouts;
use crate::error::Wait;

/// The one timer of the client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watch {
    wait: Option<Running>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Greeting,
    Auth,
    Command,
    Logout,
}

#[derive(Clone, Copy, Debug)]
struct Running {
    kind: Kind,
    until: Tick,
    /// Octets moved in either direction when the window began.
    mark: u64,
}

/// What a look at the watch found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Fine,
    Over(Wait),
    /// LOGOUT was not answered in time, which is nobody's loss.
    LogoutOver,
}

impl Watch {
    pub(super) fn new() -> Self {
        Self { wait: None }
    }

    /// Makes `kind` (or nothing) the wait that runs; one that runs already goes on.
    pub(super) fn set(&mut self, kind: Option<Kind>, now: Tick, moved: u64, t: &Timeouts) {
        if self.wait.map(|w| w.kind) != kind {
            self.wait = kind.map(|kind| Running { kind, until: now + length(kind, t), mark: moved });
        }
    }

    /// Something complete has arrived: a wait for signs of life starts over.
    pub(super) fn progress(&mut self, now: Tick, moved: u64, t: &Timeouts) {
        if let Some(w) = self.wait.as_mut().filter(|w| w.kind == Kind::Command) {
            w.until = now + t.command;
            w.mark = moved;
        }
    }

    pub(super) fn look(&mut self, now: Tick, moved: u64, t: &Timeouts) -> Look {
        let Some(w) = self.wait.as_mut().filter(|w| now >= w.until) else { return Look::Fine };
        match w.kind {
            Kind::Greeting => Look::Over(Wait::Greeting),
            Kind::Auth => Look::Over(Wait::Auth),
            Kind::Logout => Look::LogoutOver,
            Kind::Command => {
                // A long body is fine as long as it keeps coming; a drip is not.
                let least = t.command.as_secs().max(1).saturating_mul(u64::from(t.min_rate));
                if moved.saturating_sub(w.mark) < least {
                    return Look::Over(Wait::Command);
                }
                w.until = now + t.command;
                w.mark = moved;
                Look::Fine
            }
        }
    }

    pub(super) fn deadline(&self) -> Option<Tick> {
        self.wait.map(|w| w.until)
    }
}

fn length(kind: Kind, t: &Timeouts) -> Duration {
    match kind {
        Kind::Greeting => t.greeting,
        Kind::Auth => t.auth,
        Kind::Command => t.command,
        Kind::Logout => t.logout,
    }
}
