//! Which wait runs, and for how long.

use super::Client;
use super::queue::Kind;
use crate::session::State;

/// What the client waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waiting {
    Greeting,
    Auth,
    Command,
    Logout,
}

impl Client {
    /// The wait that runs now.
    pub(super) fn wait(&mut self) -> Option<wire::Wait<Waiting>> {
        let t = self.config.timeouts;
        let logging_in = self.queue.is_logging_in();
        let kind = if self.state == State::Greeting {
            Waiting::Greeting
        } else {
            match self.queue.exclusive().map(|p| &p.kind) {
                Some(Kind::Login | Kind::Authenticate(_)) => Waiting::Auth,
                Some(Kind::Logout) => Waiting::Logout,
                // The server may be silent as long as it likes; the caller renews IDLE when it wants to.
                Some(Kind::Idling) => return None,
                // The caller is at work.
                Some(Kind::Append { left, invited: true }) if *left > 0 && self.out.is_empty() => {
                    return None;
                }
                None if logging_in => Waiting::Auth,
                _ => Waiting::Command,
            }
        };
        if self.state != State::Greeting && self.queue.is_empty() {
            return None;
        }
        let (limit, least_rate) = match kind {
            Waiting::Greeting => (t.greeting, None),
            Waiting::Auth => (t.auth, None),
            Waiting::Command => (t.command, Some(t.min_rate)),
            Waiting::Logout => (t.logout, None),
        };
        Some(wire::Wait { kind, limit, least_rate })
    }
}
