//! The one timer of a machine: which wait runs, and whether it is over.

use core::time::Duration;

use crate::Tick;

/// One wait of a protocol's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait<K> {
    /// Its name.
    pub kind: K,
    /// How long it may last.
    pub limit: Duration,
    /// `None`: absolute, from its start. `Some`: for signs of life, the slowest acceptable transfer in octets per second. A wait of
    /// this kind starts over with each complete response and is renewed as long as octets flow at that rate; a drip is not
    /// enough.
    pub least_rate: Option<u32>,
}

/// Keeps time for one wait at a time. `K` names the waits.
#[derive(Clone, Copy, Debug)]
pub struct Watch<K> {
    running: Option<Running<K>>,
    /// The application has the connection.
    paused: bool,
    /// Since when an event has been out.
    lent: Option<Tick>,
}

#[derive(Clone, Copy, Debug)]
struct Running<K> {
    wait: Wait<K>,
    until: Tick,
    /// Octets moved in either direction when the window began.
    mark: u64,
}

impl<K> Default for Watch<K> {
    fn default() -> Self {
        Self { running: None, paused: false, lent: None }
    }
}

impl<K: Copy + PartialEq> Watch<K> {
    /// Makes this the wait that runs, or none; one of the same kind goes on as it is. `moved` is the number of octets moved so
    /// far, in both directions.
    pub fn set(&mut self, wait: Option<Wait<K>>, now: Tick, moved: u64) {
        self.paused = false;
        if self.running.map(|r| r.wait.kind) != wait.map(|w| w.kind) {
            self.running = wait.map(|wait| Running { wait, until: now + wait.limit, mark: moved });
        }
    }

    /// For a server: `wait` while octets are needed, `None` while the application has the connection, whose time is not the client's.
    /// With `keep` the wait before counts that time all the same; without, it starts over. Gives the wait that is over, once.
    pub fn serve(&mut self, wait: Option<Wait<K>>, keep: bool, now: Tick, moved: u64) -> Option<K> {
        if wait.is_some() {
            self.set(wait, now, moved);
            let over = self.expired(now, moved)?;
            self.running = None;
            return Some(over);
        }
        self.paused = true;
        if !keep {
            self.running = None;
        }
        None
    }

    /// For a client: an event is handed out, and until [`take_back`](Self::take_back) the time is the application's. Without it,
    /// a slow application would look like a silent server.
    pub fn lend(&mut self, now: Tick) {
        self.lent.get_or_insert(now);
    }

    /// The application is back: the wait goes on where it was, the time in between added to it.
    pub fn take_back(&mut self, now: Tick) {
        let Some(since) = self.lent.take() else { return };
        if let Some(r) = &mut self.running {
            r.until = r.until + now.since(since);
        }
    }

    /// Something complete has arrived: a wait for signs of life starts over.
    pub fn progress(&mut self, now: Tick, moved: u64) {
        if let Some(r) = self.running.as_mut().filter(|r| r.wait.least_rate.is_some()) {
            r.until = now + r.wait.limit;
            r.mark = moved;
        }
    }

    /// The wait that is over, if one is.
    pub fn expired(&mut self, now: Tick, moved: u64) -> Option<K> {
        let r = self.running.as_mut().filter(|r| !self.paused && now >= r.until)?;
        if let Some(rate) = r.wait.least_rate {
            let least = r.wait.limit.as_secs().max(1).saturating_mul(u64::from(rate));
            if moved.saturating_sub(r.mark) >= least {
                r.until = now + r.wait.limit;
                r.mark = moved;
                return None;
            }
        }
        Some(r.wait.kind)
    }

    /// When to look again.
    pub fn deadline(&self) -> Option<Tick> {
        self.running.filter(|_| !self.paused).map(|r| r.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: u64) -> Tick {
        Tick::from_millis(s * 1000)
    }

    fn wait(least_rate: Option<u32>) -> Option<Wait<char>> {
        Some(Wait { kind: 'a', limit: Duration::from_secs(10), least_rate })
    }

    #[test]
    fn an_absolute_wait_ends_whatever_happens() {
        let mut w = Watch::default();
        w.set(wait(None), at(0), 0);
        w.progress(at(9), 1 << 30);
        w.set(wait(None), at(9), 1 << 30);
        assert_eq!(w.expired(at(9), 1 << 30), None);
        assert_eq!(w.deadline(), Some(at(10)));
        assert_eq!(w.expired(at(10), 1 << 30), Some('a'));
    }

    #[test]
    fn a_wait_for_life_is_renewed_by_a_flow_and_not_by_a_drip() {
        let mut w = Watch::default();
        w.set(wait(Some(64)), at(0), 0);
        assert_eq!(w.expired(at(10), 640), None);
        assert_eq!(w.deadline(), Some(at(20)));
        assert_eq!(w.expired(at(20), 640 + 639), Some('a'));
    }

    #[test]
    fn the_time_of_the_application_does_not_count_unless_it_is_kept() {
        let mut w = Watch::default();
        assert_eq!(w.serve(wait(None), true, at(0), 0), None);
        assert_eq!(w.serve(None, true, at(11), 0), None);
        assert_eq!((w.deadline(), w.expired(at(11), 0)), (None, None));
        assert_eq!(w.serve(wait(None), true, at(9), 0), None);
        assert_eq!(w.deadline(), Some(at(10)));
        assert_eq!(w.serve(None, false, at(9), 0), None);
        assert_eq!(w.serve(wait(None), true, at(9), 0), None);
        assert_eq!(w.deadline(), Some(at(19)));
        assert_eq!(w.serve(wait(None), true, at(19), 0), Some('a'));
        assert_eq!((w.deadline(), w.expired(at(20), 0)), (None, None));
    }

    #[test]
    fn while_an_event_is_out_the_wait_stands_still() {
        let mut w = Watch::default();
        w.set(wait(None), at(0), 0);
        w.lend(at(4));
        w.lend(at(9));
        w.take_back(at(100));
        assert_eq!(w.deadline(), Some(at(106)));
        w.take_back(at(200));
        assert_eq!(w.expired(at(105), 0), None);
        assert_eq!(w.expired(at(106), 0), Some('a'));
    }

    #[test]
    fn another_wait_begins_anew() {
        let mut w = Watch::default();
        w.set(wait(None), at(0), 0);
        w.set(None, at(5), 0);
        assert_eq!(w.deadline(), None);
        w.set(wait(None), at(7), 0);
        assert_eq!(w.deadline(), Some(at(17)));
    }
}
