//! Which wait is running and when it is over.

use wire::Tick;

use super::config::Timeouts;
use super::error::Wait;

/// The one timer of the server.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Watch {
    /// When the time to sign in began.
    start: Option<Tick>,
    /// When octets last moved or the application last was at work.
    active: Tick,
    /// Octets moved in either direction by then.
    moved: u64,
    wait: Option<(Wait, Tick)>,
}

impl Watch {
    /// Takes note of the time and of the octets moved so far.
    pub(super) fn tick(&mut self, now: Tick, moved: u64) {
        if self.start.is_none() {
            self.start = Some(now);
            self.active = now;
        }
        if self.moved != moved {
            self.moved = moved;
            self.active = now;
        }
    }

    /// The application has the connection: no wait runs.
    pub(super) fn pause(&mut self, now: Tick) {
        self.active = now;
        self.wait = None;
    }

    /// Makes `wait` the one that runs and says whether it is over.
    pub(super) fn run(&mut self, wait: Wait, now: Tick, t: &Timeouts) -> bool {
        let until = match wait {
            Wait::SignIn => self.start.unwrap_or(now) + t.sign_in,
            Wait::Stall => self.active + t.stall,
            Wait::Idle => self.active + t.idle,
        };
        self.wait = Some((wait, until));
        now >= until
    }

    /// Begins anew: nothing that was before counts.
    pub(super) fn restart(&mut self) {
        self.start = None;
        self.wait = None;
    }

    pub(super) fn deadline(&self) -> Option<Tick> {
        self.wait.map(|(_, until)| until)
    }
}
