//! When to try again, and when to stop trying.

use std::pin::Pin;
use std::time::Duration;

use postkey::Error;

use super::Progress;

/// How often a lost session is opened again, and after which waits.
///
/// Waits double from `first` to `longest`; anything that gets stored starts the count anew. A server that says how long it wants
/// to be left alone is obeyed, up to `longest_asked`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Patience {
    /// Sessions lost in a row without anything stored in between before giving up. 5.
    pub tries: u32,
    /// The first wait. 1 s.
    pub first: Duration,
    /// The longest wait of our own. 60 s.
    pub longest: Duration,
    /// The longest wait a server can ask for. 10 min.
    pub longest_asked: Duration,
    lost: u32,
    /// A session that worked was refused since anything was last stored.
    doubted: bool,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            tries: 5,
            first: Duration::from_secs(1),
            longest: Duration::from_secs(60),
            longest_asked: Duration::from_secs(600),
            lost: 0,
            doubted: false,
        }
    }
}

impl Patience {
    /// Gives up at the first loss.
    pub fn none() -> Self {
        Self { tries: 0, ..Self::default() }
    }

    pub(super) fn progress(&mut self) {
        self.lost = 0;
        self.doubted = false;
    }

    /// The session is gone, or there was none. Waits if another may do better, gives up otherwise; `opened` as for [`after`](Self::after).
    pub(super) async fn wait(
        &mut self,
        error: postkey::Error,
        opened: bool,
        progress: &mut dyn Progress,
        cancel: Pin<&mut impl Future<Output = ()>>,
    ) -> Result<(), super::Error> {
        let Some(wait) = self.after(&error, opened) else { return Err(error.into()) };
        progress.retry(&error, wait);
        tokio::select! {
            biased;
            () = cancel => Err(super::Error::Cancelled),
            () = tokio::time::sleep(wait) => Ok(()),
        }
    }

    /// How long to wait before the next try; `None` when there is to be none.
    ///
    /// `opened`: a session has been open before, so that not getting another is the network's or the server's trouble.
    fn after(&mut self, error: &Error, opened: bool) -> Option<Duration> {
        let asked = match error {
            Error::Throttled(t) => Some(t.wait.unwrap_or(Duration::from_secs(30)).min(self.longest_asked)),
            e if e.is_connection_lost() => None,
            e if opened && e.is_unreachable() => None,
            // The same words that refuse somebody for good are also said when a token has ended (DU-25): one more session tells.
            Error::NotConnected(_) if opened && !self.doubted => {
                self.doubted = true;
                None
            }
            // Busy, or held by a session of ours that the server has not noticed the end of (RFC 2449 section 8.1.2).
            Error::SignIn { reply, .. } | Error::Unwelcome(reply) if reply.is_transient() => None,
            // Nothing that trying again could mend.
            _ => return None,
        };
        if self.lost >= self.tries {
            return None;
        }
        let doubled = self.first.saturating_mul(1 << self.lost.min(16)).min(self.longest);
        self.lost += 1;
        // A token that ended is no fault of the server's: a new one can be used at once.
        let own = if matches!(error, Error::TokenExpired { .. }) && self.lost == 1 {
            Duration::ZERO
        } else {
            doubled
        };
        Some(asked.unwrap_or(own))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use postkey::{Reply, Throttle};

    fn bye(text: &str) -> Error {
        Error::from(imap_proto::Error::Bye { text: text.into() })
    }

    #[test]
    fn waits_double_end_and_start_over_after_progress() {
        let mut p = Patience::default();
        let waits: Vec<_> = std::iter::from_fn(|| p.after(&bye("Connection is closed. 13"), true)).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16].map(Duration::from_secs));
        p.progress();
        assert_eq!(p.after(&bye("x"), true), Some(Duration::from_secs(1)));
    }

    #[test]
    fn a_servers_wish_is_obeyed_within_reason() {
        // DU-26
        let mut p = Patience::default();
        let reply = Reply { kind: imap_proto::types::StatusKind::No, code: None, text: "throttled".into() };
        let asks = |s| Error::Throttled(Throttle { reply: reply.clone(), wait: s });
        assert_eq!(
            p.after(&asks(Some(Duration::from_millis(92_415))), true),
            Some(Duration::from_millis(92_415))
        );
        assert_eq!(p.after(&asks(Some(Duration::from_secs(99_999))), true), Some(Duration::from_secs(600)));
        assert_eq!(p.after(&asks(None), true), Some(Duration::from_secs(30)));
    }

    #[test]
    fn a_maildrop_that_is_in_use_is_waited_for_and_a_refusal_is_final() {
        let mut p = Patience::default();
        let error = |transient: bool| Error::SignIn {
            reply: Reply {
                kind: imap_proto::types::StatusKind::No,
                code: transient.then_some(postkey::Code::Imap(imap_proto::types::Code::InUse)),
                text: "no".into(),
            },
            reason: None,
        };
        assert_eq!(p.after(&error(true), false), Some(Duration::from_secs(1)));
        assert_eq!(p.after(&error(false), false), None);
    }

    #[test]
    fn an_expired_token_costs_no_wait_and_a_refusal_no_second_try() {
        let mut p = Patience::default();
        assert_eq!(p.after(&bye("Session invalidated - AccessTokenExpired"), true), Some(Duration::ZERO));
        assert_eq!(
            p.after(&bye("Session invalidated - AccessTokenExpired"), true),
            Some(Duration::from_secs(2))
        );
        assert_eq!(p.after(&Error::LoginDisabled, true), None);
        let refused = Error::NotConnected(Reply {
            kind: imap_proto::types::StatusKind::Bad,
            code: None,
            text: String::new(),
        });
        assert_eq!(p.after(&refused, false), None, "refused from the start");
        assert!(p.after(&refused, true).is_some(), "refused after it had worked");
        assert_eq!(p.after(&refused, true), None, "and again");
    }
}
