//! Switches that make the identity provider misbehave, each as it was seen to in the wild.

use std::sync::{Mutex, PoisonError};

/// One way to misbehave. The token endpoint is meant unless the text says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Access tokens live this many seconds.
    ExpiresIn(u64),
    /// `expires_in` comes as a string.
    ExpiresInString,
    /// No `refresh_token` in the answer although one is due.
    NoRefreshToken,
    /// A poll for a device code is answered with `authorization_pending` even if the user has approved.
    Pending,
    /// A poll for a device code is answered with `slow_down` (RFC 8628 section 3.5).
    SlowDown,
    /// A poll for a device code is answered as if the user had declined.
    DeviceDeclined,
    /// A poll for a device code is answered as if the code had expired.
    DeviceExpired,
    /// The device and token endpoints answer errors with HTTP status 200.
    ErrorWithStatus200,
    /// The device endpoint answers with an error.
    DeviceEndpointRefuses,
    /// The device endpoint calls the address `verification_url`, as old servers do.
    VerificationUrl,
    /// The device endpoint's codes live this many seconds.
    DeviceCodeLifetime(u64),
    /// The device endpoint asks for this many seconds between polls.
    DeviceInterval(u64),
    /// The device and token endpoints answer 429, with `Retry-After` in seconds if given.
    TooManyRequests(Option<u32>),
    /// The device and token endpoints answer 503 with an HTML page.
    Unavailable,
    /// The device and token endpoints reset the connection instead of answering.
    Reset,
    /// The parts of `error_description` are separated by CRLF instead of blanks.
    CrlfDescriptions,
    /// The token endpoint refuses with this `error` and AADSTS number.
    Refuse {
        /// The OAuth error code, e.g. `invalid_grant`.
        error: &'static str,
        /// The AADSTS number, e.g. 50173.
        code: u32,
        /// The HTTP status, e.g. 400.
        status: u16,
        /// The member `suberror`, e.g. `bad_token`.
        suberror: Option<&'static str>,
    },
}

/// A fault, when it applies.
#[derive(Clone, Debug)]
pub struct Rule {
    fault: Fault,
    left: Option<u32>,
    client_id: Option<String>,
}

impl Rule {
    /// A fault that applies to every request until cleared.
    pub fn new(fault: Fault) -> Self {
        Self { fault, left: None, client_id: None }
    }

    /// Only the next `n` requests that it touches.
    #[must_use]
    pub fn times(mut self, n: u32) -> Self {
        self.left = Some(n);
        self
    }

    /// Only requests of this client.
    #[must_use]
    pub fn client(mut self, client_id: &str) -> Self {
        self.client_id = Some(client_id.to_owned());
        self
    }
}

impl From<Fault> for Rule {
    fn from(fault: Fault) -> Self {
        Self::new(fault)
    }
}

/// The rules in force.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Vec<Rule>>);

impl Faults {
    /// Adds a rule.
    pub(crate) fn inject(&self, rule: Rule) {
        self.rules().push(rule);
    }

    /// Removes all rules.
    pub(crate) fn clear(&self) {
        self.rules().clear();
    }

    /// The first rule for this client that `pick` accepts; uses it up once.
    pub(crate) fn take<T>(&self, client_id: &str, pick: impl Fn(&Fault) -> Option<T>) -> Option<T> {
        let mut rules = self.rules();
        for rule in rules.iter_mut() {
            if rule.left == Some(0)
                || rule.client_id.as_ref().is_some_and(|c| !c.eq_ignore_ascii_case(client_id))
            {
                continue;
            }
            if let Some(found) = pick(&rule.fault) {
                rule.left = rule.left.map(|n| n - 1);
                return Some(found);
            }
        }
        None
    }

    /// Whether this very fault applies; uses it up once.
    pub(crate) fn hits(&self, client_id: &str, fault: &Fault) -> bool {
        self.take(client_id, |f| (f == fault).then_some(())).is_some()
    }

    fn rules(&self) -> std::sync::MutexGuard<'_, Vec<Rule>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_used_up_and_bound_to_clients() {
        let faults = Faults::default();
        faults.inject(Rule::new(Fault::Pending).times(2).client("A"));
        assert!(!faults.hits("b", &Fault::Pending));
        assert!(faults.hits("a", &Fault::Pending) && faults.hits("A", &Fault::Pending));
        assert!(!faults.hits("a", &Fault::Pending));
        faults.inject(Fault::ExpiresIn(1).into());
        for _ in 0..3 {
            let life = faults.take("x", |f| if let Fault::ExpiresIn(n) = f { Some(*n) } else { None });
            assert_eq!(life, Some(1));
        }
        faults.clear();
        assert!(!faults.hits("x", &Fault::ExpiresIn(1)));
    }
}
