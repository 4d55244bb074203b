//! Which wait is running and when it is over.

use core::time::Duration;

use wire::Tick;

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

    /// Makes `wait` the one that runs, for so long, and says whether it is over.
    pub(super) fn run(&mut self, wait: Wait, limit: Duration, now: Tick) -> bool {
        let since = if wait == Wait::SignIn { self.start.unwrap_or(now) } else { self.active };
        let until = since + limit;
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
