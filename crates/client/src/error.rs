//! What can go wrong, typed for programs, worded for people.

use std::fmt;
use std::time::Duration;

use imap_proto::types::{Code, StatusKind, StatusResponse};
use imap_proto::{Misuse, Wait};

/// Why something did not work. Texts of servers are in it without secrets and without control characters.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No connection, no TLS, or the connection broke.
    #[error(transparent)]
    Connection(#[from] driver::Error),
    /// The server broke the protocol, went beyond a limit, took too long, or ended the session.
    #[error(transparent)]
    Protocol(imap_proto::Error),
    /// A value that was given cannot be sent, or a method was called at the wrong time.
    #[error("{0}")]
    Misuse(Misuse),
    /// TLS is required and the server does not offer it.
    #[error(
        "the server does not offer STARTTLS, and nothing is sent without TLS. Use the implicit-TLS port (993), or check that this \
         is the right server and that nobody is tampering with the connection"
    )]
    TlsRequired,
    /// The server offered STARTTLS and refused it.
    #[error(
        "the server refused STARTTLS ({0}), and nothing is sent without TLS. Use the implicit-TLS port (993)"
    )]
    StarttlsRefused(Reply),
    /// The server knows no mechanism for this kind of credential.
    #[error(
        "the server offers no way to sign in with {wanted} (it offers: {}). Check that this is the right server and port",
        .offered.join(", ")
    )]
    NoMechanism {
        /// What there is to sign in with.
        wanted: &'static str,
        /// What the server knows.
        offered: Vec<String>,
    },
    /// The server forbids LOGIN and offers nothing else for a password.
    #[error("the server does not take passwords (LOGINDISABLED); sign in with OAuth 2.0")]
    LoginDisabled,
    /// No access token could be had.
    #[error(transparent)]
    Token(#[from] auth::Error),
    /// A token from elsewhere (a command, a file) could not be had.
    #[error("{0}")]
    TokenSource(String),
    /// The server refused the sign-in.
    #[error("the server refused the sign-in: {reply}{}", .reason.as_ref().map(|r| format!(" ({r})")).unwrap_or_default())]
    SignIn {
        /// Its reply.
        reply: Reply,
        /// What its SASL challenge or the exchange says.
        reason: Option<String>,
    },
    /// The sign-in was accepted, but the mailbox cannot be reached.
    #[error(
        "signed in, but the mailbox cannot be opened: {0}. Either the signed-in identity has no access to this mailbox, \
         or IMAP is switched off for it, or it has no licence; changes take up to two hours to be seen"
    )]
    NotConnected(Reply),
    /// There is no such folder.
    #[error("there is no folder \"{name}\": {reply}")]
    NoFolder {
        /// The name that was asked for.
        name: String,
        /// The server's reply.
        reply: Reply,
    },
    /// The server asks to slow down.
    #[error("the server is limiting us: {}", .0.reply)]
    Throttled(Throttle),
    /// The access token ended during the session.
    #[error("the access token ended during the session: {text}")]
    TokenExpired {
        /// The server's words.
        text: String,
    },
    /// The server refused a command.
    #[error("the server refused {command}: {reply}")]
    Refused {
        /// The command.
        command: &'static str,
        /// Its reply.
        reply: Reply,
    },
}

/// A tagged reply that is not OK.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// NO or BAD.
    pub kind: StatusKind,
    /// The response code, if there was one.
    pub code: Option<Code<'static>>,
    /// The text, printable.
    pub text: String,
}

/// A request to slow down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Throttle {
    /// The server's reply.
    pub reply: Reply,
    /// How long it wants to be left alone, if it said so.
    pub wait: Option<Duration>,
}

impl Reply {
    pub(crate) fn of(status: StatusResponse<'static>) -> Self {
        Self { kind: status.kind, code: status.code, text: wire::printable(status.text.as_bytes()) }
    }

    /// Whether the same command may succeed later without anything being changed.
    pub fn is_transient(&self) -> bool {
        matches!(self.code, Some(Code::Unavailable | Code::InUse | Code::ServerBug | Code::Limit))
            || self.throttle().is_some()
            || contains(&self.text, "server unavailable")
    }

    /// Whether it is about who is signed in.
    pub fn is_auth(&self) -> bool {
        matches!(
            self.code,
            Some(
                Code::AuthenticationFailed
                    | Code::AuthorizationFailed
                    | Code::Expired
                    | Code::PrivacyRequired
            )
        ) || contains(&self.text, "not connected")
    }

    /// The wait that Exchange asks for, or zero when it is a limit without one; `None` when it is no throttling.
    pub fn throttle(&self) -> Option<Option<Duration>> {
        backoff(&self.text).map(Some).or_else(|| {
            (contains(&self.text, "throttled")
                || contains(&self.text, "too many simultaneous connections")
                || contains(&self.text, "command or bandwidth limits")
                || matches!(self.code, Some(Code::Limit | Code::OverQuota)))
            .then_some(None)
        })
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.text.is_empty() {
            return write!(f, "{}, without a reason", self.kind.as_str());
        }
        // It stands inside sentences of ours.
        write!(f, "{} {}", self.kind.as_str(), self.text.trim_end_matches('.'))
    }
}

fn contains(text: &str, what: &str) -> bool {
    text.to_ascii_lowercase().contains(what)
}

/// `Suggested Backoff Time: 92415 milliseconds` (Exchange).
fn backoff(text: &str) -> Option<Duration> {
    let lower = text.to_ascii_lowercase();
    let behind = lower.split("backoff time").nth(1)?;
    let digits: String =
        behind.trim_start_matches([':', '=', ' ']).chars().take_while(char::is_ascii_digit).take(9).collect();
    digits.parse().ok().map(Duration::from_millis)
}

impl From<imap_proto::Error> for Error {
    fn from(error: imap_proto::Error) -> Self {
        if let imap_proto::Error::Bye { text } = &error {
            if contains(text, "accesstokenexpired") {
                return Self::TokenExpired { text: text.clone() };
            }
            let reply = Reply { kind: StatusKind::Bye, code: None, text: text.clone() };
            if let Some(wait) = reply.throttle() {
                return Self::Throttled(Throttle { reply, wait });
            }
        }
        Self::Protocol(error)
    }
}

impl From<Misuse> for Error {
    fn from(misuse: Misuse) -> Self {
        Self::Misuse(misuse)
    }
}

impl Error {
    /// Whether a session broke in a way that a new one may mend.
    pub fn is_connection_lost(&self) -> bool {
        match self {
            Self::Connection(driver::Error::Io(_)) | Self::TokenExpired { .. } => true,
            Self::Protocol(e) => matches!(
                e,
                imap_proto::Error::Closed(_)
                    | imap_proto::Error::Bye { .. }
                    | imap_proto::Error::TimedOut(Wait::Command)
            ),
            _ => false,
        }
    }

    /// Whether no session could be opened because the way there is broken or the other side is busy: where one has been opened
    /// before, trying again is worth it. A certificate that does not verify is not such a reason.
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::Connection(e) => match e {
                driver::Error::Resolve { .. }
                | driver::Error::Connect { .. }
                | driver::Error::TimedOut { .. } => true,
                driver::Error::Tls { hint, .. } => *hint == driver::TlsHint::None,
                _ => false,
            },
            Self::Protocol(imap_proto::Error::TimedOut(_)) => true,
            Self::Token(e) => matches!(e.class(), auth::Class::RetryLater),
            Self::SignIn { reply, .. } | Self::Refused { reply, .. } => reply.is_transient(),
            _ => false,
        }
    }

    /// Whether the server refused who is signed in (as against being broken or busy).
    pub fn is_auth(&self) -> bool {
        matches!(
            self,
            Self::SignIn { .. } | Self::NotConnected(_) | Self::TokenExpired { .. } | Self::Token(_)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn no(text: &str) -> Reply {
        Reply { kind: StatusKind::No, code: None, text: text.into() }
    }

    #[test]
    fn exchange_says_how_long_to_wait() {
        let r = no("Request is throttled. Suggested Backoff Time: 92415 milliseconds");
        assert_eq!(r.throttle(), Some(Some(Duration::from_millis(92415))));
        assert!(r.is_transient());
        assert_eq!(no("Account exceeded command or bandwidth limits.").throttle(), Some(None));
        assert_eq!(no("AUTHENTICATE failed.").throttle(), None);
        let endless = no("Backoff Time: 99999999999999999999 milliseconds");
        assert_eq!(endless.throttle(), Some(Some(Duration::from_millis(999_999_999))));
    }

    #[test]
    fn a_bye_is_sorted_by_its_words() {
        let bye = |t: &str| Error::from(imap_proto::Error::Bye { text: t.into() });
        assert!(matches!(bye("Session invalidated - AccessTokenExpired"), Error::TokenExpired { .. }));
        assert!(matches!(bye("Too many simultaneous connections"), Error::Throttled(_)));
        assert!(bye("Connection is closed. 13").is_connection_lost());
    }
}
