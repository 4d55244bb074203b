//! How often to try again, and after which waits.

use std::time::Duration;

/// The longest wait of our own.
const LONGEST: Duration = Duration::from_secs(300);
/// The longest wait that a server can ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(600);

/// Tries that are left, and the next wait: it doubles.
#[derive(Clone, Debug)]
pub(crate) struct Patience {
    left: u32,
    wait: Duration,
}

impl Patience {
    /// For so many tries in all, with this first wait.
    pub(crate) fn new(tries: u32, first: Duration) -> Self {
        Self { left: tries.saturating_sub(1), wait: first }
    }

    /// How long to wait before the next try; `None` when there is to be none. A server's wish is obeyed, not undercut.
    pub(crate) fn next(&mut self, asked: Option<Duration>) -> Option<Duration> {
        self.left = self.left.checked_sub(1)?;
        let own = self.wait;
        self.wait = own.saturating_mul(2).min(LONGEST);
        Some(asked.map_or(own, |asked| asked.min(LONGEST_ASKED).max(own)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_end() {
        let mut patience = Patience::new(4, Duration::from_secs(200));
        let waits: Vec<_> = std::iter::from_fn(|| patience.next(None)).collect();
        assert_eq!(waits, [200, 300, 300].map(Duration::from_secs));
        assert_eq!(Patience::new(1, Duration::ZERO).next(None), None);
    }

    #[test]
    fn a_servers_wish_is_obeyed_within_reason() {
        let mut patience = Patience::new(9, Duration::from_secs(10));
        let mut ask = |s| patience.next(Some(Duration::from_secs(s))).unwrap().as_secs();
        assert_eq!((ask(92), ask(99_999), ask(1)), (92, 600, 40));
    }
}
