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
    Quit,
    Deletion,
}

impl Client {
    /// The wait that runs now.
    pub(super) fn wait(&self) -> Option<wire::Wait<Waiting>> {
        let t = &self.config.timeouts;
        let kind = match self.queue.in_flight.front().map(|p| &p.kind) {
            _ if self.state == State::Greeting => Waiting::Greeting,
            Some(kind) if kind.is_sign_in() => Waiting::Auth,
            Some(Kind::Quit) if self.marked => Waiting::Deletion,
            Some(Kind::Quit) => Waiting::Quit,
            Some(_) => Waiting::Command,
            None if self.queue.is_empty() => return None,
            None => Waiting::Command,
        };
        let (limit, least_rate) = match kind {
            Waiting::Greeting => (t.greeting, None),
            Waiting::Auth => (t.auth, None),
            Waiting::Command => (t.command, Some(t.min_rate)),
            Waiting::Quit => (t.quit, None),
            Waiting::Deletion => (t.command, None),
        };
        Some(wire::Wait { kind, limit, least_rate })
    }
}
