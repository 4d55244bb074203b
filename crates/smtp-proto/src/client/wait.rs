//! Which wait runs, and for how long.

use super::Client;
use super::queue::Kind;
use super::transaction::Progress;
use crate::session::State;

/// What the client waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waiting {
    Greeting,
    Auth,
    Command,
    Body,
    Outcome,
    Quit,
}

impl Client {
    /// The wait that runs now.
    pub(super) fn wait(&self) -> Option<wire::Wait<Waiting>> {
        let t = self.config.timeouts;
        let kind = match self.in_flight.front().map(|p| &p.kind) {
            _ if self.state == State::Greeting => Waiting::Greeting,
            // What is held back by a line that nobody asked for.
            None => match self.outgoing.front().map(|p| &p.kind) {
                None => return None,
                Some(Kind::Quit) => Waiting::Quit,
                Some(_) => Waiting::Command,
            },
            Some(Kind::Auth { .. }) => Waiting::Auth,
            Some(Kind::Quit) => Waiting::Quit,
            Some(Kind::Message(m)) => match &m.progress {
                // The caller is at work.
                Progress::Data(_) if self.out.is_empty() => return None,
                Progress::Data(_) => Waiting::Body,
                Progress::Bdat(c) if !c.ended && c.unanswered == 0 && self.out.is_empty() => return None,
                Progress::Bdat(_) => Waiting::Body,
                Progress::Outcome { .. } => Waiting::Outcome,
                _ => Waiting::Command,
            },
            Some(_) => Waiting::Command,
        };
        let (limit, alive) = match kind {
            Waiting::Greeting => (t.greeting, false),
            Waiting::Auth => (t.auth, false),
            Waiting::Command => (t.command, true),
            Waiting::Body => (t.body, true),
            Waiting::Outcome => (t.outcome, true),
            Waiting::Quit => (t.quit, false),
        };
        Some(wire::Wait { kind, limit, least_rate: alive.then_some(t.min_rate) })
    }
}
