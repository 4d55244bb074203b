//! Which request failed, and what a refusal without a reason usually means there.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Class;

/// A request of a sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Step {
    /// The code of a browser sign-in is redeemed (RFC 6749 §4.1.3).
    Code,
    /// A refresh token is redeemed (RFC 6749 §6).
    Refresh,
    /// An application asks in its own name (RFC 6749 §4.4).
    Application,
    /// A service account asks by its assertion (RFC 7523 §2.1).
    ServiceAccount,
    /// A person's password is shown (RFC 6749 §4.3).
    Password,
    /// A device code is asked for (RFC 8628 §3.1).
    DeviceCode,
    /// A device asks whether the person has finished (RFC 8628 §3.4).
    DevicePoll,
    /// The server's description of itself is asked for (OpenID Connect Discovery §4, RFC 8414 §3).
    Discovery,
    /// Another service is asked for the assertion that proves the application (RFC 7523 §2.2).
    Assertion,
}

impl Step {
    /// What a store did before it noted which step was refused: it renews.
    pub(crate) fn refresh() -> Self {
        Self::Refresh
    }

    /// What an HTTP error means at this step that came without an OAuth answer, and the reaction it calls for. `empty` says
    /// that it came without a body: then it is the server's own word, and not a page of something before it.
    pub(super) fn judge(self, status: u16, empty: bool) -> (Class, &'static str) {
        match status {
            429 => (Class::RetryLater, "That means: too many requests. Try again later."),
            500.. => (Class::RetryLater, "It is in trouble, or what stands before it is. Try again later."),
            404 | 405 | 410 => {
                (Class::Peer, "There is no such service at that address. Check the endpoint's address.")
            }
            407 => (Class::Peer, "A proxy on the way wants a name and a password. Check the proxy settings."),
            400 | 401 | 403 if empty => self.refused(status == 400),
            _ => (
                Class::Peer,
                "Something else may have answered. Check the endpoint's address, and what stands between it and this machine.",
            ),
        }
    }

    /// A refusal without a body. With status 400 the request itself is refused (RFC 6749 §5.2: `invalid_grant` and the like),
    /// with another one rather who sent it (`invalid_client`).
    fn refused(self, request: bool) -> (Class, &'static str) {
        match (self, request) {
            (Self::Code, true) => (
                Class::SignInAgain,
                "It gave no reason; at this step it is usually a code that has ended or was used before, or another redirect \
                 address than the registered one. Start the sign-in again; if that does not help, compare client id, secret and \
                 redirect address with the registration.",
            ),
            (Self::Refresh, true) => (
                Class::SignInAgain,
                "It gave no reason; at this step it is usually a refresh token that has ended, was revoked or was used \
                 before. Sign in again.",
            ),
            (Self::Refresh, false) => (
                Class::ConfigError,
                "It gave no reason; at this step it usually does not take the client id or its secret, certificate or \
                 assertion. Compare them with the registration; if they are right, sign in again.",
            ),
            (Self::DevicePoll, true) => (
                Class::SignInAgain,
                "It gave no reason; at this step it is usually a device code that has ended or was used before. Start again \
                 with a new code.",
            ),
            // Glewlwyd has 403 for a wrong password and 400 for a wrong secret, against RFC 6749 §5.2.
            (Self::Password, _) => (
                Class::UserAccount,
                "It gave no reason; at this step it is usually a wrong user name or password, a client id or secret that it does \
                 not take, or a client that may not use passwords. Check them in this order; do not repeat it often, for \
                 accounts get locked.",
            ),
            (Self::Application | Self::ServiceAccount, true) => (
                Class::ConfigError,
                "It gave no reason; at this step it is usually a scope that the application may not have, or a client that may \
                 not sign in on its own. Compare scopes and permissions with the registration.",
            ),
            (Self::DeviceCode, true) => (
                Class::ConfigError,
                "It gave no reason; at this step it is usually a scope that it does not know, or a client that may not use \
                 device codes. Compare them with the registration.",
            ),
            (Self::Assertion, _) => (
                Class::ConfigError,
                "It gave no reason; usually this program may not have an assertion there. Check the identity that it is given.",
            ),
            (Self::Discovery, _) => (Class::Peer, "It gave no reason. Check the issuer's address."),
            _ => (
                Class::ConfigError,
                "It gave no reason; at this step it usually does not take the client id or its secret, certificate or \
                 assertion, or the client may not sign in in this way. Compare them with the registration.",
            ),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Code => "redeeming the code of the browser sign-in",
            Self::Refresh => "redeeming the refresh token",
            Self::Application => "asking for a token of the application's own",
            Self::ServiceAccount => "asking for a token with the service account's assertion",
            Self::Password => "signing in by password",
            Self::DeviceCode => "asking for a device code",
            Self::DevicePoll => "asking whether the device sign-in is finished",
            Self::Discovery => "asking for the discovery document",
            Self::Assertion => "asking for an assertion",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Step; 9] = [
        Step::Code,
        Step::Refresh,
        Step::Application,
        Step::ServiceAccount,
        Step::Password,
        Step::DeviceCode,
        Step::DevicePoll,
        Step::Discovery,
        Step::Assertion,
    ];

    #[test]
    fn every_step_and_status_has_a_meaning_that_ends_in_what_to_do() {
        for step in ALL {
            for status in 400..600 {
                for empty in [true, false] {
                    let (class, text) = step.judge(status, empty);
                    assert!(text.ends_with('.') && text.contains(". "), "{step:?} {status}: {text}");
                    assert_eq!(
                        class == Class::RetryLater,
                        status == 429 || status >= 500,
                        "{step:?} {status}"
                    );
                }
            }
        }
    }

    /// A page may be a proxy's or a gateway's: only an empty answer is taken for the service's own refusal.
    #[test]
    fn only_an_empty_answer_says_something_of_the_request() {
        for step in ALL {
            for status in [400, 401, 403] {
                assert_eq!(step.judge(status, false).0, Class::Peer, "{step:?}");
                assert_eq!(step.judge(status, true).0 == Class::Peer, step == Step::Discovery, "{step:?}");
            }
        }
    }

    #[test]
    fn what_a_refusal_of_the_request_asks_for() {
        let class = |step: Step, status| step.judge(status, true).0;
        for step in [Step::Code, Step::Refresh, Step::DevicePoll] {
            assert_eq!(
                (class(step, 400), class(step, 401), class(step, 403)),
                (Class::SignInAgain, Class::ConfigError, Class::ConfigError)
            );
        }
        assert_eq!(class(Step::Application, 400), Class::ConfigError);
        assert_eq!(
            (class(Step::Password, 400), class(Step::Password, 403)),
            (Class::UserAccount, Class::UserAccount)
        );
    }
}
