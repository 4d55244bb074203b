//! How long refresh tokens live when nobody uses them, as far as providers say. None tells with the token itself.

use auth::Provider;

const DAY: u64 = 24 * 60 * 60;

/// What is known of a provider's refresh tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unused {
    /// Seconds from the last use to the end.
    pub(super) seconds: u64,
    /// In words.
    pub(super) rule: &'static str,
}

/// The rule of a provider; `None` where none is published.
pub(super) fn unused(provider: &Provider) -> Option<Unused> {
    let issuer = provider.issuer.as_deref().unwrap_or_default();
    if issuer.ends_with("/{tenantid}/v2.0") {
        // Entra and personal accounts alike: each use brings a new one with 90 days of its own.
        return Some(Unused {
            seconds: 90 * DAY,
            rule: "after 90 days without use (each use begins them anew), or earlier by a change of password, an administrator or a \
                   policy of the tenant",
        });
    }
    if issuer == "https://accounts.google.com" {
        return Some(Unused {
            // Six months: the shortest six there are.
            seconds: 181 * DAY,
            rule: "after six months without use, after seven days if the project is in testing, or earlier by a change of password \
                   or the person's own wish",
        });
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_that_publish_a_rule() {
        let days = |name: &str| unused(&Provider::builtin(name).unwrap()).map(|unused| unused.seconds / DAY);
        for name in ["microsoft", "outlook-com", "microsoft-gcc-high", "microsoft-21vianet"] {
            assert_eq!(days(name), Some(90), "{name}");
        }
        assert_eq!((days("google"), days("yahoo"), days("fastmail")), (Some(181), None, None));
    }
}
