//! What the failures of signing in mean for the one who runs the program.

use auth::http::HttpErrorKind;
use auth::store::StoreError;
use auth::{Class, Error, Refusal};

use super::{Exit, Failure};

/// Codes of accounts that only an administrator can put right: locked, without a valid password, disabled.
const ACCOUNT_STATES: [u32; 4] = [50053, 50055, 50057, 50144];

impl Failure {
    /// A failed sign-in or renewal of `account`.
    pub(crate) fn from_auth(error: &Error, account: &str) -> Self {
        Self::new(exit(error), error.to_string(), advice(error, account))
    }
}

fn exit(error: &Error) -> Exit {
    match error.reason() {
        Error::Declined(refusal) => match refused(refusal) {
            Exit::AdminNeeded => Exit::AdminNeeded,
            _ => Exit::ConsentRefused,
        },
        Error::Refused(refusal) | Error::Password { refusal, .. } => refused(refusal),
        Error::CodeExpired => Exit::DeviceExpired,
        Error::SignInAgain(_)
        | Error::StateMismatch
        | Error::NonceMismatch
        | Error::AnotherSubject
        | Error::MixUp { .. }
        | Error::Callback { .. } => Exit::SignInNeeded,
        Error::Setting { .. } | Error::InsecureUrl { .. } | Error::Unsupported { .. } => Exit::Config,
        Error::Assertion { class: Class::RetryLater, .. } => Exit::ProviderUnreachable,
        Error::Assertion { .. } => Exit::Config,
        Error::Http(error) => match error.kind {
            HttpErrorKind::Certificate => Exit::Tls,
            HttpErrorKind::Setting => Exit::Config,
            _ => Exit::ProviderUnreachable,
        },
        Error::Status { .. } => without_a_reason(error.class()),
        Error::Redirected { .. } | Error::Response { .. } => Exit::ProviderUnreachable,
        Error::TokenType { .. } | Error::ScopeMismatch { .. } => Exit::ProviderRefused,
        Error::Store(_) | Error::NotSaved(_) => Exit::TokenStore,
        _ => Exit::Unexpected,
    }
}

fn refused(refusal: &Refusal) -> Exit {
    if refusal.codes.iter().any(|code| ACCOUNT_STATES.contains(code)) {
        return Exit::AdminNeeded;
    }
    match refusal.class() {
        Class::RetryLater | Class::Pending => Exit::ProviderUnreachable,
        Class::SignInAgain => Exit::SignInNeeded,
        Class::AdminAction => Exit::AdminNeeded,
        _ => Exit::ProviderRefused,
    }
}

/// A refusal that is no more than an HTTP status: it counts as what it usually means at that step.
fn without_a_reason(class: Class) -> Exit {
    match class {
        Class::SignInAgain => Exit::SignInNeeded,
        Class::ConfigError | Class::UserAccount => Exit::ProviderRefused,
        _ => Exit::ProviderUnreachable,
    }
}

/// The command to run next, where there is one; the errors themselves say the rest.
fn advice(error: &Error, account: &str) -> String {
    let login = format!("run: postkey login {account}");
    match error.reason() {
        Error::Declined(_) => format!("{login}, and accept what is asked for"),
        Error::SignInAgain(_)
        | Error::CodeExpired
        | Error::StateMismatch
        | Error::Callback { .. }
        | Error::NonceMismatch
        | Error::AnotherSubject
        | Error::MixUp { .. }
        | Error::ScopeMismatch { .. } => login,
        Error::Refused(refusal) => match refused(refusal) {
            Exit::SignInNeeded => login,
            Exit::ProviderRefused => correct(account),
            Exit::AdminNeeded => "give the administrator the trace and correlation ids above".into(),
            _ => "wait, then run the same command again".into(),
        },
        Error::Setting { setting: "tenant", .. } => {
            format!("write tenant = \"…\", its id or one of its domains, under [accounts.{account}]")
        }
        Error::Setting { .. }
        | Error::InsecureUrl { .. }
        | Error::Unsupported { .. }
        | Error::Assertion { .. } => {
            format!("see what is configured: postkey account show {account}")
        }
        Error::Http(error) => match error.kind {
            HttpErrorKind::Certificate => format!(
                "if a sign-in service of your own or a TLS proxy is meant, name its CA: ca_file under \
                 [accounts.{account}.oauth]"
            ),
            HttpErrorKind::Setting => format!("see what is configured: postkey account show {account}"),
            _ => "check the network, then run the same command again".into(),
        },
        Error::Status { .. } => match (exit(error), error.class()) {
            (Exit::SignInNeeded, _) => login,
            (Exit::ProviderRefused, _) => correct(account),
            (_, Class::RetryLater) => "wait, then run the same command again".into(),
            _ => format!("see which address is used: postkey account show {account}"),
        },
        Error::Redirected { .. } | Error::Response { .. } => {
            format!("see which address is used: postkey account show {account}")
        }
        Error::Store(error) | Error::NotSaved(error) => store(error, &login),
        _ => String::new(),
    }
}

/// What to do about the token store. To remove a key or the entries alone never helps: a new key is made where there is neither.
fn store(error: &StoreError, login: &str) -> String {
    match error {
        StoreError::KeyUnavailable { .. } | StoreError::KeyDamaged { .. } => format!(
            "give the right key back, from a backup if need be; if it is lost, remove what is left of it and the folder of the \
             tokens, which are lost with it, and {login}, for each account"
        ),
        StoreError::Corrupt { .. } => login.to_owned(),
        StoreError::Unsafe { .. } | StoreError::Keyring { .. } | StoreError::Lock { .. } => {
            "do what the message says, then run the same command again".into()
        }
        StoreError::Io { .. } => {
            "check the path, its rights and the disk, then run the same command again".into()
        }
        StoreError::WrongKey { .. } => {
            format!(
                "give the right key back and run the same command again; or remove the file named above and {login}"
            )
        }
        _ => String::new(),
    }
}

fn correct(account: &str) -> String {
    format!(
        "see what is configured: postkey account show {account}; correct it and run: postkey login {account}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth::Step;
    use auth::http::HttpError;

    #[test]
    fn failures_below_oauth_are_told_apart() {
        let code = |kind| exit(&Error::Http(HttpError::new(kind, "x")));
        assert_eq!(code(HttpErrorKind::Certificate), Exit::Tls);
        assert_eq!(code(HttpErrorKind::Connect), Exit::ProviderUnreachable);
        assert_eq!(code(HttpErrorKind::Timeout), Exit::ProviderUnreachable);
        assert_eq!(code(HttpErrorKind::Setting), Exit::Config);
        assert_eq!(exit(&Error::CodeExpired), Exit::DeviceExpired);
    }

    #[test]
    fn what_to_do_next_fits_the_failure() {
        assert_eq!(advice(&Error::StateMismatch, "w"), "run: postkey login w");
        assert_eq!(advice(&Error::CodeExpired, "w"), "run: postkey login w");
        let declined = advice(&Error::Declined(Box::default()), "w");
        assert!(declined.contains("accept"), "{declined}");
        let key = StoreError::KeyDamaged { path: "tokens.key".into() };
        let key = advice(&Error::Store(key), "w");
        assert!(
            key.contains("remove what is left of it and the folder of the tokens")
                && key.contains("postkey login w"),
            "{key}"
        );
        let denied = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        let unwritten = StoreError::Io { action: "write", path: "x".into(), source: denied };
        let unwritten = advice(&Error::NotSaved(unwritten), "w");
        assert!(
            unwritten.contains("run the same command again") && !unwritten.contains("remove"),
            "{unwritten}"
        );
        let tenant = advice(&Error::Setting { setting: "tenant", reason: String::new() }, "w");
        assert!(tenant.contains("tenant = ") && tenant.contains("[accounts.w]"), "{tenant}");
    }

    #[test]
    fn a_status_without_a_reason_counts_as_what_it_usually_means() {
        for (step, status, empty, expected) in [
            (Step::Refresh, 429, true, Exit::ProviderUnreachable),
            (Step::Refresh, 503, false, Exit::ProviderUnreachable),
            (Step::Refresh, 404, true, Exit::ProviderUnreachable),
            (Step::Refresh, 403, false, Exit::ProviderUnreachable),
            (Step::Refresh, 400, true, Exit::SignInNeeded),
            (Step::Refresh, 401, true, Exit::ProviderRefused),
            (Step::Application, 403, true, Exit::ProviderRefused),
            (Step::Password, 403, true, Exit::ProviderRefused),
            (Step::Code, 400, true, Exit::SignInNeeded),
            (Step::Discovery, 403, true, Exit::ProviderUnreachable),
        ] {
            let error = Error::Status { step, status, empty, retry_after: None };
            assert_eq!(exit(&error), expected, "{step:?} {status} {empty}");
            assert!(!advice(&error, "ana").is_empty());
        }
    }

    #[test]
    fn every_known_code_has_an_exit_of_signing_in() {
        for code in auth::Code::all() {
            let mut refusal = Refusal::default();
            refusal.codes = vec![code.number];
            let exit = refused(&refusal).code();
            assert!((20..=27).contains(&exit), "AADSTS{}: {exit}", code.number);
        }
    }
}
